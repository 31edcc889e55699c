"""Chat Completions, the server side: replies and events that are rendered."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from langchain_core.messages import AIMessage

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires.openai_chat import WIRE
from langchain_unified.wires.openai_chat.serve import render_events, render_replies, render_reply
from tests.support.completions import TOKENS, call, of_type, text
from tests.support.strategies_openai_chat import COMPLETIONS
from tests.support.streams import chunks_of, total
from tests.wires.openai_chat.serve_helpers import HELLO, WITH_USAGE

# --- law 1: a reply and its stream say the same -----------------------------------------------------------------------


def streamed(completion: Completion, body: dict[str, Any]) -> AIMessage:
    return total(chunks_of(WIRE, render_events(completion, body), plain=True))


def whole(completion: Completion, body: dict[str, Any]) -> AIMessage:
    (message,) = WIRE.decode(render_reply(completion, body))
    return message


SQL = {"type": "custom", "custom": {"name": "sql"}}
ASKED = {**WITH_USAGE, "tools": [SQL]}


@given(COMPLETIONS)
@settings(max_examples=150)
@example(Completion("chatcmpl-1", "m", ()))
@example(Completion("chatcmpl-1", "m", (text(" \n"),)))
def test_a_reply_says_what_the_completion_says(completion):
    for message in (whole(completion, ASKED), streamed(completion, ASKED)):
        assert message.content == "".join(block["text"] for block in of_type(completion, "text"))
        assert message.additional_kwargs.get("refusal", "") == "".join(
            block["refusal"] for block in of_type(completion, "refusal")
        )
        assert [(made["id"], made["name"], made["args"]) for made in message.tool_calls] == [
            (made["id"], made["name"], made["args"]) for made in of_type(completion, "tool_call")
        ]
        broken = of_type(completion, "invalid_tool_call")
        assert [made["id"] for made in message.invalid_tool_calls] == [made["id"] for made in broken]
        # A stream seals what is broken.
        pairs = zip(message.invalid_tool_calls, broken, strict=True)
        assert all(found["args"].startswith(made["args"]) for found, made in pairs)
        check_usage(message, completion.tokens)
        check_metadata(message, completion)


def check_usage(message: AIMessage, tokens: Tokens) -> None:
    usage = message.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"]) == (tokens.input, tokens.output)
    details = usage["input_token_details"]
    assert (details["cache_read"], details.get("cache_creation", 0)) == (tokens.cache_read, tokens.cache_write)
    assert usage["output_token_details"]["reasoning"] == tokens.reasoning


def check_metadata(message: AIMessage, completion: Completion) -> None:
    metadata = message.response_metadata
    assert (metadata["id"], metadata["model_name"], metadata["created"]) == (
        completion.id,
        completion.model,
        completion.created,
    )
    said = {
        "stop": "stop",
        "tool_calls": "tool_calls",
        "length": "length",
        "content_filter": "content_filter",
        "refusal": "stop" if of_type(completion, "refusal") else "content_filter",
        "context_window": "length",
        "pause": "length",
    }
    raw = said.get(completion.finish_reason, "stop")
    assert metadata["stop_reason"] == raw
    called = of_type(completion, "tool_call", "invalid_tool_call")
    refused = of_type(completion, "refusal")
    assert metadata["finish_reason"] == (
        raw if raw != "stop" else "tool_calls" if called else "refusal" if refused else "stop"
    )


@given(COMPLETIONS)
@settings(max_examples=100)
def test_a_stream_sums_to_the_reply(completion):
    one, other = whole(completion, ASKED), streamed(completion, ASKED)
    names = ["content", "additional_kwargs", "tool_calls", "usage_metadata", "response_metadata", "id"]
    assert {name: getattr(other, name) for name in names} == {name: getattr(one, name) for name in names}


@given(COMPLETIONS)
@settings(max_examples=40)
def test_rendering_gives_the_same_twice_and_leaves_the_body_alone(completion):
    before = copy.deepcopy((completion, ASKED))
    assert render_reply(completion, ASKED) == render_reply(completion, ASKED)
    assert list(render_events(completion, ASKED)) == list(render_events(completion, ASKED))
    assert (completion, ASKED) == before


# --- the reply --------------------------------------------------------------------------------------------------------

HI = Completion("chatcmpl-1", "gpt-test-1", (text("Hi there"),), tokens=TOKENS, created=7)


def test_a_whole_reply():
    assert render_reply(HI, HELLO) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "gpt-test-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi there", "refusal": None, "annotations": []},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 15,
            "completion_tokens": 3,
            "total_tokens": 18,
            "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 1,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


def message_of(*blocks: dict[str, Any], body: dict[str, Any] = HELLO) -> dict[str, Any]:
    return render_reply(Completion("chatcmpl-1", "m", blocks), body)["choices"][0]["message"]


def test_calls_have_ids_and_compact_arguments():
    nameless = {**call("add", {"a": [1, "é"]}), "id": None}
    assert message_of(nameless, call("sql", {"__arg1": "SELECT 1"}), body=ASKED) == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {"id": "call_chatcmpl-1_0", "type": "function", "function": {"name": "add", "arguments": '{"a":[1,"é"]}'}},
            {"id": "call_1", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}},
        ],
        "annotations": [],
    }


def test_citations_are_places_in_the_whole_text():
    cited = {"type": "citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2, "cited_text": "b"}
    unsaid = {"type": "citation", "title": "a file"}
    message = message_of(text("abc"), text("abc", annotations=[cited, unsaid]))
    assert message["annotations"] == [
        {"type": "url_citation", "url_citation": {"start_index": 4, "end_index": 5, "title": "t", "url": "u"}}
    ]


def test_what_the_api_cannot_answer():
    assert message_of({"type": "reasoning", "reasoning": "hm"}, text("a"))["content"] == "a"
    for block in ({"type": "image", "url": "u"}, {"type": "native", "value": {"type": "thinking"}}):
        with pytest.raises(UnsupportedContentError, match="cannot answer with a"):
            message_of(block)


@pytest.mark.parametrize(
    "reason, blocks, raw",
    [
        ("refusal", (text("I will not."),), "content_filter"),
        ("refusal", ({"type": "refusal", "refusal": "No."},), "stop"),
        ("context_window", (), "length"),
        ("pause", (), "length"),  # a paused answer is not complete
        ("error", (), "stop"),
        ("tool_calls", (call("add", {}),), "tool_calls"),
    ],
)
def test_finish_reasons(reason, blocks, raw):
    completion = Completion("chatcmpl-1", "m", blocks, reason)
    assert render_reply(completion, HELLO)["choices"][0]["finish_reason"] == raw
    assert [event["choices"][0]["finish_reason"] for event in render_events(completion, HELLO)][-1] == raw


def test_several_answers_share_id_and_usage():
    second = Completion("chatcmpl-2", "m2", (text("Hello"),), "length", Tokens(uncached=99, output=4, reasoning=2))
    reply = render_replies([HI, second], {**HELLO, "n": 2})
    assert [choice["index"] for choice in reply["choices"]] == [0, 1]
    assert [choice["finish_reason"] for choice in reply["choices"]] == ["stop", "length"]
    assert (reply["id"], reply["model"]) == ("chatcmpl-1", "gpt-test-1")
    assert (reply["usage"]["prompt_tokens"], reply["usage"]["completion_tokens"]) == (15, 7)
    assert [message.content for message in WIRE.decode(reply)] == ["Hi there", "Hello"]


def test_the_tier_is_echoed():
    tiers = {None: "default", "auto": "default", "flex": "flex"}
    assert {asked: render_reply(HI, {**HELLO, "service_tier": asked})["service_tier"] for asked in tiers} == tiers


# --- the stream -------------------------------------------------------------------------------------------------------


def deltas(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    events = render_events(Completion("chatcmpl-1", "m", blocks), ASKED)
    return [choice["delta"] for event in events for choice in event["choices"]]


def test_the_events_of_a_text():
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "gpt-test-1"}
    head |= {"service_tier": "default", "system_fingerprint": None}
    quiet = {**WITH_USAGE, "stream_options": {"include_usage": True, "include_obfuscation": False}}

    def event(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}

    assert list(render_events(HI, quiet)) == [
        event({"role": "assistant", "content": "", "refusal": None}),
        event({"content": "Hi"}),
        event({"content": " there"}),
        event({}, "stop"),
        {**head, "choices": [], "usage": render_reply(HI, HELLO)["usage"]},
    ]


def test_usage_comes_only_when_asked_for():
    assert all("usage" not in event for event in render_events(HI, {**HELLO, "stream": True}))
    assert all(event["choices"] for event in render_events(HI, {**HELLO, "stream": True}))


def test_pieces_and_their_padding_have_one_size():
    sizes = {
        len(event["obfuscation"] + (event["choices"][0]["delta"].get("content") or ""))
        for event in render_events(HI, WITH_USAGE)
        if event["choices"]
    }
    assert sizes <= {0, 16}


def test_one_call_opens_with_the_message():
    opened = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": ""}}
    assert deltas(call("add", {"a": 1234567})) == [
        {"role": "assistant", "content": None, "refusal": None, "tool_calls": [opened]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1234567'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
        {},
    ]


def test_a_call_after_a_text_opens_by_itself():
    found = deltas(text("So"), call("add", {}))
    assert [list(delta) for delta in found] == [
        ["role", "content", "refusal"],
        ["content"],
        ["tool_calls"],
        ["tool_calls"],
        [],
    ]


def test_several_calls_open_by_themselves():
    found = deltas(text("So"), call("add", {}), call("sql", {"__arg1": "x"}, 2))
    assert found == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "So"},
        {
            "tool_calls": [
                {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, "id": "call_2", "type": "custom", "custom": {"name": "sql", "input": ""}}]},
        {"tool_calls": [{"index": 1, "custom": {"input": "x"}}]},
        {},
    ]
