"""The calls that an assistant message makes: its blocks follow `message.tool_calls`, which callers edit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_unified.messages.blocks import loads, normalise
from langchain_unified.messages.cache_marks import marked_end
from langchain_unified.request import Block


def with_tool_calls(blocks: list[Block], message: AIMessage) -> list[Block]:
    """`message.tool_calls` is what counts: callers edit it. Blocks follow it, and calls without a block are added."""
    calls, broken = _by_id(message.tool_calls), _by_id(message.invalid_tool_calls)
    if not calls and not broken:
        return blocks
    result: list[Block] = []
    for block in blocks:
        call_id = call_id_of(block)
        if not makes_call(block):
            result.append(block)
        elif calls.get(call_id):
            result.append(_follow(block, calls[call_id].pop(0)))
        elif broken.get(call_id):
            result.append(_follow_broken(block, broken[call_id].pop(0)))
        elif result:
            # The caller took this call out of `tool_calls`, so it is not sent either; what it marked ends before it.
            result = marked_end(result, block.get("mark"))
    result.extend(_call_block("tool_call", call) for same in calls.values() for call in same)
    result.extend(_call_block("invalid_tool_call", call) for same in broken.values() for call in same)
    return result


def _by_id(calls: Sequence[Mapping[str, Any]]) -> dict[str | None, list[Any]]:
    """The calls by id, in order. Some servers give one id to several calls, or none."""
    found: dict[str | None, list[Any]] = {}
    for call in calls:
        found.setdefault(call["id"] or None, []).append(call)
    return found


def _call_block(kind: str, call: Mapping[str, Any]) -> Block:
    return {"type": kind, "id": call["id"], "name": call["name"], "args": call["args"]}


def makes_call(block: Block) -> bool:
    """Whether a block is a call to one of the caller's tools."""
    if block["type"] in ("native", "foreign"):
        return isinstance(block["value"], Mapping) and block["value"].get("type") in CALL_ID_KEYS
    return block["type"] in ("tool_call", "invalid_tool_call")


def call_id_of(block: Block) -> str | None:
    """The id of the client tool call that a block makes; `None` when it makes none, or one without an id."""
    if not makes_call(block):
        return None
    holder, key = (block, "id") if "value" not in block else (block["value"], CALL_ID_KEYS[block["value"]["type"]])
    return cast("str | None", holder.get(key)) or None


CALL_ID_KEYS = {"tool_use": "id", "function_call": "call_id", "custom_tool_call": "call_id"}


def _follow(block: Block, call: Mapping[str, Any]) -> Block:
    if block["type"] == "foreign":
        return {**_mark(block), **_call_block("tool_call", call)}
    if block["type"] != "native":
        return {**block, "type": "tool_call", "name": call["name"], "args": call["args"]}
    value = block["value"]
    if value["type"] == "tool_use" and (value.get("input") != call["args"] or value.get("name") != call["name"]):
        return {**block, "value": {**value, "name": call["name"], "input": call["args"]}}
    if value["type"] == "function_call" and (
        loads(value.get("arguments") or "{}") != call["args"] or value.get("name") != call["name"]
    ):
        arguments = json.dumps(call["args"], ensure_ascii=False)
        return {**block, "value": {**value, "name": call["name"], "arguments": arguments}}
    return block


def _follow_broken(block: Block, call: Mapping[str, Any]) -> Block:
    if block["type"] == "native" and block["value"]["type"] != "tool_use":
        return block
    return {**_mark(block), **_call_block("invalid_tool_call", call)}


def _mark(block: Block) -> Block:
    return {"mark": block["mark"]} if "mark" in block else {}


def call_output(block: Block) -> Block | None:
    """The Responses item that answers a call, inside a user message, as a `tool_result`; `None` for anything else."""
    value = block.get("value")
    if not isinstance(value, Mapping) or value.get("type") not in ("function_call_output", "custom_tool_call_output"):
        return None
    output = value.get("output")
    items = [output] if isinstance(output, str) and output else output if isinstance(output, list) else []
    return {
        "type": "tool_result",
        "tool_call_id": value.get("call_id", ""),
        "content": tuple(normalise(item, "openai_responses") for item in items),
        "is_error": False,
        "options": {"type": value["type"]},
        **_mark(block),
    }
