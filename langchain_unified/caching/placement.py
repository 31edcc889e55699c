"""Where the prompt-cache marks of one call go: those of the caller and of the policy, by the rules of the API.

`place_breakpoints` puts each requested mark (`caching/requested.py`) on the nearest block or tool at or before it that
can carry one, keeps as many as a request may have, orders their TTLs as the API wants, and reports the rest. It is
pure, and a request that has been through it stays as it is. The rules of an API are the `MarkRules` in its wire's
`caching.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from langchain_unified.caching.marked import describe, with_marks
from langchain_unified.caching.pauses import NO_PAUSES, Pauses, hour_pays
from langchain_unified.caching.policy import LIFETIMES, PromptCache
from langchain_unified.caching.requested import (
    RANKS,
    TOOL_TURN,
    WHY,
    Place,
    PolicyScope,
    RequestedMark,
    call_ends,
    caller_turn_end,
    is_loaded,
    last_assistant_turn,
    marks_by_policy,
    marks_in,
)
from langchain_unified.caching.rules import MarkRules
from langchain_unified.request import Adjustment, Request, Turn


@dataclass(frozen=True, slots=True)
class SentMark:
    """A mark that goes out. `place` is a description, `ttl` is `None` for the provider's default.

    `why`: the rule of a policy that set it; `None` for the caller's and for the first rules.
    """

    place: str
    ttl: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedMarks:
    """What became of the marks of one call.

    `requested`: whether the call has a mark or a policy. `off`: the policy switches caching off.
    """

    requested: bool = False
    off: bool = False
    sent: tuple[SentMark, ...] = ()
    dropped: tuple[Adjustment, ...] = ()


NO_MARKS = PlacedMarks()
"""A call without marks and without a policy."""

Order: TypeAlias = tuple[int, int, int]
LEADING, CONVERSATION = 1, 2


@dataclass(slots=True)
class _Placement:
    """The state of one placement. `notes` are adjustments for the caller, `dropped` go into the report only."""

    request: Request
    rules: MarkRules
    policy: PromptCache | None
    pauses: Pauses = NO_PAUSES
    notes: list[Adjustment] = field(default_factory=list)
    dropped: list[Adjustment] = field(default_factory=list)

    @property
    def allowed(self) -> bool:
        """Whether marks may go out at all."""
        return not self.is_off and self.rules.refusal(self.request) is None

    @property
    def is_off(self) -> bool:
        return self.policy is not None and not self.policy.enabled

    def order(self, place: Place) -> Order:
        """The position of a place in the prompt: tools, then leading turns, then the conversation."""
        if place[0] == TOOL_TURN:
            return 0, *place
        leads = self.rules.is_leading is not None and self.rules.is_leading(self.request, self.request.turns[place[0]])
        return LEADING if leads else CONVERSATION, *place

    def in_order(self, marks: Iterable[RequestedMark]) -> list[RequestedMark]:
        return sorted(marks, key=lambda mark: self.order(mark.place))

    def seconds(self, ttl: str | None) -> float:
        """A TTL in seconds; `None` is the provider's default."""
        return LIFETIMES.get(ttl or self.rules.default, 0)

    def drop(self, mark: RequestedMark, why: str) -> Adjustment:
        """Leave a mark out of the request."""
        item = Adjustment(what=f"the prompt-cache mark on {describe(self.request, mark.place)}", why=why)
        self.dropped.append(item)
        return item

    def drop_with_note(self, mark: RequestedMark, why: str) -> None:
        """Leave a mark out, and note it if the caller wrote it. A policy's marks are only reported."""
        item = self.drop(mark, why)
        if mark.by_caller:
            self.note(item)

    def note(self, item: Adjustment) -> None:
        """Add an adjustment, once."""
        if item not in self.notes:
            self.notes.append(item)


