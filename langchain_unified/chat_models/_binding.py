"""What `bind`, `with_config` and `with_structured_output` return."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import LanguageModelInput, chat_models
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig, RunnableSequence
from langchain_core.utils.function_calling import convert_to_json_schema

from langchain_unified.chat_models._arguments import canonical, parse_arguments
from langchain_unified.chat_models._check import CheckReport
from langchain_unified.chat_models._fields import secret_keywords
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.chat_models._structured import METHOD, METHODS, apply_structured_method
from langchain_unified.errors import ConfigurationError, InvalidToolError
from langchain_unified.redaction import redacted
from langchain_unified.request import JsonObject
from langchain_unified.structured.answer import Target
from langchain_unified.structured.parser import StructuredParser
from langchain_unified.tools.specs import check_names, tool_specs

if TYPE_CHECKING:
    from langchain_unified.batches import Batches

# Typed bindings exist since core has typed events; before, they are plain ones.
_Binding: Any = getattr(chat_models, "_ChatModelBinding", RunnableBinding)


class ChatBinding(_Binding):  # type: ignore[misc]
    """A chat model with keywords bound to it, which stay bound through `bind_tools` and `with_structured_output`."""

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """What `repr` shows: a bound tool may hold a server's token."""
        return [(name, redacted(value) if name == "kwargs" else value) for name, value in super().__repr_args__()]

    def to_json(self) -> Any:
        """As core writes it, without the secrets that are bound: core knows those of a model's fields only.

        Keywords that hold one are left out. In `tools`, the tokens of MCP servers are hidden; bind such tools again.
        """
        written = super().to_json()
        kwargs = written.get("kwargs", {}).get("kwargs")
        if kwargs:
            secrets = secret_keywords(kwargs)
            shown = {name: value for name, value in kwargs.items() if name not in secrets}
            tools = redacted({"tools": shown["tools"]}) if "tools" in shown else {}
            written["kwargs"]["kwargs"] = {**shown, **tools}
        return written

    def __getstate__(self) -> dict[Any, Any]:
        """Without a bound `api_key`, as the model's pickle is without its key."""
        state = super().__getstate__()
        kwargs = {name: value for name, value in self.kwargs.items() if name != "api_key"}
        return {**state, "__dict__": {**state["__dict__"], "kwargs": kwargs}}

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools beside what is bound; a keyword that is bound twice has its later value."""
        return cast(
            "Runnable[LanguageModelInput, AIMessage]", self.bind(**self.bound.bind_tools(tools, **kwargs).kwargs)
        )

    def with_structured_output(self, schema: Any = None, **kwargs: Any) -> Runnable[LanguageModelInput, Any]:
        """As on the model, and what is bound stays: with tools, the model may call them before it answers."""
        return structured(self.bound, self, schema, **kwargs)

    @property
    def batches(self) -> Batches:
        """As on the model, of calls with what is bound."""
        from langchain_unified.chat_models._batches import batches_of

        return batches_of(self.bound, self, self.kwargs)

    def check(self, messages: LanguageModelInput, **kwargs: Any) -> CheckReport:
        """As on the model, of a call with what is bound."""
        return cast("CheckReport", self.bound.check(messages, **{**self.kwargs, **kwargs}))

    def prewarm(self, messages: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """As on the model, with what is bound: tools are part of the prefix."""
        return cast(AIMessage, self.bound.prewarm(messages, config, **{**self.kwargs, **kwargs}))

    async def aprewarm(
        self, messages: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """Async twin of `prewarm`."""
        return cast(AIMessage, await self.bound.aprewarm(messages, config, **{**self.kwargs, **kwargs}))

    def retrieve(
        self, response: AIMessage | str, config: RunnableConfig | None = None, *, wait: float = 0.0, **kwargs: Any
    ) -> AIMessage:
        """As on the model, read with what is bound."""
        return cast(AIMessage, self.bound.retrieve(response, config, wait=wait, **{**self.kwargs, **kwargs}))

    async def aretrieve(
        self, response: AIMessage | str, config: RunnableConfig | None = None, *, wait: float = 0.0, **kwargs: Any
    ) -> AIMessage:
        """Async twin of `retrieve`."""
        return cast(AIMessage, await self.bound.aretrieve(response, config, wait=wait, **{**self.kwargs, **kwargs}))

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """As on the model, of a call with what is bound: bound tools count, unless others are given."""
        return int(self.bound.get_num_tokens_from_messages(messages, **self._counted_with(tools, kwargs)))

    async def aget_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Async twin of `get_num_tokens_from_messages`."""
        return int(await self.bound.aget_num_tokens_from_messages(messages, **self._counted_with(tools, kwargs)))

    def _counted_with(self, tools: Sequence[Any] | None, keywords: Mapping[str, Any]) -> JsonObject:
        given = {**self.kwargs, **keywords}
        if tools is None:
            return given
        of_tools = () if tools else ("tools", "tool_choice")
        return {key: value for key, value in {**given, "tools": tools}.items() if key not in of_tools}


