"""The Responses wire: bodies that go out, replies and streams that come in; recorded and generated traffic."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.errors import (
    IncompleteStreamError,
    InvalidToolError,
    ReplyError,
    UnsupportedContentError,
    UnsupportedParameterError,
)
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
from langchain_unified.tools.choice import parse_tool_choice
from langchain_unified.tools.specs import tool_specs
from langchain_unified.wires.openai_responses import WIRE
from langchain_unified.wires.openai_responses.params import NATIVE_KEYS, PARAMS
from tests.support.corpus import exchanges, label, needs_corpus, replies, sse_events, streams

ENDPOINT = "openai.responses"


def request(*messages: BaseMessage | Turn, **fields: Any) -> Request:
    found = messages if messages and isinstance(messages[0], Turn) else turns(messages, "openai_responses")
    return Request(model="gpt-test", turns=tuple(found), **fields)


def encode(*messages: BaseMessage | Turn, **fields: Any) -> Encoded:
    return WIRE.encode(request(*messages, **fields))


def body(*messages: BaseMessage | Turn, **fields: Any) -> dict[str, Any]:
    return encode(*messages, **fields).body


def sent(*messages: BaseMessage | Turn, **fields: Any) -> list[dict[str, Any]]:
    return body(*messages, **fields)["input"]


def refused(**fields: Any) -> list[str]:
    """What a request could not say."""
    return [found["what"] for found in encode(HumanMessage("hi"), **fields).adjustments]


def own(content: Any, **fields: Any) -> AIMessage:
    """A reply of this wire, as it stands in a history."""
    return AIMessage(content=content, id="resp_1", response_metadata={"model_provider": "openai"}, **fields)


def run(events: Iterable[dict[str, Any]], plain: bool = False) -> list[AIMessageChunk]:
    decoder = WIRE.stream_decoder(plain)
    chunks = [chunk for event in events for chunk in decoder.feed(event)]
    chunks.extend(decoder.end())
    decoder.close()
    return chunks


def total(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    return add_ai_message_chunks(chunks[0], *chunks[1:])


def unindexed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: unindexed(item) for key, item in value.items() if key != "index"}
    return [unindexed(item) for item in value] if isinstance(value, list) else value


def settled(content: Any) -> Any:
    """Content in which a bare text is a `str` wherever it stands, and stream marks are gone."""
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
    return {name: getattr(message, name) for name in names} | {"content": settled(message.content), "broken": broken}


# --- recorded replies -------------------------------------------------------------------------------------------------


@needs_corpus
def test_the_corpus_is_whole():
    assert (len(exchanges(ENDPOINT)), len(replies(ENDPOINT)), len(streams(ENDPOINT))) == (390, 280, 108)


def read(whole: dict[str, Any]) -> dict[str, Any]:
    """The facts of a recorded reply, read without the decoder."""
    texts = [part["text"] for item in whole["output"] if item["type"] == "message" for part in item["content"]]
    calls = [item for item in whole["output"] if item["type"] == "function_call"]
    waiting = bool(calls) or any(item.get("execution") == "client" for item in whole["output"])
    done = "tool_calls" if waiting else "stop"
    finish = {"completed": done, "queued": "pause", "incomplete": "length"}[whole["status"]]
    return {
        "texts": texts,
        "calls": [(call["call_id"], call["name"], json.loads(call["arguments"])) for call in calls],
        "finish": finish,
        "others": [item for item in whole["output"] if item["type"] != "message"],
    }


@needs_corpus
@pytest.mark.parametrize("exchange", replies(ENDPOINT), ids=label)
def test_recorded_reply(exchange):
    whole = exchange["response"]["body"]
    before = copy.deepcopy(whole)
    (message,) = WIRE.decode(whole)
    wanted = read(whole)
    assert whole == before
    content = [message.content] if isinstance(message.content, str) else message.content
    texts = [block if isinstance(block, str) else block["text"] for block in content if is_text(block)]
    assert [text for text in texts if text] == [text for text in wanted["texts"] if text]
    assert [block for block in content if not is_text(block)] == wanted["others"]
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == wanted["calls"]
    assert message.invalid_tool_calls == []
    metadata = message.response_metadata
    assert metadata["finish_reason"] == wanted["finish"]
    assert metadata["stop_reason"] == (whole["incomplete_details"] or {}).get("reason", whole["status"])
    assert (metadata["model_provider"], metadata["model_name"]) == ("openai", whole["model"])
    assert metadata["id"] == message.id == whole["id"]
    assert metadata["object"] == "response"
    assert metadata.get("usage") == whole["usage"]
    if whole["usage"]:
        usage = message.usage_metadata
        assert usage["input_tokens"] == whole["usage"]["input_tokens"]
        assert usage["output_tokens"] == whole["usage"]["output_tokens"]
        assert usage["input_token_details"]["cache_read"] == whole["usage"]["input_tokens_details"]["cached_tokens"]
        reasoned = whole["usage"]["output_tokens_details"]["reasoning_tokens"]
        assert usage["output_token_details"]["reasoning"] == reasoned


def is_text(block: Any) -> bool:
    return isinstance(block, str) or block["type"] == "text"


def test_a_reply_leaves_out_the_echo_of_its_request():
    (message,) = WIRE.decode(reply([text_item("hi")], tools=[{"type": "web_search"}], temperature=1.0, top_p=None))
    assert set(message.response_metadata) == {
        "model_provider", "model_name", "finish_reason", "stop_reason", "id", "object", "created_at", "status", "usage",
    }  # fmt: skip


# --- replies by hand --------------------------------------------------------------------------------------------------

USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 17,
}


def reply(output: list[dict[str, Any]], status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-test",
        "status": status,
        "error": None,
        "output": output,
        "usage": USAGE,
        **fields,
    }


def text_item(text: str, item_id: str = "msg_1", **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": fields.pop("annotations", []), "logprobs": []}
    return {
        "type": "message", "id": item_id, "role": "assistant", "status": "completed", "content": [part], **fields,
    }  # fmt: skip


def call_item(arguments: str = '{"a":1}', **fields: Any) -> dict[str, Any]:
    return {
        "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add", "arguments": arguments,
        "status": "completed", **fields,
    }  # fmt: skip


REFUSAL = {
    "type": "message",
    "id": "msg_2",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "refusal", "refusal": "no"}],
}
CUSTOM = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "shell", "input": 'say "hé"\n'}
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
    "encrypted_content": "gAAA",
}


def decode(*output: dict[str, Any], **fields: Any) -> AIMessage:
    return WIRE.decode(reply(list(output), **fields))[0]


def test_content_of_a_message_item():
    assert decode(text_item("hi")).content == "hi"
    assert decode(text_item("hi", status="incomplete")).content == "hi"
    assert decode().content == ""
    assert decode(text_item("hi", phase="final_answer")).content == [
        {"type": "text", "text": "hi", "id": "msg_1", "phase": "final_answer"}
    ]
    assert decode(REFUSAL).content == [{"type": "refusal", "refusal": "no", "id": "msg_2"}]
    cited = {"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "index": 3}
    assert decode(text_item("hi", annotations=[cited])).content == [
        {
            "type": "text",
            "text": "hi",
            "id": "msg_1",
            "annotations": [{"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "file_index": 3}],
        }
    ]


def test_a_part_of_an_unknown_type_keeps_its_message():
    item = text_item("hi")
    item["content"].append({"type": "output_smell", "scent": "pine"})
    message = decode(item)
    assert message.content == [
        {"type": "text", "text": "hi", "id": "msg_1"},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "content": [{"type": "output_smell", "scent": "pine"}],
        },
    ]
    assert sent(HumanMessage("x"), message)[1] == {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [
            {"type": "output_text", "text": "hi", "annotations": []},
            {"type": "output_smell", "scent": "pine"},
        ],
    }


def test_tool_calls():
    message = decode(call_item(), CUSTOM)
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == [
        ("call_1", "add", {"a": 1}),
        ("call_2", "shell", {"__arg1": 'say "hé"\n'}),
    ]
    assert message.content == [call_item(), CUSTOM]
    assert decode(call_item("")).tool_calls[0]["args"] == {}


@pytest.mark.parametrize("arguments", ['{"a": 1', "[1]", "no", '{"a": "x'])
def test_arguments_that_are_no_object_make_an_invalid_call(arguments):
    message = decode(call_item(arguments))
    assert message.tool_calls == []
    assert [(call["id"], call["name"], call["args"]) for call in message.invalid_tool_calls] == [
        ("call_1", "add", arguments)
    ]


def test_a_call_that_was_cut_before_its_arguments_is_invalid():
    details = {"reason": "max_output_tokens"}
    message = decode(call_item("", status="incomplete"), status="incomplete", incomplete_details=details)
    assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)
    assert message.response_metadata["finish_reason"] == "length"
    assert message.response_metadata["stop_reason"] == "max_output_tokens"


@pytest.mark.parametrize(
    "output,fields,reason",
    [
        ([text_item("hi")], {}, "stop"),
        ([call_item()], {}, "tool_calls"),
        ([CUSTOM], {}, "tool_calls"),
        ([{"type": "computer_call", "call_id": "c", "id": "cu_1"}], {}, "tool_calls"),
        ([{"type": "shell_call", "call_id": "c"}, {"type": "shell_call_output", "call_id": "c"}], {}, "stop"),
        ([{"type": "tool_search_call", "id": "t", "execution": "client"}], {}, "tool_calls"),
        ([{"type": "tool_search_call", "id": "t", "execution": "server"}], {}, "stop"),
        ([{"type": "mcp_approval_request", "id": "m"}], {}, "tool_calls"),
        ([REFUSAL], {}, "refusal"),
        ([], {"status": "queued"}, "pause"),
        ([], {"status": "in_progress"}, "pause"),
        ([], {"status": "cancelled"}, "other"),
        ([], {"status": "failed"}, "error"),
        ([], {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ([], {"status": "incomplete", "incomplete_details": {"reason": "max_messages"}}, "pause"),
        ([], {"status": "incomplete", "incomplete_details": {"reason": "new"}}, "other"),
        ([], {"status": "incomplete"}, "other"),
    ],
)
def test_finish_reasons(output, fields, reason):
    assert decode(*output, **fields).response_metadata["finish_reason"] == reason


def test_usage():
    assert decode().usage_metadata == {
        "input_tokens": 12,
        "output_tokens": 5,
        "total_tokens": 17,
        "input_token_details": {"cache_read": 4, "cache_creation": 3},
        "output_token_details": {"reasoning": 2},
    }
    assert decode(usage=None).usage_metadata is None


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"output": None}, {"output": "hi"}, {"output": ["hi"]}, {"object": "chat.completion", "choices": []},
        {"output": [{"type": "message", "content": None}]}, {"output": [{"type": "message", "content": ["hi"]}]},
        {"output": [], "usage": 3}, [], "<html>",
    ],
)  # fmt: skip
def test_another_shape_is_a_reply_error(wrong):
    with pytest.raises(ReplyError, match="answer"):
        WIRE.decode(wrong)


# --- streams ----------------------------------------------------------------------------------------------------------


def finished(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole reply of a recorded stream.

    Reasoning is encrypted anew for the last event; the API asks to keep what `output_item.done` gave.
    """
    whole = copy.deepcopy(events[-1]["response"])
    done = {event["item"]["id"]: event["item"] for event in events if event["type"] == "response.output_item.done"}
    whole["output"] = [done.get(item["id"], item) for item in whole["output"]]
    return whole


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


