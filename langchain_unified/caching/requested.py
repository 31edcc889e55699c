"""What is asked of prompt caching in one call: the marks that the caller wrote, and those that a policy sets.

A wish is a mark as it was asked for. A place is `(turn, block)`, tools being turn -1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from langchain_unified.caching.policy import PromptCache
from langchain_unified.messages.cache_marks import mark_of
from langchain_unified.request import Block, Request, ToolSpec, Turn

Place: TypeAlias = tuple[int, int]
"""`(turn, block)`; for a tool `(-1, index)`."""

TOOLS = -1


@dataclass(frozen=True, slots=True)
class Wish:
    """A mark as it was asked for.

    `own`: by the caller, not by the policy. `whole`: by the `cache_control` of the whole call, which means its end.
    """

    place: Place
    ttl: str | None = None
    own: bool = True
    whole: bool = False


def written(request: Request) -> Iterator[Wish]:
    """The marks that the caller wrote, in order; last the `cache_control` of the whole call."""
    for index, tool in enumerate(request.tools):
        if tool.mark is not None:
            yield Wish((TOOLS, index), tool.mark.get("ttl"))
    for number, turn in enumerate(request.turns):
        for index, block in enumerate(turn.blocks):
            if "mark" in block:
                yield Wish((number, index), block["mark"].get("ttl"))
    mark, last = mark_of({"cache_control": request.native.get("cache_control")}), end(request.turns)
    if mark is not None and last is not None:
        yield Wish(last, mark.get("ttl"), whole=True)


def end(turns: Sequence[Turn]) -> Place | None:
    """The last block of a conversation."""
    filled = [at for at, turn in enumerate(turns) if turn.blocks]
    return (filled[-1], len(turns[filled[-1]].blocks) - 1) if filled else None


# --- what the policy sets ---------------------------------------------------------------------------------------------

LEADING = frozenset({"text", "text-plain", "file", "search_result", "native"})
"""Blocks before a question that are taken for what several questions share; an image is mostly asked about once."""


def planned(request: Request, policy: PromptCache | None, *, tools: bool) -> Iterator[Wish]:
    """What the policy marks: what stays (tools, system, the material before a first question) and what grows.

    `tools`: whether a tool can be marked.
    """
    turns = request.turns
    if policy is None:
        return
    places = [_static(request, tools=tools)]
    if policy.tail != "never":
        places.append(_lead(turns))
    answer = last_answer(turns)
    if policy.tail == "always" or (policy.tail == "follow_up" and answer is not None):
        places += [caller_before(turns, answer or 0), caller_before(turns, len(turns))]
    yield from (Wish(place, policy.ttl, own=False) for place in places if place is not None)


def _static(request: Request, *, tools: bool) -> Place | None:
    """The end of the system prompt, which covers the tools; without one, the last tool."""
    turns = request.turns
    leading = next((at for at, turn in enumerate(turns) if turn.role not in ("system", "developer")), len(turns))
    place = end(turns[:leading])
    loaded = [index for index, tool in enumerate(request.tools) if is_loaded(tool)]
    return place or ((TOOLS, loaded[-1]) if loaded and tools else None)


def is_loaded(tool: ToolSpec) -> bool:
    """Whether a tool stands in the prompt. One that is deferred is found and shown later."""
    default = tool.definition.get("default_config") or {}
    return not ((tool.options or tool.definition).get("defer_loading") or default.get("defer_loading"))


def _lead(turns: Sequence[Turn]) -> Place | None:
    """What stands before the first question: the last text or document before the end of the user's first words."""
    start = next((at for at, turn in enumerate(turns) if turn.role == "user"), None)
    if start is None:
        return None
    stop = next((at for at in range(start, len(turns)) if turns[at].role != "user"), len(turns))
    places = [(at, index) for at in range(start, stop) for index in range(len(turns[at].blocks))]
    return next((place for place in reversed(places[:-1]) if _at(turns, place)["type"] in LEADING), None)


def _at(turns: Sequence[Turn], place: Place) -> Block:
    return turns[place[0]].blocks[place[1]]


def last_answer(turns: Sequence[Turn]) -> int | None:
    """The last turn of the assistant."""
    return next((at for at in range(len(turns) - 1, -1, -1) if turns[at].role == "assistant"), None)


def said_before(request: Request, turn: int) -> tuple[Block, ...]:
    """The blocks of the assistant's last turn before another turn: a result follows the turn that made its call."""
    turns = request.turns
    at = next((at for at in range(turn - 1, -1, -1) if turns[at].role == "assistant"), None)
    return () if at is None else turns[at].blocks


def caller_before(turns: Sequence[Turn], stop: int) -> Place | None:
    """The end of the last user or tool turn before `stop`: where a call that was answered there ended."""
    for at in range(stop - 1, -1, -1):
        if turns[at].role in ("user", "tool") and turns[at].blocks:
            return at, len(turns[at].blocks) - 1
    return None
