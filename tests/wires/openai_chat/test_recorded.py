"""The Chat Completions wire on recorded traffic: replies, streams, and their replay."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified.wires.openai_chat import WIRE
from tests.support.corpus import label, needs_corpus, replies, sse_events, streams
from tests.support.streams import total
from tests.wires.openai_chat.helpers import body, facts, run


@needs_corpus
@pytest.mark.parametrize("exchange", replies("openai.chat"), ids=label)
def test_recorded_reply(exchange):
    whole = exchange["response"]["body"]
    choice, usage = whole["choices"][0], whole["usage"]
    (message,) = WIRE.decode(whole)
    assert message.content == (choice["message"]["content"] or "")
    wanted = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in choice["message"].get("tool_calls") or []
    ]
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == wanted
    assert message.invalid_tool_calls == []
    assert message.usage_metadata["input_tokens"] == usage["prompt_tokens"]
    assert message.usage_metadata["output_tokens"] == usage["completion_tokens"]
    assert message.usage_metadata["total_tokens"] == usage["total_tokens"]
    assert (
        message.usage_metadata["input_token_details"]["cache_read"] == usage["prompt_tokens_details"]["cached_tokens"]
    )
    reasoned = usage["completion_tokens_details"]["reasoning_tokens"]
    assert message.usage_metadata["output_token_details"]["reasoning"] == reasoned
    metadata = message.response_metadata
    assert metadata["stop_reason"] == choice["finish_reason"]
    assert metadata["finish_reason"] == ("tool_calls" if wanted else choice["finish_reason"])
    assert metadata["token_usage"] == usage
    assert "usage" not in metadata
    assert (metadata["model_provider"], metadata["model_name"]) == ("openai", whole["model"])
    assert (metadata["id"], message.id) == (whole["id"], None)
    assert metadata.get("moderation") == whole.get("moderation")


@needs_corpus
def test_the_corpus_is_whole():
    assert (len(replies("openai.chat")), len(streams("openai.chat"))) == (169, 83)


def whole_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The reply that a stream tells, put together without the decoder."""
    found: dict[str, Any] = {}
    message: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": []}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": None}
    for item in events:
        found |= {key: value for key, value in item.items() if value is not None and key != "choices"}
        for part in item["choices"]:
            choice["finish_reason"] = part["finish_reason"] or choice["finish_reason"]
            message["content"] += part["delta"].get("content") or ""
            for call in part["delta"].get("tool_calls") or []:
                if call["index"] == len(message["tool_calls"]):
                    message["tool_calls"].append(copy.deepcopy(call))
                else:
                    message["tool_calls"][call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    return {**found, "choices": [choice]}


@needs_corpus
@pytest.mark.parametrize("exchange", streams("openai.chat"), ids=label)
def test_recorded_stream_sums_to_the_whole(exchange):
    events = sse_events(exchange["response"]["sse"])
    chunks = run(events)
    assert facts(total(chunks)) == facts(WIRE.decode(whole_of(events))[0])
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]
    assert {chunk.id for chunk in chunks} == {None}
    assert chunks[-1].response_metadata["id"] == events[0]["id"]
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1


def results_for(message: AIMessage) -> list[ToolMessage]:
    calls = [*message.tool_calls, *message.invalid_tool_calls]
    return [ToolMessage("done", tool_call_id=call["id"]) for call in calls]


@needs_corpus
def test_recorded_replies_go_back_whole(oracle):
    messages = [WIRE.decode(exchange["response"]["body"])[0] for exchange in replies("openai.chat")]
    messages += [total(run(sse_events(exchange["response"]["sse"]))) for exchange in streams("openai.chat")]
    for message in messages:
        found = body(HumanMessage("Hi"), message, *results_for(message), HumanMessage("Go on"))
        assert oracle.validate("chat", found) == []
        said = found["messages"][1]
        assert said.get("content", "") == message.content
        calls = [
            (call["id"], call["function"]["name"], call["function"]["arguments"]) for call in said.get("tool_calls", [])
        ]
        assert [(key, name, json.loads(args)) for key, name, args in calls] == [
            (call["id"], call["name"], call["args"]) for call in message.tool_calls
        ]
