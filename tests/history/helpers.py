"""What the tests of repaired histories share."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_unified.messages.turns import turns
from langchain_unified.request import Profile, Request, Turn
from langchain_unified.wires import WIRES
from tests.support.histories import repair

ALL = ("anthropic_messages", "openai_chat", "openai_responses")
each_wire = pytest.mark.parametrize("wire", ALL)
PLAIN = Profile()


def call(call_id: str | None, name: str = "f", **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


def asks(*ids: str | None, text: str = "") -> AIMessage:
    return AIMessage(text, tool_calls=[call(each) for each in ids])


def answer(call_id: str, text: str = "42", **fields: Any) -> ToolMessage:
    return ToolMessage(text, tool_call_id=call_id, **fields)


def repaired(wire: str, *messages: BaseMessage, profile: Profile = PLAIN, **options: Any) -> tuple[Any, list[str]]:
    found, adjustments = repair(turns(messages, wire), wire=wire, profile=profile, **options)
    return found, [each["what"] for each in adjustments]


def brief(found: Any) -> list[Any]:
    """A turn as (role, text) or (role, id, text) or (role, ids of calls)."""
    return [_brief(turn) for turn in found]


def _brief(turn: Turn) -> tuple[Any, ...]:
    text = "".join(block.get("text", "") for block in turn.blocks)
    calls = tuple(block["id"] for block in turn.blocks if block["type"].endswith("tool_call"))
    if turn.role == "tool":
        return "tool", turn.tool_call_id, text
    return (turn.role, *((text,) if text else ()), *calls)


def body(wire: str, found: Any, **fields: Any) -> dict[str, Any]:
    return WIRES[wire].encode(Request(model="m", turns=tuple(found), **fields)).body


UNRUN = "The tool was not run: this call has no result."

DIALECTS: dict[str, AIMessage] = {
    "tool_calls": AIMessage("", tool_calls=[call("c1", x=1)]),
    "anthropic": AIMessage([{"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}]),
    "responses": AIMessage([{"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'}]),
    "standard": AIMessage([{"type": "tool_call", "id": "c1", "name": "f", "args": {"x": 1}}]),
    "own anthropic": AIMessage(
        [{"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}],
        tool_calls=[call("c1", x=1)],
        response_metadata={"model_provider": "anthropic"},
    ),
    "own responses": AIMessage(
        [{"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'}],
        tool_calls=[call("c1", x=1)],
        response_metadata={"model_provider": "openai"},
    ),
    "broken": AIMessage(
        "", invalid_tool_calls=[{"name": "f", "args": '{"x', "id": "c1", "error": None, "type": "invalid_tool_call"}]
    ),
    "custom": AIMessage(
        [{"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "f", "input": "x"}],
        tool_calls=[call("c1", __arg1="x")],
        response_metadata={"model_provider": "openai"},
    ),
}
