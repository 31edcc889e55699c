"""The Messages wire: cache breakpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.request import Dialect, Encoded, ToolSpec, Turn
from langchain_unified.wires.anthropic_messages import WIRE
from tests.wires.anthropic_messages.helpers import EPHEMERAL, request, sent, text, user, whats


def marked(value: str, **mark: str) -> dict[str, Any]:
    return {**text(value), "cache_control": {**EPHEMERAL, **mark}}


def with_marks(*messages: BaseMessage | Turn, **fields: Any) -> Encoded:
    """A request encoded with its marks placed, as a chat model does it, and the adjustments."""
    found, _, notes = place_breakpoints(request(*messages, **fields), WIRE.marks)
    encoded = WIRE.encode(found)
    return replace(encoded, adjustments=(*notes, *encoded.adjustments))


def test_marks_in_either_spelling_and_place():
    expected = [marked("a")]
    assert user(marked("a")) == expected
    assert user({**text("a"), "extras": {"cache_control": EPHEMERAL}}) == expected
    assert user({**text("a"), "prompt_cache_breakpoint": {"mode": "explicit"}}) == expected
    assert sent(HumanMessage("a", additional_kwargs={"cache_control": EPHEMERAL}))[0]["content"] == expected
    assert user(marked("a", ttl="1h")) == [marked("a", ttl="1h")]


def test_a_ttl_that_anthropic_does_not_have():
    encoded = with_marks(HumanMessage([marked("a", ttl="30m")]))
    assert encoded.body["messages"][0]["content"] == [marked("a")]
    assert whats(encoded) == ["prompt-cache ttl '30m'"]


def test_a_mark_moves_to_the_nearest_legal_block():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    turn = Turn("assistant", (text("a"), {"type": "native", "value": thinking, "mark": {}}, text("c")))
    after = with_marks(turn, Turn("user", (text("b"),))).body["messages"]
    assert after[0]["content"] == [marked("a"), thinking, text("c")]
    for ttl in ({}, {"ttl": "1h"}):
        asked = with_marks(HumanMessage([marked("a", **ttl) if ttl else text("a"), marked(" ")]))
        assert asked.body["messages"][0]["content"] == [marked("a", **ttl)]


def test_a_mark_without_a_legal_place_is_dropped_and_said():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    turn = Turn("assistant", ({"type": "native", "value": thinking, "mark": {}}, text("a")), position=3)
    encoded = with_marks(turn, Turn("user", (text("b"),)))
    assert encoded.body["messages"][0]["content"] == [thinking, text("a")]
    assert whats(encoded) == ["the prompt-cache mark on message 3 (assistant), block 0"]


def positions(body: dict[str, Any]) -> list[str]:
    """Where marks stand, as `tools.0`, `system.0`, `messages.0.1`."""
    found = [f"tools.{i}" for i, tool in enumerate(body.get("tools", [])) if "cache_control" in tool]
    system = body.get("system", [])
    found += [f"system.{i}" for i, block in enumerate(system) if isinstance(block, dict) and "cache_control" in block]
    for number, message in enumerate(body["messages"]):
        found += [f"messages.{number}.{i}" for i, block in enumerate(message["content"]) if "cache_control" in block]
    return found


def test_the_latest_four_marks_are_kept():
    messages = (
        SystemMessage([marked("s")]),
        HumanMessage([marked("a"), marked("b")]),
        AIMessage("x"),
        HumanMessage([marked("c")]),
    )
    tool = ToolSpec("f", mark={})
    encoded = with_marks(*messages, tools=(tool,))
    assert positions(encoded.body) == ["system.0", "messages.0.0", "messages.0.1", "messages.2.0"]
    assert whats(encoded) == ["the prompt-cache marks beyond 4"]
    automatic = with_marks(*messages, tools=(tool,), native={"cache_control": EPHEMERAL})
    assert positions(automatic.body) == ["system.0", "messages.0.0", "messages.0.1"]
    assert automatic.body["cache_control"] == EPHEMERAL
    assert with_marks(*messages).adjustments == ()


def test_no_marks_for_a_server_that_takes_none():
    messages = (HumanMessage([marked("a"), marked("b")]),)
    encoded = with_marks(*messages, tools=(ToolSpec("f", mark={}),), dialect=Dialect(cache_marks="none"))
    assert positions(encoded.body) == []
    assert whats(encoded) == ["the prompt-cache marks"]
