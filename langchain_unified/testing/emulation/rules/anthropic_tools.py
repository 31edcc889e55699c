"""What the Anthropic Messages API refuses about tools, schemas and cache marks."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject
from langchain_unified.schemas.wellformed import check_schema
from langchain_unified.testing.emulation.rules.rule import ANTHROPIC, Call, Finder, Found, Rule, dicts
from langchain_unified.testing.emulation.rules.schemas import (
    circle,
    counts,
    objects,
    optional,
    strays,
    unions,
    unsupported,
)
from langchain_unified.wires.anthropic_messages.caching import NO_MARK

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
PROPERTY_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def _thinks_enabled(call: Call) -> bool:
    thinking = call.body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") == "enabled"


def forces(call: Call) -> bool:
    """Whether the model must call a tool."""
    return (call.body.get("tool_choice") or {}).get("type") in ("any", "tool")


# --- tools ------------------------------------------------------------------------------------------------------------


def _tools(call: Call) -> list[JsonObject]:
    return dicts(call.body.get("tools"))


def _custom(call: Call) -> Iterator[tuple[int, JsonObject]]:
    return ((at, tool) for at, tool in enumerate(_tools(call)) if tool.get("type") in (None, "custom"))


def _forced(call: Call) -> Found:
    if forces(call) and not call.profile.forced_tool_choice:
        yield {"kind": call.body["tool_choice"]["type"]}


def _forced_thinking(call: Call) -> Found:
    if forces(call) and _thinks_enabled(call):
        yield {}


def _no_tools(call: Call) -> Found:
    if call.body.get("tool_choice") and not _tools(call):
        yield {}


def _unknown_tool(call: Call) -> Found:
    chosen = call.body.get("tool_choice") or {}
    names = {tool.get("name") for tool in _tools(call)}
    if chosen.get("type") == "tool" and names and chosen.get("name") not in names:
        yield {"name": chosen.get("name")}


def _none_parallel(call: Call) -> Found:
    chosen = call.body.get("tool_choice") or {}
    if chosen.get("type") == "none" and "disable_parallel_tool_use" in chosen:
        yield {}


def _tool_name(call: Call) -> Found:
    for at, tool in _custom(call):
        if not TOOL_NAME.fullmatch(str(tool.get("name", ""))):
            yield {"at": at}


def _twice(call: Call) -> Found:
    names = [tool["name"] for tool in _tools(call) if "name" in tool]
    if len(set(names)) < len(names):
        yield {}


def _tool_schema(call: Call) -> Found:
    for at, tool in _custom(call):
        schema = tool.get("input_schema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            yield {"at": at}


def _choice_at_root(call: Call) -> Found:
    for at, tool in _custom(call):
        if any(key in (tool.get("input_schema") or {}) for key in ("oneOf", "anyOf", "allOf")):
            yield {"at": at}


def _property_name(call: Call) -> Found:
    for at, tool in _custom(call):
        # The API looks at the names at the root only.
        if not all(map(PROPERTY_NAME.fullmatch, (tool.get("input_schema") or {}).get("properties") or ())):
            yield {"at": at}


def _unsound_schema(call: Call) -> Found:
    for at, tool in _custom(call):
        try:
            check_schema(tool.get("input_schema") or {}, "it")
        except InvalidToolError:
            yield {"at": at}


def _schemas(call: Call) -> Iterator[tuple[str, Any]]:
    """The schemas that decoding is held to: the output format's, and those of strict tools."""
    chosen = (call.body.get("output_config") or {}).get("format") or {}
    if chosen.get("schema"):
        yield "output_config.format.schema", chosen["schema"]
    for at, tool in _custom(call):
        if tool.get("strict"):
            yield f"tools.{at}.custom", tool.get("input_schema")


def _open_schema(call: Call) -> Found:
    for place, schema in _schemas(call):
        for _, found in objects(schema):
            if found.get("additionalProperties") is not False:
                yield {"place": place}


def _rich_schema(call: Call) -> Found:
    for place, schema in _schemas(call):
        yield from ({"place": place, "kind": kind, "key": key} for kind, key in unsupported(schema))


def _counted_schema(call: Call) -> Found:
    for place, schema in _schemas(call):
        yield from ({"place": place} for _ in counts(schema))


def _stray_values(call: Call) -> Found:
    for place, schema in _schemas(call):
        yield from ({"place": place, "value": value, "kind": kind} for value, kind in strays(schema))


def _circular_schema(call: Call) -> Found:
    for _, schema in _schemas(call):
        found = circle(schema)
        if found:
            yield {"way": found}


def _many(count: Callable[[Any], int], most: int) -> Finder:
    def find(call: Call) -> Found:
        found = sum(count(schema) for _, schema in _schemas(call))
        if found > most:
            yield {"found": found}

    return find


# --- cache marks ------------------------------------------------------------------------------------------------------


def _marks(call: Call) -> list[JsonObject]:
    return [segment.mark for segment in call.segments if segment.mark is not None]


