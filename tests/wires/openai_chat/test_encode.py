"""The Chat Completions wire: turns become messages."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.request import Profile, Turn
from langchain_unified.wires.openai_chat import WIRE
from tests.wires.openai_chat.helpers import CALL, sent


def test_roles_and_names():
    messages = (
        SystemMessage("S", name="boss"),
        SystemMessage("D", additional_kwargs={"__openai_role__": "developer"}),
        HumanMessage("U", name="ann"),
        HumanMessage("U2"),
        AIMessage("A", name="bot"),
        ToolMessage("T", tool_call_id="call_1", name="add"),
    )
    wanted = [
        {"role": "system", "content": "S", "name": "boss"},
        {"role": "developer", "content": "D"},
        {"role": "user", "content": "U", "name": "ann"},
        {"role": "user", "content": "U2"},
        {"role": "assistant", "content": "A", "name": "bot"},
        {"role": "tool", "tool_call_id": "call_1", "content": "T"},
    ]
    assert sent(*messages) == wanted
    assert sent(*messages, profile=Profile(reasoning=True))[0] == {"role": "developer", "content": "S", "name": "boss"}


def test_one_text_is_a_string_and_several_are_parts():
    two = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    for message in (HumanMessage, SystemMessage, AIMessage):
        assert sent(message(two[:1]))[0]["content"] == "a"
        assert sent(message(two))[0]["content"] == two
    assert sent(ToolMessage(two, tool_call_id="x"))[0]["content"] == two
    assert sent(HumanMessage(""))[0]["content"] == ""


def test_a_failed_tool_says_so():
    assert sent(ToolMessage("", tool_call_id="x", status="error"))[0]["content"] == "error"
    assert sent(ToolMessage("boom", tool_call_id="x", status="error"))[0]["content"] == "boom"


def test_an_assistant_turn_with_everything():
    turn = Turn(
        "assistant",
        (
            {"type": "reasoning", "reasoning": "secret"},
            {"type": "foreign", "value": {"type": "fallback"}},
            {"type": "text", "text": "Found", "annotations": [{"type": "citation"}]},
            {"type": "text-plain", "url": "https://x/y.txt"},
            {"type": "refusal", "refusal": "no"},
            {"type": "tool_call", "id": "call_1", "name": "add", "args": {"a": "ä", "b": [1, None]}},
            {"type": "invalid_tool_call", "id": "call_2", "name": "add", "args": '{"a'},
            {"type": "native", "value": {"type": "custom", "id": "c", "custom": {"name": "sql", "input": "x"}}},
        ),
    )
    function = {"name": "add", "arguments": '{"a":"ä","b":[1,null]}'}
    assert sent(turn) == [
        {
            "role": "assistant",
            "content": [{"type": "text", "text": text} for text in ("Found", "[text-plain: https://x/y.txt]")],
            "refusal": "no",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": function},
                {"id": "call_2", "type": "function", "function": {"name": "add", "arguments": '{"a'}},
                {"type": "custom", "id": "c", "custom": {"name": "sql", "input": "x"}},
            ],
        }
    ]


def test_calls_alone_have_no_content():
    message = AIMessage("", tool_calls=[{"id": "call_1", "name": "add", "args": {"a": 1}}])
    assert sent(message) == [{"role": "assistant", "tool_calls": [CALL]}]
    assert sent(AIMessage("")) == [{"role": "assistant", "content": ""}]


def test_the_record():
    assert (WIRE.name, WIRE.provider, WIRE.path) == ("openai_chat", "openai", "/chat/completions")
    assert (WIRE.count_path, WIRE.encode_count) == (None, None)
