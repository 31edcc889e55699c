"""Where the prompt-cache marks of one call stand: the caller's own and the policy's, settled into what an API takes.

`settle` lands each wish (`caching/wishes.py`) on the nearest place at or before it that can carry a mark, keeps as many
as a request takes, brings their lifetimes into a legal order and says what became of the rest. Pure: the same request
gives the same marks, and one that is settled already stays as it is. What an API takes stands in its wire's `marks.py`,
as `MarkRules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from langchain_unified.caching.policy import LIFETIMES, PromptCache
from langchain_unified.caching.requested import (
    TOOLS,
    Place,
    Wish,
    caller_before,
    is_loaded,
    last_answer,
    planned,
    written,
)
from langchain_unified.caching.rules import MarkRules
from langchain_unified.request import Adjustment, Mark, Request, ToolSpec, Turn


@dataclass(frozen=True, slots=True)
class Placed:
    """A mark that goes out. `place` is said in words, `ttl` is `None` for the provider's default."""

    place: str
    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What became of the marks of one call.

    `asked`: whether there was a mark or a policy at all. `off`: the caller switched caching off.
    """

    asked: bool = False
    off: bool = False
    sent: tuple[Placed, ...] = ()
    dropped: tuple[Adjustment, ...] = ()


NONE = Marks()
"""A call without marks and without a policy."""

Order: TypeAlias = tuple[int, int, int]
LEADING, CONVERSATION = 1, 2


@dataclass(slots=True)
class _Desk:
    """What one settling gathers. `notes` are told to the caller; `dropped` is for the report."""

    request: Request
    rules: MarkRules
    policy: PromptCache | None
    notes: list[Adjustment] = field(default_factory=list)
    dropped: list[Adjustment] = field(default_factory=list)

    def order(self, place: Place) -> Order:
        """Where a place stands in the prompt: tools, then what leads, then the conversation."""
        if place[0] == TOOLS:
            return 0, *place
        leads = self.rules.is_leading is not None and self.rules.is_leading(self.request, self.request.turns[place[0]])
        return LEADING if leads else CONVERSATION, *place

    def drop(self, wish: Wish, why: str) -> Adjustment:
        """Leave a mark out of the request."""
        item = Adjustment(what=f"the prompt-cache mark on {described(self.request, wish.place)}", why=why)
        self.dropped.append(item)
        return item

    def lose(self, wish: Wish, why: str) -> None:
        """Leave a mark out and say so. A policy's own marks are only reported: nobody wrote them."""
        item = self.drop(wish, why)
        if wish.own:
            self.tell(item)

    def tell(self, note: Adjustment) -> None:
        """Say something to the caller, once."""
        if note not in self.notes:
            self.notes.append(note)


def settle(
    request: Request, rules: MarkRules, policy: PromptCache | None = None
) -> tuple[Request, Marks, tuple[Adjustment, ...]]:
    """The request with its marks where the API takes them, the report, and what has to be told."""
    wishes = [wish if rules.has_top_level_mark else replace(wish, whole=False) for wish in written(request)]
    if not wishes and policy is None and not _concerned(request):
        return request, NONE, ()
    desk = _Desk(request, rules, policy)
    kept = _kept(desk, wishes) if _allowed(desk) else _none(desk, wishes)
    params, notes = rules.params(request, policy, [wish.ttl for wish in kept])
    sent = tuple(Placed(described(request, wish.place), wish.ttl) for wish in kept)
    off = policy is not None and not policy.enabled
    marks = Marks(bool(wishes or policy), off, sent, tuple(desk.dropped))
    settled = replace(_marked(request, kept), params=params, parts=rules.needs_parts and marks.asked and _allowed(desk))
    return settled, marks, (*desk.notes, *notes)


def _concerned(request: Request) -> bool:
    """Whether a request without marks says something that depends on them."""
    return "cache_control" in request.native or bool(request.params.get("prompt_cache_options"))


def _allowed(desk: _Desk) -> bool:
    return desk.rules.refusal(desk.request) is None and (desk.policy is None or desk.policy.enabled)


def _none(desk: _Desk, wishes: Sequence[Wish]) -> list[Wish]:
    """No mark at all: the caller switched them off, or the model or the server takes none."""
    refusal = desk.rules.refusal(desk.request) if desk.policy is None or desk.policy.enabled else None
    for wish in wishes:
        desk.drop(wish, refusal or "prompt_cache='off'")
    if wishes and refusal:
        # One word for all: a conversation that grows does not have more to say about it.
        desk.tell(Adjustment(what="the prompt-cache marks", why=refusal))
    return []


