"""Where two prompts first differ, and what that does to the cache."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal, TypeAlias

from langchain_unified.caching.segments import FORMAT, SECTIONS, Section, Segment, printed, unmarked
from langchain_unified.caching.tokens import CHARACTERS
from langchain_unified.explain.prompt import Prompt, PromptPlace, is_tool, tool_fields, tool_name

Cause: TypeAlias = Literal[
    "model", "tools", "system", "message", "parameters", "key", "ttl", "look_back", "no_matching_breakpoint",
    "below_minimum", "no_marks", "none",
]  # fmt: skip
"""Why a prefix is not read; `none` where it is."""

Change: TypeAlias = str
"""What happened to a segment: `added`, `removed`, `moved`, `edited` or `changed`. Of a tool, the part that changed:
`description`, `schema`, `name`, or a key of its definition."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference of two prompts.

    `index`: the number of segments that they share. `tokens_within`: the tokens that they share of the next one.
    `lost`: the parts of the prompt that cannot be read from the cache any more.
    """

    index: int
    cause: Cause
    place: PromptPlace
    change: Change
    lost: tuple[Section, ...]
    tokens_within: int = 0


def first_difference(previous: Prompt, following: Prompt) -> Difference | None:
    """The first difference of the later prompt; `None` where it only adds to the end of the earlier one."""
    found = [*_model(previous, following)]
    if not found:
        found = [*_settings(previous, following), *_tools(previous, following), *_segments(previous, following)]
    return _behind_derived_key(min(found, key=_index, default=None), found, following)


def _index(difference: Difference) -> tuple[int, int]:
    """Where a difference is. Of several at one place a key comes first, then the tools, which stand before the rest."""
    return difference.index, {"key": 0, "tools": 1}.get(difference.cause, 2)


DERIVED_KEY = re.compile(r"prefix-[0-9a-f]{32}(-\d+)?")
"""A key that was derived from the tools and the system prompt."""


def _behind_derived_key(first: Difference | None, found: Sequence[Difference], prompt: Prompt) -> Difference | None:
    """For a derived key that differs, the change that caused it. With another key, nothing of the cache is read."""
    if first is None or first.cause != "key" or not DERIVED_KEY.fullmatch(str(prompt.body.get("prompt_cache_key"))):
        return first
    source = min((each for each in found if each.cause in ("tools", "system", "message")), key=_index, default=None)
    return first if source is None else replace(source, index=0, tokens_within=0, lost=SECTIONS)


def _model(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    one, other = previous.request.model, following.request.model
    if one != other:
        yield Difference(0, "model", PromptPlace(f"the model ({one}, then {other})"), "changed", SECTIONS)
    elif previous.wire != following.wire:
        label = f"the API ({previous.wire}, then {following.wire})"
        yield Difference(0, "model", PromptPlace(label), "changed", SECTIONS)


# --- settings ---------------------------------------------------------------------------------------------------------

CAUSE_BY_SETTING: Mapping[str, Cause] = {"prompt_cache_key": "key"}
"""Settings with a cause of their own. All others are `parameters`."""


def _settings(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    for (setting, one), (_, other) in zip(previous.settings(), following.settings(), strict=True):
        if printed(one) == printed(other):
            continue
        lost = SECTIONS[SECTIONS.index(setting.section) :]
        index = min(_count_before(prompt.segments, lost) for prompt in (previous, following))
        place, change = PromptPlace(f"`{setting.name}`"), "changed"
        if setting.name == "images":
            place, change = (_image(following), "added") if other else (_image(previous), "removed")
        yield Difference(index, CAUSE_BY_SETTING.get(setting.name, "parameters"), place, change, lost)


def _count_before(segments: Sequence[Segment], lost: Sequence[Section]) -> int:
    """The number of segments before the first one of these sections."""
    return len(list(takewhile(lambda segment: segment.section not in lost, segments)))


def _image(prompt: Prompt) -> PromptPlace:
    found = (
        PromptPlace(f"the image in {place.label}", place.message, place.block)
        for segment, place in zip(prompt.segments, prompt.places, strict=True)
        if '"type":"image"' in segment.head
    )
    return next(found, PromptPlace("the images"))


# --- tools ------------------------------------------------------------------------------------------------------------


def _tools(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    """The first tool that differs. On Anthropic nothing of the prompt is then read from the cache."""
    one, other = (_definitions(prompt, "tools") for prompt in (previous, following))
    index = _shared_count(one, other)
    if index < max(len(one), len(other)):
        place, change = _tool_change(one, other, index)
        start = 0 if previous.wire == "anthropic_messages" else index
        yield Difference(start, "tools", place, change, SECTIONS)


def _definitions(prompt: Prompt, section: Section) -> list[Segment]:
    return [segment for segment in prompt.segments if segment.section == section and is_tool(segment)]


def _tool_change(one: Sequence[Segment], other: Sequence[Segment], index: int) -> tuple[PromptPlace, Change]:
    names, others = ([tool_name(segment.block) for segment in side] for side in (one, other))
    was, now = (side[index] if index < len(side) else None for side in (names, others))
    if now is not None and now == was:
        return _tool(now), _edited_part(one[index], other[index])
    if now is not None and now not in names:
        return _tool(now), "added"
    if was is not None and was not in others:
        return _tool(was), "removed"
    return _tool(str(now or was)), "moved" if now and was else "added" if now else "removed"


def _tool(name: str) -> PromptPlace:
    return PromptPlace(f"the tool {name!r}", tool=name)


TOOL_SCHEMA_KEYS: Mapping[str, Change] = {"input_schema": "schema", "parameters": "schema"}


def _edited_part(one: Segment, other: Segment) -> Change:
    """The part of a tool that differs. Of several, the description comes first, then the schema."""
    was, now = (tool_fields(unmarked(segment.block)) for segment in (one, other))
    changed = [key for key in {**was, **now} if printed({key: was.get(key)}) != printed({key: now.get(key)})]
    changed = [key for key in changed if key not in ("function", "custom")]
    first = min(changed, key=lambda key: (key != "description", key not in TOOL_SCHEMA_KEYS, key), default="definition")
    return TOOL_SCHEMA_KEYS.get(first, first)


# --- segments ---------------------------------------------------------------------------------------------------------


def _segments(previous: Prompt, following: Prompt) -> Iterator[Difference]:
    """The first block of the system prompt or the messages that differs, or that the later call no longer has."""
    one, other = previous.segments, following.segments
    index = _shared_count(one, other)
    here = [side[index] for side in (one, other) if index < len(side)]
    if index == len(one) or any(segment.section == "tools" for segment in here):
        return
    section = min((segment.section for segment in here), key=SECTIONS.index)
    lost = _lost(one[:index], section)
    if any(segment.role == FORMAT for segment in here):
        yield Difference(index, "parameters", PromptPlace("`response_format`"), "changed", lost)
        return
    change = _segment_change(one, other, index)
    prompt = previous if change in ("removed", "moved") else following
    cause: Cause = "tools" if any(map(is_tool, here)) else "system" if section == "system" else "message"
    yield Difference(index, cause, prompt.places[index], change, lost, _tokens_within(one, other, index))


def _shared_count(one: Sequence[Segment], other: Sequence[Segment]) -> int:
    """The number of segments that two prompts share from their start."""
    pairs = zip(map(_key, one), map(_key, other), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _key(segment: Segment) -> tuple[str, str]:
    return segment.head, segment.text


def _lost(shared: Sequence[Segment], section: Section) -> tuple[Section, ...]:
    """The parts of the prompt that a change in a section affects; after a first message, only the messages."""
    late = any(segment.section == "messages" for segment in shared)
    return SECTIONS[2:] if late else SECTIONS[SECTIONS.index(section) :]


def _segment_change(one: Sequence[Segment], other: Sequence[Segment], index: int) -> Change:
    """What happened at a place, by whether each side's segment occurs in the rest of the other side."""
    if index >= len(other):
        return "removed"
    was, now = _key(one[index]), _key(other[index])
    return CHANGE_BY_PRESENCE[was in map(_key, other[index:]), now in map(_key, one[index:])]


CHANGE_BY_PRESENCE: Mapping[tuple[bool, bool], Change] = {
    (True, False): "added",
    (False, True): "removed",
    (True, True): "moved",
    (False, False): "edited",
}
"""By whether the old segment still occurs in the later prompt, and whether the new one occurred in the earlier."""


def _tokens_within(one: Sequence[Segment], other: Sequence[Segment], index: int) -> int:
    """The tokens that two differing texts share from their start."""
    if index >= min(len(one), len(other)) or one[index].head != other[index].head:
        return 0
    pairs = zip(one[index].text, other[index].text, strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs))) // CHARACTERS
