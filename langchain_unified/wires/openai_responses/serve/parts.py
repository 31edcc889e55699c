"""Parts of messages and of tool results -> blocks, as a server reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.errors import RequestError, UnsupportedContentError
from langchain_unified.messages.blocks import normalise
from langchain_unified.messages.cache_marks import marked
from langchain_unified.request import JsonObject, Mark, Turn
from langchain_unified.request.blocks import Block, without
from langchain_unified.wires._body import abbreviated, each_object, expect, non_null
from langchain_unified.wires._openai.caching import BREAKPOINT_TTLS
from langchain_unified.wires.openai_responses.blocks import PART_TYPES, WIRE, encode_parts

# The strings that a part may hold beside its type.
PARTS: Mapping[str, frozenset[str]] = {
    "input_text": frozenset({"text"}),
    "input_image": frozenset({"image_url", "file_id", "detail"}),
    "input_file": frozenset({"file_id", "file_url", "file_data", "filename", "detail"}),
}
NO_PLACE = Turn("user")


def read_content(content: Any, path: str) -> list[Block]:
    """Content, a string or a list of parts, as blocks; an empty string has none."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise RequestError(f"{path} must be a string or a list of parts, not {abbreviated(content)}.")
    return [_part(part, place) for part, place in each_object(content, path)]


def _part(part: JsonObject, path: str) -> Block:
    kind = expect("a string", part.get("type"), f"{path}.type")
    if kind not in PART_TYPES:
        raise RequestError(f"{path}.type must be one of {', '.join(PARTS)}, not {kind!r}.")
    given = non_null(part)
    for key in PARTS.get(kind, frozenset()) & given.keys():
        expect("a string", given[key], f"{path}.{key}")
    if kind == "input_text":
        expect("a string", given.get("text"), f"{path}.text")
    mark = _mark(given.pop("prompt_cache_breakpoint", None), f"{path}.prompt_cache_breakpoint")
    return marked(_block(given, path), mark)


def _block(part: JsonObject, path: str) -> Block:
    block: Block = normalise(part, WIRE) if part["type"] in PARTS else {"type": "native", "value": part}
    try:
        encoded = encode_parts(block, NO_PLACE)
    except UnsupportedContentError as exc:
        raise RequestError(f"{path} has no data: give it one of {', '.join(sorted(PARTS[part['type']]))}.") from exc
    default = {"detail": "auto"} if part["type"] == "input_image" else {}
    if encoded != [{**default, **part}]:
        return {"type": "native", "value": part}
    return without(block, "detail") if default and block.get("detail") == "auto" else block


def _mark(value: Any, path: str) -> Mark | None:
    if value is None:
        return None
    given = non_null(expect("an object", value, path))
    if given.pop("mode", None) != "explicit":
        raise RequestError(f"{path}.mode must be 'explicit'.")
    ttl = expect("a string", given.get("ttl", "30m"), f"{path}.ttl")
    if ttl not in BREAKPOINT_TTLS:
        raise RequestError(f"{path}.ttl must be one of {', '.join(sorted(BREAKPOINT_TTLS))}, not {ttl!r}.")
    return Mark(ttl=ttl) if "ttl" in given else Mark()
