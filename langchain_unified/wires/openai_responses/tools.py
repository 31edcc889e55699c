"""Tools and tool choice as the Responses API has them: flat, functions with a `strict` of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.history.pairing import IdRules
from langchain_unified.request import Adjustment, JsonObject, Request, ToolSpec
from langchain_unified.schemas.openai import check_tool_name, function_schema
from langchain_unified.tools.server.forms import refusal

# What a function or a custom tool may say beside its name, description and form.
OPTIONS = frozenset({"defer_loading", "async", "allowed_callers", "output_schema"})
CALLERS = frozenset({"direct", "programmatic"})

CALL_IDS = IdRules(max_length=64, pattern=re.compile(r".+", re.DOTALL), prefix="call")
"""The length is that of the API's error message."""


def encode_tools(request: Request, adjustments: list[Adjustment]) -> list[JsonObject]:
    """The request's tools. What a tool says that has no place here lands in `adjustments`.

    Raises `InvalidToolError` for a tool that only Anthropic has.
    """
    return [KINDS[spec.kind](spec, adjustments) for spec in request.tools]


def _function(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    tool: JsonObject = {"type": "function", "name": check_tool_name(spec.name)}
    if spec.description is not None:
        tool["description"] = spec.description
    tool["parameters"], strict = function_schema(spec, adjustments)
    # The key is required. The API's own default would rewrite a schema to the strict subset.
    tool["strict"] = bool(strict)
    return tool | _options(spec, adjustments)


def _custom(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    tool: JsonObject = {"type": "custom", "name": check_tool_name(spec.name)}
    if spec.description is not None:
        tool["description"] = spec.description
    form = spec.options.get("format")
    if form:
        # Chat Completions nests a grammar, this API does not.
        inner = form.get("grammar")
        tool["format"] = {"type": "grammar", **inner} if isinstance(inner, Mapping) else form
    return tool | _options(spec, adjustments)


def _native(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    refused = refusal(str(spec.definition.get("type")), "openai")
    if refused:
        raise InvalidToolError(refused)
    return dict(spec.definition)


KINDS: Mapping[str, Callable[[ToolSpec, list[Adjustment]], JsonObject]] = {
    "function": _function,
    "custom": _custom,
    "native": _native,
}


def _options(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    kept: JsonObject = {}
    for key, value in spec.options.items():
        if key == "allowed_callers" and not CALLERS.issuperset(value):
            why = f"OpenAI knows the callers {', '.join(sorted(CALLERS))}, not {value}"
        elif key in OPTIONS:
            kept[key] = value
            continue
        elif key == "format":
            continue
        else:
            why = "the Responses API has no such option of a tool"
        adjustments.append(Adjustment(what=f"{key} of the tool {spec.name!r}", why=why))
    return kept


# --- tool choice ------------------------------------------------------------------------------------------------------

MODES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}


def encode_tool_choice(request: Request) -> str | JsonObject | None:
    """`tool_choice`; `None` where the caller made none."""
    choice = request.tool_choice
    if choice is None:
        return None
    if choice.definition is not None:
        return choice.definition
    if choice.mode in MODES:
        return MODES[choice.mode]
    named = [_named(name, request.tools) for name in choice.names]
    return _allowed(named, required=choice.required) if choice.mode == "allowed" else _forced(named[0], request.tools)


def _allowed(named: list[JsonObject], *, required: bool) -> JsonObject:
    return {"type": "allowed_tools", "mode": "required" if required else "auto", "tools": named}


def _forced(named: JsonObject, tools: tuple[ToolSpec, ...]) -> str | JsonObject:
    """The choice of one tool. One of a type that no choice names is the only one that is allowed."""
    if named["type"] in CHOSEN_BY_NAME or named["type"] in CHOSEN_BY_TYPE:
        return named
    return "required" if len(tools) == 1 else _allowed([named], required=True)


CHOSEN_BY_NAME = frozenset({"function", "custom", "mcp"})
CHOSEN_BY_TYPE = frozenset(
    {
        "file_search", "web_search_preview", "web_search_preview_2025_03_11", "computer", "computer_use",
        "computer_use_preview", "image_generation", "code_interpreter", "apply_patch", "shell",
        "programmatic_tool_calling",
    }
)  # fmt: skip
"""What a choice may name: the SDK's `ToolChoiceTypes`, and the types that have a choice of their own."""


def _named(name: str, tools: tuple[ToolSpec, ...]) -> JsonObject:
    """How a choice names one tool: the caller's own by name, an MCP server by label, any other by type."""
    spec = next((tool for tool in tools if name in (tool.name, tool.definition.get("type"))), None)
    if spec is None or spec.kind != "native":
        return {"type": "function" if spec is None else spec.kind, "name": name}
    kind: Any = spec.definition.get("type")
    if kind == "mcp":
        return {"type": "mcp", "server_label": spec.definition.get("server_label", name)}
    return {"type": kind}
