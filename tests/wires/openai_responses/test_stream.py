"""The Responses wire: event streams that are decoded."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message

from langchain_unified.errors import IncompleteStreamError
from langchain_unified.wires.openai_responses import WIRE
from tests.support.corpus import label, needs_corpus, sse_events, streams
from tests.support.streams import total
from tests.wires.openai_responses.helpers import (
    ENDPOINT,
    REASONING,
    REPLIES,
    call_item,
    events_of,
    finished,
    in_standard_form,
    reply,
    run,
    sent,
    text_item,
)


def unindexed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unindexed(item) for key, item in value.items() if key != "index"}
    return [unindexed(item) for item in value] if isinstance(value, list) else value


def without_indexes(content: Any) -> Any:
    """Content without the indexes of a stream; a block that holds nothing but a text is a `str`."""
    merged: list[Any] = []
    for block in [content] if isinstance(content, str) else unindexed(content):
        if isinstance(block, str) or block["type"] != "text":
            merged.append(block)
        elif block.keys() <= {"type", "text", "id", "status"}:
            merged.append(block["text"])
        elif "text" not in block and merged and isinstance(merged[-1], str):
            merged.append({**block, "text": merged.pop()})
        else:
            merged.append(block)
    return [block for block in merged if block != ""]


def facts(message: AIMessage) -> dict[str, Any]:
    """What a streamed and a whole message must agree on."""
    names = ("tool_calls", "usage_metadata", "response_metadata", "id")
    broken = [(call["id"], call["name"]) for call in message.invalid_tool_calls]
    found = {name: getattr(message, name) for name in names}
    return {**found, "content": without_indexes(message.content), "broken": broken}


# Two of its items were never done: their contents came with the last event.
NEVER_DONE = "mcp_list_tools_stream_backfills_missing_results"


@needs_corpus
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_the_sum_of_a_recorded_stream_is_the_whole_reply(exchange, plain):
    events = sse_events(exchange["response"]["sse"])
    chunks = run(events, plain)
    whole = facts(WIRE.decode(finished(events))[0])
    streamed = facts(total(chunks))
    assert streamed == whole
    assert {chunk.id for chunk in chunks} == {whole["id"]}
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]
    assert all(chunk.response_metadata == {"model_provider": "openai"} for chunk in chunks[:-1])
    assert all(chunk.usage_metadata is None for chunk in chunks[:-1])


@needs_corpus
def test_items_that_are_never_done_keep_their_places_and_hold_nothing_up():
    (exchange,) = (found for found in streams(ENDPOINT) if NEVER_DONE in found["case"])
    events = sse_events(exchange["response"]["sse"])
    chunks = run(events)
    assert [block["type"] for block in total(chunks).content] == ["mcp_list_tools"] * 3 + ["text"]
    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert [chunk.text for chunk in chunks if chunk.text] == deltas
    assert sent(in_standard_form(chunks)) == sent(total(chunks))


@needs_corpus
def test_text_streams_as_it_comes():
    found = next(found for found in streams(ENDPOINT) if "background_mode_streaming_vcr" in found["case"])
    events = sse_events(found["response"]["sse"])
    assert [event["type"] for event in events][:3] == ["response.created", "response.queued", "response.in_progress"]
    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert [chunk.content for chunk in run(events, plain=True)] == [*deltas, ""]
    blocks = [chunk.content for chunk in run(events)]
    message_id = events[3]["item"]["id"]
    assert blocks[0] == [{"type": "text", "text": deltas[0], "id": message_id, "index": 0}]
    assert blocks[1] == [{"type": "text", "text": deltas[1], "index": 0}]


@needs_corpus
def test_a_recorded_stream_without_its_last_event_is_cut():
    for exchange in streams(ENDPOINT):
        decoder = WIRE.stream_decoder(True)
        for event in sse_events(exchange["response"]["sse"])[:-1]:
            list(decoder.feed(event))
        with pytest.raises(IncompleteStreamError, match=r"response\.completed"):
            decoder.close()


@needs_corpus
def test_interleaved_streams_do_not_mix():
    recorded = [sse_events(found["response"]["sse"]) for found in streams(ENDPOINT)]
    pairs = [(a, b) for a, b in zip(recorded[::7], recorded[3::7], strict=False)]
    assert len(pairs) > 10
    for first, second in pairs:
        one, two = WIRE.stream_decoder(False), WIRE.stream_decoder(False)
        chunks: tuple[list[AIMessageChunk], list[AIMessageChunk]] = ([], [])
        for place in range(max(len(first), len(second))):
            chunks[0].extend(chunk for event in first[place : place + 1] for chunk in one.feed(event))
            chunks[1].extend(chunk for event in second[place : place + 1] for chunk in two.feed(event))
        assert (total(chunks[0]), total(chunks[1])) == (total(run(first)), total(run(second)))


@given(whole=REPLIES, rng=st.randoms(use_true_random=False), deltas=st.booleans())
@settings(max_examples=150)
def test_the_sum_of_a_stream_is_the_whole_reply(whole, rng, deltas):
    chunks = run(events_of(whole, rng, deltas))
    assert facts(total(chunks)) == facts(WIRE.decode(whole)[0])
    message = message_chunk_to_message(total(chunks))
    assert message.tool_calls == WIRE.decode(whole)[0].tool_calls


@given(whole=REPLIES, rng=st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_a_lone_text_streams_as_str(whole, rng):
    whole["output"] = [{**item, **({"content": item["content"][:1]} if item["type"] == "message" else {})}
                       for item in whole["output"][:1]]  # fmt: skip
    decoded = WIRE.decode(whole)[0]
    summed = total(run(events_of(whole, rng), plain=True))
    assert facts(summed) == facts(decoded)
    if isinstance(decoded.content, str):
        assert summed.content == decoded.content


def test_a_block_after_a_plain_text_starts_a_list():
    whole = reply([text_item("a"), text_item("b", "msg_2")])
    contents = [chunk.content for chunk in run(events_of(whole, random.Random(0)), plain=True) if chunk.content]
    assert contents == ["a", [{"type": "text", "text": "b", "id": "msg_2", "index": 1}]]


@given(whole=REPLIES, rng=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_lost_events_are_made_good_by_the_last_one(whole, rng):
    kept = [event for event in events_of(whole, rng, deltas=False) if event["type"] != "response.output_item.done"]
    summed, decoded = facts(total(run(kept))), facts(WIRE.decode(whole)[0])
    # A message without a delta has no place yet when what follows it begins.
    for found in (summed, decoded):
        for key in ("content", "tool_calls", "broken"):
            found[key].sort(key=lambda item: json.dumps(item, sort_keys=True))
    assert summed == decoded


@given(whole=REPLIES, rng=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_items_are_found_whatever_their_ids_and_places_are(whole, rng):
    events = events_of(whole, rng)
    moved = [
        {**event, "output_index": event["output_index"] + 1} if event["type"].endswith("item.done") else event
        for event in events
    ]
    assert facts(total(run(moved))) == facts(WIRE.decode(whole)[0])
    rotated = [{**event, "item_id": f"x{n}"} if "item_id" in event else event for n, event in enumerate(events)]
    assert facts(total(run(rotated))) == facts(WIRE.decode(whole)[0])


def test_a_cut_call_never_passes_for_a_whole_one():
    cut = call_item('{"path": "/tm', status="incomplete")
    whole = reply([cut], "incomplete", incomplete_details={"reason": "max_output_tokens"})
    message = total(run(events_of(whole, random.Random(1))))
    assert message.tool_calls == []
    (broken,) = message.invalid_tool_calls
    assert (broken["id"], broken["name"]) == ("call_1", "add")
    assert broken["args"].startswith('{"path": "/tm')
    assert message.content[0]["arguments"] == '{"path": "/tm'


def test_a_call_streams_its_arguments():
    events = events_of(reply([call_item('{"a":1}')]), random.Random(4))
    pieces = [event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta"]
    assert len(pieces) > 1
    chunks = run(events)
    first, *rest = [call for chunk in chunks for call in chunk.tool_call_chunks]
    assert (first["name"], first["id"], first["args"], first["index"]) == ("add", "call_1", "", 0)
    assert [(call["name"], call["id"], call["index"]) for call in rest] == [(None, None, 0)] * len(rest)
    assert [call["args"] for call in rest] == [piece for piece in pieces if piece]


def test_thinking_shows_while_it_streams():
    chunks = run(events_of(reply([REASONING, text_item("hi")]), random.Random(0)))
    thoughts = [
        block["reasoning"] for chunk in chunks for block in chunk.content_blocks if block["type"] == "reasoning"
        if "reasoning" in block
    ]  # fmt: skip
    assert "".join(thoughts) == "onetwo"
    assert [block.get("reasoning") for block in total(chunks).content_blocks] == ["one", "two", None]


def test_an_empty_output_in_the_last_event_does_not_undo_the_stream():
    whole = reply([call_item()])
    events = events_of(whole, random.Random(0))
    events[-1] = {"type": "response.completed", "response": {**whole, "output": []}}
    message = total(run(events))
    assert message.tool_calls[0]["args"] == {"a": 1}
    assert message.response_metadata["finish_reason"] == "tool_calls"


def test_unknown_events_do_not_disturb_a_stream():
    whole = reply([{"type": "hologram_call", "id": "h_1", "beam": {"on": None}}, text_item("hi")])
    events = events_of(whole, random.Random(0))
    noise = [
        {"type": "response.hologram.delta", "delta": 3},
        {"type": "keepalive"},
        {},
        {"type": "response.code_interpreter_call_code.delta", "item_id": "h_1", "output_index": 0, "delta": "x"},
        {"type": "response.output_item.done"},
        {"type": "response.output_text.annotation.added", "item_id": "msg_1", "output_index": 1, "content_index": 0},
    ]
    mixed = [*events[:4], *noise, *events[4:]]
    assert facts(total(run(mixed))) == facts(WIRE.decode(whole)[0])
    assert total(run(mixed)).content[0] == {"type": "hologram_call", "id": "h_1", "beam": {"on": None}, "index": 0}


def test_errors_in_a_stream_do_not_crash_the_decoder():
    decoder = WIRE.stream_decoder(True)
    assert list(decoder.feed({"type": "error", "code": "server_error", "message": "no"})) == []
    with pytest.raises(IncompleteStreamError):
        decoder.close()
    (last,) = decoder.feed({"type": "response.failed", "response": reply([], "failed", error={"code": "server_error"})})
    assert last.response_metadata["finish_reason"] == "error"


@pytest.mark.parametrize(
    "call, output",
    [
        (call_item(), "function_call_output"),
        (call_item(""), "function_call_output"),
        ({"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "add", "input": 'say "hi"'},
         "custom_tool_call_output"),
    ],
)  # fmt: skip
def test_a_call_that_the_reply_answers_is_not_run_again(call, output):
    """Servers that run the caller's functions list the call and its result (hermes-agent#7939)."""
    answer = {"type": output, "id": "fco_1", "call_id": call["call_id"], "output": "3"}
    message = total(run(events_of(reply([call, answer, text_item("Three.")]), random.Random(1))))
    assert message.tool_calls == []
    assert [item.get("type") for item in sent(message)] == [call["type"], output, "message"]
