"""Items inside user and tool messages.

The API has no content blocks for calls, outputs and tools: they are items beside the messages, some with a role. What a
user or a tool wrote must never become an instruction or a tool. A user message may hold outputs that answer a call, and
approvals; any other item is refused by name. In a tool message the item that answers its call stands for the result;
any other item is data, and goes out as JSON text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from langchain_unified.messages.json_text import data_text
from langchain_unified.request import Adjustment, JsonObject, Turn
from langchain_unified.request.blocks import Block, TextBlock, raw_value
from langchain_unified.wires._wire import cannot_carry
from langchain_unified.wires.openai_responses.assistant_tools import RESULT_TYPES
from langchain_unified.wires.openai_responses.blocks import WIRE, item_in

ANSWERS: Mapping[str, str] = {
    **RESULT_TYPES,
    "function_call": "function_call_output",
    "tool_search_call": "tool_search_output",
}
"""Type of a call -> type of the item that answers it."""

OUTPUTS = frozenset(ANSWERS.values())

APPROVAL = "mcp_approval_response"

REFUSED_KEYS = frozenset({"role", "content", "instructions"})
"""Keys that no output has: they are left out. `tools` is a key of a tool search's output alone."""


@dataclass(slots=True)
class Answers:
    """Which output answers which call. `server_state`: the server holds earlier turns, whose calls are not here."""

    server_state: bool = False
    types: dict[str, str] = field(default_factory=dict)
    """Call id -> the type of the item that answers it."""
    keys: dict[str, JsonObject] = field(default_factory=dict)
    """Call id -> keys of the call that must come back with its output."""

    def returned_keys(self, call_id: str) -> JsonObject:
        """The keys that the call's output must repeat."""
        return self.keys.get(call_id, {})

    def add_calls(self, items: Iterable[JsonObject]) -> None:
        """Notes the calls among the items of an assistant turn."""
        for item in items:
            kind = ANSWERS.get(str(item.get("type")))
            if kind is not None:
                call_id = str(item.get("call_id") or item.get("id"))
                self.types[call_id] = kind
                if found := _returned_keys(item):
                    self.keys[call_id] = found

    def output_type(self, turn: Turn) -> str:
        """The type of the item that carries a tool message: that of its call, else the message's `type`."""
        kind = self.types.get(turn.tool_call_id or "") or turn.options.get("type")
        return kind if kind in OUTPUTS and kind != "tool_search_output" else "function_call_output"


WITH_CALLER = frozenset({"function_call", "custom_tool_call", "shell_call", "apply_patch_call"})


def _returned_keys(call: JsonObject) -> JsonObject:
    """The program that made a call, and the limit of a shell call's output.

    Sources: the SDK's `caller` of the four outputs; `max_output_length` of `ShellCallOutput`: "must match the value in
    the shell call's action".
    """
    found: JsonObject = {}
    if call["type"] in WITH_CALLER and call.get("caller") is not None:
        found["caller"] = call["caller"]
    action = call.get("action")
    if call["type"] == "shell_call" and isinstance(action, Mapping) and action.get("max_output_length") is not None:
        found["max_output_length"] = action["max_output_length"]
    return found


def user_item(item: JsonObject, turn: Turn, answers: Answers) -> JsonObject:
    """An item of a user message. Raises `UnsupportedContentError` for one that is no output and no approval."""
    kind = item.get("type")
    if kind == APPROVAL:
        return _checked(item)
    if kind not in OUTPUTS:
        remedy = "No user message may hold it: move it to a system or assistant message, or send its content as text."
        raise cannot_carry({"type": str(kind)}, turn, WIRE, remedy)
    call_id = str(item.get("call_id") or item.get("id"))
    expected = answers.types.get(call_id)
    if expected != kind and (expected or (kind == "tool_search_output" and not answers.server_state)):
        raise cannot_carry({"type": kind}, turn, WIRE, f"It answers no call: no message before it calls {call_id!r}.")
    return _checked({**answers.returned_keys(call_id), **item})


def result_item(turn: Turn, answers: Answers) -> JsonObject | None:
    """The item that a tool message consists of, if it answers the message's call; `None` where it is data."""
    if len(turn.blocks) != 1:
        return None
    item = item_in(turn.blocks[0])
    kind = None if item is None else item.get("type")
    if item is None or kind not in OUTPUTS:
        return None
    call_id = turn.tool_call_id or ""
    given = item.get("call_id") or (item.get("id") if kind == "local_shell_call_output" else None)
    expected = answers.types.get(call_id)
    if expected is None:
        # The call is not here. A tool that knows its call's id is trusted with its output, not with new tools.
        expected = kind if given == call_id and kind != "tool_search_output" else turn.options.get("type")
    if kind != expected or given not in (None, call_id):
        return None
    if kind == "local_shell_call_output":
        return _checked(item)
    return _checked({**answers.returned_keys(call_id), "call_id": call_id, **item})


def _checked(item: JsonObject) -> JsonObject:
    refused = REFUSED_KEYS if item["type"] == "tool_search_output" else REFUSED_KEYS | {"tools"}
    return {key: value for key, value in item.items() if key not in refused}


def result_blocks(turn: Turn, adjustments: list[Adjustment]) -> list[Block]:
    """The blocks of a tool message, with items as JSON text."""
    return [block if item_in(block) is None else _as_text(block, turn, adjustments) for block in turn.blocks]


def _as_text(block: Block, turn: Turn, adjustments: list[Adjustment]) -> Block:
    value = raw_value(block)
    what = f"{value.get('type', 'a block without a type')} in message {turn.position} (tool)"
    why = "It does not answer the call: it is data, and was sent as JSON text."
    adjustments.append(Adjustment(what=what, why=why, lossless=True))
    text = TextBlock(type="text", text=data_text(value))
    if "mark" in block:
        text["mark"] = block["mark"]
    return text
