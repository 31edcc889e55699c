"""Answers for the clients of every API: what streams is what a whole reply says, and each client's SDK reads it."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified.errors import RateLimitError
from langchain_unified.request import WireName
from langchain_unified.wires import DOORS, WIRES
from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires._custom_text import CustomText, custom_text
from tests.support.answers import (
    SDK_REPLIES,
    SDK_STREAMS,
    SETTINGS,
    recorded_answer,
    rendered,
    replied,
    seen,
    v3_events,
)
from tests.support.corpus import WIRE_OF, label, needs_corpus, replies, streams
from tests.support.streams import chunks_of, total
from tests.support.v3 import written

each_client = pytest.mark.parametrize("client", DOORS)
RECORDED = [exchange for endpoint in WIRE_OF for exchange in (*replies(endpoint), *streams(endpoint))]
ASKED: dict[str, Any] = {"thinking": {"type": "adaptive"}, "stream_options": {"include_usage": True}}
"""A body that asks for all that an answer can show; keys that an API does not have change nothing."""


# --- the law ----------------------------------------------------------------------------------------------------------


@needs_corpus
@pytest.mark.parametrize("exchange", RECORDED, ids=label)
def test_what_streams_is_the_whole_reply_for_the_clients_of_every_api(exchange: dict[str, Any]) -> None:
    upstream = WIRE_OF[exchange["endpoint"]]
    message, events = recorded_answer(upstream, exchange)
    for client in DOORS:
        streamed = rendered(client, events, ASKED)
        whole = replied(client, message, ASKED)
        one = seen(total(chunks_of(WIRES[client], streamed)))
        other = seen(WIRES[client].decode(whole)[0])
        if message.usage_metadata is None:
            del one["usage"], other["usage"]  # a stream of Messages holds the estimate
        assert one == other
        if client != upstream:  # what is recorded may be older than the installed SDK
            SDK_STREAMS[client](streamed)
            SDK_REPLIES[client].model_validate(whole)


@needs_corpus
@pytest.mark.parametrize("exchange", RECORDED, ids=label)
def test_the_own_api_says_what_it_said(exchange: dict[str, Any]) -> None:
    wire = WIRE_OF[exchange["endpoint"]]
    message, events = recorded_answer(wire, exchange)
    given = seen(message)
    found = seen(total(chunks_of(WIRES[wire], rendered(wire, events, ASKED))))
    for key in ("calls", "finish", "beside"):
        assert found[key] == given[key]
    assert message.usage_metadata is None or _counted(found["usage"]) == _counted(given["usage"])
    assert _essence(found["content"]) == _essence(given["content"])


def _counted(usage: Any) -> Any:
    """The counts that are not 0: the API names more of them today than when the exchange was recorded."""
    found = {key: _counted(value) if isinstance(value, dict) else value for key, value in usage.items()}
    return {key: value for key, value in found.items() if value}


def _essence(content: Any) -> Any:
    """Blocks without what is made anew (ids of items), and what only says that there is nothing."""
    if isinstance(content, str):
        return content
    # Core's block of an image has no place for the action of the tool.
    drawn = [{**block, "action": None} if block["type"] == "image_generation_call" else block for block in content]
    blocks = [{key: value for key, value in block.items() if key not in NOT_SAID} for block in drawn]
    blocks = [_without_nulls(block) for block in blocks if block.get("text") != ""]
    texts = [block["text"] for block in blocks if block.keys() <= {"type", "text", "phase"} and block["type"] == "text"]
    return texts[0] if len(blocks) == len(texts) == 1 else blocks


NOT_SAID = frozenset({"id", "caller", "status", "index"})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


COMPLETIONS = [
    Completion(
        "id_1", "m", ({"type": "text", "text": "Two words"},), tokens=Tokens(uncached=5, cache_read=2, output=3)
    ),
    Completion("id_1", "m", ({"type": "refusal", "refusal": "I will not"},), "refusal", Tokens(1, output=1)),
    Completion("id_1", "m", ({"type": "text", "text": "cut"},), "length", Tokens(1, output=1)),
    Completion(
        "id_1",
        "m",
        (
            {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s", "encrypted_content": "s"}},
            {"type": "text", "text": "First"},
            {"type": "tool_call", "id": "call_1", "name": "f", "args": {"a": [1, "é"]}},
            {"type": "tool_call", "id": "call_2", "name": "g", "args": {}},
        ),
        "tool_calls",
        Tokens(uncached=5, cache_write_short=3, output=9, reasoning=4),
    ),
]


@each_client
@pytest.mark.parametrize("completion", COMPLETIONS, ids=lambda completion: completion.finish_reason)
def test_the_emulators_stream_rendered_again_says_the_same(client: WireName, completion: Completion) -> None:
    """Both make the events of an API: the emulator those of a finished answer, a door those of one that comes."""
    serve = importlib.import_module(f"langchain_unified.wires.{client}.serve")
    events = list(serve.render_events(completion, ASKED))
    again = rendered(client, written(WIRES[client], copy.deepcopy(events)), ASKED)
    one, other = (seen(total(chunks_of(WIRES[client], each))) for each in (events, again))
    assert {**one, "content": _essence(one["content"])} == {**other, "content": _essence(other["content"])}


# --- what an API lacks ------------------------------------------------------------------------------------------------


def message_of(*content: Any, provider: str = "openai", **more: Any) -> AIMessage:
    metadata = {"model_provider": provider, "finish_reason": more.pop("finish", "stop"), **more.pop("metadata", {})}
    return AIMessage(content=list(content), response_metadata=metadata, **more)


EVERY_KIND: list[dict[str, Any]] = [
    {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"},
    {"type": "image", "url": "https://example.com/a.png"},
    {"type": "image"},
    {"type": "audio", "base64": "AAAA", "mime_type": "audio/wav", "transcript": "said"},
    {"type": "video", "url": "https://example.com/v"},
    {"type": "file", "file_id": "f_1"},
    {"type": "text-plain", "text": "a document"},
    {"type": "non_standard", "value": {"type": "image_generation_call", "id": "ig_1", "result": None}},
    {"type": "non_standard", "value": {"type": "computer_call", "id": "cu_1", "call_id": "c", "action": {}}},
    {"type": "non_standard", "value": {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}},
    {"type": "non_standard", "value": {"type": "compaction", "content": "a summary"}},
    {"type": "non_standard", "value": {"type": "container_upload", "file_id": "f"}},
    {"type": "non_standard", "value": {"type": "redacted_thinking", "data": "x"}},
    {"type": "non_standard", "value": {"no": "type"}},
    {"type": "non_standard", "value": "text"},
    {"type": "server_tool_call", "name": "file_search", "id": "fs_1", "args": {"queries": ["a"]}},
    {"type": "server_tool_call", "name": "advisor", "id": "srvtoolu_1", "args": {}},
    {"type": "server_tool_result", "tool_call_id": "nothing", "status": "success", "output": {"a": 1}},
    {"type": "reasoning", "id": "rs_1", "reasoning": "hm", "encrypted_content": "proof"},
    {"type": "reasoning", "extras": {"content": [{"type": "reasoning_text", "text": "raw"}]}},
    {"type": "refusal", "refusal": "no"},
    {"type": "a_new_kind", "some": "thing"},
    {"type": "server_tool_call", "name": "web_search", "id": "ws_1", "args": "no object"},
]


@each_client
@pytest.mark.parametrize("block", EVERY_KIND, ids=lambda block: str(block.get("value", block))[:40])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_no_block_loses_the_answer(client: WireName, block: dict[str, Any], provider: str) -> None:
    text = {"type": "text", "text": "the answer"}
    message = message_of(block, text, provider=provider, metadata={"output_version": "v1"})
    events = list(v3_events(message))
    streamed, whole = rendered(client, events, {}), replied(client, message, {})
    assert "the answer" in str(seen(WIRES[client].decode(whole)[0])["content"])
    assert "the answer" in str(seen(total(chunks_of(WIRES[client], streamed)))["content"])
    if block["type"] != "non_standard" and WIRES[client].provider != provider:
        SDK_STREAMS[client](streamed)
        SDK_REPLIES[client].model_validate(whole)


@each_client
@pytest.mark.parametrize("kind", ["image", "audio", "file", "unknown", "native", "search_result", "tool_result"])
def test_a_completion_of_anything_is_rendered(client: WireName, kind: str) -> None:
    odd: Any = {"type": kind, "value": {"type": "thinking_of_tomorrow"}, "base64": "AA", "mime_type": "image/png"}
    completion = Completion("id_1", "m", (odd, {"type": "text", "text": "the answer"}))
    reply = DOORS[client].render_reply(completion, {})
    assert "the answer" in str(seen(WIRES[client].decode(reply)[0])["content"])


@each_client
def test_what_is_not_shown_is_named(client: WireName) -> None:
    block = {"type": "server_tool_call", "name": "file_search", "id": "fs_1", "args": {"queries": ["a"]}}
    message = message_of(block, {"type": "text", "text": "a"}, provider="x", metadata={"output_version": "v1"})
    notes = DOORS[client].completion(copy.deepcopy(message), SETTINGS).notes
    assert [note["what"] for note in notes] == ["file_search"]
    stream = DOORS[client].stream({}, SETTINGS)
    for event in v3_events(message):
        stream.feed(event)  # type: ignore[arg-type]
    assert [note["what"] for note in stream.notes] == ["file_search"]


# --- order ------------------------------------------------------------------------------------------------------------


def event(kind: str, index: int, **more: Any) -> Any:
    return {"event": f"content-block-{kind}", "index": index, **more}


@each_client
def test_the_first_piece_leaves_at_once(client: WireName) -> None:
    stream = DOORS[client].stream({}, SETTINGS)
    start: Any = {"event": "message-start", "id": "", "metadata": {"provider": "anthropic"}}
    assert list(stream.feed(start))
    stream.feed(event("start", 0, content={"type": "text", "text": ""}))
    made = stream.feed(event("delta", 0, delta={"type": "text-delta", "text": "Hel"}))
    assert "Hel" in str(list(made)[-1])


@each_client
def test_calls_that_stream_at_the_same_time_leave_one_after_the_other(client: WireName) -> None:
    def started(index: int) -> Any:
        return event("start", index, content={"type": "tool_call_chunk", "id": f"c{index}", "name": "f", "args": ""})

    def piece(index: int, args: str) -> Any:
        return event("delta", index, delta={"type": "tool-call-delta", "args": args})

    def finished(index: int) -> Any:
        return event(
            "finish", index, content={"type": "tool_call", "id": f"c{index}", "name": "f", "args": {"a": index}}
        )

    begin: Any = {"event": "message-start", "id": "", "metadata": {"provider": "openai"}}
    end: Any = {"event": "message-finish", "metadata": {"model_provider": "openai", "finish_reason": "tool_calls"}}
    crossed = [started(0), started(1), piece(0, '{"a":'), piece(1, '{"a": 1'), piece(0, " 0}"), piece(1, "}")]
    streamed = rendered(client, [begin, *crossed, finished(0), finished(1), end], {})
    calls = seen(total(chunks_of(WIRES[client], streamed)))["calls"]
    assert calls == [("c0", "f", {"a": 0}), ("c1", "f", {"a": 1})]


@each_client
def test_what_comes_of_a_finished_text_is_not_lost(client: WireName) -> None:
    begin: Any = {"event": "message-start", "id": "", "metadata": {"provider": "openai"}}
    end: Any = {"event": "message-finish", "metadata": {"model_provider": "openai", "finish_reason": "stop"}}

    def started(index: int) -> Any:
        return event("start", index, content={"type": "text", "text": ""})

    def piece(index: int, text: str) -> Any:
        return event("delta", index, delta={"type": "text-delta", "text": text})

    def finished(index: int, text: str) -> Any:
        return event("finish", index, content={"type": "text", "text": text})

    begun = [started(0), piece(0, "one "), finished(0, "one "), started(1), piece(1, "two ")]
    late = [
        piece(0, "three"),
        finished(1, "two "),
        finished(0, "one three"),
        event("finish", 9, content={"type": "text"}),
    ]
    streamed = rendered(client, [begin, *begun, *late, end], {})
    content = seen(total(chunks_of(WIRES[client], streamed)))["content"]
    texts = content if isinstance(content, str) else "".join(block["text"] for block in content)
    assert texts == "one two three"


@each_client
def test_the_parts_of_a_summary_stream_as_they_come(client: WireName) -> None:
    def part(index: int) -> Any:
        return event("start", index, content={"type": "reasoning", "id": "rs_1", "reasoning": ""})

    def piece(index: int, text: str) -> Any:
        return event("delta", index, delta={"type": "reasoning-delta", "reasoning": text})

    stream = DOORS[client].stream(ASKED, SETTINGS)
    begin: Any = {"event": "message-start", "id": "", "metadata": {"provider": "openai"}}
    for given in (begin, part(0), piece(0, "one"), part(1)):
        list(stream.feed(given))
    assert "two" in str(list(stream.feed(piece(1, "two"))))


# --- free-form tools and namespaces -----------------------------------------------------------------------------------

CUSTOM: dict[WireName, dict[str, Any]] = {
    "openai_chat": {"type": "custom", "custom": {"name": "patch"}},
    "openai_responses": {"type": "custom", "name": "patch"},
}
PATCH = 'line "1"\n\\ end \u00e9 \U0001f600'


@pytest.mark.parametrize("client", CUSTOM)
def test_a_free_form_tool_streams_its_text(client: WireName) -> None:
    call = {"type": "tool_call", "id": "c1", "name": "patch", "args": {"__arg1": PATCH}}
    message = message_of(provider="anthropic", tool_calls=[call], finish="tool_calls")
    message.content = [call]
    message.response_metadata["output_version"] = "v1"
    body = {"tools": [CUSTOM[client]]}
    streamed = rendered(client, v3_events(message), body)
    pieces = [made for made in streamed if "custom_tool_call_input.delta" in str(made) or "'input': '" in str(made)]
    assert len(pieces) > 3
    for found in (total(chunks_of(WIRES[client], streamed)), WIRES[client].decode(replied(client, message, body))[0]):
        assert found.tool_calls[0]["args"] == {"__arg1": PATCH}
    assert "custom" in str(streamed[-3:])
    SDK_STREAMS[client](streamed)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_text_of_a_free_form_call_is_read_from_any_pieces(size: int) -> None:
    arguments = '{ "__arg1" : "a \\"b\\" \\u00e9 \\ud83d\\ude00 \\\\ c\\n"}'
    reader = CustomText()
    pieces = [reader.feed(arguments[at : at + size]) for at in range(0, len(arguments), size)]
    assert "".join(pieces) == 'a "b" \u00e9 \U0001f600 \\ c\n'
    assert custom_text(arguments[:-4]) == 'a "b" \u00e9 \U0001f600 \\ c'
    assert custom_text('{"other": 1}') == '{"other": 1}'


def test_a_tool_in_a_namespace_comes_back_in_it() -> None:
    space = {"type": "namespace", "name": "files", "tools": [{"type": "function", "name": "read", "parameters": {}}]}
    call = {"type": "tool_call", "id": "c1", "name": "files__read", "args": {}}
    message = message_of(call, provider="anthropic", metadata={"output_version": "v1"}, tool_calls=[call])
    whole = replied("openai_responses", message, {"tools": [space]})["output"]
    streamed = rendered("openai_responses", v3_events(message), {"tools": [space]})[-1]["response"]["output"]
    for item in (*whole, *streamed):
        assert (item["type"], item["namespace"], item["name"]) == ("function_call", "files", "read")


# --- the frame of an answer -------------------------------------------------------------------------------------------


def simple(**metadata: Any) -> AIMessage:
    usage: Any = {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42}
    return message_of({"type": "text", "text": "Hi"}, usage_metadata=usage, metadata=metadata)


def test_messages_starts_with_the_estimate_and_corrects_it() -> None:
    events = rendered("anthropic_messages", v3_events(simple()), {})
    assert events[0]["message"]["usage"]["input_tokens"] == 7
    delta = next(each for each in events if each["type"] == "message_delta")
    assert (delta["usage"]["input_tokens"], delta["usage"]["output_tokens"]) == (40, 2)
    assert [each["type"] for each in events[-2:]] == ["message_delta", "message_stop"]
    assert (events[0]["message"]["id"], events[0]["message"]["model"]) == ("id_1", "shown-model")


def test_chat_gives_its_usage_to_those_who_ask() -> None:
    plain = rendered("openai_chat", v3_events(simple()), {})
    assert not any("usage" in each for each in plain)
    asked = rendered("openai_chat", v3_events(simple()), {"stream_options": {"include_usage": True}})
    assert (asked[-1]["choices"], asked[-1]["usage"]["prompt_tokens"]) == ([], 40)
    assert all(each["usage"] is None for each in asked[:-1])
    assert {(each["id"], each["created"], each["model"]) for each in asked} == {("id_1", 5, "shown-model")}


def test_responses_numbers_its_events() -> None:
    events = rendered("openai_responses", v3_events(simple()), {})
    assert [each["sequence_number"] for each in events] == list(range(len(events)))
    assert [each["type"] for each in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"


@each_client
def test_an_empty_answer_is_a_complete_stream(client: WireName) -> None:
    stream = DOORS[client].stream({}, SETTINGS)
    events = list(stream.close())
    SDK_STREAMS[client](events)
    assert list(stream.close()) == []


def test_the_tier_is_the_one_in_which_the_answer_was_made() -> None:
    body = {"service_tier": "flex"}
    assert replied("openai_chat", simple(service_tier="standard"), body)["service_tier"] == "default"
    assert replied("openai_responses", simple(service_tier="priority"), body)["service_tier"] == "priority"
    assert replied("openai_chat", simple(), body)["service_tier"] is None
    assert replied("anthropic_messages", simple(service_tier="default"), {})["usage"]["service_tier"] == "standard"
    assert replied("openai_chat", simple(system_fingerprint="fp_1"), {})["system_fingerprint"] == "fp_1"


def test_log_probabilities_stand_where_the_client_looks() -> None:
    entry = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}
    of_chat = simple(logprobs={"content": [entry], "refusal": None})
    assert replied("openai_chat", of_chat, {})["choices"][0]["logprobs"]["content"] == [entry]
    of_responses = message_of({"type": "text", "text": "Hi", "logprobs": [entry]})
    assert replied("openai_chat", of_responses, {})["choices"][0]["logprobs"]["content"] == [entry]
    last = rendered("openai_chat", v3_events(of_responses), {})[-1]
    assert last["choices"][0]["logprobs"]["content"] == [entry]


# --- reasoning --------------------------------------------------------------------------------------------------------

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "proof"}
SUMMARY = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
ITEM = {"type": "reasoning", "id": "rs_1", "summary": SUMMARY, "encrypted_content": "proof"}
HI = {"type": "text", "text": "Hi"}


def test_the_proof_of_claudes_thinking_goes_where_the_client_replays_it() -> None:
    message = message_of(THOUGHT, HI, provider="anthropic")
    item = replied("openai_responses", message, {})["output"][0]
    assert (item["summary"][0]["text"], item["encrypted_content"]) == ("hm", "proof")
    chat = replied("openai_chat", message, {})["choices"][0]["message"]
    assert chat["reasoning_content"] == "hm"
    assert chat["thinking_blocks"] == [THOUGHT]


def test_the_proof_of_openais_reasoning_goes_where_the_client_replays_it() -> None:
    message = message_of(ITEM, HI)
    blocks = replied("anthropic_messages", message, ASKED)["content"]
    assert blocks[0] == {"type": "thinking", "thinking": "a\n\nb", "signature": "proof"}
    chat = replied("openai_chat", message, {})["choices"][0]["message"]
    assert (chat["reasoning_content"], chat["thinking_blocks"][0]["signature"]) == ("a\n\nb", "proof")
    hidden = replied("anthropic_messages", message_of({**ITEM, "summary": []}, HI), ASKED)["content"]
    assert hidden[0] == {"type": "redacted_thinking", "data": "proof"}


def test_programs_that_ask_for_no_thinking_find_the_text_first() -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    message = message_of(ITEM, HI)
    assert [block["type"] for block in replied("anthropic_messages", message, body)["content"]] == ["text"]
    streamed = rendered("anthropic_messages", v3_events(message), body)
    starts = [each["content_block"]["type"] for each in streamed if each["type"] == "content_block_start"]
    assert starts == ["text"]
    notes = DOORS["anthropic_messages"].completion(copy.deepcopy(message), SETTINGS, body).notes
    assert [note["what"] for note in notes] == ["reasoning"]
    own = replied("anthropic_messages", message_of(THOUGHT, HI, provider="anthropic"), body)
    assert own["content"][0] == THOUGHT


def test_the_reasoning_before_a_call_stays_where_no_thinking_is_asked() -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}
    listed = {"type": "tool_call", "id": "c1", "name": "f", "args": {}}
    message = message_of(ITEM, HI, call, tool_calls=[listed], finish="tool_calls")
    whole = replied("anthropic_messages", message, body)["content"]
    assert [block["type"] for block in whole] == ["text", "thinking", "tool_use"]
    assert whole[1]["signature"] == "proof"
    streamed = rendered("anthropic_messages", v3_events(message), body)
    assert (
        seen(total(chunks_of(WIRES["anthropic_messages"], streamed)))["content"]
        == seen(WIRES["anthropic_messages"].decode(replied("anthropic_messages", message, body))[0])["content"]
    )


def test_omitted_thinking_keeps_its_proof() -> None:
    body = {"thinking": {"type": "adaptive", "display": "omitted"}}
    streamed = rendered("anthropic_messages", v3_events(message_of(ITEM, HI)), body)
    assert "thinking_delta" not in str(streamed)
    assert "'signature': 'proof'" in str(streamed)


# --- tools that another provider runs ---------------------------------------------------------------------------------


def test_openais_search_is_claudes_search() -> None:
    sources = [{"type": "url", "url": "https://example.com"}]
    action = {"type": "search", "query": "q", "queries": ["q"], "sources": sources}
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action}
    call, result = replied("anthropic_messages", message_of(item, HI), {})["content"][:2]
    assert (call["type"], call["name"], call["input"]) == ("server_tool_use", "web_search", {"query": "q"})
    assert (result["type"], result["tool_use_id"]) == ("web_search_tool_result", call["id"])
    assert result["content"][0]["url"] == "https://example.com"


def test_claudes_search_is_openais_search() -> None:
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    page = {"type": "web_search_result", "url": "https://example.com", "title": "t", "encrypted_content": "x"}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [page]}
    message = message_of(call, result, HI, provider="anthropic")
    item = replied("openai_responses", message, {})["output"][0]
    assert item["type"] == "web_search_call"
    sources = [{"type": "url", "url": "https://example.com"}]
    assert item["action"] == {"type": "search", "query": "q", "queries": ["q"], "sources": sources}
    kinds = [each["type"] for each in rendered("openai_responses", v3_events(message), {})]
    assert kinds.index("response.web_search_call.searching") < kinds.index("response.output_text.delta")


# --- failures ---------------------------------------------------------------------------------------------------------


def failed(client: WireName, **fields: Any) -> dict[str, Any]:
    error = RateLimitError("too many requests")
    for name, value in fields.items():
        setattr(error, name, value)
    stream = DOORS[client].stream({}, SETTINGS)
    stream.feed({"event": "message-start", "id": "", "metadata": {}})  # type: ignore[arg-type]
    (found,) = stream.fail(error)
    assert list(stream.close()) == []
    return found


def test_an_error_in_a_stream_is_an_event_of_the_clients_api() -> None:
    assert failed("anthropic_messages", request_id="req_1") == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "too many requests"},
        "request_id": "req_1",
    }
    error = failed("openai_chat")["error"]
    assert (error["code"], error["message"]) == ("rate_limit_exceeded", "too many requests")
    event = failed("openai_responses", retry_after=1.5)
    assert (event["type"], event["response"]["status"]) == ("response.failed", "failed")
    message = "too many requests Please try again in 1.5s."
    assert event["response"]["error"] == {"code": "rate_limit_exceeded", "message": message}
