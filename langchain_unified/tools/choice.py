"""`tool_choice` in any spelling -> `ToolChoice`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_unified.errors import InvalidToolError
from langchain_unified.request import JsonObject, ToolChoice, ToolSpec
from langchain_unified.schemas.check import short


def parse_tool_choice(value: Any, tools: Sequence[ToolSpec]) -> ToolChoice | None:
    """A tool choice in either provider's form; `None` where the caller made none.

    Takes `auto`, `any`/`required`/`True`, `none`, a tool's name, a list of names (only those may be called), or either
    provider's dict. Raises `InvalidToolError` for a name that is not among the tools, and for a choice that forces a
    call when there are none.
    """
    if value is None or value is False:
        return None
    choice = _choice(value)
    _check_choice(choice, tools)
    return choice


def _choice(value: Any) -> ToolChoice:
    if value is True:
        return ToolChoice("any")
    if isinstance(value, ToolChoice):
        return value
    if isinstance(value, str):
        return MODES.get(value) or ToolChoice("tool", (value,))
    if isinstance(value, Mapping):
        return CHOICE_DICTS.get(str(value.get("type")), _provider_choice)(dict(value))
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return ToolChoice("allowed", tuple(value))
    raise InvalidToolError(
        f"tool_choice {value!r} is not understood. "
        "Use 'auto', 'any', 'none', a tool's name, a list of names, or either provider's dict."
    )


def _check_choice(choice: ToolChoice, tools: Sequence[ToolSpec]) -> None:
    if choice.mode in ("any", "tool", "allowed") and not tools:
        raise InvalidToolError("tool_choice forces a tool call, but no tools are bound. Bind tools, or leave it out.")
    if choice.mode == "allowed" and not choice.names:
        raise InvalidToolError("tool_choice allows no tool: its list is empty. Use 'none' to forbid calls.")
    known = {spec.name for spec in tools} | {str(spec.definition.get("type")) for spec in tools if spec.definition}
    missing = [name for name in choice.names if name not in known]
    if missing:
        bound = ", ".join(sorted(spec.name for spec in tools))
        raise InvalidToolError(f"tool_choice names {missing[0]!r}, which is not bound. Bound tools: {bound}.")


MODES: Mapping[str, ToolChoice] = {
    "auto": ToolChoice("auto"),
    "any": ToolChoice("any"),
    "required": ToolChoice("any"),
    "none": ToolChoice("none"),
}


# --- dicts ------------------------------------------------------------------------------------------------------------


def _mode(value: JsonObject) -> ToolChoice:
    return MODES[value["type"]]


def _named_tool(value: JsonObject) -> ToolChoice:
    inner = value.get(value["type"])
    name = (inner if isinstance(inner, Mapping) else value).get("name")
    if not isinstance(name, str):
        raise InvalidToolError(f"tool_choice {short(value)} has no `name`.")
    return ToolChoice("tool", (name,))


def _allowed_tools(value: JsonObject) -> ToolChoice:
    inner = value.get("allowed_tools")
    holder = inner if isinstance(inner, Mapping) else value
    mode = holder.get("mode", "auto")
    if mode not in ("auto", "required"):
        raise InvalidToolError(f"tool_choice of type allowed_tools has the mode {mode!r}: it is 'auto' or 'required'.")
    names = tuple(_tool_name(tool) for tool in holder.get("tools") or ())
    return ToolChoice("allowed", names, required=mode == "required")


def _tool_name(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return str(tool)
    inner = tool.get("function") or tool.get("custom") or tool
    return str(inner.get("name") or tool.get("server_label") or tool.get("type"))


def _provider_choice(value: JsonObject) -> ToolChoice:
    """A choice that only one provider has (`{"type": "web_search"}`, `{"type": "mcp", …}`)."""
    if not isinstance(value.get("type"), str):
        raise InvalidToolError(f"tool_choice {short(value)} has no `type`.")
    return ToolChoice("tool", definition=value)


CHOICE_DICTS: Mapping[str, Callable[[JsonObject], ToolChoice]] = {
    "auto": _mode,
    "any": _mode,
    "required": _mode,
    "none": _mode,
    "tool": _named_tool,
    "function": _named_tool,
    "custom": _named_tool,
    "allowed_tools": _allowed_tools,
}


def parallel_in(value: Any) -> bool | None:
    """`parallel_tool_calls` by Anthropic's dict: `False` with `disable_parallel_tool_use`, else `None`."""
    if isinstance(value, Mapping) and value.get("disable_parallel_tool_use"):
        return False
    return None
