"""Tool calls and their results: which belong together, their order, and their ids.

A result answers the nearest call before it that has its id and no result yet, else the first such call after it. Ids
that the API refuses, or that two calls share, are replaced by a hash of the id, so that a longer conversation gets the
same ids. Only the new id of a call without one depends on its position.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_unified.messages.tool_calls import CALL_ID_KEYS, call_id_of, makes_call
from langchain_unified.request import ToolSpec, Turn
from langchain_unified.request.blocks import Block, JsonObject, changed, raw_value

VALID_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def readable_name(name: str) -> str:
    """A name with `_` for each character that no API takes in the name of a tool."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name) or "unknown"


@dataclass(frozen=True, slots=True)
class IdRules:
    """The ids of tool calls, and the names of tools in them, that an API takes.

    `max_length` is in characters, `pattern` must match the whole id, and `prefix` begins the ids that are made here;
    without one they are letters and digits of this length.
    """

    max_length: int
    pattern: re.Pattern[str]
    prefix: str
    max_name_length: int = 64

    def accepts_name(self, name: str) -> bool:
        """Whether the API takes this name of a tool in a call."""
        return VALID_NAME.fullmatch(name) is not None and len(name) <= self.max_name_length

    def valid_name(self, name: str, taken: Container[str] = ()) -> str:
        """A name like the given one that the API takes and that is not `taken`, the same in any process."""
        readable = readable_name(name)
        if len(readable) <= self.max_name_length and readable not in taken:
            return readable
        start, attempt = readable[: self.max_name_length - 9].strip("_") or "tool", 0
        while True:
            text = f"{name}#{attempt}" if attempt else name
            found = f"{start}_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
            if found not in taken:
                return found
            attempt += 1

    def accepts(self, call_id: str) -> bool:
        """Whether the API takes this id."""
        return len(call_id) <= self.max_length and self.pattern.fullmatch(call_id) is not None

    def hashed(self, text: str) -> str:
        """An id made of a text, the same in any process."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.prefix}_{digest[:24]}" if self.prefix else digest[: self.max_length]


@dataclass(slots=True, eq=False)
class ToolCallRef:
    """A call in a list of turns: its turn and block, and the turn with its result (`None`: there is none).

    `provider_defined`: the call is to a tool that the provider defines (a computer, a shell), whose results have a form
    of their own. `answered_inline`: its result is an item inside a user or assistant turn.
    """

    turn: int
    block: int
    id: str
    name: str
    provider_defined: bool = False
    answered_inline: bool = False
    result: int | None = None


@dataclass(slots=True)
class Pairing:
    """The calls of a conversation in order, and the turns with a result that belongs to no call."""

    calls: list[ToolCallRef] = field(default_factory=list)
    strays: list[int] = field(default_factory=list)

    def unanswered(self) -> list[ToolCallRef]:
        """The calls without a result."""
        return [call for call in self.calls if call.result is None and not call.answered_inline]

    def misplaced(self) -> Iterator[tuple[ToolCallRef, int]]:
        """The calls whose result does not directly follow the call's turn and its other results, with that result."""
        callers = {call.result: call.turn for call in self.calls if call.result is not None}
        for call in self.calls:
            if call.result is None:
                continue
            between = range(call.turn + 1, call.result)
            if call.result < call.turn or any(callers.get(at) != call.turn for at in between):
                yield call, call.result


# --- which result answers which call ----------------------------------------------------------------------------------


def pair(turns: Sequence[Turn]) -> Pairing:
    """Every call, with its result."""
    inline = set(_answered_inline(turns))
    calls = [call for at, turn in enumerate(turns) if turn.role == "assistant" for call in _calls_of(turn, at)]
    for call in calls:
        call.answered_inline = bool(call.id) and call.id in inline
    index = _CallIndex(calls)
    results = [at for at, turn in enumerate(turns) if turn.role == "tool"]
    unmatched = [at for at in results if not index.answer(turns[at], at, after=False)]
    return Pairing(calls, [at for at in unmatched if not index.answer(turns[at], at, after=True)])


