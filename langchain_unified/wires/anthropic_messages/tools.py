"""Tools and the choice among them, as the Messages API takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, Request, ToolChoice, ToolSpec
from langchain_unified.wires.anthropic_messages.marks import cache_control
from langchain_unified.wires.anthropic_messages.schema import adapt_schema

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
OPTIONS = frozenset({"defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"})

# OpenAI's built-in tools, and what Anthropic has in their place.
FOREIGN: Mapping[str, str | None] = {
    "web_search": "web_search_20260318",
    "web_search_2025_08_26": "web_search_20260318",
    "web_search_preview": "web_search_20260318",
    "web_search_preview_2025_03_11": "web_search_20260318",
    "file_search": None,
    "code_interpreter": "code_execution_20260521",
    "image_generation": None,
    "mcp": "mcp_toolset, with the server in `mcp_servers`",
    "computer": "computer_toolset_20260801",
    "computer_use_preview": "computer_toolset_20260801",
    "local_shell": "bash_20250124",
    "shell": "bash_20250124",
    "apply_patch": "text_editor_20250728",
    "tool_search": "tool_search_tool_bm25_20251119",
    "namespace": None,
    "programmatic_tool_calling": "code_execution_20260521, named in a tool's `allowed_callers`",
}


def encode_tools(request: Request, adjustments: list[Adjustment]) -> list[JsonObject]:
    """The tools in the caller's order. Raises `InvalidToolError` for what Anthropic has no form of."""
    return [KINDS[spec.kind](spec, adjustments) for spec in request.tools]


def _marked(tool: JsonObject, spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    return tool if spec.mark is None else {**tool, "cache_control": cache_control(spec.mark, adjustments)}


def _function(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    if not NAME.fullmatch(spec.name):
        raise InvalidToolError(
            f"Anthropic refuses the tool name {spec.name!r}: use 1 to 128 letters, digits, underscores and hyphens."
        )
    tool: JsonObject = {"name": spec.name}
    if spec.description:
        tool["description"] = spec.description
    tool["input_schema"] = _input_schema(spec)
    if spec.strict is not None:
        tool["strict"] = spec.strict
    for key, value in spec.options.items():
        if key in OPTIONS:
            tool[key] = value
        else:
            why = "Anthropic's tools have no such option: it was not sent."
            adjustments.append(Adjustment(what=f"option {key!r} of tool {spec.name!r}", why=why))
    return _marked(tool, spec, adjustments)


def _input_schema(spec: ToolSpec) -> JsonObject:
    """The tool's schema, closed where it is strict. The API refuses a choice at its root."""
    schema = spec.parameters or {"type": "object", "properties": {}}
    choice = next((key for key in ("oneOf", "anyOf", "allOf") if key in schema), None)
    if choice is not None:
        raise InvalidToolError(
            f"Anthropic refuses `{choice}` at the root of the schema of tool {spec.name!r}: "
            "put it under a property, or make it several tools."
        )
    schema = {"type": "object", **schema}
    return adapt_schema(schema) if spec.strict else schema


def _custom(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    raise InvalidToolError(
        f"Tool {spec.name!r} takes free-form text, which Anthropic has no form of: "
        "give it a JSON schema with one string property."
    )


def _native(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    kind = str(spec.definition.get("type"))
    if kind in FOREIGN:
        instead = FOREIGN[kind]
        remedy = f"Anthropic's is {instead}." if instead else "Anthropic has none like it."
        raise InvalidToolError(f"{kind!r} is a tool of OpenAI's. {remedy}")
    return _marked(spec.definition, spec, adjustments)


KINDS: Mapping[str, Callable[[ToolSpec, list[Adjustment]], JsonObject]] = {
    "function": _function,
    "custom": _custom,
    "native": _native,
}


# --- tool choice ------------------------------------------------------------------------------------------------------


def encode_tool_choice(request: Request, body: JsonObject, adjustments: list[Adjustment]) -> JsonObject | None:
    """`tool_choice` with `disable_parallel_tool_use`; `None` without tools, or where the default is meant.

    `body["thinking"]` must be settled: Claude cannot be forced to call while it thinks within a budget.
    """
    if not request.tools:
        return None
    choice = request.tool_choice
    if choice is not None and choice.definition is not None:
        return choice.definition
    written = None if choice is None else _choice(choice, adjustments)
    written = _unforced(written, request, body, adjustments)
    if request.params.get("parallel_tool_calls") is False and (written or {}).get("type") != "none":
        return {"type": "auto", **(written or {}), "disable_parallel_tool_use": True}
    return written


def _choice(choice: ToolChoice, adjustments: list[Adjustment]) -> JsonObject:
    if choice.mode == "tool":
        return {"type": "tool", "name": choice.names[0]}
    if choice.mode != "allowed":
        return {"type": choice.mode}
    mode = "any" if choice.required else "auto"
    why = f"Anthropic cannot narrow the choice to {', '.join(choice.names)}: {mode!r} over all tools was sent."
    adjustments.append(Adjustment(what="tool_choice", why=why))
    return {"type": mode}


def _unforced(
    written: JsonObject | None, request: Request, body: JsonObject, adjustments: list[Adjustment]
) -> JsonObject | None:
    if written is None or written["type"] not in ("any", "tool"):
        return written
    if not request.profile.forced_tool_choice:
        why = f"{request.model} cannot be forced to call a tool: 'auto' was sent."
    elif (body.get("thinking") or {}).get("type") == "enabled":
        why = "Claude cannot be forced to call a tool while it thinks within a budget: 'auto' was sent."
    else:
        return written
    adjustments.append(Adjustment(what="tool_choice", why=why))
    return {"type": "auto"}