def fragments(text: str, rng: random.Random) -> list[str]:
    cuts = sorted(rng.sample(range(len(text) + 1), min(len(text), rng.randint(0, 3))))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def part_events(place: int, part: dict[str, Any], rng: random.Random) -> Iterable[dict[str, Any]]:
    key, kind = ("refusal", "refusal") if part["type"] == "refusal" else ("text", "output_text")
    logprobs = {"logprobs": part["logprobs"]} if "logprobs" in part else {}
    bare = {"logprobs": []} if "logprobs" in part else {}
    yield {"type": "response.content_part.added", "content_index": place, "part": {**part, key: ""}}
    for piece in fragments(part.get(key, ""), rng):
        yield {"type": f"response.{kind}.delta", "content_index": place, "delta": piece, **logprobs}
    for note in part.get("annotations") or ():
        yield {"type": "response.output_text.annotation.added", "content_index": place, "annotation": note}
    yield {"type": "response.content_part.done", "content_index": place, "part": {**part, **bare}}


def message_events(item: dict[str, Any], rng: random.Random) -> Iterable[dict[str, Any]]:
    for place, part in enumerate(item["content"]):
        yield from part_events(place, part, rng)


def reasoning_events(item: dict[str, Any], rng: random.Random) -> Iterable[dict[str, Any]]:
    for place, part in enumerate(item["summary"]):
        yield {"type": "response.reasoning_summary_part.added", "summary_index": place, "part": {**part, "text": ""}}
        for piece in fragments(part["text"], rng):
            yield {"type": "response.reasoning_summary_text.delta", "summary_index": place, "delta": piece}
    for place, part in enumerate(item.get("content") or ()):
        for piece in fragments(part["text"], rng):
            yield {"type": "response.reasoning_text.delta", "content_index": place, "delta": piece}


def call_events(item: dict[str, Any], rng: random.Random) -> Iterable[dict[str, Any]]:
    for piece in fragments(item["arguments"], rng):
        yield {"type": "response.function_call_arguments.delta", "delta": piece}


def custom_events(item: dict[str, Any], rng: random.Random) -> Iterable[dict[str, Any]]:
    for piece in fragments(item["input"], rng):
        yield {"type": "response.custom_tool_call_input.delta", "delta": piece}


DELTAS: dict[str, Callable[[dict[str, Any], random.Random], Iterable[dict[str, Any]]]] = {
    "message": message_events,
    "reasoning": reasoning_events,
    "function_call": call_events,
    "custom_tool_call": custom_events,
}
EMPTY = {"content": [], "summary": [], "arguments": "", "input": "", "encrypted_content": "partial"}


