"""What both APIs of OpenAI refuse in function tools, the tool choice and JSON schema formats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import CHAT, OPENAI
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.schemas import (
    arrays_without_items,
    function_schema_errors,
    strict_schema_errors,
)
from langchain_unified.testing.emulation.rules.shared import dicts

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _function_tools(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    """The function definitions, each with its path; Chat wraps them in `function`."""
    for at, tool in enumerate(dicts(call.body.get("tools"))):
        if tool.get("type") == "function":
            inner = tool.get("function") if call.endpoint == CHAT else tool
            yield f"tools[{at}]" + (".function" if call.endpoint == CHAT else ""), inner or {}


def _invalid_tool_name(call: EmulatedCall) -> Violations:
    for place, tool in _function_tools(call):
        if not TOOL_NAME.fullmatch(str(tool.get("name", ""))):
            yield {"place": f"{place}.name"}


def _choice_without_tools(call: EmulatedCall) -> Violations:
    for key in ("tool_choice", "parallel_tool_calls") if call.endpoint == CHAT else ():
        tools = call.body.get("tools") or call.body.get("functions")
        # Without tools, "none" and "auto" are the default.
        if call.body.get(key) not in (None, "none", "auto") and not tools:
            yield {"key": key}


def _choice_of_unknown_tool(call: EmulatedCall) -> Violations:
    chosen = call.body.get("tool_choice")
    if isinstance(chosen, dict) and chosen.get("type") == "function":
        name = (chosen.get("function") or chosen).get("name")
        if name not in {tool.get("name") for _, tool in _function_tools(call)}:
            yield {"name": name}


def _function_schema(call: EmulatedCall) -> Violations:
    for place, tool in _function_tools(call):
        for where, what in function_schema_errors(tool["parameters"]) if "parameters" in tool else ():
            yield {"place": f"{place}.parameters", "name": tool.get("name"), "where": where, "what": what}


def _strict_function_schema(call: EmulatedCall) -> Violations:
    for place, tool in _function_tools(call):
        if tool.get("strict"):
            for where, what in strict_schema_errors(tool.get("parameters")):
                yield {"place": f"{place}.parameters", "name": tool.get("name"), "where": where, "what": what}


def _json_schema_format(call: EmulatedCall) -> JsonObject:
    """The requested JSON schema format: `name`, `schema`, `strict`; empty if there is none."""
    chosen = call.body.get("response_format") or (call.body.get("text") or {}).get("format") or {}
    return (chosen.get("json_schema") or chosen) if chosen.get("type") == "json_schema" else {}


def _invalid_format_name(call: EmulatedCall) -> Violations:
    name = _json_schema_format(call).get("name")
    if isinstance(name, str) and not TOOL_NAME.fullmatch(name):
        yield {"place": "response_format.json_schema.name" if call.endpoint == CHAT else "text.format.name"}


def _format_schema(call: EmulatedCall) -> Violations:
    form = _json_schema_format(call)
    place = "response_format" if call.endpoint == CHAT else "text.format.schema"
    schema = form.get("schema")
    for where, what in (*arrays_without_items(schema), *(strict_schema_errors(schema) if form.get("strict") else ())):
        yield {"place": place, "name": form.get("name"), "where": where, "what": what}


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.{name}", OPENAI, check, message, source, **more)


TOOLS: tuple[Rule, ...] = (
    _rule(
        "tool name",
        _invalid_tool_name,
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]{{1,64}}$'.",
        "API reference",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "tool choice without tools",
        _choice_without_tools,
        "Invalid value for '{key}': '{key}' is only allowed when 'tools' are specified.",
        "reports",
        param="{key}",
    ),
    _rule(
        "unknown tool",
        _choice_of_unknown_tool,
        "Tool choice 'function' not found in 'tools' parameter: '{name}'.",
        "API reference",
        param="tool_choice",
    ),
    _rule(
        "function schema",
        _function_schema,
        "Invalid schema for function '{name}': In context=({where}), {what}.",
        "reports",
        code="invalid_function_parameters",
        param="{place}",
    ),
    _rule(
        "strict tool",
        _strict_function_schema,
        "Invalid schema for function '{name}': In context=({where}), {what}.",
        "recorded 400",
        code="invalid_function_parameters",
        param="{place}",
    ),
    _rule(
        "format name",
        _invalid_format_name,
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "SDK docstring; reports",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "format schema",
        _format_schema,
        "Invalid schema for response_format '{name}': In context=({where}), {what}.",
        "structured outputs guide; reports",
        code="invalid_json_schema",
        param="{place}",
    ),
)
