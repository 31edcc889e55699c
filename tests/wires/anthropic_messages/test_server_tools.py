"""The Messages wire: calls of server tools and their results, and thinking that is bound to its conversation."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.profiles import profile_for
from langchain_unified.request import Request, Turn
from langchain_unified.wires.anthropic_messages import WIRE
from tests.wires.anthropic_messages.helpers import encode, text

USE = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "rome weather"}}
FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://example.org", "title": "E", "encrypted_content": "ENC"}],
}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
HI, BYE = Turn("user", (text("hi"),)), Turn("user", (text("bye"),))
RESULT = Turn("tool", (text("r"),), tool_call_id="toolu_1")


def native(*values: dict[str, Any]) -> Turn:
    return Turn("assistant", tuple({"type": "native", "value": value} for value in values), origin="anthropic_messages")


PAIRED = [
    (HI, native(USE, FOUND, text("a")), BYE),
    (HI, native(USE)),  # a paused turn that goes on
    (HI, native(USE, CALL), RESULT),
    (HI, native(USE, CALL), RESULT, native(FOUND, text("a")), BYE),
]


@pytest.mark.parametrize("turns", PAIRED)
def test_what_belongs_together_stays_as_it_is(turns: tuple[Turn, ...]):
    encoded = encode(*turns)
    written = [block for message in encoded.body["messages"] for block in message["content"]]
    assert [block for block in written if block["type"] in (USE["type"], FOUND["type"])] == [
        block["value"] for turn in turns for block in turn.blocks if block.get("value") in (USE, FOUND)
    ]
    assert encoded.adjustments == ()


def test_a_call_without_its_result_is_text_before_a_users_word():
    """lisette#108: `web_search` tool use was found without a corresponding `web_search_tool_result` block."""
    encoded = encode(HI, native(text("Let me see."), USE), BYE)
    texts = [block["text"] for block in encoded.body["messages"][1]["content"]]
    assert texts == ["Let me see.", "[web_search, not answered: rome weather]"]
    assert [item["what"] for item in encoded.adjustments] == ["server tools"]


def test_a_result_without_its_call_is_text():
    """claude-code#64383: each result must have a corresponding `server_tool_use` block before it."""
    (block, _) = encode(HI, native(FOUND, text("a")), BYE).body["messages"][1]["content"]
    assert block["type"] == "text"
    assert "https://example.org" in block["text"]
    assert "ENC" not in block["text"]


def test_a_call_forgets_the_code_that_is_no_longer_there():
    code = {"type": "server_tool_use", "id": "srvtoolu_2", "name": "code_execution", "input": {"code": "x"}}
    called = {**CALL, "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_2"}}
    assert encode(HI, native(code, called), RESULT).body["messages"][1]["content"] == [code, called]
    written = encode(HI, native(code, called), RESULT, BYE).body["messages"][1]["content"]
    assert [block["type"] for block in written] == ["text", "tool_use"]
    assert written[1] == CALL


# --- thinking ---------------------------------------------------------------------------------------------------------

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
DROP = {"prefix_mismatch_behavior": "drop_block"}


def thinking_of(model: str, *turns: Turn, **params: Any) -> Any:
    request = Request(model, turns, params=params, profile=profile_for("anthropic", model))  # type: ignore[arg-type]
    encoded = WIRE.encode(request)
    bound = "thinking-binding-controls-2026-08-01" in encoded.headers.get("anthropic-beta", "")
    assert bound is ("block_binding" in encoded.body.get("thinking", {}))
    return encoded.body.get("thinking")


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-1"])
def test_thinking_whose_conversation_has_changed_may_be_dropped(model: str):
    """pydantic-ai#7984, opencode#46653: a system prompt that changes gives a 400 on these models."""
    turns = (HI, native(THOUGHT, text("a")), BYE)
    assert thinking_of(model, *turns) == {"type": "adaptive", "block_binding": DROP}
    assert thinking_of(model, HI) is None
    given = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "error"}}
    assert thinking_of(model, *turns, thinking=given) == given


def test_other_models_and_calls_without_thinking_keep_theirs():
    turns = (HI, native(THOUGHT, text("a")), BYE)
    assert thinking_of("claude-opus-5", *turns) is None
    off = {"type": "between_tools"}
    assert thinking_of("claude-sonnet-5-5", *turns, thinking=off) == off
