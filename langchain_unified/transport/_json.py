"""JSON by orjson, and by Python's own module for what orjson refuses.

Where memory runs out, orjson crashes the process. A process with a limit of its own (`ulimit -v`) reads larger JSON,
and writes all of it, with the module of Python, which raises `MemoryError`.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from typing import Any, cast

import orjson

from langchain_unified.errors import RequestError
from langchain_unified.messages.json_text import MAX_DEPTH

LARGE = 65_536
"""Bytes of JSON whose values may take more memory than a process with a limit has left."""


_resource: Any = importlib.import_module("resource") if importlib.util.find_spec("resource") else None
"""Limits of the process; `None` on Windows, which has none."""


def _has_memory_limit() -> bool:
    if _resource is None:
        return False
    unlimited = _resource.RLIM_INFINITY
    space, data = _resource.getrlimit(_resource.RLIMIT_AS)[0], _resource.getrlimit(_resource.RLIMIT_DATA)[0]
    return bool(space != unlimited or data != unlimited)


def loads(data: bytes) -> Any:
    """Parse any JSON value, also with `NaN`, `Infinity` and lone surrogates. Raises `ValueError` and `MemoryError`.

    Arguments of a call that are nested too deeply are their text; other JSON that is so deep is a `ValueError`.
    """
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _is_too_deep(data):
        data = _with_shallow_arguments(data)
        if _is_too_deep(data):
            raise ValueError("nested too deeply")
    if len(data) > LARGE and _has_memory_limit():
        return json.loads(data)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def _is_too_deep(data: bytes) -> bool:
    """Whether the JSON is nested more than `MAX_DEPTH` times."""
    depth = 0
    for token in _TOKENS.finditer(data):
        first = token[0][:1]
        if first in b"{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif first in b"]}":
            depth -= 1
    return False


_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:,]', re.DOTALL)
ARGUMENT_KEYS = frozenset({b'"input"', b'"arguments"'})
OUTER = 10
"""Depth of a reply down to which a key may be that of a call's arguments."""


def _with_shallow_arguments(data: bytes) -> bytes:
    """The JSON with arguments that are nested too deeply as texts: they become those of an invalid call."""
    pieces: list[bytes] = []
    opened: list[tuple[int, bytes | None]] = []
    heights: list[int] = []
    copied, string, key = 0, b"", None
    for token in _TOKENS.finditer(data):
        first = token[0][:1]
        if first == b'"':
            string = token[0]
        elif first in b":,":
            key = string if first == b":" else None
        elif first in b"{[":
            opened.append((token.start(), key))
            heights.append(1)
            key = None
        elif opened:
            (start, name), height = opened.pop(), heights.pop()
            if height > MAX_DEPTH // 2 and name in ARGUMENT_KEYS and len(opened) < OUTER:
                pieces += [data[copied:start], orjson.dumps(data[start : token.end()].decode(errors="replace"))]
                copied, height = token.end(), 0
            if heights:
                heights[-1] = max(heights[-1], height + 1)
    return b"".join([*pieces, data[copied:]])


def written(body: dict[str, Any]) -> bytes | None:
    """The body as JSON by orjson; `None` where that refuses it, and where the memory of the process has a limit."""
    try:
        return None if _has_memory_limit() else orjson.dumps(body)
    except TypeError:
        return None


def valid_text(body: dict[str, Any]) -> dict[str, Any]:
    """The body with U+FFFD for each half of a surrogate pair; the same object where there is none.

    Both providers answer 400 to a body with one: JSON text in UTF-8 cannot hold it (RFC 8259, section 8.2). Two halves
    in one string are the character that they make; halves in different strings are never joined.
    """
    return cast("dict[str, Any]", _with_valid_text(body))


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
    if (content := written(body)) is not None:
        return content
    try:
        return json.dumps(body, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    except MemoryError:
        raise RequestError("The process has not enough memory to write the body of this call.") from None
    except (TypeError, ValueError) as exc:
        raise RequestError(f"The body holds a value that JSON cannot carry: {exc}") from exc
