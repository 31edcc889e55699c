"""A profile of the caller's, given, assigned, changed in place or copied, decides what is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from langchain_unified import ChatAnthropic, ChatUnified

LIMIT: Any = {"max_output_tokens": 1000}
LONG = "context-1m-2025-08-07"


def claude(**fields: Any) -> ChatAnthropic:
    return ChatAnthropic("claude-sonnet-4-5", api_key="any", **fields)


def assigned() -> ChatAnthropic:
    model = claude()
    model.profile = LIMIT
    return model


def changed() -> ChatAnthropic:
    model = claude()
    assert model.profile
    model.profile["max_output_tokens"] = 1000
    return model


@pytest.mark.parametrize(
    "build", [lambda: claude(profile=LIMIT), assigned, changed, lambda: claude().model_copy(update={"profile": LIMIT})]
)
def test_the_given_profile_decides(build: Callable[[], ChatAnthropic]) -> None:
    assert build().check("Hi").body["max_tokens"] == 1000


def test_the_profile_of_another_model_does_not_count() -> None:
    model = changed()
    model.model = "claude-haiku-4-5"
    assert model.check("Hi").body["max_tokens"] == 64_000


def test_the_beta_for_long_contexts_is_in_the_profile() -> None:
    """Middleware that summarises a conversation reads the limit there."""
    models: list[Any] = [claude(), claude(betas=[LONG]), ChatUnified("openai/gpt-4o", api_key="any", betas=[LONG])]
    assert [model.profile["max_input_tokens"] for model in models] == [200_000, 1_000_000, 128_000]
