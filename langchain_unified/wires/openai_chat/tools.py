"""Tools and tool choice -> `tools` and `tool_choice` of a Chat Completions body."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from langchain_unified.errors import InvalidToolError
from langchain_unified.history.pairing import IdRules
from langchain_unified.request import Adjustment, JsonObject, Request, ToolChoice, ToolSpec
from langchain_unified.schemas.openai import check_tool_name, function_schema

CALL_IDS = IdRules(max_length=40, pattern=re.compile(r".+", re.DOTALL), prefix="call")
"""The length is that of the API's error message."""


def encode_tools(request: Request, adjustments: list[Adjustment]) -> list[JsonObject]:
    """The tools in their order. Options that only other APIs have go into `adjustments`.

    Raises `InvalidToolError` for a tool that only another API has.
    """
    encoded = []
    for spec in request.tools:
        encoded.append(WRITERS[spec.kind](spec, adjustments))
        adjustments.extend(
            Adjustment(what=f"{option} of tool {spec.name!r}", why="Chat Completions has no such option: not sent.")
            for option in spec.options
            if (spec.kind, option) not in OPTIONS
        )
    return encoded


OPTIONS = frozenset({("custom", "format")})


def _function(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    function: JsonObject = {"name": check_tool_name(spec.name, CALL_IDS.max_name_length)}
    if spec.description is not None:
        function["description"] = spec.description
    function["parameters"], strict = function_schema(spec, adjustments)
    if strict is not None:
        function["strict"] = strict
    return {"type": "function", "function": function}


def _custom(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    custom: JsonObject = {"name": check_tool_name(spec.name, CALL_IDS.max_name_length)}
    if spec.description is not None:
        custom["description"] = spec.description
    form = spec.options.get("format")
    if form is not None:
        # The Responses API has a flat grammar, this one nests it.
        flat = form.get("type") == "grammar" and "grammar" not in form
        inner = {key: value for key, value in form.items() if key != "type"}
        custom["format"] = {"type": "grammar", "grammar": inner} if flat else form
    return {"type": "custom", "custom": custom}


def _native(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    kind = str(spec.definition.get("type"))
    if kind in ("function", "custom"):
        return spec.definition
    raise InvalidToolError(
        f"Chat Completions has no tool of type {kind!r} ({spec.name!r}): the caller runs every tool. {_remedy(kind)}"
    )


WRITERS: Mapping[str, Callable[[ToolSpec, list[Adjustment]], JsonObject]] = {
    "function": _function,
    "custom": _custom,
    "native": _native,
}

# Anthropic's tools have a date in their names (`web_search_20260318`), except these.
ANTHROPIC_TOOLS = frozenset({"tool_search_tool_bm25", "tool_search_tool_regex", "mcp_toolset"})


def _remedy(kind: str) -> str:
    if re.search(r"_\d{8}$", kind) or kind in ANTHROPIC_TOOLS:
        return "It is Anthropic's: use it with an Anthropic model."
    return "Use the Responses API (use_responses_api=True) for the tools that OpenAI runs."


def custom_names(tools: Iterable[ToolSpec]) -> frozenset[str]:
    """The names of the tools whose calls are free-form text instead of JSON."""
    return frozenset(spec.name for spec in tools if _kind(spec) == "custom")


def _kind(spec: ToolSpec) -> str:
    return str(spec.definition.get("type")) if spec.kind == "native" else spec.kind


# --- choice -----------------------------------------------------------------------------------------------------------


def encode_tool_choice(request: Request) -> str | JsonObject | None:
    """`tool_choice` as the API has it; `None`: not sent. Raises `InvalidToolError` for a tool that is not there."""
    choice = request.tool_choice
    if choice is None:
        return None
    if choice.definition is not None:
        return choice.definition
    if request.tools:
        return MODES.get(choice.mode) or CHOICES[choice.mode](choice, request)
    # Without tools the API refuses any `tool_choice`. One that does not require a call changes nothing.
    if choice.mode in ("any", "tool") or choice.required:
        raise InvalidToolError("tool_choice asks for a tool call, but the request has no tools.")
    return None


MODES = {"auto": "auto", "none": "none", "any": "required"}


def _one_tool(choice: ToolChoice, request: Request) -> JsonObject:
    return _reference(choice.names[0], request)


def _allowed(choice: ToolChoice, request: Request) -> JsonObject:
    tools = [_reference(name, request) for name in choice.names]
    mode = "required" if choice.required else "auto"
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def _reference(name: str, request: Request) -> JsonObject:
    spec = next((spec for spec in request.tools if spec.name == name), None)
    if spec is None:
        known = ", ".join(repr(spec.name) for spec in request.tools)
        raise InvalidToolError(f"tool_choice names {name!r}, which is not among the tools ({known}).")
    kind = _kind(spec)
    return {"type": kind, kind: {"name": name}}


CHOICES: Mapping[str, Callable[[ToolChoice, Request], JsonObject]] = {"tool": _one_tool, "allowed": _allowed}
