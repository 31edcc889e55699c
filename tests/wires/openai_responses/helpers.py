"""What the tests of the Responses wire share: requests, their bodies, replies and streams."""

from __future__ import annotations

import copy
import functools
import json
import random
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, message_chunk_to_message

from langchain_unified.messages.turns import turns
from langchain_unified.request import Encoded, Request, Turn
from langchain_unified.wires.openai_responses import WIRE
from tests.support.streams import chunks_of, total

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


run = functools.partial(chunks_of, WIRE)


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


CUSTOM = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "shell", "input": 'say "hé"\n'}
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}],
    "encrypted_content": "gAAA",
}


def finished(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole reply of a recorded stream.

    Reasoning is encrypted anew for the last event; the API asks to keep what `output_item.done` gave.
    """
    whole = copy.deepcopy(events[-1]["response"])
    done = {event["item"]["id"]: event["item"] for event in events if event["type"] == "response.output_item.done"}
    whole["output"] = [done.get(item["id"], item) for item in whole["output"]]
    return whole


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
    st.fixed_dictionaries({"type": st.just("output_text"), "text": TEXTS, "annotations": NOTES, "logprobs": LOGPROBS}),
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

PNG = "iVBORw0KGgo="

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


def marked(text: str, **mark: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **mark}}


MCP = {"type": "mcp", "server_label": "deep", "server_url": "https://a.b"}
