"""Secrets of a request that a server quotes in an error, and those in the fields that the SDK's error has."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

from langchain_unified.redaction import HIDDEN, masked
from langchain_unified.request import JsonObject
from langchain_unified.transport._logs import HARMLESS_PARAMETERS

SECRET_HEADER = re.compile(r"(?i)auth|key|token|secret|cookie|password|signature|organization|project")
"""Names of headers whose value no error shows."""
HARMLESS = frozenset({"x-stainless-retry-count", "idempotency-key"})
LONGEST_TEXT = 2**14
"""Characters of a text, or bytes of a body, that an error shows. The search for secrets takes 2 s for a megabyte."""
SHORTEST_SECRET = 8
"""In characters. A shorter value occurs in a text by chance."""


def without_secrets(text: str, request: Any) -> str:
    """The text without the secrets that the request carried in headers or query, and without what looks like a key."""
    return masked(_replaced(text, _secrets_of(request)))


def hide_secrets_in_fields(fields: JsonObject) -> None:
    """Hide secrets in the texts and the body of an SDK's error, and in the address of its `request`, in place."""
    request = fields.get("request")
    if request is None:
        return
    secrets = _secrets_of(request)
    fields.update({name: _without(value, secrets) for name, value in fields.items()})
    if (response := fields.get("response")) is not None:
        fields["response"] = _safe_response(response, secrets)
    hidden = {name: HIDDEN for name in request.url.params if name not in HARMLESS_PARAMETERS}
    if hidden:
        request.url = request.url.copy_merge_params(hidden)


def _without(value: Any, secrets: Iterable[str]) -> Any:
    """A copy of a JSON value whose texts hold no secret."""
    if isinstance(value, str):
        return masked(_replaced(value[:LONGEST_TEXT], secrets))
    if isinstance(value, dict):
        return {key: _without(item, secrets) for key, item in value.items()}
    return [_without(item, secrets) for item in value] if isinstance(value, list) else value


def _safe_response(response: Any, secrets: Iterable[str]) -> Any:
    """The response, or a copy with a body that quotes no secret: LangChain core gives the body to tracers."""
    try:
        content = response.content
    except RuntimeError:  # a stream: its body is not read as a whole
        return response
    text = content[:LONGEST_TEXT].decode(response.encoding or "utf-8", errors="replace")
    safe = masked(_replaced(text, secrets))
    if safe == text and len(content) <= LONGEST_TEXT:
        return response
    headers = {name: value for name, value in response.headers.items() if name not in BODY_HEADERS}
    return type(response)(response.status_code, headers=headers, text=safe, request=response.request)


BODY_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding", "content-type"})
"""Headers that describe the bytes of the body as they were sent."""


def _secrets_of(request: Any) -> list[str]:
    if request is None:
        return []
    headers = [(name, value) for name, value in request.headers.items() if name not in HARMLESS]
    found = [part for name, value in headers if SECRET_HEADER.search(name) for part in _credentials(value)]
    found += [value for name, value in request.url.params.items() if name not in HARMLESS_PARAMETERS]
    found += [request.url.username or "", request.url.password or ""]
    return [secret for secret in found if len(secret) >= SHORTEST_SECRET and secret != HIDDEN]


def _credentials(value: str) -> list[str]:
    """The secrets in a header's value: of basic authentication also the password, which a server may quote alone."""
    scheme, _, text = value.rpartition(" ")
    if scheme.lower() != "basic":
        return [text]
    try:
        return [text, base64.b64decode(text).decode().partition(":")[2]]
    except ValueError:
        return [text]


def _replaced(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
