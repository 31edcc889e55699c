"""The mirror of the Messages wire: the replies and the events that a server sends."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.messages.turns import turns
from langchain_unified.request import Block, Request, Turn
from langchain_unified.usage import ANTHROPIC_FINISH
from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires.anthropic_messages import WIRE
from langchain_unified.wires.anthropic_messages.serve import read_request, render_events, render_reply
from tests.support.corpus import label, needs_corpus, replies, sse_events, streams
from tests.support.strategies_anthropic_messages import COMPLETIONS
from tests.support.streams import chunks_of

ENDPOINT = "anthropic.messages"
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
HI = {"type": "text", "text": "hi"}
CALL = {"type": "tool_call", "id": "toolu_1", "name": "f", "args": {"city": "Zürich", "days": [1, 2]}}


def completion(*blocks: Block, **fields: Any) -> Completion:
    return Completion(**{"id": "msg_1", "model": "m", "blocks": blocks, **fields})


def decoded(said: Completion, body: dict[str, Any] = BODY) -> AIMessage:
    (message,) = WIRE.decode(render_reply(said, body))
    return message


def summed(events: list[dict[str, Any]]) -> AIMessageChunk:
    return add_ai_message_chunks(AIMessageChunk(content=[]), *chunks_of(WIRE, events))


def reply_blocks(message: AIMessage) -> list[dict[str, Any]]:
    """A message's blocks without what summing chunks leaves in them, and without a text of nothing."""
    content = [{"type": "text", "text": message.content}] if isinstance(message.content, str) else message.content
    return [found for block in content if (found := _reply_block(block)) != {"type": "text", "text": ""}]


def _reply_block(block: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in block.items() if key not in ("index", "partial_json")}
    if block.get("partial_json"):
        kept["input"] = _loads(block["partial_json"])
    return kept


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- laws -------------------------------------------------------------------------------------------------------------

REASONS = {"content_filter": "refusal", "error": "stop", "other": "stop"}
"""What the API has no word for."""


def check(message: AIMessage, said: Completion) -> None:
    """The message says what the completion says."""
    refused = said.finish_reason in ("refusal", "content_filter")
    kinds = ("text",) if refused else ("text", "refusal")
    assert message.text == "".join(b.get("text", b.get("refusal")) for b in said.blocks if b["type"] in kinds)
    calls = [block for block in said.blocks if block["type"].endswith("tool_call")]
    # The words of a refusal are then no block of the content: what stands before them is the end that was cut.
    ends = [block for block in said.blocks if not (refused and block["type"] == "refusal")]
    cut = calls[-1:] if said.finish_reason in CUTTING and calls and calls[-1] is ends[-1] else []
    whole = [(call["id"], call["name"], call["args"]) for call in calls if call["type"] == "tool_call"]
    found = [(call["id"], call["name"], call["args"]) for call in message.tool_calls]
    assert found == [call for call in whole if not cut or call[0] != cut[0]["id"]]
    broken = [call["id"] for call in calls if call["type"] == "invalid_tool_call" or call in cut]
    assert [call["id"] for call in message.invalid_tool_calls] == broken
    thoughts = [(b["reasoning"], b["extras"]["signature"]) for b in said.blocks if b["type"] == "reasoning"]
    assert [(b["thinking"], b["signature"]) for b in reply_blocks(message) if b["type"] == "thinking"] == thoughts
    check_metadata(message, said)


CUTTING = ("length", "context_window", "refusal", "content_filter")


def check_metadata(message: AIMessage, said: Completion) -> None:
    found, usage, tokens = message.response_metadata, message.usage_metadata, said.tokens
    assert (message.id, found["id"], found["model_name"]) == (None, said.id, said.model)
    assert found["finish_reason"] == REASONS.get(said.finish_reason, said.finish_reason)
    at_sequence = found["stop_reason"] == "stop_sequence"
    assert found.get("stop_sequence") == (said.stop_sequence if at_sequence else None)
    words = "".join(block["refusal"] for block in said.blocks if block["type"] == "refusal")
    if found["finish_reason"] == "refusal":
        assert found["stop_details"] == {"type": "refusal", "category": None, "explanation": words or None}
    assert (usage["input_tokens"], usage["output_tokens"]) == (tokens.input, tokens.output)
    details = usage["input_token_details"]
    assert (details["cache_read"], details["cache_creation"]) == (tokens.cache_read, tokens.cache_write)
    split = {"5m": tokens.cache_write_short, "1h": tokens.cache_write_long}
    assert found["usage"]["cache_creation"] == {f"ephemeral_{ttl}_input_tokens": n for ttl, n in split.items()}
    assert usage["output_token_details"] == {"reasoning": tokens.reasoning}


