"""The Messages wire on recorded traffic: replies, streams, and their replay."""

from __future__ import annotations

import copy
import itertools
import json
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.request import Profile
from langchain_unified.wires.anthropic_messages import WIRE
from tests.support.corpus import exchanges, label, needs_corpus, replies, sse_events, streams
from tests.support.streams import total
from tests.wires.anthropic_messages.helpers import TOOL, as_v1, encode, problems, reply_blocks, run, text

ENDPOINT = "anthropic.messages"


# --- recorded traffic -------------------------------------------------------------------------------------------------


def gathered(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole reply that a stream stands for, read from the events alone."""
    whole: dict[str, Any] = {}
    for event in copy.deepcopy(events):
        if event["type"] == "message_start":
            whole = {**event["message"], "content": []}
        elif event["type"] == "content_block_start":
            whole["content"].append({**event["content_block"], "json": ""})
        elif event["type"] == "content_block_delta":
            _grow(whole["content"][event["index"]], event["delta"])
        elif event["type"] == "content_block_stop":
            block = whole["content"][event["index"]]
            arguments = block.pop("json")
            if arguments:
                block["input"] = json.loads(arguments)
        elif event["type"] == "message_delta":
            whole.update({key: value for key, value in event["delta"].items() if value is not None})
            whole.update({key: event[key] for key in ("context_management",) if event.get(key)})
            whole["usage"].update({key: value for key, value in event["usage"].items() if value is not None})
    return whole


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta["type"] == "text_delta":
        block["text"] += delta["text"]
    elif delta["type"] == "thinking_delta":
        block["thinking"] += delta["thinking"]
    elif delta["type"] == "signature_delta":
        block["signature"] = delta["signature"]
    elif delta["type"] == "citations_delta":
        block["citations"].append(delta["citation"])
    elif delta["type"] == "input_json_delta":
        block["json"] += delta["partial_json"]
    else:
        raise AssertionError(f"a delta that the recordings do not have: {delta['type']}")


FINISH = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length", "pause_turn": "pause"}


def test_the_recordings_are_the_ones_these_tests_know():
    if not exchanges(ENDPOINT):
        pytest.skip("no recorded exchanges")
    assert (len(exchanges(ENDPOINT)), len(replies(ENDPOINT)), len(streams(ENDPOINT))) == (378, 279, 97)


@needs_corpus
@pytest.mark.parametrize("exchange", replies(ENDPOINT), ids=label)
def test_recorded_reply(exchange: dict[str, Any]):
    raw = exchange["response"]["body"]
    before = copy.deepcopy(raw)
    (message,) = WIRE.decode(raw)
    assert raw == before
    _check_reading(message, raw)
    assert reply_blocks(message) == raw["content"] or message.content == raw["content"][0]["text"]


def _check_reading(message: AIMessage, raw: dict[str, Any]) -> None:
    """The message against the reply, read here by other means."""
    blocks, usage = raw["content"], raw["usage"]
    assert (message.id, message.response_metadata["id"]) == (None, raw["id"])
    assert message.text == "".join(block["text"] for block in blocks if block["type"] == "text")
    uses = [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == uses
    assert message.invalid_tool_calls == []
    assert [block["type"] for block in reply_blocks(message)] == [block["type"] for block in blocks]
    assert [b.get("signature") for b in reply_blocks(message)] == [b.get("signature") for b in blocks]
    cached = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    assert message.usage_metadata["input_tokens"] == usage["input_tokens"] + cached
    assert message.usage_metadata["output_tokens"] == usage["output_tokens"]
    assert message.usage_metadata["total_tokens"] == usage["input_tokens"] + cached + usage["output_tokens"]
    details = message.usage_metadata["input_token_details"]
    assert (details["cache_read"], details["cache_creation"]) == (
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"],
    )
    found = message.response_metadata
    assert (found["stop_reason"], found["finish_reason"]) == (raw["stop_reason"], FINISH[raw["stop_reason"]])
    assert (found["model_provider"], found["model_name"], found["usage"]) == ("anthropic", raw["model"], usage)
    for key in ("container", "context_management", "stop_details", "stop_sequence"):
        assert found.get(key) == raw.get(key)


@needs_corpus
@pytest.mark.parametrize("plain", [False, True], ids=["blocks", "plain"])
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_law_1_the_sum_of_a_stream_is_the_decoded_whole(exchange: dict[str, Any], plain: bool):
    events = sse_events(exchange["response"]["sse"])
    whole = gathered(events)
    summed = total(run(events, plain))
    (decoded,) = WIRE.decode(whole)
    assert summed.text == decoded.text
    if not plain or isinstance(summed.content, str):
        assert reply_blocks(summed) == reply_blocks(decoded) or summed.content == decoded.text
    assert summed.tool_calls == decoded.tool_calls
    assert summed.invalid_tool_calls == decoded.invalid_tool_calls
    assert summed.usage_metadata == decoded.usage_metadata
    assert summed.response_metadata == decoded.response_metadata
    assert summed.response_metadata["id"] == decoded.response_metadata["id"]
    if not plain:
        _check_reading(summed, whole)


@needs_corpus
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_recorded_chunks(exchange: dict[str, Any]):
    events = sse_events(exchange["response"]["sse"])
    before = copy.deepcopy(events)
    decoder = WIRE.stream_decoder(False)
    by_event = [(event, list(decoder.feed(event))) for event in events]
    decoder.close()
    assert events == before
    chunks = [chunk for _, found in by_event for chunk in found]
    assert {chunk.id for chunk in chunks} == {None}
    assert chunks[-1].response_metadata["id"] == events[0]["message"]["id"]
    assert [chunk.chunk_position for chunk in chunks].index("last") == len(chunks) - 1
    assert all(chunk.response_metadata == {"model_provider": "anthropic"} for chunk in chunks[:-1])
    assert all(chunk.usage_metadata is None for chunk in chunks[:-1])
    for event, found in by_event:
        for block in (block for chunk in found for block in chunk.content):
            assert block["index"] == event["index"]
        if event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta":
            assert [chunk.text for chunk in found] == [event["delta"]["text"]]


@needs_corpus
def test_law_6_two_streams_do_not_mix():
    calls = [exchange for exchange in streams(ENDPOINT) if "tool_use_response" in exchange["tags"]][:6]
    for left, right in itertools.pairwise(calls):
        events = [sse_events(exchange["response"]["sse"]) for exchange in (left, right)]
        decoders = [WIRE.stream_decoder(False), WIRE.stream_decoder(False)]
        out: list[list[AIMessageChunk]] = [[], []]
        for step in range(max(map(len, events))):
            for side in (0, 1):
                if step < len(events[side]):
                    out[side].extend(decoders[side].feed(events[side][step]))
        for side in (0, 1):
            assert out[side] == run(events[side])


# --- replay -----------------------------------------------------------------------------------------------------------


def decoded_of(exchange: dict[str, Any]) -> list[AIMessage]:
    """A recorded answer, as decoded, and for streams as summed."""
    if exchange["response"]["body"]:
        return WIRE.decode(exchange["response"]["body"])
    return [total(run(sse_events(exchange["response"]["sse"])))]


def replayed(message: AIMessage) -> Any:
    results = [ToolMessage("done", tool_call_id=call["id"]) for call in message.tool_calls]
    paused = message.response_metadata.get("stop_reason") == "pause_turn"  # the API takes no user's word after it
    return encode(HumanMessage("hi"), message, *results, *([] if paused else [HumanMessage("go on")]), tools=(TOOL,))


def sendable(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks without the texts and the keys that the API gives but does not take."""
    taken = [block for block in blocks if block["type"] != "text" or block["text"].strip()]
    for block in taken:
        if isinstance(block.get("content"), dict):
            block["content"].pop("abort_reason", None)
    return taken


ANSWERS = [exchange for exchange in exchanges(ENDPOINT) if exchange["response"]["status"] == 200]


@needs_corpus
@pytest.mark.parametrize("exchange", ANSWERS, ids=label)
def test_law_4_a_reply_goes_back_to_its_wire(exchange: dict[str, Any], oracle: ModuleType):
    (message,) = decoded_of(exchange)
    encoded = replayed(message)
    assert problems(oracle, encoded.body) == []
    assert encoded.adjustments == ()
    assert encoded.body["messages"][1]["content"] == sendable(reply_blocks(message))


@needs_corpus
@pytest.mark.parametrize("exchange", ANSWERS, ids=label)
def test_law_4_a_reply_in_standard_blocks_goes_back_to_its_wire(exchange: dict[str, Any], oracle: ModuleType):
    (message,) = decoded_of(exchange)
    encoded = replayed(as_v1(message))
    assert problems(oracle, encoded.body) == []
    assert [without_empty(b) for b in encoded.body["messages"][1]["content"]] == [
        without_empty(b) for b in sendable(reply_blocks(message))
    ]


@needs_corpus
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_law_4_a_stream_of_standard_blocks_goes_back_to_its_wire(exchange: dict[str, Any], oracle: ModuleType):
    chunks = run(sse_events(exchange["response"]["sse"]))
    encoded = replayed(total([as_v1(chunk) for chunk in chunks]))
    assert problems(oracle, encoded.body) == []
    assert [without_empty(b) for b in encoded.body["messages"][1]["content"]] == [
        without_empty(b) for b in sendable(reply_blocks(total(chunks)))
    ]


def without_empty(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if not (key == "citations" and not value)}


def conversation(body: dict[str, Any]) -> list[BaseMessage]:
    """A recorded request's messages, as a caller would write them with the wire's own blocks."""
    kinds: dict[str, Any] = {
        "user": HumanMessage,
        "system": SystemMessage,
        "assistant": lambda content: AIMessage(content, response_metadata={"model_provider": "anthropic"}),
    }
    return [kinds[message["role"]](copy.deepcopy(message["content"])) for message in body["messages"]]


def flat(body: dict[str, Any]) -> list[tuple[str, Any]]:
    """(role, block) of every block, forms that mean the same made equal."""
    found = []
    for message in body["messages"]:
        content = message["content"]
        blocks = [text(content)] if isinstance(content, str) else content
        found += [(message["role"], _one_form(block)) for block in blocks]
    return found


def _one_form(block: dict[str, Any]) -> dict[str, Any]:
    silent = {"is_error": False, "cache_control": None}
    kept = {key: value for key, value in block.items() if key not in silent or value is not silent[key]}
    inner = kept.get("content")
    if block["type"] == "tool_result" and isinstance(inner, list) and len(inner) == 1 and inner[0]["type"] == "text":
        kept["content"] = inner[0]["text"]
    return kept


@needs_corpus
@pytest.mark.parametrize("exchange", exchanges(ENDPOINT), ids=label)
def test_recorded_conversation_is_sent_as_it_was(exchange: dict[str, Any], oracle: ModuleType):
    recorded = exchange["request"]["body"]
    encoded = encode(*conversation(recorded), profile=Profile(system_in_messages=True))
    assert flat(encoded.body) == flat(recorded)
    assert problems(oracle, encoded.body) == []
