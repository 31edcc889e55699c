"""One conversation under one policy, sent to the emulator through a chat model and over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.tools import BaseTool

from benchmarks.cache_calls import ANTHROPIC, AUTOMATIC, BREAKPOINTS, BodyReader, CacheRules, InputTokens, SentCall
from benchmarks.cache_conversations import Conversation
from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.caching.policy import PromptCache
from langchain_unified.testing import Emulator, emulator

Sender: TypeAlias = Callable[[list[BaseMessage]], AIMessage]
"""Sends a history and returns the answer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A column of the table: a model with its caching options. `open` makes the sender for a running emulator."""

    name: str
    open: Callable[[Emulator, Sequence[BaseTool]], Sender]


@dataclass(frozen=True, slots=True)
class Api:
    """A provider's API with one model: one table. `without`: conversations that it does not take.

    The first policy has no caching options. The optimum is computed from its bodies.
    """

    name: str
    model: str
    endpoint: str
    rules: CacheRules
    policies: tuple[Policy, ...]
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConversationRun:
    """The calls of a conversation, with the input tokens from the `usage_metadata` of the answers."""

    calls: tuple[SentCall, ...]
    tokens: tuple[InputTokens, ...]
    answers: tuple[AIMessage, ...] = field(repr=False)


def run(conversation: Conversation, policy: Policy, endpoint: str) -> ConversationRun:
    """Run the conversation, with empty caches at its start."""
    times, answers = [], []
    with emulator([step.answer for step in conversation.steps]) as server:
        send = policy.open(server, conversation.tools)
        history: list[BaseMessage] = []
        for step in conversation.steps:
            server.clock.advance(step.after)
            history = [*([] if step.fresh else history), *step.messages]
            answer = send(history)
            history.append(answer)
            times.append(server.clock.now)
            answers.append(answer)
        reader = BodyReader(endpoint)
        calls = [reader.read(sent.body, at) for sent, at in zip(server.requests, times, strict=True)]
    tokens = tuple(input_tokens(answer.usage_metadata or {}) for answer in answers)
    return ConversationRun(tuple(calls), tokens, tuple(answers))


def input_tokens(usage: Mapping[str, Any]) -> InputTokens:
    """The input tokens of a message's `usage_metadata`, from this package or langchain-anthropic."""
    details = usage.get("input_token_details") or {}
    # langchain-anthropic has the counts by ttl among the details, and then no total.
    by_ttl = usage.get("cache_creation_details") or details
    long = by_ttl.get("ephemeral_1h_input_tokens") or 0
    written = max(details.get("cache_creation") or 0, long + (by_ttl.get("ephemeral_5m_input_tokens") or 0))
    read = details.get("cache_read") or 0
    uncached = usage["input_tokens"] - read - written
    return InputTokens(uncached=uncached, read=read, written=written - long, written_long=long)


# --- the senders ------------------------------------------------------------------------------------------------------


def _claude(**options: Any) -> Callable[[Emulator, Sequence[BaseTool]], Sender]:
    def open_(server: Emulator, tools: Sequence[BaseTool]) -> Sender:
        return _sender(ChatAnthropic(model=CLAUDE, base_url=server.anthropic_url, api_key="any"), tools, options)

    return open_


def _openai(model: str, *, responses: bool, **options: Any) -> Callable[[Emulator, Sequence[BaseTool]], Sender]:
    def open_(server: Emulator, tools: Sequence[BaseTool]) -> Sender:
        chat = ChatOpenAI(model=model, base_url=server.openai_url, api_key="any", use_responses_api=responses)
        return _sender(chat, tools, options)

    return open_


def _sender(model: Any, tools: Sequence[BaseTool], options: Mapping[str, Any]) -> Sender:
    bound = model.bind_tools(tools) if tools else model

    def send(history: list[BaseMessage]) -> AIMessage:
        answer: AIMessage = bound.invoke(history, **options)
        return answer

    return send


def _middleware(server: Emulator, tools: Sequence[BaseTool]) -> Sender:
    """LangChain's agent middleware with LangChain's own model, called in the same way as by its agents."""
    from langchain.agents.middleware.types import ModelRequest
    from langchain_anthropic import ChatAnthropic as PartnerAnthropic
    from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware

    settings: dict[str, Any] = {"model": CLAUDE, "base_url": server.anthropic_url, "api_key": "any"}
    model = PartnerAnthropic(**settings)
    middleware: Any = AnthropicPromptCachingMiddleware()

    def send(history: list[BaseMessage]) -> AIMessage:
        system = history[0] if isinstance(history[0], SystemMessage) else None
        messages: list[Any] = history if system is None else history[1:]
        request = ModelRequest(model=model, messages=messages, system_message=system, tools=list(tools))
        answer: AIMessage = middleware.wrap_model_call(request, _call_model)
        return answer

    return send


def _call_model(request: Any) -> AIMessage:
    """The call of a model after the middleware, as in LangChain's agents."""
    options = request.model_settings
    bound = request.model.bind_tools(request.tools, **options) if request.tools else request.model.bind(**options)
    start = [request.system_message] if request.system_message else []
    answer: AIMessage = bound.invoke([*start, *request.messages])
    return answer


CLAUDE, GPT, OLDER = "claude-sonnet-5", "gpt-5.6", "gpt-4.1"
MIDDLEWARE = "LangChain's middleware"
"""Measured where `langchain` is installed."""
WITH_TOOLS = frozenset({"a", "a2", "c", "e3"})
SYSTEM_LATER = frozenset({"g"})
"""Claude Sonnet 5 takes system messages only at the start."""


def _gpt(*, responses: bool) -> tuple[Policy, ...]:
    return (
        Policy("implicit (default)", _openai(GPT, responses=responses)),
        Policy("auto", _openai(GPT, responses=responses, prompt_cache="auto")),
    )


APIS: tuple[Api, ...] = (
    Api(
        "Anthropic",
        CLAUDE,
        "anthropic.messages",
        ANTHROPIC,
        (
            Policy("no marks", _claude()),
            Policy("auto", _claude(prompt_cache="auto")),
            Policy("auto, 1h", _claude(prompt_cache=PromptCache(ttl="1h"))),
            Policy("top-level automatic", _claude(extra_body={"cache_control": {"type": "ephemeral"}})),
            *([Policy(MIDDLEWARE, _middleware)] if find_spec("langchain") else []),
        ),
        without=SYSTEM_LATER,
    ),
    Api("OpenAI Responses", GPT, "openai.responses", BREAKPOINTS, _gpt(responses=True)),
    Api("OpenAI Chat", GPT, "openai.chat", BREAKPOINTS, _gpt(responses=False), without=WITH_TOOLS),
    Api(
        "OpenAI before gpt-5.6",
        OLDER,
        "openai.chat",
        AUTOMATIC,
        (
            Policy("automatic (default)", _openai(OLDER, responses=False)),
            Policy("auto", _openai(OLDER, responses=False, prompt_cache="auto")),
            Policy("auto, 24h", _openai(OLDER, responses=False, prompt_cache=PromptCache(ttl="24h"))),
        ),
    ),
)
