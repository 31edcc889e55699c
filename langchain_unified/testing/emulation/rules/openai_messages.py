"""What the Chat Completions API refuses in messages, tool calls and their results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import CHAT
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


COMMON_MESSAGE_KEYS = frozenset({"role", "content", "name", "cache_control", "prompt_cache_breakpoint"})
MESSAGE_KEYS: Mapping[str, frozenset[str]] = {
    "system": frozenset(),
    "developer": frozenset(),
    "user": frozenset(),
    "assistant": frozenset({"refusal", "audio", "tool_calls", "function_call", "annotations"}),
    "tool": frozenset({"tool_call_id"}),
    "function": frozenset(),
}
"""By role, the keys of a message beside `COMMON_MESSAGE_KEYS`."""

MESSAGE_NAME = re.compile(r"[^\s<|\\/>]{1,64}")
CALL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


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


def _no_conversation(call: EmulatedCall) -> Violations:
    if call.body.get("messages") == []:
        yield {}


def _unknown_message_key(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        known = MESSAGE_KEYS.get(str(message.get("role")))
        # The caller's cache_control has a rule of its own.
        for key in sorted(message.keys() - known - COMMON_MESSAGE_KEYS) if known is not None else ():
            yield {"place": f"messages[{at}].{key}"}


def _empty_content(call: EmulatedCall) -> Violations:
    yield from ({"at": at} for at, message in enumerate(_messages(call)) if message.get("content") == [])


def _invalid_content(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        content = message.get("content")
        is_parts = isinstance(content, list) and len(dicts(content)) == len(content)
        if not (content is None or isinstance(content, str) or is_parts):
            yield {"at": at}


def _invalid_message_name(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        name = message.get("name")
        if name is not None and not (isinstance(name, str) and MESSAGE_NAME.fullmatch(name)):
            yield {"at": at}


def _empty_tool_calls(call: EmulatedCall) -> Violations:
    yield from ({"at": at} for at, message in enumerate(_messages(call)) if message.get("tool_calls") == [])


def _calls(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    """The tool calls of the conversation, each with its path."""
    for at, message in enumerate(_messages(call)):
        for index, made in enumerate(dicts(message.get("tool_calls"))):
            yield f"messages[{at}].tool_calls[{index}]", made


def _malformed_call(call: EmulatedCall) -> Violations:
    for place, made in _calls(call):
        kind = made.get("type")
        inner = made.get(str(kind))
        if kind not in ("function", "custom") or not isinstance(inner, dict):
            yield {"place": f"{place}.type"}
        elif not isinstance(inner.get("arguments" if kind == "function" else "input"), str):
            yield {"place": f"{place}.{kind}.{'arguments' if kind == 'function' else 'input'}"}


def _invalid_call_name(call: EmulatedCall) -> Violations:
    for place, made in _calls(call):
        inner = made.get(str(made.get("type")))
        if isinstance(inner, dict) and not CALL_NAME.fullmatch(str(inner.get("name") or "")):
            yield {"place": f"{place}.{made['type']}.name"}


def _call_id_length(call: EmulatedCall) -> Violations:
    places = [(f"{place}.id", made.get("id")) for place, made in _calls(call)]
    results = ((at, message) for at, message in enumerate(_messages(call)) if message.get("role") == "tool")
    places += [(f"messages[{at}].tool_call_id", message.get("tool_call_id")) for at, message in results]
    for place, value in places:
        if not isinstance(value, str) or not 1 <= len(value) <= 40:
            yield {"place": place, "found": len(str(value or ""))}


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


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.chat.{name}", ON_CHAT, check, message, source, **more)


MESSAGES: tuple[Rule, ...] = (
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
    _rule("no conversation", _no_conversation, "Invalid 'messages': empty array.", "API reference", param="messages"),
    _rule(
        "message key",
        _unknown_message_key,
        "Unknown parameter: '{place}'.",
        "SDK types; annotations of an assistant are recorded with status 200",
        code="unknown_parameter",
        param="{place}",
    ),
    _rule(
        "content",
        _invalid_content,
        "Invalid type for 'messages[{at}].content': expected one of a string or array of objects.",
        "SDK types",
        code="invalid_type",
        param="messages[{at}].content",
    ),
    _rule(
        "message name",
        _invalid_message_name,
        "Invalid 'messages[{at}].name': string does not match pattern. Expected a string that matches the pattern "
        "'^[^\\s<|\\\\/>]+$'.",
        "microsoft/autogen#4157, jekalmin/extended_openai_conversation#251",
        code="invalid_value",
        param="messages[{at}].name",
    ),
    _rule(
        "empty tool calls",
        _empty_tool_calls,
        "Invalid 'messages[{at}].tool_calls': empty array. Expected an array with minimum length 1, but got an empty "
        "array instead.",
        "openai/openai-node#1341, home-assistant/core#118577",
        code="empty_array",
        param="messages[{at}].tool_calls",
    ),
    _rule(
        "tool call",
        _malformed_call,
        "Invalid '{place}': a tool call is a 'function' with 'arguments' or a 'custom' call with 'input'.",
        "SDK types",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "call name",
        _invalid_call_name,
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "mcp-use/mcp-use#90",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "call id",
        _call_id_length,
        "Invalid '{place}': string too long. Expected a string with maximum length 40, but got a string with length "
        "{found} instead.",
        "langmanus/langmanus#119",
        code="string_above_max_length",
        param="{place}",
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
)
