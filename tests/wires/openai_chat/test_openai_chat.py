"""The Chat Completions wire: bodies that go out, replies and streams that come in; recorded and generated traffic."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.errors import IncompleteStreamError, InvalidToolError, ReplyError, UnsupportedContentError
from langchain_unified.messages.turns import turns
from langchain_unified.request import (
    Dialect,
    Encoded,
    OutputFormat,
    Params,
    Profile,
    Request,
    ToolChoice,
    ToolSpec,
    Turn,
)
from langchain_unified.wires.openai_chat import WIRE
from langchain_unified.wires.openai_chat.params import NATIVE_KEYS, PARAMS
from tests.support.corpus import label, needs_corpus, replies, sse_events, streams


def request(*messages: BaseMessage | Turn, **fields: Any) -> Request:
    found = messages if messages and isinstance(messages[0], Turn) else turns(messages, "openai_chat")
    return Request(model="gpt-test", turns=tuple(found), **fields)


def body(*messages: BaseMessage | Turn, **fields: Any) -> dict[str, Any]:
    return WIRE.encode(request(*messages, **fields)).body


def sent(*messages: BaseMessage | Turn, **fields: Any) -> list[dict[str, Any]]:
    return body(*messages, **fields)["messages"]


def run(events: list[dict[str, Any]]) -> list[AIMessageChunk]:
    decoder = WIRE.stream_decoder(True)
    chunks = [chunk for event in events for chunk in decoder.feed(event)]
    chunks.extend(decoder.end())
    decoder.close()
    return chunks


def total(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    return add_ai_message_chunks(chunks[0], *chunks[1:])


def facts(message: AIMessage) -> dict[str, Any]:
    """What a streamed and a whole message must agree on."""
    names = (
        "content",
        "additional_kwargs",
        "tool_calls",
        "invalid_tool_calls",
        "usage_metadata",
        "response_metadata",
        "id",
    )
    return {name: getattr(message, name) for name in names}


CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10, "prompt_tokens_details": {"cached_tokens": 5}}


def reply(message: dict[str, Any], finish: str | None = "stop", **extra: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-test",
        "choices": [choice],
        **extra,
    }


def decode(message: dict[str, Any], finish: str | None = "stop", **extra: Any) -> AIMessage:
    return WIRE.decode(reply(message, finish, **extra))[0]


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **choice: Any) -> dict[str, Any]:
    found = [{"index": 0, "delta": delta or {}, "finish_reason": finish, **choice}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-test", "choices": found}


# --- recorded replies -------------------------------------------------------------------------------------------------


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
    assert metadata["usage"] == metadata["token_usage"] == usage
    assert (metadata["model_provider"], metadata["model_name"]) == ("openai", whole["model"])
    assert metadata["id"] == message.id == whole["id"]
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
    assert {chunk.id for chunk in chunks} == {events[0]["id"]}
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


# --- decode -----------------------------------------------------------------------------------------------------------


def test_a_refusal_is_beside_an_empty_text():
    message = decode({"refusal": "I cannot."})
    assert (message.content, message.additional_kwargs) == ("", {"refusal": "I cannot."})
    assert (message.response_metadata["finish_reason"], message.response_metadata["stop_reason"]) == ("refusal", "stop")
    assert sent(message) == [{"role": "assistant", "content": "", "refusal": "I cannot."}]


def test_annotations_and_unknown_keys_are_kept():
    cited = [{"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1}}]
    message = decode({"content": "a", "annotations": cited, "reasoning_content": "hm", "flags": {"x": [1]}}, shard=3)
    assert message.additional_kwargs == {"annotations": cited, "reasoning_content": "hm", "flags": {"x": [1]}}
    assert message.response_metadata["shard"] == 3


def test_audio_is_kept_and_replayed_by_id():
    spoken = {"id": "audio_1", "data": "UklGRg==", "expires_at": 9, "transcript": "Hello"}
    message = decode({"audio": spoken})
    assert message.additional_kwargs["audio"] == spoken
    assert sent(message) == [{"role": "assistant", "audio": {"id": "audio_1"}}]
    assert [block["text"] for block in turns([message], "anthropic_messages")[0].blocks] == ["Hello"]


def test_logprobs_service_tier_and_fingerprint_are_metadata():
    whole = reply({"content": "a"}, service_tier="priority", system_fingerprint="fp", moderation=None, usage=USAGE)
    whole["choices"][0] |= {"logprobs": {"content": [{"token": "a"}]}, "content_filter_results": {"hate": {}}}
    (message,) = WIRE.decode(whole)
    assert message.response_metadata == {
        "model_provider": "openai",
        "model_name": "gpt-test",
        "id": "chatcmpl-1",
        "created": 1,
        "finish_reason": "stop",
        "stop_reason": "stop",
        "usage": USAGE,
        "token_usage": USAGE,
        "service_tier": "priority",
        "system_fingerprint": "fp",
        "logprobs": {"content": [{"token": "a"}]},
        "content_filter_results": {"hate": {}},
    }
    assert message.usage_metadata["input_token_details"] == {"priority_cache_read": 5, "priority": 2}


def test_several_choices_are_several_messages_and_one_usage():
    whole = reply({"content": "a"}, usage=USAGE)
    whole["choices"].append({"index": 1, "message": {"role": "assistant", "content": "b"}, "finish_reason": "length"})
    first, second = WIRE.decode(whole)
    assert (first.content, second.content) == ("a", "b")
    assert (first.id, second.id) == (None, None)
    assert (first.usage_metadata["total_tokens"], second.usage_metadata) == (10, None)
    assert second.response_metadata["finish_reason"] == "length"


def test_custom_and_legacy_calls():
    custom = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    message = decode({"tool_calls": [CALL, custom]}, "tool_calls")
    assert [call["args"] for call in message.tool_calls] == [{"a": 1}, {"__arg1": "SELECT 1"}]
    tools = (ToolSpec("add"), ToolSpec("sql", kind="custom"))
    assert sent(message, tools=tools) == [{"role": "assistant", "tool_calls": [CALL, custom]}]
    as_function = sent(message, tools=(ToolSpec("sql"),))[0]["tool_calls"][1]
    assert as_function["function"] == {"name": "sql", "arguments": '{"__arg1":"SELECT 1"}'}
    legacy = decode({"function_call": {"name": "add", "arguments": '{"a":1}'}}, "function_call")
    assert legacy.tool_calls == [{"name": "add", "args": {"a": 1}, "id": "add", "type": "tool_call"}]
    assert legacy.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    "arguments, finish",
    [
        ('{"city": "Par', "length"),
        ('{"a": [1', "length"),
        ('{"a": "x\\', "length"),
        ("[1]", "tool_calls"),
        ("no", "stop"),
    ],
)
def test_broken_arguments_are_never_offered_as_valid(arguments, finish):
    call = {**CALL, "function": {"name": "add", "arguments": arguments}}
    message = decode({"tool_calls": [call]}, finish)
    assert (message.tool_calls, message.invalid_tool_calls[0]["args"]) == ([], arguments)
    streamed = total(run([event({"tool_calls": [{"index": 0, **call}]}), event(finish=finish)]))
    assert streamed.tool_calls == []
    assert streamed.invalid_tool_calls[0]["args"].startswith(arguments)
    assert sent(message)[0]["tool_calls"][0]["function"]["arguments"] == arguments


@pytest.mark.parametrize("arguments", ["", None, " "])
def test_no_arguments_are_empty_ones(arguments):
    call = {**CALL, "function": {"name": "now", "arguments": arguments}}
    assert decode({"tool_calls": [call]}).tool_calls[0]["args"] == {}
    assert total(run([event({"tool_calls": [{"index": 0, **call}]}), event(finish="stop")])).tool_calls[0]["args"] == {}


@pytest.mark.parametrize(
    "wrong, word",
    [
        ("<html>Bad gateway</html>", "Bad gateway"),
        ({"detail": "Not Found"}, "no list of choices"),
        ({"choices": []}, "without choices"),
        ({"choices": [{"index": 0}]}, "no message"),
        ({"choices": ["x"]}, "no message"),
        ({"error": {"message": "no such model", "code": "model_not_found"}}, "no such model"),
        (None, "NoneType"),
    ],
)
def test_a_wrong_shape_is_a_clear_error(wrong, word):
    with pytest.raises(ReplyError, match=word):
        WIRE.decode(wrong)


def test_parts_of_other_servers():
    assert decode({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}).content == "ab"
    thinking = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "b"}]
    whole, streamed = decode({"content": thinking}), total(run([event({"content": thinking}), event(finish="stop")]))
    assert facts(whole) == facts(streamed)
    assert (whole.content, whole.additional_kwargs) == ("b", {"content_parts": thinking[:1]})
    strange = {"id": "x", "type": "mcp", "server": "s"}
    assert decode({"tool_calls": [strange]}).additional_kwargs == {"other_tool_calls": [strange]}


# --- stream -----------------------------------------------------------------------------------------------------------


def test_text_comes_at_once_and_the_rest_on_the_last_chunk():
    decoder = WIRE.stream_decoder(True)
    assert decoder.feed(event({"role": "assistant", "content": "", "refusal": None})) == []
    (chunk,) = decoder.feed(event({"content": "Hi"}, logprobs={"content": [{"token": "Hi"}], "refusal": None}))
    assert (chunk.content, chunk.id, chunk.response_metadata) == ("Hi", "chatcmpl-1", {"model_provider": "openai"})
    assert decoder.feed(event(finish="stop")) == []
    assert decoder.feed({**event(), "choices": [], "usage": USAGE}) == []
    assert decoder.feed({**event(), "choices": [], "moderation": {"output": {}}}) == []
    (last,) = decoder.end()
    decoder.close()
    assert last.chunk_position == "last"
    assert last.usage_metadata["total_tokens"] == 10
    metadata = last.response_metadata
    assert (metadata["finish_reason"], metadata["moderation"]) == ("stop", {"output": {}})
    assert metadata["logprobs"]["content"] == [{"token": "Hi"}]


def test_a_stream_without_usage_ends_well():
    whole = total(run([event({"content": "Hi"}), event(finish="length")]))
    assert (whole.content, whole.usage_metadata, whole.response_metadata["finish_reason"]) == ("Hi", None, "length")


@pytest.mark.parametrize("events", [[], [event({"content": "Hi"})]], ids=["nothing", "no finish"])
def test_a_cut_stream_is_an_error(events):
    decoder = WIRE.stream_decoder(True)
    for item in events:
        decoder.feed(item)
    assert [chunk.chunk_position for chunk in decoder.end()] == [None] * len(events)
    with pytest.raises(IncompleteStreamError, match="finish_reason"):
        decoder.close()


def fragment(arguments: str, **rest: Any) -> dict[str, Any]:
    name = rest.pop("name", None)
    return {**rest, "function": {"arguments": arguments, **({"name": name} if name else {})}}


TWO = [("add", {"a": 1}), ("sub", {"b": 2})]


@pytest.mark.parametrize(
    "fragments, ids",
    [
        (
            [
                fragment("", index=0, id="x", name="add"),
                fragment('{"a":', index=0),
                fragment("1}", index=0),
                fragment("", index=1, id="y", name="sub"),
                fragment('{"b":2}', index=1),
            ],
            ["x", "y"],
        ),
        (  # 0 for every call
            [fragment('{"a":1}', index=0, id="x", name="add"), fragment('{"b":2}', index=0, id="y", name="sub")],
            ["x", "y"],
        ),
        (  # no index
            [
                fragment('{"a":', id="x", name="add"),
                fragment("1}"),
                fragment('{"b":', id="y", name="sub"),
                fragment("2}"),
            ],
            ["x", "y"],
        ),
        (  # id and name repeated
            [
                fragment('{"a":', index=0, id="x", name="add"),
                fragment("1}", index=0, id="x", name="add"),
                fragment('{"b":2}', index=1, id="y", name="sub"),
            ],
            ["x", "y"],
        ),
        (  # neither index nor id
            [fragment('{"a":1}', name="add", id=""), fragment('{"b":2}', name="sub", id="")],
            ["call_chatcmpl-1_0", "call_chatcmpl-1_1"],
        ),
        (  # fragments of two calls in turns
            [
                fragment('{"a":', index=0, id="x", name="add"),
                fragment('{"b":', index=1, id="y", name="sub"),
                fragment("1}", index=0),
                fragment("2}", index=1),
            ],
            ["x", "y"],
        ),
    ],
    ids=["openai", "index 0", "no index", "repeated", "no id", "in turns"],
)
def test_tool_calls_however_a_server_numbers_them(fragments, ids):
    chunks = run([*(event({"tool_calls": [item]}) for item in fragments), event(finish="tool_calls")])
    whole = total(chunks)
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == TWO
    assert [call["id"] for call in whole.tool_calls] == ids
    assert [chunk["index"] for chunk in whole.tool_call_chunks] == [0, 1]


def test_a_call_without_id_has_the_same_made_up_one_streamed_and_whole():
    call = {"type": "function", "function": {"name": "add", "arguments": "{}"}}
    whole, streamed = decode({"tool_calls": [call]}), total(run([event({"tool_calls": [call]}), event(finish="stop")]))
    assert whole.tool_calls == streamed.tool_calls
    assert whole.tool_calls[0]["id"] == "call_chatcmpl-1_0"


def test_custom_and_legacy_calls_stream():
    custom = [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": 'SELECT "'}}]
    rest = [{"index": 0, "custom": {"input": 'a"'}}]
    whole = total(run([event({"tool_calls": custom}), event({"tool_calls": rest}), event(finish="tool_calls")]))
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("sql", {"__arg1": 'SELECT "a"'})]
    legacy = [{"name": "add", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ":1}"}]
    whole = total(run([*(event({"function_call": item}) for item in legacy), event(finish="function_call")]))
    assert whole.tool_calls == [{"name": "add", "args": {"a": 1}, "id": "add", "type": "tool_call"}]


def test_audio_streams_to_the_whole_one():
    deltas = [
        {"id": "audio_1", "transcript": "Hel"},
        {"id": "audio_1", "data": "UklG"},
        {"data": "Rg==", "transcript": "lo"},
    ]
    events = [*(event({"audio": delta}) for delta in deltas), event(finish="stop"), event({"audio": {"expires_at": 9}})]
    spoken = {"id": "audio_1", "data": "UklGRg==", "expires_at": 9, "transcript": "Hello"}
    assert total(run(events)).additional_kwargs == {"audio": spoken}


def test_unknown_deltas_and_events_do_not_break_the_stream():
    events = [
        {"type": "heartbeat"},
        event({"content": "a", "reasoning_content": "so ", "steps": [{"n": 1}], "depth": 2, "flag": True, "odd": None}),
        event({"reasoning_content": "on", "steps": [{"n": 2}], "depth": 2, "flag": False, "scores": 0.5}),
        event({"reasoning_content": {"now": "an object"}, "tool_calls": [{"index": 0, "type": "mcp", "x": 1}]}),
        {**event({"content": "not ours"}), "choices": [{"index": 1, "delta": {"content": "not ours"}}]},
        event(finish="stop", content_filter_results={"hate": False}),
    ]
    whole = total(run(events))
    assert whole.content == "a"
    kept = whole.additional_kwargs
    assert (kept["reasoning_content"], kept["steps"]) == ("so on", [{"n": 1}, {"n": 2}])
    assert (kept["depth"], kept["flag"], kept["scores"]) == (2, False, 0.5)
    assert kept["other_tool_calls"] == [{"index": 0, "type": "mcp", "x": 1}]
    assert whole.response_metadata["content_filter_results"] == {"hate": False}
    assert "type" not in whole.response_metadata


def cuts(text: str) -> st.SearchStrategy[list[str]]:
    """Ways to cut a text into fragments."""
    places = st.lists(st.integers(0, len(text)), max_size=4).map(sorted)
    return places.map(lambda found: [text[a:b] for a, b in zip([0, *found], [*found, len(text)], strict=True)])


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
ARGS = st.dictionaries(WORDS, st.one_of(WORDS, st.integers(), st.lists(WORDS, max_size=2)), max_size=3).map(json.dumps)


@st.composite
def told(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A reply, and a stream that tells the same."""
    text, refusal, thought = draw(WORDS), draw(WORDS), draw(WORDS)
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": f"tool_{n}", "arguments": args}}
        for n, args in enumerate(draw(st.lists(ARGS, max_size=3)))
    ]
    finish = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter", "something new"]))
    message = {"content": text, "refusal": refusal or None, "tool_calls": calls, "reasoning_content": thought}
    events = [event({"role": "assistant", "content": ""})]
    for key, value in (("reasoning_content", thought), ("content", text), ("refusal", refusal)):
        events += [event({key: piece}) for piece in draw(cuts(value))]
    for n, call in enumerate(calls):
        arguments = call["function"]["arguments"]
        events.append(event({"tool_calls": [{"index": n, **call, "function": {**call["function"], "arguments": ""}}]}))
        events += [event({"tool_calls": [fragment(piece, index=n)]}) for piece in draw(cuts(arguments))]
    events += [event(finish=finish), {**event(), "choices": [], "usage": USAGE}]
    return reply(message, finish, usage=USAGE), events


