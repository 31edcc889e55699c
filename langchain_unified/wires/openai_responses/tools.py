"""Tools and tool choice as the Responses API has them: flat, functions with a `strict` of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, Request, ToolChoice, ToolSpec
from langchain_unified.schemas import strict_schema
from langchain_unified.server_tools_forms import refusal
from langchain_unified.tools import NO_PARAMETERS

# What a function or a custom tool may say beside its name, description and form.
OPTIONS = frozenset({"defer_loading", "async", "allowed_callers", "output_schema"})
CALLERS = frozenset({"direct", "programmatic"})


def encode_tools(request: Request, adjustments: list[Adjustment]) -> list[JsonObject]:
    """The request's tools. What a tool says that has no place here lands in `adjustments`.

    Raises `InvalidToolError` for a tool that only Anthropic has.
    """
    tools = [KINDS[spec.kind](spec, adjustments) for spec in request.tools]
    marked = [spec.name for spec in request.tools if spec.mark is not None]
    if marked:
        why = "the API has no cache mark on a tool; any mark or hit after the tools covers them"
        adjustments.append(Adjustment(what=f"the prompt-cache mark on the tool {marked[-1]!r}", why=why))
    return tools


def _function(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    tool: JsonObject = {"type": "function", "name": spec.name}
    if spec.description is not None:
        tool["description"] = spec.description
    tool["parameters"] = spec.parameters or NO_PARAMETERS
    # The key is required. The API's own default would rewrite a schema to the strict subset.
    tool["strict"] = bool(spec.strict)
    if spec.strict:
        what = f"`strict` of the tool {spec.name!r}"
        tool["parameters"], tool["strict"] = strict_schema(tool["parameters"], what, adjustments)
    return tool | _options(spec, adjustments)


def _custom(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    tool: JsonObject = {"type": "custom", "name": spec.name}
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
    if choice.mode == "allowed":
        return _allowed(choice, named)
    return named[0]


def _allowed(choice: ToolChoice, named: list[JsonObject]) -> JsonObject:
    return {"type": "allowed_tools", "mode": "required" if choice.required else "auto", "tools": named}


def _named(name: str, tools: tuple[ToolSpec, ...]) -> JsonObject:
    """How a choice names one tool: the caller's own by name, an MCP server by label, any other by type."""
    spec = next((tool for tool in tools if name in (tool.name, tool.definition.get("type"))), None)
    if spec is None or spec.kind != "native":
        return {"type": "function" if spec is None else spec.kind, "name": name}
    kind: Any = spec.definition.get("type")
    if kind == "mcp":
        return {"type": "mcp", "server_label": spec.definition.get("server_label", name)}
    return {"type": kind}
