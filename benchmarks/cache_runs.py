"""One conversation under one policy: really sent, through a chat model and over HTTP, to the emulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.tools import BaseTool

from benchmarks.cache_calls import ANTHROPIC, AUTOMATIC, BREAKPOINTS, Call, Reader, Rules, Spent
from benchmarks.cache_conversations import Conversation
from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.caching.policy import PromptCache
from langchain_unified.testing import Emulator, emulator

Ask: TypeAlias = Callable[[list[BaseMessage]], AIMessage]
"""Sends a history, gives the answer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A row of the table: who sends, and what it says about caching. `open` makes the sender for a running emulator."""

    name: str
    open: Callable[[Emulator, Sequence[BaseTool]], Ask]


@dataclass(frozen=True, slots=True)
class Api:
    """A provider's API with one model, as one of its tables. `without`: conversations that it does not take.

    The first policy leaves caching alone: its bodies are what the optimum is computed from.
    """

    name: str
    model: str
    endpoint: str
    rules: Rules
    policies: tuple[Policy, ...]
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it, call by call. `spent` is what the answers' `usage_metadata` says."""

    calls: tuple[Call, ...]
    spent: tuple[Spent, ...]
    answers: tuple[AIMessage, ...] = field(repr=False)


def run(conversation: Conversation, policy: Policy, endpoint: str) -> Run:
    """Hold the conversation. The emulator's caches are empty at its start."""
    times, answers = [], []
    with emulator([step.answer for step in conversation.steps]) as server:
        ask = policy.open(server, conversation.tools)
        history: list[BaseMessage] = []
        for step in conversation.steps:
            server.clock.advance(step.after)
            history = [*([] if step.fresh else history), *step.messages]
            answer = ask(history)
            history.append(answer)
            times.append(server.clock.now)
            answers.append(answer)
        reader = Reader(endpoint)
        calls = [reader.read(sent.body, at) for sent, at in zip(server.requests, times, strict=True)]
    return Run(tuple(calls), tuple(spent(answer.usage_metadata or {}) for answer in answers), tuple(answers))


def spent(usage: Mapping[str, Any]) -> Spent:
    """A message's `usage_metadata`, ours or a partner's, as what was taken in."""
    details = usage.get("input_token_details") or {}
    # LangChain's own package has the lifetimes among the details, and then no total.
    lives = usage.get("cache_creation_details") or details
    long = lives.get("ephemeral_1h_input_tokens") or 0
    written = max(details.get("cache_creation") or 0, long + (lives.get("ephemeral_5m_input_tokens") or 0))
    read = details.get("cache_read") or 0
    return Spent(uncached=usage["input_tokens"] - read - written, read=read, short=written - long, long=long)


# --- who sends --------------------------------------------------------------------------------------------------------


def _claude(**said: Any) -> Callable[[Emulator, Sequence[BaseTool]], Ask]:
    def open_(server: Emulator, tools: Sequence[BaseTool]) -> Ask:
        return _sender(ChatAnthropic(model=CLAUDE, base_url=server.anthropic_url, api_key="any"), tools, said)

    return open_


def _openai(model: str, *, responses: bool, **said: Any) -> Callable[[Emulator, Sequence[BaseTool]], Ask]:
    def open_(server: Emulator, tools: Sequence[BaseTool]) -> Ask:
        chat = ChatOpenAI(model=model, base_url=server.openai_url, api_key="any", use_responses_api=responses)
        return _sender(chat, tools, said)

    return open_


def _sender(model: Any, tools: Sequence[BaseTool], said: Mapping[str, Any]) -> Ask:
    bound = model.bind_tools(tools) if tools else model

    def ask(history: list[BaseMessage]) -> AIMessage:
        answer: AIMessage = bound.invoke(history, **said)
        return answer

    return ask


def _middleware(server: Emulator, tools: Sequence[BaseTool]) -> Ask:
    """LangChain's agent middleware on LangChain's own model, called as its agents call it."""
    from langchain.agents.middleware.types import ModelRequest
    from langchain_anthropic import ChatAnthropic as PartnerAnthropic
    from langchain_anthropic.middleware import AnthropicPromptCachingMiddleware

    settings: dict[str, Any] = {"model": CLAUDE, "base_url": server.anthropic_url, "api_key": "any"}
    model = PartnerAnthropic(**settings)
    middleware: Any = AnthropicPromptCachingMiddleware()

    def ask(history: list[BaseMessage]) -> AIMessage:
        system = history[0] if isinstance(history[0], SystemMessage) else None
        messages: list[Any] = history if system is None else history[1:]
        request = ModelRequest(model=model, messages=messages, system_message=system, tools=list(tools))
        answer: AIMessage = middleware.wrap_model_call(request, _as_agents_do)
        return answer

    return ask


def _as_agents_do(request: Any) -> AIMessage:
    """How LangChain's agents call a model after their middleware."""
    said = request.model_settings
    bound = request.model.bind_tools(request.tools, **said) if request.tools else request.model.bind(**said)
    start = [request.system_message] if request.system_message else []
    answer: AIMessage = bound.invoke([*start, *request.messages])
    return answer


CLAUDE, GPT, OLDER = "claude-sonnet-5", "gpt-5.6", "gpt-4.1"
MIDDLEWARE = "LangChain's middleware"
"""Measured where `langchain` is installed."""
WITH_TOOLS = frozenset({"a", "a2", "c", "e3"})
SYSTEM_LATER = frozenset({"g"})
"""Claude Sonnet 5 takes system messages at the start alone."""


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
