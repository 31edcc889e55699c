"""Prompt-cache marks in any spelling: on a block, in its `extras`, inside it, in either provider's form.

Here they are only read and removed. `caching.placement` decides, once for the whole call, where marks go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from langchain_unified.request.blocks import Block, JsonObject, Mark, TextBlock, changed

_Holder = TypeVar("_Holder", bound=Mapping[str, Any])

MARK_KEYS = ("cache_control", "prompt_cache_breakpoint")


def mark_of(holder: Mapping[str, Any]) -> Mark | None:
    """The mark on a block or a tool, or among a message's extra fields; `None` without one.

    Any other true value (`True`, `"ephemeral"`) is a mark without a TTL. A TTL that is no string is turned into one:
    each API checks its own.
    """
    for place in (holder, holder.get("extras")):
        given = next((place[key] for key in MARK_KEYS if place.get(key)), None) if isinstance(place, Mapping) else None
        if given is not None:
            ttl = given.get("ttl") if isinstance(given, Mapping) else None
            return Mark() if ttl in (None, "") else Mark(ttl=str(ttl))
    return None


def marked(block: _Holder, mark: Mark | None) -> _Holder:
    """The block with a mark; the same object where there is none."""
    return block if mark is None else cast(_Holder, {**block, "mark": mark})


def with_mark(block: _Holder, source: Mapping[str, Any]) -> _Holder:
    """The block with the mark of `source`, and with no mark in its `extras`, which some wires send."""
    return marked(without_mark_in_extras(block), mark_of(source))


def mark_last(blocks: Sequence[Block], mark: Mark | None) -> list[Block]:
    """The blocks with a mark on the last, unless it has one. Without blocks an empty text carries the mark."""
    if mark is None:
        return [*blocks]
    *before, last = blocks or (TextBlock(type="text", text=""),)
    return [*before, changed(last, mark=last.get("mark") or mark)]


def split_mark(value: Mapping[str, Any]) -> tuple[JsonObject, Mark | None]:
    """A provider's block without its marks, those inside it too; and the mark that counts for it."""
    unmarked = without_mark_in_extras(_without_marks(value))
    content, inner = hoist_mark(unmarked.get("content")) if unmarked.get("type") in CONTAINERS else (None, None)
    outer = mark_of(value)
    return unmarked if inner is None else {**unmarked, "content": content}, inner if outer is None else outer


CONTAINERS = frozenset({"tool_result", "search_result"})
"""Anthropic's blocks with blocks as their `content`."""


def hoist_mark(inner: Any) -> tuple[Any, Mark | None]:
    """The content of a block without marks, and the last of them for the block itself.

    No API takes a mark inside a block.
    """
    if not isinstance(inner, list):
        return inner, None
    marks = [mark for item in inner if isinstance(item, Mapping) and (mark := mark_of(item)) is not None]
    unmarked = [_without_marks(item) if isinstance(item, Mapping) else item for item in inner]
    return unmarked, marks[-1] if marks else None


def without_mark_in_extras(block: _Holder) -> _Holder:
    """The block without marks in its `extras`; the same object where there are none."""
    extras = block.get("extras")
    if not isinstance(extras, Mapping) or extras.keys().isdisjoint(MARK_KEYS):
        return block
    kept = _without_marks(extras)
    rest = {key: item for key, item in block.items() if key != "extras"}
    return cast(_Holder, {**rest, "extras": kept} if kept else rest)


def _without_marks(value: Mapping[str, Any]) -> JsonObject:
    return {key: item for key, item in value.items() if key not in MARK_KEYS}
