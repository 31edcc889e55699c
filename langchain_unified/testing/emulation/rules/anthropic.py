"""What the Anthropic Messages API refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import ANTHROPIC, COUNT_TOKENS, MESSAGES
from langchain_unified.testing.emulation.rules.anthropic_blocks import BLOCKS
from langchain_unified.testing.emulation.rules.anthropic_caching import CACHING
from langchain_unified.testing.emulation.rules.anthropic_history import HISTORY
from langchain_unified.testing.emulation.rules.anthropic_tools import TOOLS, forces_tool_use
from langchain_unified.testing.emulation.rules.anthropic_turns import TURNS
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import (
    has_lone_surrogate,
    missing_key,
    no_api_key,
    number_out_of_range,
    prompt_too_long,
    unknown_model,
    wrong_api_key,
)

GENERATE = frozenset({MESSAGES})

COMMON_KEYS = frozenset(
    {"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed"}
)
MESSAGES_KEYS = frozenset(
    {"max_tokens", "container", "diagnostics", "inference_geo", "metadata", "service_tier", "stop_sequences", "stream"}
)
SAMPLING_KEYS = ("temperature", "top_p", "top_k")

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
"""Keys that need a beta: how its name in the header `anthropic-beta` begins."""

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""From least to most."""


def _betas(call: EmulatedCall) -> list[str]:
    return [name.strip() for name in call.headers.get("anthropic-beta", "").split(",")]


def _thinking(call: EmulatedCall) -> JsonObject:
    thinking = call.body.get("thinking")
    return thinking if isinstance(thinking, dict) else {}


def _effort(call: EmulatedCall) -> str | None:
    return (call.body.get("output_config") or {}).get("effort")


# --- keys -------------------------------------------------------------------------------------------------------------


def _no_version_header(call: EmulatedCall) -> Violations:
    if "anthropic-version" not in call.headers:
        yield {}


def _unknown_keys(call: EmulatedCall) -> Violations:
    betas = _betas(call)
    known = COMMON_KEYS if call.endpoint == COUNT_TOKENS else COMMON_KEYS | MESSAGES_KEYS | set(SAMPLING_KEYS)
    for key in sorted(call.body.keys() - known):
        if not any(beta.startswith(prefix) for prefix in BETA_KEYS.get(key, ()) for beta in betas):
            yield {"key": key}


def _sampling_in_new_version(call: EmulatedCall) -> Violations:
    if call.headers.get("anthropic-version", "") >= "2026-10-21":
        yield from ({"key": key} for key in SAMPLING_KEYS if key in call.body)


def _sampling_of_model(call: EmulatedCall) -> Violations:
    if call.profile.sampling == "never":
        for key in SAMPLING_KEYS:
            default = 1 if key != "top_k" else None
            if call.body.get(key) not in (None, default):
                yield {"key": key}


def _temperature_while_thinking(call: EmulatedCall) -> Violations:
    if _thinking(call).get("type") in ("enabled", "adaptive") and call.body.get("temperature", 1) != 1:
        yield {}


def _top_k_while_thinking(call: EmulatedCall) -> Violations:
    if _thinking(call).get("type") in ("enabled", "adaptive") and call.body.get("top_k") is not None:
        yield {}


def _temperature_and_top_p(call: EmulatedCall) -> Violations:
    if not call.profile.temperature_with_top_p and "temperature" in call.body and "top_p" in call.body:
        yield {}


def _unknown_metadata(call: EmulatedCall) -> Violations:
    yield from ({"key": key} for key in (call.body.get("metadata") or {}) if key != "user_id")


def _long_user_id(call: EmulatedCall) -> Violations:
    if len(str((call.body.get("metadata") or {}).get("user_id") or "")) > 256:
        yield {}


def _negative_max_tokens(call: EmulatedCall) -> Violations:
    if (call.body.get("max_tokens") or 0) < 0:
        yield {}