def events_of(whole: dict[str, Any], rng: random.Random, deltas: bool = True) -> list[dict[str, Any]]:
    """The events by which the API streams a reply."""
    empty = {**whole, "output": [], "status": "in_progress", "usage": None}
    events = [{"type": "response.created", "response": empty}, {"type": "response.in_progress", "response": empty}]
    for place, item in enumerate(whole["output"]):
        known = {"output_index": place, "item_id": item.get("id")}
        started = {key: EMPTY.get(key, value) for key, value in item.items()}
        if "status" in started:
            started["status"] = "in_progress"
        events.append({"type": "response.output_item.added", "output_index": place, "item": started})
        if deltas:
            events += [{**known, **event} for event in DELTAS.get(item["type"], lambda *_: ())(item, rng)]
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    final = "response.incomplete" if whole["status"] == "incomplete" else "response.completed"
    return [*events, {"type": final, "response": whole}]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NOTES = st.lists(
    st.sampled_from(
        [
            {"type": "url_citation", "url": "https://a.b", "title": "t", "start_index": 0, "end_index": 2},
            {"type": "file_citation", "file_id": "file-1", "filename": "a", "index": 3},
            {"type": "file_citation", "file_id": "file-2", "filename": "b", "index": 3},
            {"type": "file_path", "file_id": "file-1", "index": 0},
        ]
    ),
    max_size=3,
)
LOGPROBS = st.lists(st.just({"token": "a", "bytes": [97], "logprob": -0.5, "top_logprobs": []}), max_size=2)
PARTS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("output_text"), "text": TEXTS, "annotations": NOTES, "logprobs": LOGPROBS}
    ),
    st.fixed_dictionaries({"type": st.just("output_text"), "text": TEXTS, "annotations": st.just([])}),
    st.fixed_dictionaries({"type": st.just("refusal"), "refusal": TEXTS}),
    st.just({"type": "output_smell", "scent": "pine"}),
)
STATUS = st.sampled_from(["completed", "incomplete"])
ITEMS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("message"), "role": st.just("assistant"), "status": STATUS},
        optional={"phase": st.sampled_from(["commentary", "final_answer"])},
    ).flatmap(lambda item: st.lists(PARTS, max_size=3).map(lambda parts: {**item, "content": parts})),
    st.fixed_dictionaries(
        {
            "type": st.just("reasoning"),
            "summary": st.lists(TEXTS.map(lambda text: {"type": "summary_text", "text": text}), max_size=3),
        },
        optional={
            "encrypted_content": st.just("gAAA"),
            "status": STATUS,
            "content": st.lists(TEXTS.map(lambda text: {"type": "reasoning_text", "text": text}), max_size=2),
        },
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("function_call"),
            "name": st.just("add"),
            "arguments": st.one_of(
                st.dictionaries(TEXTS, TEXTS, max_size=2).map(json.dumps),
                st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=2).map(lambda args: json.dumps(args)[:-3]),
                st.sampled_from(["", "[1]", "x", '{"a": "\\']),
            ),
            "status": STATUS,
        },
        optional={"namespace": st.just("crm"), "async": st.just(True)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("custom_tool_call"), "name": st.just("shell"), "input": TEXTS}, optional={"status": STATUS}
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["web_search_call", "hologram_call"]), "action": st.just({"type": "search"})},
    ),
)


def numbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    calls = ("function_call", "custom_tool_call")
    ids = [{"id": f"item_{n}", **({"call_id": f"call_{n}"} if i["type"] in calls else {})} for n, i in enumerate(items)]
    return [{**item, **names} for item, names in zip(items, ids, strict=True)]


REPLIES = st.builds(
    lambda items, status: reply(
        numbered(items), status, incomplete_details={"reason": "max_output_tokens"} if status == "incomplete" else None
    ),
    st.lists(ITEMS, max_size=4),
    STATUS,
)


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


# --- input ------------------------------------------------------------------------------------------------------------

PNG = "iVBORw0KGgo="


def parts(*blocks: Any) -> Any:
    return sent(HumanMessage(list(blocks)))[0]["content"]


@pytest.mark.parametrize(
    "block,part",
    [
        ({"type": "text", "text": "a"}, {"type": "input_text", "text": "a"}),
        (
            {"type": "image", "url": "https://a.b/c.png"},
            {"type": "input_image", "detail": "auto", "image_url": "https://a.b/c.png"},
        ),
        (
            {"type": "image", "base64": PNG, "mime_type": "image/webp"},
            {"type": "input_image", "detail": "auto", "image_url": f"data:image/webp;base64,{PNG}"},
        ),
        (
            {"type": "image", "file_id": "file-1"},
            {"type": "input_image", "detail": "auto", "file_id": "file-1"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.b", "detail": "low"}},
            {"type": "input_image", "detail": "low", "image_url": "https://a.b"},
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"},
        ),
        ({"type": "file", "url": "https://a.b/c.pdf"}, {"type": "input_file", "file_url": "https://a.b/c.pdf"}),
        ({"type": "file", "file_id": "file-1"}, {"type": "input_file", "file_id": "file-1"}),
        (
            {"type": "file", "base64": "JVBE", "mime_type": "application/pdf"},
            {"type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        (
            {"type": "file", "base64": "YQ==", "mime_type": "text/csv", "filename": "b.csv"},
            {"type": "input_file", "filename": "b.csv", "file_data": "data:text/csv;base64,YQ=="},
        ),
        (
            {"type": "text-plain", "text": "body", "title": "Note", "mime_type": "text/plain"},
            {"type": "input_text", "text": "Note\n\nbody"},
        ),
        (
            {"type": "search_result", "source": "s", "title": "T", "content": [{"type": "text", "text": "x"}]},
            {"type": "input_text", "text": "T\ns\n\nx"},
        ),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "context": "C"},
            {"type": "input_text", "text": "C\n\nd"},
        ),
        ({"type": "input_file", "file_id": "file-1"}, {"type": "input_file", "file_id": "file-1"}),
        (
            {"type": "non_standard", "value": {"type": "input_text", "text": "raw", "new": 1}},
            {"type": "input_text", "text": "raw", "new": 1},
        ),
    ],
)
def test_user_parts(block, part):
    assert parts({"type": "text", "text": "look"}, block) == [{"type": "input_text", "text": "look"}, part]


def test_a_document_of_blocks():
    document = {
        "type": "document",
        "title": "T",
        "source": {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "image", "url": "https://a.b"}]},
    }
    assert parts(document) == [
        {"type": "input_text", "text": "T"},
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "detail": "auto", "image_url": "https://a.b"},
    ]


def test_messages_and_roles():
    system = SystemMessage("be brief", additional_kwargs={"__openai_role__": "developer"})
    assert sent(SystemMessage("s"), system, HumanMessage("hi"), HumanMessage([{"type": "text", "text": "there"}])) == [
        {"role": "system", "content": "s"},
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {"role": "user", "content": "there"},
    ]
    assert sent(HumanMessage("")) == [{"role": "user", "content": ""}]