@given(told())
@settings(max_examples=60)
def test_generated_stream_sums_to_the_whole(pair):
    whole, events = pair
    assert facts(total(run(events))) == facts(WIRE.decode(whole)[0])


@given(told(), told(), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_interleaved_streams_do_not_mix(one, other, rng):
    queues = [list(one[1]), list(other[1])]
    decoders = [WIRE.stream_decoder(True), WIRE.stream_decoder(True)]
    chunks: list[list[AIMessageChunk]] = [[], []]
    while queues[0] or queues[1]:
        n = rng.choice([n for n in (0, 1) if queues[n]])
        chunks[n].extend(decoders[n].feed(queues[n].pop(0)))
    for n, pair in enumerate((one, other)):
        assert facts(total([*chunks[n], *decoders[n].end()])) == facts(WIRE.decode(pair[0])[0])


# --- blocks that go out -----------------------------------------------------------------------------------------------

PDF, WAV, PNG = "JVBERi0=", "UklGRg==", "iVBORw0="
PDF_URI = f"data:application/pdf;base64,{PDF}"


@pytest.mark.parametrize(
    "block, parts",
    [
        ({"type": "image", "url": "https://x/y.png"}, [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]),
        (
            {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            [{"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}],
        ),
        (
            {"type": "image", "base64": PNG, "mime_type": "image/png"},
            [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
        ),
        (
            {"type": "audio", "base64": WAV, "mime_type": "audio/x-wav"},
            [{"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}],
        ),
        (
            {"type": "input_audio", "input_audio": {"data": WAV, "format": "mp3"}},
            [{"type": "input_audio", "input_audio": {"data": WAV, "format": "mp3"}}],
        ),
        ({"type": "file", "file_id": "file-1"}, [{"type": "file", "file": {"file_id": "file-1"}}]),
        (
            {"type": "file", "base64": PDF, "mime_type": "application/pdf"},
            [{"type": "file", "file": {"file_data": PDF_URI, "filename": "file.pdf"}}],
        ),
        (
            {"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "q3.pdf"},
            [{"type": "file", "file": {"file_data": PDF_URI, "filename": "q3.pdf"}}],
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                "title": "Report",
                "context": "Of the third quarter.",
            },
            [
                {"type": "text", "text": "Of the third quarter."},
                {"type": "file", "file": {"file_data": PDF_URI, "filename": "Report.pdf"}},
            ],
        ),
        (
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": "a"}]},
                "title": "T",
            },
            [{"type": "text", "text": "T\n\na"}],
        ),
        ({"type": "text-plain", "text": "a", "title": "T"}, [{"type": "text", "text": "T\n\na"}]),
        (
            {"type": "text-plain", "base64": base64.b64encode("ä".encode()).decode(), "mime_type": "text/plain"},
            [{"type": "text", "text": "ä"}],
        ),
        (
            {"type": "search_result", "source": "https://x", "title": "T", "content": [{"type": "text", "text": "a"}]},
            [{"type": "text", "text": "T\nhttps://x\n\na"}],
        ),
        ({"type": "non_standard", "value": {"type": "new", "x": 1}}, [{"type": "new", "x": 1}]),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_user_block(block, parts):
    (message,) = sent(HumanMessage([{"type": "text", "text": "See"}, block]))
    assert message == {"role": "user", "content": [{"type": "text", "text": "See"}, *parts]}


MEDIA: list[dict[str, Any]] = [
    {"type": "image", "url": "https://x/y.png"},
    {"type": "file", "file_id": "file-1"},
    {"type": "audio", "base64": WAV, "mime_type": "audio/wav"},
    {"type": "video", "url": "https://x/y.mp4"},
]


def in_user(block: dict[str, Any]) -> BaseMessage:
    return HumanMessage([block])


def in_system(block: dict[str, Any]) -> BaseMessage:
    return SystemMessage([block])


def in_tool(block: dict[str, Any]) -> BaseMessage:
    return ToolMessage([block], tool_call_id="call_1")


def in_assistant(block: dict[str, Any]) -> BaseMessage:
    return AIMessage([block])


REFUSED: list[tuple[Callable[[dict[str, Any]], BaseMessage], dict[str, Any], str]] = [
    (in_user, {"type": "file", "url": "https://x/y.pdf"}, "Responses API"),
    (in_user, {"type": "image", "file_id": "file-1"}, "Responses API"),
    (in_user, {"type": "image", "base64": PNG}, "mime_type"),
    (in_user, {"type": "video", "url": "https://x/y.mp4"}, "frames"),
    (in_user, {"type": "audio", "base64": WAV, "mime_type": "audio/ogg"}, "wav or mp3"),
    (in_user, {"type": "audio", "url": "https://x/y.wav"}, "base64"),
    (in_user, {"type": "text-plain", "url": "https://x/y.txt"}, "Send the text"),
    (in_user, {"type": "text-plain", "base64": "/w==", "mime_type": "text/plain"}, "UTF-8"),
    (in_user, {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "image"}]}, "only text"),
    (in_user, {"type": "container_upload", "file_id": "file-1"}, "'container_upload'.*anthropic_messages's own"),
    (in_user, {"type": "no_such_thing"}, "'no_such_thing'.*non_standard"),
    (in_user, {"type": "refusal", "refusal": "no"}, "assistant message"),
    *((in_system, block, "user message") for block in MEDIA),
    *((in_tool, block, "Responses API.*user message") for block in MEDIA),
    (in_assistant, {"type": "image", "base64": PNG, "mime_type": "image/png"}, "user message"),
    (in_assistant, {"type": "no_such_thing"}, "non_standard"),
]


@pytest.mark.parametrize("place, block, remedy", REFUSED)
def test_a_block_that_cannot_go_out_raises_with_its_place_and_a_remedy(place, block, remedy):
    with pytest.raises(UnsupportedContentError, match=remedy) as caught:
        sent(HumanMessage("Hi"), place(block))
    assert "openai_chat" in str(caught.value)
    assert "message 1" in str(caught.value)
    assert block["type"] in str(caught.value)


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
            {"type": "server_tool_call", "id": "s1", "name": "web_search", "args": {"query": "ä"}},
            {"type": "server_tool_result", "tool_call_id": "s1", "output": [{"url": "u", "encrypted_content": "EEE"}]},
            {"type": "server_tool_result", "tool_call_id": "s2", "status": "error"},
            {"type": "text", "text": "Found", "annotations": [{"type": "citation"}]},
            {"type": "image", "url": "https://x/y.png"},
            {"type": "refusal", "refusal": "no"},
            {"type": "tool_call", "id": "call_1", "name": "add", "args": {"a": "ä", "b": [1, None]}},
            {"type": "invalid_tool_call", "id": "call_2", "name": "add", "args": '{"a'},
            {"type": "native", "value": {"type": "custom", "id": "c", "custom": {"name": "sql", "input": "x"}}},
        ),
    )
    said = ['[web_search({"query":"ä"})]', '[web_search result: [{"url":"u"}]]', "[tool result: error]", "Found"]
    function = {"name": "add", "arguments": '{"a":"ä","b":[1,null]}'}
    assert sent(turn) == [
        {
            "role": "assistant",
            "content": [{"type": "text", "text": text} for text in [*said, "[image: https://x/y.png]"]],
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


# --- cache marks ------------------------------------------------------------------------------------------------------


def marked(text: str, **mark: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **mark}}


def with_marks(*messages: BaseMessage | Turn, **fields: Any) -> Encoded:
    """A request encoded with its marks placed, as a chat model does it, and the adjustments."""
    found, _, notes = place_breakpoints(request(*messages, **fields), WIRE.marks)
    encoded = WIRE.encode(found)
    return replace(encoded, adjustments=(*notes, *encoded.adjustments))


def test_marks_are_breakpoints_where_the_model_has_them():
    image = {"type": "image", "url": "https://x/y.png", "cache_control": {"type": "ephemeral", "ttl": "12h"}}
    messages = (
        SystemMessage([marked("S", ttl="5m")]),
        HumanMessage([image]),
        ToolMessage([marked("T")], tool_call_id="x"),
    )
    point = {"mode": "explicit"}
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    assert [message["content"] for message in with_marks(*messages).body["messages"]] == [
        [{"type": "text", "text": "S", "prompt_cache_breakpoint": point}],
        [{**picture, "prompt_cache_breakpoint": {**point, "ttl": "12h"}}],
        [{"type": "text", "text": "T", "prompt_cache_breakpoint": point}],
    ]
    plain = ["S", [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}], "T"]
    for fields in ({"profile": Profile(cache_breakpoints=False)}, {"dialect": Dialect(cache_marks=False)}):
        assert [message["content"] for message in with_marks(*messages, **fields).body["messages"]] == plain


@pytest.mark.parametrize("mode, room", [("implicit", 3), ("explicit", 4)])
def test_the_last_marks_are_written_and_the_form_stays(mode, room):
    """Four are written, of which one is the implicit."""
    asked = [HumanMessage([marked(str(n))]) for n in range(6)]
    messages = with_marks(*asked, params={"prompt_cache_options": {"mode": mode}}).body["messages"]
    parts = [part for message in messages for part in message["content"]]
    assert [part["text"] for part in parts if part["type"] == "text"] == ["0", "1", "2", "3", "4", "5"]
    assert ["prompt_cache_breakpoint" in part for part in parts] == [False] * (6 - room) + [True] * room


# --- parameters -------------------------------------------------------------------------------------------------------


def params(profile: Profile | None = None, /, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """The keys that parameters add to a body, and the names of what could not be said."""
    others = {key: fields.pop(key) for key in ("stream", "tools", "dialect", "native") if key in fields}
    found = WIRE.encode(request(HumanMessage("Hi"), params=Params(**fields), profile=profile or Profile(), **others))
    added = {key: value for key, value in found.body.items() if key not in ("model", "messages", "tools", "stream")}
    assert all(note["why"] for note in found.adjustments)
    return added, [note["what"] for note in found.adjustments]


EVERY_PARAM: dict[str, Any] = {
    "max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "stop": ["a"], "seed": 1, "n": 2,
    "presence_penalty": 0.1, "frequency_penalty": 0.2, "logit_bias": {"7": 1}, "logprobs": True, "top_logprobs": 2,
    "user": "u", "metadata": {"k": "v"}, "service_tier": "flex", "parallel_tool_calls": False,
    "reasoning_effort": "none", "reasoning": {"effort": "none"}, "thinking": {"type": "disabled"}, "verbosity": "low",
    "modalities": ["text"], "audio": {"format": "wav", "voice": "alloy"},
    "prediction": {"type": "content", "content": "x"}, "store": True, "stream_options": {"include_obfuscation": False},
    "prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache_options": {"mode": "implicit"},
}  # fmt: skip


def test_every_param_has_a_row_and_is_sent_or_refused_by_name(oracle):
    assert set(PARAMS) == set(Params.__annotations__) == set(EVERY_PARAM)
    renamed = {"max_tokens": "max_completion_tokens", "reasoning": "reasoning_effort", "thinking": "reasoning_effort"}
    for key, value in EVERY_PARAM.items():
        added, refused = params(
            Profile(effort_levels=("none", "low")),
            stream=key == "stream_options",
            tools=(ToolSpec("add"),),
            **{key: value},
        )
        assert (renamed.get(key, key) in added) != (refused == [key]), key
    assert params(**{**EVERY_PARAM, "n": 1})[1] == ["top_k", "thinking"]
    assert oracle.validate("chat", body(HumanMessage("Hi"), params=EVERY_PARAM, tools=(ToolSpec("add"),))) == []


def test_max_tokens_goes_under_the_servers_key():
    assert params(max_tokens=5)[0] == {"max_completion_tokens": 5}
    assert params(max_tokens=5, dialect=Dialect(max_tokens_key="max_tokens"))[0] == {"max_tokens": 5}


def test_stop_has_a_limit_and_models_that_refuse_it():
    assert params(stop=["a", "b", "c", "d", "e"]) == ({"stop": ["a", "b", "c", "d"]}, ["stop"])
    assert params(Profile(stop=False), stop=["a"]) == ({}, ["stop"])
    assert params(stop=[]) == ({}, [])


SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs")


@pytest.mark.parametrize(
    "profile, extra, taken",
    [
        (Profile(), {}, True),
        (Profile(sampling="never"), {}, False),
        (Profile(sampling="without_reasoning"), {}, True),
        (Profile(sampling="without_reasoning", effort_default="none"), {}, True),
        (Profile(sampling="without_reasoning", effort_default="medium"), {}, False),
        (Profile(sampling="without_reasoning", effort_default="medium"), {"reasoning_effort": "none"}, True),
        (Profile(sampling="without_reasoning", effort_default="none"), {"reasoning_effort": "low"}, False),
        (Profile(sampling="without_reasoning", effort_default="none"), {"reasoning": {"effort": "low"}}, False),
        (
            Profile(sampling="without_reasoning", effort_default="medium", effort_levels=("none", "low")),
            {"thinking": {"type": "disabled"}},
            True,
        ),
        (
            Profile(sampling="without_reasoning", effort_default="medium", effort_levels=("low", "high")),
            {"reasoning_effort": "none"},
            False,
        ),
    ],
)
def test_sampling_follows_the_model_and_its_effort(profile, extra, taken):
    values = {key: EVERY_PARAM[key] for key in SAMPLING}
    added, refused = params(profile, **values, **extra)
    assert set(SAMPLING) & set(added) == (set(SAMPLING) if taken else set())
    assert set(SAMPLING) & set(refused) == (set() if taken else set(SAMPLING))


@pytest.mark.parametrize(
    "levels, asked, level",
    [
        ((), "max", "max"),
        (("low", "medium", "high"), "low", "low"),
        (("low", "medium", "high"), "none", "low"),
        (("none", "low", "high"), "minimal", "low"),
        (("none", "low", "high"), "max", "high"),
    ],
)
def test_an_effort_the_model_lacks_becomes_the_nearest(levels, asked, level):
    added, refused = params(Profile(effort_levels=levels), reasoning_effort=asked)
    assert added == {"reasoning_effort": level}
    assert refused == ([] if asked == level else ["reasoning_effort"])


def test_reasoning_of_the_other_apis():
    levels = Profile(effort_levels=("none", "low"))
    assert params(reasoning={"effort": "low", "summary": "auto"}) == (
        {"reasoning_effort": "low"},
        ["reasoning.summary"],
    )
    assert params(thinking={"type": "enabled", "budget_tokens": 2000}) == ({}, ["thinking"])
    assert params(levels, thinking={"type": "disabled"}) == ({"reasoning_effort": "none"}, [])
    assert params(levels, thinking={"type": "disabled"}, reasoning_effort="low") == (
        {"reasoning_effort": "low"},
        ["thinking"],
    )


def test_small_translations():
    assert params(user="u")[0] == {"user": "u"}
    assert params(Profile(reasoning=True), user="u")[0] == {"safety_identifier": "u"}
    assert params(service_tier="standard_only") == ({"service_tier": "default"}, [])
    assert params(service_tier="ultrafast") == ({}, ["service_tier"])
    assert params(top_logprobs=2)[0] == {"top_logprobs": 2, "logprobs": True}
    assert params(parallel_tool_calls=False) == ({}, [])
    assert params(n=3)[0] == {"n": 3}
    assert params(n=3, stream=True, dialect=Dialect(stream_usage=False)) == ({}, ["n"])


def test_cache_parameters():
    both = {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}, "prompt_cache_retention": "24h"}
    added = {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}}
    assert params(**both) == (added, ["prompt_cache_retention"])
    assert params(prompt_cache_options={"ttl": "12h", "prewarm": True}) == (
        {},
        ["prompt_cache_options.ttl, prompt_cache_options.prewarm"],
    )
    assert params(Profile(cache_breakpoints=False), prompt_cache_options={"mode": "explicit"})[1] == [
        "prompt_cache_options"
    ]


def test_streaming_asks_for_usage():
    assert body(HumanMessage("Hi"), stream=True)["stream_options"] == {"include_usage": True}
    asked = {"include_obfuscation": False}
    assert params(stream=True, stream_options=asked)[0]["stream_options"] == {"include_usage": True, **asked}
    assert "stream_options" not in body(HumanMessage("Hi"), stream=True, dialect=Dialect(stream_usage=False))
    whole = body(HumanMessage("Hi"), params={"stream_options": asked})
    assert "stream" not in whole
    assert "stream_options" not in whole


def test_native_keys_and_extra_body():
    found = WIRE.encode(
        request(
            HumanMessage("Hi"),
            params={"seed": 1},
            native={"web_search_options": {}, "moderation": None, "container": "c"},
            extra_body={"seed": 2, "top_k": 4},
            betas=("x",),
        )
    )
    assert {key: found.body[key] for key in ("web_search_options", "seed", "top_k")} == {
        "web_search_options": {}, "seed": 2, "top_k": 4,
    }  # fmt: skip
    assert "moderation" not in found.body
    assert {note["what"] for note in found.adjustments} == {"container", "betas"}


def test_every_key_of_the_api_has_a_place():
    from openai.types.chat import completion_create_params as sdk

    own = {"messages", "model", "tools", "tool_choice", "response_format", "stream"}
    known = own | set(Params.__annotations__) | NATIVE_KEYS
    assert (
        set(sdk.CompletionCreateParamsNonStreaming.__annotations__)
        | set(sdk.CompletionCreateParamsBase.__annotations__)
        <= known
    )


def test_citations_are_named_as_not_possible():
    document = {"type": "document", "source": {"type": "text", "data": "a"}, "citations": {"enabled": True}}
    assert [note["what"] for note in WIRE.encode(request(HumanMessage([document]))).adjustments] == ["citations"]


# --- tools and formats ------------------------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
SQL = ToolSpec("sql", kind="custom", description="Runs it", options={"format": {"type": "text"}})
ADD = ToolSpec("add", description="Adds", parameters=SCHEMA, strict=True)


def test_tools(oracle):
    native = ToolSpec("raw", kind="native", definition={"type": "function", "function": {"name": "raw"}})
    found = body(HumanMessage("Hi"), tools=(ADD, ToolSpec("now"), SQL, native))
    assert found["tools"] == [
        {"type": "function", "function": {"name": "add", "description": "Adds", "parameters": SCHEMA, "strict": True}},
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
        {"type": "custom", "custom": {"name": "sql", "description": "Runs it", "format": {"type": "text"}}},
        {"type": "function", "function": {"name": "raw"}},
    ]
    assert oracle.validate("chat", found) == []


def test_tool_options_of_other_apis_are_named():
    found = WIRE.encode(request(HumanMessage("Hi"), tools=(ToolSpec("add", options={"defer_loading": True}),)))
    assert [note["what"] for note in found.adjustments] == ["defer_loading of tool 'add'"]


@pytest.mark.parametrize(
    "kind, remedy",
    [
        ("web_search", "Responses API"),
        ("mcp", "Responses API"),
        ("web_search_20260318", "Anthropic"),
        ("mcp_toolset", "Anthr"),
    ],
)
def test_a_tool_of_another_api_is_refused(kind, remedy):
    with pytest.raises(InvalidToolError, match=f"{kind}.*{remedy}"):
        body(HumanMessage("Hi"), tools=(ToolSpec(kind, kind="native", definition={"type": kind}),))


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a" * 65, "ä"])
def test_a_tool_name_that_openai_refuses(name):
    with pytest.raises(InvalidToolError, match="letters, digits"):
        body(HumanMessage("Hi"), tools=(ToolSpec(name),))


@pytest.mark.parametrize(
    "choice, wanted",
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("any"), "required"),
        (ToolChoice("tool", ("add",)), {"type": "function", "function": {"name": "add"}}),
        (ToolChoice("tool", ("sql",)), {"type": "custom", "custom": {"name": "sql"}}),
        (
            ToolChoice("allowed", ("add", "sql"), required=True),
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [
                        {"type": "function", "function": {"name": "add"}},
                        {"type": "custom", "custom": {"name": "sql"}},
                    ],
                },
            },
        ),
        (
            ToolChoice("auto", definition={"type": "function", "function": {"name": "x"}}),
            {"type": "function", "function": {"name": "x"}},
        ),
    ],
)
def test_tool_choice(oracle, choice, wanted):
    found = body(HumanMessage("Hi"), tools=(ADD, SQL), tool_choice=choice)
    assert found["tool_choice"] == wanted
    assert oracle.validate("chat", found) == []


