"""Histories that no API takes as they are: the ids of tool calls."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified.messages.turns import turns
from tests.history.helpers import DIALECTS, PLAIN, UNRUN, _brief, answer, asks, body, brief, each_wire, repaired
from tests.support.histories import problems, repair

LONG = "call_" + "x" * 60


@pytest.mark.parametrize(
    "wire, call_id, sent",
    [
        ("anthropic_messages", "call_1|fc_2", "toolu_4c8ac5e5ca00e553d4d90ca7"),
        ("anthropic_messages", "toolu_01", "toolu_01"),
        ("anthropic_messages", LONG[:64], LONG[:64]),
        ("anthropic_messages", LONG, "toolu_b8823c91081544cac30c56e1"),
        ("openai_chat", "call_1|fc_2", "call_1|fc_2"),
        ("openai_chat", LONG[:40], LONG[:40]),
        ("openai_chat", LONG[:41], "call_381b280fa63ab59c3456f832"),
        ("openai_responses", LONG[:64], LONG[:64]),
        ("openai_responses", LONG, "call_b8823c91081544cac30c56e1"),
    ],
)
@pytest.mark.parametrize("policy", ["fix", "raise"])
def test_ids_that_the_target_takes(wire: str, call_id: str, sent: str, policy: Any):
    messages = [HumanMessage("a"), asks(call_id), answer(call_id)]
    before = copy.deepcopy(messages)
    found, listed = repaired(wire, *messages, policy=policy)
    name = found[1].blocks[0]["id"]
    assert name == found[2].tool_call_id
    assert name == sent
    assert bool(listed) == (name != call_id)
    assert messages == before
    assert problems(wire, body(wire, found)) == []


def test_replaced_ids_are_listed():
    _, adjustments = repair(
        turns([HumanMessage("a"), asks("a b", "c d"), answer("c d"), answer("a b")], "anthropic_messages"),
        wire="anthropic_messages",
        profile=PLAIN,
    )
    assert adjustments == (
        {
            "what": "tool call ids 'a b', 'c d'",
            "why": "The API refuses them, or two calls share one: others were sent, in the call and in its result.",
        },
    )


@each_wire
def test_one_id_for_many_calls(wire: str):
    """Some servers count their calls from zero in each answer."""
    messages = [HumanMessage("a"), asks("call_0"), answer("call_0", "1"), asks("call_0"), answer("call_0", "2")]
    found, listed = repaired(wire, *messages)
    first, second = found[1].blocks[0]["id"], found[3].blocks[0]["id"]
    assert first == "call_0"
    assert second != first
    assert brief(found)[2:] == [("tool", first, "1"), ("assistant", second), ("tool", second, "2")]
    assert listed == ["tool call ids 'call_0'"]
    assert problems(wire, body(wire, found)) == []


@each_wire
def test_one_id_for_parallel_calls(wire: str):
    found, _ = repaired(wire, HumanMessage("a"), asks("x", "x"), answer("x", "1"), answer("x", "2"))
    first, second = (block["id"] for block in found[1].blocks)
    assert (first, second) == ("x", found[3].tool_call_id)
    assert brief(found)[2:] == [("tool", first, "1"), ("tool", second, "2")]
    assert problems(wire, body(wire, found)) == []


@each_wire
def test_a_result_answers_the_nearest_call_of_its_id(wire: str):
    messages = [HumanMessage("a"), asks("x"), HumanMessage("b"), asks("x"), answer("x", "2")]
    found, listed = repaired(wire, *messages)
    assert [turn.role for turn in found] == ["user", "assistant", "tool", "user", "assistant", "tool"]
    assert _brief(found[2])[2] == UNRUN
    assert _brief(found[5])[2] == "2"
    assert listed == ["tool call in message 1", "tool call ids 'x'"]


@each_wire
def test_a_result_that_came_too_early_answers_the_next_call_of_its_id(wire: str):
    messages = [HumanMessage("a"), answer("x", "1"), asks("x"), HumanMessage("b"), asks("x"), answer("x", "2")]
    found, _ = repaired(wire, *messages)
    assert [_brief(turn)[2] for turn in found if turn.role == "tool"] == ["1", "2"]
    alone, _ = repaired(wire, *messages[:-1])
    assert [_brief(turn)[2] for turn in alone if turn.role == "tool"] == ["1", UNRUN]


@each_wire
@pytest.mark.parametrize("empty", [None, ""])
def test_calls_without_ids_are_answered_in_order(wire: str, empty: str | None):
    messages = [HumanMessage("a"), asks(empty, empty), answer("", "1"), answer("", "2"), asks(empty), answer("", "3")]
    found, _ = repaired(wire, *messages)
    ids = [block["id"] for turn in found for block in turn.blocks if block["type"] == "tool_call"]
    assert len(set(ids)) == 3
    assert [(turn.tool_call_id, turn.blocks[0]["text"]) for turn in found if turn.role == "tool"] == [
        (ids[0], "1"),
        (ids[1], "2"),
        (ids[2], "3"),
    ]
    assert problems(wire, body(wire, found)) == []


def test_a_made_up_id_never_meets_a_given_one():
    made = repaired("anthropic_messages", HumanMessage("a"), asks("a b"), answer("a b"))[0][1].blocks[0]["id"]
    messages = [HumanMessage("a"), asks("a b"), answer("a b", "1"), asks(made), answer(made, "2")]
    found, _ = repaired("anthropic_messages", *messages)
    assert found[1].blocks[0]["id"] == made
    assert found[3].blocks[0]["id"] not in (made, "a b")
    assert problems("anthropic_messages", body("anthropic_messages", found)) == []


@each_wire
def test_a_native_call_keeps_everything_but_its_id(wire: str):
    """Ids are replaced inside a wire's own blocks as well; anything else in them stays."""
    message = DIALECTS["own anthropic" if wire == "anthropic_messages" else "own responses"]
    found, _ = repaired(wire, HumanMessage("a"), message, answer("c1"), message, answer("c1"))
    value = found[3].blocks[0].get("value", found[3].blocks[0])
    again = found[1].blocks[0].get("value", found[1].blocks[0])
    changed = {key for key in value if value[key] != again[key]}
    assert changed == {"call_id" if wire == "openai_responses" else "id"}
    assert problems(wire, body(wire, found)) == []


def test_the_encoder_sends_the_ids_of_the_repaired_turns():
    found, _ = repaired("anthropic_messages", HumanMessage("a"), asks("a|b", None), answer("a|b"), answer(""))
    sent = body("anthropic_messages", found)["messages"][1]["content"]
    assert [block["id"] for block in sent] == [block["id"] for block in found[1].blocks]
