"""JSON as fast as it goes, and as Python's own module does it where the fast one refuses."""

from __future__ import annotations

import json
from typing import Any

import orjson

from langchain_unified.errors import RequestError


def loads(data: bytes) -> Any:
    """Any JSON value. `NaN`, `Infinity` and lone surrogates are read too: some servers send them. Raises ValueError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def dumps(body: Any) -> bytes:
    """The body in bytes; integers of any size."""
    try:
        return orjson.dumps(body)
    except TypeError:
        pass
    try:
        return json.dumps(body, ensure_ascii=True, allow_nan=False).encode()
    except (TypeError, ValueError) as exc:
        raise RequestError(f"The body holds a value that JSON cannot carry: {exc}") from exc
