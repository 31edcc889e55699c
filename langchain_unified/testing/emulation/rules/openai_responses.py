"""What the Responses API refuses beyond what both APIs of OpenAI refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import OPENAI_ITEMS, RESPONSES
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts

ON_RESPONSES = frozenset({RESPONSES})

INCLUDE_VALUES = ("file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
           "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
           "reasoning.encrypted_content", "message.output_text.logprobs")  # fmt: skip

ITEM_TYPES = frozenset(
    {
        "message", "reasoning", "function_call", "function_call_output", "custom_tool_call",
        "custom_tool_call_output", "file_search_call", "web_search_call", "computer_call", "computer_call_output",
        "code_interpreter_call", "image_generation_call", "local_shell_call", "local_shell_call_output", "shell_call",
        "shell_call_output", "apply_patch_call", "apply_patch_call_output", "mcp_list_tools", "mcp_approval_request",
        "mcp_approval_response", "mcp_call", "tool_search_call", "tool_search_output", "additional_tools",
        "configuration_update", "compaction", "compaction_summary", "compaction_trigger", "item_reference", "program",
        "program_output",
    }
)  # fmt: skip
PART_TYPES: Mapping[str, frozenset[str]] = {
    "user": frozenset({"input_text", "input_image", "input_file"}),
    "system": frozenset({"input_text", "input_image", "input_file"}),
    "developer": frozenset({"input_text", "input_image", "input_file"}),
    "assistant": frozenset({"output_text", "refusal"}),
}
ITEM_ID_PREFIXES: Mapping[str, str] = {
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
    "message": "msg",
}
"""By item type, how the item's id begins."""

CALL_TYPES: Mapping[str, str] = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
}
"""By the type of a tool result, the type of its call."""


def _items(call: EmulatedCall) -> list[JsonObject]:
    return dicts(call.body.get("input"))


def _item_type(item: JsonObject) -> str:
    return str(item.get("type") or "message")


def _no_input(call: EmulatedCall) -> Violations:
    if all(call.body.get(key) is None for key in ("input", "prompt", "previous_response_id", "conversation")):
        yield {}


def _two_conversations(call: EmulatedCall) -> Violations:
    if call.body.get("previous_response_id") and call.body.get("conversation"):
        yield {}


def _unknown_response(call: EmulatedCall) -> Violations:
    asked = call.body.get("previous_response_id")
    if asked and asked not in call.stored_responses:
        yield {"id": asked}


def _unknown_include(call: EmulatedCall) -> Violations:
    for at, name in enumerate(call.body.get("include") or ()):
        if name not in INCLUDE_VALUES:
            yield {"at": at, "name": name, "names": ", ".join(f"'{each}'" for each in INCLUDE_VALUES)}


def _max_output_tokens_too_small(call: EmulatedCall) -> Violations:
    limit = call.body.get("max_output_tokens")
    if limit is not None and limit < 16:
        yield {"found": limit}


def _unknown_item_type(call: EmulatedCall) -> Violations:
    for at, item in enumerate(_items(call)):
        if _item_type(item) not in ITEM_TYPES:
            yield {"at": at, "kind": item.get("type")}


def _unknown_part_type(call: EmulatedCall) -> Violations:
    for at, item in enumerate(_items(call)):
        known = PART_TYPES.get(str(item.get("role")), frozenset())
        for index, part in enumerate(dicts(item.get("content")) if known else ()):
            if part.get("type") not in known:
                values = ", ".join(f"'{each}'" for each in sorted(known))
                yield {"place": f"input[{at}].content[{index}]", "kind": part.get("type"), "values": values}


def _invalid_item_id(call: EmulatedCall) -> Violations:
    for at, item in enumerate(_items(call)):
        prefix = ITEM_ID_PREFIXES.get(_item_type(item))
        if prefix and item.get("id") is not None and not str(item["id"]).startswith(prefix):
            yield {"at": at, "id": item["id"], "prefix": prefix}


def _call_id_too_long(call: EmulatedCall) -> Violations:
    for at, item in enumerate(_items(call)):
        found = len(str(item.get("call_id") or ""))
        if found > 64:
            yield {"at": at, "found": found}


def _call_ids(items: list[JsonObject], kind: str) -> Iterator[str]:
    return (str(item.get("call_id")) for item in items if _item_type(item) == kind)


