"""Chat Completions, the server side: what was encoded is read back; recorded bodies."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest

from langchain_unified.request import Dialect, Request, Turn
from langchain_unified.wires.openai_chat import WIRE
from langchain_unified.wires.openai_chat.serve import read_request
from tests.support.completions import text
from tests.support.corpus import exchanges, needs_corpus

# --- law 2: what was encoded is read back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dialect",
    [Dialect(), Dialect(max_tokens_key="max_tokens"), Dialect(stream_usage=False)],
    ids=["plain", "max_tokens", "no usage"],
)
def test_the_dialect_is_read_too(dialect):
    request = Request("m", (Turn("user", (text("Hi"),)),), params={"max_tokens": 5}, stream=True, dialect=dialect)
    found = read_request(WIRE.encode(request).body)
    assert (found, found.dialect) == (request, dialect)


# --- recorded bodies --------------------------------------------------------------------------------------------------


def plain(holder: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if value is not None}


def normal(body: dict[str, Any]) -> dict[str, Any]:
    """The form that the encoder gives a body. Nothing else may change in it:

    In the body and in a message, null says what an absent key says; `stream: false` is the default; one bare text
    part is a string; arguments are compact JSON; what is echoed of a reply's `annotations` is not sent.
    """
    found = copy.deepcopy(plain(body))
    found["messages"] = [plain(message) for message in found["messages"]]
    if found.get("stream") is False:
        del found["stream"]
    for message in found["messages"]:
        message.pop("annotations", None)
        content = message.get("content")
        if isinstance(content, list) and len(content) == 1 and content[0].keys() == {"type", "text"}:
            message["content"] = content[0]["text"]
        for made in message.get("tool_calls", ()):
            arguments = json.loads(made["function"]["arguments"])
            made["function"]["arguments"] = json.dumps(arguments, separators=(",", ":"), ensure_ascii=False)
    return found


@needs_corpus
def test_every_recorded_body_comes_back():
    outcome: Counter[str] = Counter()
    for exchange in exchanges("openai.chat"):
        body = exchange["request"]["body"]
        encoded = WIRE.encode(read_request(body))
        assert encoded.adjustments == ()
        if encoded.body != body:
            assert encoded.body == normal(body), exchange["id"]
        outcome["exact" if encoded.body == body else "normal form"] += 1
    assert outcome == {"exact": 113, "normal form": 142}


@needs_corpus
def test_what_recorded_bodies_ask_for():
    found = [read_request(exchange["request"]["body"]) for exchange in exchanges("openai.chat")]
    kinds = Counter(block["type"] for request in found for turn in request.turns for block in turn.blocks)
    assert set(kinds) == {"text", "image", "file", "audio", "tool_call"}
    assert sum(request.stream for request in found) == 83
    assert {request.tool_choice.mode for request in found if request.tool_choice} == {"auto", "any", "none", "tool"}
    assert {key for request in found for key in request.native} == {"moderation", "web_search_options"}
    assert {key for request in found for key in request.extra_body} == set()
    assert {spec.kind for request in found for spec in request.tools} == {"function"}
