"""Secrets in the logs of the SDKs and of their HTTP client: headers, bodies, addresses and query parameters.

Records are changed by a filter on the loggers that write them. A record of another user of these libraries changes only
where its address holds a password or a query parameter of a name that this package has sent.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_unified.redaction import HIDDEN

HARMLESS_HEADERS = frozenset(
    {"anthropic-version", "anthropic-beta", "openai-beta", "content-type", "accept", "user-agent"}
)
"""Headers that hold no secret. Their values help the reader of a log."""
HARMLESS_PARAMETERS = frozenset({"api-version", "beta"})
"""Query parameters that hold no secret."""
HTTP_LOGGERS = ("httpx2", "httpx")

_sent_parameters: set[str] = set()
_USER_INFO = re.compile(r"(://)[^/?#@\s]*@")
_PARAMETER = re.compile(r"([?&])([^=&#\s]*)=([^&#\s]+)")


def hide_secrets(package: str) -> None:
    """Hide secrets in the logs of the SDK `package` and of the HTTP client. May be called twice."""
    for name in (f"{package}._base_client", *HTTP_LOGGERS):
        logging.getLogger(name).addFilter(_FILTER)


def hide_parameters(names: Iterable[str]) -> None:
    """Hide the values of these query parameters from now on."""
    _sent_parameters.update(set(names) - HARMLESS_PARAMETERS)


class _HideSecrets(logging.Filter):
    """Shows headers and query parameters as `***`, a body as its size, and addresses without passwords."""

    def filter(self, record: logging.LogRecord) -> bool:
        args = record.args
        if isinstance(args, Mapping):
            record.args = _safe_options(args)
        elif args:
            record.args = tuple(_safe_argument(item) for item in args)
        return True


def _safe_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a request, as an SDK logs them."""
    safe = dict(options)
    if isinstance(headers := options.get("headers"), Mapping):
        safe["headers"] = {name: v if name.lower() in HARMLESS_HEADERS else "***" for name, v in headers.items()}
    if isinstance(query := options.get("params"), Mapping):
        safe["params"] = {name: v if name in HARMLESS_PARAMETERS else "***" for name, v in query.items()}
    if isinstance(content := options.get("content"), bytes):
        safe["content"] = f"<{len(content)} bytes>"
    return safe


def _safe_argument(item: Any) -> Any:
    """An address, as the HTTP client and the SDKs log it, without secrets; any other argument as it is."""
    if type(item).__name__ != "URL" and not (isinstance(item, str) and "://" in item):
        return item
    return _PARAMETER.sub(_safe_parameter, _USER_INFO.sub(r"\1", str(item)))


def _safe_parameter(match: re.Match[str]) -> str:
    separator, name, value = match.groups()
    return f"{separator}{name}={HIDDEN if name in _sent_parameters else value}"


_FILTER = _HideSecrets()
