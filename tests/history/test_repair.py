"""Histories that no API takes as they are: messages of old forms, names, empty content and roles."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
)

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.messages.turns import turns
from langchain_unified.request import Profile, Request
from langchain_unified.wires import WIRES
from langchain_unified.wires.anthropic_messages.placement import HEAD
from tests.history.helpers import PLAIN, answer, asks, body, brief, call, each_wire, repaired
from tests.support.histories import problems, repair

NO_PREFILL = Profile(prefill=False)


# --- nothing to repair ------------------------------------------------------------------------------------------------

VALID: list[list[BaseMessage]] = [
    [HumanMessage("a")],
    [SystemMessage("s"), HumanMessage("a"), AIMessage("b"), HumanMessage("c")],
    [HumanMessage("a"), asks("c1", "c2"), answer("c2"), answer("c1"), HumanMessage("b"), asks("c3"), answer("c3")],
    [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d"), HumanMessage("e")],
    [HumanMessage("a"), AIMessage("b", name="agent"), HumanMessage("c")],
    [HumanMessage("a"), asks("c1"), answer("c1", "", status="error")],
]


@each_wire
@pytest.mark.parametrize("policy", ["fix", "raise"])
@pytest.mark.parametrize("messages", VALID)
def test_a_valid_history_comes_back_as_the_same_object(wire: str, policy: Any, messages: list[BaseMessage]):
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


# --- messages of the old forms, and names -----------------------------------------------------------------------------


@each_wire
def test_the_deprecated_function_messages(wire: str):
    old = AIMessage("", additional_kwargs={"function_call": {"name": "look", "arguments": '{"at": "sky"}'}})
    found, listed = repaired(wire, HumanMessage("a"), old, FunctionMessage("blue", name="look"), HumanMessage("b"))
    assert found[1].blocks == ({"type": "tool_call", "id": "look", "name": "look", "args": {"at": "sky"}},)
    assert brief(found)[2] == ("tool", "look", "blue")
    assert listed == []
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
    found, listed = repaired("openai_chat", HumanMessage("a", name="Ann Lee"), HumanMessage("b", name="bob-1"))
    assert [turn.name for turn in found] == ["Ann_Lee", "bob-1"]
    assert listed == ["message names 'Ann Lee'"]
    assert [message["name"] for message in body("openai_chat", found)["messages"]] == ["Ann_Lee", "bob-1"]


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_responses"])
def test_names_that_cannot_go_out_are_listed(wire: str):
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
    found, listed = repaired(wire, HumanMessage("a"), blank, HumanMessage("b"), policy=policy)
    assert brief(found) == [("user", "a"), ("user", "b")]
    assert listed == [f"message 1 ({found[0].role if blank.type == 'human' else ROLES[blank.type]})"]
    assert problems(wire, body(wire, found)) == []


ROLES = {"system": "system", "ai": "assistant"}


@each_wire
def test_empty_texts_beside_others_are_left_out(wire: str):
    mixed = HumanMessage(["", {"type": "text", "text": "a"}, {"type": "text", "text": "\n"}])
    found, listed = repaired(wire, mixed)
    assert found[0].blocks == ({"type": "text", "text": "a"},)
    assert listed == []


def test_a_cache_mark_on_an_empty_text_moves_to_the_text_before():
    marked = {"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}
    found, _ = repaired("anthropic_messages", HumanMessage([{"type": "text", "text": "a"}, marked]))
    assert found[0].blocks == ({"type": "text", "text": "a", "mark": {}},)


@pytest.mark.parametrize("wire", ["anthropic_messages", "openai_chat"])
def test_an_answer_that_holds_reasoning_alone_says_nothing(wire: str):
    thought = AIMessage([{"type": "reasoning", "reasoning": "hm"}])
    found, listed = repaired(wire, HumanMessage("a"), thought, HumanMessage("b"))
    assert brief(found) == [("user", "a"), ("user", "b")]
    assert listed == ["message 1 (assistant)"]


@each_wire
def test_an_empty_tool_result_is_a_result(wire: str):
    found, listed = repaired(wire, HumanMessage("a"), asks("c1"), answer("c1", ""))
    assert brief(found)[2] == ("tool", "c1", "")
    assert listed == []


@each_wire
def test_a_user_who_says_nothing_at_the_end_asks_to_continue(wire: str):
    found, listed = repaired(wire, HumanMessage("a"), AIMessage("b"), HumanMessage(""))
    assert brief(found) == [("user", "a"), ("assistant", "b"), ("user", "Continue.")]
    assert listed == ["message 2 (user)"]


@each_wire
@pytest.mark.parametrize("policy", ["fix", "raise"])
def test_nothing_to_send(wire: str, policy: Any):
    with pytest.raises(InvalidHistoryError, match="no messages"):
        repair((), wire=wire, profile=PLAIN, policy=policy)
    with pytest.raises(InvalidHistoryError, match="No message has content"):
        repaired(wire, HumanMessage(""), AIMessage(" "), policy=policy)
    with pytest.raises(InvalidHistoryError, match="No message has content"):
        repaired(wire, SystemMessage(""), policy=policy)


EMPTY_PROMPTS = [
    [HumanMessage("")],
    [HumanMessage(" ")],
    [HumanMessage([{"type": "text", "text": ""}])],
    [SystemMessage(""), HumanMessage("")],
]


@pytest.mark.parametrize("policy", ["fix", "raise"])
@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
@pytest.mark.parametrize("messages", EMPTY_PROMPTS, ids=repr)
def test_openai_gets_an_empty_prompt_as_it_is(wire: str, messages: Any, policy: Any):
    given = turns(messages, wire)
    found, listed = repair(given, wire=wire, profile=PLAIN, policy=policy)
    assert found is given
    assert listed == ()
    sent = body(wire, found)["messages" if wire == "openai_chat" else "input"]
    assert [(each["role"], each["content"].strip()) for each in sent] == [(turn.role, "") for turn in given]
    assert problems(wire, body(wire, found)) == []


@pytest.mark.parametrize("messages", EMPTY_PROMPTS, ids=repr)
def test_claude_refuses_an_empty_prompt(messages: Any):
    with pytest.raises(InvalidHistoryError, match="No message has content"):
        repaired("anthropic_messages", *messages)


@each_wire
def test_an_empty_message_beside_a_reasoning_of_another_model_is_no_prompt(wire: str):
    origin = "openai" if wire == "anthropic_messages" else "anthropic"
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    if origin == "openai":
        thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
    with pytest.raises(InvalidHistoryError, match="No message has content"):
        repaired(wire, AIMessage([thought], response_metadata={"model_provider": origin}), HumanMessage(""))


# --- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
def test_system_messages_in_the_middle_stay_on_openai(wire: str):
    messages = [SystemMessage("s"), HumanMessage("a"), AIMessage("b"), SystemMessage("t"), HumanMessage("c")]
    found, listed = repaired(wire, *messages)
    assert [turn.role for turn in found] == ["system", "user", "assistant", "system", "user"]
    assert listed == []


def test_system_messages_in_the_middle_on_claude():
    messages = [SystemMessage("s"), HumanMessage("a"), AIMessage("b"), SystemMessage("t"), HumanMessage("c")]
    found, _ = repaired("anthropic_messages", *messages)
    native = body("anthropic_messages", found, profile=Profile(system_in_messages=True))
    # Claude takes a system message only before an answer or at the end, and only after a user message.
    assert [message["role"] for message in native["messages"]] == ["user", "assistant", "user"]
    assert [block["text"] for block in native["messages"][2]["content"]] == [f"{HEAD}\nt", "c"]
    folded = WIRES["anthropic_messages"].encode(Request(model="m", turns=found))
    assert [block["text"] for block in folded.body["system"]] == ["s", "t"]
    assert [each["what"] for each in folded.adjustments] == ["system message 3"]
    assert "changes the cached prefix" in folded.adjustments[0]["why"]


@each_wire
def test_messages_of_one_role_in_a_row(wire: str):
    messages = [HumanMessage("a"), HumanMessage("b"), AIMessage("c"), AIMessage("d"), HumanMessage("e")]
    found, listed = repaired(wire, *messages)
    assert listed == []
    roles = [item["role"] for item in body(wire, found)["input" if wire == "openai_responses" else "messages"]]
    merged = ["user", "assistant", "user"]
    assert roles == (merged if wire == "anthropic_messages" else ["user", "user", "assistant", "assistant", "user"])


def test_a_conversation_of_system_messages_alone():
    found, listed = repaired("anthropic_messages", SystemMessage("s"), SystemMessage("t"))
    assert brief(found) == [("system", "s"), ("user", "t")]
    assert listed == ["system message 1"]
    with pytest.raises(InvalidHistoryError, match="Add a human message"):
        body("anthropic_messages", repaired("anthropic_messages", SystemMessage("s"), policy="raise")[0])
    for wire in ("openai_chat", "openai_responses"):
        assert repaired(wire, SystemMessage("s"))[1] == []


def test_a_trailing_answer_where_no_prefill_is_taken():
    messages = [HumanMessage("a"), AIMessage("The answer is")]
    found, listed = repaired("anthropic_messages", *messages, profile=NO_PREFILL)
    assert brief(found)[2] == ("user", "Continue from exactly where your last message ends.")
    assert listed == ["trailing assistant message"]
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
    found, listed = repaired(wire, HumanMessage("a"), last, profile=profile)
    assert [turn.role for turn in found] == ["user", "assistant"]
    assert listed == []


REASONED: dict[str, AIMessage] = {
    "anthropic_messages": AIMessage(
        [{"type": "thinking", "thinking": "hm", "signature": "sig"}], response_metadata={"model_provider": "anthropic"}
    ),
    "openai_responses": AIMessage(
        [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}],
        response_metadata={"model_provider": "openai"},
    ),
}


@pytest.mark.parametrize("wire", REASONED)
def test_reasoning_alone_is_no_conversation(wire: str):
    found, listed = repaired(wire, SystemMessage("Be brief."), REASONED[wire])
    assert [brief(found)[0][1], len(found), listed[0]] == ["Be brief.", 1, "reasoning at the end"]
    with pytest.raises(InvalidHistoryError, match="No message has content"):
        repaired(wire, REASONED[wire])
    followed, _ = repaired(wire, REASONED[wire], HumanMessage(""))
    assert problems(wire, body(wire, followed)) == []
