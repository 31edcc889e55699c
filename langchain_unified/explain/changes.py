"""Where two prompts first differ, and what that does to the cache."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal, TypeAlias

from langchain_unified.caching.segments import FORMAT, SECTIONS, Section, Segment, printed, unmarked
from langchain_unified.caching.tokens import CHARACTERS
from langchain_unified.explain.prompt import Prompt, Where, is_tool, tool_fields, tool_name

Cause: TypeAlias = Literal[
    "model", "tools", "system", "message", "parameters", "key", "ttl", "look_back", "no_matching_breakpoint",
    "below_minimum", "no_marks", "none",
]  # fmt: skip
"""Why a prefix is not read; `none` where it is."""

Change: TypeAlias = str
"""What happened to a segment: `added`, `removed`, `moved`, `edited`, `changed`; or the part of a tool that changed:
`description`, `schema`, `name`, or a key of its definition."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference. `index` is how many segments are shared, `inside` how many tokens of the next one.

    `lost` are the parts of the prompt whose cache is of no use any more.
    """

    index: int
    cause: Cause
    where: Where
    change: Change
    lost: tuple[Section, ...]
    inside: int = 0


def first_difference(previous: Prompt, following: Prompt) -> Difference | None:
    """The first place where the later prompt is not what the earlier one was; `None` where it only goes on."""
    found = [*_model(previous, following)]
    if not found:
        found = [*_settings(previous, following), *_tools(previous, following), *_segments(previous, following)]
    return _behind(min(found, key=_index, default=None), found, following)


def _index(difference: Difference) -> int:
    return difference.index


DERIVED = re.compile(r"prefix-[0-9a-f]{32}")
"""A key that was made of the tools and the system prompt."""


def _behind(first: Difference | None, found: Sequence[Difference], prompt: Prompt) -> Difference | None:
    """What stands behind a derived key that differs: the change that it comes from, which then empties the cache."""
    if first is None or first.cause != "key" or not DERIVED.fullmatch(str(prompt.body.get("prompt_cache_key"))):
        return first
    source = min((each for each in found if each.cause in ("tools", "system", "message")), key=_index, default=None)
    return first if source is None else replace(source, index=0, inside=0, lost=SECTIONS)


def _model(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    one, other = previous.request.model, following.request.model
    if one != other:
        yield Difference(0, "model", Where(f"the model ({one}, then {other})"), "changed", SECTIONS)
    elif previous.wire != following.wire:
        words = f"the API ({previous.wire}, then {following.wire})"
        yield Difference(0, "model", Where(words), "changed", SECTIONS)


# --- settings ---------------------------------------------------------------------------------------------------------

CAUSES: Mapping[str, Cause] = {"prompt_cache_key": "key"}
"""Settings that are a cause of their own; all others are parameters."""

OF_IMAGES = ("added", "removed")


def _settings(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    for (setting, one), (_, other) in zip(previous.settings(), following.settings(), strict=True):
        if printed(one) == printed(other):
            continue
        lost = SECTIONS[SECTIONS.index(setting.section) :]
        index = min(_leading(prompt.segments, lost) for prompt in (previous, following))
        where, change = Where(f"`{setting.name}`"), "changed"
        if setting.name == "images":
            where, change = _image(following if other else previous), OF_IMAGES[not other]
        yield Difference(index, CAUSES.get(setting.name, "parameters"), where, change, lost)


def _leading(segments: Sequence[Segment], lost: Sequence[Section]) -> int:
    """How many segments stand before the first one of these sections."""
    return len(list(takewhile(lambda segment: segment.section not in lost, segments)))


def _image(prompt: Prompt) -> Where:
    found = (
        Where(f"the image in {where.words}", where.message, where.block)
        for segment, where in zip(prompt.segments, prompt.places, strict=True)
        if '"type":"image"' in segment.head
    )
    return next(found, Where("the images"))


# --- tools ------------------------------------------------------------------------------------------------------------


def _tools(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    """The first tool that is another. On Anthropic it empties the cache from its start on."""
    one, other = (_definitions(prompt, "tools") for prompt in (previous, following))
    index = _common(one, other)
    if index < max(len(one), len(other)):
        where, change = _tool_change(one, other, index)
        start = 0 if previous.wire == "anthropic_messages" else index
        yield Difference(start, "tools", where, change, SECTIONS)


def _definitions(prompt: Prompt, section: Section) -> list[Segment]:
    return [segment for segment in prompt.segments if segment.section == section and is_tool(segment)]


def _tool_change(one: Sequence[Segment], other: Sequence[Segment], index: int) -> tuple[Where, Change]:
    names, others = ([tool_name(segment.block) for segment in side] for side in (one, other))
    was, now = (side[index] if index < len(side) else None for side in (names, others))
    if now is not None and now == was:
        return _tool(now), _edited_part(one[index], other[index])
    if now is not None and now not in names:
        return _tool(now), "added"
    if was is not None and was not in others:
        return _tool(was), "removed"
    return _tool(str(now or was)), "moved" if now and was else "added" if now else "removed"


def _tool(name: str) -> Where:
    return Where(f"the tool {name!r}", tool=name)


PARTS: Mapping[str, Change] = {"input_schema": "schema", "parameters": "schema"}


def _edited_part(one: Segment, other: Segment) -> Change:
    """Which part of a tool is another: the description before the schema before all else."""
    was, now = (tool_fields(unmarked(segment.block)) for segment in (one, other))
    changed = [key for key in {**was, **now} if printed({key: was.get(key)}) != printed({key: now.get(key)})]
    changed = [key for key in changed if key not in ("function", "custom")]
    first = min(changed, key=lambda key: (key != "description", key not in PARTS, key), default="definition")
    return PARTS.get(first, first)


# --- segments ---------------------------------------------------------------------------------------------------------


def _segments(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    """The first block of system or messages that is another; one that the later call no longer has, too."""
    one, other = previous.segments, following.segments
    index = _common(one, other)
    here = [side[index] for side in (one, other) if index < len(side)]
    if index == len(one) or any(segment.section == "tools" for segment in here):
        return
    section = min((segment.section for segment in here), key=SECTIONS.index)
    lost = _lost(one[:index], section)
    if any(segment.role == FORMAT for segment in here):
        yield Difference(index, "parameters", Where("`response_format`"), "changed", lost)
        return
    change = _segment_change(one, other, index)
    prompt = previous if change in ("removed", "moved") else following
    cause: Cause = "tools" if any(map(is_tool, here)) else "system" if section == "system" else "message"
    yield Difference(index, cause, prompt.places[index], change, lost, _inside(one, other, index))


def _common(one: Sequence[Segment], other: Sequence[Segment]) -> int:
    """How many segments two prompts share from their start."""
    pairs = zip(map(_key, one), map(_key, other), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _key(segment: Segment) -> tuple[str, str]:
    return segment.head, segment.text


def _lost(shared: Sequence[Segment], section: Section) -> tuple[Section, ...]:
    """What a change in a section takes along; only messages where it comes between them."""
    late = any(segment.section == "messages" for segment in shared)
    return SECTIONS[2:] if late else SECTIONS[SECTIONS.index(section) :]


def _segment_change(one: Sequence[Segment], other: Sequence[Segment], index: int) -> Change:
    """What happened at a place: the rest of each side tells whether its segment went, came or moved."""
    if index >= len(other):
        return "removed"
    was, now = _key(one[index]), _key(other[index])
    return CHANGES[was in map(_key, other[index:]), now in map(_key, one[index:])]


CHANGES: Mapping[tuple[bool, bool], Change] = {
    (True, False): "added",
    (False, True): "removed",
    (True, True): "moved",
    (False, False): "edited",
}
"""By whether what stood here still follows in the later prompt, and whether what stands here stood there before."""


def _inside(one: Sequence[Segment], other: Sequence[Segment], index: int) -> int:
    """The tokens that two differing texts share from their start."""
    if index >= min(len(one), len(other)) or one[index].head != other[index].head:
        return 0
    pairs = zip(one[index].text, other[index].text, strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs))) // CHARACTERS
