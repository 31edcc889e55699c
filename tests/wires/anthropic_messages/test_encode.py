"""The Messages wire: turns become messages, and the whole body."""

from __future__ import annotations

import copy
from types import ModuleType

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.errors import InvalidHistoryError, UnsupportedContentError
from langchain_unified.request import OutputFormat, ToolChoice
from langchain_unified.wires.anthropic_messages import WIRE
from tests.wires.anthropic_messages.helpers import (
    ADAPTIVE,
    EPHEMERAL,
    HI,
    TOOL,
    encode,
    request,
    sent,
    text,
    user,
    whats,
)

# --- messages ---------------------------------------------------------------------------------------------------------


def test_smallest_body():
    encoded = encode(HumanMessage("hi"))
    assert encoded.body == HI
    assert (dict(encoded.headers), encoded.adjustments) == ({}, ())


def test_stream_is_said_in_the_body():
    assert encode(HumanMessage("hi"), stream=True).body == {**HI, "stream": True}


def test_system_is_a_string_or_blocks():
    one = encode(SystemMessage("be brief"), HumanMessage("hi")).body
    two = encode(SystemMessage("be brief"), SystemMessage("be kind"), HumanMessage("hi")).body
    marked = SystemMessage([{**text("be brief"), "cache_control": EPHEMERAL}])
    assert one["system"] == "be brief"
    assert two["system"] == [text("be brief"), text("be kind")]
    assert encode(marked, HumanMessage("hi")).body["system"] == [{**text("be brief"), "cache_control": EPHEMERAL}]


def test_raw_text_in_a_system_message_is_text():
    raw = SystemMessage([{"type": "non_standard", "value": text("be brief")}])
    assert encode(raw, HumanMessage("hi")).body == {**HI, "system": "be brief"}


def test_the_callers_own_system_stands_first():
    body = encode(SystemMessage("be brief"), HumanMessage("hi"), native={"system": "first"}).body
    assert body["system"] == [text("first"), text("be brief")]
    assert encode(HumanMessage("hi"), native={"system": [text("alone")]}).body["system"] == "alone"


def test_later_system_message_stays_where_the_model_takes_it():
    messages = (HumanMessage("hi"), AIMessage("hello"), HumanMessage("more"), SystemMessage("now in French"))
    encoded = encode(*messages, profile=ADAPTIVE)
    assert encoded.body["messages"][-1] == {"role": "system", "content": [text("now in French")]}
    assert encoded.adjustments == ()


def test_later_system_message_is_folded_with_a_word_on_the_cache():
    encoded = encode(SystemMessage("s"), HumanMessage("hi"), SystemMessage("now in French"), HumanMessage("more"))
    assert encoded.body["system"] == [text("s"), text("now in French")]
    assert encoded.body["messages"] == [{"role": "user", "content": [text("hi"), text("more")]}]
    assert whats(encoded) == ["system message 2"]
    assert encode(HumanMessage("hi"), SystemMessage(" ")).adjustments == ()
    assert "changes the cached prefix" in encoded.adjustments[0]["why"]


def test_changes_of_tools_stay_in_their_message_on_any_model():
    change = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}}
    encoded = encode(HumanMessage("hi"), SystemMessage([change]))
    assert encoded.body["messages"][-1] == {"role": "system", "content": [change]}
    assert encoded.headers["anthropic-beta"] == "mid-conversation-tool-changes-2026-07-01"
    inline = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {"name": "f"}}}
    assert encode(HumanMessage("hi"), SystemMessage([inline])).headers["anthropic-beta"] == "inline-tools-2026-09-15"


def test_turns_of_one_role_are_one_message():
    call = AIMessage("", tool_calls=[{"id": "a", "name": "f", "args": {}}, {"id": "b", "name": "f", "args": {}}])
    found = sent(
        HumanMessage("hi"),
        call,
        ToolMessage("1", tool_call_id="a"),
        ToolMessage("2", tool_call_id="b"),
        HumanMessage("so?"),
    )
    assert [message["role"] for message in found] == ["user", "assistant", "user"]
    assert [block["type"] for block in found[2]["content"]] == ["tool_result", "tool_result", "text"]
    answers = sent(HumanMessage("a"), AIMessage("b"), AIMessage("c"), HumanMessage("d"))
    assert [len(message["content"]) for message in answers] == [1, 2, 1]


@pytest.mark.parametrize("empty", ["", "  \n"])
def test_empty_text_is_left_out(empty: str):
    assert user(text(empty), text("hi")) == [text("hi")]
    assert sent(HumanMessage("hi"), AIMessage(empty), HumanMessage("more")) == [
        {"role": "user", "content": [text("hi"), text("more")]}
    ]


def test_empty_human_message_is_left_out_and_said():
    encoded = encode(HumanMessage(""), HumanMessage("hi"))
    assert encoded.body == HI
    assert whats(encoded) == ["message 0 (user)"]


def test_a_message_is_needed():
    for messages in ((SystemMessage("s"),), (SystemMessage("s"), HumanMessage(" "))):
        with pytest.raises(InvalidHistoryError, match="Add a human message"):
            encode(*messages)


def test_prefill_loses_its_trailing_whitespace():
    encoded = encode(HumanMessage("hi"), AIMessage("\nThe answer is: \n"))
    assert encoded.body["messages"][-1]["content"] == [text("\nThe answer is:")]
    assert whats(encoded) == ["trailing whitespace"]
    assert encode(HumanMessage("hi"), AIMessage("The answer is:")).adjustments == ()


def test_prefill_is_refused_where_the_model_refuses_it():
    with pytest.raises(UnsupportedContentError, match="Add a human message"):
        encode(HumanMessage("hi"), AIMessage("The answer is:"), profile=ADAPTIVE)


def test_a_paused_turn_is_no_prefill():
    content = [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}, text("Let me see. ")]
    paused = AIMessage(content, response_metadata={"model_provider": "anthropic"})
    assert sent(HumanMessage("hi"), paused, profile=ADAPTIVE)[-1]["content"] == content


def test_inputs_are_not_changed():
    message = HumanMessage(
        [{**text("hi"), "cache_control": EPHEMERAL}, {"type": "image", "url": "https://x.test/a.png"}]
    )
    reply = AIMessage([{"type": "text", "text": "so "}], response_metadata={"model_provider": "anthropic"})
    given_request = request(
        message,
        reply,
        native={"output_config": {"effort": "low"}},
        output=OutputFormat("json_schema", {"type": "object"}),
    )
    before = copy.deepcopy(given_request)
    WIRE.encode(given_request)
    assert given_request == before


# --- counting ---------------------------------------------------------------------------------------------------------


def test_count_body_has_only_what_counts(oracle: ModuleType):
    encoded = WIRE.encode_count(
        request(
            SystemMessage("s"),
            HumanMessage("hi"),
            params={"max_tokens": 0, "temperature": 0.5, "stop": ["x"], "thinking": {"type": "adaptive"}, "user": "u"},
            tools=(TOOL,),
            tool_choice=ToolChoice("auto"),
            native={
                "container": "c",
                "cache_control": EPHEMERAL,
                "mcp_servers": [{"type": "url", "name": "m", "url": "u"}],
            },
            stream=True,
        )
    )
    assert set(encoded.body) == {
        "model", "messages", "system", "tools", "tool_choice", "thinking", "cache_control", "mcp_servers",
    }  # fmt: skip
    assert encoded.headers == {"anthropic-beta": "mcp-client-2025-11-20"}
    assert oracle.validate("anthropic-beta-count", encoded.body) == []
    assert WIRE.count_path == "/v1/messages/count_tokens"
