"""How an answer ended and what it used, where programs, tracers and LangChain's events look for it.

`normalized_finish_reason` and `finish_state` are the keys that core reads from 1.8.4 on (`_finish_reason.py` there).
Their values are those of the release notes of @langchain/core 1.5.0 and @langchain/anthropic 1.6.6, 2026-11-20: the
Python packages of the providers do not set the keys yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.request import JsonObject
from langchain_unified.usage import FinishReason

NORMALIZED: Mapping[FinishReason, str] = {
    "stop": "stop",
    "tool_calls": "tool_call",
    "length": "length",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "context_window": "context_exceeded",
    "pause": "other",
    "error": "error",
    "other": "other",
}
"""Our common finish reason -> core's `normalized_finish_reason`. A pause has no word there: `finish_state` says it."""

FINISH_KEYS = ("finish_reason", "normalized_finish_reason", "finish_state")
"""The keys that core copies from `response_metadata` into the event that ends a message."""


def add_finish(message: AIMessage) -> JsonObject:
    """Write core's keys beside `finish_reason`, and return the `generation_info` of the answer.

    `finish_state` is there for Anthropic, as in LangChain: `suspended` for a turn that goes on when it is sent back.
    """
    metadata = message.response_metadata
    reason = metadata.get("finish_reason")
    if not isinstance(reason, str):
        return {}
    metadata["normalized_finish_reason"] = NORMALIZED.get(reason, "other")  # type: ignore[call-overload]
    if reason == "pause" or metadata.get("model_provider") == "anthropic":
        metadata["finish_state"] = "suspended" if reason == "pause" else "complete"
    return {"finish_reason": reason}


WRITES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def list_writes_by_ttl(message: AIMessage) -> None:
    """Write the tokens that went to Anthropic's cache by TTL, in langchain-anthropic's form, which LangSmith prices.

    `cache_creation` is 0 then, so that no token is counted twice.
    """
    usage: Any = message.usage_metadata or {}
    written = {name: count for name, count in usage.get("cache_creation_details", {}).items() if name in WRITES}
    details = usage.get("input_token_details", {})
    if written and sum(written.values()) == details.get("cache_creation"):
        del usage["cache_creation_details"]
        usage["input_token_details"] = {**details, "cache_creation": 0, **written}


# --- `llm_output` -----------------------------------------------------------------------------------------------------

OUTPUT_KEYS = ("id", "model", "model_name", "model_provider", "stop_reason", "stop_sequence", "usage", "service_tier")
"""What `llm_output` repeats of the metadata of the first answer, as the partner packages do."""


def llm_output(messages: Sequence[AIMessage]) -> JsonObject:
    """The `llm_output` of a call: what the first answer says of itself, and what all of them used.

    `usage` is Anthropic's own object. For OpenAI `token_usage` has the counts under the names of Chat Completions, on
    which `get_openai_callback` and others rely, and under LangChain's, which hold tokens that were written to a cache.
    """
    metadata = messages[0].response_metadata
    found = {key: metadata[key] for key in OUTPUT_KEYS if key in metadata}
    usage = messages[0].usage_metadata
    if "usage" not in found and usage is not None:
        found["token_usage"] = _token_usage(usage, metadata.get("token_usage") or {})
    return found


def _token_usage(usage: UsageMetadata, raw: Mapping[str, Any]) -> JsonObject:
    into, out = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    chat = {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
        "prompt_tokens_details": {"cached_tokens": into.get("cache_read", 0)},
        "completion_tokens_details": {"reasoning_tokens": out.get("reasoning", 0)},
    }
    return {**chat, **raw, **usage}


def combined(outputs: Sequence[Mapping[str, Any] | None]) -> JsonObject:
    """The `llm_output` of several calls: the token counts are added, the rest is the first call's."""
    given = [dict(output) for output in outputs if output]
    if len(given) < 2:
        return given[0] if given else {}
    result = {key: value for key, value in given[0].items() if key not in ("id", "stop_reason", "stop_sequence")}
    for name in ("token_usage", "usage"):
        counts = [output[name] for output in given if isinstance(output.get(name), Mapping)]
        if counts:
            result[name] = _sum(counts)
    return result


def _sum(counts: Sequence[Mapping[str, Any]]) -> JsonObject:
    """The sums of the numbers, also in objects inside; another value is the last one."""
    result: JsonObject = {}
    for each in counts:
        for key, value in each.items():
            before = result.get(key)
            if isinstance(value, Mapping):
                result[key] = _sum([before, value] if isinstance(before, Mapping) else [value])
            elif isinstance(value, int) and isinstance(before, int) and not isinstance(value, bool):
                result[key] = before + value
            elif value is not None or key not in result:
                result[key] = value
    return result
