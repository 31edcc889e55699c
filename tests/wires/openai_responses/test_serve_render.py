"""Responses, the server side: replies and events that are rendered."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires.openai_responses.serve import render_events, render_reply
from tests.support.completions import TOKENS, call, text
from tests.wires.openai_responses.serve_helpers import ADD, ASKED, HELLO, HI, STREAMED, WIKI, native

# --- the reply --------------------------------------------------------------------------------------------------------

IMAGES = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "total_tokens": 0,
}


def test_a_whole_reply():
    assert render_reply(HI, HELLO) == {
        "id": "resp_1",
        "object": "response",
        "created_at": 7,
        "status": "completed",
        "background": False,
        "billing": {"payer": "developer"},
        "completed_at": 7,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "model": "gpt-test-1",
        "moderation": None,
        "output": [
            {
                "id": "msg_100",
                "type": "message",
                "status": "completed",
                "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi there"}],
                "role": "assistant",
            }
        ],
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tool_usage": {"image_gen": IMAGES, "web_search": {"num_requests": 0}},
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 15,
            "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 18,
        },
        "user": None,
    }


def output_of(*blocks: dict[str, Any], body: dict[str, Any] = HELLO) -> list[dict[str, Any]]:
    return render_reply(Completion("resp_1", "m", blocks), body)["output"]


def test_calls_have_ids_and_compact_arguments():
    nameless = {**call("add", {"a": [1, "é"]}), "id": None, "extras": {"namespace": "maths"}}
    assert output_of(nameless, call("sql", {"__arg1": "SELECT 1"}), body=ASKED) == [
        {
            "id": "fc_100",
            "type": "function_call",
            "status": "completed",
            "arguments": '{"a":[1,"é"]}',
            "call_id": "call_100",
            "name": "add",
            "namespace": "maths",
        },
        {
            "id": "ctc_101",
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": "call_1",
            "input": "SELECT 1",
            "name": "sql",
        },
    ]


def test_reasoning_of_one_id_is_one_item():
    extras = {"encrypted_content": "x", "signature": "s"}
    first = {"type": "reasoning", "reasoning": "a", "id": "rs_9", "extras": extras}
    thoughts = [first, {"type": "reasoning", "reasoning": "b", "id": "rs_9"}, {"type": "reasoning", "reasoning": ""}]
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    assert output_of(*thoughts) == [
        {"id": "rs_9", "type": "reasoning", "summary": summary, "encrypted_content": "x"},
        {"id": "rs_101", "type": "reasoning", "summary": []},
    ]


def test_texts_and_refusals_are_parts_of_one_message():
    commentary = text("a", phase="commentary")
    (first, second) = output_of(commentary, text("b"), {"type": "refusal", "refusal": "No."})
    assert (first["id"], first["phase"], len(first["content"])) == ("msg_100", "commentary", 1)
    assert (second["id"], "phase" in second) == ("msg_101", False)
    assert [part["type"] for part in second["content"]] == ["output_text", "refusal"]


def test_citations():
    web = {"type": "citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2, "cited_text": "b"}
    file = {"type": "citation", "title": "a.txt", "extras": {"file_id": "file-1", "file_index": 3}}
    bare = {"type": "citation", "url": "v"}
    (item,) = output_of(text("abc", annotations=[web, bare, file, {"type": "citation"}]))
    assert item["content"][0]["annotations"] == [
        {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2},
        {"type": "url_citation", "url": "v", "title": "", "start_index": 0, "end_index": 0},
        {"type": "file_citation", "file_id": "file-1", "filename": "a.txt", "index": 3},
    ]


def test_items_of_server_tools():
    search = {"type": "server_tool_call", "id": "ws_1", "name": "web_search", "args": {"type": "search", "query": "a"}}
    found = {"type": "server_tool_result", "tool_call_id": "ws_1", "status": "success", "output": {"sources": [1]}}
    unknown = {"type": "server_tool_call", "id": "srvtoolu_1", "name": "web_fetch", "args": {}}
    image = native({"type": "image_generation_call", "status": "completed", "result": "AA=="})
    reply = render_reply(Completion("resp_1", "m", (search, found, unknown, image)), HELLO)
    action = {"type": "search", "query": "a", "sources": [1]}
    assert reply["output"] == [
        {"type": "web_search_call", "id": "ws_1", "action": action, "status": "completed"},
        {"type": "image_generation_call", "status": "completed", "result": "AA==", "id": "ig_101"},
    ]
    assert reply["tool_usage"]["web_search"] == {"num_requests": 1}


def test_what_the_api_cannot_answer():
    for block in ({"type": "image", "url": "u"}, native({"id": "x"})):
        with pytest.raises(UnsupportedContentError, match="cannot answer with a"):
            output_of(block)


@pytest.mark.parametrize(
    "reason, status, detail",
    [
        ("stop", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
        ("pause", "incomplete", {"reason": "max_messages"}),
        ("error", "failed", None),
    ],
)
def test_status(reason, status, detail):
    completion = Completion("resp_1", "m", (text("Hi"),), reason, created=7)
    reply = render_reply(completion, HELLO)
    assert (reply["status"], reply["incomplete_details"]) == (status, detail)
    assert reply["output"][0]["status"] == ("completed" if status == "completed" else "incomplete")
    assert (reply["completed_at"], reply["error"] is None) == (7 if reason == "stop" else None, reason != "error")
    assert list(render_events(completion, STREAMED))[-1]["type"] == f"response.{status}"


def test_the_request_is_repeated():
    body = {
        **HELLO,
        "temperature": 0.5,
        "service_tier": "flex",
        "conversation": "conv_1",
        "prompt_cache_options": {"mode": "explicit"},
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "Sum", "schema": {}}},
        "tools": [ADD, {**WIKI, "authorization": "secret"}, {"type": "tool_search"}],
        "truncation": None,
    }
    reply = render_reply(HI, body)
    assert {key: reply[key] for key in body if key not in ("model", "input")} == {
        "temperature": 0.5,
        "service_tier": "flex",
        "conversation": {"id": "conv_1"},
        "prompt_cache_options": {"mode": "explicit"},
        "reasoning": {"effort": "low", "summary": None},
        "text": {
            "format": {"type": "json_schema", "description": None, "name": "Sum", "schema": {}, "strict": False},
            "verbosity": "medium",
        },
        "tools": [
            {**ADD, "description": None, "output_schema": None},
            {
                **WIKI,
                "allowed_tools": None,
                "authorization": "REDACTED",
                "headers": None,
                "server_description": None,
            },
            {"type": "tool_search", "description": None, "parameters": None},
        ],
        "truncation": "disabled",
    }


def test_both_kinds_of_cache_writes():
    tokens = Tokens(cache_write_short=3, cache_write_long=4)
    usage = render_reply(Completion("resp_1", "m", (), tokens=tokens), HELLO)["usage"]
    assert usage["input_tokens_details"] == {
        "cached_tokens": 0,
        "cache_write_tokens": 7,
        "cache_write_tokens_details": {"ttl_30m_tokens": 3, "ttl_12h_tokens": 4},
    }


# --- the stream -------------------------------------------------------------------------------------------------------


def events_of(*blocks: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    body = {**ASKED, "stream_options": {"include_obfuscation": False}, **more}
    return list(render_events(Completion("resp_1", "m", blocks, tokens=TOKENS, created=7), body))


def told(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events between the first and the last ones, without their numbers."""
    return [
        {key: value for key, value in event.items() if key != "sequence_number"}
        for event in events
        if "response" not in event
    ]


