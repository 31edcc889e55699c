"""Tool calls and their results: which belong together, where they stand, and what they are called.

A result answers the nearest call before it that has its id and no result yet, else the first such call after it. Ids
that the target refuses, or that stand for two calls, are replaced by a hash of the id, so that a longer conversation
gives the same ones. Only a call without an id is named by its place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_unified.messages.tool_calls import CALL_ID_KEYS, call_id_of, makes_call
from langchain_unified.request import Block, Turn


@dataclass(frozen=True, slots=True)
class IdRules:
    """The tool call ids that an API takes.

    `max_length` is in characters, `pattern` must match the whole id, and `prefix` begins the ids that are made here.
    """

    max_length: int
    pattern: re.Pattern[str]
    prefix: str

    def accepts(self, call_id: str) -> bool:
        """Whether the API takes this id."""
        return len(call_id) <= self.max_length and self.pattern.fullmatch(call_id) is not None

    def hashed(self, text: str) -> str:
        """An id made of a text, the same in any process."""
        return f"{self.prefix}_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


@dataclass(slots=True, eq=False)
class Call:
    """A call to one of the caller's tools: in which turn and block, and the turn that answers it (`None`: none does).

    `own` calls are to tools that the provider defines (a computer, a shell): each has its own form of result.
    """

    turn: int
    block: int
    id: str
    name: str
    own: bool = False
    answered: bool = False
    result: int | None = None


@dataclass(slots=True)
class Calls:
    """The calls of a conversation in order, and the results (by turn) that no call matches."""

    made: list[Call] = field(default_factory=list)
    strays: list[int] = field(default_factory=list)

    def unanswered(self) -> list[Call]:
        """The calls that nothing answers."""
        return [call for call in self.made if call.result is None and not call.answered]


# --- who answers whom -------------------------------------------------------------------------------------------------

OWN_CALLS = frozenset({"computer_call", "shell_call", "local_shell_call", "apply_patch_call", "mcp_approval_request"})
"""The provider's own items that the caller answers with another item. A tool search counts where the caller runs it."""


def matched(turns: Sequence[Turn]) -> Calls:
    """Every call, with its result."""
    elsewhere = set(_answered_by_items(turns))
    found = Calls([call for at, turn in enumerate(turns) if turn.role == "assistant" for call in _calls(turn, at)])
    for call in found.made:
        call.answered = bool(call.id) and call.id in elsewhere
    results = [at for at, turn in enumerate(turns) if turn.role == "tool"]
    made = _Index(found.made)
    early = [at for at in results if not made.answer(turns[at], at, after=False)]
    found.strays = [at for at in early if not made.answer(turns[at], at, after=True)]
    return found


def _calls(turn: Turn, at: int) -> Iterator[Call]:
    for index, block in enumerate(turn.blocks):
        if makes_call(block):
            yield Call(at, index, call_id_of(block) or "", str(block.get("name") or block.get("value", {}).get("name")))
        elif block["type"] == "native" and is_own(block["value"]):
            value = block["value"]
            yield Call(at, index, str(value.get("call_id") or value.get("id")), str(value["type"]), own=True)


def is_own(value: Mapping[str, Any]) -> bool:
    """Whether a provider's own item is a call that the caller answers in a form of its own."""
    by_caller = value.get("type") == "tool_search_call" and value.get("execution") == "client"
    return value.get("type") in OWN_CALLS or by_caller


def _answered_by_items(turns: Iterable[Turn]) -> Iterator[str]:
    """Ids of the calls that are answered by an item inside a user or assistant message."""
    for turn in turns:
        for block in turn.blocks:
            value = block["value"] if block["type"] in ("native", "unknown") else None
            if isinstance(value, Mapping) and str(value.get("type")).endswith(("_output", "_approval_response")):
                yield from (str(value[key]) for key in ("call_id", "approval_request_id", "id") if value.get(key))


