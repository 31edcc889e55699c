"""`with_structured_output`: what it binds, and what becomes of that in a call.

What is bound is neutral: OpenAI's `response_format` with one more key, so that a call may still name a model of the
other provider. `apply_structured_method` writes it, for the model of the call, by one of three methods:

- `json_schema`: the provider holds the answer to the schema. The default where the model has it and can express it.
- `function_calling`: the answer is the call of a tool. The default elsewhere. Where the model cannot be forced to call
  (Claude while it thinks within a budget, and the models that refuse a forced choice), the schema is sent as
  `json_schema` beside the tool, and either answer is read.
- `json_mode`: any JSON object; the schema is only checked here. Anthropic has no such mode: there it is `json_schema`.

Every answer is checked here against the full schema, so nothing is lost where the provider does not enforce it: that is
listed in `adjustments`, and `on_unsupported` does not apply. With `strict=True` it does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

from langchain_core.messages import BaseMessage

from langchain_unified import profiles
from langchain_unified.catalog import Route
from langchain_unified.chat_models._arguments import Arguments
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.errors import InvalidToolError
from langchain_unified.request import Adjustment, JsonObject, OutputFormat, ToolChoice, ToolSpec
from langchain_unified.request.dialect import BOTH_FORMATS
from langchain_unified.schemas.anthropic import adapt_schema
from langchain_unified.schemas.openai import nullable
from langchain_unified.schemas.subset import schema_adjustment
from langchain_unified.schemas.wellformed import CheckedSchema
from langchain_unified.structured.answer import Target
from langchain_unified.tools.choice import parse_tool_choice
from langchain_unified.tools.specs import tool_specs

METHODS = ("json_schema", "function_calling", "json_mode")
METHOD = "method"
"""The key of a bound `response_format` that holds the requested method; `None` lets the call choose."""


def apply_structured_method(arguments: Arguments, model: ModelBase, messages: Sequence[BaseMessage] = ()) -> str:
    """Write a bound structured output into `arguments`, in place, and return its method; `""` where none is bound.

    Claude takes no output format for `messages` that ask for citations: the answer is the call of a tool then.
    """
    bound = arguments.call.get("response_format")
    if not isinstance(bound, Mapping | OutputFormat):
        return _apply_type(bound, arguments, model)
    if not isinstance(bound, Mapping) or METHOD not in bound:
        return ""
    call = StructuredCall(arguments, model, bound)
    if call.route.provider == "anthropic" and any(map(_asks_for_citations, messages)):
        call.obstacles = [*call.obstacles, CITATIONS]
    if any(spec.name == call.name for spec in call.tools):
        raise InvalidToolError(
            f"A tool and the schema of the answer are both named {call.name!r}: give one of them another name."
        )
    method = call.method()
    WRITERS[method](call)
    return method


def _apply_type(asked: Any, arguments: Arguments, model: ModelBase) -> str:
    """A type as `response_format`, of a call or in `bind`: its schema is enforced, and the answer is parsed into it."""
    target = _target(asked)
    inner = {"name": target.name, "schema": target.schema, "strict": arguments.call.get("strict")}
    _json_schema(StructuredCall(arguments, model, {"json_schema": inner, METHOD: "json_schema"}))
    arguments.target = target
    return "json_schema"


def _target(asked: Any) -> Target:
    """The target for a type, made once: writing the schema of a type takes longer than a call."""
    try:
        return _cached_target(asked)
    except TypeError:  # not hashable
        return Target(asked)


_cached_target = functools.lru_cache(maxsize=256)(Target)


CITATIONS = "A document asks for citations, which exclude an output format"


def _asks_for_citations(holder: Any) -> bool:
    """Whether a message or a block in it has a document or search result with citations."""
    if isinstance(holder, BaseMessage):
        return isinstance(holder.content, list) and any(map(_asks_for_citations, holder.content))
    if not isinstance(holder, Mapping):
        return False
    cites = holder.get("citations")
    if cites is True or (isinstance(cites, Mapping) and cites.get("enabled")):
        return True
    content = holder.get("content")
    return isinstance(content, list) and any(map(_asks_for_citations, content))


class StructuredCall:
    """One call that asks for structured output: the schema, the tools beside it, and what its model can do."""

    def __init__(self, arguments: Arguments, model: ModelBase, bound: Mapping[str, Any]) -> None:
        """`bound` is the `response_format` that `with_structured_output` has bound."""
        self.arguments = arguments
        self.tools = tool_specs(arguments.call.get("tools", ()), arguments.call.get("strict"))
        self.requested: str | None = bound[METHOD]
        self.name: str = bound["json_schema"]["name"]
        self.schema: JsonObject = bound["json_schema"]["schema"]
        self.strict: bool | None = bound["json_schema"]["strict"]
        self.route: Route = model._route(arguments.call.get("model"))
        self.has_json_schema = _has_json_schema(model, self.route)
        on_anthropic = self.route.provider == "anthropic"
        self.obstacles = adapt_schema(self.schema).why_not_strict if on_anthropic else []
        """Why Anthropic cannot hold an answer to the schema."""

    def method(self) -> str:
        """The method for this model and conversation. Raises where the requested one cannot carry the schema."""
        if self.requested is None:
            enforced = self.has_json_schema and not self.obstacles
            return "json_schema" if enforced or self.in_prompt else "function_calling"
        if self.requested != "json_schema":
            return self.requested
        if self.in_prompt:
            return self.requested
        if not self.has_json_schema or CITATIONS in self.obstacles:
            self._report_other_method()
            return "function_calling"
        if self.obstacles:
            raise InvalidToolError(
                f"Anthropic cannot hold an answer to the schema {self.name!r}: {'; '.join(self.obstacles)}. "
                "Leave `method` out, or use 'function_calling'."
            )
        return self.requested

    def _report_other_method(self) -> None:
        """List that a tool takes the place of the output format that was asked for."""
        reason = CITATIONS if self.has_json_schema else f"{self.route.model} has no json_schema output"
        self.arguments.adjustments.append(Adjustment(what="method", why=f"{reason}: a tool stands in for it."))

    @property
    def in_prompt(self) -> bool:
        """Whether the server neither holds an answer to a schema nor can be made to call a tool.

        `servers.fit` then puts the schema into the prompt.
        """
        dialect = self.route.dialect
        can_force = dialect.tools and dialect.forced_tool_choice != "none"
        return "json_schema" not in dialect.structured_output and not can_force

    @property
    def forceable(self) -> bool:
        """Whether the model can be made to call a tool in this call."""
        params, profile = self.arguments.params, self.route.profile
        thinking = params.get("thinking") or {}
        effort = profile.thinking == "budget" and (params.get("reasoning_effort") or params.get("reasoning"))
        on_anthropic = self.route.provider == "anthropic"
        can = profile.forced_tool_choice and self.route.dialect.forced_tool_choice != "none"
        return can and not (on_anthropic and (thinking.get("type") == "enabled" or effort))

    @property
    def checked(self) -> bool:
        """Whether the check here is enough where the provider does not enforce the schema; not with `strict=True`."""
        return self.strict is not True

    def sent_schema(self, strict: bool) -> JsonObject:
        """The schema as it goes to the provider: where every property is required, the optional ones take null."""
        all_required = strict and self.route.provider == "openai"
        return cast("JsonObject", nullable(self.schema)) if all_required else self.schema

    def set_format(self, kind: Literal["json_object", "json_schema"], schema: JsonObject, strict: bool | None) -> None:
        output = OutputFormat(kind, schema, self.name, strict=strict, checked=self.checked)
        self.arguments.call["response_format"] = output

    def add_adjustment(self, what: str, why: str) -> None:
        self.arguments.adjustments.append(schema_adjustment(what, why, checked=True))


def _has_json_schema(model: ModelBase, route: Route) -> bool:
    """What the server has, and the profile of the call's model says; a model without one counts as a modern one."""
    if "json_schema" not in route.dialect.structured_output:
        return False
    is_own = model._route().model == route.model
    profile = model.profile if is_own and model.profile else profiles.model_profile(route.provider, route.model)
    return bool((profile or {}).get("structured_output", True))


