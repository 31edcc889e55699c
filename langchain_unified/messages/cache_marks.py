"""Prompt-cache marks as people write them: on a block, in its `extras`, inside it, in either provider's spelling.

Here they are taken off, whatever they look like; where they go is settled once, for the whole call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_unified.request import Block, JsonObject, Mark

MARK_KEYS = ("cache_control", "prompt_cache_breakpoint")


def mark_of(holder: Mapping[str, Any]) -> Mark | None:
    """The mark on a block or tool, or among a message's extra fields; `None` without one.

    Whatever is no object but means yes (`True`, `"ephemeral"`) is a mark without a lifetime. A lifetime that is no text
    is kept as one: which lifetimes there are, each API says.
    """
    for place in (holder, holder.get("extras")):
        given = next((place[key] for key in MARK_KEYS if place.get(key)), None) if isinstance(place, Mapping) else None
        if given is not None:
            ttl = given.get("ttl") if isinstance(given, Mapping) else None
            return Mark() if ttl in (None, "") else Mark(ttl=str(ttl))
    return None


def with_mark(block: Block, source: Mapping[str, Any]) -> Block:
    """The block with the mark that `source` carries, and with none in its `extras`, which some wires send."""
    mark = mark_of(source)
    bare = plain_extras(block)
    return bare if mark is None else {**bare, "mark": mark}


def marked_end(blocks: Sequence[Block], mark: Mark | None) -> list[Block]:
    """The blocks with a mark on the last; a lifetime that it has stays. Where there is none, an empty text holds it."""
    if mark is None:
        return [*blocks]
    *before, last = blocks or ({"type": "text", "text": ""},)
    return [*before, {**last, "mark": last.get("mark") or mark}]


def plain_extras(block: Block) -> Block:
    """The block without marks in its `extras`; the same object where there are none."""
    extras = block.get("extras")
    if not isinstance(extras, Mapping) or extras.keys().isdisjoint(MARK_KEYS):
        return block
    kept = _bare(extras)
    rest = {key: item for key, item in block.items() if key != "extras"}
    return {**rest, "extras": kept} if kept else rest


HOLDERS = frozenset({"tool_result", "search_result"})
"""Anthropic's blocks with blocks as their `content`."""


def unmarked(value: Mapping[str, Any]) -> tuple[JsonObject, Block]:
    """A provider's own block, given raw, without its marks; and `{"mark": …}` where it had one."""
    bare = plain_extras(_bare(value))
    content, mark = hoisted(bare.get("content")) if bare.get("type") in HOLDERS else (None, {})
    own = mark_of(value)
    return {**bare, **({"content": content} if mark else {})}, mark if own is None else {"mark": own}


def hoisted(inner: Any) -> tuple[Any, Block]:
    """The blocks inside a block without their marks, and the last of these for the block: no API takes them inside."""
    if not isinstance(inner, list):
        return inner, {}
    marks = [mark for item in inner if isinstance(item, Mapping) and (mark := mark_of(item)) is not None]
    bare = [_bare(item) if isinstance(item, Mapping) else item for item in inner]
    return bare, {"mark": marks[-1]} if marks else {}


def _bare(value: Mapping[str, Any]) -> JsonObject:
    return {key: item for key, item in value.items() if key not in MARK_KEYS}