class _Index:
    """The calls by id and by name."""

    def __init__(self, made: Iterable[Call]) -> None:
        self.by_id: dict[str, list[Call]] = {}
        self.by_name: dict[str, list[Call]] = {}
        for call in made:
            self.by_id.setdefault(call.id, []).append(call)
            self.by_name.setdefault(call.name, []).append(call)

    def answer(self, turn: Turn, at: int, *, after: bool) -> bool:
        """Gives the result at `at` to a call before it (or after it); whether there was one."""
        raw = turn.tool_call_id or ""
        fitting = _free(self.by_id.get(raw, ()), at, after=after)
        if not fitting and raw and raw == turn.name:  # a function message knows only the name
            fitting = _free(self.by_name.get(raw, ()), at, after=after)
        if not fitting:
            return False
        nearest = (min if after else max)(call.turn for call in fitting)
        next(call for call in fitting if call.turn == nearest).result = at
        return True


def _free(calls: Iterable[Call], at: int, *, after: bool) -> list[Call]:
    return [call for call in calls if call.result is None and (call.turn > at if after else call.turn < at)]


# --- ids --------------------------------------------------------------------------------------------------------------


def with_ids(turns: tuple[Turn, ...], rules: IdRules) -> tuple[tuple[Turn, ...], list[str]]:
    """The turns with ids that the target takes, each for one call alone; and the ids that were replaced."""
    calls = matched(turns)
    names = _names(calls.made, rules)
    changed: dict[int, Turn] = {}
    replaced: list[str] = []
    for call, name in zip(calls.made, names, strict=True):
        if name != call.id:
            replaced.append(call.id)
            changed[call.turn] = _renamed(changed.get(call.turn, turns[call.turn]), call.block, name)
        if call.result is not None and turns[call.result].tool_call_id != name:
            changed[call.result] = replace(turns[call.result], tool_call_id=name)
    return (tuple(changed.get(at, turn) for at, turn in enumerate(turns)), replaced) if changed else (turns, replaced)


def _names(made: Sequence[Call], rules: IdRules) -> list[str]:
    """The id to send for each call. It depends on the calls before it alone."""
    used: set[str] = set()
    names: list[str] = []
    places: dict[int, list[Call]] = {}
    for call in made:
        place = places.setdefault(call.turn, [])
        raw = call.id
        if not raw:
            place.append(call)
            raw = f"call {len(places)}.{len(place)}"
        name = raw if call.own or (call.id and rules.accepts(raw)) else rules.hashed(raw)
        again = 1
        while name in used and not call.own:
            again += 1
            name = rules.hashed(f"{raw}#{again}")
        used.add(name)
        names.append(name)
    return names


def _renamed(turn: Turn, index: int, name: str) -> Turn:
    block = turn.blocks[index]
    if "value" in block:
        value = block["value"]
        changed: Block = {**block, "value": {**value, CALL_ID_KEYS[value["type"]]: name}}
    else:
        changed = {**block, "id": name}
    return replace(turn, blocks=(*turn.blocks[:index], changed, *turn.blocks[index + 1 :]))


# --- places -----------------------------------------------------------------------------------------------------------


def in_order(turns: Sequence[Turn], calls: Calls, added: Mapping[int, Sequence[Turn]]) -> tuple[Turn, ...]:
    """The turns with every result directly after its call's turn, then the turns that are `added` to it.

    Results of one turn keep their order.
    """
    after: dict[int, list[int]] = {}
    for call in calls.made:
        if call.result is not None:
            after.setdefault(call.turn, []).append(call.result)
    moved = {at for results in after.values() for at in results}
    order: list[Turn] = []
    for at, turn in enumerate(turns):
        if at not in moved:
            order.append(turn)
            order.extend(turns[result] for result in sorted(after.get(at, ())))
            order.extend(added.get(at, ()))
    return tuple(order)


def misplaced(calls: Calls) -> list[Call]:
    """The calls whose results do not stand directly after the call's turn and its other results."""
    homes = {call.result: call.turn for call in calls.made if call.result is not None}
    return [
        call
        for call in calls.made
        if call.result is not None
        and (call.result < call.turn or any(homes.get(at) != call.turn for at in range(call.turn + 1, call.result)))
    ]
