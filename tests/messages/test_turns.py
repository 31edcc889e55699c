"""Messages as turns: the fast path for plain texts gives the same turns as the full one."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_unified.messages import turns as messages_turns
from langchain_unified.request import WireName
from langchain_unified.wires import WIRES

CLAUDE: dict[str, Any] = {"model_provider": "anthropic", "model_name": "claude-opus-5"}
OPENAI: dict[str, Any] = {"model_provider": "openai", "model_name": "gpt-4o"}
PLAIN: list[BaseMessage] = [
    SystemMessage("be brief"),
    HumanMessage("hello", name="ada"),
    AIMessage("hi"),
    AIMessage("hi", response_metadata=CLAUDE, name="bot"),
    AIMessage("hi", response_metadata=OPENAI, id="resp_1"),
    AIMessage("hi", response_metadata=OPENAI),
]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("message", PLAIN, ids=repr)
def test_the_fast_path_gives_the_same_turn(message: BaseMessage, wire: WireName) -> None:
    (fast,) = messages_turns.turns([message], wire)
    (full,) = messages_turns._turns_of(message, wire, 0)
    fields = ("role", "name", "origin", "model", "position", "tool_call_id", "is_error")
    assert [getattr(fast, name) for name in fields] == [getattr(full, name) for name in fields]
    assert [dict(block.get("value", block)) for block in fast.blocks] == [
        dict(block.get("value", block)) for block in full.blocks
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
def test_other_messages_do_not_take_the_fast_path(message: BaseMessage) -> None:
    assert messages_turns._plain_turn(message, 0) is None
