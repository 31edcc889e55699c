"""What the Responses API refuses in the items of a conversation: keys, ids, calls and reasoning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import OPENAI_ITEMS, RESPONSES
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts

_ITEM = frozenset({"id", "status"})
_CALL = _ITEM | {"call_id"}
_OUTPUT = _CALL | {"output", "caller"}
ITEM_KEYS: Mapping[str, frozenset[str]] = {
    "message": _ITEM | {"content", "role", "phase"},
    "reasoning": frozenset({"id", "content", "encrypted_content", "summary"}),
    "function_call": _CALL | {"arguments", "async", "caller", "name", "namespace"},
    "function_call_output": _OUTPUT | {"name", "namespace"},
    "custom_tool_call": _CALL | {"async", "caller", "input", "name", "namespace"},
    "custom_tool_call_output": _OUTPUT - {"status"},
    "file_search_call": _ITEM | {"queries", "results"},
    "web_search_call": _ITEM | {"action", "results"},
    "computer_call": _CALL | {"action", "actions", "pending_safety_checks"},
    "computer_call_output": _CALL | {"acknowledged_safety_checks", "output"},
    "code_interpreter_call": _ITEM | {"code", "container_id", "outputs"},
    "image_generation_call": _ITEM
    | {"action", "background", "error", "output_format", "quality", "result", "revised_prompt", "size", "svg_usage"},
    "local_shell_call": _CALL | {"action"},
    "local_shell_call_output": _CALL | {"output"},
    "shell_call": _CALL | {"action", "caller", "environment"},
    "shell_call_output": _OUTPUT | {"max_output_length"},
    "apply_patch_call": _CALL | {"caller", "operation"},
    "apply_patch_call_output": _OUTPUT,
    "tool_search_call": _CALL | {"arguments", "execution"},
    "tool_search_output": _CALL | {"execution", "tools"},
    "mcp_list_tools": frozenset({"id", "error", "server_label", "tools"}),
    "mcp_call": _ITEM | {"approval_request_id", "arguments", "error", "name", "output", "server_label"},
    "mcp_approval_request": frozenset({"id", "arguments", "name", "server_label"}),
    "mcp_approval_response": frozenset({"id", "approval_request_id", "approve", "reason"}),
    "additional_tools": frozenset({"id", "role", "tools"}),
    "configuration_update": frozenset({"id", "reasoning", "text"}),
    "compaction": frozenset({"id", "encrypted_content"}),
    "compaction_trigger": frozenset({"id"}),
    "item_reference": frozenset({"id"}),
    "program": frozenset({"id", "call_id", "code", "fingerprint"}),
    "program_output": _CALL | {"result"},
}
"""By item type, the keys that the SDK's input types have beside `type`."""

REQUIRED_KEYS: Mapping[str, tuple[str, ...]] = {
    "function_call": ("arguments", "call_id", "name"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "reasoning": ("summary",),
    "item_reference": ("id",),
    "compaction": ("encrypted_content",),
    "mcp_approval_response": ("approval_request_id", "approve"),
    "apply_patch_call": ("call_id", "operation"),
    "shell_call": ("call_id", "action"),
    "shell_call_output": ("call_id", "output"),
    "additional_tools": ("role", "tools"),
}

CALL_TYPES: Mapping[str, str] = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
    "computer_call_output": "computer_call",
    "shell_call_output": "shell_call",
    "apply_patch_call_output": "apply_patch_call",
}
"""By the type of a tool result, the type of its call."""

CONTENT_KEYS = {"message": "content", "function_call_output": "output", "custom_tool_call_output": "output"}
ITEM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def items_of(call: EmulatedCall) -> list[JsonObject]:
    return dicts(call.body.get("input"))


def item_type(item: JsonObject) -> str:
    """The item's type. A message needs none, and an id alone is a reference."""
    return str(item.get("type") or ("item_reference" if item.keys() == {"id"} else "message"))


# --- keys and values --------------------------------------------------------------------------------------------------