def test_tool_choice_without_its_tool():
    assert "tool_choice" not in body(HumanMessage("Hi"), tool_choice=ToolChoice("auto"))
    with pytest.raises(InvalidToolError, match="no tools"):
        body(HumanMessage("Hi"), tool_choice=ToolChoice("any"))
    with pytest.raises(InvalidToolError, match="no tools"):
        body(HumanMessage("Hi"), tool_choice=ToolChoice("allowed", ("add",), required=True))
    with pytest.raises(InvalidToolError, match=r"'mul'.*'add'"):
        body(HumanMessage("Hi"), tools=(ADD,), tool_choice=ToolChoice("tool", ("mul",)))


@pytest.mark.parametrize(
    "output, wanted",
    [
        (OutputFormat("text"), {"type": "text"}),
        (OutputFormat("json_object"), {"type": "json_object"}),
        (
            OutputFormat("json_schema", schema=SCHEMA, name="Sum", description="D", strict=True),
            {
                "type": "json_schema",
                "json_schema": {"name": "Sum", "schema": SCHEMA, "description": "D", "strict": True},
            },
        ),
        (
            OutputFormat("json_schema", schema=SCHEMA),
            {"type": "json_schema", "json_schema": {"name": "response", "schema": SCHEMA}},
        ),
    ],
)
def test_output_format(oracle, output, wanted):
    found = body(HumanMessage("Hi"), output=output)
    assert found["response_format"] == wanted
    assert oracle.validate("chat", found) == []


