"""What the Anthropic Messages API refuses in tools, schemas and output formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.profiles import model_profile
from langchain_unified.request import JsonObject
from langchain_unified.schemas.wellformed import check_schema
from langchain_unified.testing.emulation.endpoints import ANTHROPIC, COUNT_TOKENS
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.schemas import (
    count_optional_properties,
    count_union_types,
    mistyped_enum_values,
    object_schemas,
    reference_cycle,
    unsupported_keywords,
    unsupported_min_items,
)
from langchain_unified.testing.emulation.rules.shared import dicts

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
SERVER_TOOL = re.compile(r"web_search|web_fetch|code_execution|tool_search_tool")
PROPERTY_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def _thinking_enabled(call: EmulatedCall) -> bool:
    thinking = call.body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") == "enabled"


def forces_tool_use(call: EmulatedCall) -> bool:
    """Whether the tool choice forces the model to call a tool."""
    return (call.body.get("tool_choice") or {}).get("type") in ("any", "tool")


# --- tools ------------------------------------------------------------------------------------------------------------


def _tools(call: EmulatedCall) -> list[JsonObject]:
    return dicts(call.body.get("tools"))


def _custom_tools(call: EmulatedCall) -> Iterator[tuple[int, JsonObject]]:
    return ((at, tool) for at, tool in enumerate(_tools(call)) if tool.get("type") in (None, "custom"))


def _unknown_choice(call: EmulatedCall) -> Violations:
    chosen = call.body.get("tool_choice")
    if chosen and (not isinstance(chosen, dict) or chosen.get("type") not in ("auto", "any", "tool", "none")):
        yield {}


def _all_deferred(call: EmulatedCall) -> Violations:
    tools = _tools(call)
    if tools and all(tool.get("defer_loading") is True for tool in tools):
        yield {}


def _two_domain_lists(call: EmulatedCall) -> Violations:
    for at, tool in enumerate(_tools(call)):
        if tool.get("allowed_domains") and tool.get("blocked_domains"):
            yield {"at": at}


def _too_many_strict_tools(call: EmulatedCall) -> Violations:
    found = sum(tool.get("strict") is True for _, tool in _custom_tools(call))
    if found > 20:
        yield {"found": found}


def _server_tool_in_count(call: EmulatedCall) -> Violations:
    names = [str(tool["type"]) for tool in _tools(call) if SERVER_TOOL.match(str(tool.get("type") or ""))]
    if names:
        yield {"names": ", ".join(names)}


def _forced_tool_use(call: EmulatedCall) -> Violations:
    if forces_tool_use(call) and not call.profile.forced_tool_choice:
        yield {"kind": call.body["tool_choice"]["type"]}


def _forced_while_thinking(call: EmulatedCall) -> Violations:
    if forces_tool_use(call) and _thinking_enabled(call):
        yield {}


def _choice_without_tools(call: EmulatedCall) -> Violations:
    if call.body.get("tool_choice") and not _tools(call):
        yield {}


def _choice_of_unknown_tool(call: EmulatedCall) -> Violations:
    chosen = call.body.get("tool_choice") or {}
    names = {tool.get("name") for tool in _tools(call)}
    if chosen.get("type") == "tool" and names and chosen.get("name") not in names:
        yield {"name": chosen.get("name")}


def _parallel_with_none(call: EmulatedCall) -> Violations:
    chosen = call.body.get("tool_choice") or {}
    if chosen.get("type") == "none" and "disable_parallel_tool_use" in chosen:
        yield {}


def _invalid_tool_name(call: EmulatedCall) -> Violations:
    for at, tool in _custom_tools(call):
        if not TOOL_NAME.fullmatch(str(tool.get("name", ""))):
            yield {"at": at}


def _repeated_tool_name(call: EmulatedCall) -> Violations:
    names = [tool["name"] for tool in _tools(call) if "name" in tool]
    if len(set(names)) < len(names):
        yield {}


def _schema_not_object(call: EmulatedCall) -> Violations:
    for at, tool in _custom_tools(call):
        schema = tool.get("input_schema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            yield {"at": at}


def _union_at_root(call: EmulatedCall) -> Violations:
    for at, tool in _custom_tools(call):
        if any(key in (tool.get("input_schema") or {}) for key in ("oneOf", "anyOf", "allOf")):
            yield {"at": at}


def _invalid_property_name(call: EmulatedCall) -> Violations:
    for at, tool in _custom_tools(call):
        # The API checks the names at the root only.
        if not all(map(PROPERTY_NAME.fullmatch, (tool.get("input_schema") or {}).get("properties") or ())):
            yield {"at": at}


def _invalid_schema(call: EmulatedCall) -> Violations:
    for at, tool in _custom_tools(call):
        try:
            check_schema(tool.get("input_schema") or {}, "it")
        except InvalidToolError:
            yield {"at": at}


def _strict_schemas(call: EmulatedCall) -> Iterator[tuple[str, Any]]:
    """The schemas that the answer must follow, each with its path: the output format, and strict tools."""
    chosen = (call.body.get("output_config") or {}).get("format") or {}
    if chosen.get("schema"):
        yield "output_config.format.schema", chosen["schema"]
    for at, tool in _custom_tools(call):
        if tool.get("strict"):
            yield f"tools.{at}.custom", tool.get("input_schema")


def _format_keys(call: EmulatedCall) -> Violations:
    chosen = (call.body.get("output_config") or {}).get("format")
    if not chosen:
        return
    if chosen.get("type") != "json_schema":
        yield {"what": "type: Input should be 'json_schema'"}
    if not isinstance(chosen.get("schema"), dict):
        yield {"what": "schema: Field required"}
    yield from ({"what": f"{key}: Extra inputs are not permitted"} for key in chosen.keys() - {"type", "schema"})


def _format_unsupported(call: EmulatedCall) -> Violations:
    strict = any(tool.get("strict") is True for tool in _tools(call))
    asked = (call.body.get("output_config") or {}).get("format") or call.body.get("output_format") or strict
    # A model that is not in the table is taken for a modern one.
    profile = model_profile("anthropic", call.model) or {}
    if asked and profile.get("structured_output") is False:
        yield {}


def _additional_properties(call: EmulatedCall) -> Violations:
    for place, schema in _strict_schemas(call):
        for _, found in object_schemas(schema):
            if found.get("additionalProperties") is not False:
                yield {"place": place}


def _unsupported_keyword(call: EmulatedCall) -> Violations:
    for place, schema in _strict_schemas(call):
        yield from ({"place": place, "kind": kind, "key": key} for kind, key in unsupported_keywords(schema))


def _unsupported_min_items(call: EmulatedCall) -> Violations:
    for place, schema in _strict_schemas(call):
        yield from ({"place": place} for _ in unsupported_min_items(schema))


def _mistyped_enum_value(call: EmulatedCall) -> Violations:
    for place, schema in _strict_schemas(call):
        yield from ({"place": place, "value": value, "kind": kind} for value, kind in mistyped_enum_values(schema))


def _circular_reference(call: EmulatedCall) -> Violations:
    for _, schema in _strict_schemas(call):
        cycle = reference_cycle(schema)
        if cycle:
            yield {"cycle": cycle}


def _more_than(limit: int, count: Callable[[Any], int]) -> RuleCheck:
    """A check for a count over all strict schemas above `limit`."""

    def check(call: EmulatedCall) -> Violations:
        found = sum(count(schema) for _, schema in _strict_schemas(call))
        if found > limit:
            yield {"found": found}

    return check


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, check, message, source, **more)


TOOLS: tuple[Rule, ...] = (
    _rule(
        "server tool in count",
        _server_tool_in_count,
        "Server tools are not supported in the count_tokens endpoint: {names}",
        "pydantic-ai#5702, agno#9189",
        frozenset({COUNT_TOKENS}),
    ),
    _rule(
        "tool choice",
        _unknown_choice,
        "tool_choice: Input tag found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', "
        "'none'",
        "SDK types",
    ),
    _rule(
        "all deferred",
        _all_deferred,
        "tools: At least one tool must have defer_loading=false.",
        "tool search guide",
    ),
    _rule(
        "domain lists",
        _two_domain_lists,
        "tools.{at}: `allowed_domains` and `blocked_domains` cannot be used together",
        "SDK docstring",
    ),
    _rule(
        "strict tools",
        _too_many_strict_tools,
        "tools: Too many strict tools ({found}). The maximum number of strict tools is 20.",
        "langchain4j#5128, genkit#5230; structured outputs guide",
    ),
    _rule(
        "forced tool choice",
        _forced_tool_use,
        "tool_choice: `{kind}` is not supported for this model.",
        "guide to forcing tool use",
    ),
    _rule(
        "forced while thinking",
        _forced_while_thinking,
        "Thinking may not be enabled when tool_choice forces tool use.",
        "thinking guide",
    ),
    _rule(
        "tool choice without tools",
        _choice_without_tools,
        "tool_choice may only be specified while providing tools",
        "API reference",
    ),
    _rule("unknown tool", _choice_of_unknown_tool, "Tool '{name}' not found in provided tools", "API reference"),
    _rule(
        "parallel with none",
        _parallel_with_none,
        "tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted",
        "SDK types",
    ),
    _rule(
        "tool name",
        _invalid_tool_name,
        "tools.{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'",
        "API reference",
    ),
    _rule("repeated tool name", _repeated_tool_name, "tools: Tool names must be unique.", "reports"),
    _rule("tool schema", _schema_not_object, "tools.{at}.custom.input_schema.type: Field required", "SDK types"),
    _rule(
        "union at root",
        _union_at_root,
        "tools.{at}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        "reports",
    ),
    _rule(
        "property name",
        _invalid_property_name,
        "tools.{at}.custom.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{{1,64}}$'",
        "reports",
    ),
    _rule(
        "invalid schema",
        _invalid_schema,
        "tools.{at}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12",
        "reports",
    ),
    _rule("output format", _format_keys, "output_config.format.{what}", "SDK types"),
    _rule(
        "no output format",
        _format_unsupported,
        "This model does not support structured outputs.",
        "structured outputs guide: from Sonnet 4.5, Opus 4.1 and Haiku 4.5 on",
    ),
    _rule(
        "additional properties",
        _additional_properties,
        "{place}: For 'object' type, 'additionalProperties' must be explicitly set to false",
        "SDK's transform_schema",
    ),
    _rule(
        "schema keywords",
        _unsupported_keyword,
        "{place}: For '{kind}' type, property '{key}' is not supported",
        "SDK's transform_schema; reports",
    ),
    _rule(
        "schema minItems",
        _unsupported_min_items,
        "{place}: For 'array' type, 'minItems' values other than 0 or 1 are not supported",
        "SDK's transform_schema; reports",
    ),
    _rule(
        "schema enum",
        _mistyped_enum_value,
        "{place}: Invalid schema: Enum value '{value}' does not match declared type '{kind}'",
        "reports",
    ),
    _rule(
        "circular schema",
        _circular_reference,
        "Circular reference detected in schema definitions: {cycle}. Self-referencing or mutually-referencing "
        "definitions are not supported.",
        "reports; structured outputs guide",
    ),
    _rule(
        "optional properties",
        _more_than(24, count_optional_properties),
        "Schemas contains too many optional parameters ({found}), which would make grammar compilation inefficient. "
        "Reduce the number of optional parameters in your tool schemas (limit: 24).",
        "reports",
    ),
    _rule(
        "union types",
        _more_than(16, count_union_types),
        "Schemas contains too many parameters with union types ({found} parameters with type arrays or anyOf). "
        "Reduce the number of them (limit: 16).",
        "reports",
    ),
)