def _results_without_call(call: EmulatedCall) -> Violations:
    """Not checked for a stored conversation, which may contain the call."""
    if call.body.get("conversation") or call.body.get("previous_response_id"):
        return
    calls = {item.get("call_id") for item in _items(call) if _item_type(item).endswith("_call")}
    for item in _items(call):
        if _item_type(item) in CALL_TYPES and item.get("call_id") not in calls:
            yield {"id": item.get("call_id")}


def _calls_without_result(call: EmulatedCall) -> Violations:
    for answer, called in CALL_TYPES.items():
        answers = set(_call_ids(_items(call), answer))
        yield from ({"id": each} for each in _call_ids(_items(call), called) if each not in answers)


def _reasoning_without_item(call: EmulatedCall) -> Violations:
    items = _items(call)
    for at, item in enumerate(items):
        follower = items[at + 1] if at + 1 < len(items) else {"role": "user"}
        if _item_type(item) == "reasoning" and item.get("id") and not _is_model_item(follower):
            yield {"id": item["id"]}


def _is_model_item(item: JsonObject) -> bool:
    """Whether the model wrote the item. An assistant message without an id counts as the caller's."""
    if _item_type(item) == "message":
        return item.get("role") == "assistant" and item.get("id") is not None
    return not _item_type(item).endswith("_output")


def _unstored_item(call: EmulatedCall) -> Violations:
    for item in _items(call):
        must_be_stored = _item_type(item) == "reasoning" and not item.get("encrypted_content")
        if must_be_stored and item.get("id") in call.unstored_items:
            yield {"id": item["id"]}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = OPENAI_ITEMS, **more: Any
) -> Rule:
    return Rule(f"openai.responses.{name}", endpoints, check, message, source, **more)


RULES: tuple[Rule, ...] = (
    _rule(
        "no input",
        _no_input,
        "Missing required parameter: 'input'.",
        "API reference",
        code="missing_required_parameter",
        param="input",
    ),
    _rule(
        "two conversations",
        _two_conversations,
        "Mutually exclusive parameters: 'previous_response_id' and 'conversation' cannot be used together.",
        "SDK docstring",
        code="mutually_exclusive_parameters",
        param="previous_response_id",
    ),
    _rule(
        "unknown response",
        _unknown_response,
        "Previous response with id '{id}' not found.",
        "reports",
        code="previous_response_not_found",
        param="previous_response_id",
    ),
    _rule(
        "include",
        _unknown_include,
        "Invalid value: '{name}'. Supported values are: {names}.",
        "SDK types",
        ON_RESPONSES,
        code="invalid_value",
        param="include[{at}]",
    ),
    _rule(
        "small max_output_tokens",
        _max_output_tokens_too_small,
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {found} instead.",
        "reports",
        ON_RESPONSES,
        code="integer_below_min_value",
        param="max_output_tokens",
    ),
    _rule(
        "item type",
        _unknown_item_type,
        "Invalid value: '{kind}'. It is not a type of input item.",
        "SDK types",
        code="invalid_value",
        param="input[{at}].type",
    ),
    _rule(
        "part type",
        _unknown_part_type,
        "Invalid value: '{kind}'. Supported values are: {values}.",
        "SDK types; reports",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "item id",
        _invalid_item_id,
        "Invalid 'input[{at}].id': '{id}'. Expected an ID that begins with '{prefix}'.",
        "reports",
        code="invalid_value",
        param="input[{at}].id",
    ),
    _rule(
        "call id",
        _call_id_too_long,
        "Invalid 'input[{at}].call_id': string too long. Expected a string with maximum length 64, but got a string "
        "with length {found} instead.",
        "reports",
        code="string_above_max_length",
        param="input[{at}].call_id",
    ),
    _rule(
        "orphan result",
        _results_without_call,
        "No tool call found for function call output with call_id {id}.",
        "reports",
        param="input",
    ),
    _rule(
        "unanswered call",
        _calls_without_result,
        "No tool output found for function call {id}.",
        "reports",
        param="input",
    ),
    _rule(
        "reasoning without item",
        _reasoning_without_item,
        "Item '{id}' of type 'reasoning' was provided without its required following item.",
        "recorded 400",
        param="input",
    ),
    _rule(
        "unstored item",
        _unstored_item,
        "Item with id '{id}' not found. Items are not persisted when `store` is set to false.",
        "reports",
        ON_RESPONSES,
        status=404,
        param="input",
    ),
)