def _kept(desk: _Desk, wishes: Sequence[Wish]) -> list[Wish]:
    """The caller's marks and the policy's, where they go out."""
    policy = planned(desk.request, desk.policy, tools=desk.rules.tools is None)
    landed = _merged(desk, (wish for each in (*wishes, *policy) if (wish := _landed(desk, each))))
    room = desk.rules.max_marks(desk.request, desk.policy)
    if len(landed) < room:
        landed = _merged(desk, [*landed, *_between(desk, landed)])
    if len(landed) < room:
        landed = _merged(desk, [*_tools_alone(desk), *landed])
    return _ordered(desk, _fitting(desk, landed, room))


# --- where it lands ---------------------------------------------------------------------------------------------------


def _landed(desk: _Desk, wish: Wish) -> Wish | None:
    """The wish on the nearest place at or before it that can carry a mark."""
    if wish.place[0] == TOOLS and desk.rules.tools is not None:
        desk.lose(wish, desk.rules.tools)
        return None
    place = _landing(desk, wish.place)
    if place is None:
        desk.lose(wish, "No block at or before it can carry a mark.")
    return None if place is None else replace(wish, place=place)


def _landing(desk: _Desk, place: Place) -> Place | None:
    turns = desk.request.turns
    for at in _backwards(desk, place[0]):
        blocks = turns[at].blocks
        index = place[1] if at == place[0] else len(blocks) - 1
        spot = desk.rules.carrier(desk.request, at, index) if blocks else None
        if spot is not None:
            return at, spot
    return _tool_before(desk, place)


def _backwards(desk: _Desk, turn: int) -> Iterator[int]:
    """A turn, then those before it in the prompt, the nearest first."""
    if turn == TOOLS:
        return
    section, _, _ = desk.order((turn, 0))
    yield from (at for at in range(turn, -1, -1) if desk.order((at, 0))[0] == section)
    if section == CONVERSATION and desk.rules.is_leading is not None:
        yield from (at for at in range(len(desk.request.turns) - 1, -1, -1) if desk.order((at, 0))[0] == LEADING)


def _tool_before(desk: _Desk, place: Place) -> Place | None:
    """The last tool that carries a mark, at or before a place."""
    tools = desk.request.tools if desk.rules.tools is None else ()
    last = place[1] if place[0] == TOOLS else len(tools) - 1
    return next(((TOOLS, at) for at in range(last, -1, -1) if is_loaded(tools[at])), None)


def _merged(desk: _Desk, wishes: Iterable[Wish]) -> list[Wish]:
    """One wish per place, in order: the longest-lived that the API knows of those that landed there."""
    found: dict[Place, Wish] = {}
    for wish in (_timed(desk, each) for each in wishes):
        other = found.get(wish.place, wish)
        longest = max(other, wish, key=lambda each: _seconds(desk, each.ttl))
        found[wish.place] = replace(longest, own=other.own or wish.own, whole=other.whole or wish.whole)
    return [found[place] for place in sorted(found, key=desk.order)]


def _between(desk: _Desk, landed: Sequence[Wish]) -> list[Wish]:
    """Where the call before this one ended: marked, what it wrote is found although the caller's own mark has moved.

    Needed where the API does not look back that far from the caller's last mark. A policy's marks stand there anyway.
    """
    turns = desk.request.turns
    last = next((wish for wish in reversed(landed) if wish.own), None)
    answer = None if last is None else last_answer(turns[: max(last.place[0], 0)])
    ended = None if answer is None else caller_before(turns, answer)
    place = None if ended is None else _landing(desk, ended)
    if last is None or place is None or any(wish.place == place for wish in landed):
        return []
    far = _distance(turns, place, last.place) > desk.rules.look_back
    return [Wish(place, last.ttl, own=False)] if far else []


def _tools_alone(desk: _Desk) -> Iterator[Wish]:
    """The last tool, for a policy: tools are then read where the system prompt after them has changed."""
    last = _tool_before(desk, (0, 0))
    if desk.policy is not None and last is not None:
        yield Wish(last, desk.policy.ttl, own=False)


def _distance(turns: Sequence[Turn], start: Place, stop: Place) -> int:
    """Blocks after `start`, up to and with `stop`; a tool's result is one."""
    whole = sum(1 if turn.role == "tool" else len(turn.blocks) for turn in turns[max(start[0], 0) : stop[0]])
    return whole - _inside(turns, start) + _inside(turns, stop)


def _inside(turns: Sequence[Turn], place: Place) -> int:
    """How many blocks of its turn stand before a place."""
    return 0 if place[0] == TOOLS or turns[place[0]].role == "tool" else place[1]


