"""What OpenAI's Chat Completions API refuses, beside what both of its APIs do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.rules.openai import effort_of
from langchain_unified.testing.emulation.rules.rule import CHAT, Call, Finder, Found, Rule, dicts

ON_CHAT = frozenset({CHAT})
NEW_LIMIT = re.compile(r"(ft:)?(o\d|gpt-([5-9]|\d\d))")
"""Models that know only `max_completion_tokens`."""

ROLES: Mapping[str, frozenset[str]] = {
    "system": frozenset({"text"}),
    "developer": frozenset({"text"}),
    "user": frozenset({"text", "image_url", "input_audio", "file"}),
    "assistant": frozenset({"text", "refusal"}),
    "tool": frozenset({"text"}),
    "function": frozenset({"text"}),
}
"""By role, the parts that a message may hold."""


def _messages(call: Call) -> list[JsonObject]:
    return dicts(call.body.get("messages"))


def _role(call: Call) -> Found:
    for at, message in enumerate(_messages(call)):
        if message.get("role") not in ROLES:
            yield {"at": at, "role": message.get("role"), "roles": ", ".join(f"'{role}'" for role in ROLES)}


def _no_system(call: Call) -> Found:
    for at, message in enumerate(_messages(call)):
        if message.get("role") in ("system", "developer") and not call.profile.system_in_messages:
            yield {"at": at, "role": message["role"]}


def _part_type(call: Call) -> Found:
    for at, message in enumerate(_messages(call)):
        known = ROLES.get(str(message.get("role")), frozenset())
        for index, part in enumerate(dicts(message.get("content"))):
            if known and part.get("type") not in known:
                values = " and ".join(f"'{each}'" for each in sorted(known))
                yield {"place": f"messages[{at}].content[{index}]", "kind": part.get("type"), "values": values}


def _empty_list(call: Call) -> Found:
    yield from ({"at": at} for at, message in enumerate(_messages(call)) if message.get("content") == [])


def _nothing(call: Call) -> Found:
    for at, message in enumerate(_messages(call)):
        instead = any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
        if message.get("content") is None and not (message.get("role") == "assistant" and instead):
            yield {"at": at}


def _called(message: JsonObject) -> list[str]:
    return [str(call.get("id")) for call in dicts(message.get("tool_calls"))]


def _results_after(messages: list[JsonObject], at: int) -> Iterator[str]:
    for message in messages[at + 1 :]:
        if message.get("role") != "tool":
            return
        yield str(message.get("tool_call_id"))


def _unanswered(call: Call) -> Found:
    messages = _messages(call)
    for at, message in enumerate(messages):
        answered = set(_results_after(messages, at))
        left = [each for each in _called(message) if each not in answered]
        if left:
            yield {"at": at, "ids": ", ".join(left)}


def _orphans(call: Call) -> Found:
    open_calls: set[str] = set()
    for at, message in enumerate(_messages(call)):
        if message.get("role") != "tool":
            open_calls = set(_called(message))
        elif str(message.get("tool_call_id")) not in open_calls:
            yield {"at": at}


def _max_tokens(call: Call) -> Found:
    if call.body.get("max_tokens") is not None and NEW_LIMIT.match(call.model):
        yield {}


def _stop(call: Call) -> Found:
    if call.body.get("stop") and not call.profile.stop:
        yield {}


def _stops(call: Call) -> Found:
    stops = call.body.get("stop")
    if isinstance(stops, list) and len(stops) > 4:
        yield {"found": len(stops)}


def _logprobs(call: Call) -> Found:
    if call.body.get("top_logprobs") is not None and not call.body.get("logprobs"):
        yield {}


def _search(call: Call) -> Found:
    if call.body.get("web_search_options") is not None and "search" not in call.model:
        yield {}


def _responses_only(call: Call) -> Found:
    if call.profile.responses_only == "yes":
        yield {}


def _tools_need_responses(call: Call) -> Found:
    if call.profile.responses_only == "tools" and call.body.get("tools") and effort_of(call) != "none":
        yield {"model": call.model}


def _row(name: str, find: Finder, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.chat.{name}", ON_CHAT, find, message, source, **more)


_unsupported: Mapping[str, Any] = {"code": "unsupported_parameter"}

RULES: tuple[Rule, ...] = (
    _row(
        "role",
        _role,
        "Invalid value: '{role}'. Supported values are: {roles}.",
        "SDK types",
        code="invalid_value",
        param="messages[{at}].role",
    ),
    _row(
        "no system",
        _no_system,
        "Unsupported value: 'messages[{at}].role' does not support '{role}' with this model.",
        "recorded 400",
        code="unsupported_value",
        param="messages[{at}].role",
    ),
    _row(
        "part type",
        _part_type,
        "Invalid value: '{kind}'. Supported values are: {values}.",
        "SDK types; recorded 400 for images in tool messages",
        code="invalid_value",
        param="{place}.type",
    ),
    _row(
        "empty list",
        _empty_list,
        "Invalid 'messages[{at}].content': empty array. Expected an array with minimum length 1, but got an empty "
        "array instead.",
        "reports",
        code="empty_array",
        param="messages[{at}].content",
    ),
    _row(
        "no content",
        _nothing,
        "Invalid value for 'content': expected a string, got null.",
        "SDK types",
        param="messages.[{at}].content",
    ),
    _row(
        "orphan result",
        _orphans,
        "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
        "reports",
        param="messages.[{at}].role",
    ),
    _row(
        "unanswered call",
        _unanswered,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        "The following tool_call_ids did not have response messages: {ids}",
        "reports",
        param="messages.[{at}].role",
    ),
    _row(
        "max_tokens",
        _max_tokens,
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "SDK docstring; reports",
        param="max_tokens",
        **_unsupported,
    ),
    _row(
        "stop",
        _stop,
        "Unsupported parameter: 'stop' is not supported with this model.",
        "SDK docstring; recorded 400",
        param="stop",
        **_unsupported,
    ),
    _row(
        "stops",
        _stops,
        "Invalid 'stop': array too long. Expected an array with maximum length 4, but got one with length {found}.",
        "SDK docstring",
        code="array_above_max_length",
        param="stop",
    ),
    _row(
        "top_logprobs",
        _logprobs,
        "'logprobs' must be set to true to use 'top_logprobs'.",
        "SDK docstring",
        param="top_logprobs",
    ),
    _row(
        "web search",
        _search,
        "Unsupported parameter: 'web_search_options' is not supported with this model.",
        "recorded 400",
        param="web_search_options",
        **_unsupported,
    ),
    _row(
        "responses only",
        _responses_only,
        "This model is only supported in v1/responses and not in v1/chat/completions.",
        "SDK's ResponsesModel; reports",
        status=404,
        param="model",
    ),
    _row(
        "tools need responses",
        _tools_need_responses,
        "Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. "
        "Please use /v1/responses instead.",
        "reports",
        param="reasoning_effort",
    ),
)
