"""A conversation written down with LangChain's own serialization comes back whole, and goes on where it stopped."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from langchain_core.load import dumps, loads
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_unified.messages.turns import turns
from langchain_unified.request import Profile, Request, WireName
from langchain_unified.wires import WIRES
from tests.support.corpus import WIRE_OF, needs_corpus, replies
from tests.support.histories import repair

pytestmark = needs_corpus


def stored(messages: list[BaseMessage]) -> list[BaseMessage]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # core calls its `loads` beta
        return list(loads(dumps(messages), allowed_objects=[AIMessage, HumanMessage, ToolMessage]))


def body(messages: list[BaseMessage], wire: WireName) -> dict[str, Any]:
    repaired, _ = repair(turns(messages, wire), wire=wire, profile=Profile(), model="")
    return dict(WIRES[wire].encode(Request("a-model", repaired)).body)


@pytest.mark.parametrize("endpoint", WIRE_OF)
def test_every_recorded_reply_survives_a_file(endpoint: str) -> None:
    wire = WIRE_OF[endpoint]
    count = 0
    for exchange in replies(endpoint):
        for message in WIRES[wire].decode(exchange["response"]["body"]):
            before: list[BaseMessage] = [HumanMessage("hi"), message]
            results = [ToolMessage("18", tool_call_id=call["id"]) for call in message.tool_calls]
            after = stored(before)
            assert after == before
            for target in WIRES:
                again = [*after, *results, HumanMessage("go on")]
                assert body(again, target) == body([*before, *results, HumanMessage("go on")], target)
            count += 1
    assert count > 100


def test_a_file_is_plain_json() -> None:
    text = dumps([HumanMessage("hi"), AIMessage("hello", response_metadata={"model_provider": "openai"})])
    assert isinstance(json.loads(text), list)
