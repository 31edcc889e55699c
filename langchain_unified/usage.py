"""Usage metadata and finish reasons, the same for every provider.

`input_tokens` are all tokens of the prompt: uncached + `cache_read` + `cache_creation`. `output_tokens` are all tokens
of the reply, with its reasoning. `total_tokens` is their sum. What a provider does not report is absent, never 0.

The counts in `input_token_details` never overlap, so they can be added up and priced. `cache_creation` counts all
tokens written to the cache; `cache_creation_details` beside it counts them by TTL. Counts that overlap with others
(`text_tokens`) are only in the provider's own usage: `response_metadata["usage"]` on Anthropic, `["token_usage"]` on
OpenAI.

`server_tool_details` counts the uses of the provider's own tools, as `web_search_requests` and so on. Anthropic reports
them. OpenAI does not: the items in the output of a reply are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, cast

from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata

FinishReason: TypeAlias = Literal[
    "stop", "tool_calls", "length", "content_filter", "refusal", "context_window", "pause", "error", "other"
]

ANTHROPIC_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_window",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
}

CHAT_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
}

RESPONSES_INCOMPLETE: Mapping[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_messages": "pause",
    "steered": "pause",
    "content_filter": "content_filter",
}


def common_finish_reason(table: Mapping[str, FinishReason], raw: str | None) -> FinishReason | None:
    """The common finish reason for a provider's own one: `other` if the table lacks it, `None` for `None`."""
    return None if raw is None else table.get(raw, "other")


def anthropic_usage(raw: Mapping[str, Any]) -> UsageMetadata:
    """The `usage_metadata` of a Messages `usage` object, whose `input_tokens` are only the uncached ones."""
    details: dict[str, int] = {}
    by_ttl = _counts(raw.get("cache_creation"))
    # In some recorded replies the counts by TTL add up to less than the total. The total is right.
    written = raw.get("cache_creation_input_tokens")
    written = sum(by_ttl.values()) if written is None and by_ttl else written
    read = raw.get("cache_read_input_tokens")
    if read is not None:
        details["cache_read"] = read
    if written is not None:
        details["cache_creation"] = written
    thinking = (raw.get("output_tokens_details") or {}).get("thinking_tokens")
    return _usage(
        (raw.get("input_tokens") or 0) + (read or 0) + (written or 0),
        raw.get("output_tokens") or 0,
        details,
        {} if thinking is None else {"reasoning": thinking},
        cache_creation_details=by_ttl,
        server_tool_details=_counts(raw.get("server_tool_use")),
    )


PREFIX_TIERS = ("priority", "flex")
"""Service tiers that LangChain adds to the names of the details (`priority_cache_read`)."""

# By OpenAI's name of a detail, LangChain's name.
_OPENAI_INPUT = {"cached_tokens": "cache_read", "cache_write_tokens": "cache_creation", "audio_tokens": "audio"}
_OPENAI_OUTPUT = {"reasoning_tokens": "reasoning", "audio_tokens": "audio"}


# By type of an output item, the name of its count, in the form of the names that Anthropic uses.
SERVER_CALLS: Mapping[str, str] = {
    "web_search_call": "web_search_requests",
    "file_search_call": "file_search_requests",
    "code_interpreter_call": "code_interpreter_requests",
    "image_generation_call": "image_generation_requests",
    "mcp_call": "mcp_requests",
    "shell_call": "shell_requests",
}

# Items that count only if the object under a key has one of these types. A `web_search_call` that opens a page or finds
# a text in it is not billed as a search. A `shell_call` outside OpenAI's container is run by the caller.
COUNTED_TYPES: Mapping[str, tuple[str, tuple[str | None, ...]]] = {
    "web_search_call": ("action", ("search", None)),
    "shell_call": ("environment", ("container_reference",)),
}