def test_items_stand_between_the_parts_of_a_message():
    approval = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
    tools = {"type": "additional_tools", "role": "developer", "tools": []}
    assert sent(HumanMessage([{"type": "text", "text": "a"}, approval, {"type": "text", "text": "b"}, tools])) == [
        {"role": "user", "content": "a"},
        approval,
        {"role": "user", "content": "b"},
        tools,
    ]


@pytest.mark.parametrize(
    "block,words",
    [
        ({"type": "audio", "base64": "YQ==", "mime_type": "audio/wav"}, "Chat Completions"),
        ({"type": "video", "url": "https://a.b"}, "frames"),
        ({"type": "image", "mime_type": "image/png"}, "mime_type"),
        ({"type": "file", "mime_type": "application/pdf"}, "base64"),
        ({"type": "container_upload", "file_id": "f"}, "container_upload"),
    ],
)
def test_what_cannot_be_carried_is_refused_by_name(block, words):
    with pytest.raises(UnsupportedContentError, match=words) as caught:
        sent(SystemMessage("s"), HumanMessage([block]))
    assert "message 1 (user)" in str(caught.value)
    assert "openai_responses" in str(caught.value)


def test_tool_results():
    call = own([call_item(), CUSTOM])
    first = ToolMessage("42", tool_call_id="call_1")
    blocks = [{"type": "text", "text": "a"}, {"type": "image", "url": "https://a.b"}]
    second = ToolMessage(blocks, tool_call_id="call_2")
    empty = ToolMessage("", tool_call_id="call_1", status="error")
    assert sent(call, first, second, empty)[2:] == [
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "detail": "auto", "image_url": "https://a.b"},
            ],
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "error"},
    ]


def test_results_of_the_providers_client_tools():
    computer = {"type": "computer_call", "id": "cu_1", "call_id": "c1", "action": {"type": "screenshot"}}
    shell = {"type": "shell_call", "id": "sh_1", "call_id": "c2", "action": {"commands": ["ls"]}}
    patch = {"type": "apply_patch_call", "id": "ap_1", "call_id": "c3", "status": "completed", "operation": {}}
    local = {"type": "local_shell_call", "id": "ls_1", "call_id": "c4", "status": "completed", "action": {}}
    shot = ToolMessage(
        [{"type": "input_image", "image_url": "data:image/png;base64,AA"}],
        tool_call_id="c1",
        additional_kwargs={"acknowledged_safety_checks": [{"id": "sc_1"}]},
    )
    results = [
        shot,
        ToolMessage("a.txt", tool_call_id="c2"),
        ToolMessage("no such file", tool_call_id="c3", status="error"),
        ToolMessage("ok", tool_call_id="c4"),
        ToolMessage("https://a.b/s.png", tool_call_id="c5", additional_kwargs={"type": "computer_call_output"}),
    ]
    assert sent(own([computer, shell, patch, local]), *results)[4:] == [
        {
            "type": "computer_call_output",
            "call_id": "c1",
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA"},
            "acknowledged_safety_checks": [{"id": "sc_1"}],
        },
        {
            "type": "shell_call_output",
            "call_id": "c2",
            "output": [{"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        },
        {"type": "apply_patch_call_output", "call_id": "c3", "status": "failed", "output": "no such file"},
        {"type": "local_shell_call_output", "id": "c4", "output": "ok"},
        {
            "type": "computer_call_output",
            "call_id": "c5",
            "output": {"type": "computer_screenshot", "image_url": "https://a.b/s.png"},
        },
    ]


def test_a_result_may_be_written_as_an_item():
    item = {"type": "custom_tool_call_output", "output": "x"}
    assert sent(own([CUSTOM]), ToolMessage([item], tool_call_id="call_2"))[1] == {"call_id": "call_2", **item}


# --- assistant turns --------------------------------------------------------------------------------------------------


def test_parts_of_one_message_become_one_item():
    path = {"type": "file_path", "file_id": "f", "file_index": 0}
    blocks = [
        {"type": "text", "text": "a", "id": "msg_1", "phase": "commentary", "index": 0},
        {"type": "refusal", "refusal": "b", "id": "msg_1"},
        {"type": "text", "text": "c", "id": "msg_2", "annotations": [path]},
        {"type": "text", "text": "d"},
    ]
    assert sent(own(blocks)) == [
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "refusal", "refusal": "b"},
            ],
            "phase": "commentary",
        },
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_2",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "c", "annotations": [{"type": "file_path", "file_id": "f", "index": 0}]}
            ],
        },
        {"role": "assistant", "content": "d"},
    ]


def test_a_streamed_reply_goes_back_without_stream_marks():
    whole = reply([REASONING, text_item("hi"), call_item(), CUSTOM])
    message = message_chunk_to_message(total(run(events_of(whole, random.Random(3)))))
    assert sent(message) == sent(WIRE.decode(whole)[0])
    assert sent(message)[0] == REASONING


def test_calls_follow_tool_calls():
    message = own([call_item()], tool_calls=[{"id": "call_1", "name": "add", "args": {"a": 2}}])
    assert sent(message) == [call_item('{"a": 2}')]
    added = own("hi", tool_calls=[{"id": "call_9", "name": "add", "args": {"é": [1, "x"]}}])
    assert sent(added) == [
        {"role": "assistant", "content": "hi"},
        {"type": "function_call", "call_id": "call_9", "name": "add", "arguments": '{"é":[1,"x"]}'},
    ]


CLAUDE = AIMessage(
    content=[
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "Let me look."},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": [{"type": "web_search_result", "url": "https://a.b", "title": "T", "encrypted_content": "zz"}],
        },
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}},
    ],
    tool_calls=[{"id": "toolu_1", "name": "add", "args": {"a": 1}}],
    response_metadata={"model_provider": "anthropic"},
)


def test_a_turn_of_another_provider_keeps_its_words_and_calls(oracle):
    items = sent(HumanMessage("x"), CLAUDE, ToolMessage("2", tool_call_id="toolu_1"))[1:]
    assert items[0] == {"role": "assistant", "content": "Let me look."}
    assert items[1] == {"role": "assistant", "content": '[called web_search: {"query":"q"}]'}
    assert items[2]["content"].startswith("[result: ")
    assert "https://a.b" in items[2]["content"]
    assert "encrypted" not in items[2]["content"]
    assert items[3:] == [
        {"type": "function_call", "call_id": "toolu_1", "name": "add", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "toolu_1", "output": "2"},
    ]
    assert "sig" not in json.dumps(items)
    assert oracle.validate("responses", {"model": "m", "input": items}) == []


def turn(*blocks: dict[str, Any], origin: Any = None) -> Turn:
    return Turn("assistant", blocks, origin=origin)


