"""JSON by orjson, and by Python's own module for what orjson refuses."""

from __future__ import annotations

import json
from typing import Any, cast

import orjson

from langchain_unified.errors import RequestError


def loads(data: bytes) -> Any:
    """Parse any JSON value, also with `NaN`, `Infinity` and lone surrogates. Raises `ValueError`."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def with_valid_text(body: dict[str, Any]) -> dict[str, Any]:
    """The body with U+FFFD for each half of a surrogate pair; the same object where there is none.

    Both providers answer 400 to a body with one: JSON text in UTF-8 cannot hold it (RFC 8259, section 8.2). Two halves
    in one string are the character that they make; halves in different strings are never joined.
    """
    try:
        orjson.dumps(body)
    except TypeError:
        return cast("dict[str, Any]", _with_valid_text(body))
    return body


def _with_valid_text(value: Any) -> Any:
    """The value with valid text; the same object where nothing changes."""
    if isinstance(value, str):
        return value if _is_valid(value) else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        fixed = {_with_valid_text(key): _with_valid_text(item) for key, item in value.items()}
        same = all(one is other for one, other in zip(fixed.values(), value.values(), strict=False))
        return value if same and fixed.keys() == value.keys() else fixed
    if isinstance(value, list | tuple):
        items = [_with_valid_text(item) for item in value]
        return value if all(one is other for one, other in zip(items, value, strict=True)) else items
    return value


def _is_valid(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def dumps(body: Any) -> bytes:
    """The body as JSON, with integers of any size. Raises `RequestError` for what JSON cannot hold."""
    try:
        return orjson.dumps(body)
    except TypeError:
        pass
    try:
        return json.dumps(body, ensure_ascii=True, allow_nan=False).encode()
    except (TypeError, ValueError) as exc:
        raise RequestError(f"The body holds a value that JSON cannot carry: {exc}") from exc
