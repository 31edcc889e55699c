"""The Messages wire: event streams that are decoded."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from langchain_unified.errors import IncompleteStreamError, ReplyError
from langchain_unified.wires.anthropic_messages import WIRE
from tests.support.streams import total
from tests.wires.anthropic_messages.helpers import REPLY, USE, as_v1, encode, reply_blocks, run, text, whats


def opened(**changes: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 0}}
    message = {**REPLY, "content": [], "stop_reason": None, "usage": usage, **changes}
    return {"type": "message_start", "message": message}


def started(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index: int, kind: str, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **delta}}


def closed(stop_reason: str = "end_turn", **usage: Any) -> list[dict[str, Any]]:
    delta = {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 5, **usage}}
    return [delta, {"type": "message_stop"}]


def test_plain_text_streams_as_strings():
    events = [
        opened(),
        started(0, text("")),
        grown(0, "text_delta", text="hel"),
        grown(0, "text_delta", text="lo"),
        *closed(),
    ]
    assert [chunk.content for chunk in run(events, plain=True)] == ["hel", "lo", ""]
    assert [chunk.content for chunk in run(events)] == [
        [{**text(""), "index": 0}],
        [{**text("hel"), "index": 0}],
        [{**text("lo"), "index": 0}],
        [],
    ]


def test_metadata_stands_on_the_last_chunk_alone():
    events = [opened(), started(0, text("")), grown(0, "text_delta", text="a"), *closed(input_tokens=None)]
    *chunks, last = run(events, plain=True)
    assert all(chunk.response_metadata == {"model_provider": "anthropic"} for chunk in chunks)
    assert all(chunk.usage_metadata is None and chunk.chunk_position is None for chunk in chunks)
    assert {chunk.id for chunk in [*chunks, last]} == {None}
    assert last.response_metadata["id"] == "msg_1"
    assert last.chunk_position == "last"
    assert last.response_metadata["finish_reason"] == "stop"
    assert last.response_metadata["usage"] == {
        "input_tokens": 3, "output_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 0},
    }  # fmt: skip
    assert last.usage_metadata["total_tokens"] == 8


def test_text_on_the_start_of_a_block_is_not_lost():
    events = [opened(), started(0, text("hel")), grown(0, "text_delta", text="lo"), *closed()]
    assert total(run(events, plain=True)).content == "hello"
    assert total(run(events)).text == "hello"


def test_plain_ends_with_the_first_block_that_is_no_bare_text():
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    thinks = [
        started(0, thinking),
        grown(0, "thinking_delta", thinking="hm"),
        grown(0, "signature_delta", signature="sig"),
    ]
    speaks = [started(1, text("")), grown(1, "text_delta", text="hi")]
    summed = total(run([opened(), *thinks, *speaks, *closed()], plain=True))
    assert summed.content == [
        {"type": "thinking", "thinking": "hm", "signature": "sig", "index": 0},
        {**text("hi"), "index": 1},
    ]
    assert [block["type"] for block in summed.content_blocks] == ["reasoning", "text"]
    two = [
        started(0, text("")),
        grown(0, "text_delta", text="a"),
        started(1, text("")),
        grown(1, "text_delta", text="b"),
    ]
    assert total(run([opened(), *two, *closed()], plain=True)).content == "ab"
    mixed = [started(0, text("a")), started(1, {"type": "redacted_thinking", "data": "x"}), started(2, text("b"))]
    assert total(run([opened(), *mixed, *closed()], plain=True)).content == [
        "a", {"type": "redacted_thinking", "data": "x", "index": 1}, {**text("b"), "index": 2},
    ]  # fmt: skip


def test_tool_calls_stream_as_chunks():
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    events = [
        opened(), started(0, use), grown(0, "input_json_delta", partial_json=""),
        grown(0, "input_json_delta", partial_json='{"x": '), grown(0, "input_json_delta", partial_json="1}"),
        started(1, {**use, "id": "b"}), *closed("tool_use"),
    ]  # fmt: skip
    chunks = run(events)
    assert [chunk.content for chunk in chunks] == [
        [{**use, "index": 0}],
        [{"type": "input_json_delta", "partial_json": '{"x": ', "index": 0}],
        [{"type": "input_json_delta", "partial_json": "1}", "index": 0}],
        [{**use, "id": "b", "index": 1}],
        [],
    ]
    first = chunks[0].tool_call_chunks[0]
    assert (first["id"], first["name"], first["args"], first["index"]) == ("a", "f", "", 0)
    assert [(c["id"], c["name"], c["args"]) for chunk in chunks[1:3] for c in chunk.tool_call_chunks] == [
        (None, None, '{"x": '), (None, None, "1}"),
    ]  # fmt: skip
    assert [(call["id"], call["args"]) for call in total(chunks).tool_calls] == [("a", {"x": 1}), ("b", {})]


def test_arguments_on_the_start_of_a_call():
    summed = total(run([opened(), started(0, USE), *closed("tool_use")]))
    assert [call["args"] for call in summed.tool_calls] == [{"x": 1}]


@pytest.mark.parametrize(
    "args", ['{"x": "hel', '{"x": [1, {"y": "a\\', '{"x": [[', '{"x": 1', '{"x"', "{", '{"x": "say \\"', '{"x": 1}', ""]
)
def test_a_cut_call_in_a_stream_is_never_offered_as_valid(args: str):
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    pieces = [grown(1, "input_json_delta", partial_json=piece) for piece in args]
    summed = total(run([opened(), started(0, {**USE, "id": "whole"}), started(1, use), *pieces, *closed("max_tokens")]))
    assert [call["id"] for call in summed.tool_calls] == ["whole"]
    assert [call["id"] for call in summed.invalid_tool_calls] == ["a"]
    assert summed.invalid_tool_calls[0]["args"].startswith(args)
    assert summed.content[1].get("partial_json", "") == args


@pytest.mark.parametrize("args", ['{"x": "hel', "[1", "nonsense"])
def test_broken_arguments_are_invalid_whatever_the_reason_to_stop(args: str):
    events = [
        opened(),
        started(0, {**USE, "input": {}}),
        grown(0, "input_json_delta", partial_json=args),
        *closed("tool_use"),
    ]
    summed = total(run(events))
    assert (summed.tool_calls, len(summed.invalid_tool_calls)) == ([], 1)


def test_a_cut_call_goes_back_as_a_call_without_input():
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    events = [opened(), started(0, use), grown(0, "input_json_delta", partial_json='{"x": "he'), *closed("max_tokens")]
    chunks = run(events)
    for message in (total(chunks), total([as_v1(chunk) for chunk in chunks])):
        encoded = encode(HumanMessage("hi"), message, ToolMessage("cut", tool_call_id="a"))
        assert encoded.body["messages"][1]["content"] == [use]
        assert whats(encoded) == ["invalid tool call 'f' in message 1"]


def test_server_tools_citations_and_compactions_stream():
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result"}]}
    citation = {"type": "char_location", "cited_text": "c"}
    events = [
        opened(),
        started(0, search), grown(0, "input_json_delta", partial_json='{"query": "a"}'),
        started(1, found),
        started(2, {**text(""), "citations": []}), grown(2, "text_delta", text="b"),
        grown(2, "citations_delta", citation=citation), grown(2, "citations_delta", citation=citation),
        started(3, {"type": "compaction", "content": None}),
        grown(3, "compaction_delta", content="sum", encrypted_content="enc"),
        *closed(),
    ]  # fmt: skip
    summed = total(run(events))
    assert (summed.tool_calls, summed.invalid_tool_calls, summed.tool_call_chunks) == ([], [], [])
    assert reply_blocks(summed) == [
        {**search, "input": {"query": "a"}},
        found,
        {**text("b"), "citations": [citation, citation]},
        {"type": "compaction", "content": "sum", "encrypted_content": "enc"},
    ]


def test_what_is_unknown_survives():
    events = [
        {"type": "prologue", "x": 1},
        opened(),
        {"type": "ping"},
        started(0, {"type": "hologram", "pixels": {"deep": [1]}, "name": "h", "depth": 2}),
        grown(0, "hologram_delta", name="olo", depth=3, more="new", pixels="no"),
        grown(0, "hologram_delta", name="gram"),
        started(1, text("")),
        grown(1, "sparkle_delta", sparkle="*"),
        grown(1, "text_delta", text="a"),
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "mood": "good"}, "weather": {"rain": 1}},
        {"type": "message_stop"},
    ]
    summed = total(run(events))
    hologram = {"type": "hologram", "pixels": {"deep": [1]}, "name": "hologram", "depth": 2, "more": "new"}
    assert reply_blocks(summed) == [hologram, {**text("a"), "sparkle": "*"}]
    assert summed.response_metadata["weather"] == {"rain": 1}
    assert summed.response_metadata["mood"] == "good"
    assert total(run([*events[:3], *events[6:]], plain=True)).content == [{**text("a"), "sparkle": "*", "index": 1}]


def test_a_cut_stream_raises():
    decoder = WIRE.stream_decoder(False)
    for event in [opened(), started(0, text("")), closed()[0]]:
        list(decoder.feed(event))
    with pytest.raises(IncompleteStreamError, match="message_stop"):
        decoder.close()


@pytest.mark.parametrize(
    "event", [{"type": "message_start"}, {"type": "content_block_start", "index": 0}, {"type": "content_block_delta"}]
)
def test_a_broken_event(event: dict[str, Any]):
    with pytest.raises(ReplyError, match=event["type"]):
        WIRE.stream_decoder(False).feed(event)
