"""What the Chat Completions API refuses beyond what both APIs of OpenAI refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import CHAT
from langchain_unified.testing.emulation.rules.openai import effort_of
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts

ON_CHAT = frozenset({CHAT})

PART_TYPES: Mapping[str, frozenset[str]] = {
    "system": frozenset({"text"}),
    "developer": frozenset({"text"}),
    "user": frozenset({"text", "image_url", "input_audio", "file"}),
    "assistant": frozenset({"text", "refusal"}),
    "tool": frozenset({"text"}),
    "function": frozenset({"text"}),
}
"""By role, the content parts that a message may contain."""


def _messages(call: EmulatedCall) -> list[JsonObject]:
    return dicts(call.body.get("messages"))


def _unknown_role(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        if message.get("role") not in PART_TYPES:
            yield {"at": at, "role": message.get("role"), "roles": ", ".join(f"'{role}'" for role in PART_TYPES)}


def _system_unsupported(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        if message.get("role") in ("system", "developer") and not call.profile.system_in_messages:
            yield {"at": at, "role": message["role"]}


def _unknown_part_type(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        known = PART_TYPES.get(str(message.get("role")), frozenset())
        for index, part in enumerate(dicts(message.get("content"))):
            if known and part.get("type") not in known:
                values = " and ".join(f"'{each}'" for each in sorted(known))
                yield {"place": f"messages[{at}].content[{index}]", "kind": part.get("type"), "values": values}


def _empty_content(call: EmulatedCall) -> Violations:
    yield from ({"at": at} for at, message in enumerate(_messages(call)) if message.get("content") == [])


def _no_content(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        instead = any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
        if message.get("content") is None and not (message.get("role") == "assistant" and instead):
            yield {"at": at}


def _call_ids(message: JsonObject) -> list[str]:
    return [str(call.get("id")) for call in dicts(message.get("tool_calls"))]


def _result_ids_after(messages: list[JsonObject], at: int) -> Iterator[str]:
    for message in messages[at + 1 :]:
        if message.get("role") != "tool":
            return
        yield str(message.get("tool_call_id"))


def _calls_without_result(call: EmulatedCall) -> Violations:
    messages = _messages(call)
    for at, message in enumerate(messages):
        answered = set(_result_ids_after(messages, at))
        left = [each for each in _call_ids(message) if each not in answered]
        if left:
            yield {"at": at, "ids": ", ".join(left)}


def _results_without_call(call: EmulatedCall) -> Violations:
    open_calls: set[str] = set()
    for at, message in enumerate(_messages(call)):
        if message.get("role") != "tool":
            open_calls = set(_call_ids(message))
        elif str(message.get("tool_call_id")) not in open_calls:
            yield {"at": at}


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
    _rule(
        "role",
        _unknown_role,
        "Invalid value: '{role}'. Supported values are: {roles}.",
        "SDK types",
        code="invalid_value",
        param="messages[{at}].role",
    ),
    _rule(
        "no system",
        _system_unsupported,
        "Unsupported value: 'messages[{at}].role' does not support '{role}' with this model.",
        "recorded 400",
        code="unsupported_value",
        param="messages[{at}].role",
    ),
    _rule(
        "part type",
        _unknown_part_type,
        "Invalid value: '{kind}'. Supported values are: {values}.",
        "SDK types; recorded 400 for images in tool messages",
        code="invalid_value",
        param="{place}.type",
    ),
    _rule(
        "empty content",
        _empty_content,
        "Invalid 'messages[{at}].content': empty array. Expected an array with minimum length 1, but got an empty "
        "array instead.",
        "reports",
        code="empty_array",
        param="messages[{at}].content",
    ),
    _rule(
        "no content",
        _no_content,
        "Invalid value for 'content': expected a string, got null.",
        "SDK types",
        param="messages.[{at}].content",
    ),
    _rule(
        "orphan result",
        _results_without_call,
        "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
        "reports",
        param="messages.[{at}].role",
    ),
    _rule(
        "unanswered call",
        _calls_without_result,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        "The following tool_call_ids did not have response messages: {ids}",
        "reports",
        param="messages.[{at}].role",
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
