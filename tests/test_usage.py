"""Token arithmetic: what comes in and out adds up on every provider, and nothing is counted twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata, add_usage

from langchain_unified.usage import anthropic_usage, openai_usage, server_calls
from langchain_unified.wires import WIRES
from tests.support.corpus import WIRE_OF, exchanges, label, needs_corpus, replies, sse_events, streams
from tests.support.streams import chunks_of, total


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


# langchain-openai's messages always have both detail objects, and programs rely on that.
NOTHING_REPORTED = {
    "input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "input_token_details": {}, "output_token_details": {},
}  # fmt: skip


def test_what_is_not_reported_is_absent() -> None:
    nothing: dict[str, Any] = {"input_tokens": 1, "output_tokens": 2}
    assert anthropic_usage(nothing) == NOTHING_REPORTED
    assert openai_usage(nothing) == NOTHING_REPORTED


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


# --- the provider's own tools -----------------------------------------------------------------------------------------


def test_anthropic_s_tools_are_counted_as_reported() -> None:
    raw = {
        "input_tokens": 1,
        "output_tokens": 2,
        "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 0},
    }
    usage: Any = anthropic_usage(raw)
    assert usage["server_tool_details"] == {"web_search_requests": 3, "web_fetch_requests": 0}
    assert "server_tool_details" not in anthropic_usage({**raw, "server_tool_use": None})
    assert "server_tool_details" not in anthropic_usage({**raw, "server_tool_use": {"web_search_requests": None}})


def test_openai_s_tools_are_counted_by_the_items_of_the_output() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    output = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {**search, "action": {"type": "search", "query": "x"}},
        {**search, "action": {"type": "open_page", "url": "https://example.org"}},
        {**search, "action": {"type": "find_in_page", "pattern": "y"}},
        search,
        {"type": "file_search_call", "id": "fs_1"},
        {"type": "code_interpreter_call", "id": "ci_1"},
        {"type": "image_generation_call", "id": "ig_1"},
        {"type": "mcp_call", "id": "mcp_1"},
        {"type": "shell_call", "id": "sh_1", "environment": {"type": "container_reference", "container_id": "c"}},
        {"type": "shell_call", "id": "sh_2", "environment": {"type": "local"}},
        {"type": "shell_call", "id": "sh_3", "environment": None},
        {"type": "mcp_list_tools", "id": "mcpl_1"},
        {"type": "function_call", "id": "fc_1"},
        {"type": None},
        "no item",
    ]
    assert server_calls(output) == {
        "web_search_requests": 2,
        "file_search_requests": 1,
        "code_interpreter_requests": 1,
        "image_generation_requests": 1,
        "mcp_requests": 1,
        "shell_requests": 1,
    }
    usage: Any = openai_usage({"input_tokens": 1, "output_tokens": 2}, output=output)
    assert usage["server_tool_details"] == server_calls(output)
    assert "server_tool_details" not in openai_usage({"input_tokens": 1, "output_tokens": 2}, output=output[:1])


def test_a_chat_server_that_reports_its_tools_is_read() -> None:
    usage: Any = openai_usage(
        {"prompt_tokens": 1, "completion_tokens": 2, "server_tool_use": {"web_search_requests": 1}}
    )
    assert usage["server_tool_details"] == {"web_search_requests": 1}


def test_core_s_sum_over_chunks_keeps_all_of_it() -> None:
    usage = anthropic_usage(
        {
            "input_tokens": 1,
            "cache_creation_input_tokens": 5,
            "cache_creation": {"ephemeral_5m_input_tokens": 5},
            "output_tokens": 2,
            "server_tool_use": {"web_search_requests": 3},
        }
    )
    chunks = [AIMessageChunk("a"), AIMessageChunk("b"), AIMessageChunk("", usage_metadata=usage, chunk_position="last")]
    assert sum(chunks[1:], start=chunks[0]).usage_metadata == usage
    twice: Any = add_usage(usage, usage)
    assert twice["cache_creation_details"] == {"ephemeral_5m_input_tokens": 10}
    assert twice["server_tool_details"] == {"web_search_requests": 6}


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


each_endpoint = pytest.mark.parametrize("endpoint", WIRE_OF)


@needs_corpus
@each_endpoint
def test_every_recorded_usage_adds_up(endpoint: str) -> None:
    reader = anthropic_usage if endpoint.startswith("anthropic") else openai_usage
    bodies = [exchange["response"]["body"] or {} for exchange in exchanges(endpoint)]
    usages = [reader(body["usage"]) for body in bodies if body.get("usage")]
    assert len(usages) > 100
    for usage in usages:
        check(usage)


@needs_corpus
@each_endpoint
def test_every_recorded_message_has_the_provider_s_totals(endpoint: str) -> None:
    """`input_tokens` is all that went in, `cache_read` and `cache_creation` are parts of it, whole and streamed."""
    count = 0
    for exchange in replies(endpoint):
        raw = exchange["response"]["body"].get("usage")
        message = WIRES[WIRE_OF[endpoint]].decode(exchange["response"]["body"])[0]
        count += _same(message.usage_metadata, raw, label(exchange))
    for exchange in streams(endpoint):
        events = sse_events(exchange["response"]["sse"])
        chunks = chunks_of(WIRES[WIRE_OF[endpoint]], events, plain=True)
        assert sum(chunk.usage_metadata is not None for chunk in chunks) <= 1, label(exchange)
        whole = total(chunks)
        count += _same(whole.usage_metadata, raw_usage(whole), label(exchange))
    assert count > 200


def raw_usage(message: Any) -> Any:
    return message.response_metadata.get("usage") or message.response_metadata.get("token_usage")


def _same(usage: Any, raw: Any, name: str) -> bool:
    if not raw:
        assert usage is None, name
        return False
    check(usage)
    received = raw.get("input_tokens_details") or raw.get("prompt_tokens_details") or {}
    read = raw.get("cache_read_input_tokens", received.get("cached_tokens"))
    written = raw.get("cache_creation_input_tokens", received.get("cache_write_tokens"))
    details = {key.removeprefix("flex_"): value for key, value in usage.get("input_token_details", {}).items()}
    assert (details.get("cache_read"), details.get("cache_creation")) == (read, written), name
    beside = (read or 0) + (written or 0) if "cache_read_input_tokens" in raw else 0
    assert usage["input_tokens"] == raw.get("input_tokens", raw.get("prompt_tokens")) + beside, name
    assert usage["output_tokens"] == raw.get("output_tokens", raw.get("completion_tokens")), name
    if "server_tool_use" in raw:
        assert usage.get("server_tool_details", {}) == (raw["server_tool_use"] or {}), name
    return True


@needs_corpus
@pytest.mark.parametrize(
    "endpoint, searches", [("anthropic.messages", 16), ("openai.chat", 0), ("openai.responses", 24)]
)
def test_recorded_searches_are_counted(endpoint: str, searches: int) -> None:
    wire = WIRES[WIRE_OF[endpoint]]
    usages: list[Any] = [wire.decode(each["response"]["body"])[0].usage_metadata for each in replies(endpoint)]
    for exchange in streams(endpoint):
        chunks = chunks_of(wire, sse_events(exchange["response"]["sse"]), plain=True)
        usages += [chunk.usage_metadata for chunk in chunks]
    details = [usage.get("server_tool_details", {}) for usage in usages if usage]
    assert sum(each.get("web_search_requests", 0) for each in details) == searches
