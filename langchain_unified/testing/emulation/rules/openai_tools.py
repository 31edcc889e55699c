"""What both APIs of OpenAI refuse in tools and in the choice of a tool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import CHAT, OPENAI
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.schemas import function_schema_errors, strict_schema_errors
from langchain_unified.testing.emulation.rules.shared import dicts

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]+")
MOST_IN_NAME = {CHAT: 64}
"""The length of a tool's name; 128 characters elsewhere."""


def function_tools(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    """The function definitions, each with its path; Chat wraps them in `function`."""
    for at, tool in enumerate(dicts(call.body.get("tools"))):
        if tool.get("type") == "function":
            inner = tool.get("function") if call.endpoint == CHAT else tool
            yield f"tools[{at}]" + (".function" if call.endpoint == CHAT else ""), inner or {}


def _invalid_tool_name(call: EmulatedCall) -> Violations:
    for place, tool in function_tools(call):
        name, most = str(tool.get("name", "")), MOST_IN_NAME.get(call.endpoint, 128)
        if not TOOL_NAME.fullmatch(name) or len(name) > most:
            yield {"place": f"{place}.name", "most": most}


def _choice_without_tools(call: EmulatedCall) -> Violations:
    if call.endpoint == CHAT:
        for key in ("tool_choice", "parallel_tool_calls"):
            if call.body.get(key) is not None and not call.body.get("tools"):
                yield {"key": key}
    elif call.body.get("tool_choice") not in (None, "none", "auto") and not (
        call.body.get("tools") or _more_tools(call)
    ):
        yield {"key": "tool_choice"}


def _more_tools(call: EmulatedCall) -> bool:
    """Whether tools may come from the conversation: from its items, or from what the server stores."""
    items = (item.get("type") for item in dicts(call.body.get("input")))
    stored = any(call.body.get(key) for key in ("previous_response_id", "conversation", "prompt"))
    return stored or any(kind in ("additional_tools", "tool_search_output") for kind in items)


def _choice_of_unknown_tool(call: EmulatedCall) -> Violations:
    chosen, tools = call.body.get("tool_choice"), dicts(call.body.get("tools"))
    if not isinstance(chosen, dict) or not tools or _more_tools(call):
        return
    kind = chosen.get("type")
    if kind in (None, "allowed_tools", "mcp"):
        return
    if kind in ("function", "custom"):
        name = _name_of(call, chosen)
        if (kind, name) not in {(tool.get("type"), _name_of(call, tool)) for tool in _flattened(tools)}:
            yield {"kind": kind, "name": name}
    elif call.endpoint != CHAT and kind not in {tool.get("type") for tool in tools}:
        yield {"kind": kind, "name": kind}


def _flattened(tools: list[JsonObject]) -> Iterator[JsonObject]:
    """The tools and those in their namespaces."""
    for tool in tools:
        yield tool
        yield from dicts(tool.get("tools"))


def _name_of(call: EmulatedCall, tool: JsonObject) -> Any:
    inner = tool.get(str(tool.get("type"))) if call.endpoint == CHAT else tool
    return inner.get("name") if isinstance(inner, dict) else None


def _malformed_choice(call: EmulatedCall) -> Violations:
    chosen = call.body.get("tool_choice")
    if isinstance(chosen, str) and chosen not in ("none", "auto", "required"):
        yield {"what": f"Invalid value: '{chosen}'. Supported values are: 'none', 'auto', and 'required'."}
    if not isinstance(chosen, dict):
        return
    kind = chosen.get("type")
    if kind is None:
        yield {"what": "Missing required parameter: 'tool_choice.type'."}
    elif call.endpoint == CHAT:
        if kind not in ("function", "custom", "allowed_tools") or not isinstance(chosen.get(kind), dict):
            yield {"what": "Missing required parameter: 'tool_choice.function'."}
    elif kind in ("function", "custom") and (not chosen.get("name") or kind in chosen):
        yield {"what": "Missing required parameter: 'tool_choice.name'."}
    elif kind == "allowed_tools" and not (
        chosen.get("mode") in ("auto", "required") and isinstance(chosen.get("tools"), list)
    ):
        yield {"what": "Missing required parameter: 'tool_choice.tools'."}


def _malformed_tool(call: EmulatedCall) -> Violations:
    for at, tool in enumerate(dicts(call.body.get("tools"))):
        kind = tool.get("type")
        if kind is None:
            yield {"place": f"tools[{at}].type"}
        elif call.endpoint == CHAT and kind in ("function", "custom") and not _name_of(call, tool):
            yield {"place": f"tools[{at}].{kind}"}
        elif call.endpoint != CHAT and kind in ("function", "custom", "namespace") and not tool.get("name"):
            yield {"place": f"tools[{at}].name"}


def _unknown_tool_type(call: EmulatedCall) -> Violations:
    for at, tool in enumerate(dicts(call.body.get("tools")) if call.endpoint == CHAT else ()):
        if tool.get("type") not in ("function", "custom", None):
            yield {"place": f"tools[{at}].type", "kind": tool["type"]}


def _nested_tool(call: EmulatedCall) -> Violations:
    for at, tool in enumerate(dicts(call.body.get("tools")) if call.endpoint != CHAT else ()):
        if tool.get("type") in ("function", "custom") and tool["type"] in tool:
            yield {"place": f"tools[{at}].{tool['type']}"}


def _number_of_tools(call: EmulatedCall) -> Violations:
    tools = call.body.get("tools")
    if isinstance(tools, list) and len(tools) > 128:
        yield {
            "what": f"array too long. Expected an array with maximum length 128, but got one with length {len(tools)}"
        }
    if tools == [] and call.endpoint == CHAT:
        yield {"what": "empty array. Expected an array with minimum length 1, but got an empty array instead"}


def _web_search_at_minimal_effort(call: EmulatedCall) -> Violations:
    asked = (call.body.get("reasoning") or {}).get("effort")
    if asked == "minimal" and any(str(tool.get("type")).startswith("web_search") for tool in _web_tools(call)):
        yield {}


def _web_tools(call: EmulatedCall) -> list[JsonObject]:
    return dicts(call.body.get("tools")) if call.endpoint != CHAT else []


def _function_schema(call: EmulatedCall) -> Violations:
    for place, tool in function_tools(call):
        for where, what in function_schema_errors(tool["parameters"]) if "parameters" in tool else ():
            yield {"place": f"{place}.parameters", "name": tool.get("name"), "where": where, "what": what}


def _strict_function_schema(call: EmulatedCall) -> Violations:
    for place, tool in function_tools(call):
        if tool.get("strict"):
            for where, what in strict_schema_errors(tool.get("parameters")):
                yield {"place": f"{place}.parameters", "name": tool.get("name"), "where": where, "what": what}


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.{name}", OPENAI, check, message, source, **more)


TOOLS: tuple[Rule, ...] = (
    _rule(
        "number of tools",
        _number_of_tools,
        "Invalid 'tools': {what}.",
        "vishalmysore/Tools4AI#16 (128 tools), vllm-project/vllm#39741 (empty array)",
        param="tools",
    ),
    _rule(
        "incomplete tool",
        _malformed_tool,
        "Missing required parameter: '{place}'.",
        "microsoft/autogen#6935, openai/openai-cookbook#1248",
        code="missing_required_parameter",
        param="{place}",
    ),
    _rule(
        "tool type",
        _unknown_tool_type,
        "Invalid value: '{kind}'. Supported values are: 'function' and 'custom'.",
        "SDK types",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "nested tool",
        _nested_tool,
        "Unknown parameter: '{place}'.",
        "SDK types: tools are flat on Responses",
        code="unknown_parameter",
        param="{place}",
    ),
    _rule(
        "tool choice",
        _malformed_choice,
        "{what}",
        "openai/openai-node#521 (no type); SDK types",
        param="tool_choice",
    ),
    _rule(
        "web search at minimal effort",
        _web_search_at_minimal_effort,
        "The following tools cannot be used with reasoning.effort 'minimal': web_search.",
        "openai/codex#3559",
        param="tools",
    ),
    _rule(
        "tool name",
        _invalid_tool_name,
        "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]{{1,{most}}}$'.",
        "home-assistant/core#121325: at most 64 on Chat; no report and no recording says so of Responses",
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
        "Tool choice '{kind}' not found in 'tools' parameter: '{name}'.",
        "CherryHQ/cherry-studio#11138",
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
)
