"""A call as a prompt cache sees it: its body in segments, each with its place in the caller's messages.

Segments are compared as they stand in the body, as the provider does. The request tells where each one came from.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_unified.caching.marked import describe
from langchain_unified.caching.segments import FORMAT, Segment
from langchain_unified.caching.settings import Setting
from langchain_unified.request import JsonObject, Profile, Request, Turn, WireName
from langchain_unified.request.blocks import Mark, changed
from langchain_unified.wires import WIRES


@dataclass(frozen=True, slots=True)
class PromptPlace:
    """A place in a call. `label` describes it; `message` is the index in the caller's list of messages."""

    label: str
    message: int | None = None
    block: int | None = None
    tool: str | None = None


@dataclass(frozen=True)
class Prompt:
    """One call. Estimated tokens are multiplied by `scale`, which is 1 unless the provider's count is known."""

    request: Request
    wire: WireName
    body: JsonObject
    segments: tuple[Segment, ...]
    places: tuple[PromptPlace, ...]
    scale: float = 1.0

    @property
    def profile(self) -> Profile:
        """The profile of the model."""
        return self.request.profile

    @functools.cached_property
    def ends(self) -> tuple[int, ...]:
        """The tokens up to the end of each segment, by estimate."""
        total, ends = 0, []
        for segment in self.segments:
            total += segment.tokens
            ends.append(round(total * self.scale))
        return tuple(ends)

    @property
    def tokens(self) -> int:
        """The tokens of the whole prompt, by estimate."""
        return self.ends[-1] if self.ends else 0

    def tokens_before(self, index: int) -> int:
        """The tokens before a segment."""
        return self.ends[index - 1] if index else 0

    def settings(self) -> Iterator[tuple[Setting, Any]]:
        """The settings that the cache depends on beside the text, each with its value."""
        for setting in WIRES[self.wire].settings:
            yield setting, setting.read(self.body, self.profile)


def prompt_of(request: Request, wire: WireName) -> Prompt:
    """The prompt of a request on a wire. Raises a `RequestError` where the wire refuses the request."""
    body = WIRES[wire].encode(request).body
    segments = WIRES[wire].segments(body, request.profile)
    tags = _tags(request, wire, len(segments))
    return Prompt(request, wire, body, tuple(segments), tuple(_places(request, segments, tags)))


def is_tool(segment: Segment) -> bool:
    """Whether a segment is the definition of a tool."""
    return not segment.role


def tool_fields(tool: JsonObject) -> JsonObject:
    """A tool's definition, with the fields of its nested function lifted to the top."""
    inner = tool.get("function") or tool.get("custom")
    return {**tool, **inner} if isinstance(inner, dict) else tool


def tool_name(tool: JsonObject) -> str:
    """A tool's name in a body, else the name of its server, else its type."""
    flat = tool_fields(tool)
    return str(flat.get("name") or flat.get("server_label") or flat.get("mcp_server_name") or flat.get("type"))


# --- where a segment came from ----------------------------------------------------------------------------------------

TAG = re.compile(r"(\d+)/(\d+)")
"""`turn/block`, written as the ttl of a mark to find a block again in the body."""

Tag = tuple[int, int]


def _tags(request: Request, wire: WireName, wanted: int) -> list[Tag | None]:
    """For each segment, the turn and the block that it comes from; `None` where the API takes no mark.

    A copy of the request is encoded in which every block has a mark with its own place. That copy is never sent.
    """
    turns = tuple(_tagged(at, turn) for at, turn in enumerate(request.turns))
    segments = WIRES[wire].segments(WIRES[wire].encode(replace(request, turns=turns)).body, request.profile)
    found = [_tag(segment) for segment in segments]
    return found if len(found) == wanted else [None] * wanted


def _tagged(at: int, turn: Turn) -> Turn:
    blocks = (changed(block, mark=Mark(ttl=f"{at}/{index}")) for index, block in enumerate(turn.blocks))
    return replace(turn, blocks=tuple(blocks))


def _tag(segment: Segment) -> Tag | None:
    match = TAG.fullmatch(str((segment.mark or {}).get("ttl")))
    return (int(match[1]), int(match[2])) if match else None


def _places(request: Request, segments: Sequence[Segment], tags: Sequence[Tag | None]) -> Iterator[PromptPlace]:
    turn, block = -1, 0
    for segment, tag in zip(segments, tags, strict=True):
        if tag is not None:
            turn, block = tag
        elif segment.section == "messages":
            turn, block = _after(request.turns, turn, block, assistant=_is_assistant(segment))
        yield _prompt_place(request, segment, (turn, block) if tag or segment.section == "messages" else None)


def _is_assistant(segment: Segment) -> bool:
    return segment.role.startswith(("assistant", '["assistant"'))


def _after(turns: Sequence[Turn], turn: int, block: int, *, assistant: bool) -> Tag:
    """The place of an unmarked segment that follows another place: the next block of the turn, or the next turn."""
    if 0 <= turn < len(turns) and (turns[turn].role == "assistant") is assistant:
        return turn, min(block + 1, max(0, len(turns[turn].blocks) - 1))
    following = (at for at in range(turn + 1, len(turns)) if (turns[at].role == "assistant") is assistant)
    return next(following, max(turn, 0)), 0


def _prompt_place(request: Request, segment: Segment, place: Tag | None) -> PromptPlace:
    if is_tool(segment):
        return PromptPlace(f"the tool {tool_name(segment.block)!r}", tool=tool_name(segment.block))
    if place is None or place[0] >= len(request.turns):
        return PromptPlace(LABEL_BY_ROLE.get(segment.role, "the system prompt"))
    position = request.turns[place[0]].position
    return PromptPlace(describe(request, place), position if position >= 0 else None, place[1])


LABEL_BY_ROLE = {FORMAT: "`response_format`", "instructions": "`instructions`"}
"""Labels of segments that come from no message."""
