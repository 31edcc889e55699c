"""Tools and the tool choice -> `tools` and `tool_choice` of a Messages body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from langchain_unified.errors import InvalidToolError
from langchain_unified.history.pairing import IdRules
from langchain_unified.request import Adjustment, JsonObject, Request, ToolChoice, ToolSpec
from langchain_unified.schemas.anthropic import check_tool_name, function_schema
from langchain_unified.tools.server.forms import refusal
from langchain_unified.wires.anthropic_messages.caching import cache_control

OPTIONS = frozenset({"defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"})
"""The options of a function tool that the API has."""

CALL_IDS = IdRules(max_length=64, pattern=re.compile(r"[a-zA-Z0-9_-]+"), prefix="toolu", max_name_length=128)
"""The API states no maximum length; 64 is ours."""


def encode_tools(request: Request, adjustments: list[Adjustment]) -> list[JsonObject]:
    """The tools in the caller's order. Raises `InvalidToolError` for a tool that the API does not take."""
    tools = request.tools
    if any(spec.strict for spec in tools):
        tools = _strict_within_limits(request, adjustments)
    return [_with_mark(WRITERS[spec.kind](spec, adjustments), spec) for spec in tools]


MOST_STRICT_TOOLS = 20
"""The API says: "The maximum number of strict tools is 20". (langchain4j#5128)"""


def _strict_within_limits(request: Request, adjustments: list[Adjustment]) -> tuple[ToolSpec, ...]:
    """The tools, of which only as many are strict as the model takes: the first ones."""
    most = MOST_STRICT_TOOLS if request.profile.structured_output else 0
    loose = [spec for spec in request.tools if spec.strict][most:]
    if not loose:
        return request.tools
    rule = f"Anthropic takes {most} strict tools" if most else f"{request.model} has no strict tools"
    why = f"{rule}: nothing holds the arguments of the others to their schema." if most else f"{rule}: it was not sent."
    names = ", ".join(repr(spec.name) for spec in loose)
    adjustment = Adjustment(what=f"strict of tools {names}", why=why)
    lossless = all(spec.checked for spec in loose)
    adjustments.append({**adjustment, "lossless": True} if lossless else adjustment)
    return tuple(replace(spec, strict=None) if spec in loose else spec for spec in request.tools)


def _with_mark(tool: JsonObject, spec: ToolSpec) -> JsonObject:
    return tool if spec.mark is None else {**tool, "cache_control": cache_control(spec.mark)}


