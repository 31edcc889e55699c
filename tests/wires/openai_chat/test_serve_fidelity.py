"""Chat Completions, the server side: what is rendered has the keys of recorded answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from langchain_unified.wires._completion import Completion
from langchain_unified.wires.openai_chat.serve import render_events, render_reply
from tests.support.completions import TOKENS, call, text
from tests.support.corpus import needs_corpus, replies, sse_events, streams
from tests.wires.openai_chat.serve_helpers import HELLO, WITH_USAGE

SAMPLES = [
    Completion("chatcmpl-1", "m", blocks, reason, TOKENS)
    for blocks, reason in [
        ((text("Hello there, friend"),), "stop"),
        ((text(""),), "length"),
        ((call("add", {"a": 1}),), "tool_calls"),
        ((call("add", {"a": 1}), call("add", {"a": 2}, 2)), "tool_calls"),
    ]
]


def shapes(value: Any, name: str) -> Iterable[tuple[str, frozenset[str]]]:
    """The key sets of every object in a reply or event, each with the path it stands under."""
    if isinstance(value, dict):
        yield name, frozenset(value)
        for key, item in value.items():
            yield from shapes(item, f"{name}.{key}")
    if isinstance(value, list):
        for item in value:
            yield from shapes(item, f"{name}[]")


def recent(exchange: dict[str, Any]) -> bool:
    return exchange["request"]["body"]["model"].startswith("gpt-5") and "moderation" not in exchange["request"]["body"]


@needs_corpus
def test_a_reply_has_the_keys_of_recent_recordings():
    recorded = {
        shape for found in replies("openai.chat") if recent(found) for shape in shapes(found["response"]["body"], "")
    }
    rendered = {shape for sample in SAMPLES for shape in shapes(render_reply(sample, HELLO), "")}
    assert rendered == recorded


@needs_corpus
def test_events_have_the_keys_of_recordings():
    bodies = [
        found["response"]["sse"] for found in streams("openai.chat") if "moderation" not in found["request"]["body"]
    ]
    # The recorded tool calls of streams are of older models, which have `logprobs` in every choice.
    recorded = {
        (path, keys - {"logprobs"}) for sse in bodies for event in sse_events(sse) for path, keys in shapes(event, "")
    }
    events = [event for sample in SAMPLES for event in render_events(sample, WITH_USAGE)]
    rendered = {shape for event in events for shape in shapes(event, "")}
    assert rendered <= recorded
    # Only this is told in another way: several calls of an older model open with a message that has no `refusal`.
    assert recorded - rendered == {(".choices[].delta", frozenset({"role", "content"}))}
    newest = {
        frozenset(choice)
        for found in streams("openai.chat")
        if recent(found)
        for event in sse_events(found["response"]["sse"])
        for choice in event["choices"]
    }
    assert {frozenset(choice) for event in events for choice in event["choices"]} == newest


@pytest.mark.parametrize("sample", [*SAMPLES, Completion("chatcmpl-1", "m", ({"type": "refusal", "refusal": "No."},))])
def test_the_sdk_takes_what_is_rendered(sample):
    reply = ChatCompletion.model_validate(render_reply(sample, HELLO), strict=True)
    chunks = [ChatCompletionChunk.model_validate(event, strict=True) for event in render_events(sample, WITH_USAGE)]
    assert (reply.choices[0].message.content or "") == "".join(
        choice.delta.content or "" for chunk in chunks for choice in chunk.choices
    )
    assert chunks[-1].usage == reply.usage