@given(COMPLETIONS)
def test_a_reply_says_the_completion(said: Completion):
    before = copy.deepcopy(said)
    message = decoded(said)
    assert said == before
    check(message, said)
    native = [block["value"] for block in said.blocks if block["type"] == "native"]
    assert [block for block in reply_blocks(message) if block in native] == native
    cited = [block for block in said.blocks if block.get("annotations")]
    citations = [block["citations"] for block in reply_blocks(message) if block.get("citations")]
    assert [len(found) for found in citations] == [len(block["annotations"]) for block in cited]


@given(COMPLETIONS)
def test_law_1_the_sum_of_the_events_is_the_decoded_reply(said: Completion):
    events = list(render_events(said, BODY))
    total, whole = summed(events), decoded(said)
    check(total, said)
    assert (total.id, total.text, total.tool_calls) == (whole.id, whole.text, whole.tool_calls)
    assert (total.usage_metadata, total.response_metadata) == (whole.usage_metadata, whole.response_metadata)
    # Of a call that was cut a stream has the text, and a whole reply an object.
    broken = [call["id"] for call in whole.invalid_tool_calls]
    for left, right in zip(reply_blocks(total), reply_blocks(whole), strict=True):
        assert left == right or (left["id"] == right["id"] and left["id"] in broken)


@given(COMPLETIONS)
def test_the_order_of_the_events(said: Completion):
    events = list(render_events(said, BODY))
    assert [event["type"] for event in events if event["type"] == "ping"] == ["ping"]
    assert [events[0]["type"], *(event["type"] for event in events[-2:])] == [
        "message_start", "message_delta", "message_stop",
    ]  # fmt: skip
    open_block, count = None, 0
    for event in events[1:-2]:
        kind = event["type"]
        if kind == "content_block_start":
            assert (open_block, event["index"]) == (None, count)
            open_block, count = count, count + 1
        elif kind == "content_block_delta":
            assert event["index"] == open_block
        elif kind == "content_block_stop":
            assert event["index"] == open_block
            open_block = None
    assert (open_block, count) == (None, len(render_reply(said, BODY)["content"]))


@given(COMPLETIONS)
def test_an_answer_goes_back_as_the_same_blocks(said: Completion):
    """What a server rendered and a client sends back is read as what was said, where it can be sent back."""
    reply = render_reply(said, BODY)
    (message,) = WIRE.decode(reply)
    # The text ends the message: Anthropic takes none that ends in thinking.
    asked, text = Turn("user", (HI,)), Turn("assistant", (HI,))
    conversation = (asked, *turns([message], "anthropic_messages"), text, asked)
    found = read_request(WIRE.encode(Request("m", conversation)).body)
    blocks = [block for turn in found.turns if turn.role == "assistant" for block in turn.blocks]
    kept = [block for block in said.blocks if block["type"] in ("reasoning", "tool_call") or block.get("annotations")]
    calls = [call["id"] for call in message.tool_calls]
    for block in kept:
        if block["type"] != "tool_call":
            assert block in blocks
        elif block["id"] in calls:
            extras = {"caller": {"type": "direct"}, **block.get("extras", {})}
            assert {**block, "extras": extras} in blocks


# --- fidelity ---------------------------------------------------------------------------------------------------------


def completion_of(reply: dict[str, Any]) -> Completion:
    """A recorded reply as a completion: our words where there are any."""
    usage = reply["usage"]
    split = usage["cache_creation"]
    return Completion(
        id=reply["id"],
        model=reply["model"],
        blocks=tuple(block_of(block) for block in reply["content"]),
        finish_reason=ANTHROPIC_FINISH[reply["stop_reason"]],
        stop_sequence=reply["stop_sequence"],
        tokens=Tokens(
            usage["input_tokens"],
            usage["cache_read_input_tokens"],
            split["ephemeral_5m_input_tokens"],
            split["ephemeral_1h_input_tokens"],
            usage["output_tokens"],
            usage.get("output_tokens_details", {}).get("thinking_tokens", 0),
        ),
    )