def _max_tokens_above_limit(call: EmulatedCall) -> Violations:
    asked, limit = call.body.get("max_tokens"), call.profile.max_output_tokens
    if isinstance(asked, int) and limit and asked > limit:
        yield {"asked": asked, "limit": limit, "model": call.model}


def _blank_stop_sequence(call: EmulatedCall) -> Violations:
    for text in call.body.get("stop_sequences") or ():
        if not isinstance(text, str) or not text.strip():
            yield {"what": "contain non-whitespace" if text else "be non-empty"}


def _lone_surrogate(call: EmulatedCall) -> Violations:
    if has_lone_surrogate(call.body):
        yield {}


def _prewarm(call: EmulatedCall) -> Violations:
    """`max_tokens: 0` fills the cache and generates nothing: parameters of an answer are refused."""
    if call.body.get("max_tokens") != 0:
        return
    only_for_answers = {
        "stream": call.body.get("stream"),
        "tool_choice": forces_tool_use(call),
        "thinking": _thinking(call).get("type") == "enabled",
        "output_config.format": (call.body.get("output_config") or {}).get("format"),
    }
    yield from ({"key": key} for key, value in only_for_answers.items() if value)


# --- thinking ---------------------------------------------------------------------------------------------------------


def _unsupported_thinking(call: EmulatedCall) -> Violations:
    """Models up to 4.6 take `enabled`, models from 4.6 on take `adaptive`."""
    kind, profile = _thinking(call).get("type"), call.profile
    takes_budget = profile.thinking == "budget" or (profile.thinking == "adaptive" and profile.sampling != "never")
    takes_adaptive = profile.thinking == "adaptive"
    if (kind == "enabled" and not takes_budget) or (kind == "adaptive" and not takes_adaptive):
        yield {"kind": kind}


def _disabled_thinking(call: EmulatedCall) -> Violations:
    if _thinking(call).get("type") != "disabled":
        return
    effort, highest = _effort(call), call.profile.thinking_off_max_effort
    too_high = effort in EFFORTS and highest in EFFORTS and EFFORTS.index(effort) > EFFORTS.index(highest)
    if call.profile.thinking_off in ("between_tools", "never") or too_high:
        yield {}


def _small_budget(call: EmulatedCall) -> Violations:
    thinking = _thinking(call)
    if thinking.get("type") == "enabled" and (thinking.get("budget_tokens") or 0) < 1024:
        yield {}


def _large_budget(call: EmulatedCall) -> Violations:
    thinking = _thinking(call)
    limit = call.body.get("max_tokens")
    if call.body.get("tools") and any(beta.startswith("interleaved-thinking-") for beta in _betas(call)):
        return  # The budget is one for all of the turn's answers.
    if thinking.get("type") == "enabled" and limit and (thinking.get("budget_tokens") or 0) >= limit:
        yield {}


def _budget_without_enabled(call: EmulatedCall) -> Violations:
    thinking = _thinking(call)
    if thinking and thinking.get("type") != "enabled" and thinking.get("budget_tokens") is not None:
        yield {"kind": thinking.get("type")}


def _unknown_effort(call: EmulatedCall) -> Violations:
    effort, levels = _effort(call), call.profile.effort_levels or EFFORTS
    if effort and effort not in levels:
        yield {"effort": effort, "levels": ", ".join(sorted(levels))}


def _effort_unsupported(call: EmulatedCall) -> Violations:
    if _effort(call) in EFFORTS and not call.profile.effort_levels:
        yield {}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, check, message, source, **more)


_unauthorized: Mapping[str, Any] = {"status": 401, "type": "authentication_error"}

