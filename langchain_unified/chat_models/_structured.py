"""`with_structured_output`: what it binds, and what becomes of that in a call.

What is bound is neutral, OpenAI's `response_format` with two keys more, so that a call may still name a model of the
other provider. `settled` writes it, for the model of the call, as one of three methods:

- `json_schema`: the provider holds the answer to the schema. The default where the model has it and can express it.
- `function_calling`: the answer is the call of a tool. The default elsewhere. Where the model cannot be forced to call
  (Claude while it thinks within a budget, and the models that refuse a forced choice), the schema is sent as
  `json_schema` beside the tool, and either answer is read.
- `json_mode`: any JSON object; the schema is only checked here. Anthropic has no such mode: there it is `json_schema`.

The answer is checked here against all of the schema, so nothing is lost where the provider does not enforce it: that is
listed in `adjustments`, and `on_unsupported` does not apply. With `strict=True` it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_unified import profiles
from langchain_unified.catalog import Route
from langchain_unified.chat_models._arguments import Arguments
from langchain_unified.errors import InvalidToolError, UnsupportedParameterError
from langchain_unified.request import JsonObject, OutputFormat, ToolChoice, ToolSpec
from langchain_unified.schemas.anthropic import adapt_schema
from langchain_unified.schemas.openai import nullable
from langchain_unified.schemas.subset import note
from langchain_unified.schemas.wellformed import Sound
from langchain_unified.tools.choice import parse_tool_choice
from langchain_unified.tools.specs import tool_specs

if TYPE_CHECKING:
    from langchain_unified.chat_models.base import ChatBase


METHODS = ("json_schema", "function_calling", "json_mode")
METHOD = "method"
"""The key of a bound `response_format` that holds the method asked for, `None` where the call is to choose."""


# --- in a call --------------------------------------------------------------------------------------------------------


def settled(arguments: Arguments, model: ChatBase) -> Arguments:
    """The call's arguments with a bound structured output written in the method that fits the call's model."""
    settle(arguments, model)
    return arguments


def settle(arguments: Arguments, model: ChatBase) -> str:
    """Write a bound structured output into `arguments`, in place, and return its method; `""` where none is bound."""
    wanted = arguments.get("response_format")
    if not isinstance(wanted, Mapping) or METHOD not in wanted:
        return ""
    ask = _Ask(arguments, model, wanted)
    if any(spec.name == ask.name for spec in ask.tools):
        raise InvalidToolError(
            f"A tool and the schema of the answer are both named {ask.name!r}: give one of them another name."
        )
    method = ask.method()
    WRITERS[method](ask)
    return method


class _Ask:
    """One call that asks for structured output."""

    def __init__(self, arguments: Arguments, model: ChatBase, wanted: Mapping[str, Any]) -> None:
        self.arguments = arguments
        self.tools = tool_specs(arguments.get("tools", ()), arguments.get("strict"))
        self.asked: str | None = wanted[METHOD]
        self.name: str = wanted["json_schema"]["name"]
        self.schema: JsonObject = wanted["json_schema"]["schema"]
        self.strict: bool | None = wanted["json_schema"]["strict"]
        self.route: Route = model._route(arguments.get("model"))
        self.native = _has_json_schema(model, self.route)
        on_anthropic = self.route.provider == "anthropic"
        self.obstacles = adapt_schema(self.schema).reasons if on_anthropic else []

    def method(self) -> str:
        """The method for this model. Raises where the one asked for has no way to carry the schema."""
        if self.asked is None:
            return "json_schema" if self.native and not self.obstacles else "function_calling"
        if self.asked != "json_schema":
            return self.asked
        if not self.native:
            raise UnsupportedParameterError(
                f"{self.route.model} has no json_schema output. Leave `method` out, or use 'function_calling'."
            )
        if self.obstacles:
            raise InvalidToolError(
                f"Anthropic cannot hold an answer to the schema {self.name!r}: {'; '.join(self.obstacles)}. "
                "Leave `method` out, or use 'function_calling'."
            )
        return self.asked

    @property
    def forceable(self) -> bool:
        """Whether the model can be made to call a tool in this call."""
        params, profile = self.arguments.params, self.route.profile
        thinking = params.get("thinking") or {}
        effort = profile.thinking == "budget" and (params.get("reasoning_effort") or params.get("reasoning"))
        on_anthropic = self.route.provider == "anthropic"
        return profile.forced_tool_choice and not (on_anthropic and (thinking.get("type") == "enabled" or effort))

    @property
    def checked(self) -> bool:
        """Whether nothing is lost where the provider does not hold the answer to the schema: it is checked here.

        Who says `strict=True` wants more than that.
        """
        return self.strict is not True

    def sent(self, strict: bool) -> JsonObject:
        """The schema as it goes to the provider: where every property is required, the optional ones take null."""
        required = strict and self.route.provider == "openai"
        return cast("JsonObject", nullable(self.schema)) if required else self.schema

    def format(self, kind: Literal["json_object", "json_schema"], schema: JsonObject, strict: bool | None) -> None:
        call = self.arguments.call
        call["response_format"] = OutputFormat(kind, schema, self.name, strict=strict, checked=self.checked)

    def note(self, what: str, why: str) -> None:
        self.arguments.notes.append(note(what, why, checked=True))


def _has_json_schema(model: ChatBase, route: Route) -> bool:
    """What the model's profile says; a model without one is taken for a modern one."""
    own = model._route().model == route.model
    profile = model.profile if own and model.profile else profiles.model_profile(route.provider, route.model)
    return bool((profile or {}).get("structured_output", True))


