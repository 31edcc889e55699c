"""A call as a prompt cache sees it: its body in segments, each with its place in what the caller wrote.

The body decides what is equal, because it is what the provider compares; the request says where a segment came from.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_unified.caching.placement import describe
from langchain_unified.caching.segments import FORMAT, Segment
from langchain_unified.caching.settings import Setting
from langchain_unified.request import JsonObject, Profile, Request, Turn, WireName
from langchain_unified.wires import WIRES


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a call, in words and as data. `message` is the index in the caller's list."""

    words: str
    message: int | None = None
    block: int | None = None
    tool: str | None = None


@dataclass(frozen=True)
class Prompt:
    """One call. `scale` is what the estimates of tokens are multiplied with: known where the provider has counted."""

    request: Request
    wire: WireName
    body: JsonObject
    segments: tuple[Segment, ...]
    places: tuple[Where, ...]
    scale: float = 1.0

    @property
    def profile(self) -> Profile:
        """What the model can do."""
        return self.request.profile

    @functools.cached_property
    def ends(self) -> tuple[int, ...]:
        """The tokens up to and with each segment, by estimate."""
        total, ends = 0, []
        for segment in self.segments:
            total += segment.tokens
            ends.append(round(total * self.scale))
        return tuple(ends)

    @property
    def tokens(self) -> int:
        """The tokens of the whole, by estimate."""
        return self.ends[-1] if self.ends else 0

    def before(self, index: int) -> int:
        """The tokens before a segment."""
        return self.ends[index - 1] if index else 0

    def settings(self) -> Iterator[tuple[Setting, Any]]:
        """What else the cache depends on, each with its value."""
        for setting in WIRES[self.wire].settings:
            yield setting, setting.read(self.body, self.profile)


def prompt_of(request: Request, wire: WireName) -> Prompt:
    """The prompt that a request makes on a wire. Raises a `RequestError` for a request that the wire refuses."""
    body = WIRES[wire].encode(request).body
    segments = WIRES[wire].segments(body, request.profile)
    tags = _tags(request, wire, len(segments))
    return Prompt(request, wire, body, tuple(segments), tuple(_places(request, segments, tags)))


def is_tool(segment: Segment) -> bool:
    """Whether it is the definition of a tool."""
    return not segment.role


def tool_fields(tool: JsonObject) -> JsonObject:
    """A tool's definition with the fields of its function beside the others."""
    inner = tool.get("function") or tool.get("custom")
    return {**tool, **inner} if isinstance(inner, dict) else tool


def tool_name(tool: JsonObject) -> str:
    """What a tool is called in a body: its name, its server's, or its type."""
    flat = tool_fields(tool)
    return str(flat.get("name") or flat.get("server_label") or flat.get("mcp_server_name") or flat.get("type"))


# --- where a segment came from ----------------------------------------------------------------------------------------

TAG = re.compile(r"(\d+)/(\d+)")
"""`turn/block`: what stands as the ttl of the marks by which segments are found again."""

Tag = tuple[int, int]


def _tags(request: Request, wire: WireName, wanted: int) -> list[Tag | None]:
    """For each segment, the turn and the block that it was written from; `None` where the API takes no mark.

    A copy of the request, every block of it marked by its own place, is encoded the same way. It is not sent.
    """
    turns = tuple(_tagged(at, turn) for at, turn in enumerate(request.turns))
    segments = WIRES[wire].segments(WIRES[wire].encode(replace(request, turns=turns)).body, request.profile)
    found = [_tag(segment) for segment in segments]
    return found if len(found) == wanted else [None] * wanted


def _tagged(at: int, turn: Turn) -> Turn:
    blocks = ({**block, "mark": {"ttl": f"{at}/{index}"}} for index, block in enumerate(turn.blocks))
    return replace(turn, blocks=tuple(blocks))


def _tag(segment: Segment) -> Tag | None:
    match = TAG.fullmatch(str((segment.mark or {}).get("ttl")))
    return (int(match[1]), int(match[2])) if match else None


def _places(request: Request, segments: Sequence[Segment], tags: Sequence[Tag | None]) -> Iterator[Where]:
    turn, block = -1, 0
    for segment, tag in zip(segments, tags, strict=True):
        if tag is not None:
            turn, block = tag
        elif segment.section == "messages":
            turn, block = _after(request.turns, turn, block, said=_said(segment))
        yield _where(request, segment, (turn, block) if tag or segment.section == "messages" else None)


def _said(segment: Segment) -> bool:
    return segment.role.startswith(("assistant", '["assistant"'))


def _after(turns: Sequence[Turn], turn: int, block: int, *, said: bool) -> Tag:
    """Where an unmarked segment stands that follows a place: in the same turn's next block, or in the next turn."""
    if 0 <= turn < len(turns) and (turns[turn].role == "assistant") is said:
        return turn, min(block + 1, max(0, len(turns[turn].blocks) - 1))
    following = (at for at in range(turn + 1, len(turns)) if (turns[at].role == "assistant") is said)
    return next(following, max(turn, 0)), 0


def _where(request: Request, segment: Segment, place: Tag | None) -> Where:
    if is_tool(segment):
        return Where(f"the tool {tool_name(segment.block)!r}", tool=tool_name(segment.block))
    if place is None or place[0] >= len(request.turns):
        return Where(OTHERS.get(segment.role, "the system prompt"))
    position = request.turns[place[0]].position
    return Where(describe(request, place), position if position >= 0 else None, place[1])


OTHERS = {FORMAT: "`response_format`", "instructions": "`instructions`"}
"""By role, what a segment is called that came from no message."""