def _calls_of(turn: Turn, at: int) -> Iterator[ToolCallRef]:
    for index, block in enumerate(turn.blocks):
        if makes_call(block):
            name = block.get("name") or raw_value(block).get("name")
            yield ToolCallRef(at, index, call_id_of(block) or "", str(name))
        elif block["type"] == "native" and is_provider_defined(block["value"]):
            value = block["value"]
            call_id = str(value.get("call_id") or value.get("id"))
            yield ToolCallRef(at, index, call_id, str(value["type"]), provider_defined=True)


def is_provider_defined(value: Mapping[str, Any]) -> bool:
    """Whether a provider's item is a call that the caller answers with another item.

    A tool search is one only where the caller runs it.
    """
    client_search = value.get("type") == "tool_search_call" and value.get("execution") == "client"
    return value.get("type") in PROVIDER_DEFINED_CALLS or client_search


PROVIDER_DEFINED_CALLS = frozenset({"computer_call", "shell_call", "local_shell_call", "apply_patch_call",
                                    "mcp_approval_request"})  # fmt: skip


def _answered_inline(turns: Iterable[Turn]) -> Iterator[str]:
    """Ids of the calls that an item inside a user or assistant turn answers."""
    for turn in turns:
        for block in () if turn.role == "tool" else turn.blocks:
            value = {} if block["type"] == "foreign" else raw_value(block)
            if str(value.get("type")).endswith(("_output", "_approval_response")):
                yield from (str(value[key]) for key in ("call_id", "approval_request_id", "id") if value.get(key))


class _CallIndex:
    """The calls by id and by name."""

    def __init__(self, calls: Iterable[ToolCallRef]) -> None:
        self.by_id: dict[str, list[ToolCallRef]] = {}
        self.by_name: dict[str, list[ToolCallRef]] = {}
        for call in calls:
            self.by_id.setdefault(call.id, []).append(call)
            self.by_name.setdefault(call.name, []).append(call)

    def answer(self, turn: Turn, at: int, *, after: bool) -> bool:
        """Gives the result at `at` to a call before it (or after it); whether there was one."""
        key = turn.tool_call_id or ""
        fitting = _unanswered(self.by_id.get(key, ()), at, after=after)
        if not fitting and key and key == turn.name:  # a function message knows only the name
            fitting = _unanswered(self.by_name.get(key, ()), at, after=after)
        if not fitting:
            return False
        nearest = (min if after else max)(call.turn for call in fitting)
        next(call for call in fitting if call.turn == nearest).result = at
        return True


def _unanswered(calls: Iterable[ToolCallRef], at: int, *, after: bool) -> list[ToolCallRef]:
    return [call for call in calls if call.result is None and (call.turn > at if after else call.turn < at)]


# --- ids --------------------------------------------------------------------------------------------------------------


def with_valid_ids(turns: tuple[Turn, ...], rules: IdRules) -> tuple[tuple[Turn, ...], list[str]]:
    """The turns with ids that the API takes, each for one call only; and the ids that were replaced."""
    calls = pair(turns).calls
    new_turns: dict[int, Turn] = {}
    replaced: list[str] = []
    for call, new_id in zip(calls, _new_ids(calls, rules), strict=True):
        if new_id != call.id:
            replaced.append(call.id)
            new_turns[call.turn] = _with_id(new_turns.get(call.turn, turns[call.turn]), call.block, new_id)
        if call.result is not None and turns[call.result].tool_call_id != new_id:
            new_turns[call.result] = replace(turns[call.result], tool_call_id=new_id)
    if not new_turns:
        return turns, replaced
    return tuple(new_turns.get(at, turn) for at, turn in enumerate(turns)), replaced


def _new_ids(calls: Sequence[ToolCallRef], rules: IdRules) -> list[str]:
    """The id to send for each call. It depends only on the calls before it."""
    used: set[str] = set()
    ids: list[str] = []
    without_id: dict[int, list[ToolCallRef]] = {}
    for call in calls:
        same_turn = without_id.setdefault(call.turn, [])
        source = call.id
        if not source:
            same_turn.append(call)
            source = f"call {len(without_id)}.{len(same_turn)}"
        new_id = source if call.provider_defined or (call.id and rules.accepts(source)) else rules.hashed(source)
        attempt = 1
        while new_id in used and not call.provider_defined:
            attempt += 1
            new_id = rules.hashed(f"{source}#{attempt}")
        used.add(new_id)
        ids.append(new_id)
    return ids


