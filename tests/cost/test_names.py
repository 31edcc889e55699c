"""Which model a price is for, and prices that the caller gives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified import ConfigurationError, message_cost
from tests.cost.helpers import chat, claude

# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "provider, model, listed",
    [
        ("anthropic", "claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("anthropic", "anthropic/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("openai", "anthropic/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("openai", "gpt-5.6-2026-07-01", ("openai", "gpt-5.6-sol")),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::id", ("openai", "ft:gpt-4o-mini")),
        ("azure", "gpt-35-turbo", ("azure", "gpt-3.5-turbo")),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        (
            "anthropic",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws",
        ),
        ("anthropic", "claude-sonnet-4-5@20250929", ("google", "claude-sonnet-4-5")),
        ("google_genai", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        (None, "claude-opus-5", ("anthropic", "claude-opus-5")),
    ],
)
def test_models_are_known_by_many_names(provider: str | None, model: str, listed: Any) -> None:
    message = AIMessage(
        "Hi",
        response_metadata={"model_provider": provider, "model_name": model},
        usage_metadata={"input_tokens": 1_000, "output_tokens": 0, "total_tokens": 1_000},
    )
    cost = message_cost(message)
    assert cost.total is not None
    assert cost.priced_as is not None
    found = (cost.priced_as.provider, cost.priced_as.model)
    assert found == listed or found[0] == listed


@pytest.mark.parametrize(
    "provider, model", [("openai", "my-deployment"), ("openai", "ft:gpt-4.1-2025-04-14:acme::id"), ("acme", "gpt-4o")]
)
def test_an_unknown_model_has_no_price_but_its_tokens_are_listed(provider: str, model: str) -> None:
    message = AIMessage(
        "Hi",
        response_metadata={"model_provider": provider, "model_name": model},
        usage_metadata={"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
    )
    cost = message_cost(message)
    assert cost.total is None
    assert cost.saved is None
    assert f"does not know the model {model!r} of {provider!r}" in str(cost.reason)
    assert [(line.kind, line.units, line.amount) for line in cost.lines] == [("uncached", 7, None), ("output", 3, None)]
    assert str(cost).startswith("unknown (genai-prices")
    assert "7 uncached at an unknown price/M" in str(cost)


@pytest.mark.parametrize(
    "message, reason",
    [
        (AIMessage("Hi", response_metadata={"model_name": "gpt-4o"}), "reports no token usage"),
        (AIMessageChunk(content="H", response_metadata={"model_name": "gpt-4o"}), "ended before it reported its usage"),
        (
            AIMessage("Hi", usage_metadata={"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}),
            "does not name its model",
        ),
        (
            AIMessage(
                "Hi",
                response_metadata={"model_name": "gpt-4o"},
                usage_metadata={
                    "input_tokens": 1,
                    "output_tokens": 1,
                    "total_tokens": 2,
                    "input_token_details": {"cache_read": 5},
                },
            ),
            "do not add up: uncached would be -4",
        ),
    ],
)
def test_what_cannot_be_priced_says_why(message: AIMessage, reason: str) -> None:
    cost = message_cost(message)
    assert (cost.total, cost.lines, cost.saved) == (None, (), None)
    assert reason in str(cost.reason)


# --- the caller's prices ----------------------------------------------------------------------------------------------


def test_the_callers_prices_come_before_the_published_ones() -> None:
    own = {"claude-sonnet-4-5": {"input": "2.40", "output": 12, "cache_read": 0.24, "cache_write": Decimal(3)}}
    usage = {
        "input_tokens": 1_000,
        "cache_read_input_tokens": 1_000,
        "cache_creation_input_tokens": 1_000,
        "output_tokens": 1_000,
        "service_tier": "priority",
    }
    cost = message_cost(claude(usage), prices=own)
    assert cost.total == Decimal("0.01764")
    assert cost.priced_as is not None
    assert (cost.priced_as.source, cost.priced_as.tier) == ("prices['claude-sonnet-4-5']", "priority")


@pytest.mark.parametrize(
    "pattern",
    [
        "gpt-4o-2024-08-06",
        "gpt-4o",
        "openai/gpt-4o",
        "openai:gpt-4o",
        "openai/gpt-4o-2024-08-06",
        "gpt-*",
        "openai/*",
        "*",
    ],
)
def test_the_callers_prices_find_their_model(pattern: str) -> None:
    cost = message_cost(
        chat({"prompt_tokens": 1_000_000, "completion_tokens": 0}), prices={pattern: {"input": 7, "output": 0}}
    )
    assert cost.total == 7


def test_a_name_wins_over_a_pattern_and_else_the_first() -> None:
    message = chat({"prompt_tokens": 1_000_000, "completion_tokens": 0})
    prices = {key: {"input": number, "output": 0} for number, key in enumerate(("gpt-*", "*", "gpt-4o"), 1)}
    assert message_cost(message, prices=prices).total == 3
    assert message_cost(message, prices={key: prices[key] for key in ("gpt-*", "*")}).total == 1
    assert message_cost(message, prices={"gpt-4": {"input": 9, "output": 9}}).total == Decimal("2.5")


def test_the_callers_prices_have_no_price_for_what_they_leave_out() -> None:
    usage = {"prompt_tokens": 1_000, "prompt_tokens_details": {"cached_tokens": 400}, "completion_tokens": 0}
    cost = message_cost(chat(usage), prices={"gpt-4o": {"input": 3, "output": 15}})
    assert cost.total is None
    assert cost.reason == "no price is known for cache_read of gpt-4o-2024-08-06 (prices['gpt-4o'])"
    assert message_cost(chat(usage), prices={"gpt-4o": {"input": 3, "output": 15, "cache_read": 0}}).total == Decimal(
        "0.0018"
    )


@pytest.mark.parametrize(
    "prices, words",
    [
        ("gpt-4o", "prices must be a dict of models, not str"),
        ({"gpt-4o": 3}, "prices['gpt-4o'] must be a dict of prices, not 3"),
        ({5: {"input": 3, "output": 3}}, "A key of prices must be the name of a model, not 5."),
        ({"gpt-4o": {"inptu": 3, "output": 15}}, "unknown key 'inptu'. Did you mean 'input'?"),
        ({"gpt-4o": {"input": 3, "output": 15, "zzz": 1}}, "unknown key 'zzz'. The keys are input, output,"),
        ({"gpt-4o": {"input": 3}}, "prices['gpt-4o'] has no 'output'"),
        ({"gpt-4o": {}}, "has no 'input' and no 'output'"),
        ({"gpt-4o": {"input": -1, "output": 15}}, "prices['gpt-4o']['input'] is -1"),
        ({"gpt-4o": {"input": float("nan"), "output": 15}}, "['input'] is nan"),
        ({"gpt-4o": {"input": "Infinity", "output": 15}}, "['input'] is 'Infinity'"),
        ({"gpt-4o": {"input": True, "output": 15}}, "['input'] is True"),
        ({"gpt-4o": {"input": "3 USD", "output": 15}}, "['input'] is '3 USD'. It must be a finite number of USD"),
        ({"gpt-4o": {"input": None, "output": 15}}, "['input'] is None"),
    ],
)
def test_what_is_no_price_is_refused(prices: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        message_cost(AIMessage("Hi"), prices=prices)
    assert words in str(caught.value)
