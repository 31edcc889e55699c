"""What both APIs of OpenAI refuse, and what the rules of the two share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from langchain_unified.profiles import model_profile
from langchain_unified.testing.emulation.endpoints import CHAT, INPUT_TOKENS, OPENAI, OPENAI_ITEMS, RESPONSES
from langchain_unified.testing.emulation.rules.openai_caching import CACHING
from langchain_unified.testing.emulation.rules.openai_content import CONTENT
from langchain_unified.testing.emulation.rules.openai_formats import FORMATS
from langchain_unified.testing.emulation.rules.openai_tools import TOOLS
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import (
    has_lone_surrogate,
    missing_key,
    no_api_key,
    number_out_of_range,
    prompt_too_long,
    unknown_keys,
    unknown_model,
    wrong_api_key,
)

ON_CHAT, ON_RESPONSES, ON_INPUT_TOKENS = frozenset({CHAT}), frozenset({RESPONSES}), frozenset({INPUT_TOKENS})
GENERATE = ON_CHAT | ON_RESPONSES

CHAT_KEYS = frozenset(
    {
        "messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
        "max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls",
        "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
        "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
        "web_search_options",
    }
)  # fmt: skip
RESPONSES_KEYS = frozenset(
    {
        "model", "input", "instructions", "access_programs", "background", "background_options",
        "client_metadata", "context_management", "conversation",
        "image", "include", "max_output_tokens", "max_tool_calls", "metadata", "moderation", "parallel_tool_calls",
        "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text",
        "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    }
)  # fmt: skip
INPUT_TOKENS_KEYS = frozenset(
    {
        "input", "model", "instructions", "tools", "tool_choice", "text", "reasoning", "truncation",
        "previous_response_id", "conversation", "parallel_tool_calls", "personality",
    }
)  # fmt: skip

SAMPLING_KEYS = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
)
SAMPLING_DEFAULTS: Mapping[str, Any] = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""Default values, which every model accepts."""

LOGPROBS, ENCRYPTED = "message.output_text.logprobs", "reasoning.encrypted_content"

VALUES: Mapping[str, tuple[str, ...]] = {
    "service_tier": ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
    "truncation": ("auto", "disabled"),
    "verbosity": ("low", "medium", "high"),
    "text.verbosity": ("low", "medium", "high"),
    "prompt_cache_retention": ("in_memory", "in-memory", "24h"),
    "reasoning.summary": ("auto", "concise", "detailed"),
    "reasoning.context": ("auto", "current_turn", "all_turns"),
    "reasoning_effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
}
"""By parameter, its values."""


def effort_of(call: EmulatedCall) -> str | None:
    """The reasoning effort of the call: the requested one, else the model's default."""
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    return asked or call.profile.effort_default


# --- checks -----------------------------------------------------------------------------------------------------------


def _sampling(call: EmulatedCall) -> Violations:
    reasons = call.profile.sampling == "never" or (
        call.profile.sampling == "without_reasoning" and effort_of(call) != "none"
    )
    for key in SAMPLING_KEYS if reasons else ():
        value = call.body.get(key)
        if value not in (None, False) and value != SAMPLING_DEFAULTS.get(key):
            yield {"key": key}
    if reasons and LOGPROBS in (call.body.get("include") or ()):
        yield {"key": "include"}


def _unknown_effort(call: EmulatedCall) -> Violations:
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    levels = call.profile.effort_levels
    if asked and levels and asked not in levels:
        key = "reasoning_effort" if call.endpoint == CHAT else "reasoning.effort"
        yield {"key": key, "value": asked, "levels": ", ".join(f"'{level}'" for level in levels)}


def _effort_unsupported(call: EmulatedCall) -> Violations:
    if call.profile.reasoning is not False:
        return
    if call.body.get("reasoning_effort"):
        yield {"key": "reasoning_effort"}
    for key in ("effort", "summary"):
        if (call.body.get("reasoning") or {}).get(key):
            yield {"key": f"reasoning.{key}"}


def _metadata_too_large(call: EmulatedCall) -> Violations:
    given = call.body.get("metadata") or {}
    too_many = len(given) > 16
    if too_many or any(len(key) > 64 or not isinstance(value, str) or len(value) > 512 for key, value in given.items()):
        yield {"found": len(given)}


def _metadata_without_store(call: EmulatedCall) -> Violations:
    if call.body.get("metadata") and call.body.get("store") is not True:
        yield {}


def _text_too_long(key: str, limit: int) -> RuleCheck:
    """A check for a text in the body with more than `limit` characters."""

    def check(call: EmulatedCall) -> Violations:
        found = len(str(call.body.get(key) or ""))
        if found > limit:
            yield {"key": key, "limit": limit, "found": found}

    return check


def _unknown_value(call: EmulatedCall) -> Violations:
    for path, values in VALUES.items():
        value: Any = call.body
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and value not in values:
            yield {"key": path, "value": value, "values": ", ".join(f"'{each}'" for each in values)}


def _encrypted_reasoning_unsupported(call: EmulatedCall) -> Violations:
    known = model_profile("openai", call.model) is not None
    has_none = not call.profile.reasoning or not call.profile.encrypted_reasoning
    if known and has_none and ENCRYPTED in (call.body.get("include") or ()):
        yield {}


def _lone_surrogate(call: EmulatedCall) -> Violations:
    if has_lone_surrogate(call.body):
        yield {}


