"""The tool calls of an assistant message: which it makes, and the blocks that stand for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.messages.blocks import normalise_result, parsed_call
from langchain_unified.messages.cache_marks import mark_last, marked
from langchain_unified.messages.json_text import json_object, plain_value
from langchain_unified.request.blocks import (
    Block,
    InvalidToolCallBlock,
    JsonObject,
    ToolCallBlock,
    ToolResultBlock,
    build,
    changed,
    raw_value,
)

# --- blocks that make a call ------------------------------------------------------------------------------------------

CALL_ID_KEYS: Mapping[str, str] = {
    "tool_use": "id",
    "function_call": "call_id",
    "custom_tool_call": "call_id",
    # LangChain's, which core's translators wrap where they expect a provider's blocks.
    "tool_call": "id",
    "invalid_tool_call": "id",
    "tool_call_chunk": "id",
}
"""Block types that make a call to one of the caller's tools -> the key of the call's id."""


def makes_call(block: Block) -> bool:
    """Whether a block is a call to one of the caller's tools."""
    if block["type"] == "native" or block["type"] == "foreign":
        return raw_value(block).get("type") in CALL_ID_KEYS
    return block["type"] == "tool_call" or block["type"] == "invalid_tool_call"


def call_id_of(block: Block) -> str | None:
    """The id of the client tool call that a block makes; `None` when it makes none, or one without an id."""
    if not makes_call(block):
        return None
    if block["type"] == "tool_call" or block["type"] == "invalid_tool_call":
        return block.get("id") or None
    value = raw_value(block)
    return value.get(CALL_ID_KEYS[value["type"]]) or None


def has_broken_arguments(block: Block) -> bool:
    """Whether a block is a call whose arguments are no JSON object."""
    if block["type"] == "native" and block["value"].get("type") == "function_call":
        return json_object(block["value"].get("arguments") or "{}") is None
    return block["type"] == "invalid_tool_call"


CUSTOM_ARGUMENT = "__arg1"
"""LangChain's name for the input of a tool that takes one text: `args={"__arg1": "…"}`."""

RAW_ARGUMENTS = "raw_arguments"
"""Key in `additional_kwargs`: call id -> its arguments as the API sent them, where compact JSON is another text."""

# --- calls that only the content has ----------------------------------------------------------------------------------


def with_listed_calls(message: AIMessage) -> AIMessage:
    """The message with the calls of its content in `tool_calls` and `invalid_tool_calls`, where it lists none.

    The same object where it makes none. A call in the content is then like any other on every wire, and one whose
    arguments are no JSON object stays an invalid call.
    """
    if message.tool_calls or message.invalid_tool_calls:
        return message
    items = message.content if isinstance(message.content, list) else ()
    found = [_call_in(item) for item in items if isinstance(item, dict) and item.get("type") in CALL_ID_KEYS]
    legacy = message.additional_kwargs.get("function_call")
    if isinstance(legacy, dict):
        # The deprecated form has no id: its result, a function message, names the function.
        found.append(_call_in({"type": "function_call", "call_id": legacy.get("name") or "", **legacy}))
    if not found:
        return message
    valid = [call for call in found if call["type"] == "tool_call"]
    invalid = [call for call in found if call["type"] == "invalid_tool_call"]
    return message.model_copy(update={"tool_calls": valid, "invalid_tool_calls": invalid})


def _call_in(item: Mapping[str, Any]) -> ToolCallBlock | InvalidToolCallBlock:
    """The call that a content block makes, in LangChain's form. `item` may be of either provider's or LangChain's."""
    call_id, name = item.get(CALL_ID_KEYS[item["type"]]), item.get("name") or ""
    if item["type"] in ("invalid_tool_call", "tool_call_chunk"):
        return {"type": "invalid_tool_call", "id": call_id, "name": item.get("name"), "args": item.get("args")}
    arguments: Any = next((item[key] for key in ("input", "partial_json", "arguments", "args") if item.get(key)), {})
    if item["type"] == "custom_tool_call":
        arguments = {CUSTOM_ARGUMENT: arguments or ""}
    if isinstance(arguments, dict):
        return {"type": "tool_call", "id": call_id, "name": name, "args": arguments}
    return parsed_call(call_id, name, arguments if isinstance(arguments, str) else json.dumps(arguments))


# --- calls as the message lists them ----------------------------------------------------------------------------------