RULES: tuple[Rule, ...] = (
    _rule("no key", no_api_key, "x-api-key header is required", "API errors guide", **_unauthorized),
    _rule("wrong key", wrong_api_key, "invalid x-api-key", "API errors guide", **_unauthorized),
    _rule("no version", _no_version_header, "anthropic-version: header is required", "API versions guide"),
    _rule("no model", missing_key("model"), "{key}: Field required", "SDK types"),
    _rule("no messages", missing_key("messages"), "{key}: Field required", "SDK types"),
    _rule("no max_tokens", missing_key("max_tokens"), "{key}: Field required", "SDK types", GENERATE),
    _rule("unknown model", unknown_model, "model: {model}", "recorded 404", status=404, type="not_found_error"),
    _rule("unknown key", _unknown_keys, "{key}: Extra inputs are not permitted", "SDK types"),
    _rule(
        "surrogate",
        _lone_surrogate,
        "The request body is not valid JSON: no low surrogate in string",
        "claude-code#3277",
    ),
    _rule(
        "sampling in new version",
        _sampling_in_new_version,
        "{key}: Extra inputs are not permitted",
        "migration guide for 2026-10-21",
    ),
    _rule(
        "sampling of model",
        _sampling_of_model,
        "`{key}` is not supported for this model.",
        "migration guides of the models",
    ),
    _rule(
        "temperature while thinking",
        _temperature_while_thinking,
        "`temperature` may only be set to 1 when thinking is enabled.",
        "thinking guide",
    ),
    _rule(
        "top_k while thinking",
        _top_k_while_thinking,
        "`top_k` must be unset when thinking is enabled or in adaptive mode.",
        "thinking guide",
    ),
    _rule(
        "temperature and top_p",
        _temperature_and_top_p,
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        "model guide of Haiku 4.5",
    ),
    _rule(
        "temperature",
        number_out_of_range("temperature", 0, 1),
        "temperature: Input should be between {low} and {high}",
        "API reference",
    ),
    _rule(
        "top_p", number_out_of_range("top_p", 0, 1), "top_p: Input should be between {low} and {high}", "API reference"
    ),
    _rule(
        "stop sequences",
        _blank_stop_sequence,
        "stop_sequences: each stop sequence must {what}",
        "litellm#3286, mcp-web-ui#5",
    ),
    _rule("metadata", _unknown_metadata, "metadata.{key}: Extra inputs are not permitted", "SDK types"),
    _rule(
        "negative max_tokens",
        _negative_max_tokens,
        "max_tokens: Input should be greater than or equal to 0",
        "SDK types",
    ),
    _rule(
        "max_tokens of model",
        _max_tokens_above_limit,
        "max_tokens: {asked} > {limit}, which is the maximum allowed number of output tokens for {model}",
        "OpenHands#11090, claude-code#24451; model guides",
        GENERATE,
    ),
    _rule("user_id", _long_user_id, "metadata.user_id: String should have at most 256 characters", "API reference"),
    _rule("prewarm", _prewarm, "`{key}` is not supported with max_tokens: 0.", "prompt caching guide", GENERATE),
    _rule(
        "thinking type",
        _unsupported_thinking,
        "thinking.type: `{kind}` is not supported for this model.",
        "thinking guide",
    ),
    _rule(
        "thinking off",
        _disabled_thinking,
        "thinking.type: `disabled` is not supported for this model.",
        "thinking guide",
    ),
    _rule(
        "small budget", _small_budget, "thinking.enabled.budget_tokens: Input should be at least 1024", "SDK docstring"
    ),
    _rule(
        "large budget", _large_budget, "`max_tokens` must be greater than `thinking.budget_tokens`.", "SDK docstring"
    ),
    _rule(
        "budget without enabled",
        _budget_without_enabled,
        "thinking.{kind}.budget_tokens: Extra inputs are not permitted",
        "SDK types; adaptive thinking guide",
    ),
    _rule("no effort", _effort_unsupported, "This model does not support the effort parameter.", "model guides"),
    _rule(
        "effort level",
        _unknown_effort,
        "This model does not support effort level '{effort}'. Supported levels: {levels}.",
        "recorded 400",
    ),
    *HISTORY,
    *TOOLS,
    *CACHING,
    *BLOCKS,
    *TURNS,
    _rule("too long", prompt_too_long, "prompt is too long: {tokens} tokens > {limit} maximum", "reports", GENERATE),
)
