"""Names and text that no API takes: what a model or a tool put into a history never ends a run."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_unified import ChatUnified
from tests.support.corpus import ENDPOINT_OF
from tests.support.emulated import refused

MODELS = {
    "anthropic_messages": "anthropic/claude-opus-5-5",
    "openai_chat": "openai/gpt-4o",
    "openai_responses": "openai/gpt-5.6",
}
each_wire = pytest.mark.parametrize("wire", MODELS)


def report_on(wire: str, *messages: BaseMessage, **keywords: Any) -> Any:
    report = ChatUnified(MODELS[wire], api_key="k", on_unsupported="raise").check(list(messages), **keywords)
    assert refused(ENDPOINT_OF[wire], report.body) == []
    return report


def called(name: str, args: dict[str, Any] | None = None) -> list[BaseMessage]:
    call = {"name": name, "args": args or {}, "id": "call_1"}
    return [HumanMessage("Hi"), AIMessage("", tool_calls=[call]), ToolMessage("ok", tool_call_id="call_1")]


@each_wire
@pytest.mark.parametrize(
    "name,sent",
    [
        ("a.b", "a_b"),
        ("with space", "with_space"),
        ("", "unknown"),
        ("multi_tool_use.parallel", "multi_tool_use_parallel"),
        ("é", "_"),
    ],
)
def test_a_tool_name_that_the_api_refuses_is_made_valid(wire: str, name: str, sent: str):
    # home-assistant/core#140005: tool_use.name: String should match pattern; OpenAI: ^[a-zA-Z0-9_-]+$
    report = report_on(wire, *called(name))
    assert f'"name": "{sent}"' in json.dumps(report.body)
    assert [item["what"] for item in report.adjustments] == [f"tool names {name!r}"]


@each_wire
def test_long_names_are_cut_and_stay_different(wire: str):
    bodies = [json.dumps(report_on(wire, *called("x" * 200 + end)).body) for end in ("a", "b")]
    assert bodies[0] != bodies[1]
    assert "x" * 130 not in bodies[0]


@each_wire
def test_half_of_a_surrogate_pair_is_replaced(wire: str):
    # claude-code#3277: The request body is not valid JSON: no low surrogate in string
    tool = {"name": "look", "description": "a \ud83d b", "parameters": {"type": "object", "properties": {}}}
    messages = called("look", {"q": "c \ude00"})
    messages[0] = HumanMessage("half \ud83d")
    messages[2] = ToolMessage([{"type": "text", "text": "one \ud83d"}, {"type": "text", "text": "\ude00 two"}],
                              tool_call_id="call_1")  # fmt: skip
    report = report_on(wire, *messages, tools=[tool])
    text = json.dumps(report.body, ensure_ascii=False)
    text.encode()
    assert all(found in text for found in ("half \ufffd", "one \ufffd", "\ufffd two", "c \ufffd", "a \ufffd b"))
    assert [item["what"] for item in report.adjustments] == ["text"]


@each_wire
def test_two_halves_in_one_text_are_the_character(wire: str):
    report = report_on(wire, HumanMessage("a \ud83d\ude00 b \ud83d"))
    assert "a 😀 b \ufffd" in json.dumps(report.body, ensure_ascii=False)


@each_wire
def test_a_date_in_the_arguments_of_a_call_is_text(wire: str):
    from langchain_unified.transport._json import dumps

    report = report_on(wire, *called("look", {"day": date(2026, 1, 2)}))
    assert b"2026-01-02" in dumps(report.body)


BROKEN = [
    HumanMessage("Hi"),
    AIMessage("", invalid_tool_calls=[{"name": "look", "args": '{"q":', "id": "call_1", "error": None}]),
    ToolMessage("The arguments are not JSON.", tool_call_id="call_1"),
]


@each_wire
def test_a_broken_call_of_a_model_is_for_repair_to_decide(wire: str):
    report = report_on(wire, *BROKEN)
    assert [item["what"] for item in report.adjustments] == (
        ["invalid tool call 'look' in message 1"] if wire == "anthropic_messages" else []
    )


def test_repair_raise_refuses_a_broken_call_where_the_api_takes_none():
    model = ChatUnified(MODELS["anthropic_messages"], api_key="k", on_unsupported="ignore")
    report = model.check(BROKEN, repair="raise")
    assert not report.ok
    assert "'call_1' in message 1" in str(report.refused)