def place_breakpoints(
    request: Request, rules: MarkRules, policy: PromptCache | None = None, pauses: Pauses = NO_PAUSES
) -> tuple[Request, PlacedMarks, tuple[Adjustment, ...]]:
    """The request with its marks where the API takes them, what became of each mark, and the adjustments.

    `pauses`: those before the calls of the model, for the rule of the policy with this name.
    """
    requested = [mark if rules.has_top_level_mark else replace(mark, top_level=False) for mark in marks_in(request)]
    if not requested and policy is None and not _has_caching_settings(request):
        return request, NO_MARKS, ()
    state = _Placement(request, rules, policy, pauses)
    placed = _place_all(state, requested) if state.allowed else _drop_all(state, requested)
    idle = not placed and policy is not None and policy.single_calls and pauses.are_single and state.allowed
    if idle:
        state.dropped.append(SINGLE)
    params, notes = rules.params(request, policy, [mark.ttl for mark in placed], idle)
    marks = PlacedMarks(
        requested=bool(requested or policy),
        off=state.is_off,
        sent=tuple(_sent(request, placed)),
        dropped=tuple(state.dropped),
    )
    parts = rules.needs_parts and marks.requested and state.allowed
    return replace(with_marks(request, placed), params=params, parts=parts), marks, (*state.notes, *notes)


def _sent(request: Request, placed: Sequence[RequestedMark]) -> Iterator[SentMark]:
    """The marks for the report, which stays in the message: many ends of earlier turns are one line of it."""
    earlier = [mark for mark in placed if mark.rank == RANKS["earlier"] and not mark.by_caller]
    if len(earlier) > SHOWN:
        first, last = (describe(request, mark.place) for mark in (earlier[0], earlier[-1]))
        line = SentMark(f"{len(earlier)} ends of turns, from {first} to {last}", earlier[-1].ttl, WHY["earlier"])
        places = {mark.place for mark in earlier}
        placed = [mark for mark in placed if mark.place not in places or mark is earlier[-1]]
    for mark in placed:
        is_line = len(earlier) > SHOWN and mark is earlier[-1]
        yield line if is_line else SentMark(describe(request, mark.place), mark.ttl, mark.why)


SHOWN = 4
"""Ends of earlier turns that a report lists one by one."""


def _has_caching_settings(request: Request) -> bool:
    """Whether a request without marks has settings that depend on them."""
    return "cache_control" in request.native or bool(request.params.get("prompt_cache_options"))


def _drop_all(state: _Placement, requested: Sequence[RequestedMark]) -> list[RequestedMark]:
    """No mark goes out: the policy switches them off, or the model or the server takes none."""
    refusal = None if state.is_off else state.rules.refusal(state.request)
    for mark in requested:
        state.drop(mark, refusal or "prompt_cache='off'")
    if requested and refusal:
        # One note for all marks: a growing conversation does not warn again at each call.
        state.note(Adjustment(what="the prompt-cache marks", why=refusal))
    return []


def _place_all(state: _Placement, requested: Sequence[RequestedMark]) -> list[RequestedMark]:
    """The marks of the caller and of the policy, where they go out."""
    by_policy = marks_by_policy(state.request, state.policy, _scope(state, requested))
    placed = _merge(state, (mark for each in (*requested, *by_policy) if (mark := _place(state, each))))
    limit = state.rules.max_marks(state.request, state.policy)
    if len(placed) < limit:
        placed = _merge(state, [*placed, *_last_call_end(state, placed)])
    if len(placed) < limit:
        placed = _merge(state, [*_last_tool(state), *placed])
    return _raise_ttls(state, _keep_at_most(state, _with_reach(state, placed), limit))


def _scope(state: _Placement, requested: Sequence[RequestedMark]) -> PolicyScope:
    """What the policy may mark at this API, and how long the end of the conversation is kept."""
    rules, policy, request = state.rules, state.policy, state.request
    ttl = None
    if policy is not None and policy.pauses and policy.ttl is None and not any(mark.ttl for mark in requested):
        ends = call_ends(request.turns)
        ttl = rules.long_ttl if hour_pays(state.pauses, request, ends[-1] if ends else None) else None
    # Where most turns come after a pause, the entry of the system prompt must be written again by each call to live on
    # for the next conversation, so no more marks are sent than are written.
    few = policy is not None and policy.pauses and 2 * state.pauses.paused >= state.pauses.gaps > 0
    earlier = min(rules.earlier_turns, WRITTEN_TURNS) if few else rules.earlier_turns
    is_window = policy is not None and policy.windows and policy.tail != "always" and state.pauses.is_window
    if is_window:
        state.dropped.append(WINDOW)
    return PolicyScope(rules.tools is None, earlier, rules.anchors, ttl, conversation=not is_window)