class StructuredSequence(RunnableSequence[LanguageModelInput, Any]):
    """A bound model and the parser of its answers. `bind_tools` gives the model tools to call before it answers."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """The id of a plain sequence, which this is to whoever loads it."""
        return [*cls.get_lc_namespace(), "RunnableSequence"]

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> StructuredSequence:
        """The same with tools. The result of a call is an `AIMessage` as long as the model calls them."""
        first = cast("ChatBinding", self.first).bind_tools(tools, **kwargs)
        return StructuredSequence(first=first, last=self.last)

    @property
    def batches(self) -> Batches:
        """As on the model; the results are the objects that `invoke` returns."""
        from langchain_unified.chat_models._batches import batches_of

        first = cast("ChatBinding", self.first)
        return batches_of(first.bound, self, first.kwargs, cast("StructuredParser", self.last))

    def check(self, messages: LanguageModelInput, **kwargs: Any) -> CheckReport:
        """As on the model: how the schema goes out, among the rest."""
        return cast("ChatBinding", self.first).check(messages, **kwargs)

    def retrieve(
        self, response: AIMessage | str, config: RunnableConfig | None = None, *, wait: float = 0.0, **kwargs: Any
    ) -> Any:
        """The object of an answer that was made in the background; its message while it is still made."""
        first = cast("ChatBinding", self.first)
        return self.last.invoke(first.retrieve(response, config, wait=wait, **kwargs), config)

    async def aretrieve(
        self, response: AIMessage | str, config: RunnableConfig | None = None, *, wait: float = 0.0, **kwargs: Any
    ) -> Any:
        """Async twin of `retrieve`."""
        first = cast("ChatBinding", self.first)
        return await self.last.ainvoke(await first.aretrieve(response, config, wait=wait, **kwargs), config)


def structured(
    model: ModelBase,
    binding: ChatBinding,
    schema: Any,
    *,
    method: str | None = None,
    include_raw: bool = False,
    strict: bool | None = None,
    tools: Sequence[Any] | None = None,
    **kwargs: Any,
) -> StructuredSequence:
    """The sequence that `with_structured_output` returns. Raises for bad arguments here, not at the call."""
    _check(schema, method, strict, tools)
    parse_arguments(canonical(kwargs))
    target = Target(schema)
    if tools is not None:
        binding = cast("ChatBinding", binding.bind_tools(tools))
    inner = {"name": target.name, "schema": target.schema, "strict": target.form.strict if strict is None else strict}
    bound = {"response_format": {"type": "json_schema", "json_schema": inner, METHOD: method}, **kwargs}
    chosen = _method_of_call(model, {**binding.kwargs, **bound})
    traced = {"kwargs": {"method": chosen, "strict": strict}, "schema": _schema_for_traces(target)}
    bound["ls_structured_output_format"] = traced
    parser = StructuredParser(target=target, include_raw=include_raw)
    return StructuredSequence(first=binding.bind(**bound), last=parser)


def _check(schema: Any, method: str | None, strict: bool | None, tools: Sequence[Any] | None) -> None:
    if method is not None and method not in METHODS:
        raise ConfigurationError(f"method={method!r} is not known. Methods are {', '.join(METHODS)}.")
    if schema is None and method != "json_mode":
        raise InvalidToolError("with_structured_output needs a schema; only method='json_mode' goes without.")
    if strict not in (None, True, False):
        raise ConfigurationError(f"`strict` takes True or False, not {strict!r}.")
    if strict is not None and method == "json_mode":
        raise ConfigurationError(
            "`strict` has no meaning with method='json_mode': nothing holds the answer to a schema."
        )
    if tools is not None and not tools:
        raise InvalidToolError("with_structured_output got an empty list of `tools`. Give tools, or leave it out.")


def _method_of_call(model: ModelBase, bound: Mapping[str, Any]) -> str:
    """The method that a call of this model will use. Raises what the call would raise."""
    given = {key: value for key, value in bound.items() if value is not None}
    arguments = parse_arguments({**model._defaults(), **canonical(given)})
    method = apply_structured_method(arguments, model)
    check_names(tool_specs(arguments.call.get("tools", ())))
    return method


def _schema_for_traces(target: Target) -> JsonObject:
    """The schema as LangSmith shows it: as core writes it, where core can."""
    try:
        with warnings.catch_warnings(action="ignore"):  # core mixes pydantic's versions to read a TypedDict
            return convert_to_json_schema(target.asked)
    except Exception:  # noqa: BLE001 - core raises many kinds for what it does not know
        return {"title": target.name, **target.schema}
