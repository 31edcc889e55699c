"""Responses, the server side: what is rendered has the keys of recorded answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from langchain_unified.wires._completion import Completion
from langchain_unified.wires.openai_responses.serve import render_events, render_reply
from tests.support.completions import TOKENS, call, text
from tests.support.corpus import needs_corpus, replies, sse_events, streams
from tests.wires.openai_responses.serve_helpers import ASKED, ENDPOINT, HELLO, HI, STREAMED, native

WEB_SEARCH = native({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}})
SAMPLES = [
    Completion("resp_1", "m", blocks, reason, TOKENS)
    for blocks, reason in [
        ((text("Hello there, friend", phase="final_answer"),), "stop"),
        ((text("Hello there, friend"),), "stop"),
        ((text("Hello"),), "length"),
        ((call("add", {"a": 1}), call("add", {"a": 2}, 2)), "tool_calls"),
        (({**call("add", {}), "extras": {"namespace": "maths"}},), "tool_calls"),
        (({"type": "reasoning", "reasoning": "Hm.", "extras": {"encrypted_content": "x"}}, text("Hello")), "stop"),
        ((WEB_SEARCH, text("See.", annotations=[{"type": "citation", "url": "u", "title": "t"}])), "stop"),
    ]
]


def shapes(value: Any, name: str) -> Iterable[tuple[str, frozenset[str]]]:
    """The key sets of every object in a reply or event, each with its type or the path it stands under.

    What is the caller's own (a schema, metadata) or the model's (an action) has any keys.
    """
    if isinstance(value, dict):
        name = value["type"] if isinstance(value.get("type"), str) else name
        yield name, frozenset(value)
        for key, item in value.items():
            if key not in ("parameters", "schema", "action", "metadata", "tools"):
                yield from shapes(item, f"{name}.{key}")
    if isinstance(value, list):
        for item in value:
            yield from shapes(item, f"{name}[]")


BODIES = [
    HELLO,
    {**HELLO, "reasoning": {"context": "all_turns", "mode": "pro"}, "text": {"format": {"type": "json_object"}}},
    {**HELLO, "text": {"format": {"type": "json_schema", "name": "a", "schema": {}, "strict": True}}},
]


@needs_corpus
def test_a_reply_has_the_keys_of_recent_recordings():
    recorded = [(found["request"]["body"], found["response"]["body"]) for found in replies(ENDPOINT)]
    # The reply that is only queued does not say yet who pays.
    newest = {
        frozenset(reply) - {"conversation", "prompt_cache_options"}
        for _, reply in recorded
        if reply["model"].startswith("gpt-5.6") and reply["status"] != "queued"
    }
    assert {frozenset(render_reply(sample, body)) for sample in SAMPLES for body in BODIES} == newest
    known = {shape for _, reply in recorded for shape in shapes(reply, "reply")}
    produced = {shape for sample in SAMPLES for body in BODIES for shape in shapes(render_reply(sample, body), "reply")}
    assert produced <= known
    # Of the kinds of objects that both know, these forms are of older models, or of requests that are not made here.
    kinds = {name for name, _ in produced}
    missing = {(name, keys) for name, keys in known - produced if name in kinds and name != "reply"}
    assert missing == {
        ("reasoning", frozenset({"id", "summary", "type"})),
        ("reasoning", frozenset({"content", "encrypted_content", "id", "summary", "type"})),
        ("output_text", frozenset({"annotations", "text", "type"})),
        ("reply.text", frozenset({"format"})),
        ("reply.reasoning", frozenset({"effort", "generate_summary"})),
        ("reply.usage.input_tokens_details", frozenset({"cached_tokens"})),
    }


@needs_corpus
def test_events_have_the_keys_of_recordings():
    recorded = [event for found in streams(ENDPOINT) for event in sse_events(found["response"]["sse"])]
    known = {shape for event in recorded if "response" not in event for shape in shapes(event, "")}
    events = [event for sample in SAMPLES for event in render_events(sample, STREAMED)]
    produced = {shape for event in events if "response" not in event for shape in shapes(event, "")}
    # No summary was recorded as a stream.
    unseen = {shape for shape in produced if "summary" in shape[0]}
    assert produced - unseen <= known
    kinds = {name for name, _ in produced}
    # The padding of a few older streams was switched off.
    delta = {"content_index", "delta", "item_id", "logprobs", "output_index", "sequence_number", "type"}
    assert {(name, keys) for name, keys in known - produced if name in kinds} == {
        ("response.output_text.delta", frozenset(delta))
    }


@needs_corpus
def test_events_come_in_the_recorded_order():
    def order(events: Iterable[dict[str, Any]]) -> tuple[str, ...]:
        """The types, repeated ones once."""
        found: list[str] = []
        for event in events:
            if not found or found[-1] != event["type"]:
                found.append(event["type"])
        return tuple(found)

    recorded = {order(sse_events(found["response"]["sse"])) for found in streams(ENDPOINT)}
    unseen = [sample for sample in SAMPLES if order(render_events(sample, STREAMED)) not in recorded]
    assert [[block["type"] for block in sample.blocks] for sample in unseen] == [["reasoning", "text"]]


@needs_corpus
def test_a_streamed_reply_has_the_keys_of_recordings():
    """The streams are older than the newest replies: what came since, `tool_usage`, is in no recorded one."""
    recorded = {
        event["type"]: event["response"]
        for found in streams(ENDPOINT)
        if found["request"]["body"]["model"].startswith("gpt-5.4")
        for event in sse_events(found["response"]["sse"])
        if "response" in event
    }
    rendered = {event["type"]: event["response"] for event in render_events(HI, STREAMED) if "response" in event}
    assert recorded.keys() == rendered.keys()
    for kind, reply in rendered.items():
        assert reply.keys() - {"tool_usage"} == recorded[kind].keys()


# The model's own defaults, and what the API did.
OWN = {"model", "id", "output", "usage", "created_at", "completed_at", "tool_usage", "billing", "moderation"}
OWN |= {"reasoning", "top_p", "prompt_cache_retention", "tools"}


@needs_corpus
def test_requests_are_repeated_as_recorded():
    """In the newest replies: those that count the uses of tools."""
    newest = [found for found in replies(ENDPOINT) if "tool_usage" in found["response"]["body"]]
    finished = [found for found in newest if found["response"]["body"]["status"] == "completed"]
    for found in finished:
        reply, recorded = render_reply(HI, found["request"]["body"]), found["response"]["body"]
        assert {key: reply[key] for key in reply if key not in OWN} == {
            key: recorded[key] for key in recorded if key not in OWN
        }, found["id"]
    assert len(finished) == 34


def by_name(tools: list[dict[str, Any]]) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(tool["type"], tool.get("name", tool.get("server_label"))): tool for tool in tools}


@needs_corpus
def test_tools_are_repeated_as_recorded():
    """Tools to search for are left out: the API groups them anew."""
    same: Counter[str] = Counter()
    other = []
    answered = [(found, found["response"]["body"]) for found in replies(ENDPOINT)]
    answered += [(found, sse_events(found["response"]["sse"])[-1]["response"]) for found in streams(ENDPOINT)]
    for found, reply in answered:
        repeated = render_reply(HI, found["request"]["body"])["tools"]
        ours = by_name([tool for tool in repeated if "defer_loading" not in tool])
        recorded = by_name(reply["tools"])
        for key in ours.keys() & recorded.keys():
            # Until July 2026 a function did not say that it has no `output_schema`.
            older = {"output_schema"} - recorded[key].keys()
            if {name: value for name, value in ours[key].items() if name not in older} == recorded[key]:
                same[key[0]] += 1
            else:
                other.append(key[0])
    assert same == {
        "function": 253,
        "tool_search": 27,
        "web_search": 13,
        "image_generation": 8,
        "mcp": 4,
        "code_interpreter": 4,
        "file_search": 1,
    }
    # An empty description became none, a picture got a model, a path was redacted, what a namespace holds is not looked
    # into, and the recording of three requests, not of their streams, changed a dash.
    assert Counter(other) == {"function": 2, "image_generation": 1, "mcp": 1, "namespace": 1, "tool_search": 3}


EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
OTHERS = [
    Completion("resp_1", "m", ({"type": "refusal", "refusal": "No."}, call("sql", {"__arg1": "SELECT 1"}))),
    Completion("resp_1", "m", (text("Hi"),), "error"),
]


# The SDK wants an action in a web search that has just begun, where the API has none.
@pytest.mark.parametrize("sample", [*SAMPLES[:-1], *OTHERS])
def test_the_sdk_takes_what_is_rendered(sample):
    reply = Response.model_validate(render_reply(sample, ASKED))
    events = [EVENT.validate_python(event) for event in render_events(sample, ASKED)]
    assert reply.output_text == "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert events[-1].response.usage == reply.usage
