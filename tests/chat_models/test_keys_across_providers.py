"""Keys that one provider has: sent to it, and named where the other one is asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatUnified
from langchain_unified.chat_models._check import CheckReport
from langchain_unified.testing.emulation.rules import refusals
from langchain_unified.testing.emulation.rules.rule import EmulatedCall
from tests.support.corpus import ENDPOINT_OF

MODELS = {"messages": "anthropic/claude-opus-5-5", "chat": "openai/gpt-4o", "responses": "openai/gpt-5.6"}
each_wire = pytest.mark.parametrize("name", MODELS)
PDF = {"type": "file", "base64": "JVBERi0xLjQK", "mime_type": "application/pdf", "filename": "a.pdf"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HEADERS = {"x-api-key": "any", "authorization": "Bearer any", "anthropic-version": "2023-06-01"}


def asked(name: str, *messages: BaseMessage, **fields: Any) -> CheckReport:
    """What the call would send; the emulator takes it."""
    report = ChatUnified(MODELS[name], api_key="any").check(list(messages), **fields)
    assert report.ok, report.refused
    call = EmulatedCall(ENDPOINT_OF[report.wire or ""], report.body, {**HEADERS, **report.headers})
    assert [found.message for found in refusals(call)] == []
    return report


def listed(report: CheckReport) -> list[str]:
    return [item["what"] for item in report.adjustments]


@each_wire
def test_the_context_of_a_pdf(name: str) -> None:
    report = asked(name, HumanMessage([{**PDF, "context": "Of 2026.", "citations": {"enabled": True}}]))
    assert "Of 2026." in str(report.body)
    assert listed(report) == ([] if name == "messages" else ["citations"])


@each_wire
def test_the_transformations_of_an_image(name: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    image = {"type": "image", "source": source, "transformations": {"oversized_image": "downsize"}}
    report = asked(name, HumanMessage([image]))
    assert ("downsize" in str(report.body)) == (name == "messages")
    assert listed(report) == ([] if name == "messages" else ["transformations of an image"])


@each_wire
@pytest.mark.parametrize("place", ["start", "late"])
def test_the_keys_of_a_system_message(name: str, place: str) -> None:
    """Claude takes them only in a system message between other messages."""
    system = SystemMessage("Short.", additional_kwargs={"clear_at": "next_user_message"})
    question = HumanMessage("Hi")
    report = asked(name, *([system, question] if place == "start" else [question, system]))
    takes = name == "messages" and place == "late"
    assert ("next_user_message" in str(report.body)) == takes
    assert bool(listed(report)) != takes
    assert "clear_at" in " ".join([*listed(report), "" if not takes else "clear_at"])


@pytest.mark.parametrize(
    "name, value",
    [
        ("messages", [{"type": "compaction", "compact_threshold": 1000}]),
        ("responses", {"edits": [{"type": "clear_tool_uses_20250919"}]}),
    ],
)
def test_the_context_management_of_the_other_provider(name: str, value: Any) -> None:
    report = asked(name, HumanMessage("Hi"), context_management=value)
    assert "context_management" not in report.body
    assert listed(report) == ["context_management"]


@each_wire
@pytest.mark.parametrize("by", ["anthropic", None])
def test_arguments_that_json_does_not_have(name: str, by: str | None) -> None:
    args = {"on": dt.date(2026, 1, 2), "of": {2, 1}, "in": [{"at": dt.time(3)}]}
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    call = AIMessage(
        [use] if by else "",
        tool_calls=[{"name": "f", "args": args, "id": "toolu_1"}],
        response_metadata={"model_provider": by} if by else {},
    )
    report = asked(name, HumanMessage("Hi"), call, ToolMessage("r", tool_call_id="toolu_1"))
    found = str(report.body).replace('\\"', '"').replace("'", '"').replace(" ", "")
    assert '{"on":"2026-01-02","of":[1,2],"in":[{"at":"03:00:00"}]}' in found
