"""A request with the marks that were placed, and their places in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_unified.caching.requested import TOOL_TURN, Place, RequestedMark
from langchain_unified.request import Mark, Request, ToolSpec, Turn
from langchain_unified.request.blocks import without


def with_marks(request: Request, placed: Sequence[RequestedMark]) -> Request:
    """The request with these marks and no others."""
    places = {mark.place: mark for mark in placed if not mark.top_level}
    return replace(
        request,
        turns=tuple(_with_turn_marks(at, turn, places) for at, turn in enumerate(request.turns)),
        tools=tuple(_with_tool_mark(index, tool, places) for index, tool in enumerate(request.tools)),
        native=_native(request, next((mark for mark in placed if mark.top_level), None)),
    )


def _native(request: Request, top_level: RequestedMark | None) -> Mapping[str, Any]:
    if "cache_control" not in request.native:
        return request.native
    others = {key: value for key, value in request.native.items() if key != "cache_control"}
    if top_level is None:
        return others
    return {**others, "cache_control": {"type": "ephemeral", **_mark(top_level)}}


def _with_turn_marks(at: int, turn: Turn, places: dict[Place, RequestedMark]) -> Turn:
    found = {index: places[at, index] for index in range(len(turn.blocks)) if (at, index) in places}
    if not found and not any("mark" in block for block in turn.blocks):
        return turn
    blocks = [without(block, "mark") for block in turn.blocks]
    for index, mark in found.items():
        blocks[index]["mark"] = _mark(mark)
    return replace(turn, blocks=tuple(blocks))


def _with_tool_mark(index: int, tool: ToolSpec, places: dict[Place, RequestedMark]) -> ToolSpec:
    found = places.get((TOOL_TURN, index))
    mark = None if found is None else _mark(found)
    return tool if tool.mark == mark else replace(tool, mark=mark)


def _mark(mark: RequestedMark) -> Mark:
    return Mark(ttl=mark.ttl) if mark.ttl else Mark()


def describe(request: Request, place: Place) -> str:
    """A place in words: `the tool 'search'`, `message 3 (user), block 0`."""
    if place[0] == TOOL_TURN:
        return f"the tool {request.tools[place[1]].name!r}"
    turn = request.turns[place[0]]
    name = f"message {turn.position} ({turn.role})" if turn.position >= 0 else f"the {turn.role} prompt"
    return f"{name}, block {place[1]}"
