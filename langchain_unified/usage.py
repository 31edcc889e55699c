"""Token arithmetic and finish reasons.

The rule on every provider: `input_tokens` is everything that went in, uncached + `cache_read` + `cache_creation`;
`output_tokens` is everything that came out, reasoning included; `total_tokens` is their sum. What a provider does not
report is absent, never 0.

The counts in `input_token_details` never overlap, so that they may be summed and priced: `cache_creation` is the whole
of what was written, and its parts by lifetime stand apart, in `cache_creation_details`. Counts that overlap others
(`text_tokens`) stay in the provider's own figures, `response_metadata["usage"]`.
"""

from __future__ import annotations

from collections.abc import Mapping
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


def finish(table: Mapping[str, FinishReason], raw: str | None) -> FinishReason | None:
    """The common finish reason for a provider's own; `None` when it gave none, `other` for one we do not know."""
    return None if raw is None else table.get(raw, "other")


def anthropic_usage(raw: Mapping[str, Any]) -> UsageMetadata:
    """`usage_metadata` of a Messages `usage` object, whose `input_tokens` leaves the cached tokens out."""
    details: dict[str, int] = {}
    split = raw.get("cache_creation") or {}
    parts = {name: count for name, count in split.items() if isinstance(count, int)}
    # Recorded replies hold a TTL split that is smaller than the total: the total is right where both are given.
    written = raw.get("cache_creation_input_tokens")
    written = sum(parts.values()) if written is None and parts else written
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
        parts,
    )


# OpenAI's name of a detail -> LangChain's.
_OPENAI_INPUT = {"cached_tokens": "cache_read", "cache_write_tokens": "cache_creation", "audio_tokens": "audio"}
_OPENAI_OUTPUT = {"reasoning_tokens": "reasoning", "audio_tokens": "audio"}


def openai_usage(raw: Mapping[str, Any], service_tier: str | None = None) -> UsageMetadata:
    """`usage_metadata` of a Chat or Responses `usage` object, whose input already includes the cached tokens.

    On the `priority` and `flex` tiers the details carry the tier as a prefix (`priority_cache_read`), and the tier
    itself counts the rest, as LangChain core names them.
    """
    incoming = raw.get("input_tokens", raw.get("prompt_tokens")) or 0
    outgoing = raw.get("output_tokens", raw.get("completion_tokens")) or 0
    received = raw.get("input_tokens_details") or raw.get("prompt_tokens_details") or {}
    produced = raw.get("output_tokens_details") or raw.get("completion_tokens_details") or {}
    split = received.get("cache_write_tokens_details") or {}
    into = _details(received, _OPENAI_INPUT)
    out_of = _details(produced, _OPENAI_OUTPUT)
    if service_tier in ("priority", "flex"):
        into = _tiered(into, service_tier, incoming, ("cache_read", "cache_creation"))
        out_of = _tiered(out_of, service_tier, outgoing, ("reasoning",))
    parts = {key: count for key, count in split.items() if isinstance(count, int)}
    return _usage(incoming, outgoing, into, out_of, parts)


def _details(raw: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    return {names[key]: count for key, count in raw.items() if key in names and isinstance(count, int)}


def _tiered(details: dict[str, int], tier: str, total: int, prefixed: tuple[str, ...]) -> dict[str, int]:
    renamed = {f"{tier}_{key}" if key in prefixed else key: count for key, count in details.items()}
    return {**renamed, tier: total - sum(details.get(key, 0) for key in prefixed)}


def _usage(
    incoming: int, outgoing: int, into: dict[str, int], out_of: dict[str, int], written: dict[str, int]
) -> UsageMetadata:
    usage = UsageMetadata(input_tokens=incoming, output_tokens=outgoing, total_tokens=incoming + outgoing)
    if into:
        usage["input_token_details"] = cast(InputTokenDetails, into)
    if out_of:
        usage["output_token_details"] = cast(OutputTokenDetails, out_of)
    if written:
        usage["cache_creation_details"] = written  # type: ignore[typeddict-unknown-key]
    return usage