def _unknown_item_key(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        known = ITEM_KEYS.get(item_type(item))
        # Breakpoints have rules of their own.
        own = {"type", "cache_control", "prompt_cache_breakpoint"}
        for key in sorted(item.keys() - known - own) if known is not None else ():
            yield {"place": f"input[{at}].{key}"}


def _missing_item_key(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        for key in REQUIRED_KEYS.get(item_type(item), ()):
            if item.get(key) is None:
                yield {"place": f"input[{at}].{key}"}


def _unknown_role(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        kind, role = item_type(item), item.get("role")
        if kind == "message" and role not in ("user", "assistant", "system", "developer"):
            yield {"at": at, "role": role, "roles": "'user', 'assistant', 'system' and 'developer'"}
        if kind == "additional_tools" and role not in (None, "developer"):
            yield {"at": at, "role": role, "roles": "'developer'"}


def _invalid_content(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        key = CONTENT_KEYS.get(item_type(item))
        content = item.get(key) if key else ""
        is_parts = isinstance(content, list) and len(dicts(content)) == len(content)
        missing = content is None and key == "output"
        if not (isinstance(content, str) or is_parts or missing):
            yield {"place": f"input[{at}].{key}"}


def _invalid_call_name(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        name = item.get("name") if item_type(item) in ("function_call", "custom_tool_call") else None
        if name is not None and not CALL_NAME.fullmatch(str(name)):
            yield {"at": at}


def _empty_call_id(call: EmulatedCall) -> Violations:
    yield from ({"at": at} for at, item in enumerate(items_of(call)) if item.get("call_id") == "")


# --- ids and reasoning ------------------------------------------------------------------------------------------------


def _invalid_characters_in_id(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        if item.get("id") is not None and not ITEM_ID.fullmatch(str(item["id"])):
            yield {"at": at, "id": item["id"]}


def _repeated_item(call: EmulatedCall) -> Violations:
    seen: set[str] = set()
    for item in items_of(call):
        if item.get("id") is not None and item["id"] in seen:
            yield {"id": item["id"]}
        seen.add(str(item.get("id")))


def _calls(items: list[JsonObject], kind: str) -> Iterator[str]:
    return (str(item.get("call_id")) for item in items if item_type(item) == kind)


def _results_without_call(call: EmulatedCall) -> Violations:
    """Not checked where the server stores a part of the conversation, which may contain the call."""
    items = items_of(call)
    stored = any(call.body.get(key) for key in ("conversation", "previous_response_id", "prompt"))
    if stored or any(item_type(item) == "item_reference" for item in items):
        return
    calls = {item.get("call_id") for item in items if item_type(item).endswith("_call")}
    for item in items:
        if item_type(item) in CALL_TYPES and item.get("call_id") not in calls:
            yield {"id": item.get("call_id")}


def _calls_without_result(call: EmulatedCall) -> Violations:
    for answer, called in CALL_TYPES.items():
        answers = set(_calls(items_of(call), answer))
        yield from ({"id": each} for each in _calls(items_of(call), called) if each not in answers)


def _reasoning_without_item(call: EmulatedCall) -> Violations:
    """Not checked where nothing is stored: there, items are not matched by their ids (recorded with status 200)."""
    if call.body.get("store") is False:
        return
    items = items_of(call)
    for at, item in enumerate(items):
        others = (each for each in items[at + 1 :] if item_type(each) != "reasoning")
        if item_type(item) == "reasoning" and item.get("id") and not _is_model_item(next(others, {})):
            yield {"id": item["id"]}


def _is_model_item(item: JsonObject) -> bool:
    """Whether the model wrote the item. An item without an id counts as the caller's."""
    kind = item_type(item)
    written = item.get("role") == "assistant" if kind == "message" else not kind.endswith("_output")
    return written and item.get("id") is not None


def _unstored_item(call: EmulatedCall) -> Violations:
    unstored = call.body.get("store") is False
    for item in items_of(call):
        if item_type(item) == "reasoning" and not item.get("encrypted_content"):
            if unstored or item.get("id") in call.unstored_items:
                yield {"id": item.get("id")}
        elif item_type(item) == "item_reference" and unstored:
            yield {"id": item.get("id")}


def _item_without_reasoning(call: EmulatedCall) -> Violations:
    if call.body.get("store") is False:
        return
    sent = {item.get("id") for item in items_of(call)}
    for item in items_of(call):
        reasoning = call.reasoning_before.get(str(item.get("id")))
        if reasoning is not None and reasoning not in sent:
            yield {"id": item["id"], "kind": item_type(item), "reasoning": reasoning}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = OPENAI_ITEMS, **more: Any
) -> Rule:
    return Rule(f"openai.responses.{name}", endpoints, check, message, source, **more)


ITEMS: tuple[Rule, ...] = (
    _rule(
        "item key",
        _unknown_item_key,
        "Unknown parameter: '{place}'.",
        "keys of the SDK's types; BerriAI/litellm#13420, 1jehuang/jcode#1028, Wei-Shaw/sub2api#1874",
        code="unknown_parameter",
        param="{place}",
    ),
    _rule(
        "incomplete item",
        _missing_item_key,
        "Missing required parameter: '{place}'.",
        "SDK types",
        code="missing_required_parameter",
        param="{place}",
    ),
    _rule(
        "role",
        _unknown_role,
        "Invalid value: '{role}'. Supported values are: {roles}.",
        "SDK types",
        code="invalid_value",
        param="input[{at}].role",
    ),
    _rule(
        "content",
        _invalid_content,
        "Invalid type for '{place}': expected one of a string or array of objects.",
        "SDK types",
        code="invalid_type",
        param="{place}",
    ),
    _rule(
        "call name",
        _invalid_call_name,
        "Invalid 'input[{at}].name': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "API reference: the pattern of function names",
        code="invalid_value",
        param="input[{at}].name",
    ),
    _rule(
        "empty call id",
        _empty_call_id,
        "Invalid 'input[{at}].call_id': empty string. Expected a string with minimum length 1.",
        "SDK docstring",
        code="string_below_min_length",
        param="input[{at}].call_id",
    ),
    _rule(
        "item id characters",
        _invalid_characters_in_id,
        "Invalid 'input[{at}].id': '{id}'. Expected an ID that contains letters, numbers, underscores, or dashes, of "
        "at most 64 characters.",
        "openai/codex#9360 (characters), github/app#409 (64), langchain-ai/langchainjs#11044 (empty)",
        code="invalid_value",
        param="input[{at}].id",
    ),
    _rule(
        "repeated item",
        _repeated_item,
        "Duplicate item found with id {id}. Remove duplicate items from your input and try again.",
        "earendil-works/pi#5151, HKUDS/nanobot#3633",
        param="input",
    ),
    _rule(
        "orphan result",
        _results_without_call,
        "No tool call found for function call output with call_id {id}.",
        "continuedev/continue#10092, can1357/oh-my-pi#106",
        param="input",
    ),
    _rule(
        "unanswered call",
        _calls_without_result,
        "No tool output found for function call {id}.",
        "openai/codex#93, symgraph/GhidrAssist#78",
        param="input",
    ),
    _rule(
        "reasoning without item",
        _reasoning_without_item,
        "Item '{id}' of type 'reasoning' was provided without its required following item.",
        "recorded 400; continuedev/continue#8933",
        param="input",
    ),
    _rule(
        "item without reasoning",
        _item_without_reasoning,
        "Item '{id}' of type '{kind}' was provided without its required 'reasoning' item: '{reasoning}'.",
        "continuedev/continue#10018, cline/cline#12242",
        param="input",
    ),
    _rule(
        "unstored item",
        _unstored_item,
        "Item with id '{id}' not found. Items are not persisted when `store` is set to false.",
        "anomalyco/opencode#7724, can1357/oh-my-pi#50",
        frozenset({RESPONSES}),
        status=404,
        param="input",
    ),
)
