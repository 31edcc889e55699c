"""Histories that no API takes as they are: calls without results, and results without calls."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.messages.turns import turns
from langchain_unified.request import Request
from langchain_unified.wires import WIRES
from tests.history.helpers import DIALECTS, PLAIN, UNRUN, _brief, answer, asks, body, brief, call, each_wire, repaired
from tests.support.histories import problems, repair

# --- calls without results --------------------------------------------------------------------------------------------

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
    found, listed = repaired(wire, *messages)
    assert brief(found) == expected
    assert listed == [f"tool call in message {place}" for place in places]
    added = [turn for turn in found if turn.role == "tool" and UNRUN in _brief(turn)]
    assert all(turn.is_error for turn in added)
    assert len(added) == len(places)
    assert problems(wire, body(wire, found)) == []


@each_wire
def test_a_call_without_a_result_is_listed(wire: str):
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


RESULTS: dict[str, BaseMessage] = {
    "ToolMessage": ToolMessage("42", tool_call_id="c1"),
    "tool_result": HumanMessage([{"type": "tool_result", "tool_use_id": "c1", "content": "42"}]),
    "function_call_output": HumanMessage([{"type": "function_call_output", "call_id": "c1", "output": "42"}]),
}


@each_wire
@pytest.mark.parametrize("message", DIALECTS.values(), ids=DIALECTS)
def test_a_call_of_any_shape_without_a_result(wire: str, message: AIMessage):
    found, listed = repaired(wire, HumanMessage("a"), message, HumanMessage("b"))
    assert [turn.role for turn in found] == ["user", "assistant", "tool", "user"]
    assert found[2].tool_call_id == "c1"
    assert listed == ["tool call in message 1"]
    assert problems(wire, body(wire, found)) == []


@each_wire
@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
@pytest.mark.parametrize("message", DIALECTS.values(), ids=DIALECTS)
def test_calls_and_results_of_any_shape_find_each_other(wire: str, message: AIMessage, result: BaseMessage):
    found, listed = repaired(wire, HumanMessage("a"), message, result)
    assert [turn.role for turn in found] == ["user", "assistant", "tool"]
    assert brief(found)[2] == ("tool", "c1", "42")
    assert listed == []
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
    found, listed = repaired(wire, HumanMessage("a"), message, HumanMessage("b"))
    assert [turn.role for turn in found] == ["user", "assistant", "tool", "user"]
    assert len(found[1].blocks) == 1
    assert found[2].tool_call_id == "c1"
    assert "not valid JSON" in found[2].blocks[0]["text"]
    assert listed == ["tool call in message 1"]
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
    found, listed = repaired(wire, HumanMessage("a"), message, answer("c1", "try again"))
    assert brief(found)[2] == ("tool", "c1", "try again")
    assert listed == []
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
    found, listed = repaired(wire, HumanMessage("a"), message, answer("c1"))
    assert brief(found)[2] == ("tool", "c1", "42")
    assert listed == []
    assert problems(wire, body(wire, found)) == []


def test_arguments_with_a_raw_line_break_go_back_as_they_came():
    item = {**FUNCTION_CALL, "arguments": '{"text":"one\ntwo"}'}
    message = AIMessage([item], tool_calls=[call("c1", text="one\ntwo")], response_metadata=OPENAI)
    found, listed = repaired("openai_responses", HumanMessage("a"), message, answer("c1"))
    assert body("openai_responses", found)["input"][1]["arguments"] == item["arguments"]
    assert listed == []


# --- results without calls --------------------------------------------------------------------------------------------


@each_wire
def test_a_stray_result_becomes_a_user_message(wire: str):
    messages = [HumanMessage("a"), answer("gone", "the sky is blue", name="look"), HumanMessage("b")]
    found, listed = repaired(wire, *messages)
    stray = "[Result of an earlier call of the tool look]the sky is blue"
    assert brief(found) == [("user", "a"), ("user", stray), ("user", "b")]
    assert listed == ["tool result in message 1"]
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
    found, listed = repaired(wire, *messages)
    assert brief(found) == [
        ("user", "a"),
        ("assistant", "c1", "c2"),
        ("tool", "c1", "1"),
        ("tool", "c2", "2"),
        ("user", "[Result of an earlier call of a tool]again"),
    ]
    assert listed == ["tool result in message 4", "tool result in message 3"]
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
    found, listed = repaired(wire, *messages)
    assert brief(found) == expected
    assert listed == [f"tool result in message {place}" for place in places]
    assert problems(wire, body(wire, found)) == []
    with pytest.raises(InvalidHistoryError, match=f"Message {places[0]} is the result .* Move it to directly after"):
        repaired(wire, *messages, policy="raise")


@each_wire
def test_parallel_results_may_come_in_any_order(wire: str):
    messages = [HumanMessage("a"), asks("c1", "c2", "c3"), answer("c3"), answer("c1"), answer("c2")]
    found, listed = repaired(wire, *messages, policy="raise")
    assert [turn.tool_call_id for turn in found[2:]] == ["c3", "c1", "c2"]
    assert listed == []


# --- what the caller answers in another form --------------------------------------------------------------------------

PROVIDER_DEFINED_CALLS: dict[str, dict[str, Any]] = {
    "computer_call": {"id": "cu_1", "call_id": "c1", "action": {"type": "click", "x": 1, "y": 2}, "status": "completed",
                      "pending_safety_checks": []},
    "shell_call": {"id": "sh_1", "call_id": "c1", "action": {"commands": ["ls -la"]}, "status": "completed"},
    "apply_patch_call": {"id": "ap_1", "call_id": "c1", "status": "completed",
                         "operation": {"type": "delete_file", "path": "old.txt"}},
    "local_shell_call": {"id": "c1", "call_id": "c1", "status": "completed",
                         "action": {"type": "exec", "command": ["ls"], "env": {}}},
}  # fmt: skip


def provider_defined_call(kind: str) -> AIMessage:
    return AIMessage([{"type": kind, **PROVIDER_DEFINED_CALLS[kind]}], response_metadata={"model_provider": "openai"})


@pytest.mark.parametrize("kind", PROVIDER_DEFINED_CALLS)
def test_a_provider_defined_call_without_a_result_becomes_text(kind: str):
    messages = [HumanMessage("a"), provider_defined_call(kind), HumanMessage("b")]
    found, listed = repaired("openai_responses", *messages)
    assert [turn.role for turn in found] == ["user", "assistant", "user"]
    assert found[1].blocks[0]["text"].startswith(f"[{kind}, not answered: ")
    assert listed == [f"{kind} in message 1"]
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


@pytest.mark.parametrize("kind", PROVIDER_DEFINED_CALLS)
def test_a_provider_defined_call_with_its_result_stays(kind: str):
    messages = [HumanMessage("a"), provider_defined_call(kind), ANSWERS[kind]]
    found, listed = repaired("openai_responses", *messages, policy="raise")
    sent = body("openai_responses", found)
    assert listed == []
    assert sent["input"][1] == {"type": kind, **PROVIDER_DEFINED_CALLS[kind]}
    assert sent["input"][2]["type"] == f"{kind}_output"


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_chat"])
@pytest.mark.parametrize("kind", ["computer_call", "shell_call", "apply_patch_call"])
def test_a_provider_defined_call_is_a_call_like_any_other_elsewhere(wire: str, kind: str):
    found, listed = repaired(wire, HumanMessage("a"), provider_defined_call(kind), answer("c1", "done"))
    block = found[1].blocks[0]
    assert (block["type"], block["id"], block["name"]) == ("tool_call", "c1", kind.removesuffix("_call"))
    assert listed == []
    assert problems(wire, body(wire, found)) == []


def test_an_approval_that_was_given():
    request = {"type": "mcp_approval_request", "id": "mcpr_1", "name": "f", "arguments": "{}", "server_label": "s"}
    asked = AIMessage([request], response_metadata={"model_provider": "openai"})
    given_ = HumanMessage([{"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}])
    found, listed = repaired("openai_responses", HumanMessage("a"), asked, given_, policy="raise")
    assert listed == []
    assert body("openai_responses", found)["input"][1] == request
    closed, listed = repaired("openai_responses", HumanMessage("a"), asked, HumanMessage("b"))
    assert listed == ["mcp_approval_request in message 1"]
    assert body("openai_responses", closed)["input"][1]["role"] == "assistant"