WINDOW = Adjustment(
    what="the prompt-cache marks after the system prompt",
    why="The last two calls lost the first messages of the conversation: what follows them is not read again.",
)
SINGLE = Adjustment(
    what="the breakpoint of the default mode",
    why="The last calls without a mark were not continued: this one is not written.",
)


WRITTEN_TURNS = 2
"""The ends of earlier turns that are written beside the system prompt and the end of the call."""


def _with_reach(state: _Placement, placed: Sequence[RequestedMark]) -> list[RequestedMark]:
    """The marks, with a high rank for the end of the last call where no look-back from the end of this one finds it."""
    ends = (RANKS["last_end"], RANKS["reached_end"])
    tail = next((mark for mark in placed if mark.rank == RANKS["tail"]), None)
    result = []
    for mark in placed:
        is_far = tail is not None and _distance(state.request.turns, mark.place, tail.place) > state.rules.look_back
        if mark.rank in ends and is_far:
            is_last = call_ends(state.request.turns)[-1:] == [mark.place]
            mark = replace(mark, rank=RANKS["out_of_reach"], why=None if is_last else WHY["own"])  # noqa: PLW2901
        result.append(mark)
    return result


# --- where a mark goes ------------------------------------------------------------------------------------------------


def _place(state: _Placement, mark: RequestedMark) -> RequestedMark | None:
    """The mark on the nearest block or tool at or before it that can carry one."""
    if mark.place[0] == TOOL_TURN and state.rules.tools is not None:
        state.drop_with_note(mark, state.rules.tools)
        return None
    place = _nearest_carrier(state, mark.place)
    if place is None:
        state.drop_with_note(mark, "No block at or before it can carry a mark.")
    return None if place is None else replace(mark, place=place)


def _nearest_carrier(state: _Placement, place: Place) -> Place | None:
    turns = state.request.turns
    for at in _turns_backwards(state, place[0]):
        blocks = turns[at].blocks
        index = place[1] if at == place[0] else len(blocks) - 1
        carrier = state.rules.carrier(state.request, at, index) if blocks else None
        if carrier is not None:
            return at, carrier
    return _tool_before(state, place)


def _turns_backwards(state: _Placement, turn: int) -> Iterator[int]:
    """A turn, then those before it in the prompt, the nearest first."""
    if turn == TOOL_TURN:
        return
    section, _, _ = state.order((turn, 0))
    yield from (at for at in range(turn, -1, -1) if state.order((at, 0))[0] == section)
    if section == CONVERSATION and state.rules.is_leading is not None:
        yield from (at for at in range(len(state.request.turns) - 1, -1, -1) if state.order((at, 0))[0] == LEADING)


def _tool_before(state: _Placement, place: Place) -> Place | None:
    """The last tool at or before a place that can carry a mark."""
    tools = state.request.tools if state.rules.tools is None else ()
    last = place[1] if place[0] == TOOL_TURN else len(tools) - 1
    return next(((TOOL_TURN, at) for at in range(last, -1, -1) if is_loaded(tools[at])), None)


def _merge(state: _Placement, marks: Iterable[RequestedMark]) -> list[RequestedMark]:
    """One mark per place, in the order of the prompt: the one with the longest TTL of the API."""
    found: dict[Place, RequestedMark] = {}
    for mark in (_with_known_ttl(state, each) for each in marks):
        other = found.get(mark.place, mark)
        longest = max(other, mark, key=lambda each: state.seconds(each.ttl))
        first = max(other, mark, key=lambda each: each.rank)
        found[mark.place] = replace(
            longest,
            by_caller=other.by_caller or mark.by_caller,
            top_level=other.top_level or mark.top_level,
            rank=first.rank,
            why=first.why,
        )
    return state.in_order(found.values())