@pytest.mark.parametrize(
    "block,items",
    [
        ({"type": "text", "text": ""}, []),
        ({"type": "refusal", "refusal": "no"}, [{"role": "assistant", "content": "no"}]),
        (
            {"type": "invalid_tool_call", "id": "c", "name": "f", "args": "{"},
            [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{"}],
        ),
        ({"type": "reasoning", "reasoning": "hm", "id": "x"}, []),
        ({"type": "foreign", "value": {}}, []),
        ({"type": "image", "base64": PNG}, [{"role": "assistant", "content": "[image]"}]),
        ({"type": "image", "url": "https://a.b"}, [{"role": "assistant", "content": "[image: https://a.b]"}]),
        ({"type": "file", "filename": "a.pdf"}, [{"role": "assistant", "content": "[file: a.pdf]"}]),
        ({"type": "audio", "transcript": "hello"}, [{"role": "assistant", "content": "[audio: hello]"}]),
        ({"type": "video"}, [{"role": "assistant", "content": "[video]"}]),
        ({"type": "text-plain", "text": "t"}, [{"role": "assistant", "content": "t"}]),
        ({"type": "text-plain", "file_id": "f"}, [{"role": "assistant", "content": "[text-plain: f]"}]),
        (
            {"type": "search_result", "source": "s", "content": "c"},
            [{"role": "assistant", "content": "s\n\nc"}],
        ),
        (
            {"type": "server_tool_result", "tool_call_id": "x", "output": "boom", "status": "error"},
            [{"role": "assistant", "content": "[result (failed): boom]"}],
        ),
        (
            {"type": "unknown", "value": {"type": "compaction", "id": "cmp_1", "encrypted_content": "z"}},
            [{"type": "compaction", "id": "cmp_1", "encrypted_content": "z"}],
        ),
    ],
)
def test_standard_blocks_of_an_assistant(block, items):
    assert sent(turn(block)) == items


def test_an_unknown_assistant_block_is_refused():
    with pytest.raises(UnsupportedContentError, match="hologram"):
        sent(turn({"type": "unknown", "value": {"type": "hologram"}}))


def test_the_standard_form_of_an_own_reply_goes_back_as_it_was():
    whole = reply(
        [
            REASONING,
            {"type": "web_search_call", "id": "ws_1", "status": "completed",
             "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a.b"}]}},
            {"type": "file_search_call", "id": "fs_1", "status": "failed", "queries": ["q"],
             "results": [{"file_id": "f", "text": "t"}]},
            {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1",
             "container_id": "cntr_1", "outputs": [{"type": "logs", "logs": "1"}]},
            {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "deep", "tools": []},
            {"type": "mcp_call", "id": "mcp_1", "name": "ask", "server_label": "deep", "arguments": '{"q":1}',
             "output": "yes", "status": "completed"},
            {"type": "tool_search_call", "id": "ts_1", "execution": "server", "status": "completed", "arguments": {}},
            {"type": "tool_search_output", "id": "to_1", "execution": "server", "status": "completed", "tools": []},
            {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG,
             "output_format": "png"},
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "z"},
            text_item(
                "hi",
                phase="final_answer",
                annotations=[
                    {"type": "url_citation", "url": "https://a.b", "title": "t", "start_index": 0, "end_index": 2},
                    {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1},
                    {"type": "container_file_citation", "file_id": "f", "filename": "n", "container_id": "c",
                     "start_index": 0, "end_index": 2},
                ],
            ),
            call_item(namespace="crm"),
        ]
    )  # fmt: skip
    (message,) = WIRE.decode(whole)
    standard = own(message.content_blocks, tool_calls=message.tool_calls)
    standard.response_metadata["output_version"] = "v1"
    expected = copy.deepcopy(whole["output"])
    del expected[10]["content"][0]["logprobs"]
    assert sent(standard) == expected
    assert sent(message) == expected


# --- reasoning --------------------------------------------------------------------------------------------------------

BARE = {key: value for key, value in REASONING.items() if key != "encrypted_content"}


