"""Secrets of a request that a server repeats in its answer: errors show none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

HIDDEN = "***"
MIN_SECRET = 8
"""Shorter values are no secrets: replacing them would destroy the text."""

_SECRET_NAME = re.compile(r"auth|key|token|secret|password|credential|cookie", re.IGNORECASE)
_HARMLESS = frozenset({"x-stainless-retry-count", "idempotency-key"})


def without_secrets(text: str, request: Any) -> str:
    """The text with `***` for each secret of the request's headers and URL."""
    for secret in _secrets(request):
        text = text.replace(secret, HIDDEN)
    return text


def clean_response(response: Any, body: Any) -> dict[str, Any]:
    """`response` and `body` for an error, where the answer repeats a secret of its request: LangChain traces both."""
    secrets = list(_secrets(response.request))
    clean: dict[str, Any] = {}
    if body is not None and any(secret in str(body) for secret in secrets):
        clean["body"] = _cleaned(body, secrets)
    content = _content(response)
    if any(secret.encode() in content for secret in secrets):
        for secret in secrets:
            content = content.replace(secret.encode(), HIDDEN.encode())
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in _LENGTHS]
        kind = type(response)
        clean["response"] = kind(response.status_code, headers=headers, content=content, request=response.request)
    return clean


def _content(response: Any) -> bytes:
    try:
        content: bytes = response.content
    except RuntimeError:  # it was not read: a stream
        return b""
    return content


_LENGTHS = frozenset({"content-length", "content-encoding", "transfer-encoding"})


def _cleaned(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {key: _cleaned(item, secrets) for key, item in value.items()}
    return [_cleaned(item, secrets) for item in value] if isinstance(value, list) else value


def _secrets(request: Any) -> Iterator[str]:
    if request is None:
        return
    pairs = [*request.headers.items(), *request.url.params.items()]
    found = [value.rpartition(" ")[2] for name, value in pairs if _SECRET_NAME.search(name) and name not in _HARMLESS]
    found += [request.url.password or "", request.url.username or ""]
    yield from (secret for secret in found if len(secret) >= MIN_SECRET)
