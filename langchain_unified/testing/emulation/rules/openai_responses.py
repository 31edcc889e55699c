"""What OpenAI's Responses API refuses, beside what both of its APIs do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.rules.rule import ITEMS, RESPONSES, Call, Finder, Found, Rule, dicts

ON_RESPONSES = frozenset({RESPONSES})

INCLUDE = ("file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
           "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
           "reasoning.encrypted_content", "message.output_text.logprobs")  # fmt: skip

KINDS = frozenset(
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
PARTS: Mapping[str, frozenset[str]] = {
    "user": frozenset({"input_text", "input_image", "input_file"}),
    "system": frozenset({"input_text", "input_image", "input_file"}),
    "developer": frozenset({"input_text", "input_image", "input_file"}),
    "assistant": frozenset({"output_text", "refusal"}),
}
PREFIXES: Mapping[str, str] = {"function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs", "message": "msg"}
"""How an item's own id begins."""

ANSWERS: Mapping[str, str] = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
}


def _items(call: Call) -> list[JsonObject]:
    return dicts(call.body.get("input"))


def _kind(item: JsonObject) -> str:
    return str(item.get("type") or "message")


def _no_input(call: Call) -> Found:
    if all(call.body.get(key) is None for key in ("input", "prompt", "previous_response_id", "conversation")):
        yield {}


def _both_states(call: Call) -> Found:
    if call.body.get("previous_response_id") and call.body.get("conversation"):
        yield {}


def _unknown_response(call: Call) -> Found:
    asked = call.body.get("previous_response_id")
    if asked and asked not in call.known:
        yield {"id": asked}


def _include(call: Call) -> Found:
    for at, name in enumerate(call.body.get("include") or ()):
        if name not in INCLUDE:
            yield {"at": at, "name": name, "names": ", ".join(f"'{each}'" for each in INCLUDE)}


def _small_limit(call: Call) -> Found:
    limit = call.body.get("max_output_tokens")
    if limit is not None and limit < 16:
        yield {"found": limit}


def _item_type(call: Call) -> Found:
    for at, item in enumerate(_items(call)):
        if _kind(item) not in KINDS:
            yield {"at": at, "kind": item.get("type")}


def _part_type(call: Call) -> Found:
    for at, item in enumerate(_items(call)):
        known = PARTS.get(str(item.get("role")), frozenset())
        for index, part in enumerate(dicts(item.get("content")) if known else ()):
            if part.get("type") not in known:
                values = ", ".join(f"'{each}'" for each in sorted(known))
                yield {"place": f"input[{at}].content[{index}]", "kind": part.get("type"), "values": values}


def _item_id(call: Call) -> Found:
    for at, item in enumerate(_items(call)):
        prefix = PREFIXES.get(_kind(item))
        if prefix and item.get("id") is not None and not str(item["id"]).startswith(prefix):
            yield {"at": at, "id": item["id"], "prefix": prefix}


def _call_id(call: Call) -> Found:
    for at, item in enumerate(_items(call)):
        found = len(str(item.get("call_id") or ""))
        if found > 64:
            yield {"at": at, "found": found}


def _ids(items: list[JsonObject], kind: str) -> Iterator[str]:
    return (str(item.get("call_id")) for item in items if _kind(item) == kind)


def _orphans(call: Call) -> Found:
    """With a conversation that the server holds, the call may be there."""
    if call.body.get("conversation") or call.body.get("previous_response_id"):
        return
    calls = {item.get("call_id") for item in _items(call) if _kind(item).endswith("_call")}
    for item in _items(call):
        if _kind(item) in ANSWERS and item.get("call_id") not in calls:
            yield {"id": item.get("call_id")}


def _unanswered(call: Call) -> Found:
    for answer, called in ANSWERS.items():
        answers = set(_ids(_items(call), answer))
        yield from ({"id": each} for each in _ids(_items(call), called) if each not in answers)


def _lone_reasoning(call: Call) -> Found:
    items = _items(call)
    for at, item in enumerate(items):
        follower = items[at + 1] if at + 1 < len(items) else {"role": "user"}
        if _kind(item) == "reasoning" and item.get("id") and not _of_model(follower):
            yield {"id": item["id"]}


def _of_model(item: JsonObject) -> bool:
    """Whether the item is one of the model's. A message without its id counts as the caller's words."""
    if _kind(item) == "message":
        return item.get("role") == "assistant" and item.get("id") is not None
    return not _kind(item).endswith("_output")


def _unstored(call: Call) -> Found:
    for item in _items(call):
        if item.get("id") in call.unstored and _kind(item) == "reasoning" and not item.get("encrypted_content"):
            yield {"id": item["id"]}


def _row(name: str, find: Finder, message: str, source: str, endpoints: frozenset[str] = ITEMS, **more: Any) -> Rule:
    return Rule(f"openai.responses.{name}", endpoints, find, message, source, **more)


RULES: tuple[Rule, ...] = (
    _row(
        "no input",
        _no_input,
        "Missing required parameter: 'input'.",
        "API reference",
        code="missing_required_parameter",
        param="input",
    ),
    _row(
        "two states",
        _both_states,
        "Mutually exclusive parameters: 'previous_response_id' and 'conversation' cannot be used together.",
        "SDK docstring",
        code="mutually_exclusive_parameters",
        param="previous_response_id",
    ),
    _row(
        "unknown response",
        _unknown_response,
        "Previous response with id '{id}' not found.",
        "reports",
        code="previous_response_not_found",
        param="previous_response_id",
    ),
    _row(
        "include",
        _include,
        "Invalid value: '{name}'. Supported values are: {names}.",
        "SDK types",
        ON_RESPONSES,
        code="invalid_value",
        param="include[{at}]",
    ),
    _row(
        "small limit",
        _small_limit,
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {found} instead.",
        "reports",
        ON_RESPONSES,
        code="integer_below_min_value",
        param="max_output_tokens",
    ),
    _row(
        "item type",
        _item_type,
        "Invalid value: '{kind}'. It is not a type of input item.",
        "SDK types",
        code="invalid_value",
        param="input[{at}].type",
    ),
    _row(
        "part type",
        _part_type,
        "Invalid value: '{kind}'. Supported values are: {values}.",
        "SDK types; reports",
        code="invalid_value",
        param="{place}",
    ),
    _row(
        "item id",
        _item_id,
        "Invalid 'input[{at}].id': '{id}'. Expected an ID that begins with '{prefix}'.",
        "reports",
        code="invalid_value",
        param="input[{at}].id",
    ),
    _row(
        "call id",
        _call_id,
        "Invalid 'input[{at}].call_id': string too long. Expected a string with maximum length 64, but got a string "
        "with length {found} instead.",
        "reports",
        code="string_above_max_length",
        param="input[{at}].call_id",
    ),
    _row(
        "orphan result",
        _orphans,
        "No tool call found for function call output with call_id {id}.",
        "reports",
        param="input",
    ),
    _row("unanswered call", _unanswered, "No tool output found for function call {id}.", "reports", param="input"),
    _row(
        "lone reasoning",
        _lone_reasoning,
        "Item '{id}' of type 'reasoning' was provided without its required following item.",
        "recorded 400",
        param="input",
    ),
    _row(
        "unstored item",
        _unstored,
        "Item with id '{id}' not found. Items are not persisted when `store` is set to false.",
        "reports",
        ON_RESPONSES,
        status=404,
        param="input",
    ),
)