def _json_schema(ask: _Ask) -> None:
    strict = ask.strict is not False
    ask.format("json_schema", ask.sent(strict), strict)


def _function_calling(ask: _Ask) -> None:
    call = ask.arguments.call
    said = parse_tool_choice(call.get("tool_choice"), ask.tools)
    if said is not None and said.mode == "none":
        raise InvalidToolError("tool_choice='none' leaves no way to answer by method='function_calling'.")
    tool = _tool(ask)
    call["tools"] = [*ask.tools, tool]
    call["tool_choice"] = said or (ToolChoice("any") if ask.tools else ToolChoice("tool", (ask.name,)))
    if ask.forceable or ask.obstacles or not ask.native:
        del call["response_format"]
        if not tool.strict:
            ask.note(f"the schema of tool {ask.name!r}", _why_loose(ask))
    else:
        _json_schema(ask)
        if said is None:
            call["tool_choice"] = ToolChoice("auto")
            ask.note("tool_choice", f"{ask.route.model} cannot be made to call a tool here: it may answer in JSON")


def _why_loose(ask: _Ask) -> str:
    lacks = "" if ask.native else f"{ask.route.model} has no json_schema output: a tool stands in for it. "
    return f"{lacks}Nothing holds the arguments of a tool that is not strict to their schema"


def _tool(ask: _Ask) -> ToolSpec:
    # Where the tool stands in for json_schema, asking for `strict` makes the wire say why it cannot be.
    loose = ask.arguments.get("strict") if ask.strict is None else ask.strict
    strict = True if ask.strict is None and ask.asked is None and ask.obstacles else loose
    schema = ask.sent(bool(strict))
    described = str(schema.get("description") or "")
    return ToolSpec(
        name=ask.name,
        description=f"{described}\n\nCall this tool to give the answer.".strip(),
        parameters=Sound({key: value for key, value in schema.items() if key not in ("title", "description")}),
        strict=strict,
        checked=ask.checked,
    )


def _json_mode(ask: _Ask) -> None:
    held = ask.native and not ask.obstacles and ask.schema.get("properties")
    ask.format("json_object", ask.schema if held else {}, None)


WRITERS: Mapping[str, Callable[[_Ask], None]] = {
    "json_schema": _json_schema,
    "function_calling": _function_calling,
    "json_mode": _json_mode,
}
