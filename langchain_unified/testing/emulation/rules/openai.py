"""What both APIs of OpenAI refuse, and what the rules of the two share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.testing.emulation.endpoints import CHAT, INPUT_TOKENS, OPENAI, OPENAI_ITEMS, RESPONSES
from langchain_unified.testing.emulation.rules.openai_caching import CACHING
from langchain_unified.testing.emulation.rules.openai_tools import TOOLS
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import (
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
        "model", "input", "instructions", "access_programs", "background", "context_management", "conversation",
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


def effort_of(call: EmulatedCall) -> str | None:
    """The reasoning effort of the call: the requested one, else the model's default."""
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    return asked or call.profile.effort_default


# --- checks -----------------------------------------------------------------------------------------------------------


def _sampling(call: EmulatedCall) -> Violations:
    reasons = call.profile.sampling == "never" or (
        call.profile.sampling == "without_reasoning" and effort_of(call) not in (None, "none")
    )
    for key in SAMPLING_KEYS if reasons else ():
        value = call.body.get(key)
        if value not in (None, False) and value != SAMPLING_DEFAULTS.get(key):
            yield {"key": key}


def _unknown_effort(call: EmulatedCall) -> Violations:
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    levels = call.profile.effort_levels
    if asked and levels and asked not in levels:
        key = "reasoning_effort" if call.endpoint == CHAT else "reasoning.effort"
        yield {"key": key, "value": asked, "levels": ", ".join(f"'{level}'" for level in levels)}


def _effort_unsupported(call: EmulatedCall) -> Violations:
    key = "reasoning_effort" if call.endpoint == CHAT else "reasoning"
    asked = call.body.get("reasoning_effort") or (call.body.get("reasoning") or {}).get("effort")
    if asked and not call.profile.reasoning:
        yield {"key": key if call.endpoint == CHAT else "reasoning.effort"}


def _metadata_too_large(call: EmulatedCall) -> Violations:
    given = call.body.get("metadata") or {}
    too_many = len(given) > 16
    if too_many or any(len(key) > 64 or len(str(value)) > 512 for key, value in given.items()):
        yield {"found": len(given)}


def _safety_identifier_too_long(call: EmulatedCall) -> Violations:
    found = len(str(call.body.get("safety_identifier") or ""))
    if found > 128:
        yield {"found": found}


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
    *TOOLS,
    _rule(
        "metadata",
        _metadata_too_large,
        "Invalid 'metadata': at most 16 keys of 64 and values of 512 characters.",
        "SDK docstring",
        param="metadata",
    ),
    _rule(
        "safety identifier",
        _safety_identifier_too_long,
        "Invalid 'safety_identifier': string too long. Expected a string with maximum length 128, but got a string "
        "with length {found} instead.",
        "SDK docstring",
        code="string_above_max_length",
        param="safety_identifier",
    ),
    _rule(
        "stream options",
        _stream_options_without_stream,
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "SDK docstring",
        GENERATE,
        param="stream_options",
    ),
    *CACHING,
    _rule(
        "too long",
        prompt_too_long,
        "This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} tokens.",
        "reports",
        GENERATE,
        code="context_length_exceeded",
        param="messages",
    ),
)
