"""Calls whose prompt the provider edits before the cache sees it: Anthropic's `context_management`.

What is sent is not what is cached, so two bodies alone say nothing. The reply to the later call says what was cleared,
and its usage what was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.explain import wording
from langchain_unified.explain.explanation import CacheExplanation, Verdict
from langchain_unified.explain.prompt import Prompt
from langchain_unified.explain.reuse import minimum_of
from langchain_unified.usage import without_tier

ROUNDING = 0.02
"""The share of a prompt by which an estimate of what was added may be off."""


def edited(before: Prompt, after: Prompt, reply: AIMessage | None) -> CacheExplanation | None:
    """The explanation where the provider edits one of the prompts; `None` where it does not, or cleared nothing.

    `before` and `after` are in the estimated tokens of the unedited prompts.
    """
    if not (_asks_to_clear(before) or _asks_to_clear(after)):
        return None
    applied = _applied(reply)
    usage: Mapping[str, Any] = (reply.usage_metadata if reply is not None else None) or {}
    if applied is None or usage.get("input_token_details") is None:
        reason, remedy = wording.edited_by_provider(None)
        return CacheExplanation("unknown", total_tokens=after.tokens, reason=reason, remedy=remedy)
    return _cleared(before, after, applied, usage) if applied else None


def _asks_to_clear(prompt: Prompt) -> bool:
    edits = (prompt.body.get("context_management") or {}).get("edits") or ()
    return prompt.wire == "anthropic_messages" and any(str(edit.get("type")).startswith("clear_") for edit in edits)


def _applied(reply: AIMessage | None) -> Sequence[Mapping[str, object]] | None:
    """What was cleared, by the reply; `None` where it does not say."""
    found = (reply.response_metadata.get("context_management") or {}) if reply is not None else {}
    applied = found.get("applied_edits")
    return applied if isinstance(applied, list) else None


def _cleared(
    before: Prompt, after: Prompt, applied: Sequence[Mapping[str, object]], usage: Mapping[str, Any]
) -> CacheExplanation:
    """The explanation where something was cleared. All is read where the call before had the same cleared."""
    total, read = usage["input_tokens"], without_tier(usage["input_token_details"]).get("cache_read", 0)
    same_before = total - (after.tokens - before.tokens)
    verdict: Verdict = "miss_expected"
    if read:
        verdict = "hit_expected" if read >= same_before - ROUNDING * total else "partial_expected"
    if verdict == "hit_expected":
        return CacheExplanation(
            verdict, minimum=minimum_of(before), shared_tokens=read, reusable_tokens=read, total_tokens=total
        )
    reason, remedy = wording.edited_by_provider(applied)
    return CacheExplanation(
        verdict,
        "message",
        segment="a cleared tool result or thinking",
        change="edited",
        lost=("messages",),
        shared_tokens=read,
        minimum=minimum_of(before),
        reusable_tokens=read,
        total_tokens=total,
        reason=reason,
        remedy=remedy,
    )