def follow_tool_calls(blocks: list[Block], message: AIMessage) -> list[Block]:
    """The blocks of a message, changed so that they make exactly the calls that it lists.

    Callers edit `message.tool_calls`: blocks get its names and arguments, calls without a block are added, and blocks
    whose call is not listed are left out. A message that lists no calls keeps its blocks.
    """
    calls, broken = _by_id(message.tool_calls), _by_id(message.invalid_tool_calls)
    if not calls and not broken:
        return blocks
    result: list[Block] = []
    # A call that the same reply answers is not listed: nobody has to run it.
    answered = {raw_value(block).get("call_id") for block in blocks if _is_output(block)} - {None}
    for block in blocks:
        call_id = call_id_of(block)
        if not makes_call(block) or (call_id in answered and call_id not in calls):
            result.append(block)
        elif calls.get(call_id):
            result.append(_as_call(block, calls[call_id].pop(0)))
        elif broken.get(call_id):
            result.append(_as_invalid_call(block, broken[call_id].pop(0)))
        elif result:
            # The caller removed this call from `tool_calls`. Its mark moves to the block before it.
            result = mark_last(result, block.get("mark"))
    result.extend(_call_block(call) for same in calls.values() for call in same)
    # A call that is listed as valid and as invalid is the valid one. Calls without an id all stay.
    listed = {*calls, *answered}
    rest = [call for same in broken.values() for call in same if not call["id"] or call["id"] not in listed]
    result.extend(map(_invalid_call_block, rest))
    return result


def _is_output(block: Block) -> bool:
    return str(raw_value(block).get("type")).endswith("_output")


def with_raw_arguments(blocks: list[Block], message: AIMessage) -> list[Block]:
    """The calls with their arguments byte for byte as Chat Completions sent them, in `extras`."""
    raw = message.additional_kwargs.get(RAW_ARGUMENTS)
    if not isinstance(raw, dict):
        return blocks
    return [
        changed(block, extras={RAW_ARGUMENTS: raw[block["id"]]})
        if block["type"] == "tool_call" and block["id"] in raw
        else block
        for block in blocks
    ]


def _by_id(calls: Sequence[Mapping[str, Any]]) -> dict[str | None, list[Any]]:
    """The calls by id, in order. Some servers give one id to several calls, or none."""
    found: dict[str | None, list[Any]] = {}
    for call in calls:
        found.setdefault(call["id"] or None, []).append(call)
    return found


def _call_block(call: Mapping[str, Any]) -> ToolCallBlock:
    return {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}


def _invalid_call_block(call: Mapping[str, Any]) -> InvalidToolCallBlock:
    return {"type": "invalid_tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}


def _as_call(block: Block, call: Mapping[str, Any]) -> Block:
    """The block of a call with the name and the arguments that the message lists."""
    if block["type"] == "native":
        return changed(block, value=_updated(block["value"], call))
    if block["type"] == "foreign":
        return marked(_call_block(call), block.get("mark"))
    return build(ToolCallBlock, **{**block, "type": "tool_call", "name": call["name"], "args": call["args"]})


def _updated(value: JsonObject, call: Mapping[str, Any]) -> JsonObject:
    """A provider's call with the listed name and arguments; the same object where they do not differ."""
    name, args = call["name"], call["args"]
    if value["type"] == "tool_use" and (value.get("input") != args or value.get("name") != name):
        return {**value, "name": name, "input": args}
    if value["type"] == "function_call":
        given = json_object(value.get("arguments") or "{}")
        if given != args or value.get("name") != name:
            return {**value, "name": name, "arguments": json.dumps(args, ensure_ascii=False, default=plain_value)}
    return value


def _as_invalid_call(block: Block, call: Mapping[str, Any]) -> Block:
    if block["type"] == "native" and block["value"]["type"] != "tool_use":
        return block
    return marked(_invalid_call_block(call), block.get("mark"))


def tool_result_in(block: Block) -> ToolResultBlock | None:
    """An item of the Responses API that answers a call, as a `tool_result`; `None` for any other block."""
    value = raw_value(block)
    if value.get("type") not in ("function_call_output", "custom_tool_call_output"):
        return None
    output = value.get("output")
    items = [output] if isinstance(output, str) and output else output if isinstance(output, list) else []
    result: ToolResultBlock = {
        "type": "tool_result",
        "tool_call_id": value.get("call_id", ""),
        "content": tuple(normalise_result(item, "openai_responses") for item in items),
        "is_error": False,
        "options": {"type": value["type"]},
    }
    return marked(result, block.get("mark"))
