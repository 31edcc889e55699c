"""The prompt-cache marks that one call asks for: those that the caller wrote and those that a policy sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    rank: int = 0
    """Of a policy's marks, those with a higher rank stay."""
    why: str | None = None
    """Which rule of a policy set it; `None` for the caller's and for the first rules."""


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

ANCHOR_TURNS, ANCHOR_DISTANCE = 6, 4
"""For how many turns an anchor stays, and how many turns it is behind the end at least. Middlewares and servers that
clear tool results keep the last three of them, so the prompt before an anchor no longer changes."""

NEAR_TURNS = 3
"""The same two numbers for a second anchor in the loop of an agent, so that less is written again when the first one
moves. (Also tried: the last anchor instead, which costs 1.05 of this with cleared results.)"""

RANKS = {
    "tail": 10, "system": 9, "out_of_reach": 8, "first_system": 7, "last_end": 6, "anchor": 5, "near_anchor": 4,
    "material": 3, "reached_end": 2, "earlier": 1, "tools": 0,
}  # fmt: skip
"""Which marks of a policy stay where there are too many."""

WHY = {
    "first_system": "the first of several system blocks",
    "first_tail": "a first call with tools: their results follow",
    "anchor": "it stays for some turns, for when later ones change",
    "earlier": "the end of an earlier turn",
    "own": "the end of the last call that this model answered",
    "pauses": "the conversations of this model have pauses of 5 to 60 minutes",
}
"""What the report says of a mark that a rule of a policy set."""


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """What a policy may do at an API: see the fields of `MarkRules` with these names."""

    tools: bool = True
    earlier_turns: int = 0
    anchors: bool = False
    tail_ttl: str | None = None
    """The TTL of the conversation's end; `None`: that of the policy."""
    conversation: bool = True
    """Whether anything after the system prompt is marked."""


def marks_by_policy(request: Request, policy: PromptCache | None, scope: PolicyScope) -> Iterator[RequestedMark]:
    """The marks of a policy: on what stays the same between calls, and on the ends of the last call and of this one."""
    if policy is None:
        return
    marks = [*_static_marks(request, policy, scope)]
    if policy.tail != "never" and scope.conversation:
        marks += _conversation_marks(request, policy, scope)
    for mark in marks:
        yield mark if mark.ttl is not None else replace(mark, ttl=policy.ttl)


def _mark(place: Place | None, kind: str, why: str | None = None, ttl: str | None = None) -> Iterator[RequestedMark]:
    """A policy's mark, or none where there is no place for it."""
    if place is not None:
        yield RequestedMark(place, ttl, by_caller=False, rank=RANKS[kind], why=why)


def _static_marks(request: Request, policy: PromptCache, scope: PolicyScope) -> Iterator[RequestedMark]:
    """The first and the last block of the system prompt; without a system prompt, the last tool."""
    leading = leading_blocks(request.turns)
    loaded = [index for index, tool in enumerate(request.tools) if is_loaded(tool)]
    if policy.first_system_block and len(leading) > 1:
        yield from _mark(leading[0], "first_system", WHY["first_system"])
    last_tool = (TOOL_TURN, loaded[-1]) if loaded and scope.tools else None
    yield from _mark(leading[-1] if leading else last_tool, "system")


def leading_blocks(turns: Sequence[Turn]) -> list[Place]:
    """The places of the blocks of the system prompt."""
    leading = next((at for at, turn in enumerate(turns) if turn.role not in SYSTEM_ROLES), len(turns))
    return [(at, index) for at in range(leading) for index in range(len(turns[at].blocks))]


SYSTEM_ROLES = ("system", "developer")


def _conversation_marks(request: Request, policy: PromptCache, scope: PolicyScope) -> Iterator[RequestedMark]:
    """The material before the question, the ends of the earlier calls, and the end of this one."""
    turns = request.turns
    yield from _mark(material_end(turns), "material")
    answer = last_assistant_turn(turns)
    first_with_tools = policy.first_call_with_tools and answer is None and bool(request.tools)
    if policy.tail == "follow_up" and answer is None and not first_with_tools:
        return
    ends = call_ends(turns)
    if policy.earlier_turns and scope.earlier_turns:
        for place in ends[-scope.earlier_turns :]:
            yield from _mark(place, "earlier", WHY["earlier"])
    elif answer is not None:
        # The last call may have ended otherwise than the history shows: with a reminder or documents that are gone.
        # In the loop of an agent it ended where it seems to, and the look-back from the end of this call finds it.
        in_loop = turns[-1].role == "tool"
        yield from _mark(last_call_end(request, policy), "reached_end" if in_loop else "last_end")
    if policy.anchor and scope.anchors and len(ends) > ANCHOR_TURNS:
        at = (len(ends) - ANCHOR_DISTANCE) // ANCHOR_TURNS * ANCHOR_TURNS
        near = (len(ends) - NEAR_TURNS) // NEAR_TURNS * NEAR_TURNS
        yield from _mark(ends[at], "anchor", WHY["anchor"])
        yield from _mark(ends[near], "near_anchor", WHY["anchor"])
    by_tools = first_with_tools and policy.tail != "always"
    why = "pauses" if scope.tail_ttl else "first_tail" if by_tools else ""
    yield from _mark(caller_turn_end(turns, len(turns)), "tail", WHY.get(why), scope.tail_ttl)


def call_ends(turns: Sequence[Turn]) -> list[Place]:
    """The ends of the earlier calls: the last block from the caller before each answer, in order."""
    found: list[Place] = []
    end: Place | None = None
    for at, turn in enumerate(turns):
        if turn.role in ("user", "tool") and turn.blocks:
            end = (at, len(turn.blocks) - 1)
        elif turn.role == "assistant" and end is not None:
            found.append(end)
            end = None
    return found


def last_call_end(request: Request, policy: PromptCache | None) -> Place | None:
    """The end of the last call: of the last one that this model answered, where the policy does not say otherwise."""
    turns = request.turns
    answer = last_assistant_turn(turns)
    if answer is not None and (policy is None or policy.own_answers):
        answers = [at for at, turn in enumerate(turns) if turn.role == "assistant"]
        answer = next((at for at in reversed(answers) if _is_own(request, turns[at])), answer)
    return None if answer is None else caller_turn_end(turns, answer)


def _is_own(request: Request, turn: Turn) -> bool:
    """Whether the call's model wrote an answer. One that names no model counts, and so does a dated name of a model."""
    if turn.model is None:
        return True
    names = [name.rpartition("/")[2] for name in (turn.model, request.model)]
    short, long = sorted(names, key=len)
    return short == long or (long.startswith(short) and DATED.fullmatch(long.removeprefix(short)) is not None)


DATED = re.compile(r"[-@](\d{8}|\d{4}-\d\d-\d\d)|-latest")
"""What a dated or moving name of a model adds to the plain one."""


def is_loaded(tool: ToolSpec) -> bool:
    """Whether a tool is part of the prompt from the start. A deferred tool is added once a search finds it."""
    default = tool.definition.get("default_config") or {}
    return not ((tool.options or tool.definition).get("defer_loading") or default.get("defer_loading"))


def material_end(turns: Sequence[Turn]) -> Place | None:
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
