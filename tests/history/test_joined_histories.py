"""Recorded answers of all three APIs, joined at random into one conversation, on each of the three."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_unified.messages.turns import turns
from langchain_unified.profiles import profile_for
from langchain_unified.request import Request, WireName
from langchain_unified.wires import WIRES
from tests.support.corpus import WIRE_OF, exchanges, needs_corpus
from tests.support.emulated import refused
from tests.support.histories import problems, repair

pytestmark = needs_corpus

ASKED: dict[WireName, tuple[Any, str, str]] = {
    "anthropic_messages": ("anthropic", "claude-opus-5", "anthropic.messages"),
    "openai_chat": ("openai", "gpt-4o", "openai.chat"),
    "openai_responses": ("openai", "gpt-5.6", "openai.responses"),
}


def _answers() -> list[AIMessage]:
    found = []
    for endpoint, wire in WIRE_OF.items():
        for exchange in exchanges(endpoint):
            response = exchange["response"]
            if response["status"] == 200 and response["body"]:
                found += WIRES[wire].decode(response["body"])
    return found


ANSWERS = _answers()


def conversation(picked: list[int], answered: list[bool]) -> list[BaseMessage]:
    """Question, answer, and its tool results, or not; the cut ones are for the repairs."""
    messages: list[BaseMessage] = []
    for at, (index, complete) in enumerate(zip(picked, answered, strict=True)):
        answer = ANSWERS[index]
        messages += [HumanMessage(f"Question {at}."), answer]
        if complete:
            messages += [ToolMessage(f"Result {call['id']}.", tool_call_id=call["id"]) for call in answer.tool_calls]
    return [*messages, HumanMessage("And now?")]


def texts(message: BaseMessage) -> list[str]:
    """The texts of a message, each by itself: blocks stay apart on a wire that has blocks."""
    if isinstance(message.content, str):
        return [message.content]
    return [str(block["text"]) for block in message.content if isinstance(block, dict) and block.get("text")]


@pytest.mark.parametrize("wire", WIRES)
@settings(max_examples=60)
@given(data=st.data())
def test_joined_at_random(wire: WireName, data: st.DataObject) -> None:
    picked = data.draw(st.lists(st.integers(0, len(ANSWERS) - 1), min_size=1, max_size=6))
    answered = data.draw(st.lists(st.booleans(), min_size=len(picked), max_size=len(picked)))
    messages = conversation(picked, answered)
    provider, model, endpoint = ASKED[wire]
    profile = profile_for(provider, model)
    repaired, _ = repair(turns(messages, wire), wire=wire, profile=profile, model=model)
    body = WIRES[wire].encode(Request(model, repaired, profile=profile)).body
    assert problems(wire, body) == []
    assert refused(endpoint, body) == []
    written = json.dumps(body, ensure_ascii=False)
    for message in messages:
        for text in texts(message):
            assert json.dumps(text.strip()[:40], ensure_ascii=False)[1:-1] in written
        for call in getattr(message, "tool_calls", []):
            assert call["name"] in written
