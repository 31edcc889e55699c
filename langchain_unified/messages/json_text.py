"""JSON text -> an object, as leniently as models write it; a value -> compact JSON text."""

from __future__ import annotations

import json
from typing import Any

from langchain_unified.request import JsonObject


def json_object(text: str) -> JsonObject | None:
    """The object that a JSON text holds; `None` where it is no JSON, no object, or nested too deeply to read.

    Models put raw line breaks and tabs into strings: they are read as the characters that they are.
    """
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def data_text(value: Any) -> str:
    """Any value as text: a `str` as it is, else as compact JSON; what JSON does not have as its `str`."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def compact_json(value: Any, *, sort_keys: bool = False) -> str:
    """A value as JSON without spaces, keys in their order: the same value gives the same text in any process."""
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"))
