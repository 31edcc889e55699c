"""Arguments of a call go back to OpenAI byte for byte, whatever JSON would make of them, unless they were changed."""

from __future__ import annotations

import json
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.load import dumps, loads
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    message_chunk_to_message,
)

from langchain_unified.messages.turns import turns
from langchain_unified.request import Profile, Request, WireName
from langchain_unified.wires import WIRES
from tests.support.histories import repair

ARGUMENTS = {
    "a raw line break": '{"a": "one\ntwo"}',
    "a raw tab": '{"a":"one\ttwo"}',
    "spaces": '{ "a" : 1 }',
    "escapes": '{"a":"\\u00e4"}',
    "an exponent": '{"a":1e2}',
    "a repeated key": '{"a":1,"a":2}',
    "compact": '{"a":[1,"ä"]}',
    "none": "",
}
each = pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
wires = pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
streams = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def chat_call(arguments: str, **more: Any) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}, **more}


def chat_reply(arguments: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "tool_calls": [chat_call(arguments)]}
    return {"id": "r", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}


def chat_events(arguments: str) -> list[dict[str, Any]]:
    half = len(arguments) // 2
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "tool_calls": [chat_call(arguments[:half], index=0)]},
        {"tool_calls": [{"index": 0, "function": {"arguments": arguments[half:]}}]},
    ]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    return [{"id": "r", "model": "m", "choices": [choice]} for choice in choices]


def responses_call(arguments: str) -> dict[str, Any]:
    return {"id": "fc_1", "type": "function_call", "status": "completed", "arguments": arguments, "call_id": "call_1",
            "name": "f"}  # fmt: skip


def responses_reply(arguments: str) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "status": "completed", "model": "m",
            "output": [responses_call(arguments)]}  # fmt: skip


def responses_events(arguments: str) -> list[dict[str, Any]]:
    half = len(arguments) // 2
    place = {"item_id": "fc_1", "output_index": 0}
    pieces = [{"type": "response.function_call_arguments.delta", **place, "delta": piece}
              for piece in (arguments[:half], arguments[half:]) if piece]  # fmt: skip
    started = {**responses_call(""), "status": "in_progress"}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": started},
        *pieces,
        {"type": "response.output_item.done", "output_index": 0, "item": responses_call(arguments)},
        {"type": "response.completed", "response": responses_reply(arguments)},
    ]


REPLIES = {"openai_chat": chat_reply, "openai_responses": responses_reply}
EVENTS = {"openai_chat": chat_events, "openai_responses": responses_events}


def message_of(wire: WireName, arguments: str, *, stream: bool) -> AIMessage:
    if not stream:
        return WIRES[wire].decode(REPLIES[wire](arguments))[0]
    decoder = WIRES[wire].stream_decoder(False)
    chunks = [chunk for event in EVENTS[wire](arguments) for chunk in decoder.feed(event)] + list(decoder.end())
    total: AIMessageChunk = reduce(add, chunks)
    found = message_chunk_to_message(total)
    assert isinstance(found, AIMessage)
    return found


def sent(wire: WireName, message: AIMessage) -> str:
    """The arguments that go out when the message is answered."""
    history: list[BaseMessage] = [HumanMessage("hi"), message, ToolMessage("18", tool_call_id="call_1")]
    found, _ = repair(turns(history, wire), wire=wire, profile=Profile())
    body = WIRES[wire].encode(Request("m", found)).body
    if wire == "openai_chat":
        return str(body["messages"][1]["tool_calls"][0]["function"]["arguments"])
    return str(next(item["arguments"] for item in body["input"] if item.get("type") == "function_call"))


@wires
@streams
@each
def test_arguments_go_back_byte_for_byte(wire: WireName, stream: bool, arguments: str):
    message = message_of(wire, arguments, stream=stream)
    assert message.tool_calls[0]["args"] == (json.loads(arguments, strict=False) if arguments else {})
    expected = arguments or ("{}" if wire == "openai_chat" else "")
    assert sent(wire, message) == expected
    stored = loads(dumps(message), allowed_objects=[AIMessage])
    assert sent(wire, stored) == expected


@wires
@streams
def test_changed_arguments_are_sent_as_they_were_changed(wire: WireName, stream: bool):
    message = message_of(wire, '{ "a" : "one\ntwo" }', stream=stream)
    edited = message.model_copy(update={"tool_calls": [{**message.tool_calls[0], "args": {"a": "three"}}]})
    assert json.loads(sent(wire, edited)) == {"a": "three"}


@streams
def test_compact_arguments_leave_nothing_beside_the_call(stream: bool):
    message = message_of("openai_chat", ARGUMENTS["compact"], stream=stream)
    assert message.additional_kwargs == {}
    spaced = message_of("openai_chat", ARGUMENTS["spaces"], stream=stream)
    assert spaced.additional_kwargs == {"raw_arguments": {"call_1": ARGUMENTS["spaces"]}}