def _with_id(turn: Turn, index: int, new_id: str) -> Turn:
    value = raw_value(turn.blocks[index])
    fields: JsonObject = {"value": {**value, CALL_ID_KEYS[value["type"]]: new_id}} if value else {"id": new_id}
    block = changed(turn.blocks[index], **fields)
    return replace(turn, blocks=(*turn.blocks[:index], block, *turn.blocks[index + 1 :]))


class SentNames:
    """The names of tools as the API takes them. Those of the call's tools are given, others are made as they come.

    A name that the API takes stays. Which name another one gets depends only on the tools and on the names before it.
    """

    def __init__(self, rules: IdRules, tools: Sequence[ToolSpec] = ()) -> None:
        self.rules = rules
        self.of_tools = {tool.caller_name: tool.name for tool in tools if tool.caller_name is not None}
        self.made: dict[str, str] = {}
        """The names that no tool of the call has -> what is sent for them."""
        self.taken = {tool.name for tool in tools}

    def sent(self, name: str) -> str:
        """The name to send for a name."""
        found = self.of_tools.get(name) or self.made.get(name)
        if found is not None or self.rules.accepts_name(name):
            return found or name
        found = self.made[name] = self.rules.valid_name(name, self.taken)
        self.taken.add(found)
        return found


def with_valid_names(turns: tuple[Turn, ...], names: SentNames) -> tuple[Turn, ...]:
    """The turns with names of tools that the API takes; the same object where they have no others."""
    new_turns = tuple(_with_valid_names(turn, names) for turn in turns)
    return turns if all(one is other for one, other in zip(new_turns, turns, strict=True)) else new_turns


def _with_valid_names(turn: Turn, names: SentNames) -> Turn:
    blocks = [_with_valid_name(block, names) for block in turn.blocks]
    return turn if all(one is other for one, other in zip(blocks, turn.blocks, strict=True)) else replace(
        turn, blocks=tuple(blocks))  # fmt: skip


def _with_valid_name(block: Block, names: SentNames) -> Block:
    value = raw_value(block)
    if makes_call(block):
        new_name = names.sent(called_name(block))
        if new_name == called_name(block):
            return block
        fields: JsonObject = {"value": {**value, "name": new_name}} if value else {"name": new_name}
        return changed(block, **fields)
    if block["type"] != "native" or not names.of_tools:
        return block
    # Claude's references to a tool: of a search that the caller runs, and in a change of the tools.
    if value.get("type") == "tool_reference" and value.get("tool_name") in names.of_tools:
        return changed(block, value={**value, "tool_name": names.of_tools[value["tool_name"]]})
    tool = value.get("tool")
    if isinstance(tool, dict) and tool.get("name") in names.of_tools:
        return changed(block, value={**value, "tool": {**tool, "name": names.of_tools[tool["name"]]}})
    return block


def called_name(block: Block) -> str:
    """The name of the tool that a block calls; empty where it names none."""
    name = raw_value(block).get("name") if raw_value(block) else block.get("name")
    return name if isinstance(name, str) else ""


# --- order ------------------------------------------------------------------------------------------------------------


def in_order(
    turns: Sequence[Turn], calls: Iterable[ToolCallRef], added: Mapping[int, Sequence[Turn]]
) -> tuple[Turn, ...]:
    """The turns with every result directly after its call's turn, then the turns that are `added` after that turn.

    Results of one turn keep their order.
    """
    results: dict[int, list[int]] = {}
    for call in calls:
        if call.result is not None:
            results.setdefault(call.turn, []).append(call.result)
    moved = {at for found in results.values() for at in found}
    ordered: list[Turn] = []
    for at, turn in enumerate(turns):
        if at not in moved:
            ordered.append(turn)
            ordered.extend(turns[result] for result in sorted(results.get(at, ())))
            ordered.extend(added.get(at, ()))
    return tuple(ordered)
