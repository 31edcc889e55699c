"""The SDKs' debug logs show a call's headers and body, and both may hold keys (a gateway's, an MCP server's).

Header values go in as `***`, a raw body as its size.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

# Headers whose values say nothing secret, and much to somebody who reads a log.
SHOWN = frozenset({"anthropic-version", "anthropic-beta", "openai-beta", "content-type", "accept", "user-agent"})


class _Hide(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        options = record.args
        headers = options.get("headers") if isinstance(options, Mapping) else None
        if isinstance(options, Mapping) and isinstance(headers, Mapping):
            shown = {name: value if name.lower() in SHOWN else "***" for name, value in headers.items()}
            record.args = {**options, "headers": shown, **_body(options)}
        return True


def _body(options: Mapping[str, Any]) -> dict[str, str]:
    content = options.get("content")
    return {"content": f"<{len(content)} bytes>"} if isinstance(content, bytes) else {}


_FILTER = _Hide()


def hide_secrets(package: str) -> None:
    """Hide header values and bodies in what the SDK `package` logs. Doing it twice does no harm."""
    logging.getLogger(f"{package}._base_client").addFilter(_FILTER)
