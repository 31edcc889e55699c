"""The LangChain side of every chat model: invoke, stream and their async twins, tools, counting, tracing.

`ChatBase` holds all the logic; `ChatAnthropic`, `ChatOpenAI` and `ChatUnified` add their fields and say where to go.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import ConfigDict, PrivateAttr, SecretStr, ValidationError, model_validator

from langchain_unified._version import __version__
from langchain_unified.chat_models import _answer as _several
from langchain_unified.chat_models import _binding, _events, _plan
from langchain_unified.chat_models._arguments import SYNONYMS, own_metadata, unknown
from langchain_unified.chat_models._check import CheckReport, check
from langchain_unified.chat_models._fields import REFUSED, Connection, Parameters
from langchain_unified.chat_models._model import Identity
from langchain_unified.chat_models._prewarm import warming
from langchain_unified.chat_models._report import add_cache_report
from langchain_unified.chat_models._stops import cut_message
from langchain_unified.chat_models._stream import CallMetadata, aread, read
from langchain_unified.errors import ConfigurationError
from langchain_unified.request import JsonObject
from langchain_unified.tools.choice import parse_tool_choice
from langchain_unified.tools.output_format import parse_output_format
from langchain_unified.tools.specs import tool_dict, tool_specs
from langchain_unified.transport import Answer, Transport

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData


class ChatBase(Parameters, Connection, Identity):
    """What all our chat models share. Not for use by itself."""

    model_config = ConfigDict(populate_by_name=True, arbitrary_types_allowed=True, protected_namespaces=())

    _drop_in: ClassVar[bool] = True
    """Whether the class follows a partner class's choice of API."""
    _warned: set[str] = PrivateAttr(default_factory=set)

    def __init__(self, model: str | None = None, **kwargs: Any) -> None:
        """Build a model; nothing is connected or imported before the first call.

        Raises `ConfigurationError` for an unknown keyword or a value of the wrong type.
        """
        if model is not None:
            kwargs["model"] = model
        try:
            super().__init__(**self._known_keywords(kwargs))
        except ValidationError as exc:
            raise ConfigurationError(_explain(type(self).__name__, exc)) from None
        self._route()  # an unknown model is told here, not at the first call

    @classmethod
    def _known_keywords(cls, kwargs: Mapping[str, Any]) -> JsonObject:
        """The keywords under names that the class has: a synonym from another class is read as what it means here."""
        known = {name for field, info in cls.model_fields.items() for name in (field, info.alias) if name}
        result: JsonObject = {}
        for key, value in kwargs.items():
            name = key if key in known else SYNONYMS.get(key, key)
            if name not in known:
                raise ConfigurationError(_refusal(key, known, cls.__name__))
            result[name] = value
        return result

    @model_validator(mode="after")
    def _set_langchain_unified_version(self) -> Self:
        self._add_version("langchain-unified", __version__)
        return self

    # --- calls ---

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - core's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """The whole answer. `metadata` here is the API's, `config["metadata"]` is LangChain's, for traces."""
        return super().invoke(input, config, stop=stop, **own_metadata(kwargs))

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - core's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Async twin of `invoke`."""
        return await super().ainvoke(input, config, stop=stop, **own_metadata(kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        plan = _plan.make(self, messages, _with_stop(kwargs, stop), stream=False)
        return self._result(plan, _several.send(plan))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        plan = _plan.make(self, messages, _with_stop(kwargs, stop), stream=False)
        return self._result(plan, await _several.asend(plan))

    def _result(self, plan: _plan.Plan, answers: Sequence[Answer]) -> ChatResult:
        messages = [message for answer in answers for message in self._messages(plan, answer)]
        shared = messages[0].response_metadata
        llm_output = {key: shared[key] for key in ("token_usage", "model_name") if key in shared}
        return ChatResult(generations=[ChatGeneration(message=m) for m in messages], llm_output=llm_output)

    def _messages(self, plan: _plan.Plan, answer: Answer) -> list[AIMessage]:
        messages = [cut_message(message, plan.stops) for message in plan.wire.decode(answer.data)]
        extra = self._call_metadata(plan, answer.request_id, answer.headers)
        for message in messages:
            message.response_metadata.update(extra)
            add_cache_report(plan, message)
        return messages

    def _call_metadata(self, plan: _plan.Plan, request_id: str | None, headers: Mapping[str, str]) -> JsonObject:
        """What the call itself adds to `response_metadata`, whole and streamed alike."""
        extra: JsonObject = {}
        if request_id:
            extra["request_id"] = request_id
        if plan.adjustments:
            extra["adjustments"] = [dict(item) for item in plan.adjustments]
        if self.include_response_headers:
            extra["headers"] = {key: value for key, value in headers.items() if key.lower() not in PRIVATE_HEADERS}
        return extra

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        return read(*self._streaming(messages, stop, kwargs), run_manager)

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        return aread(*self._streaming(messages, stop, kwargs), run_manager)

    def _stream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[MessagesData]:
        return _events.read_events(*self._streaming(messages, stop, kwargs), run_manager)

    def _astream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[MessagesData]:
        return _events.aread_events(*self._streaming(messages, stop, kwargs), run_manager)

    def _streaming(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[_plan.Plan, CallMetadata]:
        plan = _plan.make(self, messages, _with_stop(kwargs, stop), stream=True)
        return plan, functools.partial(self._call_metadata, plan)

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
        """Bind tools, written in any of LangChain's or the providers' ways.

        `tool_choice`: `auto`, `any`/`required`/`True`, `none`, a tool's name, a list of names, or either provider's
        dict; absent leaves it to the model. `strict`: hold arguments to the schema. `parallel_tool_calls=False`: one
        call at a time. `response_format`: the form of the final answer. Raises `InvalidToolError` here, not later.
        """
        specs = tool_specs(tools, strict)
        bound: JsonObject = {"tools": [tool_dict(spec) for spec in specs], **kwargs}
        if tool_choice is not None and tool_choice is not False:
            parse_tool_choice(tool_choice, specs)
            bound["tool_choice"] = tool_choice
        if response_format is not None:
            parse_output_format(response_format, strict)
            bound["response_format"] = response_format
        if strict is not None and response_format is not None:
            bound["strict"] = strict
        if parallel_tool_calls is not None:
            bound["parallel_tool_calls"] = parallel_tool_calls
        return self.bind(**bound)

    def bind(self, **kwargs: Any) -> _binding.ChatBinding:
        """Bind keywords to every call. What is bound stays through `bind_tools` and `with_structured_output`."""
        return _binding.ChatBinding(bound=self, kwargs=kwargs, config={})

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> _binding.ChatBinding:
        """Bind a config (tags, metadata, callbacks, …) to every call. It stays as what `bind` binds does."""
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
        """Answers of the form of `schema`, checked here; a message that calls `tools` comes back as it is.

        `schema`: a pydantic class (v2, v1), a TypedDict, a dataclass, a union or another type, or a JSON schema.
        `method`: `json_schema`, `function_calling` or `json_mode`; absent, what the call's model is best at. `strict`:
        whether OpenAI holds the model to the schema; absent, where the schema can be held. What a provider does not
        enforce is listed in `adjustments`, and with `strict=True` warned of. `include_raw`: give
        `{"raw", "parsed", "parsing_error"}` instead of raising. While streaming, each piece is the answer so far.
        Raises `RefusalError`, `TruncatedOutputError` and `StructuredOutputError`; `InvalidToolError` for a schema that
        cannot be sent.
        """
        given = {"include_raw": include_raw, "method": method, "strict": strict, "tools": tools, **kwargs}
        return _binding.structured(self, self.bind(), schema, **given)

    # --- counting and looking ahead ---

    def check(self, input: LanguageModelInput, **kwargs: Any) -> CheckReport:  # noqa: A002 - LangChain's name for it
        """What a call with these messages and keywords would send, change, leave out or refuse. No network.

        `model=` asks about another model or provider. The report is data, and `str(report)` says it in sentences.
        """
        return check(self, self._convert_input(input).to_messages(), kwargs)

    def prewarm(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Write the prompt to the provider's cache and generate nothing: the next call with this prefix reads it.

        Everything in `input` is marked, or what its own marks and `prompt_cache=` say. The answer is empty; its
        `usage_metadata` and `response_metadata["prompt_cache"]` tell what was written. On Anthropic thinking, a forced
        tool and a response format are left out of this call, so that for calls with them only tools and system prompt
        are warmed. Raises `UnsupportedParameterError` on OpenAI's models before gpt-5.6 and on Chat Completions, which
        cannot do it.
        """
        call = warming(self, self._convert_input(input).to_messages(), kwargs)
        return call.model.invoke(call.messages, config, **call.keywords)

    async def aprewarm(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Async twin of `prewarm`."""
        call = warming(self, self._convert_input(input).to_messages(), kwargs)
        return await call.model.ainvoke(call.messages, config, **call.keywords)


    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """How many input tokens a call would have, by the provider's counting endpoint (one request, no generation).

        A server that is not the provider's own has no such endpoint: there the count is LangChain's estimate.
        """
        plan = _plan.make_count(self, messages, {**kwargs, "tools": tools} if tools else kwargs)
        if plan is None:
            return count_tokens_approximately(messages, tools=cast("Any", tools))
        return int(plan.transport.send(plan.call).data.get("input_tokens", 0))

    def get_num_tokens(self, text: str) -> int:
        """How many tokens a text has: `custom_get_token_ids` if it was given, else counted as one user message."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return self.get_num_tokens_from_messages([HumanMessage(text)])

    # --- closing and copying ---

    def close(self) -> None:
        """Close the connections of this model's configuration; models of equal configuration share them."""
        Transport(self._connection(self._route().provider)).close()

    async def aclose(self) -> None:
        """Async twin of `close`, for the running event loop."""
        await Transport(self._connection(self._route().provider)).aclose()

    def __getstate__(self) -> dict[Any, Any]:
        """A pickle holds no key: it is read from the environment again where the pickle is opened."""
        state = super().__getstate__()
        fields = {key: None if _is_secret(value) else value for key, value in state["__dict__"].items()}
        return {**state, "__dict__": fields}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        for name, info in type(self).model_fields.items():
            if name.endswith("_api_key") and getattr(self, name) is None and info.default_factory is not None:
                self.__dict__[name] = cast("Callable[[], Any]", info.default_factory)()


PRIVATE_HEADERS = frozenset({"set-cookie", "openai-organization", "openai-project", "anthropic-organization-id"})


def _is_secret(value: Any) -> bool:
    return isinstance(value, SecretStr)


def _with_stop(kwargs: Mapping[str, Any], stop: list[str] | None) -> Mapping[str, Any]:
    return kwargs if stop is None else {**kwargs, "stop": stop}


def _refusal(key: str, known: set[str], place: str) -> str:
    if key in REFUSED:
        return f"{key!r} is not taken by {place}: {REFUSED[key]}."
    return unknown(key, known, place)


def _explain(name: str, exc: ValidationError) -> str:
    lines = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in exc.errors(include_input=False)]
    return f"{name} cannot be built: " + "; ".join(lines)


__all__ = ["ChatBase"]
