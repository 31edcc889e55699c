"""What the Responses API refuses beyond what both APIs of OpenAI refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import OPENAI_ITEMS, RESPONSES
from langchain_unified.testing.emulation.rules.openai_items import ITEMS, item_type, items_of
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
INPUT_PARTS = frozenset({"input_text", "input_image", "input_file"})
PART_TYPES: Mapping[str, frozenset[str]] = {
    "user": INPUT_PARTS,
    "system": INPUT_PARTS,
    "developer": INPUT_PARTS,
    "function_call_output": INPUT_PARTS,
    "custom_tool_call_output": INPUT_PARTS,
    "assistant": frozenset({"output_text", "refusal"}),
}
ITEM_ID_PREFIXES: Mapping[str, str] = {
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
    "message": "msg",
}
"""By item type, how the item's id begins."""


def _no_input(call: EmulatedCall) -> Violations:
    stored = any(call.body.get(key) for key in ("prompt", "previous_response_id", "conversation"))
    if call.body.get("input") in (None, []) and not stored:
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
    for at, item in enumerate(items_of(call)):
        if item_type(item) not in ITEM_TYPES:
            yield {"at": at, "kind": item.get("type")}


def _unknown_part_type(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        kind = item_type(item)
        known = PART_TYPES.get(str(item.get("role")) if kind == "message" else kind, frozenset())
        key = "content" if kind == "message" else "output"
        for index, part in enumerate(dicts(item.get(key)) if known else ()):
            if part.get("type") not in known:
                values = ", ".join(f"'{each}'" for each in sorted(known))
                yield {"place": f"input[{at}].{key}[{index}]", "kind": part.get("type"), "values": values}


def _invalid_item_id(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        prefix = ITEM_ID_PREFIXES.get(item_type(item))
        if prefix and item.get("id") is not None and not str(item["id"]).startswith(prefix):
            yield {"at": at, "id": item["id"], "prefix": prefix}


def _call_id_too_long(call: EmulatedCall) -> Violations:
    for at, item in enumerate(items_of(call)):
        found = len(str(item.get("call_id") or ""))
        if found > 64:
            yield {"at": at, "found": found}


def _invalid_background(call: EmulatedCall) -> Violations:
    options = call.body.get("background_options")
    window = options.get("completion_window") if isinstance(options, dict) else None
    if call.body.get("background") is True and call.body.get("store") is False:
        yield {"what": "'background' requires 'store' to be true", "key": "background"}
    if window in ("2h", "8h") and call.body.get("background") is not True:
        yield {"what": f"'{window}' requires 'background' to be true", "key": "background_options"}
    if window not in (None, "soonest", "2h", "8h"):
        yield {"what": "supported values are 'soonest', '2h' and '8h'", "key": "background_options.completion_window"}


def _invalid_context_management(call: EmulatedCall) -> Violations:
    given = call.body.get("context_management")
    entries = dicts(given)
    valid = isinstance(given, list) and len(entries) == len(given) and all(_is_compaction(each) for each in entries)
    if given is not None and not valid:
        yield {}


def _is_compaction(entry: JsonObject) -> bool:
    return entry.get("type") == "compaction"


def _invalid_instructions(call: EmulatedCall) -> Violations:
    if not isinstance(call.body.get("instructions"), str | None):
        yield {}


def _unknown_stream_option(call: EmulatedCall) -> Violations:
    options = call.body.get("stream_options")
    for key in options if isinstance(options, dict) else ():
        if key != "include_obfuscation":
            yield {"key": f"stream_options.{key}"}


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
        "background",
        _invalid_background,
        "Invalid value for '{key}': {what}.",
        "background mode guide; SDK docstring of background_options",
        ON_RESPONSES,
        param="{key}",
    ),
    _rule(
        "context management",
        _invalid_context_management,
        "Invalid type for 'context_management': expected an array of objects of type 'compaction'.",
        "SDK types",
        code="invalid_type",
        param="context_management",
    ),
    _rule(
        "instructions",
        _invalid_instructions,
        "Invalid type for 'instructions': expected a string.",
        "SDK types",
        code="invalid_type",
        param="instructions",
    ),
    _rule(
        "stream option",
        _unknown_stream_option,
        "Unknown parameter: '{key}'.",
        "SDK types",
        ON_RESPONSES,
        code="unknown_parameter",
        param="{key}",
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
    *ITEMS,
)