# --- how long, and how many -------------------------------------------------------------------------------------------


def _seconds(desk: _Desk, ttl: str | None) -> float:
    return LIFETIMES.get(ttl or desk.rules.default, 0)


def _timed(desk: _Desk, wish: Wish) -> Wish:
    """The wish with a lifetime that the API knows."""
    if wish.ttl is None:
        return wish
    ttl, why = desk.rules.ttl(wish.ttl)
    if why:
        desk.tell(Adjustment(what=f"prompt-cache ttl {wish.ttl!r}", why=why))
    return replace(wish, ttl=ttl)


def _fitting(desk: _Desk, wishes: Sequence[Wish], room: int) -> list[Wish]:
    """As many as a request takes: the caller's before the policy's, then the longest-lived, then the latest."""
    ranked = sorted(
        wishes, key=lambda wish: (wish.own, _seconds(desk, wish.ttl), desk.order(wish.place)), reverse=True
    )
    over = sorted(ranked[room:], key=lambda wish: desk.order(wish.place))
    why = f"Only {room} fit into a request: the caller's own, the longest-lived and the latest were kept."
    for wish in over:
        desk.drop(wish, why)
    if any(wish.own for wish in over):
        # Not which: the places change with every call of a conversation, and the report lists them.
        desk.tell(Adjustment(what=f"the prompt-cache marks beyond {room}", why=why))
    return sorted(ranked[:room], key=lambda wish: desk.order(wish.place))


def _ordered(desk: _Desk, wishes: list[Wish]) -> list[Wish]:
    """Lifetimes that do not grow along the request, where the API wants it so: an earlier mark is raised to a later."""
    if not desk.rules.ttl_must_not_grow:
        return wishes
    result: list[Wish] = []
    longest: str | None = None
    for wish in reversed(wishes):
        if _seconds(desk, longest) > _seconds(desk, wish.ttl):
            if wish.own:
                desk.tell(_raised(str(longest)))
            wish = replace(wish, ttl=longest)  # noqa: PLW2901  # the same wish, for longer
        longest = wish.ttl
        result.insert(0, wish)
    return result


def _raised(ttl: str) -> Adjustment:
    why = f"A mark of {ttl} stands after them, and a longer life must come first: they are for {ttl} too."
    return Adjustment(what=f"prompt-cache marks for less than {ttl}", why=why)


# --- writing it down --------------------------------------------------------------------------------------------------


def _marked(request: Request, kept: Sequence[Wish]) -> Request:
    """The request with these marks and no others."""
    places = {wish.place: wish for wish in kept if not wish.whole}
    return replace(
        request,
        turns=tuple(_marked_turn(at, turn, places) for at, turn in enumerate(request.turns)),
        tools=tuple(_marked_tool(index, tool, places) for index, tool in enumerate(request.tools)),
        native=_native(request, next((wish for wish in kept if wish.whole), None)),
    )


def _native(request: Request, whole: Wish | None) -> Mapping[str, Any]:
    if "cache_control" not in request.native:
        return request.native
    kept = {key: value for key, value in request.native.items() if key != "cache_control"}
    return kept if whole is None else {**kept, "cache_control": {"type": "ephemeral", **_mark(whole)}}


def _marked_turn(at: int, turn: Turn, places: dict[Place, Wish]) -> Turn:
    found = {index: places[at, index] for index in range(len(turn.blocks)) if (at, index) in places}
    if not found and not any("mark" in block for block in turn.blocks):
        return turn
    bare = [{key: value for key, value in block.items() if key != "mark"} for block in turn.blocks]
    for index, wish in found.items():
        bare[index]["mark"] = _mark(wish)
    return replace(turn, blocks=tuple(bare))


def _marked_tool(index: int, tool: ToolSpec, places: dict[Place, Wish]) -> ToolSpec:
    wish = places.get((TOOLS, index))
    mark = None if wish is None else _mark(wish)
    return tool if tool.mark == mark else replace(tool, mark=mark)


def _mark(wish: Wish) -> Mark:
    return Mark(ttl=wish.ttl) if wish.ttl else Mark()


def described(request: Request, place: Place) -> str:
    """A place in words: `the tool 'search'`, `message 3 (user), block 0`."""
    if place[0] == TOOLS:
        return f"the tool {request.tools[place[1]].name!r}"
    turn = request.turns[place[0]]
    name = f"message {turn.position} ({turn.role})" if turn.position >= 0 else f"the {turn.role} prompt"
    return f"{name}, block {place[1]}"
