"""JSON by orjson, and by Python's own module for what orjson refuses."""

from __future__ import annotations

import json
from typing import Any

import orjson

from langchain_unified.errors import RequestError


def loads(data: bytes) -> Any:
    """Parse any JSON value, also with `NaN`, `Infinity` and lone surrogates. Raises `ValueError`."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


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
