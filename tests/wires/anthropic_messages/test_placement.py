"""The Messages wire: where system messages go, how an assistant message ends, which of a reply's blocks go back."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_unified.request import Profile, Turn
from langchain_unified.wires.anthropic_messages.placement import HEAD, STOPPED
from tests.wires.anthropic_messages.helpers import encode, text

LATE = Profile(system_in_messages=True)
HI, OK, BYE = Turn("user", (text("hi"),)), Turn("assistant", (text("ok"),), position=1), Turn("user", (text("bye"),))
BRIEF = Turn("system", (text("Be brief."),), position=2)
CHANGE = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "f"}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}


def native(*values: dict[str, Any]) -> Turn:
    return Turn("assistant", tuple({"type": "native", "value": value} for value in values), origin="anthropic_messages")


def sent(*turns: Turn) -> list[tuple[str, list[Any]]]:
    """The messages as roles with their blocks; of a text block the text alone."""
    body = encode(*turns, profile=LATE).body
    return [(m["role"], [block.get("text", block) for block in m["content"]]) for m in body["messages"]]


# --- system messages --------------------------------------------------------------------------------------------------


def test_a_system_message_stays_between_a_user_message_and_an_answer_or_at_the_end():
    assert sent(HI, BRIEF, OK, BYE) == [
        ("user", ["hi"]),
        ("system", ["Be brief."]),
        ("assistant", ["ok"]),
        ("user", ["bye"]),
    ]
    assert sent(HI, OK, BYE, BRIEF, BRIEF)[-1] == ("system", ["Be brief.", "Be brief."])
    assert encode(HI, BRIEF, OK, BYE, profile=LATE).adjustments == ()


@pytest.mark.parametrize("turns", [(HI, OK, BRIEF, BYE), (HI, OK, BRIEF, BRIEF, BYE)])
def test_a_system_message_before_a_user_message_becomes_a_text_of_it(turns: tuple[Turn, ...]):
    """claude-code#73821: role 'system' must precede an 'assistant' message or end the array."""
    count = len(turns) - 3
    assert sent(*turns)[-1] == ("user", [f"{HEAD}\nBe brief."] * count + ["bye"])
    encoded = encode(*turns, profile=LATE)
    assert [item["what"] for item in encoded.adjustments] == ["system message 2"] * count
    assert all(item["lossless"] for item in encoded.adjustments)


def test_a_system_message_after_an_answer_becomes_a_user_message():
    assert sent(HI, OK, BRIEF) == [("user", ["hi"]), ("assistant", ["ok"]), ("user", [f"{HEAD}\nBe brief."])]
    assert sent(HI, OK, BRIEF, OK)[2] == ("user", [f"{HEAD}\nBe brief."])


def test_a_longer_conversation_keeps_the_place_of_a_system_message():
    turns = (HI, OK, BRIEF, BYE, OK, BYE)
    for size in range(4, len(turns)):
        shorter = sent(*turns[:size])
        assert sent(*turns)[: len(shorter)] == shorter


def test_results_stay_before_a_system_message():
    called = Turn("assistant", ({"type": "tool_call", "id": "t1", "name": "f", "args": {}},))
    result = Turn("tool", (text("r"),), tool_call_id="t1")
    blocks = sent(HI, called, result, BRIEF, BYE)[-1][1]
    assert [blocks[0]["type"], *blocks[1:]] == ["tool_result", f"{HEAD}\nBe brief.", "bye"]


def test_a_change_of_tools_waits_for_the_next_place():
    change = Turn("system", ({"type": "native", "value": CHANGE}, text("Less tools.")), position=2)
    assert sent(HI, OK, change, BYE)[2:] == [("user", [f"{HEAD}\nLess tools.", "bye"]), ("system", [CHANGE])]
    assert sent(change, HI) == [("user", [f"{HEAD}\nLess tools.", "hi"]), ("system", [CHANGE])]


def test_a_paused_turn_takes_a_system_message():
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    assert sent(HI, native(use), BRIEF)[-1] == ("system", ["Be brief."])


# --- the end of an assistant message ----------------------------------------------------------------------------------


def test_no_assistant_message_ends_in_thinking():
    """forgecode#2107: The final block in an assistant message cannot be `thinking`."""
    redacted = {"type": "redacted_thinking", "data": "d"}
    encoded = encode(HI, native(text("a"), THOUGHT, redacted), BYE)
    assert encoded.body["messages"][1]["content"] == [text("a")]
    assert [item["what"] for item in encoded.adjustments] == ["thinking at the end of an answer"]
    assert encode(HI, native(THOUGHT, text("a")), BYE).adjustments == ()


def test_an_answer_of_thinking_alone_gets_a_text_and_is_left_out_at_the_end():
    assert encode(HI, native(THOUGHT), BYE).body["messages"][1]["content"] == [THOUGHT, text(STOPPED)]
    assert encode(HI, native(THOUGHT)).body["messages"] == encode(HI).body["messages"]


# --- blocks of a reply ------------------------------------------------------------------------------------------------

LEFT_OUT = [
    {"type": "thinking", "thinking": "hm", "signature": ""},
    {"type": "thinking", "thinking": "hm"},
    {"type": "redacted_thinking"},
    {"type": "input_json_delta", "partial_json": '{"a'},
    {"type": "text", "text": " "},
]

CHANGED = [
    ({"type": "thinking", "signature": "s", "index": 0}, {"type": "thinking", "signature": "s", "thinking": ""}),
    ({**text("a"), "parsed_output": None, "id": "x"}, text("a")),
    (
        {
            "type": "tool_use",
            "id": "srvtoolu_1",
            "name": "web_search",
            "input": '{"query": "q"}',
            "caller": None,
        },
        {"type": "tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    ),
]


@pytest.mark.parametrize("block", LEFT_OUT)
def test_a_block_that_is_incomplete_is_left_out(block: dict[str, Any]):
    encoded = encode(HI, native(block, text("a")), BYE)
    assert encoded.body["messages"][1]["content"] == [text("a")]
    assert len(encoded.adjustments) == (block["type"] != "text")


@pytest.mark.parametrize("block,expected", CHANGED)
def test_a_block_goes_back_as_the_api_takes_it(block: dict[str, Any], expected: dict[str, Any]):
    encoded = encode(HI, native(block, text("end")), BYE)
    assert encoded.body["messages"][1]["content"] == [expected, text("end")]
    assert encoded.adjustments == ()


def test_a_key_that_the_api_refuses_is_named():
    encoded = encode(HI, native({**text("a"), "created_by": "x"}), BYE)
    assert encoded.body["messages"][1]["content"] == [text("a")]
    assert encoded.adjustments[0]["what"].startswith("created_by of the text block")
    unknown = {"type": "of_tomorrow", "any": None, "other": 1}
    assert encode(HI, native(unknown, text("a")), BYE).body["messages"][1]["content"][0] is unknown