def _function(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    tool: JsonObject = {"name": check_tool_name(spec.name)}
    if spec.description:
        tool["description"] = spec.description
    tool["input_schema"], strict = function_schema(spec, adjustments)
    if strict is not None:
        tool["strict"] = strict
    for key, value in spec.options.items():
        if key in OPTIONS:
            tool[key] = value
        else:
            why = "Anthropic's tools do not have this option: it was not sent."
            adjustments.append(Adjustment(what=f"option {key!r} of tool {spec.name!r}", why=why))
    return tool


def _custom(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    raise InvalidToolError(
        f"Tool {spec.name!r} takes free-form text, and Anthropic's tools take only JSON: "
        "give it a JSON schema with one string property."
    )


def _native(spec: ToolSpec, adjustments: list[Adjustment]) -> JsonObject:
    refused = refusal(str(spec.definition.get("type")), "anthropic")
    if refused:
        raise InvalidToolError(refused)
    if spec.definition.get("allowed_domains") and spec.definition.get("blocked_domains"):
        raise InvalidToolError(f"The tool {spec.name!r} takes only one of `allowed_domains` and `blocked_domains`.")
    return spec.definition


WRITERS: Mapping[str, Callable[[ToolSpec, list[Adjustment]], JsonObject]] = {
    "function": _function,
    "custom": _custom,
    "native": _native,
}


SERVER_TOOLS = re.compile(r"(web_search|web_fetch|code_execution|tool_search_tool)_")


def leave_out_server_tools(body: JsonObject) -> None:
    """Take out of a body to be counted the tools that Anthropic runs, and what means nothing without them.

    The API says: "Server tools are not supported in the count_tokens endpoint". (pydantic-ai#5702)
    """
    tools: list[JsonObject] = body.get("tools") or []
    run = [tool for tool in tools if SERVER_TOOLS.match(str(tool.get("type")))]
    if not run:
        return
    left = [_by_itself(tool, str(run)) for tool in tools if tool not in run]
    if left and all(tool.get("defer_loading") for tool in left):
        left = []  # they are no part of the prompt before they are searched
    body["tools"] = left
    choice = body.get("tool_choice") or {}
    if not left:
        del body["tools"]
    if not left or (choice.get("type") == "tool" and choice.get("name") not in [tool.get("name") for tool in left]):
        body.pop("tool_choice", None)


def _by_itself(tool: JsonObject, run: str) -> JsonObject:
    """A tool without the code execution that may call it, where that is left out."""
    return {key: value for key, value in tool.items() if key != "allowed_callers" or "code_execution" not in run}


# --- tool choice ------------------------------------------------------------------------------------------------------


def encode_tool_choice(request: Request, body: JsonObject, adjustments: list[Adjustment]) -> JsonObject | None:
    """`tool_choice`, `None` for the default. `body["thinking"]` must be final, because it can forbid a forced call.

    A choice among some of the tools does not change `tools`, because the cached prefix starts with them.
    """
    if not request.tools:
        return None
    choice = _by_name(request.tool_choice, request.tools)
    if choice is not None and choice.definition is not None:
        return choice.definition
    written = None if choice is None else _write_choice(choice, request, adjustments)
    written = _not_forced(written, request, body, adjustments)
    if request.params.get("parallel_tool_calls") is False and (written or {}).get("type") != "none":
        return {"type": "auto", **(written or {}), "disable_parallel_tool_use": True}
    return written


def _write_choice(choice: ToolChoice, request: Request, adjustments: list[Adjustment]) -> JsonObject:
    names = [_callable_name(name, request.tools) for name in choice.names]
    if choice.mode not in ("tool", "allowed"):
        return {"type": choice.mode}
    required = choice.mode == "tool" or choice.required
    if required and len(names) == 1 and names[0]:
        return {"type": "tool", "name": names[0]}
    if not {spec.name for spec in request.tools} <= set(choice.names):
        why = f"Anthropic cannot limit the choice to {', '.join(choice.names)}: every tool may be called."
        adjustments.append(Adjustment(what="tool_choice", why=why))
    return {"type": "any" if required else "auto"}


def _by_name(choice: ToolChoice | None, tools: tuple[ToolSpec, ...]) -> ToolChoice | None:
    """OpenAI's `{"type": "web_search"}` as the choice of that tool; any other choice as it is."""
    if choice is None or choice.definition is None:
        return choice
    name = str(choice.definition.get("server_label") or choice.definition.get("type"))
    return ToolChoice("tool", (name,)) if _find(name, tools) else choice


def _find(name: str, tools: tuple[ToolSpec, ...]) -> ToolSpec | None:
    return next((spec for spec in tools if name in (spec.name, spec.definition.get("type"))), None)


def _callable_name(name: str, tools: tuple[ToolSpec, ...]) -> str | None:
    """The name by which Claude calls a tool; `None` for a toolset, which has none."""
    spec = _find(name, tools)
    if spec is None or spec.kind != "native":
        return name
    api_name = spec.definition.get("name")
    return api_name if api_name or "toolset" in str(spec.definition.get("type")) else spec.name


def _not_forced(
    written: JsonObject | None, request: Request, body: JsonObject, adjustments: list[Adjustment]
) -> JsonObject | None:
    """The choice, with `auto` for a forced call where the model or the thinking forbids one."""
    if written is None or written.get("type") not in ("any", "tool"):
        return written
    if not request.profile.forced_tool_choice:
        why = f"{request.model} cannot be forced to call a tool: 'auto' was sent."
    elif (body.get("thinking") or {}).get("type") == "enabled":
        why = "Claude cannot be forced to call a tool while it thinks within a budget: 'auto' was sent."
    else:
        return written
    adjustments.append(Adjustment(what="tool_choice", why=why))
    return {"type": "auto"}
