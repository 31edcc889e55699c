"""A request as its server takes it: what the server does not have is left out and listed, whatever the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from langchain_unified.request import Adjustment, Params, Request, ToolChoice

Step = Callable[[Request], "tuple[Request, Adjustment | None]"]


def fit(request: Request) -> tuple[Request, list[Adjustment]]:
    """The request without what its dialect refuses, and the adjustments. What fits already is returned as it is."""
    adjustments = []
    for step in STEPS:
        request, adjustment = step(request)
        if adjustment is not None:
            adjustments.append(adjustment)
    return request, adjustments


def _left_out(request: Request, what: str, *, lossless: bool = False) -> Adjustment:
    name = "This server" if request.dialect.name in ("custom", "generic") else request.dialect.name
    adjustment = Adjustment(what=what, why=f"{name} does not take it: it was not sent. dialect= can change that.")
    return {**adjustment, "lossless": True} if lossless else adjustment


def _strict(request: Request) -> tuple[Request, Adjustment | None]:
    strict = [tool.name for tool in request.tools if tool.strict]
    if request.dialect.strict_tools or all(tool.strict is None for tool in request.tools):
        return request, None
    lossless = all(tool.checked for tool in request.tools if tool.strict)
    tools = tuple(tool if tool.strict is None else replace(tool, strict=None) for tool in request.tools)
    what = f"strict of {', '.join(map(repr, strict))}"
    return replace(request, tools=tools), _left_out(request, what, lossless=lossless) if strict else None


def _names(request: Request) -> tuple[Request, Adjustment | None]:
    named = [turn for turn in request.turns if turn.name and turn.role != "tool"]
    if request.dialect.message_names or not named:
        return request, None
    turns = tuple(replace(turn, name=None) if turn in named else turn for turn in request.turns)
    return replace(request, turns=turns), _left_out(request, "the names of messages", lossless=True)


def _parallel(request: Request) -> tuple[Request, Adjustment | None]:
    if request.dialect.parallel_tool_calls or "parallel_tool_calls" not in request.params:
        return request, None
    params = {key: value for key, value in request.params.items() if key != "parallel_tool_calls"}
    changed = replace(request, params=cast(Params, params))
    return changed, _left_out(request, "parallel_tool_calls") if not request.params["parallel_tool_calls"] else None


def _choice(request: Request) -> tuple[Request, Adjustment | None]:
    choice = request.tool_choice
    if request.dialect.forced_tool_choice or choice is None or not (choice.mode in ("any", "tool") or choice.required):
        return request, None
    changed = replace(request, tool_choice=ToolChoice("auto"))
    return changed, _left_out(request, "a tool_choice that requires a call")


STEPS: Sequence[Step] = (_strict, _names, _parallel, _choice)
