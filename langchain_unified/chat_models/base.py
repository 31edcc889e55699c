"""The LangChain side of every chat model: invoke, stream and their async twins, tools, counting, tracing.

`ChatBase` makes the calls; `ChatAnthropic`, `ChatOpenAI` and `ChatUnified` add their fields and where a call goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import SecretStr, ValidationError, model_validator

from langchain_unified._version import __version__
from langchain_unified.chat_models import _stored, _values
from langchain_unified.chat_models._arguments import SYNONYMS, call_fields, native_keys, rename_metadata
from langchain_unified.chat_models._counting import CountedTokens
from langchain_unified.chat_models._deferred import Deferred
from langchain_unified.chat_models._fields import CONFIG, REFUSED
from langchain_unified.chat_models._loops import check_loop
from langchain_unified.chat_models._model import DerivedLimit, DerivedProfile, ModelBase
from langchain_unified.chat_models._observed import NOTHING, Attached
from langchain_unified.chat_models._stored import StoredAnswers
from langchain_unified.chat_models._unknown import unknown_keyword
from langchain_unified.errors import ConfigurationError
from langchain_unified.request import JsonObject

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData

    from langchain_unified.batches import Batches
    from langchain_unified.chat_models import (
        _answer,
        _binding,
        _check,
        _events,
        _finish,
        _plan,
        _prewarm,
        _stream,
    )
    from langchain_unified.tools import bound as _tools
else:  # imported by the first call or binding
    _answer = Deferred("langchain_unified.chat_models._answer")
    _binding = Deferred("langchain_unified.chat_models._binding")
    _check = Deferred("langchain_unified.chat_models._check")
    _events = Deferred("langchain_unified.chat_models._events")
    _finish = Deferred("langchain_unified.chat_models._finish")
    _plan = Deferred("langchain_unified.chat_models._plan")
    _prewarm = Deferred("langchain_unified.chat_models._prewarm")
    _stream = Deferred("langchain_unified.chat_models._stream")
    _tools = Deferred("langchain_unified.tools.bound")


class ChatBase(StoredAnswers, CountedTokens, ModelBase):
    """What all our chat models share. Not for use by itself."""

    model_config = CONFIG

    def __init__(self, model: str | None = None, **kwargs: Any) -> None:
        """Build a model. Nothing is connected, and no SDK is imported, before the first call.

        Raises `ConfigurationError` for an unknown keyword or a value of the wrong type.
        """
        if model is not None:
            kwargs["model"] = model
        fields = self._known_keywords(kwargs)
        try:
            super().__init__(**fields)
        except ValidationError as exc:
            raise ConfigurationError(self._validation_message(exc, fields)) from None
        self._check_addresses()  # those that are given, then those of the environment
        self._complete_address()
        self._check_addresses()
        self._check_path(self._route().provider)  # an unknown model raises here, not at the first call

    @classmethod
    def _known_keywords(cls, kwargs: Mapping[str, Any]) -> JsonObject:
        """The keywords under the names of this class's fields. Another class's name for a field is accepted.

        Keys of the provider's own body that have no field go into `model_kwargs`.
        """
        known = {name for field, info in cls.model_fields.items() for name in (field, info.alias) if name}
        has_others = any(key not in known and SYNONYMS.get(key) not in known for key in kwargs)
        body_keys = native_keys(cls._provider) - known if has_others else frozenset()  # it imports the wires
        result: JsonObject = {}
        body: JsonObject = {}
        for key, value in kwargs.items():
            if isinstance(value, DerivedLimit | DerivedProfile):
                continue
            name = key if key in known else SYNONYMS.get(key, key)
            if name in known:
                result[name] = value
            elif name in body_keys:
                body[name] = value
            else:
                raise ConfigurationError(_unknown_keyword(key, known | body_keys, cls.__name__))
        if body:
            result["model_kwargs"] = _merged(result.get("model_kwargs") or {}, body)
        return result

    @classmethod
    def _validation_message(cls, exc: ValidationError, fields: Mapping[str, Any]) -> str:
        example = "claude-sonnet-5" if cls._provider else "anthropic/claude-sonnet-5"
        missing = f'`model` is missing. Write {cls.__name__}("{example}"), for example.'
        return _values.validation_message(cls.__name__, exc, fields, {"model": missing, "model_name": missing})

    @model_validator(mode="after")
    def _set_langchain_unified_version(self) -> Self:
        self._add_version("langchain-unified", __version__)
        return self

    # --- calls ---

    def _plan_of(
        self, messages: list[BaseMessage], keywords: Mapping[str, Any], stop: list[str] | None, *, stream: bool
    ) -> _plan.Plan:
        if Attached.observer is None:
            return _plan.make(self, messages, keywords, stop=stop, stream=stream)
        address = self._address(self._route().provider)
        made = partial(_plan.make, self, messages, keywords, stop=stop, stream=stream)
        return cast("_plan.Plan", Attached.observer.plan(made, messages, address))

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - core's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """The complete answer. `metadata` here is the API's; `config["metadata"]` is LangChain's, for traces."""
        kwargs = rename_metadata(kwargs) if "metadata" in kwargs else kwargs
        return super().invoke(input, config, stop=stop, **kwargs)

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - core's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Async twin of `invoke`. Raises `ConfigurationError` in a run of trio: LangChain needs asyncio."""
        check_loop()
        kwargs = rename_metadata(kwargs) if "metadata" in kwargs else kwargs
        return await super().ainvoke(input, config, stop=stop, **kwargs)

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - core's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Async twin of `stream`. Raises `ConfigurationError` in a run of trio: LangChain needs asyncio."""
        check_loop()
        return super().astream(input, config, stop=stop, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if _stored.STORED in kwargs:
            return _stored.answer(self, kwargs)
        plan = self._plan_of(messages, kwargs, stop, stream=False)
        transport = self._transport(plan.route.provider)
        if plan.seen is NOTHING:
            return _answer.read_answers(plan, _answer.send_n(transport, plan))
        with plan.seen as seen:
            return seen.result(_answer.read_answers(plan, _answer.send_n(transport, plan)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if _stored.STORED in kwargs:
            return await _stored.aanswer(self, kwargs)
        plan = self._plan_of(messages, kwargs, stop, stream=False)
        transport = self._transport(plan.route.provider)
        if plan.seen is NOTHING:
            return _answer.read_answers(plan, await _answer.asend_n(transport, plan))
        with plan.seen as seen:
            return seen.result(_answer.read_answers(plan, await _answer.asend_n(transport, plan)))

    async def _agenerate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Core's method. A call whose task is cancelled is reported to the callbacks: core reports it to none."""
        try:
            return await super()._agenerate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)
        except asyncio.CancelledError as error:
            if run_manager and (task := asyncio.current_task()) and task.cancelling():
                await run_manager.on_llm_error(error, response=LLMResult(generations=[]))
            raise

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        plan = self._plan_of(messages, kwargs, stop, stream=True)
        return _stream.read(self._transport(plan.route.provider), plan, run_manager)

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        plan = self._plan_of(messages, kwargs, stop, stream=True)
        return _stream.AsyncChunks(self._transport(plan.route.provider), plan, run_manager)

    def _stream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[MessagesData]:
        plan = self._plan_of(messages, kwargs, stop, stream=True)
        return _events.read_events(self._transport(plan.route.provider), plan, run_manager)

    def _astream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[MessagesData]:
        plan = self._plan_of(messages, kwargs, stop, stream=True)
        return _events.aread_events(self._transport(plan.route.provider), plan, run_manager)

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        return llm_outputs[0] or {} if len(llm_outputs) == 1 else _finish.combined(llm_outputs)

    # --- tools ---

    def bind_tools(
        self,
        tools: Sequence[JsonObject | type | Callable[..., Any] | Any],
        *,
        tool_choice: Any = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools: functions, classes, LangChain tools, or dicts in LangChain's or either provider's form.

        `tool_choice`: `auto`, `any`/`required`/`True`, `none`, a tool's name, a list of names, or either provider's
        dict; absent, the model chooses. `strict`: the provider holds arguments to the schema.
        `parallel_tool_calls=False`: at most one call per answer. `response_format`: the schema of the final answer.
        Raises `InvalidToolError` here, not at the call.
        """
        bound = _tools.bound_keywords(
            tools,
            tool_choice=tool_choice,
            strict=strict,
            parallel_tool_calls=parallel_tool_calls,
            response_format=response_format,
        )
        return self.bind(**bound, **kwargs)

    def bind(self, **kwargs: Any) -> _binding.ChatBinding:
        """Bind keywords to every call. `bind_tools` and `with_structured_output` keep what is bound."""
        return _binding.ChatBinding(bound=self, kwargs=kwargs, config={})

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> _binding.ChatBinding:
        """Bind a config (tags, metadata, callbacks, …) to every call. `bind_tools` and the others keep it."""
        return _binding.ChatBinding(bound=self, kwargs={}, config={**(config or {}), **kwargs})

    def with_structured_output(
        self,
        schema: Any = None,
        *,
        include_raw: bool = False,
        method: str | None = None,
        strict: bool | None = None,
        tools: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> _binding.StructuredSequence:
        """A runnable whose answers match `schema` and are checked here. A message that calls `tools` is returned as is.

        `schema`: a pydantic class (v2, v1), a TypedDict, a dataclass, a union or another type, or a JSON schema.
        `method`: `json_schema`, `function_calling` or `json_mode`; absent, the best one of the call's model. `strict`:
        whether OpenAI enforces the schema; absent, if OpenAI can. What a provider does not enforce is listed in
        `adjustments`; `strict=True` also warns. `include_raw`: return `{"raw", "parsed", "parsing_error"}` instead of
        raising. A stream gives the answer so far. Raises `RefusalError`, `TruncatedOutputError` and
        `StructuredOutputError`; `InvalidToolError` for a schema that cannot be sent.
        """
        given = {"include_raw": include_raw, "method": method, "strict": strict, "tools": tools, **kwargs}
        return _binding.structured(self, self.bind(), schema, **given)

    # --- batches ---

    @property
    def batches(self) -> Batches:
        """The provider's batches: thousands of calls at half the price, answered within a day.

        `batches.submit(inputs, state="run.json")` returns a `Batch`, `batches.open("run.json")` finds it again. Also on
        `bind_tools(…)`, `bind(…)` and `with_structured_output(…)`.
        """
        from langchain_unified.chat_models._batches import batches_of

        return batches_of(self, self)

    # --- counting and looking ahead ---

    def check(self, input: LanguageModelInput, **kwargs: Any) -> _check.CheckReport:  # noqa: A002 - LangChain's name for it
        """What a call with these messages and keywords would send, change, leave out or refuse. No network.

        `model=` asks about another model or provider. The report is data; `str(report)` is the same in sentences.
        """
        return _check.check(self, self._convert_input(input).to_messages(), kwargs)

    def prewarm(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Write the prompt to the provider's cache and generate nothing: the next call with this prefix reads it.

        All of `input` is cached, or the part that its own marks and `prompt_cache=` name. The answer is empty;
        `usage_metadata` and `response_metadata["prompt_cache"]` hold what was written. On Anthropic the call goes
        without thinking, a forced tool and a response format; later calls with one of these read only tools and system
        prompt. Raises `UnsupportedParameterError` on OpenAI's models before gpt-5.6 and on Chat Completions, which have
        no such call.
        """
        call = _prewarm.prewarm_call(self, self._convert_input(input).to_messages(), kwargs)
        return call.model.invoke(call.messages, config, **call.keywords)

    async def aprewarm(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Async twin of `prewarm`."""
        call = _prewarm.prewarm_call(self, self._convert_input(input).to_messages(), kwargs)
        return await call.model.ainvoke(call.messages, config, **call.keywords)

    # --- closing and copying ---

    def close(self) -> None:
        """Close the connections of sync calls, unless other models with equal network settings still use them.

        A later call connects again. A client that was given to the model stays open.
        """
        for transport in self._state.all_transports():
            transport.close()

    async def aclose(self) -> None:
        """Async twin of `close`, for the async calls on the running event loop."""
        for transport in self._state.all_transports():
            await transport.aclose()

    def __getstate__(self) -> dict[Any, Any]:
        """The state without keys: unpickling reads them from the environment."""
        state = super().__getstate__()
        fields = {key: None if _is_secret(value) else value for key, value in state["__dict__"].items()}
        return {**state, "__dict__": fields}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        for name, info in type(self).model_fields.items():
            if name.endswith("_api_key") and getattr(self, name) is None and info.default_factory is not None:
                self.__dict__[name] = cast("Callable[[], Any]", info.default_factory)()


def _is_secret(value: Any) -> bool:
    return isinstance(value, SecretStr)


def _merged(model_kwargs: JsonObject, body: JsonObject) -> JsonObject:
    for key, value in body.items():
        if key in model_kwargs and model_kwargs[key] != value:
            raise ConfigurationError(f"{key!r} is given twice, once in `model_kwargs`, with different values.")
    return {**model_kwargs, **body}


def _unknown_keyword(key: str, known: set[str], place: str) -> str:
    if key in REFUSED:
        return f"{key!r} is not taken by {place}: {REFUSED[key]}."
    return unknown_keyword(key, known, place, elsewhere=call_fields())


__all__ = ["ChatBase"]
