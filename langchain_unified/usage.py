"""Token arithmetic and finish reasons.

The rule on every provider: `input_tokens` is everything that went in, uncached + `cache_read` + `cache_creation`;
`output_tokens` is everything that came out, reasoning included; `total_tokens` is their sum. What a provider does not
report is absent, never 0.

The counts in `input_token_details` never overlap, so that they may be summed and priced: `cache_creation` is the whole
of what was written, and its parts by lifetime stand apart, in `cache_creation_details`. Counts that overlap others
(`text_tokens`) stay in the provider's own figures, `response_metadata["usage"]`.

`server_tool_details` counts what the provider's own tools did, as `web_search_requests` and the like: what Anthropic
reports, and on OpenAI, which reports nothing, the items of the reply's output.
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


def finish(table: Mapping[str, FinishReason], raw: str | None) -> FinishReason | None:
    """The common finish reason for a provider's own; `None` when it gave none, `other` for one we do not know."""
    return None if raw is None else table.get(raw, "other")


def anthropic_usage(raw: Mapping[str, Any]) -> UsageMetadata:
    """`usage_metadata` of a Messages `usage` object, whose `input_tokens` leaves the cached tokens out."""
    details: dict[str, int] = {}
    split = raw.get("cache_creation") or {}
    parts = _counts(split)
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
        cache_creation_details=parts,
        server_tool_details=_counts(raw.get("server_tool_use")),
    )


# OpenAI's name of a detail -> LangChain's.
_OPENAI_INPUT = {"cached_tokens": "cache_read", "cache_write_tokens": "cache_creation", "audio_tokens": "audio"}
_OPENAI_OUTPUT = {"reasoning_tokens": "reasoning", "audio_tokens": "audio"}


# The type of an output item -> the name of its count, spelt as Anthropic spells the ones it reports.
SERVER_CALLS: Mapping[str, str] = {
    "web_search_call": "web_search_requests",
    "file_search_call": "file_search_requests",
    "code_interpreter_call": "code_interpreter_requests",
    "image_generation_call": "image_generation_requests",
    "mcp_call": "mcp_requests",
    "shell_call": "shell_requests",
}

# Where an item says whether it was a use: the key, and the types there. A `web_search_call` that opens a page or looks
# for a text in it is not billed as a search, and a `shell_call` elsewhere than in OpenAI's container is the caller's.
USES: Mapping[str, tuple[str, tuple[str | None, ...]]] = {
    "web_search_call": ("action", ("search", None)),
    "shell_call": ("environment", ("container_reference",)),
}


def server_calls(items: Iterable[Any]) -> dict[str, int]:
    """How often a Responses reply used OpenAI's own tools, by its output items. Nothing where it used none."""
    counts: dict[str, int] = {}
    for item in items:
        name = SERVER_CALLS.get(item.get("type") or "") if isinstance(item, Mapping) else None
        if name and _is_use(item):
            counts[name] = counts.get(name, 0) + 1
    return counts


def _is_use(item: Mapping[str, Any]) -> bool:
    key, types = USES.get(item["type"], (None, ()))
    said = item.get(key) if key else None
    return key is None or (said.get("type") if isinstance(said, Mapping) else None) in types


def openai_usage(raw: Mapping[str, Any], service_tier: str | None = None, output: Iterable[Any] = ()) -> UsageMetadata:
    """`usage_metadata` of a Chat or Responses `usage` object, whose input already includes the cached tokens.

    `output`: the reply's output items, of which the calls of OpenAI's own tools are counted. On the `priority` and
    `flex` tiers the details carry the tier as a prefix (`priority_cache_read`), and the tier itself counts the rest, as
    LangChain core names them.
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
    return _usage(
        incoming,
        outgoing,
        into,
        out_of,
        cache_creation_details=_counts(split),
        server_tool_details={**server_calls(output), **_counts(raw.get("server_tool_use"))},
    )


def _counts(raw: Any) -> dict[str, int]:
    """The numbers of an object; nothing where there is no object, or where one says `null`."""
    found = raw if isinstance(raw, Mapping) else {}
    return {name: count for name, count in found.items() if isinstance(count, int)}


def _details(raw: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    return {names[key]: count for key, count in raw.items() if key in names and isinstance(count, int)}


def _tiered(details: dict[str, int], tier: str, total: int, prefixed: tuple[str, ...]) -> dict[str, int]:
    renamed = {f"{tier}_{key}" if key in prefixed else key: count for key, count in details.items()}
    return {**renamed, tier: total - sum(details.get(key, 0) for key in prefixed)}


def _usage(
    incoming: int, outgoing: int, into: dict[str, int], out_of: dict[str, int], **beside: dict[str, int]
) -> UsageMetadata:
    """The counts in LangChain's form; those of `beside`, which LangChain has no names for, where there are any."""
    usage = UsageMetadata(input_tokens=incoming, output_tokens=outgoing, total_tokens=incoming + outgoing)
    if into:
        usage["input_token_details"] = cast(InputTokenDetails, into)
    if out_of:
        usage["output_token_details"] = cast(OutputTokenDetails, out_of)
    return cast(UsageMetadata, {**usage, **{name: counts for name, counts in beside.items() if counts}})
