"""What the constructor's `profile` and `stream_chunk_timeout` decide."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.testing import emulator


def test_a_given_profile_decides_what_is_sent() -> None:
    late = [HumanMessage("Hi"), AIMessage("Hello"), HumanMessage("And?"), SystemMessage("Be brief.")]
    profile: Any = {"max_output_tokens": 123, "mid_conversation_system_messages": False}
    with emulator() as server:
        fields: Any = {"model": "claude-opus-5", "base_url": server.anthropic_url, "api_key": "any"}
        ChatAnthropic(**fields, profile=profile, on_unsupported="ignore").invoke(late)
        ChatAnthropic(**fields).invoke(late)
        given, plain = (request.body for request in server.requests)
    assert (given["max_tokens"], plain["max_tokens"]) == (123, 128_000)
    assert "system" not in [message["role"] for message in given["messages"]]
    assert "system" in [message["role"] for message in plain["messages"]]


def test_a_copy_with_another_model_has_the_profile_of_that_model() -> None:
    model = ChatAnthropic(model="claude-opus-5", api_key="any")
    copied = model.model_copy(update={"model": "claude-haiku-4-5"})
    assert copied.check("Hi").body["max_tokens"] == 64_000


@pytest.mark.parametrize("value, kept", [(None, None), (0, 0), (5, 5), (math.inf, None), (-1, 120), (math.nan, 120)])
def test_any_chunk_timeout_is_a_time_or_the_default(value: float | None, kept: float | None) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model = ChatOpenAI(model="gpt-4o", api_key="any", stream_chunk_timeout=value)
    assert model.stream_chunk_timeout == kept
    assert len(seen) == (value is not None and not value >= 0)


@pytest.mark.parametrize("text, kept", [("-3", 120), ("nan", 120), ("7", 7), ("many", 120)])
def test_the_chunk_timeout_of_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, kept: float) -> None:
    monkeypatch.setenv("LANGCHAIN_OPENAI_STREAM_CHUNK_TIMEOUT_S", text)
    assert ChatOpenAI(model="gpt-4o", api_key="any").stream_chunk_timeout == kept
