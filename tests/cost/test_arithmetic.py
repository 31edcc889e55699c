"""The arithmetic of costs, on generated usage and beside genai-prices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_unified import message_cost
from langchain_unified.cost import Cost, usd
from tests.cost.helpers import DAY, claude, gpt

COUNT = st.integers(0, 400_000)
MODELS = {
    "anthropic": [
        "claude-sonnet-4-5",
        "claude-opus-5",
        "claude-haiku-5-5",
        "claude-fable-5-1",
        "claude-3-haiku-20240307",
    ],
    "openai": ["gpt-4o", "gpt-5.6-sol", "gpt-6-sol", "o3", "gpt-4.1-nano", "gpt-3.5-turbo"],
}
SPLITS = st.tuples(COUNT, COUNT, COUNT, COUNT, COUNT, st.integers(0, 50))


@given(st.sampled_from(MODELS["anthropic"]), SPLITS)
def test_claude_s_lines_are_what_genai_prices_sums_up(model: str, counts: tuple[int, ...]) -> None:
    uncached, read, five, hour, output, searches = counts
    message = claude(
        {
            "input_tokens": uncached,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": five + hour,
            "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
            "output_tokens": output,
            "server_tool_use": {"web_search_requests": searches if model != "claude-3-haiku-20240307" else 0},
        },
        model,
    )
    usage = genai_prices.Usage(
        input_tokens=uncached + read + five + hour,
        cache_read_tokens=read,
        cache_write_tokens=five + hour,
        cache_write_1h_tokens=hour,
        output_tokens=output,
        web_searches=searches if model != "claude-3-haiku-20240307" else 0,
    )
    check(message_cost(message), usage, "anthropic", model)


@given(st.sampled_from(MODELS["openai"]), SPLITS)
def test_openai_s_lines_are_what_genai_prices_sums_up(model: str, counts: tuple[int, ...]) -> None:
    uncached, read, written, _, output, _ = counts
    total = uncached + read + written
    details = {"cached_tokens": read, "cache_write_tokens": written}
    message = gpt({"input_tokens": total, "input_tokens_details": details, "output_tokens": output}, model)
    usage = genai_prices.Usage(
        input_tokens=total, cache_read_tokens=read, cache_write_tokens=written, output_tokens=output
    )
    check(message_cost(message), usage, "openai", model)


def check(cost: Cost, usage: genai_prices.Usage, provider: str, model: str) -> None:
    expected = genai_prices.calc_price(
        usage, model, provider_id=provider, genai_request_timestamp=datetime.fromtimestamp(DAY, UTC)
    )
    assert cost.total == expected.total_price
    assert cost.total == cost.known == sum((line.amount for line in cost.lines if line.amount), Decimal(0))
    prices = {line.kind: line.unit_price for line in cost.lines}
    assert all(price is not None and price >= 0 for price in prices.values())
    if "cache_read" in prices and "uncached" in prices:
        assert prices["cache_read"] <= prices["uncached"]


PRICE = st.decimals(min_value=0, max_value=1_000, places=6)


@given(PRICE, PRICE, PRICE, PRICE, SPLITS)
def test_the_lines_add_up_at_any_price(
    price: Decimal, output: Decimal, read: Decimal, write: Decimal, counts: tuple[int, ...]
) -> None:
    own = {
        "*": {"input": price, "output": output, "cache_read": read, "cache_write_5m": write, "cache_write_1h": write}
    }
    uncached, cached, five, hour, said, _ = counts
    cost = message_cost(
        claude(
            {
                "input_tokens": uncached,
                "cache_read_input_tokens": cached,
                "cache_creation_input_tokens": five + hour,
                "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
                "output_tokens": said,
            }
        ),
        prices=own,
    )
    assert cost.total == (uncached * price + cached * read + (five + hour) * write + said * output) / 1_000_000
    assert cost.saved == ((price - read) * cached + (price - write) * (five + hour)) / 1_000_000


@given(st.dictionaries(st.sampled_from(["cache_read", "cache_creation", "audio", "priority", "x"]), st.integers(-9, 9)))
def test_odd_counts_never_raise_and_never_cost_less_than_nothing(details: dict[str, int]) -> None:
    usage: Any = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, "input_token_details": details}
    message = AIMessage("", response_metadata={"model_name": "gpt-4o", "model_provider": "openai"})
    cost = message_cost(message.model_copy(update={"usage_metadata": usage}))
    assert (cost.total is None) == (cost.reason is not None)
    assert cost.known >= 0


def test_amounts_are_exact_whatever_precision_is_set() -> None:
    message = claude({"input_tokens": 123_456, "output_tokens": 7}, "claude-opus-5", usage_region=None)
    with localcontext() as context:
        context.prec = 3
        cost = message_cost(message)
    assert cost.total == Decimal("0.617455")


@pytest.mark.parametrize(
    "amount, shown",
    [
        ("0", "$0"),
        ("0.000123", "$0.000123"),
        ("1.5", "$1.50"),
        ("-0.25", "-$0.25"),
        ("1E+3", "$1000"),
        ("12.00", "$12"),
    ],
)
def test_amounts_are_shown_in_full(amount: str, shown: str) -> None:
    assert usd(Decimal(amount)) == shown
