"""What one message costs: prices to the last digit, and a reason wherever there is no price."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import genai_prices
import pytest
from genai_prices import data_snapshot
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified import ConfigurationError, message_cost
from langchain_unified.cost import Cost, usd
from langchain_unified.wires import WIRES
from tests.support.corpus import label, needs_corpus, replies, sse_events, streams

DAY = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
"""The day of the prices that are pinned here, of genai-prices 0.2.3; its later tables keep the prices of a day."""


def claude(usage: Mapping[str, Any], model: str = "claude-sonnet-4-5-20250929", **reply: Any) -> AIMessage:
    said = {"stop_reason": "end_turn", "created_at": DAY, **reply}
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": model,
        "usage": usage,
        **said,
    }
    return WIRES["anthropic_messages"].decode(body)[0]


def gpt(usage: Mapping[str, Any], model: str = "gpt-5.6-sol", output: Any = (), **reply: Any) -> AIMessage:
    said = {"status": "completed", "created_at": DAY, **reply}
    return WIRES["openai_responses"].decode(
        {"id": "resp_1", "model": model, "output": list(output), "usage": usage, **said}
    )[0]


def chat(usage: Mapping[str, Any], model: str = "gpt-4o-2024-08-06", **reply: Any) -> AIMessage:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    body = {"id": "chatcmpl-1", "choices": [choice], "model": model, "usage": usage, "created": DAY, **reply}
    return WIRES["openai_chat"].decode(body)[0]


def amounts(cost: Cost) -> dict[str, str]:
    """`kind -> USD`, as a person would write them."""
    return {line.kind: str(line.amount and f"{line.amount.normalize():f}") for line in cost.lines}


# --- the prices of some models ----------------------------------------------------------------------------------------


def test_a_claude_reply_with_every_kind_of_input() -> None:
    cost = message_cost(
        claude(
            {
                "input_tokens": 1_000,
                "cache_read_input_tokens": 10_000,
                "cache_creation_input_tokens": 5_000,
                "cache_creation": {"ephemeral_5m_input_tokens": 3_000, "ephemeral_1h_input_tokens": 2_000},
                "output_tokens": 400,
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
                "service_tier": "standard",
            }
        )
    )
    assert [(line.kind, line.units, line.unit_price, line.amount) for line in cost.lines] == [
        ("uncached", 1_000, Decimal(3), Decimal("0.003")),
        ("cache_read", 10_000, Decimal("0.3"), Decimal("0.003")),
        ("cache_write_5m", 3_000, Decimal("3.75"), Decimal("0.01125")),
        ("cache_write_1h", 2_000, Decimal(6), Decimal("0.012")),
        ("output", 400, Decimal(15), Decimal("0.006")),
        ("web_search", 2, Decimal(10), Decimal("0.02")),
        ("web_fetch", 1, Decimal(0), Decimal(0)),
    ]
    assert cost.total == Decimal("0.05525")
    # Uncached, the 15,000 cached tokens had cost 0.045 instead of 0.02625.
    assert cost.saved == Decimal("0.01875")
    assert cost.reason is None
    assert cost.currency == "USD"
    assert cost.priced_as is not None
    assert (cost.priced_as.model, cost.priced_as.provider) == ("claude-sonnet-4-5", "anthropic")
    assert cost.priced_as.tier == "standard"
    assert cost.priced_as.source == f"genai-prices {genai_prices.__version__}"


def test_an_openai_reply_with_every_kind_of_input() -> None:
    details = {"cached_tokens": 600, "cache_write_tokens": 300, "cache_write_tokens_details": {"ttl_30m_tokens": 300}}
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "x"},
    }
    page = {**search, "id": "ws_2", "action": {"type": "open_page", "url": "https://example.org"}}
    files = {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["x"]}
    usage = {"input_tokens": 1_000, "input_tokens_details": details, "output_tokens": 50}
    cost = message_cost(gpt(usage, output=[search, page, files], service_tier="default"))
    assert amounts(cost) == {
        "uncached": "0.0004",  # 100 at 4
        "cache_read": "0.00024",  # 600 at 0.40
        "cache_write": "0.0015",  # 300 at 5
        "output": "0.001",  # 50 at 20
        "web_search": "0.01",
        "file_search": "0.0025",
    }
    assert cost.total == Decimal("0.01564")
    assert cost.saved == Decimal("0.00186")


@pytest.mark.parametrize(
    "message, total",
    [
        (claude({"input_tokens": 1_000_000, "output_tokens": 100_000}, "claude-opus-5"), "7.5"),
        (claude({"input_tokens": 1_000, "output_tokens": 1_000}, "claude-haiku-4-5-20251001"), "0.006"),
        (claude({"input_tokens": 1_000, "output_tokens": 1_000}, "claude-fable-5"), "0.06"),
        (chat({"prompt_tokens": 1_000, "completion_tokens": 1_000}), "0.0125"),
        (chat({"prompt_tokens": 1_000, "completion_tokens": 1_000}, "gpt-4o-mini-2024-07-18"), "0.00075"),
        (gpt({"input_tokens": 1_000, "output_tokens": 1_000}, "gpt-5-2025-08-07"), "0.01125"),
        (gpt({"input_tokens": 1_000, "output_tokens": 1_000}, "o3-2025-04-16"), "0.01"),
        (gpt({"input_tokens": 1_000, "output_tokens": 1_000}, "gpt-5.6"), "0.024"),
    ],
    ids=lambda value: value.response_metadata["model_name"] if isinstance(value, AIMessage) else "",
)
def test_pinned_prices(message: AIMessage, total: str) -> None:
    assert message_cost(message).total == Decimal(total)


def test_a_reply_is_priced_as_of_its_day() -> None:
    usage = {"input_tokens": 1_000, "output_tokens": 1_000}
    early = int(datetime(2025, 5, 1, tzinfo=UTC).timestamp())
    assert message_cost(gpt(usage, "o3-2025-04-16", created_at=early)).total == Decimal("0.05")
    assert message_cost(gpt(usage, "o3-2025-04-16", created_at=DAY)).total == Decimal("0.01")
    assert message_cost(gpt(usage, "o3-2025-04-16", created_at=0)).total == Decimal("0.01")  # no day: as of today


@pytest.mark.parametrize("prompt, price", [(272_000, "4"), (272_001, "8")])
def test_a_long_prompt_is_measured_with_its_cached_tokens(prompt: int, price: str) -> None:
    cost = message_cost(
        gpt({"input_tokens": prompt, "input_tokens_details": {"cached_tokens": 270_000}, "output_tokens": 1})
    )
    assert cost.lines[0].unit_price == Decimal(price)
    assert cost.lines[1].unit_price == Decimal(price) / 10


# --- lifetimes of what was written ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "split, expected",
    [
        ({}, {"cache_write_5m": "0.003750"}),
        ({"ephemeral_5m_input_tokens": 200}, {"cache_write_5m": "0.003750"}),
        (
            {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 400},
            {"cache_write_5m": "0.002250", "cache_write_1h": "0.0024"},
        ),
        ({"ephemeral_1h_input_tokens": 5_000}, {"cache_write_1h": "0.006"}),
    ],
)
def test_what_the_split_leaves_open_was_written_for_five_minutes(
    split: Mapping[str, int], expected: Mapping[str, str]
) -> None:
    usage = {"input_tokens": 0, "cache_creation_input_tokens": 1_000, "cache_creation": split, "output_tokens": 0}
    found = amounts(message_cost(claude(usage)))
    assert {kind: Decimal(amount) for kind, amount in found.items()} == {
        kind: Decimal(amount) for kind, amount in expected.items()
    }


def test_an_hour_costs_twice_the_input_where_the_table_does_not_say() -> None:
    snapshot = data_snapshot.get_snapshot()
    provider = next(one for one in snapshot.providers if one.id == "anthropic")
    model = next(one for one in provider.models if one.id == "claude-opus-5")
    price = type(model.prices)(input_mtok=Decimal(5), cache_write_mtok=Decimal("6.25"), output_mtok=Decimal(25))
    bare = type(model)(id=model.id, match=model.match, prices=price)
    only = type(provider)(id="anthropic", name="Anthropic", api_pattern=provider.api_pattern, models=[bare])
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(providers=[only], from_auto_update=False))
    try:
        split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_000}
        usage = {"input_tokens": 0, "cache_creation_input_tokens": 1_000, "cache_creation": split, "output_tokens": 0}
        assert message_cost(claude(usage, "claude-opus-5")).total == Decimal("0.01")
    finally:
        data_snapshot.set_custom_snapshot(None)


def test_openai_s_long_lifetime_has_no_known_price() -> None:
    details = {"cache_write_tokens": 300, "cache_write_tokens_details": {"ttl_30m_tokens": 100, "ttl_12h_tokens": 200}}
    cost = message_cost(gpt({"input_tokens": 1_000, "input_tokens_details": details, "output_tokens": 0}))
    assert cost.total is None
    assert cost.reason is not None
    assert "cache_write_12h of gpt-5.6-sol" in cost.reason
    assert cost.saved is None
    assert amounts(cost) == {"uncached": "0.0028", "cache_write": "0.0005", "cache_write_12h": "None"}
    assert cost.known == Decimal("0.0033")


# --- tiers ------------------------------------------------------------------------------------------------------------

USAGE = {"input_tokens": 1_000, "output_tokens": 1_000}


@pytest.mark.parametrize(
    "message, total",
    [
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="default"), "0.01125"),
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="flex"), "0.005625"),
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="priority"), "0.0225"),
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="fast"), "0.0225"),
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="batch"), "0.005625"),
        (claude({**USAGE, "service_tier": "standard"}, "claude-opus-5"), "0.03"),
        (claude({**USAGE, "service_tier": "batch"}, "claude-opus-5"), "0.015"),
        (claude({**USAGE, "speed": "fast"}, "claude-opus-5"), "0.06"),
        (claude({**USAGE, "inference_geo": "us"}, "claude-opus-5"), "0.033"),
        (claude({**USAGE, "inference_geo": "not_available"}, "claude-opus-5"), "0.03"),
    ],
)
def test_a_tier_has_its_own_price(message: AIMessage, total: str) -> None:
    assert message_cost(message).total == Decimal(total)


@pytest.mark.parametrize(
    "message, word",
    [
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="scale"), "'scale'"),
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="auto"), "'auto'"),
        (gpt(USAGE, "gpt-4o-2024-08-06", service_tier="flex"), "'flex'"),
        (gpt(USAGE, "gpt-5-2025-08-07", service_tier="flex", created_at=DAY - 90 * 86_400), "on 2026-08-22"),
        (claude({**USAGE, "service_tier": "priority"}, "claude-opus-5"), "'priority'"),
        (claude({**USAGE, "service_tier": "batch"}, "claude-3-opus-20240229"), "'batch'"),
        (claude({**USAGE, "speed": "fast", "service_tier": "batch"}, "claude-opus-5"), "'batch, fast'"),
        (claude({**USAGE, "speed": "fast"}, "claude-haiku-4-5"), "'fast'"),
        (claude({**USAGE, "inference_geo": "mars"}, "claude-opus-5"), "'mars'"),
    ],
)
def test_a_tier_without_a_known_price_is_not_priced_as_standard(message: AIMessage, word: str) -> None:
    cost = message_cost(message)
    assert cost.total is None
    assert word in str(cost.reason)
    assert [line.kind for line in cost.lines] == ["uncached", "output"]


def test_a_tier_of_models_that_are_lent_is_not_known() -> None:
    """Azure's list takes these models from OpenAI's, at the standard price only."""
    about = {"model_provider": "azure", "model_name": "gpt-4o", "service_tier": "priority", "created_at": DAY}
    usage: Any = {"input_tokens": 1_000, "output_tokens": 1_000, "total_tokens": 2_000}
    cost = message_cost(AIMessage("Hi", response_metadata=about, usage_metadata=usage))
    assert cost.total is None
    assert "tier 'priority' of gpt-4o" in str(cost.reason)
    standard = AIMessage("Hi", response_metadata={**about, "service_tier": "default"}, usage_metadata=usage)
    assert message_cost(standard).total == Decimal("0.0125")


def test_the_prefixes_of_a_tier_are_read() -> None:
    usage = {"input_tokens": 1_000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 100}
    message = gpt(usage, "gpt-5-2025-08-07", service_tier="flex")
    assert message.usage_metadata is not None
    assert "flex_cache_read" in message.usage_metadata["input_token_details"]
    assert amounts(message_cost(message)) == {
        "uncached": "0.000375",
        "cache_read": "0.000025",
        "output": "0.0005",
    }
    # A message that only LangChain's names tell the tier of.
    bare = message.model_copy(update={"response_metadata": {"model_provider": "openai", "model_name": "gpt-5"}})
    assert message_cost(bare).priced_as == message_cost(message).priced_as


# --- several models in one reply --------------------------------------------------------------------------------------


def test_an_advisor_is_priced_as_the_model_that_it_is() -> None:
    own = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    usage = {
        "input_tokens": 2_390,
        "output_tokens": 121,
        "iterations": [
            {**own, "type": "message", "input_tokens": 1_128, "output_tokens": 110},
            {**own, "type": "advisor_message", "input_tokens": 2_518, "output_tokens": 22, "model": "claude-opus-4-8"},
            {**own, "type": "message", "input_tokens": 1_262, "output_tokens": 11},
        ],
    }
    cost = message_cost(claude(usage, "claude-sonnet-5"))
    assert [(line.model, line.kind, line.units, line.amount) for line in cost.lines] == [
        ("claude-sonnet-5", "uncached", 2_390, Decimal("0.00478")),
        ("claude-sonnet-5", "output", 121, Decimal("0.00121")),
        ("claude-opus-4-8", "uncached", 2_518, Decimal("0.01259")),
        ("claude-opus-4-8", "output", 22, Decimal("0.00055")),
    ]
    assert cost.total == Decimal("0.01913")
    assert cost.priced_as is not None
    assert cost.priced_as.model == "claude-sonnet-5"
    assert "2,518 uncached at $5/M (claude-opus-4-8)" in str(cost)


def test_a_compaction_costs_though_the_totals_leave_it_out() -> None:
    usage = {
        "input_tokens": 220,
        "output_tokens": 8,
        "iterations": [
            {"type": "compaction", "input_tokens": 55_196, "output_tokens": 125},
            {"type": "message", "input_tokens": 220, "output_tokens": 8},
        ],
    }
    cost = message_cost(claude(usage, "claude-sonnet-4-6"))
    assert [(line.kind, line.units) for line in cost.lines] == [("uncached", 55_416), ("output", 133)]
    assert cost.total == Decimal("0.168243")


def test_a_fallback_is_priced_attempt_by_attempt() -> None:
    served = {"input_tokens": 2, "output_tokens": 13_658, "cache_read_input_tokens": 79_214}
    declined = {
        "type": "message",
        "model": "claude-fable-5",
        "input_tokens": 2,
        "output_tokens": 578,
        "cache_creation_input_tokens": 10_421,
        "cache_read_input_tokens": 72_769,
    }
    answered = {**served, "type": "fallback_message", "model": "claude-opus-4-8"}
    cost = message_cost(claude({**served, "iterations": [declined, answered]}, "claude-opus-4-8"))
    by_model = {model: Decimal(0) for model in ("claude-fable-5", "claude-opus-4-8")}
    for line in cost.lines:
        by_model[line.model] += line.amount or 0
    assert by_model == {
        # 2 at 10, 72,769 at 1, 10,421 at 12.50, 578 at 50
        "claude-fable-5": Decimal("0.2319515"),
        # 2 at 5, 79,214 at 0.50, 13,658 at 25
        "claude-opus-4-8": Decimal("0.381067"),
    }
    free = {**declined, "output_tokens": 0}
    cost = message_cost(claude({**served, "iterations": [free, answered]}, "claude-opus-4-8"))
    assert cost.total == Decimal("0.381067")
    assert {line.unit_price for line in cost.lines if line.model == "claude-fable-5"} == {Decimal(0)}


def test_a_refusal_before_any_output_is_free() -> None:
    empty = claude({"input_tokens": 412, "output_tokens": 0}, "claude-fable-5", stop_reason="refusal")
    assert message_cost(empty).total == 0
    cached = {"input_tokens": 412, "cache_read_input_tokens": 5_000, "output_tokens": 0}
    cost = message_cost(claude(cached, "claude-fable-5", stop_reason="refusal"))
    assert (cost.total, cost.saved) == (0, 0)
    assert [(line.kind, line.unit_price) for line in message_cost(empty).lines] == [("uncached", Decimal(0))]
    begun = claude({"input_tokens": 412, "output_tokens": 10}, "claude-fable-5", stop_reason="refusal")
    assert message_cost(begun).total == Decimal("0.00462")


def test_what_is_not_known_of_an_iteration_is_said() -> None:
    usage = {**USAGE, "iterations": [{"type": "séance", "input_tokens": 1, "output_tokens": 1}]}
    cost = message_cost(claude(usage))
    assert (cost.total, cost.lines) == (None, ())
    assert "'séance'" in str(cost.reason)
    credit = message_cost(claude({**USAGE, "fallback_credit": {"status": {"type": "redeemed"}}}))
    assert credit.total is None
    assert "fallback credit" in str(credit.reason)


# --- tools, and fees of a call ----------------------------------------------------------------------------------------


def test_a_tool_without_a_known_price_leaves_the_total_open() -> None:
    calls = [{"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1", "container_id": "c"}]
    message = gpt(USAGE, "gpt-5-2025-08-07", output=calls)
    cost = message_cost(message)
    assert cost.total is None
    assert cost.known == Decimal("0.01125")
    assert cost.reason == (
        f"no price is known for code_interpreter of gpt-5-2025-08-07 (genai-prices {genai_prices.__version__})"
    )
    assert cost.saved == 0
    own = {"gpt-5": {"input": "1.25", "output": 10, "code_interpreter": 30}}
    assert message_cost(message, prices=own).total == Decimal("0.04125")


def test_a_model_that_searches_each_time_has_a_fee_that_nobody_reports() -> None:
    message = chat({"prompt_tokens": 1_000, "completion_tokens": 0}, "gpt-4o-mini-search-preview-2025-03-11")
    cost = message_cost(message)
    assert cost.total is None
    assert "request of gpt-4o-mini-search-preview-2025-03-11" in str(cost.reason)
    own = {"gpt-4o-*search-preview": {"input": "0.15", "output": "0.60", "request": "25"}}
    assert message_cost(message, prices=own).total == Decimal("0.02515")


def test_audio_is_priced_as_audio_or_not_at_all() -> None:
    usage = {
        "prompt_tokens": 100,
        "prompt_tokens_details": {"audio_tokens": 60, "cached_tokens": 0},
        "completion_tokens": 50,
        "completion_tokens_details": {"audio_tokens": 40},
    }
    assert amounts(message_cost(chat(usage, "gpt-audio-2025-08-28"))) == {
        "uncached": "0.0001",
        "audio_input": "0.00192",
        "output": "0.0001",
        "audio_output": "0.00256",
    }
    older = message_cost(chat(usage, "gpt-4o-audio-preview-2024-12-17"))
    assert older.total is None
    assert "audio_input" in str(older.reason)
    assert "audio_output" in str(older.reason)
    mixed = {**usage, "prompt_tokens_details": {"audio_tokens": 60, "cached_tokens": 10}}
    assert "audio" in str(message_cost(chat(mixed, "gpt-audio-2025-08-28")).reason)


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
def test_an_unknown_model_has_no_price_and_its_tokens_are_told(provider: str, model: str) -> None:
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
        (AIMessageChunk(content="H", response_metadata={"model_name": "gpt-4o"}), "ended before its usage came"),
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


def test_own_prices_count_before_the_published_ones() -> None:
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
def test_own_prices_find_their_model(pattern: str) -> None:
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


def test_own_prices_have_no_price_for_what_they_leave_out() -> None:
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
        ({5: {"input": 3, "output": 3}}, "5 where a model's name belongs"),
        ({"gpt-4o": {"inptu": 3, "output": 15}}, "unknown key 'inptu'. Did you mean 'input'?"),
        ({"gpt-4o": {"input": 3, "output": 15, "zzz": 1}}, "unknown key 'zzz'. The keys are input, output,"),
        ({"gpt-4o": {"input": 3}}, "prices['gpt-4o'] has no 'output'"),
        ({"gpt-4o": {}}, "has no 'input' and no 'output'"),
        ({"gpt-4o": {"input": -1, "output": 15}}, "prices['gpt-4o']['input'] is -1"),
        ({"gpt-4o": {"input": float("nan"), "output": 15}}, "['input'] is nan"),
        ({"gpt-4o": {"input": "Infinity", "output": 15}}, "['input'] is 'Infinity'"),
        ({"gpt-4o": {"input": True, "output": 15}}, "['input'] is True"),
        ({"gpt-4o": {"input": "3 USD", "output": 15}}, "['input'] is '3 USD'. Give USD as a number from 0 on"),
        ({"gpt-4o": {"input": None, "output": 15}}, "['input'] is None"),
    ],
)
def test_what_is_no_price_is_refused(prices: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        message_cost(AIMessage("Hi"), prices=prices)
    assert words in str(caught.value)


# --- arithmetic -------------------------------------------------------------------------------------------------------

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


# --- recorded traffic -------------------------------------------------------------------------------------------------

ENDPOINTS = {
    "anthropic.messages": "anthropic_messages",
    "openai.chat": "openai_chat",
    "openai.responses": "openai_responses",
}


@needs_corpus
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_recorded_reply_has_a_price_or_a_reason(endpoint: str) -> None:
    priced = 0
    for exchange in replies(endpoint):
        for message in WIRES[ENDPOINTS[endpoint]].decode(exchange["response"]["body"]):
            cost = message_cost(message)
            assert (cost.total is None) == (cost.reason is not None), label(exchange)
            if cost.total is not None:
                assert cost.total == sum(line.amount or 0 for line in cost.lines), label(exchange)
                assert cost.total > 0 or not message.usage_metadata["output_tokens"], label(exchange)  # type: ignore[index]
                priced += 1
    assert priced > 150


@needs_corpus
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_recorded_stream_costs_what_its_reply_costs(endpoint: str) -> None:
    count = 0
    for exchange in streams(endpoint):
        decoder = WIRES[ENDPOINTS[endpoint]].stream_decoder(True)
        events = sse_events(exchange["response"]["sse"])
        chunks = [chunk for event in events for chunk in decoder.feed(event)] + list(decoder.end())
        whole = sum(chunks[1:], start=chunks[0])
        last = next((chunk for chunk in reversed(chunks) if chunk.usage_metadata), None)
        assert message_cost(whole).total == (None if last is None else message_cost(last).total), label(exchange)
        count += message_cost(whole).total is not None
    assert count > 50


# --- the package genai-prices -----------------------------------------------------------------------------------------


def test_without_the_extra_there_is_no_price_but_the_caller_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    message = chat({"prompt_tokens": 1_000_000, "completion_tokens": 0})
    cost = message_cost(message)
    assert cost.total is None
    assert cost.reason == ("genai-prices is not installed: pip install 'langchain-unified[cost]', or give prices={…}")
    assert message_cost(message, prices={"*": {"input": 1, "output": 1}}).total == 1


def test_it_is_imported_with_the_first_price_and_starts_nothing() -> None:
    program = """
import sys, threading
from langchain_core.messages import AIMessage
from langchain_unified import Budget, ChatUnified, cost_callback, message_cost, reply
ChatUnified("anthropic/claude-opus-5", api_key="x", callbacks=[Budget(usd=1)])
used = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
answer = reply(AIMessage("Hi", response_metadata={"model_name": "gpt-4o"}, usage_metadata=used))
with cost_callback():
    assert answer.input_tokens == 1
assert "genai_prices" not in sys.modules
before = threading.active_count()
assert answer.cost.total
assert "genai_prices" in sys.modules
assert threading.active_count() == before
assert "anthropic" not in sys.modules and "openai" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_pricing_never_starts_the_updater() -> None:
    before = threading.active_count()
    message_cost(claude(USAGE))
    assert threading.active_count() == before
    assert data_snapshot._custom_snapshot is None
