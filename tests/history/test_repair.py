"""Histories that no API would take as they are: what is repaired, how it is told, and what stays."""

from __future__ import annotations

import copy
import json
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.history import repair as history
from langchain_unified.messages.turns import turns
from langchain_unified.request import Block, Profile, Request, Turn
from langchain_unified.wires import WIRES
from tests.support.histories import problems, repair

ALL = ("anthropic_messages", "openai_chat", "openai_responses")
each_wire = pytest.mark.parametrize("wire", ALL)
PLAIN = Profile()
NO_PREFILL = Profile(prefill=False)


def call(call_id: str | None, name: str = "f", **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


def asks(*ids: str | None, text: str = "") -> AIMessage:
    return AIMessage(text, tool_calls=[call(each) for each in ids])


def answer(call_id: str, text: str = "42", **fields: Any) -> ToolMessage:
    return ToolMessage(text, tool_call_id=call_id, **fields)


def repaired(wire: str, *messages: BaseMessage, profile: Profile = PLAIN, **options: Any) -> tuple[Any, list[str]]:
    found, adjustments = repair(turns(messages, wire), wire=wire, profile=profile, **options)
    return found, [each["what"] for each in adjustments]


def brief(found: Any) -> list[Any]:
    """A turn as (role, text) or (role, id, text) or (role, ids of calls)."""
    return [_brief(turn) for turn in found]


def _brief(turn: Turn) -> tuple[Any, ...]:
    text = "".join(block.get("text", "") for block in turn.blocks)
    calls = tuple(block["id"] for block in turn.blocks if block["type"].endswith("tool_call"))
    if turn.role == "tool":
        return "tool", turn.tool_call_id, text
    return (turn.role, *((text,) if text else ()), *calls)


def body(wire: str, found: Any, **fields: Any) -> dict[str, Any]:
    return WIRES[wire].encode(Request(model="m", turns=tuple(found), **fields)).body


# --- nothing to repair ------------------------------------------------------------------------------------------------

SOUND: list[list[BaseMessage]] = [
    [HumanMessage("a")],
    [SystemMessage("s"), HumanMessage("a"), AIMessage("b"), HumanMessage("c")],
    [HumanMessage("a"), asks("c1", "c2"), answer("c2"), answer("c1"), HumanMessage("b"), asks("c3"), answer("c3")],
    [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d"), HumanMessage("e")],
    [HumanMessage("a"), AIMessage("b", name="agent"), HumanMessage("c")],
    [HumanMessage("a"), asks("c1"), answer("c1", "", status="error")],
]


@each_wire
@pytest.mark.parametrize("policy", ["fix", "raise"])
@pytest.mark.parametrize("messages", SOUND)
def test_a_sound_history_comes_back_as_the_same_object(wire: str, policy: Any, messages: list[BaseMessage]):
    found = turns(messages, wire)
    again, adjustments = repair(found, wire=wire, profile=PLAIN, policy=policy)
    assert again is found
    assert adjustments == ()
    assert problems(wire, body(wire, again)) == []


@each_wire
def test_a_thousand_turns_cost_one_look_at_each(wire: str):
    history: list[BaseMessage] = []
    for at in range(500):
        history += [HumanMessage(f"{at}"), asks(f"c{at}"), answer(f"c{at}")]
    found = turns(history, wire)
    assert repair(found, wire=wire, profile=PLAIN)[0] is found


# --- calls without results --------------------------------------------------------------------------------------------

UNRUN = "The tool was not run: this call has no result."

ORPHANS: list[tuple[str, list[BaseMessage], list[Any], list[int]]] = [
    (
        "at the end",
        [HumanMessage("a"), asks("c1")],
        [("user", "a"), ("assistant", "c1"), ("tool", "c1", UNRUN)],
        [1],
    ),
    (
        "in the middle",
        [HumanMessage("a"), asks("c1"), HumanMessage("b")],
        [("user", "a"), ("assistant", "c1"), ("tool", "c1", UNRUN), ("user", "b")],
        [1],
    ),
    (
        "among parallel ones",
        [HumanMessage("a"), asks("c1", "c2", "c3"), answer("c2"), HumanMessage("b")],
        [
            ("user", "a"),
            ("assistant", "c1", "c2", "c3"),
            ("tool", "c2", "42"),
            ("tool", "c1", UNRUN),
            ("tool", "c3", UNRUN),
            ("user", "b"),
        ],
        [1, 1],
    ),
    (
        "before another call",
        [HumanMessage("a"), asks("c1"), asks("c2"), answer("c2")],
        [("user", "a"), ("assistant", "c1"), ("tool", "c1", UNRUN), ("assistant", "c2"), ("tool", "c2", "42")],
        [1],
    ),
]


@each_wire
@pytest.mark.parametrize(
    "messages, expected, places", [case[1:] for case in ORPHANS], ids=[case[0] for case in ORPHANS]
)
def test_an_orphan_call_gets_an_error_result(wire: str, messages: Any, expected: Any, places: Any):
    found, told = repaired(wire, *messages)
    assert brief(found) == expected
    assert told == [f"tool call in message {place}" for place in places]
    added = [turn for turn in found if turn.role == "tool" and UNRUN in _brief(turn)]
    assert all(turn.is_error for turn in added)
    assert len(added) == len(places)
    assert problems(wire, body(wire, found)) == []


@each_wire
def test_an_orphan_call_is_told_in_words(wire: str):
    messages = [HumanMessage("a"), asks("c1"), HumanMessage("b")]
    _, adjustments = repair(turns(messages, wire), wire=wire, profile=PLAIN)
    assert adjustments == (
        {
            "what": "tool call in message 1",
            "why": "Message 1 calls the tool 'f' (id 'c1'), and no message answers it. An error result was added.",
        },
    )
    with pytest.raises(InvalidHistoryError, match=r"Message 1 calls the tool 'f' \(id 'c1'\).*Add a ToolMessage"):
        repaired(wire, *messages, policy="raise")


DIALECTS: dict[str, AIMessage] = {
    "tool_calls": AIMessage("", tool_calls=[call("c1", x=1)]),
    "anthropic": AIMessage([{"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}]),
    "responses": AIMessage([{"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'}]),
    "standard": AIMessage([{"type": "tool_call", "id": "c1", "name": "f", "args": {"x": 1}}]),
    "own anthropic": AIMessage(
        [{"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}],
        tool_calls=[call("c1", x=1)],
        response_metadata={"model_provider": "anthropic"},
    ),
    "own responses": AIMessage(
        [{"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": '{"x": 1}'}],
        tool_calls=[call("c1", x=1)],
        response_metadata={"model_provider": "openai"},
    ),
    "broken": AIMessage(
        "", invalid_tool_calls=[{"name": "f", "args": '{"x', "id": "c1", "error": None, "type": "invalid_tool_call"}]
    ),
    "custom": AIMessage(
        [{"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "f", "input": "x"}],
        tool_calls=[call("c1", __arg1="x")],
        response_metadata={"model_provider": "openai"},
    ),
}

RESULTS: dict[str, BaseMessage] = {
    "ToolMessage": ToolMessage("42", tool_call_id="c1"),
    "tool_result": HumanMessage([{"type": "tool_result", "tool_use_id": "c1", "content": "42"}]),
    "function_call_output": HumanMessage([{"type": "function_call_output", "call_id": "c1", "output": "42"}]),
}


@each_wire
@pytest.mark.parametrize("message", DIALECTS.values(), ids=DIALECTS)
def test_a_call_of_any_shape_without_a_result(wire: str, message: AIMessage):
    found, told = repaired(wire, HumanMessage("a"), message, HumanMessage("b"))
    assert [turn.role for turn in found] == ["user", "assistant", "tool", "user"]
    assert found[2].tool_call_id == "c1"
    assert told == ["tool call in message 1"]
    assert problems(wire, body(wire, found)) == []


@each_wire
@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
@pytest.mark.parametrize("message", DIALECTS.values(), ids=DIALECTS)
def test_calls_and_results_of_any_shape_find_each_other(wire: str, message: AIMessage, result: BaseMessage):
    found, told = repaired(wire, HumanMessage("a"), message, result)
    assert [turn.role for turn in found] == ["user", "assistant", "tool"]
    assert brief(found)[2] == ("tool", "c1", "42")
    assert told == []
    assert problems(wire, body(wire, found)) == []


@each_wire
def test_a_call_whose_arguments_broke_is_answered_so(wire: str):
    found, _ = repaired(wire, HumanMessage("a"), DIALECTS["broken"], HumanMessage("b"))
    assert "not valid JSON" in found[2].blocks[0]["text"]


BROKEN = '{"city": "Par'
ANTHROPIC, OPENAI = {"model_provider": "anthropic"}, {"model_provider": "openai"}
STANDARD = {"output_version": "v1"}
TOOL_USE = {"type": "tool_use", "id": "c1", "name": "f", "input": {}, "partial_json": BROKEN, "index": 0}
FUNCTION_CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": BROKEN}
CONTENT_ALONE: dict[str, AIMessage] = {
    "Anthropic's block": AIMessage([TOOL_USE]),
    "Anthropic's block, as it was replied": AIMessage([TOOL_USE], response_metadata=ANTHROPIC),
    "Anthropic's block, with its input as text": AIMessage(
        [{"type": "tool_use", "id": "c1", "name": "f", "input": BROKEN}], response_metadata=ANTHROPIC
    ),
    "OpenAI's item": AIMessage([FUNCTION_CALL]),
    "OpenAI's item, as it was replied": AIMessage([FUNCTION_CALL], response_metadata=OPENAI),
    "OpenAI's older form": AIMessage("", additional_kwargs={"function_call": {"name": "c1", "arguments": BROKEN}}),
    **{
        f"standard {kind} of {given.get('model_provider', 'nobody')}": AIMessage(
            [{"type": kind, "id": "c1", "name": "f", "args": BROKEN}], response_metadata={**STANDARD, **given}
        )
        for kind in ("tool_call", "invalid_tool_call", "tool_call_chunk")
        for given in ({}, ANTHROPIC, OPENAI)
    },
}


@each_wire
@pytest.mark.parametrize("message", CONTENT_ALONE.values(), ids=CONTENT_ALONE)
def test_a_broken_call_that_stands_in_the_content_alone_stays_an_invalid_call(wire: str, message: AIMessage):
    assert not message.tool_calls
    assert not message.invalid_tool_calls
    found, told = repaired(wire, HumanMessage("a"), message, HumanMessage("b"))
    assert [turn.role for turn in found] == ["user", "assistant", "tool", "user"]
    assert len(found[1].blocks) == 1
    assert found[2].tool_call_id == "c1"
    assert "not valid JSON" in found[2].blocks[0]["text"]
    assert told == ["tool call in message 1"]
    sent = WIRES[wire].encode(Request(model="m", turns=tuple(found)))
    assert problems(wire, sent.body) == []
    if wire == "anthropic_messages":
        assert [each["what"] for each in sent.adjustments] == [f"invalid tool call {name_of(message)!r} in message 1"]
    else:
        assert json.dumps(BROKEN) in json.dumps(sent.body)


def name_of(message: AIMessage) -> str:
    return message.additional_kwargs.get("function_call", {}).get("name", "f")


@each_wire
@pytest.mark.parametrize("message", CONTENT_ALONE.values(), ids=CONTENT_ALONE)
def test_a_broken_call_that_stands_in_the_content_alone_keeps_its_result(wire: str, message: AIMessage):
    found, told = repaired(wire, HumanMessage("a"), message, answer("c1", "try again"))
    assert brief(found)[2] == ("tool", "c1", "try again")
    assert told == []
    assert problems(wire, body(wire, found)) == []


@each_wire
@pytest.mark.parametrize(
    "name, provider",
    [
        ("anthropic", None),
        ("anthropic", "anthropic"),
        ("responses", None),
        ("responses", "openai"),
        ("standard", None),
        ("standard", "anthropic"),
        ("standard", "openai"),
    ],
)
def test_a_call_that_stands_in_the_content_alone_is_a_call(wire: str, name: str, provider: str | None):
    """Core's translators leave out calls that a message does not list."""
    message = DIALECTS[name].model_copy(update={"response_metadata": {"model_provider": provider}})
    found, told = repaired(wire, HumanMessage("a"), message, answer("c1"))
    assert brief(found)[2] == ("tool", "c1", "42")
    assert told == []
    assert problems(wire, body(wire, found)) == []


def test_arguments_with_a_raw_line_break_go_back_as_they_came():
    item = {**FUNCTION_CALL, "arguments": '{"text":"one\ntwo"}'}
    message = AIMessage([item], tool_calls=[call("c1", text="one\ntwo")], response_metadata=OPENAI)
    found, told = repaired("openai_responses", HumanMessage("a"), message, answer("c1"))
    assert body("openai_responses", found)["input"][1]["arguments"] == item["arguments"]
    assert told == []


# --- results without calls --------------------------------------------------------------------------------------------


@each_wire
def test_a_stray_result_is_kept_as_a_users_words(wire: str):
    messages = [HumanMessage("a"), answer("gone", "the sky is blue", name="look"), HumanMessage("b")]
    found, told = repaired(wire, *messages)
    stray = "[Result of an earlier call of the tool look]the sky is blue"
    assert brief(found) == [("user", "a"), ("user", stray), ("user", "b")]
    assert told == ["tool result in message 1"]
    assert problems(wire, body(wire, found)) == []


@each_wire
def test_a_failed_stray_result_says_so(wire: str):
    found, _ = repaired(wire, HumanMessage("a"), answer("gone", "boom", status="error"))
    assert brief(found)[1] == ("user", "[Failed result of an earlier call of a tool]boom")


@each_wire
@pytest.mark.parametrize("result", [answer("gone"), *RESULTS.values()])
def test_a_stray_result_may_be_refused(wire: str, result: BaseMessage):
    with pytest.raises(InvalidHistoryError, match=r"Message 1 is a result for the tool call '(gone|c1)', which no"):
        repaired(wire, HumanMessage("a"), result, policy="raise")


@each_wire
def test_the_second_result_of_a_call_is_stray(wire: str):
    messages = [HumanMessage("a"), asks("c1", "c2"), answer("c1", "1"), answer("c1", "again"), answer("c2", "2")]
    found, told = repaired(wire, *messages)
    assert brief(found) == [
        ("user", "a"),
        ("assistant", "c1", "c2"),
        ("tool", "c1", "1"),
        ("tool", "c2", "2"),
        ("user", "[Result of an earlier call of a tool]again"),
    ]
    assert told == ["tool result in message 4", "tool result in message 3"]
    assert problems(wire, body(wire, found)) == []


def test_a_stray_image_stays_an_image():
    image = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
    found, _ = repaired("anthropic_messages", HumanMessage("a"), ToolMessage([image], tool_call_id="gone"))
    assert body("anthropic_messages", found)["messages"][0]["content"][2]["type"] == "image"


@each_wire
@pytest.mark.parametrize("policy", ["fix", "raise"])
def test_the_server_may_hold_the_calls(wire: str, policy: Any):
    found = turns([answer("held"), answer("also held"), HumanMessage("b")], wire)
    again, adjustments = repair(found, wire=wire, profile=PLAIN, policy=policy, server_state=True)
    assert again is found
    assert adjustments == ()


def test_the_server_may_hold_everything():
    assert repair((), wire="openai_responses", profile=PLAIN, server_state=True) == ((), ())


# --- results in the wrong place ---------------------------------------------------------------------------------------

MISPLACED: list[tuple[list[BaseMessage], list[Any], list[int]]] = [
    (
        [HumanMessage("a"), asks("c1"), HumanMessage("b"), answer("c1")],
        [("user", "a"), ("assistant", "c1"), ("tool", "c1", "42"), ("user", "b")],
        [3],
    ),
    (
        [HumanMessage("a"), answer("c1"), asks("c1"), HumanMessage("b")],
        [("user", "a"), ("assistant", "c1"), ("tool", "c1", "42"), ("user", "b")],
        [1],
    ),
    (
        [HumanMessage("a"), asks("c1", "c2"), answer("c1", "1"), HumanMessage("b"), answer("c2", "2")],
        [("user", "a"), ("assistant", "c1", "c2"), ("tool", "c1", "1"), ("tool", "c2", "2"), ("user", "b")],
        [4],
    ),
    (
        [HumanMessage("a"), asks("c1"), asks("c2"), answer("c2", "2"), answer("c1", "1")],
        [("user", "a"), ("assistant", "c1"), ("tool", "c1", "1"), ("assistant", "c2"), ("tool", "c2", "2")],
        [4],
    ),
    (
        [HumanMessage("a"), asks("c1"), SystemMessage("s"), answer("c1"), HumanMessage("b")],
        [("user", "a"), ("assistant", "c1"), ("tool", "c1", "42"), ("system", "s"), ("user", "b")],
        [3],
    ),
]


@each_wire
@pytest.mark.parametrize("messages, expected, places", MISPLACED)
def test_results_move_to_their_calls(wire: str, messages: Any, expected: Any, places: Any):
    found, told = repaired(wire, *messages)
    assert brief(found) == expected
    assert told == [f"tool result in message {place}" for place in places]
    assert problems(wire, body(wire, found)) == []
    with pytest.raises(InvalidHistoryError, match=f"Message {places[0]} is the result .* Move it to directly after"):
        repaired(wire, *messages, policy="raise")


@each_wire
def test_parallel_results_may_come_in_any_order(wire: str):
    messages = [HumanMessage("a"), asks("c1", "c2", "c3"), answer("c3"), answer("c1"), answer("c2")]
    found, told = repaired(wire, *messages, policy="raise")
    assert [turn.tool_call_id for turn in found[2:]] == ["c3", "c1", "c2"]
    assert told == []


# --- ids --------------------------------------------------------------------------------------------------------------

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
    found, told = repaired(wire, *messages, policy=policy)
    name = found[1].blocks[0]["id"]
    assert name == found[2].tool_call_id
    assert name == sent
    assert bool(told) == (name != call_id)
    assert messages == before
    assert problems(wire, body(wire, found)) == []


def test_replaced_ids_are_told():
    _, adjustments = repair(
        turns([HumanMessage("a"), asks("a b", "c d"), answer("c d"), answer("a b")], "anthropic_messages"),
        wire="anthropic_messages",
        profile=PLAIN,
    )
    assert adjustments == (
        {
            "what": "tool call ids 'a b', 'c d'",
            "why": "The API would not take them, or not apart: others were sent, the same for a call and its result.",
        },
    )


@each_wire
def test_one_id_for_many_calls(wire: str):
    """Some servers count their calls from zero in each answer."""
    messages = [HumanMessage("a"), asks("call_0"), answer("call_0", "1"), asks("call_0"), answer("call_0", "2")]
    found, told = repaired(wire, *messages)
    first, second = found[1].blocks[0]["id"], found[3].blocks[0]["id"]
    assert first == "call_0"
    assert second != first
    assert brief(found)[2:] == [("tool", first, "1"), ("assistant", second), ("tool", second, "2")]
    assert told == ["tool call ids 'call_0'"]
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
    found, told = repaired(wire, *messages)
    assert [turn.role for turn in found] == ["user", "assistant", "tool", "user", "assistant", "tool"]
    assert _brief(found[2])[2] == UNRUN
    assert _brief(found[5])[2] == "2"
    assert told == ["tool call in message 1", "tool call ids 'x'"]


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
def test_an_own_call_keeps_everything_but_its_id(wire: str):
    """Ids are replaced inside a wire's own blocks as well; anything else in them stays."""
    message = DIALECTS["own anthropic" if wire == "anthropic_messages" else "own responses"]
    found, _ = repaired(wire, HumanMessage("a"), message, answer("c1"), message, answer("c1"))
    value = found[3].blocks[0].get("value", found[3].blocks[0])
    again = found[1].blocks[0].get("value", found[1].blocks[0])
    changed = {key for key in value if value[key] != again[key]}
    assert changed == {"call_id" if wire == "openai_responses" else "id"}
    assert problems(wire, body(wire, found)) == []


def test_the_wires_own_mapping_has_nothing_left_to_do():
    found, _ = repaired("anthropic_messages", HumanMessage("a"), asks("a|b", None), answer("a|b"), answer(""))
    sent = body("anthropic_messages", found)["messages"][1]["content"]
    assert [block["id"] for block in sent] == [block["id"] for block in found[1].blocks]


# --- what the caller answers in another form --------------------------------------------------------------------------

OWN_CALLS: dict[str, dict[str, Any]] = {
    "computer_call": {"id": "cu_1", "call_id": "c1", "action": {"type": "click", "x": 1, "y": 2}, "status": "completed",
                      "pending_safety_checks": []},
    "shell_call": {"id": "sh_1", "call_id": "c1", "action": {"commands": ["ls -la"]}, "status": "completed"},
    "apply_patch_call": {"id": "ap_1", "call_id": "c1", "status": "completed",
                         "operation": {"type": "delete_file", "path": "old.txt"}},
    "local_shell_call": {"id": "c1", "call_id": "c1", "status": "completed",
                         "action": {"type": "exec", "command": ["ls"], "env": {}}},
}  # fmt: skip


def own_call(kind: str) -> AIMessage:
    return AIMessage([{"type": kind, **OWN_CALLS[kind]}], response_metadata={"model_provider": "openai"})


@pytest.mark.parametrize("kind", OWN_CALLS)
def test_a_providers_own_call_without_a_result_is_put_into_words(kind: str):
    messages = [HumanMessage("a"), own_call(kind), HumanMessage("b")]
    found, told = repaired("openai_responses", *messages)
    assert [turn.role for turn in found] == ["user", "assistant", "user"]
    assert found[1].blocks[0]["text"].startswith(f"[{kind}, not answered: ")
    assert told == [f"{kind} in message 1"]
    assert problems("openai_responses", body("openai_responses", found)) == []
    with pytest.raises(InvalidHistoryError, match=f"Message 1 has a {kind}"):
        repaired("openai_responses", *messages, policy="raise")


ANSWERS: dict[str, BaseMessage] = {
    "computer_call": ToolMessage(
        "data:image/png;base64,AA==", tool_call_id="c1", additional_kwargs={"type": "computer_call_output"}
    ),
    "shell_call": ToolMessage("total 0", tool_call_id="c1"),
    "apply_patch_call": HumanMessage([{"type": "apply_patch_call_output", "call_id": "c1", "status": "completed"}]),
    "local_shell_call": HumanMessage([{"type": "local_shell_call_output", "id": "c1", "output": "x"}]),
}


@pytest.mark.parametrize("kind", OWN_CALLS)
def test_a_providers_own_call_with_its_result_stays(kind: str):
    found, told = repaired("openai_responses", HumanMessage("a"), own_call(kind), ANSWERS[kind], policy="raise")
    sent = body("openai_responses", found)
    assert told == []
    assert sent["input"][1] == {"type": kind, **OWN_CALLS[kind]}
    assert sent["input"][2]["type"] == f"{kind}_output"


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_chat"])
@pytest.mark.parametrize("kind", ["computer_call", "shell_call", "apply_patch_call"])
def test_a_providers_own_call_is_a_call_like_any_other_elsewhere(wire: str, kind: str):
    found, told = repaired(wire, HumanMessage("a"), own_call(kind), answer("c1", "done"))
    block = found[1].blocks[0]
    assert (block["type"], block["id"], block["name"]) == ("tool_call", "c1", kind.removesuffix("_call"))
    assert told == []
    assert problems(wire, body(wire, found)) == []


def test_an_approval_that_was_given():
    request = {"type": "mcp_approval_request", "id": "mcpr_1", "name": "f", "arguments": "{}", "server_label": "s"}
    asked = AIMessage([request], response_metadata={"model_provider": "openai"})
    given_ = HumanMessage([{"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}])
    found, told = repaired("openai_responses", HumanMessage("a"), asked, given_, policy="raise")
    assert told == []
    assert body("openai_responses", found)["input"][1] == request
    closed, told = repaired("openai_responses", HumanMessage("a"), asked, HumanMessage("b"))
    assert told == ["mcp_approval_request in message 1"]
    assert body("openai_responses", closed)["input"][1]["role"] == "assistant"


# --- messages of the old forms, and names -----------------------------------------------------------------------------


@each_wire
def test_the_deprecated_function_messages(wire: str):
    old = AIMessage("", additional_kwargs={"function_call": {"name": "look", "arguments": '{"at": "sky"}'}})
    found, told = repaired(wire, HumanMessage("a"), old, FunctionMessage("blue", name="look"), HumanMessage("b"))
    assert found[1].blocks == ({"type": "tool_call", "id": "look", "name": "look", "args": {"at": "sky"}},)
    assert brief(found)[2] == ("tool", "look", "blue")
    assert told == []
    assert problems(wire, body(wire, found)) == []


@each_wire
def test_a_function_message_finds_its_call_by_name(wire: str):
    asked = AIMessage("", tool_calls=[call("c1", "look"), call("c2", "hear")])
    messages = [HumanMessage("a"), asked, FunctionMessage("bang", name="hear"), FunctionMessage("blue", name="look")]
    found, _ = repaired(wire, *messages)
    assert brief(found)[2:] == [("tool", "c2", "bang"), ("tool", "c1", "blue")]


@each_wire
def test_chat_messages_have_known_roles(wire: str):
    messages = [ChatMessage("s", role="system"), ChatMessage("a", role="user"), ChatMessage("b", role="assistant")]
    found, _ = repaired(wire, *messages, HumanMessage("c"))
    assert brief(found) == [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")]
    with pytest.raises(InvalidHistoryError, match=r"Message 0 is a ChatMessage with the role 'critic'.*Known roles"):
        turns([ChatMessage("x", role="critic")], wire)


@each_wire
def test_an_order_to_a_graph_has_no_place(wire: str):
    with pytest.raises(InvalidHistoryError, match="Message 1 is a RemoveMessage"):
        turns([HumanMessage("a"), RemoveMessage(id="1")], wire)


def test_names_go_to_chat_in_letters_it_takes():
    found, told = repaired("openai_chat", HumanMessage("a", name="Ann Lee"), HumanMessage("b", name="bob-1"))
    assert [turn.name for turn in found] == ["Ann_Lee", "bob-1"]
    assert told == ["message names 'Ann Lee'"]
    assert [message["name"] for message in body("openai_chat", found)["messages"]] == ["Ann_Lee", "bob-1"]


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_responses"])
def test_names_that_cannot_go_out_are_told(wire: str):
    messages = [HumanMessage("a", name="ann"), AIMessage("b", name="agent"), HumanMessage("c", name="bob")]
    found = turns(messages, wire)
    again, adjustments = repair(found, wire=wire, profile=PLAIN)
    assert again is found
    assert [each["what"] for each in adjustments] == ["message names 'ann', 'bob'"]


# --- empty content ----------------------------------------------------------------------------------------------------

BLANK: list[BaseMessage] = [
    HumanMessage(""),
    HumanMessage(" \n\t"),
    HumanMessage([]),
    HumanMessage([{"type": "text", "text": ""}, {"type": "text", "text": " "}]),
    SystemMessage(""),
    AIMessage(""),
    AIMessage([]),
    AIMessage([{"type": "text", "text": "  "}]),
]


@each_wire
@pytest.mark.parametrize("policy", ["fix", "raise"])
@pytest.mark.parametrize("blank", BLANK, ids=repr)
def test_one_rule_for_messages_that_say_nothing(wire: str, policy: Any, blank: BaseMessage):
    found, told = repaired(wire, HumanMessage("a"), blank, HumanMessage("b"), policy=policy)
    assert brief(found) == [("user", "a"), ("user", "b")]
    assert told == [f"message 1 ({found[0].role if blank.type == 'human' else ROLES[blank.type]})"]
    assert problems(wire, body(wire, found)) == []


ROLES = {"system": "system", "ai": "assistant"}


@each_wire
def test_empty_texts_beside_others_are_left_out(wire: str):
    mixed = HumanMessage(["", {"type": "text", "text": "a"}, {"type": "text", "text": "\n"}])
    found, told = repaired(wire, mixed)
    assert found[0].blocks == ({"type": "text", "text": "a"},)
    assert told == []


def test_a_cache_mark_on_an_empty_text_moves_to_the_text_before():
    marked = {"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}
    found, _ = repaired("anthropic_messages", HumanMessage([{"type": "text", "text": "a"}, marked]))
    assert found[0].blocks == ({"type": "text", "text": "a", "mark": {}},)


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_chat"])
def test_an_answer_that_holds_reasoning_alone_says_nothing(wire: str):
    thought = AIMessage([{"type": "reasoning", "reasoning": "hm"}])
    found, told = repaired(wire, HumanMessage("a"), thought, HumanMessage("b"))
    assert brief(found) == [("user", "a"), ("user", "b")]
    assert told == ["message 1 (assistant)"]


@each_wire
def test_an_empty_tool_result_is_a_result(wire: str):
    found, told = repaired(wire, HumanMessage("a"), asks("c1"), answer("c1", ""))
    assert brief(found)[2] == ("tool", "c1", "")
    assert told == []


@each_wire
def test_a_user_who_says_nothing_at_the_end_asks_to_continue(wire: str):
    found, told = repaired(wire, HumanMessage("a"), AIMessage("b"), HumanMessage(""))
    assert brief(found) == [("user", "a"), ("assistant", "b"), ("user", "Continue.")]
    assert told == ["message 2 (user)"]


@each_wire
@pytest.mark.parametrize("policy", ["fix", "raise"])
def test_nothing_to_send(wire: str, policy: Any):
    with pytest.raises(InvalidHistoryError, match="no messages"):
        repair((), wire=wire, profile=PLAIN, policy=policy)
    with pytest.raises(InvalidHistoryError, match="No message has content"):
        repaired(wire, HumanMessage(""), AIMessage(" "), policy=policy)


# --- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
def test_system_messages_in_the_middle_stay_on_openai(wire: str):
    messages = [SystemMessage("s"), HumanMessage("a"), AIMessage("b"), SystemMessage("t"), HumanMessage("c")]
    found, told = repaired(wire, *messages)
    assert [turn.role for turn in found] == ["system", "user", "assistant", "system", "user"]
    assert told == []


def test_system_messages_in_the_middle_on_claude():
    messages = [SystemMessage("s"), HumanMessage("a"), AIMessage("b"), SystemMessage("t"), HumanMessage("c")]
    found, _ = repaired("anthropic_messages", *messages)
    native = body("anthropic_messages", found, profile=Profile(system_in_messages=True))
    assert [message["role"] for message in native["messages"]] == ["user", "assistant", "system", "user"]
    folded = WIRES["anthropic_messages"].encode(Request(model="m", turns=found))
    assert [block["text"] for block in folded.body["system"]] == ["s", "t"]
    assert [each["what"] for each in folded.adjustments] == ["system message 3"]
    assert "moves the cached prefix" in folded.adjustments[0]["why"]


@each_wire
def test_messages_of_one_role_in_a_row(wire: str):
    messages = [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d"), HumanMessage("e")]
    found, told = repaired(wire, *messages)
    assert told == []
    roles = [item["role"] for item in body(wire, found)["input" if wire == "openai_responses" else "messages"]]
    merged = ["user", "assistant", "user"]
    assert roles == (merged if wire == "anthropic_messages" else ["user", "user", "assistant", "assistant", "user"])


def test_a_conversation_of_system_messages_alone():
    found, told = repaired("anthropic_messages", SystemMessage("s"), SystemMessage("t"))
    assert brief(found) == [("system", "s"), ("user", "t")]
    assert told == ["system message 1"]
    with pytest.raises(InvalidHistoryError, match="Add a human message"):
        body("anthropic_messages", repaired("anthropic_messages", SystemMessage("s"), policy="raise")[0])
    for wire in ("openai_chat", "openai_responses"):
        assert repaired(wire, SystemMessage("s"))[1] == []


def test_a_trailing_answer_where_no_prefill_is_taken():
    messages = [HumanMessage("a"), AIMessage("The answer is")]
    found, told = repaired("anthropic_messages", *messages, profile=NO_PREFILL)
    assert brief(found)[2] == ("user", "Continue from exactly where your last message ends.")
    assert told == ["trailing assistant message"]
    assert body("anthropic_messages", found, profile=NO_PREFILL)["messages"][-1]["role"] == "user"


@pytest.mark.parametrize(
    "wire, profile, last",
    [
        ("anthropic_messages", PLAIN, AIMessage("The answer is")),
        ("openai_chat", NO_PREFILL, AIMessage("b")),
        ("openai_responses", NO_PREFILL, AIMessage("b")),
        (
            "anthropic_messages",
            NO_PREFILL,
            AIMessage(
                [
                    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
                    {"type": "text", "text": "b"},
                ],
                response_metadata={"model_provider": "anthropic", "stop_reason": "pause_turn"},
            ),
        ),
    ],
)
def test_a_trailing_answer_that_may_stay(wire: str, profile: Profile, last: AIMessage):
    found, told = repaired(wire, HumanMessage("a"), last, profile=profile)
    assert [turn.role for turn in found] == ["user", "assistant"]
    assert told == []


# --- laws -------------------------------------------------------------------------------------------------------------

IDS = st.sampled_from(["c1", "c2", "c3", "a b", "call|fc", "x" * 50, "y" * 80, ""])
TEXTS = st.sampled_from(["", " ", "word", "two\nlines", "é"])
ORIGINS = [
    {},
    {"model_provider": "anthropic", "model_name": "claude-opus-5"},
    {"model_provider": "openai", "model_name": "gpt-5"},
]


def _blocks_of(provider: str | None) -> list[Block]:
    if provider == "anthropic":
        return [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
            {"type": "text", "text": "cited", "citations": [
                {"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "c",
                 "encrypted_index": "i"}]},
        ]  # fmt: skip
    if provider == "openai":
        return [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
            {"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0KGgo=", "output_format": "png",
             "status": "completed"},
            {"type": "text", "text": "said", "id": "msg_1"},
        ]  # fmt: skip
    return [{"type": "text", "text": "said"}]


@st.composite
def answers(draw: st.DrawFn) -> AIMessage:
    metadata = draw(st.sampled_from(ORIGINS))
    ids = draw(st.lists(IDS, max_size=3))
    if not metadata or draw(st.booleans()):
        return AIMessage(draw(TEXTS), tool_calls=[call(each) for each in ids], response_metadata=metadata)
    blocks = draw(st.lists(st.sampled_from(_blocks_of(metadata["model_provider"])), max_size=3, unique_by=repr))
    return AIMessage(copy.deepcopy(blocks), tool_calls=[call(each) for each in ids], response_metadata=metadata)


def says(message: BaseMessage, wire: str, model: str) -> bool:
    """Whether a message holds anything that the target reads. Reasoning is for the model that it came from."""
    blocks = message.content if isinstance(message.content, list) else [{"type": "text", "text": message.content}]
    own = {"thinking": "anthropic_messages", "reasoning": "openai_responses"}
    kept = [block for block in blocks if block["type"] not in own or (own[block["type"]] == wire and not model)]
    return any(str(block.get("text", "x")).strip() for block in kept) or bool(getattr(message, "tool_calls", ()))


MESSAGES = st.one_of(
    st.builds(HumanMessage, TEXTS),
    st.builds(SystemMessage, TEXTS),
    answers(),
    st.builds(ToolMessage, TEXTS, tool_call_id=IDS, status=st.sampled_from(["success", "error"])),
)
PROFILES = st.builds(Profile, prefill=st.booleans(), system_in_messages=st.booleans())


@given(st.lists(MESSAGES, min_size=1, max_size=10), st.sampled_from(ALL), PROFILES, st.sampled_from(["", "gpt-6-sol"]))
@settings(max_examples=400)
def test_any_history_becomes_one_that_the_api_takes(messages: Any, wire: str, profile: Profile, model: str):
    given_ = copy.deepcopy(messages)
    found = turns(messages, wire)
    if all(each.type != "tool" and not says(each, wire, model) for each in messages):
        with pytest.raises(InvalidHistoryError, match="No message has content"):
            repair(found, wire=wire, profile=profile, model=model)
        return
    fixed, _ = repair(found, wire=wire, profile=profile, model=model)
    assert problems(wire, body(wire, fixed, profile=profile)) == []
    assert repair(fixed, wire=wire, profile=profile, model=model)[0] is fixed
    assert messages == given_


@given(st.lists(MESSAGES, min_size=1, max_size=6), st.sampled_from(ALL))
def test_the_quick_look_agrees_with_the_steps(messages: Any, wire: str):
    found = turns(messages, wire)
    if history._is_sound(found, wire, WIRES[wire].call_ids, ""):
        job = history._Job(wire, WIRES[wire].call_ids, PLAIN, "", "raise", server_state=False)
        for step in history.STEPS:
            assert all(one is other for one, other in zip(step(found, job), found, strict=True))
        assert job.adjustments == []


@given(st.lists(MESSAGES, min_size=1, max_size=8), st.sampled_from(ALL))
def test_what_raises_is_what_would_change_the_meaning(messages: Any, wire: str):
    found = turns(messages, wire)
    try:
        _, adjustments = repair(found, wire=wire, profile=PLAIN)
    except InvalidHistoryError:
        return
    changes = [each for each in adjustments if each["what"].startswith(("tool result in", "tool call in"))]
    try:
        repair(found, wire=wire, profile=PLAIN, policy="raise")
    except InvalidHistoryError:
        assert changes
    else:
        assert not changes


@st.composite
def exchanges(draw: st.DrawFn) -> list[list[BaseMessage]]:
    """Parts of a conversation, each begun by a user: later parts never answer the calls of earlier ones."""
    parts: list[list[BaseMessage]] = []
    for at in range(draw(st.integers(2, 4))):
        part: list[BaseMessage] = [HumanMessage(f"question {at}")]
        for step in range(draw(st.integers(0, 2))):
            reply = draw(answers())
            ids = [f"{at}.{step}.{number} {'z' * draw(st.integers(0, 70))}" for number in range(len(reply.tool_calls))]
            reply.tool_calls = [call(each) for each in ids]
            answered = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
            part += [reply, *(answer(each, f"of {each}") for each in draw(st.permutations(answered)))]
        parts.append(part)
    return parts


@given(exchanges(), st.sampled_from(ALL))
def test_a_longer_conversation_keeps_the_shorter_ones_turns(parts: Any, wire: str):
    whole, _ = repair(turns([*chain(*parts)], wire), wire=wire, profile=PLAIN)
    for count in range(1, len(parts)):
        short, _ = repair(turns([*chain(*parts[:count]), parts[count][0]], wire), wire=wire, profile=PLAIN)
        assert whole[: len(short)] == short