def block(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": item["content"][0]["text"], "id": item["id"]}


def test_stored_reasoning_goes_back_with_the_item_it_belongs_to():
    assert sent(own([BARE, call_item()])) == [BARE, call_item()]


def test_reasoning_before_an_item_without_id_is_left_out():
    # The API answers 400 "provided without its required following item" to a reasoning item before a plain message.
    nameless = {key: value for key, value in call_item().items() if key != "id"}
    assert sent(own([REASONING, {"type": "text", "text": "hi"}, call_item()])) == [
        {"role": "assistant", "content": "hi"},
        nameless,
    ]


def test_reasoning_without_an_item_is_left_out():
    assert sent(own([REASONING])) == []
    assert sent(own([call_item(), REASONING])) == [call_item()]


def test_unstored_reasoning_needs_its_encrypted_content():
    unstored = {"params": Params(store=False)}
    assert sent(own([REASONING, call_item()]), **unstored) == [REASONING, call_item()]
    nameless = {key: value for key, value in call_item().items() if key != "id"}
    text = block(text_item("hi"))
    assert sent(own([BARE, {**text, "phase": "commentary"}, call_item()]), **unstored) == [
        {"role": "assistant", "content": "hi", "phase": "commentary"},
        nameless,
    ]


def test_what_is_not_stored_asks_for_encrypted_reasoning():
    asked = ["reasoning.encrypted_content"]
    thinks = Profile(reasoning=True)
    assert body(HumanMessage("x"), params=Params(store=False), profile=thinks)["include"] == asked
    assert body(HumanMessage("x"), params=Params(store=False, reasoning_effort="low"))["include"] == asked
    assert "include" not in body(HumanMessage("x"), params=Params(store=False))
    assert "include" not in body(HumanMessage("x"), params=Params(store=True), profile=thinks)
    native = {"include": ["web_search_call.results"]}
    merged = body(HumanMessage("x"), params=Params(store=False), profile=thinks, native=native)["include"]
    assert merged == ["web_search_call.results", *asked]
    assert native == {"include": ["web_search_call.results"]}


# --- recorded replies, replayed ---------------------------------------------------------------------------------------

# The API's own answer holds a source that the published types do not know.
UNTYPED_SOURCE = "openai_responses_model_web_search_tool_stream"


def whole_replies() -> list[Any]:
    found = [(one, one["response"]["body"]) for one in replies(ENDPOINT)]
    found += [(one, sse_events(one["response"]["sse"])[-1]["response"]) for one in streams(ENDPOINT)]
    return [pytest.param(one["case"], whole, id=label(one)) for one, whole in found]


def problems(oracle: ModuleType, case: str, body: dict[str, Any]) -> list[str]:
    found = oracle.validate("responses", body)
    return [problem for problem in found if not (UNTYPED_SOURCE in case and ".sources[0]" in problem)]


@needs_corpus
@pytest.mark.parametrize("case,whole", whole_replies())
def test_a_recorded_reply_goes_back_to_its_wire(oracle, case, whole):
    (message,) = WIRE.decode(whole)
    replayed = body(HumanMessage("x"), message, HumanMessage("y"))
    assert problems(oracle, case, replayed) == []
    items = replayed["input"][1:-1]
    if isinstance(message.content, str):
        assert items == ([{"role": "assistant", "content": message.content}] if message.content else [])
        return
    kept = list(whole["output"])
    while kept and kept[-1]["type"] == "reasoning":
        kept.pop()
    assert [item["id"] for item in items] == [item["id"] for item in kept]
    assert [item["type"] for item in items] == [item["type"] for item in kept]
    for item, original in zip(items, kept, strict=True):
        assert kernel(item) == kernel(original)


def kernel(item: dict[str, Any]) -> Any:
    """An item without nulls and without the empty `logprobs` that a text part may leave out."""
    if isinstance(item, dict):
        return {key: kernel(value) for key, value in item.items() if value is not None and value != []}
    return [kernel(value) for value in item] if isinstance(item, list) else item


@needs_corpus
@pytest.mark.parametrize("case,whole", whole_replies())
def test_the_standard_form_of_a_recorded_reply_goes_back(oracle, case, whole):
    (message,) = WIRE.decode(whole)
    standard = own(message.content_blocks, tool_calls=message.tool_calls)
    standard.response_metadata["output_version"] = "v1"
    replayed = body(HumanMessage("x"), standard, HumanMessage("y"))
    assert problems(oracle, case, replayed) == []
    verbatim = sent(HumanMessage("x"), message, HumanMessage("y"))
    assert [item.get("type") for item in replayed["input"]] == [item.get("type") for item in verbatim]
    ids = [item.get("id") for item in replayed["input"]]
    if not isinstance(message.content, str):
        assert ids == [item.get("id") for item in verbatim]


def in_standard_form(chunks: list[AIMessageChunk]) -> AIMessage:
    """The sum of a stream as LangChain makes it with `output_version="v1"`: chunk by chunk."""
    standard = [
        chunk.model_copy(
            update={
                "content": chunk.content_blocks,
                "response_metadata": {**chunk.response_metadata, "output_version": "v1"},
            }
        )
        for chunk in chunks
    ]
    return message_chunk_to_message(total(standard))


@needs_corpus
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_the_standard_form_of_a_recorded_stream_goes_back(oracle, exchange):
    events = sse_events(exchange["response"]["sse"])
    message = in_standard_form(run(events))
    assert problems(oracle, exchange["case"], body(message)) == []
    items = finished(events)["output"]
    assert [item["type"] for item in sent(message)] == [item["type"] for item in items]


def test_the_standard_form_of_a_stream_keeps_reasoning_and_calls():
    whole = reply([REASONING, text_item("hi", phase="commentary"), call_item(), CUSTOM])
    message = in_standard_form(run(events_of(whole, random.Random(2))))
    without = {key: value for key, value in call_item().items() if key != "status"}
    said = text_item("hi", phase="commentary")
    del said["content"][0]["logprobs"]
    assert sent(message) == [REASONING, said, without, CUSTOM]
    assert [call["args"] for call in message.tool_calls] == [{"a": 1}, {"__arg1": CUSTOM["input"]}]


# --- a longer conversation keeps its prefix ---------------------------------------------------------------------------

CONVERSATION = st.lists(
    st.one_of(
        TEXTS.map(HumanMessage),
        TEXTS.map(SystemMessage),
        REPLIES.map(lambda whole: WIRE.decode(whole)[0]),
        st.just(CLAUDE),
        TEXTS.map(lambda text: ToolMessage(text, tool_call_id="call_0")),
        st.just(HumanMessage([{"type": "image", "url": "https://a.b"}, {"type": "text", "text": "?"}])),
    ),
    max_size=6,
)


@given(messages=CONVERSATION, store=st.sampled_from([None, False]))
@settings(max_examples=60)
def test_a_longer_conversation_keeps_its_prefix(messages, store):
    fields = {} if store is None else {"params": Params(store=store)}
    before = copy.deepcopy(messages)
    whole = [json.dumps(item) for item in sent(*messages, **fields)]
    for length in range(len(messages)):
        shorter = [json.dumps(item) for item in sent(*messages[:length], **fields)]
        assert whole[: len(shorter)] == shorter
    assert messages == before


# --- prompt-cache marks -----------------------------------------------------------------------------------------------


def marked(text: str, **mark: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **mark}}


def with_marks(*messages: BaseMessage | Turn, **fields: Any) -> Encoded:
    """A request encoded with its marks placed, as a chat model does it, and the adjustments."""
    found, _, notes = place_breakpoints(request(*messages, **fields), WIRE.marks)
    encoded = WIRE.encode(found)
    return replace(encoded, adjustments=(*notes, *encoded.adjustments))