def _too_many(call: Call) -> Found:
    found = len(_marks(call)) + bool(call.body.get("cache_control"))
    if found > 4:
        yield {"found": found}


def _ttl_order(call: Call) -> Found:
    ttls = [mark.get("ttl") or "5m" for mark in _marks(call)]
    top = call.body.get("cache_control")
    ttls += [top.get("ttl") or "5m"] if top else []
    if any(earlier == "5m" and later == "1h" for earlier, later in itertools.pairwise(ttls)):
        yield {}


def _automatic_clash(call: Call) -> Found:
    top, segments = call.body.get("cache_control"), call.segments
    last = segments[-1].mark if segments else None
    if top and last is not None and (last.get("ttl") or "5m") != (top.get("ttl") or "5m"):
        yield {}


def _bad_mark(call: Call) -> Found:
    top = call.body.get("cache_control")
    for mark in [*_marks(call), *([top] if top else [])]:
        if mark.get("type") != "ephemeral" or mark.get("ttl", "5m") not in ("5m", "1h", None):
            yield {}


def _unmarkable(call: Call) -> Found:
    places = [call.body.get("system"), *(message.get("content") for message in dicts(call.body.get("messages")))]
    for block in itertools.chain.from_iterable(map(dicts, places)):
        if block.get("cache_control") and (block.get("type") in NO_MARK or block.get("text") == ""):
            yield {}


def _row(
    name: str, find: Finder, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, find, message, source, **more)


TOOLS: tuple[Rule, ...] = (
    _row(
        "forced tool choice",
        _forced,
        "tool_choice: `{kind}` is not supported for this model.",
        "guide to forcing tool use",
    ),
    _row(
        "forced while thinking",
        _forced_thinking,
        "Thinking may not be enabled when tool_choice forces tool use.",
        "thinking guide",
    ),
    _row("tool choice alone", _no_tools, "tool_choice may only be specified while providing tools", "API reference"),
    _row("unknown tool", _unknown_tool, "Tool '{name}' not found in provided tools", "API reference"),
    _row(
        "parallel with none",
        _none_parallel,
        "tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted",
        "SDK types",
    ),
    _row(
        "tool name",
        _tool_name,
        "tools.{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'",
        "API reference",
    ),
    _row("tool names", _twice, "tools: Tool names must be unique.", "reports"),
    _row("tool schema", _tool_schema, "tools.{at}.custom.input_schema.type: Field required", "SDK types"),
    _row(
        "choice at root",
        _choice_at_root,
        "tools.{at}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
        "reports",
    ),
    _row(
        "property name",
        _property_name,
        "tools.{at}.custom.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{{1,64}}$'",
        "reports",
    ),
    _row(
        "unsound schema",
        _unsound_schema,
        "tools.{at}.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12",
        "reports",
    ),
    _row(
        "open schema",
        _open_schema,
        "{place}: For 'object' type, 'additionalProperties' must be explicitly set to false",
        "SDK's transform_schema",
    ),
    _row(
        "schema keywords",
        _rich_schema,
        "{place}: For '{kind}' type, property '{key}' is not supported",
        "SDK's transform_schema; reports",
    ),
    _row(
        "schema counts",
        _counted_schema,
        "{place}: For 'array' type, 'minItems' values other than 0 or 1 are not supported",
        "SDK's transform_schema; reports",
    ),
    _row(
        "schema values",
        _stray_values,
        "{place}: Invalid schema: Enum value '{value}' does not match declared type '{kind}'",
        "reports",
    ),
    _row(
        "circular schema",
        _circular_schema,
        "Circular reference detected in schema definitions: {way}. Self-referencing or mutually-referencing "
        "definitions are not supported.",
        "reports; structured outputs guide",
    ),
    _row(
        "optional properties",
        _many(optional, 24),
        "Schemas contains too many optional parameters ({found}), which would make grammar compilation inefficient. "
        "Reduce the number of optional parameters in your tool schemas (limit: 24).",
        "reports",
    ),
    _row(
        "union types",
        _many(unions, 16),
        "Schemas contains too many parameters with union types ({found} parameters with type arrays or anyOf). "
        "Reduce the number of them (limit: 16).",
        "reports",
    ),
    _row(
        "marks",
        _too_many,
        "A maximum of 4 blocks with cache_control may be provided. Found {found}.",
        "prompt caching guide; reports",
    ),
    _row("mark form", _bad_mark, "cache_control.ttl: Input should be '5m' or '1h'", "SDK types"),
    _row(
        "mark order",
        _ttl_order,
        "cache_control: a block with ttl='1h' must not come after a block with ttl='5m'. "
        "Blocks are processed in the order tools, system, messages.",
        "prompt caching guide; reports",
    ),
    _row(
        "automatic mark",
        _automatic_clash,
        "cache_control: the last block has a cache_control with a different ttl.",
        "prompt caching guide",
    ),
    _row(
        "mark on block",
        _unmarkable,
        "cache_control cannot be set for thinking blocks or empty text blocks",
        "prompt caching guide",
    ),
)
