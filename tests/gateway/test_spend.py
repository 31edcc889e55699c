"""Estimates before a call and charges after it. The prices are USD per token, as in LiteLLM's `model_info`."""

from __future__ import annotations

import base64
import os
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.cost import message_cost
from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.errors import UnknownPriceError
from langchain_unified.gateway.spend import PROMPT_STEP, Pricing, partial_usage

INFO = {"input_cost_per_token": "0.000003", "output_cost_per_token": 0.000015, "max_output_tokens": 1000}


def usage(into: int, out: int, **details: int) -> UsageMetadata:
    return UsageMetadata(input_tokens=into, output_tokens=out, total_tokens=into + out, input_token_details=details)


def own(**info: Any) -> Pricing:
    return Pricing.of("my-model", "openai", {**INFO, **info})


# --- after the call ---------------------------------------------------------------------------------------------------


def test_a_charge_is_exact() -> None:
    charge = own().charge(usage(1_000_001, 7))
    assert charge.cost == Decimal("3.000003") + Decimal("0.000105")
    assert (charge.tokens, charge.input_tokens, charge.output_tokens) == (1_000_008, 1_000_001, 7)
    assert charge.is_priced


def test_cached_tokens_have_their_own_price_or_that_of_the_others() -> None:
    read = usage(100, 0, cache_read=60)
    assert own(cache_read_input_token_cost="0.0000003").charge(read).cost == Decimal("0.000138")
    assert own().charge(read).cost == Decimal("0.0003")
    written = usage(100, 0, cache_creation=100)
    assert Pricing.of("claude-x", "anthropic", INFO).charge(written).cost == Decimal("0.000375")  # 1.25 of the input


@pytest.mark.parametrize("model, provider", [("claude-opus-5", "anthropic"), ("gpt-5.6", "openai")])
@pytest.mark.parametrize("tokens", [10, 199_999, 200_000, 200_001, 272_000, 272_001, 500_000])
@pytest.mark.parametrize("tier", [None, "priority", "flex", "batch"])
def test_a_charge_is_what_message_cost_says(model: str, provider: Any, tokens: int, tier: str | None) -> None:
    counts = usage(tokens, 50, cache_read=5)
    metadata = {"service_tier": tier} if tier else {}
    about = {**metadata, "model_name": model, "model_provider": provider}
    expected = message_cost(AIMessage("", usage_metadata=counts, response_metadata=about))
    charge = Pricing.of(model, provider).charge(counts, metadata)
    assert (charge.cost, charge.is_priced) == (expected.known, expected.total is not None)


def test_published_prices_change_at_steps_that_the_lookup_tells_apart() -> None:
    from genai_prices import data_snapshot

    starts = {
        tier.start
        for provider in data_snapshot.get_snapshot().providers
        for model in provider.models
        for prices in [*_price_sets(model)]
        for price in vars(prices).values()
        for tier in getattr(price, "tiers", ())
    }
    assert {200_000, 272_000} <= starts
    odd = {start for start in starts if start % PROMPT_STEP not in (0, PROMPT_STEP - 1)}
    assert odd <= {524_288}  # of a model of neither provider: a prompt of 524,289 to 525,000 tokens has the price below


def _price_sets(model: Any) -> list[Any]:
    dated = model.prices if isinstance(model.prices, list) else [model.prices]
    return [getattr(each, "prices", each) for each in dated] + [each.prices for each in model.price_variants or ()]


def test_a_base_model_has_its_prices() -> None:
    counts = usage(1000, 100)
    azure = Pricing.of("my-deployment", "openai", {"base_model": "gpt-5.6"})
    assert azure.charge(counts).cost == Pricing.of("gpt-5.6", "openai").charge(counts).cost > 0


def test_tools_of_the_provider_are_charged_and_one_without_a_price_is_marked() -> None:
    found = Pricing.of("claude-opus-5", "anthropic").charge(
        UsageMetadata(**usage(10, 1), server_tool_details={"web_search_requests": 2})  # type: ignore[typeddict-item]
    )
    assert found.cost == Decimal("0.00005") + Decimal("0.000025") + Decimal("0.02")
    unknown = Pricing.of("gpt-5.6", "openai").charge(usage(10, 1), content=[{"type": "code_interpreter_call"}])
    assert (unknown.is_priced, unknown.cost > 0) == (False, True)
    assert "code_interpreter" in str(unknown.reason)
    assert unknown.details["unpriced"] == 1


def test_a_charge_never_raises() -> None:
    bare = UsageMetadata(input_tokens=1, output_tokens=1, total_tokens=2)
    for odd in (None, usage(-5, 0), usage(5, 0, cache_read=10), bare):
        assert own().charge(odd).cost >= 0


# --- a price that is not known ----------------------------------------------------------------------------------------


def test_a_model_without_a_price_is_refused_by_name() -> None:
    pricing = Pricing.of("llama-of-nobody", "openai")
    assert not pricing.is_known()
    with pytest.raises(UnknownPriceError, match=r"llama-of-nobody.*input_cost_per_token") as caught:
        pricing.estimate({"messages": []})
    assert caught.value.status == 400