def test_marks_become_breakpoints():
    result = ToolMessage([marked("r")], tool_call_id="call_1")
    said = SystemMessage([marked("s", ttl="12h")]), HumanMessage([marked("u", ttl="1h")])
    found = with_marks(*said, own([call_item()]), result)
    assert found.body["input"] == [
        {"role": "system", "content": [
            {"type": "input_text", "text": "s", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}]},
        {"role": "user", "content": [
            {"type": "input_text", "text": "u", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
        call_item(),
        {"type": "function_call_output", "call_id": "call_1", "output": [
            {"type": "input_text", "text": "r", "prompt_cache_breakpoint": {"mode": "explicit"}}]},
    ]  # fmt: skip
    assert [adjustment["what"] for adjustment in found.adjustments] == ["prompt-cache ttl '1h'"]


@pytest.mark.parametrize("mode, room", [("implicit", 3), ("explicit", 4)])
def test_only_the_last_marks_go_out(mode, room):
    """Four are written, of which one is the implicit."""
    asked = [HumanMessage([marked(str(n))]) for n in range(6)]
    items = with_marks(*asked, params={"prompt_cache_options": {"mode": mode}}).body["input"]
    carried = ["prompt_cache_breakpoint" in item["content"][0] for item in items]
    assert carried == [False] * (6 - room) + [True] * room


def test_marks_that_cannot_go_out_are_named():
    plain = Profile(cache_breakpoints=False)
    found = with_marks(HumanMessage([marked("u")]), profile=plain)
    assert found.body["input"] == [{"role": "user", "content": "u"}]
    assert [adjustment["what"] for adjustment in found.adjustments] == ["the prompt-cache marks"]
    quirky = with_marks(HumanMessage([marked("u")]), dialect=Dialect(cache_marks=False))
    assert len(quirky.adjustments) == 1
    tool = tool_specs([{"name": "f", "input_schema": {}, "cache_control": {"type": "ephemeral"}}])
    named = with_marks(HumanMessage("hi"), tools=tool)
    assert [adjustment["what"] for adjustment in named.adjustments] == ["the prompt-cache mark on the tool 'f'"]


def test_a_mark_on_what_the_assistant_said_moves_to_the_words_before():
    answer = with_marks(HumanMessage("x"), own([marked("a")]), HumanMessage("y"))
    assert answer.adjustments == ()
    assert answer.body["input"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert "prompt_cache_breakpoint" not in json.dumps(answer.body["input"][1:])
    first = with_marks(own([marked("a")]), HumanMessage("y"))
    assert [adjustment["what"] for adjustment in first.adjustments] == [
        "the prompt-cache mark on message 0 (assistant), block 0"
    ]


# --- parameters -------------------------------------------------------------------------------------------------------

SAMPLES: dict[str, Any] = {
    "max_tokens": 5, "temperature": 0.0, "top_p": 0.5, "top_k": 3, "stop": ["x"], "seed": 1, "n": 2,
    "presence_penalty": 0.1, "frequency_penalty": 0.1, "logit_bias": {"5": 1.0}, "logprobs": True, "top_logprobs": 2,
    "user": "u", "metadata": {"a": "b"}, "service_tier": "flex", "parallel_tool_calls": False,
    "reasoning_effort": "low", "reasoning": {"summary": "auto"}, "thinking": {"type": "enabled", "budget_tokens": 9},
    "verbosity": "low", "modalities": ["audio"], "audio": {"voice": "v"}, "prediction": {"content": "c"},
    "store": True, "stream_options": {"include_obfuscation": False}, "prompt_cache_key": "k",
    "prompt_cache_retention": "24h", "prompt_cache_options": {"mode": "explicit", "ttl": "12h"},
}  # fmt: skip
REFUSED = {
    "top_k", "stop", "seed", "n", "presence_penalty", "frequency_penalty", "logit_bias", "modalities", "audio",
    "prediction",
}  # fmt: skip


def test_every_parameter_has_a_row():
    assert PARAMS.keys() == Params.__annotations__.keys() == SAMPLES.keys()
    assert not NATIVE_KEYS & PARAMS.keys()


@pytest.mark.parametrize("key", SAMPLES)
def test_every_parameter_is_sent_or_refused_by_name(oracle, key):
    bare = body(HumanMessage("hi"), stream=True)
    found = encode(HumanMessage("hi"), params={key: SAMPLES[key]}, stream=True)
    said = found.body != bare
    named = [adjustment["what"] for adjustment in found.adjustments]
    assert (said, named) == ((False, [key]) if key in REFUSED else (key != "thinking", named))
    assert said or any(key in what for what in named)
    assert oracle.validate("responses", found.body) == []


def params(profile: Profile | None = None, **values: Any) -> dict[str, Any]:
    found = body(HumanMessage("hi"), params=values, profile=profile or Profile())
    return {key: value for key, value in found.items() if key not in ("model", "input")}


def test_zero_tokens_are_refused():
    with pytest.raises(UnsupportedParameterError, match="max_tokens"):
        params(max_tokens=0)


def test_parameters():
    assert params(max_tokens=5, user="u") == {"max_output_tokens": 5, "safety_identifier": "u"}
    assert params(verbosity="low") == {"text": {"verbosity": "low"}}
    assert params(logprobs=True, top_logprobs=3) == {"include": ["message.output_text.logprobs"], "top_logprobs": 3}
    assert params(logprobs=False) == {}
    assert params(service_tier="standard_only") == {"service_tier": "default"}
    assert params(temperature=0.0) == {"temperature": 0.0}
    assert params(stream_options={"include_usage": True}) == {}
    assert refused(params={"stream_options": {"include_usage": True, "x": 1}}) == ["stream_options.x"]
    both = {"prompt_cache_options": {"ttl": "30m"}, "prompt_cache_retention": "24h"}
    assert params(**both) == {"prompt_cache_options": {"ttl": "30m"}}
    assert refused(params=both) == ["prompt_cache_retention"]
    assert refused(params={"prompt_cache_options": {}}, profile=Profile(cache_breakpoints=False)) == [
        "prompt_cache_options"
    ]


def test_reasoning_is_merged_whatever_the_order():
    for values in (
        {"reasoning_effort": "low", "reasoning": {"summary": "concise"}, "thinking": {"type": "adaptive"}},
        {"thinking": {"type": "adaptive"}, "reasoning": {"summary": "concise"}, "reasoning_effort": "low"},
    ):
        assert params(**values) == {"reasoning": {"summary": "concise", "effort": "low"}}
    said = {"reasoning_effort": "low", "reasoning": {"effort": "high"}}
    assert params(**said) == {"reasoning": {"effort": "high"}}
    assert params(thinking={"type": "adaptive", "display": "summarized"}) == {"reasoning": {"summary": "auto"}}


def test_thinking_is_switched_off_where_the_model_can():
    off = {"thinking": {"type": "disabled"}}
    levels = Profile(effort_levels=("none", "low"))
    assert params(levels, **off) == {"reasoning": {"effort": "none"}}
    assert refused(params=off, profile=Profile(effort_levels=("low",))) == ["thinking disabled"]
    assert refused(params={"thinking": {"type": "enabled", "budget_tokens": 5}}) == ["thinking.budget_tokens"]
    assert refused(params={"thinking": {"type": "between_tools"}}) == ["thinking 'between_tools'"]


def test_an_effort_that_the_model_lacks_becomes_the_nearest():
    levels = Profile(effort_levels=("low", "medium", "high"))
    assert params(levels, reasoning_effort="minimal") == {"reasoning": {"effort": "low"}}
    assert params(levels, reasoning={"effort": "max"}) == {"reasoning": {"effort": "high"}}
    for values in ({"reasoning_effort": "max"}, {"reasoning": {"effort": "max"}}):
        assert refused(params=values, profile=levels) == ["reasoning effort 'max'"]
    assert refused(params={"reasoning_effort": "low"}, profile=levels) == []


SAMPLING = {"temperature": 0.5, "top_p": 0.5, "top_logprobs": 2, "logprobs": True}


@pytest.mark.parametrize(
    "profile,effort,taken",
    [
        (Profile(), None, True),
        (Profile(sampling="never"), None, False),
        (Profile(sampling="without_reasoning"), None, True),
        (Profile(sampling="without_reasoning", effort_default="none"), None, True),
        (Profile(sampling="without_reasoning", effort_default="medium"), None, False),
        (Profile(sampling="without_reasoning", effort_default="medium"), "none", True),
        (Profile(sampling="without_reasoning"), "low", False),
    ],
)
def test_sampling_is_sent_only_to_a_model_that_takes_it(profile, effort, taken):
    values = dict(SAMPLING) if effort is None else {**SAMPLING, "reasoning_effort": effort}
    assert set(refused(params=values, profile=profile)) == (set() if taken else set(SAMPLING))
    assert ("temperature" in params(profile, **values)) == taken


def test_native_keys():
    native = {"truncation": "auto", "previous_response_id": "resp_0", "text": {"verbosity": "low"}, "background": None}
    found = encode(HumanMessage("hi"), native=native, output=OutputFormat("json_object"))
    assert found.body == {
        "model": "gpt-test",
        "input": [{"role": "user", "content": "hi"}],
        "truncation": "auto",
        "previous_response_id": "resp_0",
        "text": {"verbosity": "low", "format": {"type": "json_object"}},
    }
    assert native["text"] == {"verbosity": "low"}
    assert refused(native={"container": "c"}) == ["container"]
    assert refused(betas=("x-2026",)) == ["betas"]


def test_extra_body_is_merged_last():
    found = body(HumanMessage("hi"), params=Params(max_tokens=5), extra_body={"max_output_tokens": 6, "new": None})
    assert (found["max_output_tokens"], found["new"]) == (6, None)


def test_output_formats():
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    strict = OutputFormat("json_schema", schema, "answer", "What it is", strict=True)
    assert body(HumanMessage("hi"), output=strict, params=Params(verbosity="low"))["text"] == {
        "verbosity": "low",
        "format": {
            "type": "json_schema", "name": "answer", "schema": schema, "description": "What it is", "strict": True,
        },
    }  # fmt: skip
    loose = body(HumanMessage("hi"), output=OutputFormat("json_schema", schema))["text"]["format"]
    assert loose == {"type": "json_schema", "name": "response", "schema": schema}


# --- tools ------------------------------------------------------------------------------------------------------------


def tools(*definitions: Any) -> list[dict[str, Any]]:
    return body(HumanMessage("hi"), tools=tool_specs(definitions))["tools"]


def test_functions():
    properties = {"a": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": ["a"], "additionalProperties": False}
    chat = {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": True}}
    claude = {"name": "g", "input_schema": schema, "defer_loading": True}
    assert tools(chat, claude, ToolSpec("h", options={"async": True})) == [
        {"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": True},
        {"type": "function", "name": "g", "parameters": schema, "strict": False, "defer_loading": True},
        {"type": "function", "name": "h", "parameters": {"type": "object", "properties": {}}, "strict": False,
         "async": True},
    ]  # fmt: skip


def test_custom_and_builtin_tools(oracle):
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}
    custom = {"type": "custom", "custom": {"name": "c", "description": "d", "format": grammar}}
    builtin = [
        {"type": "web_search"}, {"type": "web_search_2025_08_26"}, {"type": "web_search_preview_2025_03_11"},
        {"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "shell"}, {"type": "apply_patch"},
        {"type": "mcp", "server_label": "deep", "server_url": "https://a.b"}, {"type": "image_generation"},
        {"type": "tool_search"}, {"type": "computer"},
    ]  # fmt: skip
    found = body(HumanMessage("hi"), tools=tool_specs([custom, *builtin]))
    assert found["tools"] == [
        {"type": "custom", "name": "c", "description": "d",
         "format": {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}},
        *builtin,
    ]  # fmt: skip
    assert oracle.validate("responses", found) == []
    assert tools({"type": "hologram", "beam": 1}) == [{"type": "hologram", "beam": 1}]


@pytest.mark.parametrize(
    "kind,remedy",
    [
        ("web_search_20250305", "web_search"),
        ("web_fetch_20260318", "web_search"),
        ("bash_20250124", "shell"),
        ("text_editor_20250728", "apply_patch"),
        ("computer_20241022", "computer"),
        ("computer_toolset_20260801", "computer"),
        ("browser_toolset_20260801", "computer"),
        ("code_execution_20260521", "code_interpreter"),
        ("memory_20250818", "function"),
        ("advisor_20260301", "no tool like it"),
        ("mcp_toolset", "server_label"),
        ("tool_search_tool_bm25_20251119", "tool_search"),
        ("tool_search_tool_regex", "tool_search"),
    ],
)
def test_anthropics_tools_are_refused_by_name(kind, remedy):
    with pytest.raises(InvalidToolError, match=remedy) as caught:
        tools({"type": kind, "name": "x"})
    assert kind in str(caught.value)


def test_options_that_have_no_place_are_named():
    options = {"input_examples": [{}], "allowed_callers": ["code_execution_20250825"], "output_schema": {}}
    spec = ToolSpec("f", options=options)
    assert refused(tools=(spec,)) == ["input_examples of the tool 'f'", "allowed_callers of the tool 'f'"]
    taken = ToolSpec("f", options={"allowed_callers": ["programmatic"]})
    assert body(HumanMessage("x"), tools=(taken,))["tools"][0]["allowed_callers"] == ["programmatic"]


MCP = {"type": "mcp", "server_label": "deep", "server_url": "https://a.b"}


@pytest.mark.parametrize(
    "choice,wanted",
    [
        ("auto", "auto"),
        ("any", "required"),
        ("none", "none"),
        ("f", {"type": "function", "name": "f"}),
        ("c", {"type": "custom", "name": "c"}),
        ("code_interpreter", {"type": "code_interpreter"}),
        ("web_search", {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}),
        ("deep", {"type": "mcp", "server_label": "deep"}),
        (
            {"type": "mcp", "server_label": "deep", "name": "ask"},
            {"type": "mcp", "server_label": "deep", "name": "ask"},
        ),
        (
            ["f", "c", "deep", "web_search"],
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [
                    {"type": "function", "name": "f"},
                    {"type": "custom", "name": "c"},
                    {"type": "mcp", "server_label": "deep"},
                    {"type": "web_search"},
                ],
            },
        ),
        (ToolChoice("allowed", ("f",), required=True),
         {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}),
    ],
)  # fmt: skip
def test_tool_choice(choice, wanted):
    specs = tool_specs(
        [
            ToolSpec("f"),
            {"type": "custom", "name": "c"},
            {"type": "code_interpreter", "container": {"type": "auto"}},
            {"type": "web_search"},
            MCP,
        ]
    )
    assert body(HumanMessage("hi"), tools=specs, tool_choice=parse_tool_choice(choice, specs))["tool_choice"] == wanted


# --- the whole body ---------------------------------------------------------------------------------------------------


def test_a_body_says_only_what_the_request_says():
    assert body(HumanMessage("hi")) == {"model": "gpt-test", "input": [{"role": "user", "content": "hi"}]}
    assert body(HumanMessage("hi"), stream=True)["stream"] is True


def test_encoding_changes_nothing_that_it_is_given():
    message = WIRE.decode(reply([REASONING, text_item("hi"), call_item()]))[0]
    asked = request(
        HumanMessage([marked("u")]),
        message,
        ToolMessage("1", tool_call_id="call_1"),
        tools=tool_specs([MCP, ToolSpec("f")]),
        params=Params(reasoning={"summary": "auto"}, store=False, logprobs=True),
        native={"include": [], "text": {}},
        output=OutputFormat("text"),
    )
    before = copy.deepcopy(asked)
    first = WIRE.encode(asked)
    assert asked == before
    assert WIRE.encode(asked) == first


def test_counting_sends_only_what_counts(oracle):
    found = WIRE.encode_count(
        request(
            HumanMessage("hi"),
            tools=(ToolSpec("f"),),
            params=Params(max_tokens=5, reasoning_effort="low", store=False),
            native={"instructions": "i", "background": True},
            stream=True,
        )
    ).body
    assert found.keys() == {"model", "input", "tools", "reasoning", "instructions"}
    assert oracle.validate("responses-count", found) == []
    assert (WIRE.path, WIRE.count_path) == ("/responses", "/responses/input_tokens")
