"""What the Anthropic Messages API refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.rules.anthropic_history import HISTORY
from langchain_unified.testing.emulation.rules.anthropic_tools import TOOLS, forces
from langchain_unified.testing.emulation.rules.rule import (
    ANTHROPIC,
    COUNT_TOKENS,
    MESSAGES,
    Call,
    Finder,
    Found,
    Rule,
    missing,
    no_key,
    out_of_range,
    too_long,
    unknown_model,
    wrong_key,
)

GENERATE = frozenset({MESSAGES})

SHARED_KEYS = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed"}
)
OWN_KEYS = frozenset(
    {"max_tokens", "container", "diagnostics", "inference_geo", "metadata", "service_tier", "stop_sequences", "stream"}
)
SAMPLING = ("temperature", "top_p", "top_k")

BETA_KEYS: Mapping[str, tuple[str, ...]] = {
    "betas": ("",),
    "billing_policy": ("user-profiles-billing-",),
    "compaction": ("compact-",),
    "context_management": ("context-management-", "compact-"),
    "fallback_credit_token": ("fallback-credit-",),
    "fallbacks": ("server-side-fallback-",),
    "mcp_servers": ("mcp-client-",),
    "output_format": ("structured-outputs-",),
    "thread": ("message-threads-",),
}
"""Keys that need a beta header: how one of its names begins."""

ALWAYS_THINK = re.compile(r"claude-(opus-5-5|fable|mythos|sonnet-5-5)")
QUIET_ONLY_TO_HIGH = re.compile(r"claude-(opus-5|haiku-5-5)(?!-5)")
NOT_BOTH = re.compile(r"claude-haiku-4-5")


def _betas(call: Call) -> list[str]:
    return [name.strip() for name in call.headers.get("anthropic-beta", "").split(",")]


def _thinking(call: Call) -> JsonObject:
    found = call.body.get("thinking")
    return found if isinstance(found, dict) else {}


def _effort(call: Call) -> str | None:
    return (call.body.get("output_config") or {}).get("effort")


# --- keys -------------------------------------------------------------------------------------------------------------


def _no_version(call: Call) -> Found:
    if "anthropic-version" not in call.headers:
        yield {}


def _unknown_keys(call: Call) -> Found:
    betas = _betas(call)
    known = SHARED_KEYS if call.endpoint == COUNT_TOKENS else SHARED_KEYS | OWN_KEYS | set(SAMPLING)
    for key in sorted(call.body.keys() - known):
        if not any(beta.startswith(prefix) for prefix in BETA_KEYS.get(key, ()) for beta in betas):
            yield {"key": key}


def _sampling_version(call: Call) -> Found:
    if call.headers.get("anthropic-version", "") >= "2026-10-21":
        yield from ({"key": key} for key in SAMPLING if key in call.body)


def _sampling_model(call: Call) -> Found:
    if call.profile.sampling == "never":
        yield from ({"key": key} for key in SAMPLING if call.body.get(key, 1) != 1)


def _sampling_thinking(call: Call) -> Found:
    if _thinking(call).get("type") in ("enabled", "adaptive") and call.body.get("temperature", 1) != 1:
        yield {}


def _sampling_both(call: Call) -> Found:
    if NOT_BOTH.match(call.model) and "temperature" in call.body and "top_p" in call.body:
        yield {}


def _metadata(call: Call) -> Found:
    yield from ({"key": key} for key in (call.body.get("metadata") or {}) if key != "user_id")


def _no_tokens(call: Call) -> Found:
    if (call.body.get("max_tokens") or 0) < 0:
        yield {"found": call.body["max_tokens"]}


def _prewarm(call: Call) -> Found:
    """`max_tokens: 0` fills the cache and generates nothing: what only makes sense for an answer is refused."""
    if call.body.get("max_tokens") != 0:
        return
    wanted = {
        "stream": call.body.get("stream"),
        "tool_choice": forces(call),
        "thinking": _thinking(call).get("type") == "enabled",
        "output_config.format": (call.body.get("output_config") or {}).get("format"),
    }
    yield from ({"key": key} for key, given in wanted.items() if given)


# --- thinking ---------------------------------------------------------------------------------------------------------


def _thinking_kind(call: Call) -> Found:
    """`enabled` up to 4.6, `adaptive` from 4.6 on."""
    kind, profile = _thinking(call).get("type"), call.profile
    budget = profile.thinking == "budget" or (profile.thinking == "adaptive" and profile.sampling != "never")
    refused = (kind == "enabled" and not budget) or (kind == "adaptive" and profile.thinking != "adaptive")
    if refused:
        yield {"kind": kind}


def _thinking_off(call: Call) -> Found:
    if _thinking(call).get("type") != "disabled":
        return
    loud = QUIET_ONLY_TO_HIGH.match(call.model) and _effort(call) in ("xhigh", "max")
    if ALWAYS_THINK.match(call.model) or loud:
        yield {}


def _budget(call: Call) -> Found:
    thinking = _thinking(call)
    if thinking.get("type") == "enabled" and (thinking.get("budget_tokens") or 0) < 1024:
        yield {}


def _budget_over(call: Call) -> Found:
    thinking = _thinking(call)
    limit = call.body.get("max_tokens")
    if thinking.get("type") == "enabled" and limit and (thinking.get("budget_tokens") or 0) >= limit:
        yield {}


def _effort_level(call: Call) -> Found:
    effort, levels = _effort(call), call.profile.effort_levels
    if effort and levels and effort not in levels:
        yield {"effort": effort, "levels": ", ".join(sorted(levels))}


def _effort_at_all(call: Call) -> Found:
    if _effort(call) and not call.profile.effort_levels:
        yield {}


def _row(
    name: str, find: Finder, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, find, message, source, **more)


_unauthorized: Mapping[str, Any] = {"status": 401, "type": "authentication_error"}

RULES: tuple[Rule, ...] = (
    _row("no key", no_key, "x-api-key header is required", "API errors guide", **_unauthorized),
    _row("wrong key", wrong_key, "invalid x-api-key", "API errors guide", **_unauthorized),
    _row("no version", _no_version, "anthropic-version: header is required", "API versions guide"),
    _row("no model", missing("model"), "{key}: Field required", "SDK types"),
    _row("no messages", missing("messages"), "{key}: Field required", "SDK types"),
    _row("no max_tokens", missing("max_tokens"), "{key}: Field required", "SDK types", GENERATE),
    _row("unknown model", unknown_model, "model: {model}", "recorded 404", status=404, type="not_found_error"),
    _row("unknown key", _unknown_keys, "{key}: Extra inputs are not permitted", "SDK types"),
    _row(
        "sampling and version",
        _sampling_version,
        "{key}: Extra inputs are not permitted",
        "migration guide for 2026-10-21",
    ),
    _row(
        "sampling and model",
        _sampling_model,
        "`{key}` is not supported for this model.",
        "migration guides of the models",
    ),
    _row(
        "sampling and thinking",
        _sampling_thinking,
        "`temperature` may only be set to 1 when thinking is enabled.",
        "thinking guide",
    ),
    _row(
        "temperature and top_p",
        _sampling_both,
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        "model guide of Haiku 4.5",
    ),
    _row(
        "temperature",
        out_of_range("temperature", 0, 1),
        "temperature: Input should be between {low} and {high}",
        "API reference",
    ),
    _row("metadata", _metadata, "metadata.{key}: Extra inputs are not permitted", "SDK types"),
    _row("negative max_tokens", _no_tokens, "max_tokens: Input should be greater than or equal to 0", "SDK types"),
    _row("prewarm", _prewarm, "`{key}` is not supported with max_tokens: 0.", "prompt caching guide", GENERATE),
    _row("thinking kind", _thinking_kind, "thinking.type: `{kind}` is not supported for this model.", "thinking guide"),
    _row("thinking off", _thinking_off, "thinking.type: `disabled` is not supported for this model.", "thinking guide"),
    _row("small budget", _budget, "thinking.enabled.budget_tokens: Input should be at least 1024", "SDK docstring"),
    _row("large budget", _budget_over, "`max_tokens` must be greater than `thinking.budget_tokens`.", "SDK docstring"),
    _row("no effort", _effort_at_all, "This model does not support the effort parameter.", "model guides"),
    _row(
        "effort level",
        _effort_level,
        "This model does not support effort level '{effort}'. Supported levels: {levels}.",
        "recorded 400",
    ),
    *HISTORY,
    *TOOLS,
    _row("too long", too_long, "prompt is too long: {tokens} tokens > {limit} maximum", "reports", GENERATE),
)