def _stream_options_without_stream(call: EmulatedCall) -> Violations:
    if call.body.get("stream_options") is not None and not call.body.get("stream"):
        yield {}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = OPENAI, **more: Any
) -> Rule:
    return Rule(f"openai.{name}", endpoints, check, message, source, **more)


_unauthorized: Mapping[str, Any] = {"status": 401, "code": "invalid_api_key"}
_missing: Mapping[str, Any] = {"code": "missing_required_parameter", "param": "{key}"}
_unknown: Mapping[str, Any] = {"code": "unknown_parameter", "param": "{key}"}
_unsupported: Mapping[str, Any] = {"code": "unsupported_parameter", "param": "{key}"}

UNKNOWN = "Unknown parameter: '{key}'."

RULES: tuple[Rule, ...] = (
    _rule("no key", no_api_key, "You didn't provide an API key.", "API reference", status=401),
    _rule("wrong key", wrong_api_key, "Incorrect API key provided.", "error codes guide", **_unauthorized),
    _rule("no model", missing_key("model"), "Missing required parameter: '{key}'.", "API reference", **_missing),
    _rule(
        "no messages", missing_key("messages"), "Missing required parameter: '{key}'.", "SDK types", ON_CHAT, **_missing
    ),
    _rule(
        "unknown model on chat",
        unknown_model,
        "The model `{model}` does not exist or you do not have access to it.",
        "recorded 404",
        ON_CHAT,
        status=404,
        code="model_not_found",
    ),
    _rule(
        "unknown model",
        unknown_model,
        "The requested model '{model}' does not exist.",
        "recorded 400",
        OPENAI_ITEMS,
        code="model_not_found",
        param="model",
    ),
    _rule("chat key", unknown_keys(CHAT_KEYS), UNKNOWN, "SDK types; reports", ON_CHAT, **_unknown),
    _rule("responses key", unknown_keys(RESPONSES_KEYS), UNKNOWN, "SDK types; reports", ON_RESPONSES, **_unknown),
    _rule("input_tokens key", unknown_keys(INPUT_TOKENS_KEYS), UNKNOWN, "SDK types", ON_INPUT_TOKENS, **_unknown),
    *(
        _rule(
            f"range of {key}",
            number_out_of_range(key, low, high),
            f"Invalid '{{key}}': number {{side}} value. Expected a value between {low} and {high}, but got {{value}}.",
            "API reference",
            code="number_out_of_range",
            param="{key}",
        )
        for key, low, high in (
            ("n", 1, 128),
            ("max_tokens", 1, math.inf),
            ("max_completion_tokens", 1, math.inf),
            ("temperature", 0, 2),
            ("top_p", 0, 1),
            ("presence_penalty", -2, 2),
            ("frequency_penalty", -2, 2),
            ("top_logprobs", 0, 20),
        )
    ),
    _rule(
        "sampling",
        _sampling,
        "Unsupported parameter: '{key}' is not supported with this model.",
        "reasoning guide; reports",
        GENERATE,
        **_unsupported,
    ),
    _rule(
        "effort level",
        _unknown_effort,
        "Unsupported value: '{key}' does not support '{value}' with this model. Supported values are: {levels}.",
        "reasoning guide",
        code="unsupported_value",
        param="{key}",
    ),
    _rule(
        "no effort",
        _effort_unsupported,
        "Unsupported parameter: '{key}' is not supported with this model.",
        "reasoning guide",
        **_unsupported,
    ),
    _rule(
        "metadata",
        _metadata_too_large,
        "Invalid 'metadata': at most 16 keys of 64 and values of 512 characters.",
        "SDK docstring",
        param="metadata",
    ),
    _rule(
        "metadata without store",
        _metadata_without_store,
        "The 'metadata' parameter is only allowed when 'store' is enabled.",
        "tmc/langchaingo#1484, spiceai/spiceai#5231",
        ON_CHAT,
        param="metadata",
    ),
    *(
        _rule(
            f"length of {key}",
            _text_too_long(key, limit),
            "Invalid '{key}': string too long. Expected a string with maximum length {limit}, but got a string with "
            "length {found} instead.",
            source,
            code="string_above_max_length",
            param="{key}",
        )
        for key, limit, source in (
            ("user", 64, "maximhq/bifrost#1000"),
            ("safety_identifier", 128, "SDK docstring"),
            ("prompt_cache_key", 64, "vybestack/llxprt-code#2135, theopenco/llmgateway#3110"),
        )
    ),
    _rule(
        "parameter value",
        _unknown_value,
        "Invalid value: '{value}'. Supported values are: {values}.",
        "literals of the SDK's types",
        code="invalid_value",
        param="{key}",
    ),
    _rule(
        "no encrypted reasoning",
        _encrypted_reasoning_unsupported,
        "Encrypted content is not supported with this model.",
        "pydantic/pydantic-ai#2865, miquido/draive#399",
        ON_RESPONSES,
        param="include",
    ),
    _rule(
        "surrogate",
        _lone_surrogate,
        "We could not parse the JSON body of your request.",
        "anomalyco/opencode#14630",
    ),
    _rule(
        "stream options",
        _stream_options_without_stream,
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "SDK docstring",
        GENERATE,
        param="stream_options",
    ),
    *TOOLS,
    *FORMATS,
    *CONTENT,
    *CACHING,
)

TOO_LONG = _rule(
    "too long",
    prompt_too_long,
    "This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} tokens.",
    "reports",
    GENERATE,
    code="context_length_exceeded",
    param="messages",
)
"""The last rule: it counts the tokens of a well-formed conversation."""
