"""Token arithmetic: what comes in and out adds up on every provider, and nothing is counted twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.usage import anthropic_usage, openai_usage
from tests.corpus import exchanges, needs_corpus


def test_anthropic_input_holds_the_cache_and_the_split_stands_apart() -> None:
    usage = anthropic_usage(
        {
            "input_tokens": 10,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 50,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 3},
        }
    )
    assert usage == {
        "input_tokens": 160,
        "output_tokens": 7,
        "total_tokens": 167,
        "input_token_details": {"cache_read": 100, "cache_creation": 50},
        "output_token_details": {"reasoning": 3},
        "cache_creation_details": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    }


def test_the_total_is_right_where_the_split_is_smaller() -> None:
    split = {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0}
    usage = anthropic_usage(
        {"input_tokens": 1, "cache_creation_input_tokens": 50, "cache_creation": split, "output_tokens": 1}
    )
    assert usage["input_tokens"] == 51
    assert usage["input_token_details"]["cache_creation"] == 50


def test_what_is_not_reported_is_absent() -> None:
    nothing: dict[str, Any] = {"input_tokens": 1, "output_tokens": 2}
    assert anthropic_usage(nothing) == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert openai_usage(nothing) == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


@pytest.mark.parametrize("into, out_of", [("prompt", "completion"), ("input", "output")])
def test_openai_input_is_the_total_already(into: str, out_of: str) -> None:
    usage = openai_usage(
        {
            f"{into}_tokens": 200,
            f"{into}_tokens_details": {
                "cached_tokens": 100,
                "cache_write_tokens": 50,
                "cache_write_tokens_details": {"ttl_30m_tokens": 50, "ttl_12h_tokens": 0},
                "text_tokens": 200,
            },
            f"{out_of}_tokens": 9,
            f"{out_of}_tokens_details": {"reasoning_tokens": 4},
        }
    )
    assert usage == {
        "input_tokens": 200,
        "output_tokens": 9,
        "total_tokens": 209,
        "input_token_details": {"cache_read": 100, "cache_creation": 50},
        "output_token_details": {"reasoning": 4},
        "cache_creation_details": {"ttl_30m_tokens": 50, "ttl_12h_tokens": 0},
    }


def test_a_service_tier_prefixes_what_it_prices() -> None:
    details = {"cached_tokens": 100}
    usage = openai_usage({"input_tokens": 150, "output_tokens": 5, "input_tokens_details": details}, "priority")
    assert usage["input_token_details"] == {"priority_cache_read": 100, "priority": 50}
    assert usage["output_token_details"] == {"priority": 5}


COUNT = st.integers(0, 10**6)


@given(uncached=COUNT, read=COUNT, written=COUNT, output=COUNT)
def test_the_details_never_exceed_the_total(uncached: int, read: int, written: int, output: int) -> None:
    anthropic = anthropic_usage(
        {
            "input_tokens": uncached,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "cache_creation": {"ephemeral_5m_input_tokens": written},
            "output_tokens": output,
        }
    )
    openai = openai_usage(
        {
            "input_tokens": uncached + read + written,
            "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "output_tokens": output,
        }
    )
    for usage in (anthropic, openai):
        check(usage)
        assert usage["input_tokens"] == uncached + read + written


def check(usage: UsageMetadata) -> None:
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert sum(usage.get("input_token_details", {}).values()) <= usage["input_tokens"]  # type: ignore[misc]
    assert sum(usage.get("output_token_details", {}).values()) <= usage["output_tokens"]  # type: ignore[misc]


@needs_corpus
@pytest.mark.parametrize("endpoint", ["anthropic.messages", "openai.chat", "openai.responses"])
def test_every_recorded_usage_adds_up(endpoint: str) -> None:
    reader = anthropic_usage if endpoint.startswith("anthropic") else openai_usage
    bodies = [exchange["response"]["body"] or {} for exchange in exchanges(endpoint)]
    usages = [reader(body["usage"]) for body in bodies if body.get("usage")]
    assert len(usages) > 100
    for usage in usages:
        check(usage)