# --- generated conversations ------------------------------------------------------------------------------------------

TEXT_BLOCK = st.builds(
    lambda text, mark: marked(text) if mark else {"type": "text", "text": text}, WORDS, st.booleans()
)
USER_BLOCK = st.one_of(TEXT_BLOCK, st.sampled_from([*MEDIA[:3], {"type": "text-plain", "text": "a", "title": "T"}]))


@st.composite
def exchange(draw: st.DrawFn) -> list[BaseMessage]:
    """What one round adds to a conversation."""
    asked = HumanMessage(draw(st.one_of(WORDS, st.lists(USER_BLOCK, min_size=1, max_size=3))))
    names = draw(st.lists(st.sampled_from(["add", "sql"]), max_size=2))
    calls = [{"id": f"call_{n}", "name": name, "args": json.loads(draw(ARGS))} for n, name in enumerate(names)]
    results = [
        ToolMessage(draw(st.one_of(WORDS, st.lists(TEXT_BLOCK, max_size=2))), tool_call_id=call["id"]) for call in calls
    ]
    return [asked, AIMessage(draw(WORDS), tool_calls=calls), *results]


@st.composite
def conversation(draw: st.DrawFn) -> list[BaseMessage]:
    start = draw(st.lists(st.builds(SystemMessage, st.one_of(WORDS, st.lists(TEXT_BLOCK, max_size=2))), max_size=2))
    return [*start, *(message for part in draw(st.lists(exchange(), max_size=3)) for message in part)]


