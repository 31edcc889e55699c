"""JSON text -> an object, as leniently as models write it; any value -> JSON text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from langchain_unified.request import JsonObject

MAX_DEPTH = 200
"""Objects and lists inside each other, at most. Deeper JSON breaks who reads it: core, traces, Python's own parser."""


def is_too_deep(text: str) -> bool:
    """Whether a JSON text, complete or not, is nested more than `MAX_DEPTH` times. Looping models write such."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        first = token[0][0]
        if first in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif first in "]}":
            depth -= 1
    return False


_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def json_object(text: str) -> JsonObject | None:
    """The object that a JSON text holds; `None` where it is no JSON, no object, or nested too deeply to read.

    Models put raw line breaks and tabs into strings: they are read as the characters that they are.
    """
    value = json_value(text)
    return value if isinstance(value, dict) else None


def json_value(text: str) -> Any:
    """The value that a JSON text holds, read as `json_object` does; `None` where it is no JSON."""
    if not isinstance(text, str):
        return text  # a server wrote the value itself
    if is_too_deep(text):
        return None
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def arguments_object(text: str) -> JsonObject | None:
    """The arguments of a call; `None` when the text is not one JSON object.

    `{}` for an empty text and for `null` (Groq, of a tool without parameters). Arguments encoded twice are read.
    """
    stripped = text.strip()
    if not stripped or stripped == "null":
        return {}
    value = json_value(text)
    if isinstance(value, str):
        value = json_value(value) if value.strip() else {}
    return value if isinstance(value, dict) else None


def object_error(text: str) -> str:
    """Why `json_object` finds no object in a text: the JSON parser's message, or what is there instead."""
    if is_too_deep(text):
        return "nested too deeply"
    try:
        value = json.loads(text, strict=False)
    except ValueError as exc:
        return str(exc)
    return f"a JSON {JSON_NAMES[type(value)]}, not an object"


JSON_NAMES: Mapping[type, str] = {list: "array", str: "string", int: "number", float: "number", bool: "boolean",
                                  type(None): "null", dict: "object"}  # fmt: skip


def compact_json(value: Any, *, sort_keys: bool = False) -> str:
    """A value as JSON without spaces, keys in their order: the same value gives the same text in any process.

    A value that JSON does not have (a date, a set) is sent as `plain_value` gives it.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"), default=plain_value)


def json_values(value: JsonObject) -> JsonObject:
    """An object with only what JSON has: the same object where it has nothing else.

    Callers put dates and sets into the arguments of calls: they become what `compact_json` makes of them.
    """
    return value if _is_json(value) else _as_json(value)


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | bool | int | float)


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return value if isinstance(value, str) else plain_value(value)


def data_text(value: Any) -> str:
    """Any Python value as text that a model reads: a `str` as it is, anything else as JSON. It never raises.

    Values that JSON does not have become text. Long base64 is replaced by its length.
    """
    if isinstance(value, str):
        return value
    try:
        return json.dumps(plain_value(value), ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return f"[{type(value).__name__}]"


def plain_value(value: Any) -> Any:
    """A value as JSON has it, the same in any process."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return f"[{len(value)} characters of base64]" if BASE64.fullmatch(value) else value
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain_value(item) for item in value), key=str)
    return _scalar(value)


BASE64 = re.compile(r"[A-Za-z0-9+/_-]{1000,}={0,2}")


def _scalar(value: Any) -> Any:
    """A value of a type that JSON does not have: bytes, a date, a model, or any other object by its name."""
    if isinstance(value, bytes | bytearray):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"[{len(value)} bytes]"
    if isinstance(value, date | time):
        return value.isoformat()
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return plain_value(dump(mode="json"))
    text = str(value)
    return f"[{type(value).__name__}]" if " object at 0x" in text else text