def test_the_events_of_a_text():
    note = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2}
    events = events_of(text("Hi there", annotations=[{**note, "type": "citation"}]))
    at = {"item_id": "msg_100", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "annotations": [note], "logprobs": [], "text": "Hi there"}
    item = {"id": "msg_100", "type": "message", "status": "completed", "content": [part], "role": "assistant"}
    assert told(events) == [
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": {**part, "text": "", "annotations": []}},
        {"type": "response.output_text.delta", **at, "delta": "Hi", "logprobs": []},
        {"type": "response.output_text.delta", **at, "delta": " there", "logprobs": []},
        {"type": "response.output_text.annotation.added", **at, "annotation_index": 0, "annotation": note},
        {"type": "response.output_text.done", **at, "text": "Hi there", "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_the_events_around_the_items():
    first, second, *_, last = events_of(text("Hi"))
    assert [event["type"] for event in (first, second, last)] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    reply = render_reply(Completion("resp_1", "m", (text("Hi"),), tokens=TOKENS, created=7), ASKED)
    del reply["billing"]
    assert last["response"] == reply
    unsaid = {"status": "in_progress", "completed_at": None, "output": [], "usage": None, "service_tier": "auto"}
    assert first["response"] == second["response"] == {**reply, **unsaid}


def test_a_background_answer_is_queued_first():
    events = [event for event in events_of(background=True) if "response" in event]
    assert [(event["type"], event["response"]["status"]) for event in events] == [
        ("response.created", "queued"),
        ("response.queued", "queued"),
        ("response.in_progress", "in_progress"),
        ("response.completed", "completed"),
    ]


def test_the_events_of_calls():
    events = told(events_of(call("add", {"a": 1234567}), call("sql", {"__arg1": "SELECT 1"}, 2)))
    function = {"id": "fc_100", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "add"}
    custom = {"id": "ctc_101", "type": "custom_tool_call", "status": "completed", "call_id": "call_2", "name": "sql"}
    first, second = {"item_id": "fc_100", "output_index": 0}, {"item_id": "ctc_101", "output_index": 1}
    assert events == [
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**function, "status": "in_progress", "arguments": ""},
        },
        {"type": "response.function_call_arguments.delta", **first, "delta": '{"a":1234567'},
        {"type": "response.function_call_arguments.delta", **first, "delta": "}"},
        {"type": "response.function_call_arguments.done", **first, "arguments": '{"a":1234567}'},
        {"type": "response.output_item.done", "output_index": 0, "item": {**function, "arguments": '{"a":1234567}'}},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {**custom, "status": "in_progress", "input": ""},
        },
        {"type": "response.custom_tool_call_input.delta", **second, "delta": "SELECT 1"},
        {"type": "response.custom_tool_call_input.done", **second, "input": "SELECT 1"},
        {"type": "response.output_item.done", "output_index": 1, "item": {**custom, "input": "SELECT 1"}},
    ]


def test_the_events_of_reasoning_and_refusal():
    events = told(events_of({"type": "reasoning", "reasoning": "a b"}, {"type": "refusal", "refusal": "No."}))
    assert [(event["type"].removeprefix("response."), event.get("delta")) for event in events] == [
        ("output_item.added", None),
        ("reasoning_summary_part.added", None),
        ("reasoning_summary_text.delta", "a"),
        ("reasoning_summary_text.delta", " b"),
        ("reasoning_summary_text.done", None),
        ("reasoning_summary_part.done", None),
        ("output_item.done", None),
        ("output_item.added", None),
        ("content_part.added", None),
        ("refusal.delta", "No."),
        ("refusal.done", None),
        ("content_part.done", None),
        ("output_item.done", None),
    ]


def test_pieces_and_their_padding_have_one_size():
    deltas = [event for event in render_events(HI, STREAMED) if event["type"].endswith(".delta")]
    assert {len(event["obfuscation"]) + len(event["delta"]) for event in deltas} == {16}
    assert not any("obfuscation" in event for event in events_of(text("Hi there")))