def block_of(value: dict[str, Any]) -> Block:
    if value["type"] == "tool_use":
        return {"type": "tool_call", "id": value["id"], "name": value["name"], "args": value["input"]}
    if value["type"] == "thinking":
        signature = value["signature"]
        return {"type": "reasoning", "reasoning": value["thinking"], "extras": {"signature": signature}}
    if value["type"] == "text" and not value.get("citations"):
        return {"type": "text", "text": value["text"]}
    return {"type": "native", "value": value}


RECENT = [found for found in replies(ENDPOINT) if "output_tokens_details" in found["response"]["body"]["usage"]]
UNSAID = {"container", "iterations"}
"""What only a server that runs tools itself could tell."""


@needs_corpus
def test_how_many_recent_replies_there_are():
    assert len(RECENT) == 46


@needs_corpus
@pytest.mark.parametrize("exchange", RECENT, ids=label)
def test_recent_replies_are_rendered_as_they_were_recorded(exchange: dict[str, Any]):
    body, recorded = exchange["request"]["body"], exchange["response"]["body"]
    ours = render_reply(completion_of(recorded), {**body, "inference_geo": recorded["usage"]["inference_geo"]})
    usage = {key: value for key, value in recorded["usage"].items() if key not in UNSAID}
    expected = {**recorded, "usage": usage}
    if "iterations" in recorded["usage"]:
        for counted in (ours["usage"], usage):
            counted.pop("server_tool_use", None)
    assert ours == {key: value for key, value in expected.items() if key not in UNSAID}


STREAMS = [found for found in streams(ENDPOINT) if "stop_details" in found["response"]["sse"].split("\n\n")[0]]


@needs_corpus
@pytest.mark.parametrize("exchange", STREAMS, ids=label)
def test_recent_streams_are_rendered_with_the_recorded_keys(exchange: dict[str, Any]):
    recorded = sse_events(exchange["response"]["sse"])
    message, last = recorded[0]["message"], recorded[-2]
    blocks = reply_blocks(summed(recorded))
    usage = {**message["usage"], **last["usage"]}
    reply = {**message, "content": blocks, **last["delta"], "usage": usage}
    ours = list(render_events(completion_of(reply), {}))
    expected, found = shapes(recorded), shapes(ours)
    assert expected.keys() - found.keys() == set()
    for name, keys in found.items():
        recent = expected[name] | ({"output_tokens_details"} if name == "message_delta.usage" else set())
        assert keys == recent - UNSAID, name
    assert [frame(event) for event in ours if frame(event)] == [frame(event) for event in recorded if frame(event)]


def shapes(events: list[dict[str, Any]]) -> dict[str, set[str]]:
    """By the name of an event or of an object in it, its keys."""
    found: dict[str, set[str]] = {}
    for event in events:
        found.setdefault(event["type"], set()).update(event)
        for inner in ("message", "usage", "delta", "content_block"):
            if inner in event:
                kind = event[inner].get("type", inner)
                found.setdefault(f"{event['type']}.{kind}", set()).update(event[inner])
    found["message_start.usage"] = set(events[0]["message"]["usage"])
    return found


def frame(event: dict[str, Any]) -> tuple[str, int, Any] | None:
    """The start of a block with what it starts with, or its end."""
    kind = event["type"]
    if kind not in ("content_block_start", "content_block_stop"):
        return None
    return kind, event["index"], event.get("content_block")


@needs_corpus
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_every_recorded_stream_can_be_said_again(exchange: dict[str, Any]):
    recorded = sse_events(exchange["response"]["sse"])
    expected = summed(recorded)
    usage = {**recorded[0]["message"]["usage"], **recorded[-2]["usage"]}
    reply = {**recorded[0]["message"], "content": reply_blocks(expected), **recorded[-2]["delta"], "usage": usage}
    found = summed(list(render_events(completion_of(reply), exchange["request"]["body"])))
    assert found.tool_calls == expected.tool_calls
    wanted = [{**block, "caller": 0} for block in reply_blocks(expected)]
    assert [{**block, "caller": 0} for block in reply_blocks(found)] == wanted
    assert found.response_metadata["stop_reason"] == expected.response_metadata["stop_reason"]
    assert found.usage_metadata["total_tokens"] == expected.usage_metadata["total_tokens"]


# --- one by one -------------------------------------------------------------------------------------------------------


