"""The Messages wire: replies that are decoded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified.errors import ReplyError
from langchain_unified.wires.anthropic_messages import WIRE
from tests.support.replies import NO_DETAILS
from tests.wires.anthropic_messages.helpers import REPLY, USE, text


def reply(**changes: Any) -> AIMessage:
    return WIRE.decode({**REPLY, **changes})[0]


def test_smallest_reply():
    message = reply()
    assert (message.content, message.id, message.response_metadata["id"]) == ("hello", None, "msg_1")
    assert message.usage_metadata == {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8, **NO_DETAILS}
    assert message.response_metadata == {
        "model_provider": "anthropic",
        "model_name": "claude-test",
        "model": "claude-test",
        "id": "msg_1",
        "finish_reason": "stop",
        "stop_reason": "end_turn",
        "service_tier": "standard",
        "usage": REPLY["usage"],
    }


def test_input_tokens_are_all_that_went_in():
    usage = {
        "input_tokens": 3,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    assert reply(usage=usage).usage_metadata == {
        "input_tokens": 153,
        "output_tokens": 5,
        "total_tokens": 158,
        "input_token_details": {"cache_read": 100, "cache_creation": 50},
        "output_token_details": {"reasoning": 4},
        "cache_creation_details": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    }
    assert reply(usage=None).usage_metadata is None


@pytest.mark.parametrize(
    "raw, common",
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "context_window"),
        ("pause_turn", "pause"),
        ("compaction", "pause"),
        ("refusal", "refusal"),
        ("next_reason", "other"),
    ],
)
def test_finish_reasons(raw: str, common: str):
    found = reply(stop_reason=raw).response_metadata
    assert (found["stop_reason"], found["finish_reason"]) == (raw, common)


def test_whatever_else_a_reply_says_is_kept():
    said_too = {"stop_sequence": "END", "stop_details": {"type": "refusal"}, "container": {"id": "c"}, "tomorrow": [1]}
    assert {key: reply(**said_too).response_metadata[key] for key in said_too} == said_too


def test_tool_calls_of_a_reply():
    message = reply(content=[text("so"), USE], stop_reason="tool_use")
    assert message.content == [text("so"), USE]
    assert message.tool_calls == [{"type": "tool_call", "id": "a", "name": "f", "args": {"x": 1}}]
    assert message.invalid_tool_calls == []


@pytest.mark.parametrize("stop_reason", ["max_tokens", "model_context_window_exceeded", "refusal"])
def test_a_cut_call_is_never_offered_as_valid(stop_reason: str):
    message = reply(content=[{**USE, "id": "whole"}, USE], stop_reason=stop_reason)
    assert [call["id"] for call in message.tool_calls] == ["whole"]
    assert [(call["id"], call["args"]) for call in message.invalid_tool_calls] == [("a", '{"x": 1}')]
    whole = reply(content=[USE, text("and")], stop_reason=stop_reason)
    assert [call["id"] for call in whole.tool_calls] == ["a"]


def test_arguments_that_are_no_object():
    message = reply(content=[{**USE, "input": "x"}, {**USE, "id": "b", "input": [1]}], stop_reason="tool_use")
    assert message.tool_calls == []
    assert [(call["id"], call["args"]) for call in message.invalid_tool_calls] == [("a", "x"), ("b", "[1]")]


def test_unknown_blocks_are_kept_whole():
    blocks = [{"type": "hologram", "pixels": {"deep": [1, 2]}}, text("a")]
    assert reply(content=blocks).content == blocks


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"content": None},
        {"content": "hello"},
        {"content": ["hello"]},
        {"content": [{"text": "x"}]},
        {"choices": []},
        [],
    ],
    ids=json.dumps,
)
def test_replies_of_another_shape(broken: Any):
    with pytest.raises(ReplyError, match="The reply"):
        WIRE.decode(broken)
