"""The dry run says what a call would do, and reaches no network."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified import ChatAnthropic, ChatUnified, UnknownModelError

CLAUDE = {"model_provider": "anthropic", "model_name": "claude-opus-5"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}


@pytest.fixture
def model() -> ChatUnified:
    return ChatUnified("anthropic/claude-opus-5")


def test_a_call_that_goes_out_as_written(model: ChatUnified) -> None:
    report = model.check("Hello")
    assert (report.ok, report.unchanged, report.wire) == (True, True, "anthropic_messages")
    assert report.body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert str(report) == "anthropic/claude-opus-5 by anthropic_messages: goes out as written."


def test_what_would_change_and_what_would_stay_behind(model: ChatUnified) -> None:
    history = [
        HumanMessage("a"),
        AIMessage([THOUGHT, {"type": "text", "text": "b"}], response_metadata=CLAUDE),
        HumanMessage("c"),
    ]
    same = model.check(history)
    assert same.unchanged
    other = model.check(history, model="openai/gpt-5.6", top_k=5)
    assert (other.provider, other.model, other.wire) == ("openai", "gpt-5.6", "openai_responses")
    assert [item["what"] for item in other.adjustments] == ["top_k"]
    assert other.left_out == (
        "the reasoning of claude-opus-5 in message 1; it stays there, for when claude-opus-5 is asked again",
    )
    assert "goes out with changes" in str(other)
    assert "c2ln" not in str(other.body)


def test_a_refused_call_says_why(model: ChatUnified) -> None:
    report = model.check([HumanMessage([{"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}])])
    assert not report.ok
    assert report.body == {}
    assert "'audio' block in message 0" in str(report)


def test_repairs_are_told(model: ChatUnified) -> None:
    report = model.check([HumanMessage("a"), ToolMessage("42", tool_call_id="call_1"), HumanMessage("b")])
    assert report.ok
    assert len(report.adjustments) == 1
    refused = model.check([HumanMessage("a"), ToolMessage("42", tool_call_id="call_1")], repair="raise")
    assert not refused.ok


def test_no_secret_and_no_unknown_model() -> None:
    server = {"type": "url", "name": "m", "url": "https://m.example", "authorization_token": "canary"}
    report = ChatAnthropic(model="claude-opus-5", mcp_servers=[server], api_key="canary").check("hi")
    assert "canary" not in repr(report)
    with pytest.raises(UnknownModelError):
        ChatUnified("o3").check("hi", model="gemini")


@pytest.mark.parametrize("place", ["constructor", "call"])
def test_a_call_that_takes_nothing_but_what_is_written_is_refused(place: str) -> None:
    strict = {"on_unsupported": "raise"}
    model = ChatUnified("openai/gpt-5.6", api_key="any", **(strict if place == "constructor" else {}))
    report = model.check("hi", top_k=3, **(strict if place == "call" else {}))
    assert (report.ok, report.refused) == (False, "top_k: OpenAI has no top_k: it was not sent.")