def test_a_whole_reply():
    tokens = Tokens(uncached=5, cache_read=7, cache_write_short=2, cache_write_long=3, output=9, reasoning=4)
    said = completion(HI, CALL, finish_reason="tool_calls", tokens=tokens)
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": CALL["args"], "caller": {"type": "direct"}}
    assert render_reply(said, BODY) == {
        "model": "m", "id": "msg_1", "type": "message", "role": "assistant",
        "content": [HI, call],
        "stop_reason": "tool_use", "stop_sequence": None, "stop_details": None,
        "usage": {
            "input_tokens": 5, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
            "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4},
            "service_tier": "standard", "inference_geo": "global",
        },
    }  # fmt: skip


def deltas(*blocks: Block, body: dict[str, Any] = BODY, **fields: Any) -> list[dict[str, Any]]:
    return [event["delta"] for event in render_events(completion(*blocks, **fields), body) if "index" in event
            and "delta" in event]  # fmt: skip


def test_pieces_of_a_stream():
    words = deltas({"type": "text", "text": "one two\n"})
    assert words == [{"type": "text_delta", "text": text} for text in ("one", " two", "\n")]
    arguments = [delta["partial_json"] for delta in deltas(CALL)]
    assert arguments == ["", '{"city": "Zü', 'rich", "days', '": [1, 2]}']
    assert deltas({**CALL, "args": {}}) == [{"type": "input_json_delta", "partial_json": ""}]
    thought = {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}}
    assert deltas(thought) == [
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "s"},
    ]
    omitted = {**BODY, "thinking": {"type": "adaptive", "display": "omitted"}}
    assert deltas(thought, body=omitted) == [{"type": "signature_delta", "signature": "s"}]
    note = {"type": "non_standard_annotation", "value": {"type": "hunch"}}
    assert [delta["type"] for delta in deltas({**HI, "annotations": [note]})] == ["citations_delta", "text_delta"]


def test_what_a_stream_counts_when():
    """The input at the start with the first token of the answer, and everything again at the end."""
    tokens = Tokens(uncached=5, cache_read=7, cache_write_short=2, output=9, reasoning=4)
    start, *_, last, _ = render_events(completion(HI, tokens=tokens), BODY)
    counted = {"input_tokens": 5, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 7}
    assert start["message"]["usage"].items() >= {**counted, "output_tokens": 1}.items()
    assert last["usage"] == {**counted, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}


def test_reasoning_without_words_is_redacted():
    block = {"type": "reasoning", "reasoning": "", "extras": {"encrypted_content": "E"}}
    assert render_reply(completion(block), BODY)["content"] == [{"type": "redacted_thinking", "data": "E"}]


def test_a_cut_call():
    broken = {"type": "invalid_tool_call", "id": "t", "name": "f", "args": '{"a": "Par'}
    cut = render_reply(completion(broken, finish_reason="length"), BODY)["content"][0]
    assert cut["input"] == {"a": "Par"}
    assert render_reply(completion(broken), BODY)["content"][0]["input"] == '{"a": "Par'


def test_calls_without_an_id_get_one_each():
    nameless = {"type": "tool_call", "name": "f", "args": {}}
    ids = [block["id"] for block in render_reply(completion(nameless, nameless), BODY)["content"]]
    assert len(set(ids)) == 2
    assert ids == [block["id"] for block in render_reply(completion(nameless, nameless), BODY)["content"]]


def test_server_tools_are_counted():
    call = {"type": "server_tool_call", "id": "s", "name": "web_search", "args": {"query": "q"}}
    result = {"type": "server_tool_result", "tool_call_id": "s", "output": [],
              "extras": {"block_type": "web_search_tool_result"}}  # fmt: skip
    reply = render_reply(completion(call, result), BODY)
    assert [block["type"] for block in reply["content"]] == ["server_tool_use", "web_search_tool_result"]
    assert reply["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}


def test_what_the_request_says_comes_back():
    body = {**BODY, "inference_geo": "eu", "speed": "fast", "context_management": {"edits": []}}
    reply, last = render_reply(completion(HI), body), list(render_events(completion(HI), body))[-2]
    assert (reply["usage"]["inference_geo"], reply["usage"]["speed"]) == ("eu", "fast")
    assert reply["context_management"] == last["context_management"] == {"applied_edits": []}


def test_what_claude_cannot_say_is_named():
    with pytest.raises(UnsupportedContentError, match="'audio'"):
        render_reply(completion({"type": "audio", "base64": "AA=="}), BODY)
