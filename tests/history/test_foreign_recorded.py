"""Recorded replies as another provider's model reads them: nothing of them is lost."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.wires import WIRES
from tests.history.foreign_helpers import ALL, SEARCHED, THOUGHT, said, sent
from tests.support.corpus import WIRE_OF, label, needs_corpus, replies, sse_events, streams
from tests.support.reading import REBUILD, read
from tests.support.streams import chunks_of, total


@functools.cache
def decoded(endpoint: str) -> list[tuple[dict[str, Any], AIMessage]]:
    """Each recorded answer with the message that it is decoded to."""
    wire = WIRES[WIRE_OF[endpoint]]
    found = [(one, wire.decode(one["response"]["body"])[0]) for one in replies(endpoint)]
    found += [(one, total(chunks_of(wire, sse_events(one["response"]["sse"])))) for one in streams(endpoint)]
    return found


RECORDED = [
    pytest.param(endpoint, at, id=label(one))
    for endpoint in WIRE_OF
    for at, (one, _) in enumerate([(one, None) for one in [*replies(endpoint), *streams(endpoint)]])
]

# Names under which nobody but the provider finds anything, and settings that say nothing of what was said.
UNSAID = frozenset({
    "type", "id", "call_id", "tool_use_id", "tool_id", "role", "phase", "status", "signature", "encrypted_content",
    "encrypted_index", "media_type", "mime_type", "container_id", "file_id", "execution", "background", "quality",
    "size", "output_format", "input_schema", "parameters", "logprobs", "expires_at",
})  # fmt: skip
REASONING = ("thinking", "redacted_thinking", "reasoning")
STANDARD_NAMES = {"code_execution": "code_interpreter"}


def leaves(value: Any, key: str = "") -> Iterator[str]:
    """Every text in a recorded answer that somebody else can read."""
    if isinstance(value, dict):
        if value.get("type") not in REASONING:
            kept = ((name, item) for name, item in value.items() if name not in UNSAID)
            yield from (leaf for name, item in kept for leaf in leaves(item, name))
    elif isinstance(value, list):
        yield from (leaf for item in value for leaf in leaves(item, key))
    elif isinstance(value, str) and key == "arguments":
        yield from leaves(json.loads(value))
    elif isinstance(value, str) and value.strip():
        yield value.rpartition(",")[2] if value.startswith("data:image/") else value.strip()


def outputs(exchange: dict[str, Any]) -> Any:
    """The content of a recorded answer, as the provider wrote it."""
    endpoint, response = exchange["endpoint"], exchange["response"]
    whole = response["body"] or REBUILD[endpoint](sse_events(response["sse"]))
    if endpoint == "anthropic.messages":
        return whole["content"]
    if endpoint == "openai.responses":
        return [{**item, "action": None} if isinstance(item.get("action"), str) else item for item in whole["output"]]
    message = whole["choices"][0]["message"]
    audio = {key: value for key, value in (message.get("audio") or {}).items() if key != "data"}
    return {**message, "audio": audio, "tool_calls": [each["function"] for each in message.get("tool_calls") or ()]}


def answered(message: AIMessage) -> list[ToolMessage]:
    ids = [call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls)]
    return [ToolMessage(f"result of {each}", tool_call_id=each) for each in ids]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (text for item in value.values() for text in strings(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in strings(item))
    elif isinstance(value, str):
        yield value


def calls_in(body: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """The calls of a body, in order: id, name, arguments."""
    return [
        found
        for item in body.get("messages") or body["input"]
        for part in (item, *(item["content"] if isinstance(item.get("content"), list) else ()))
        for found in _calls(part)
    ]


def _calls(part: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    if part.get("type") == "function_call":
        yield part["call_id"], part["name"], json.loads(part["arguments"])
    elif part.get("type") == "tool_use":
        yield part["id"], part["name"], part["input"]
    for call in part.get("tool_calls") or ():
        yield call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])


@needs_corpus
@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize("endpoint, at", RECORDED)
def test_a_recorded_reply_loses_nothing_on_any_wire(wire: str, endpoint: str, at: int):
    exchange, message = decoded(endpoint)[at]
    before = copy.deepcopy(message)
    model = exchange["request"]["body"]["model"] if wire == WIRE_OF[endpoint] else ""
    body = sent(wire, HumanMessage("go"), message, *answered(message), HumanMessage("on"), model=model, policy="fix")
    calls = calls_in(body)
    assert [call for call in calls if call[1] != "tool_search"] == read(exchange).calls
    text = "\n".join([*strings(body), *strings([args for _, _, args in calls])])
    expected = [*leaves(outputs(exchange))]
    assert [leaf for leaf in expected if leaf not in text and STANDARD_NAMES.get(leaf, leaf) not in text] == []
    assert message == before


def slots(wire: str, body: dict[str, Any]) -> bytes:
    """The bytes of a body's conversation, without the brackets at its ends."""
    return json.dumps(body["input" if wire == "openai_responses" else "messages"]).encode()[1:-1]


@needs_corpus
@pytest.mark.parametrize("endpoint, at", RECORDED)
def test_there_and_back_again(endpoint: str, at: int):
    """A, then B, then A: what A gets is what it got before B spoke, byte for byte, and then more."""
    exchange, message = decoded(endpoint)[at]
    wire = WIRE_OF[endpoint]
    elsewhere = "openai_chat" if wire == "anthropic_messages" else "anthropic_messages"
    model = exchange["request"]["body"]["model"]
    history = [HumanMessage("go"), message, *answered(message), HumanMessage("on")]
    first = slots(wire, sent(wire, *history, model=model, policy="fix"))
    kept = copy.deepcopy(history)
    sent(elsewhere, *history, policy="fix")
    assert history == kept
    reply = said(elsewhere, *(SEARCHED if elsewhere == "anthropic_messages" else [{"type": "text", "text": "Yes."}]))
    again = slots(wire, sent(wire, *history, reply, HumanMessage("and on"), model=model, policy="fix"))
    assert again.startswith(first)
    assert len(again) > len(first)


def test_a_message_that_claims_another_origin_is_read_as_standard_blocks():
    """A history that was stored without its metadata: the types tell whose they are, and nothing goes out raw."""
    message = AIMessage([{"type": "redacted_thinking", "data": "S"}, *SEARCHED])
    for wire in ("openai_chat", "openai_responses"):
        body = sent(wire, HumanMessage("a"), message, HumanMessage("b"))
        text = "\n".join(strings(body))
        assert "https://k2.example" in text
        assert "SEALED" not in text
        assert "redacted_thinking" not in text


def test_a_foreign_answer_may_hold_nothing_at_all():
    with pytest.raises(InvalidHistoryError, match="No message has content"):
        sent("openai_chat", said("anthropic_messages", THOUGHT[0]))
