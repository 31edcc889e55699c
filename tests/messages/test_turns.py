"""A message that is nothing but text takes a short way, and comes out as the long way has it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_unified.messages import turns as content
from langchain_unified.request import WireName
from langchain_unified.wires import WIRES

CLAUDE: dict[str, Any] = {"model_provider": "anthropic", "model_name": "claude-opus-5"}
OPENAI: dict[str, Any] = {"model_provider": "openai", "model_name": "gpt-4o"}
BARE: list[BaseMessage] = [
    SystemMessage("be brief"),
    HumanMessage("hello", name="ada"),
    AIMessage("hi"),
    AIMessage("hi", response_metadata=CLAUDE, name="bot"),
    AIMessage("hi", response_metadata=OPENAI, id="resp_1"),
    AIMessage("hi", response_metadata=OPENAI),
]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("message", BARE, ids=repr)
def test_the_short_way_is_the_long_way(message: BaseMessage, wire: WireName) -> None:
    (short,) = content.turns([message], wire)
    (long,) = content._turns_of(message, wire, 0)
    fields = ("role", "name", "origin", "model", "position", "tool_call_id", "is_error")
    assert [getattr(short, name) for name in fields] == [getattr(long, name) for name in fields]
    assert [dict(block.get("value", block)) for block in short.blocks] == [
        dict(block.get("value", block)) for block in long.blocks
    ]


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage(""),
        HumanMessage("x", additional_kwargs={"cache_control": {"type": "ephemeral"}}),
        AIMessage("x", tool_calls=[{"name": "t", "args": {}, "id": "1"}]),
        AIMessage("x", additional_kwargs={"refusal": "no"}),
    ],
    ids=["empty", "marked", "calls", "refusal"],
)
def test_more_than_text_takes_the_long_way(message: BaseMessage) -> None:
    assert content._bare(message, 0) is None