def server_calls(items: Iterable[Any]) -> dict[str, int]:
    """The uses of OpenAI's own tools, counted from the output items of a Responses reply; empty without any."""
    counts: dict[str, int] = {}
    for item in items:
        name = SERVER_CALLS.get(item.get("type") or "") if isinstance(item, Mapping) else None
        if name and _counts_as_use(item):
            counts[name] = counts.get(name, 0) + 1
    return counts


def _counts_as_use(item: Mapping[str, Any]) -> bool:
    key, types = COUNTED_TYPES.get(item["type"], (None, ()))
    value = item.get(key) if key else None
    return key is None or (value.get("type") if isinstance(value, Mapping) else None) in types


def openai_usage(raw: Mapping[str, Any], service_tier: str | None = None, output: Iterable[Any] = ()) -> UsageMetadata:
    """The `usage_metadata` of a Chat or Responses `usage` object, whose input tokens include the cached ones.

    `output`: the output items of the reply, to count the uses of OpenAI's own tools. With the service tiers `priority`
    and `flex`, the names of the details begin with the tier (`priority_cache_read`), and the tier itself counts the
    other tokens. LangChain core defines these names.
    """
    input_tokens = raw.get("input_tokens", raw.get("prompt_tokens")) or 0
    output_tokens = raw.get("output_tokens", raw.get("completion_tokens")) or 0
    raw_input = raw.get("input_tokens_details") or raw.get("prompt_tokens_details") or {}
    raw_output = raw.get("output_tokens_details") or raw.get("completion_tokens_details") or {}
    input_details = _details(raw_input, _OPENAI_INPUT)
    output_details = _details(raw_output, _OPENAI_OUTPUT)
    if service_tier in PREFIX_TIERS:
        input_details = _with_tier(input_details, service_tier, input_tokens, ("cache_read", "cache_creation"))
        output_details = _with_tier(output_details, service_tier, output_tokens, ("reasoning",))
    return _usage(
        input_tokens,
        output_tokens,
        input_details,
        output_details,
        cache_creation_details=_counts(raw_input.get("cache_write_tokens_details")),
        server_tool_details={**server_calls(output), **_counts(raw.get("server_tool_use"))},
    )


def without_tier(details: Any) -> dict[str, int]:
    """Details of `usage_metadata` by their names without a service tier; the count of the tier itself is left out."""
    found: dict[str, int] = {}
    for name, count in _counts(details).items():
        prefix, _, rest = name.partition("_")
        if name not in PREFIX_TIERS:
            found[rest if prefix in PREFIX_TIERS else name] = count
    return found


def _counts(raw: Any) -> dict[str, int]:
    """The integers of an object; empty where it is absent or `null`."""
    if not raw or not isinstance(raw, (dict, Mapping)):
        return {}
    return {name: count for name, count in raw.items() if isinstance(count, int)}


def _details(raw: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    return {names[key]: count for key, count in raw.items() if key in names and isinstance(count, int)}


def _with_tier(details: dict[str, int], tier: str, total: int, prefixed: tuple[str, ...]) -> dict[str, int]:
    """The details with the tier before some names, and the count of the tier itself: all tokens without those."""
    renamed = {f"{tier}_{key}" if key in prefixed else key: count for key, count in details.items()}
    return {**renamed, tier: max(0, total - sum(details.get(key, 0) for key in prefixed))}


def _usage(
    input_tokens: int,
    output_tokens: int,
    input_details: dict[str, int],
    output_details: dict[str, int],
    **further: dict[str, int],
) -> UsageMetadata:
    """LangChain's usage metadata. `further` details, for which LangChain has no key, are added if not empty."""
    usage = UsageMetadata(
        input_tokens=input_tokens, output_tokens=output_tokens, total_tokens=input_tokens + output_tokens
    )
    # Empty where the server reports none: programs read a detail with `.get` and expect the objects to be there.
    usage["input_token_details"] = cast(InputTokenDetails, input_details)
    usage["output_token_details"] = cast(OutputTokenDetails, output_details)
    return cast(UsageMetadata, {**usage, **{name: counts for name, counts in further.items() if counts}})
