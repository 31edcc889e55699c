"""The prompt-cache marks that one call asks for: those that the caller wrote and those that a policy sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from langchain_unified.caching.policy import PromptCache
from langchain_unified.messages.cache_marks import mark_of
from langchain_unified.request import Request, ToolSpec, Turn
from langchain_unified.request.blocks import Block

Place: TypeAlias = tuple[int, int]
"""`(turn, block)`; for a tool `(TOOL_TURN, index)`."""

TOOL_TURN = -1


@dataclass(frozen=True, slots=True)
class RequestedMark:
    """A mark before it is placed.

    `by_caller`: the caller wrote it; otherwise a policy set it. `top_level`: it comes from the `cache_control` beside
    the messages, which marks the end of the prompt.
    """

    place: Place
    ttl: str | None = None
    by_caller: bool = True
    top_level: bool = False


def marks_in(request: Request) -> Iterator[RequestedMark]:
    """The marks that the caller wrote, in the order of the prompt; the top-level one is last."""
    for index, tool in enumerate(request.tools):
        if tool.mark is not None:
            yield RequestedMark((TOOL_TURN, index), tool.mark.get("ttl"))
    for number, turn in enumerate(request.turns):
        for index, block in enumerate(turn.blocks):
            if "mark" in block:
                yield RequestedMark((number, index), block["mark"].get("ttl"))
    mark = mark_of({"cache_control": request.native.get("cache_control")})
    last = last_block(request.turns)
    if mark is not None and last is not None:
        yield RequestedMark(last, mark.get("ttl"), top_level=True)


def last_block(turns: Sequence[Turn]) -> Place | None:
    """The last block of some turns; `None` where they have none."""
    filled = [at for at, turn in enumerate(turns) if turn.blocks]
    return (filled[-1], len(turns[filled[-1]].blocks) - 1) if filled else None


# --- what a policy marks ----------------------------------------------------------------------------------------------

MATERIAL = frozenset({"text", "text-plain", "file", "search_result", "native"})
"""Blocks before a question that later questions probably share. An image is mostly asked about once."""


def marks_by_policy(request: Request, policy: PromptCache | None, *, tools: bool) -> Iterator[RequestedMark]:
    """The marks of a policy: on what stays the same between calls, and on the ends of the last call and of this one.

    `tools`: whether the API takes marks on tools.
    """
    turns = request.turns
    if policy is None:
        return
    places = [_instructions_end(request, tools=tools)]
    if policy.tail != "never":
        places.append(_material_end(turns))
    answer = last_assistant_turn(turns)
    if policy.tail == "always" or (policy.tail == "follow_up" and answer is not None):
        places += [caller_turn_end(turns, answer or 0), caller_turn_end(turns, len(turns))]
    yield from (RequestedMark(place, policy.ttl, by_caller=False) for place in places if place is not None)


def _instructions_end(request: Request, *, tools: bool) -> Place | None:
    """The end of the system prompt, which covers the tools; without a system prompt, the last tool."""
    turns = request.turns
    leading = next((at for at, turn in enumerate(turns) if turn.role not in ("system", "developer")), len(turns))
    place = last_block(turns[:leading])
    loaded = [index for index, tool in enumerate(request.tools) if is_loaded(tool)]
    return place or ((TOOL_TURN, loaded[-1]) if loaded and tools else None)


def is_loaded(tool: ToolSpec) -> bool:
    """Whether a tool is part of the prompt from the start. A deferred tool is added once a search finds it."""
    default = tool.definition.get("default_config") or {}
    return not ((tool.options or tool.definition).get("defer_loading") or default.get("defer_loading"))


def _material_end(turns: Sequence[Turn]) -> Place | None:
    """The last text or document before the first question, which is the last block of the first user turns."""
    start = next((at for at, turn in enumerate(turns) if turn.role == "user"), None)
    if start is None:
        return None
    stop = next((at for at in range(start, len(turns)) if turns[at].role != "user"), len(turns))
    places = [(at, index) for at in range(start, stop) for index in range(len(turns[at].blocks))]
    return next((place for place in reversed(places[:-1]) if _block_at(turns, place)["type"] in MATERIAL), None)


def _block_at(turns: Sequence[Turn], place: Place) -> Block:
    return turns[place[0]].blocks[place[1]]


def last_assistant_turn(turns: Sequence[Turn], stop: int | None = None) -> int | None:
    """The index of the last assistant turn (before `stop`); `None` where there is none."""
    start = len(turns) if stop is None else stop
    return next((at for at in range(start - 1, -1, -1) if turns[at].role == "assistant"), None)


def assistant_blocks_before(request: Request, turn: int) -> tuple[Block, ...]:
    """The blocks of the last assistant turn before `turn`. They hold the calls that a tool turn answers."""
    at = last_assistant_turn(request.turns, turn)
    return () if at is None else request.turns[at].blocks


def caller_turn_end(turns: Sequence[Turn], stop: int) -> Place | None:
    """The last block of the last user or tool turn before `stop`: the end of the call that was answered there."""
    for at in range(stop - 1, -1, -1):
        if turns[at].role in ("user", "tool") and turns[at].blocks:
            return at, len(turns[at].blocks) - 1
    return None
