"""Tools and tool choice -> `tools` and `tool_choice` of a Responses body: flat objects, each function with `strict`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.history.pairing import IdRules
from langchain_unified.request import Adjustment, JsonObject, Request, ToolSpec
from langchain_unified.schemas.openai import check_tool_name, function_schema, has_optional_properties
from langchain_unified.tools.server.forms import refusal

# The options of a function or a custom tool beside its name, description and schema or format.
OPTIONS = frozenset({"defer_loading", "async", "allowed_callers", "output_schema"})
CALLERS = frozenset({"direct", "programmatic"})

CALL_IDS = IdRules(max_length=64, pattern=re.compile(r".+", re.DOTALL), prefix="call", max_name_length=128)
"""The length of an id is that of the API's error message."""


def encode_tools(request: Request, adjustments: list[Adjustment]) -> list[JsonObject]:
    """The tools in their order. Options that only other APIs have go into `adjustments`.

    Raises `InvalidToolError` for a tool that only Anthropic has.
    """
    return [WRITERS[spec.kind](spec, adjustments) for spec in request.tools]


def _function(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    tool: JsonObject = {"type": "function", "name": check_tool_name(spec.name, CALL_IDS.max_name_length)}
    if spec.description is not None:
        tool["description"] = spec.description
    tool["parameters"], strict = function_schema(spec, adjustments)
    if strict is None and has_optional_properties(tool["parameters"]):
        why = "Its schema has optional properties, which the API would make required: strict=false was sent."
        adjustments.append(Adjustment(what=f"strict of the tool {spec.name!r}", why=why, lossless=True))
        strict = False
    # Absent, the API makes the tool strict where its schema allows that: recorded replies echo `strict: true`.
    if strict is not None:
        tool["strict"] = strict
    return tool | _options(spec, adjustments)


def _custom(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    tool: JsonObject = {"type": "custom", "name": check_tool_name(spec.name, CALL_IDS.max_name_length)}
    if spec.description is not None:
        tool["description"] = spec.description
    form = spec.options.get("format")
    if form:
        # Chat Completions nests a grammar, this API does not.
        inner = form.get("grammar")
        tool["format"] = {"type": "grammar", **inner} if isinstance(inner, Mapping) else form
    return tool | _options(spec, adjustments)


def _native(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    if why := refusal(str(spec.definition.get("type")), "openai"):
        raise InvalidToolError(why)
    return dict(spec.definition)


WRITERS: Mapping[str, Callable[[ToolSpec, list[Adjustment]], JsonObject]] = {
    "function": _function,
    "custom": _custom,
    "native": _native,
}


def _options(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    options: JsonObject = {}
    for key, value in spec.options.items():
        if key == "allowed_callers" and not CALLERS.issuperset(value):
            why = f"OpenAI has the callers {', '.join(sorted(CALLERS))}, not {value}: it was not sent."
        elif key in OPTIONS:
            options[key] = value
            continue
        elif key == "format":
            continue
        else:
            why = "The Responses API has no such option of a tool: it was not sent."
        adjustments.append(Adjustment(what=f"{key} of the tool {spec.name!r}", why=why))
    return options


# --- tool choice ------------------------------------------------------------------------------------------------------

MODES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}


def encode_tool_choice(request: Request) -> str | JsonObject | None:
    """`tool_choice` as the API has it; `None`: not sent."""
    choice = request.tool_choice
    if choice is None:
        return None
    if choice.definition is not None:
        return choice.definition
    if choice.mode in MODES:
        return MODES[choice.mode]
    references = [_reference(name, request.tools) for name in choice.names]
    if choice.mode == "allowed":
        return _allowed(references, required=choice.required)
    return _one_tool(references[0], request.tools)


def _allowed(references: list[JsonObject], *, required: bool) -> JsonObject:
    return {"type": "allowed_tools", "mode": "required" if required else "auto", "tools": references}


def _one_tool(reference: JsonObject, tools: tuple[ToolSpec, ...]) -> str | JsonObject:
    """The choice of one tool. A type that the API cannot choose is made the only allowed one."""
    if reference["type"] in CHOSEN_BY_NAME or reference["type"] in CHOSEN_BY_TYPE:
        return reference
    return "required" if len(tools) == 1 else _allowed([reference], required=True)


CHOSEN_BY_NAME = frozenset({"function", "custom", "mcp"})
CHOSEN_BY_TYPE = frozenset(
    {
        "file_search", "web_search_preview", "web_search_preview_2025_03_11", "computer", "computer_use",
        "computer_use_preview", "image_generation", "code_interpreter", "apply_patch", "shell",
        "programmatic_tool_calling",
    }
)  # fmt: skip
"""The types that a choice may have: the SDK's `ToolChoiceTypes`, and those with a choice of their own."""


def _reference(name: str, tools: tuple[ToolSpec, ...]) -> JsonObject:
    """One tool in a choice: a function or custom tool by name, an MCP server by label, any other tool by type."""
    spec = next((tool for tool in tools if name in (tool.name, tool.definition.get("type"))), None)
    if spec is None or spec.kind != "native":
        return {"type": "function" if spec is None else spec.kind, "name": name}
    kind: Any = spec.definition.get("type")
    if kind == "mcp":
        return {"type": "mcp", "server_label": spec.definition.get("server_label", name)}
    return {"type": kind}