def unmarked(messages: list[dict[str, Any]]) -> Iterator[bytes]:
    for message in messages:
        parts = message.get("content")
        for part in parts if isinstance(parts, list) else []:
            part.pop("prompt_cache_breakpoint", None)
        yield json.dumps(message, ensure_ascii=False).encode()


@given(conversation(), conversation())
@settings(max_examples=60)
def test_a_longer_conversation_keeps_the_encoded_prefix(before, after):
    short = list(unmarked(sent(*before, tools=(ADD, SQL))))
    assert list(unmarked(sent(*before, *after, tools=(ADD, SQL))))[: len(short)] == short


@given(conversation())
@settings(max_examples=60)
def test_a_generated_conversation_is_valid_and_is_left_alone(oracle, messages):
    asked = request(*messages, tools=(ADD, SQL))
    before = copy.deepcopy(asked)
    found = with_marks(*messages, tools=(ADD, SQL))
    assert oracle.validate("chat", found.body) == []
    assert WIRE.encode(asked) == WIRE.encode(asked)
    assert asked == before
    points = json.dumps(found.body).count("prompt_cache_breakpoint")
    assert points <= 4


def test_the_record():
    assert (WIRE.name, WIRE.provider, WIRE.path) == ("openai_chat", "openai", "/chat/completions")
    assert (WIRE.count_path, WIRE.encode_count) == (None, None)
