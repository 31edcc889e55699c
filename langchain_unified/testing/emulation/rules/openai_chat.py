"""What the Chat Completions API refuses beyond what both APIs of OpenAI refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.testing.emulation.endpoints import CHAT
from langchain_unified.testing.emulation.rules.openai import effort_of
from langchain_unified.testing.emulation.rules.openai_messages import MESSAGES
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations

ON_CHAT = frozenset({CHAT})


def _two_limits(call: EmulatedCall) -> Violations:
    if call.body.get("max_tokens") is not None and call.body.get("max_completion_tokens") is not None:
        yield {}


def _max_tokens_above_limit(call: EmulatedCall) -> Violations:
    limit = call.profile.max_output_tokens
    for key in ("max_tokens", "max_completion_tokens"):
        asked = call.body.get(key)
        if isinstance(asked, int) and limit and asked > limit:
            yield {"key": key, "asked": asked, "limit": limit}


def _max_tokens_unsupported(call: EmulatedCall) -> Violations:
    if call.body.get("max_tokens") is not None and not call.profile.legacy_max_tokens:
        yield {}


def _stop_unsupported(call: EmulatedCall) -> Violations:
    if call.body.get("stop") and not call.profile.stop:
        yield {}


def _too_many_stops(call: EmulatedCall) -> Violations:
    stops = call.body.get("stop")
    if isinstance(stops, list) and len(stops) > 4:
        yield {"found": len(stops)}


def _top_logprobs_without_logprobs(call: EmulatedCall) -> Violations:
    if call.body.get("top_logprobs") is not None and not call.body.get("logprobs"):
        yield {}


def _web_search_unsupported(call: EmulatedCall) -> Violations:
    if call.body.get("web_search_options") is not None and not call.profile.web_search_options:
        yield {}


def _responses_only(call: EmulatedCall) -> Violations:
    if call.profile.responses_only == "yes":
        yield {}


def _tools_need_responses(call: EmulatedCall) -> Violations:
    if call.profile.responses_only == "tools" and call.body.get("tools") and effort_of(call) != "none":
        yield {"model": call.model}


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.chat.{name}", ON_CHAT, check, message, source, **more)


_unsupported: Mapping[str, Any] = {"code": "unsupported_parameter"}

RULES: tuple[Rule, ...] = (
    *MESSAGES,
    _rule(
        "two limits",
        _two_limits,
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        "langchain-ai/langgraph#5943",
        code="invalid_parameter_combination",
        param="max_tokens",
    ),
    _rule(
        "large max_tokens",
        _max_tokens_above_limit,
        "{key} is too large: {asked}. This model supports at most {limit} completion tokens, "
        "whereas you provided {asked}.",
        "enoch3712/ExtractThinker#346; algorithmicsuperintelligence/optillm#4",
        param="max_tokens",
    ),
    _rule(
        "max_tokens",
        _max_tokens_unsupported,
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "SDK docstring; reports",
        param="max_tokens",
        **_unsupported,
    ),
    _rule(
        "stop",
        _stop_unsupported,
        "Unsupported parameter: 'stop' is not supported with this model.",
        "SDK docstring; recorded 400",
        param="stop",
        **_unsupported,
    ),
    _rule(
        "stops",
        _too_many_stops,
        "Invalid 'stop': array too long. Expected an array with maximum length 4, but got one with length {found}.",
        "SDK docstring",
        code="array_above_max_length",
        param="stop",
    ),
    _rule(
        "top_logprobs",
        _top_logprobs_without_logprobs,
        "'logprobs' must be set to true to use 'top_logprobs'.",
        "SDK docstring",
        param="top_logprobs",
    ),
    _rule(
        "web search",
        _web_search_unsupported,
        "Unsupported parameter: 'web_search_options' is not supported with this model.",
        "recorded 400",
        param="web_search_options",
        **_unsupported,
    ),
    _rule(
        "responses only",
        _responses_only,
        "This model is only supported in v1/responses and not in v1/chat/completions.",
        "SDK's ResponsesModel; reports",
        status=404,
        param="model",
    ),
    _rule(
        "tools need responses",
        _tools_need_responses,
        "Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. "
        "Please use /v1/responses instead.",
        "reports",
        param="reasoning_effort",
    ),
)