def _json_schema(call: StructuredCall) -> None:
    strict = call.strict is not False and not call.in_prompt
    call.set_format("json_schema", call.sent_schema(strict), strict)


def _function_calling(call: StructuredCall) -> None:
    options = call.arguments.call
    choice = parse_tool_choice(options.get("tool_choice"), call.tools)
    if choice is not None and choice.mode == "none":
        raise InvalidToolError("tool_choice='none' leaves no way to answer by method='function_calling'.")
    tool = _tool(call)
    options["tools"] = [*call.tools, tool]
    options["tool_choice"] = choice or (ToolChoice("any") if call.tools else ToolChoice("tool", (call.name,)))
    if call.forceable or call.obstacles or not call.has_json_schema:
        del options["response_format"]
        if not tool.strict:
            call.add_adjustment(f"the schema of tool {call.name!r}", _why_not_strict(call))
        return
    _json_schema(call)
    if choice is None:
        options["tool_choice"] = ToolChoice("auto")
        why = f"{call.route.model} cannot be made to call a tool here: it may answer in JSON"
        call.add_adjustment("tool_choice", why)


def _why_not_strict(call: StructuredCall) -> str:
    why = "Nothing holds the arguments of a tool that is not strict to their schema"
    if call.has_json_schema:
        return why
    return f"{call.route.model} has no json_schema output: a tool stands in for it. {why}"


def _tool(call: StructuredCall) -> ToolSpec:
    # Where the tool stands in for json_schema, asking for `strict` makes the wire say why it cannot be.
    given = call.arguments.call.get("strict") if call.strict is None else call.strict
    strict = True if call.strict is None and call.requested is None and call.obstacles else given
    schema = call.sent_schema(bool(strict))
    description = str(schema.get("description") or "")
    return ToolSpec(
        name=call.name,
        description=f"{description}\n\nCall this tool to give the answer.".strip(),
        parameters=CheckedSchema({key: value for key, value in schema.items() if key not in ("title", "description")}),
        strict=strict,
        checked=call.checked,
    )


def _json_mode(call: StructuredCall) -> None:
    enforced = call.has_json_schema and not call.obstacles and call.schema.get("properties")
    differs = call.route.dialect.structured_output != BOTH_FORMATS
    call.set_format("json_object", call.schema if enforced or differs else {}, None)


WRITERS: Mapping[str, Callable[[StructuredCall], None]] = {
    "json_schema": _json_schema,
    "function_calling": _function_calling,
    "json_mode": _json_mode,
}
