"""The Chat Completions wire: event streams that are decoded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_unified.errors import IncompleteStreamError
from langchain_unified.wires.openai_chat import WIRE
from tests.support.streams import total
from tests.wires.openai_chat.helpers import ARGS, USAGE, WORDS, decode, event, facts, reply, run


def test_text_comes_at_once_and_the_rest_on_the_last_chunk():
    decoder = WIRE.stream_decoder(True)
    assert decoder.feed(event({"role": "assistant", "content": "", "refusal": None})) == []
    (chunk,) = decoder.feed(event({"content": "Hi"}, logprobs={"content": [{"token": "Hi"}], "refusal": None}))
    assert (chunk.content, chunk.id, chunk.response_metadata) == ("Hi", None, {"model_provider": "openai"})
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