def test_a_default_price_stands_in() -> None:
    pricing = Pricing.of("llama-of-nobody", "openai", default_prices=INFO)
    assert pricing.charge(usage(10, 10)).cost == Decimal("0.00018")
    known = Pricing.of("claude-opus-5", "anthropic", default_prices=INFO)
    assert known.charge(usage(10, 0)).cost == Decimal("0.00005")  # $5 per million tokens: it is not used


def test_a_free_model_says_so() -> None:
    free = Pricing.of("local", "openai", {"input_cost_per_token": 0, "output_cost_per_token": 0})
    assert free.is_known()
    assert free.estimate({"messages": []}).amount == 0
    assert free.charge(usage(10, 10)).is_priced


@pytest.mark.parametrize(
    "info, named",
    [
        ({"input_cost_per_token": 1e-6}, "output_cost_per_token is missing"),
        ({"input_cost_per_token": "much", "output_cost_per_token": 0}, "input_cost_per_token is 'much'"),
        ({"input_cost_per_token": -1, "output_cost_per_token": 0}, "input_cost_per_token is -1"),
        ({"input_cost_per_token": float("nan"), "output_cost_per_token": 0}, "nan"),
    ],
)
def test_a_wrong_price_is_named(info: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Pricing.of("my-model", "openai", info)


# --- before the call --------------------------------------------------------------------------------------------------

ASKED = "Say hello to everyone in the room. " * 30  # 1050 characters


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": ASKED}], "max_tokens": 50},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}], "max_completion_tokens": 50},
        {"input": ASKED, "max_output_tokens": 50},
        {"system": ASKED, "messages": [], "max_tokens": 50},
        {"tools": [{"name": "a", "description": ASKED}], "messages": [], "max_tokens": 50},
    ],
)
def test_an_estimate_is_above_the_cost(body: dict[str, Any]) -> None:
    estimate = own().estimate(body)
    assert estimate.output_tokens == 50
    assert 350 <= estimate.tokens < 380
    assert estimate.amount == Decimal("0.000003") * estimate.tokens + Decimal("0.000015") * 50


def test_output_without_a_limit_is_that_of_the_model() -> None:
    assert own().estimate({"messages": []}).output_tokens == 1000
    assert own().estimate({"messages": [], "n": 3, "max_tokens": 7}).output_tokens == 21
    claude = Pricing.of("claude-opus-5", "anthropic")  # what a call without a limit gets on its way to Claude
    assert claude.estimate({"messages": []}).output_tokens == 16_000
    assert claude.estimate({"messages": [], "stream": True}).output_tokens == 32_000
    assert Pricing.of("gpt-4o-mini", "openai").estimate({"input": "", "stream": True}).output_tokens == 16_384


def test_marks_raise_the_estimate_of_the_input() -> None:
    claude = Pricing.of("claude-opus-5", "anthropic")

    def per_token(mark: dict[str, str] | None, **more: bool) -> Decimal:
        block = {"type": "text", "text": ASKED, **({"cache_control": mark} if mark else {})}
        found = claude.estimate({"messages": [{"role": "user", "content": [block]}], "max_tokens": 0}, **more)
        return found.amount / found.tokens * 1_000_000

    assert per_token(None) == 5
    assert per_token(None, marks=True) == Decimal("6.25")
    assert per_token({"type": "ephemeral"}) == Decimal("6.25")
    assert per_token({"type": "ephemeral", "ttl": "1h"}) == 10


def test_media_count_by_size_within_bounds() -> None:
    file = base64.b64encode(os.urandom(300_000)).decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": file}}
    chat_image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{file}"}}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": file}}
    for block, low, high in ((image, 1600, 1700), (chat_image, 1600, 1700), (pdf, 4000, 4100)):
        assert low <= own().estimate({"messages": [{"role": "user", "content": [block]}]}).tokens <= high


@pytest.mark.parametrize("odd", [{"max_tokens": "many"}, {"n": "two"}, {"messages": 5}, {"input": None}, {"n": -1}, {}])
def test_an_estimate_of_an_odd_body_does_not_raise(odd: dict[str, Any]) -> None:
    assert own().estimate(odd).amount > 0


def test_an_input_is_not_longer_than_the_model_takes() -> None:
    assert own(max_input_tokens=100).estimate({"input": ASKED}).tokens == 100


# --- answers that were cut --------------------------------------------------------------------------------------------


def test_a_cut_answer_is_charged_by_what_came() -> None:
    estimate = own().estimate({"input": ASKED, "max_output_tokens": 50})
    nothing = partial_usage(estimate)
    assert (nothing["input_tokens"], nothing["output_tokens"]) == (estimate.tokens, 0)
    started = partial_usage(estimate, usage(200, 1, cache_read=100), characters=81)
    assert (started["input_tokens"], started["output_tokens"], started["total_tokens"]) == (200, 21, 221)
    assert started["input_token_details"] == {"cache_read": 100}
    assert own().charge(started, {"incomplete": True}).is_priced
