"""What the Anthropic Messages API refuses in tools, schemas and cache breakpoints."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject
from langchain_unified.schemas.wellformed import check_schema
from langchain_unified.testing.emulation.endpoints import ANTHROPIC
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
from langchain_unified.wires.anthropic_messages.caching import NO_MARK

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
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


# --- cache breakpoints ------------------------------------------------------------------------------------------------


def _breakpoints(call: EmulatedCall) -> list[JsonObject]:
    """The values of `cache_control` in the order of the prompt, without the automatic one at the top level."""
    return [segment.mark for segment in call.segments if segment.mark is not None]


def _too_many_breakpoints(call: EmulatedCall) -> Violations:
    found = len(_breakpoints(call)) + bool(call.body.get("cache_control"))
    if found > 4:
        yield {"found": found}


def _ttl_out_of_order(call: EmulatedCall) -> Violations:
    ttls = [mark.get("ttl") or "5m" for mark in _breakpoints(call)]
    top = call.body.get("cache_control")
    ttls += [top.get("ttl") or "5m"] if top else []
    if any(earlier == "5m" and later == "1h" for earlier, later in itertools.pairwise(ttls)):
        yield {}


def _automatic_ttl_conflict(call: EmulatedCall) -> Violations:
    top, segments = call.body.get("cache_control"), call.segments
    last = segments[-1].mark if segments else None
    if top and last is not None and (last.get("ttl") or "5m") != (top.get("ttl") or "5m"):
        yield {}


def _invalid_breakpoint(call: EmulatedCall) -> Violations:
    top = call.body.get("cache_control")
    for mark in [*_breakpoints(call), *([top] if top else [])]:
        if mark.get("type") != "ephemeral" or mark.get("ttl", "5m") not in ("5m", "1h", None):
            yield {}


def _breakpoint_not_allowed(call: EmulatedCall) -> Violations:
    places = [call.body.get("system"), *(message.get("content") for message in dicts(call.body.get("messages")))]
    for block in itertools.chain.from_iterable(map(dicts, places)):
        if block.get("cache_control") and (block.get("type") in NO_MARK or block.get("text") == ""):
            yield {}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, check, message, source, **more)


TOOLS: tuple[Rule, ...] = (
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
    _rule(
        "breakpoints",
        _too_many_breakpoints,
        "A maximum of 4 blocks with cache_control may be provided. Found {found}.",
        "prompt caching guide; reports",
    ),
    _rule("breakpoint value", _invalid_breakpoint, "cache_control.ttl: Input should be '5m' or '1h'", "SDK types"),
    _rule(
        "ttl order",
        _ttl_out_of_order,
        "cache_control: a block with ttl='1h' must not come after a block with ttl='5m'. "
        "Blocks are processed in the order tools, system, messages.",
        "prompt caching guide; reports",
    ),
    _rule(
        "automatic breakpoint",
        _automatic_ttl_conflict,
        "cache_control: the last block has a cache_control with a different ttl.",
        "prompt caching guide",
    ),
    _rule(
        "breakpoint not allowed",
        _breakpoint_not_allowed,
        "cache_control cannot be set for thinking blocks or empty text blocks",
        "prompt caching guide",
    ),
)
