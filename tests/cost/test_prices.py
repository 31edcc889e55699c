"""What one message costs: published prices, cache lifetimes, tiers, iterations and fees, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import genai_prices
import pytest
from genai_prices import data_snapshot
from langchain_core.messages import AIMessage

from langchain_unified import message_cost
from langchain_unified.cost import Cost
from tests.cost.helpers import DAY, USAGE, chat, claude, gpt


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


def test_openai_s_long_ttl_has_no_known_price() -> None:
    details = {"cache_write_tokens": 300, "cache_write_tokens_details": {"ttl_30m_tokens": 100, "ttl_12h_tokens": 200}}
    cost = message_cost(gpt({"input_tokens": 1_000, "input_tokens_details": details, "output_tokens": 0}))
    assert cost.total is None
    assert cost.reason is not None
    assert "cache_write_12h of gpt-5.6-sol" in cost.reason
    assert cost.saved is None
    assert amounts(cost) == {"uncached": "0.0028", "cache_write": "0.0005", "cache_write_12h": "None"}
    assert cost.known == Decimal("0.0033")


# --- tiers ------------------------------------------------------------------------------------------------------------


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


def test_a_tier_of_a_model_from_another_list_is_not_known() -> None:
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


def test_an_unknown_iteration_is_the_reason_for_no_total() -> None:
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


def test_a_model_that_searches_in_every_call_has_a_fee_without_a_price() -> None:
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