def _last_call_end(state: _Placement, placed: Sequence[RequestedMark]) -> list[RequestedMark]:
    """A mark at the end of the previous call, so that this call finds what that one wrote.

    Needed where the API does not look back that far from the caller's last mark. A policy marks that place anyway.
    """
    turns = state.request.turns
    last = next((mark for mark in reversed(placed) if mark.by_caller), None)
    answer = None if last is None else last_assistant_turn(turns, max(last.place[0], 0))
    end = None if answer is None else caller_turn_end(turns, answer)
    place = None if end is None else _nearest_carrier(state, end)
    if last is None or place is None or any(mark.place == place for mark in placed):
        return []
    out_of_reach = _distance(turns, place, last.place) > state.rules.look_back
    return [RequestedMark(place, last.ttl, by_caller=False)] if out_of_reach else []


def _last_tool(state: _Placement) -> Iterator[RequestedMark]:
    """A policy's mark on the last tool: the tools are then read even if the system prompt after them changes."""
    last = _tool_before(state, (0, 0))
    if state.policy is not None and last is not None:
        yield RequestedMark(last, state.policy.ttl, by_caller=False, rank=RANKS["tools"])


def _distance(turns: Sequence[Turn], start: Place, stop: Place) -> int:
    """The blocks after `start`, up to and including `stop`; a tool result counts as one."""
    blocks = sum(1 if turn.role == "tool" else len(turn.blocks) for turn in turns[max(start[0], 0) : stop[0]])
    return blocks - _index_in_turn(turns, start) + _index_in_turn(turns, stop)


def _index_in_turn(turns: Sequence[Turn], place: Place) -> int:
    return 0 if place[0] == TOOL_TURN or turns[place[0]].role == "tool" else place[1]


# --- TTLs and the limit -----------------------------------------------------------------------------------------------


def _with_known_ttl(state: _Placement, mark: RequestedMark) -> RequestedMark:
    """The mark with a TTL that the API has."""
    if mark.ttl is None:
        return mark
    ttl, why = state.rules.ttl(mark.ttl)
    if why:
        state.note(Adjustment(what=f"prompt-cache ttl {mark.ttl!r}", why=why))
    return replace(mark, ttl=ttl)


def _keep_at_most(state: _Placement, marks: Sequence[RequestedMark], limit: int) -> list[RequestedMark]:
    """As many marks as a request may have: the caller's before the policy's, then by TTL and rank, then the latest."""
    ranked = sorted(
        marks,
        key=lambda mark: (mark.by_caller, state.seconds(mark.ttl), mark.rank, state.order(mark.place)),
        reverse=True,
    )
    dropped = state.in_order(ranked[limit:])
    why = f"A request takes {limit} at most. The caller's come first, then the longest ttl, then the latest."
    for mark in dropped:
        state.drop(mark, why)
    if any(mark.by_caller for mark in dropped):
        # Without their places, which change with every call of a conversation. The report lists them.
        state.note(Adjustment(what=f"the prompt-cache marks beyond {limit}", why=why))
    return state.in_order(ranked[:limit])


def _raise_ttls(state: _Placement, marks: list[RequestedMark]) -> list[RequestedMark]:
    """TTLs that do not grow along the prompt, where the API asks for that: an earlier mark gets a later one's TTL."""
    if not state.rules.ttl_must_not_grow:
        return marks
    result: list[RequestedMark] = []
    longest: str | None = None
    for mark in reversed(marks):
        if state.seconds(longest) > state.seconds(mark.ttl):
            if mark.by_caller:
                state.note(_raised(str(longest)))
            mark = replace(mark, ttl=longest)  # noqa: PLW2901  # the same mark, for longer
        longest = mark.ttl
        result.insert(0, mark)
    return result


def _raised(ttl: str) -> Adjustment:
    why = f"A mark with ttl {ttl!r} follows them, and the longer ttl must come first: they get ttl {ttl!r}, too."
    return Adjustment(what=f"prompt-cache marks for less than {ttl}", why=why)
