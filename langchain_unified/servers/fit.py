"""A request as its server takes it: what the server does not have is left out and listed, whatever the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from langchain_unified.errors import InvalidToolError
from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import Adjustment, JsonObject, Params, Request, ToolChoice, Turn
from langchain_unified.request.blocks import TextBlock

Step = Callable[[Request], "tuple[Request, Adjustment | None]"]


def fit(request: Request) -> tuple[Request, list[Adjustment]]:
    """The request without what its dialect refuses, and the adjustments. What fits already is returned as it is."""
    adjustments = []
    for step in STEPS:
        request, adjustment = step(request)
        if adjustment is not None:
            adjustments.append(adjustment)
    return request, adjustments


def _server(request: Request) -> str:
    """The server as the subject of a sentence."""
    return "This server" if request.dialect.name in ("custom", "generic") else request.dialect.name


def _left_out(request: Request, what: str, *, lossless: bool = False) -> Adjustment:
    why = f"{_server(request)} does not take it: it was not sent. dialect= can change that."
    adjustment = Adjustment(what=what, why=why)
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
    forced = request.dialect.forced_tool_choice
    requires = choice is not None and (choice.mode in ("any", "tool") or choice.required)
    if choice is None or not requires or forced == "named" or (forced == "required" and choice.mode == "any"):
        return request, None
    if forced == "none":
        checked = any(tool.checked for tool in request.tools)
        adjustment = _left_out(request, "tool_choice that requires a call", lossless=checked)
        return replace(request, tool_choice=ToolChoice("auto")), adjustment
    named = tuple(tool for tool in request.tools if tool.name in choice.names)
    changed = replace(request, tool_choice=ToolChoice("any"), tools=named or request.tools)
    if len(named) in (0, len(request.tools)):
        return changed, None
    why = f"{_server(request)} cannot be made to call one tool of several: only that one was sent."
    return changed, Adjustment(what="tool_choice", why=why)


def _tools(request: Request) -> tuple[Request, Adjustment | None]:
    if request.tools and not request.dialect.tools:
        raise InvalidToolError(f"{_server(request)} takes no tools. dialect= can change that.")
    return request, None


# --- the format of the answer -----------------------------------------------------------------------------------------


def _output(request: Request) -> tuple[Request, Adjustment | None]:
    """A format that the server does not have: the best one that it has, with the schema in the prompt."""
    output, known = request.output, request.dialect.structured_output
    if output is None or output.kind == "text" or output.kind in known:
        return request, None
    if "json_schema" in known:
        schema = output.schema or {"type": "object"}
        return replace(request, output=replace(output, kind="json_schema", schema=schema, strict=None)), None
    schema = output.schema if output.kind == "json_schema" or output.schema.get("properties") else {}
    sent = replace(output, kind="json_object", schema={}) if "json_object" in known else None
    instead = "nothing" if sent is None else "json_object"
    where = ", and the schema stands in the prompt" if schema else ""
    why = f"{_server(request)} has no {output.kind}: {instead} was asked for{where}."
    adjustment = Adjustment(what="response_format", why=why)
    changed = replace(request, output=sent, turns=_with_instruction(request.turns, _instruction(schema)))
    return changed, {**adjustment, "lossless": True} if output.checked else adjustment


def _instruction(schema: JsonObject) -> str:
    only = "Answer with one JSON object and nothing else."
    return f"{only} It must match this JSON Schema:\n{compact_json(schema)}" if schema else only


def _with_instruction(turns: Sequence[Turn], text: str) -> tuple[Turn, ...]:
    """The turns with a text at the end of the system prompt: many models' templates take one system message, first."""
    if not turns or turns[0].role not in ("system", "developer"):
        return (Turn("system", (TextBlock(type="text", text=text),)), *turns)
    *blocks, last = turns[0].blocks or (TextBlock(type="text", text=""),)
    if last["type"] == "text" and "mark" not in last:
        joined = TextBlock(**{**last, "text": f"{last['text']}\n\n{text}".strip()})
        return (replace(turns[0], blocks=(*blocks, joined)), *turns[1:])
    return (replace(turns[0], blocks=(*blocks, last, TextBlock(type="text", text=text))), *turns[1:])


STEPS: Sequence[Step] = (_tools, _strict, _names, _parallel, _choice, _output)
