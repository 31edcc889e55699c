"""`explain_cache` names what changed between two calls, and agrees with what the emulator's cache does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatUnified, PromptCache, cached, explain_cache
from langchain_unified.testing.emulation.server import Emulator
from tests.explain.helpers import ANSWER, CALL, HIT, IMAGE, Expected, miss, partial, tool, words


@dataclass
class Talk:
    """A call: its messages and keywords, and the seconds that pass before it."""

    messages: list[BaseMessage]
    keywords: dict[str, Any]
    elapsed: float = 1.0


def first_call() -> Talk:
    """Tools, a long system prompt and a conversation with a tool's result; the policy marks its ends."""
    messages = [
        SystemMessage(words(1500, "s")),
        HumanMessage(words(1300, "h")),
        AIMessage("I look.", tool_calls=[copy.deepcopy(CALL)]),
        ToolMessage(words(600, "r"), tool_call_id="call_1"),
        AIMessage(words(200, "w")),
        HumanMessage(words(300, "q")),
    ]
    tools = [tool("search"), cached(tool("forecast"))]
    return Talk(messages, {"tools": tools, "prompt_cache": PromptCache(key="talk")})


def next_call(talk: Talk) -> Talk:
    """What follows it: an answer, and another question."""
    messages = [*copy.deepcopy(talk.messages), AIMessage(words(100, "v")), HumanMessage(words(200, "z"))]
    return Talk(messages, dict(talk.keywords))


Change = Callable[[Talk], None]


@dataclass(frozen=True)
class Mutation:
    """How the later call differs, and what comes of it: with marks and a look-back (Anthropic), with exact breakpoints
    (OpenAI from gpt-5.6 on), and in steps (before). `named` are fields of the explanation."""

    change: Change
    blocks: Expected
    points: Expected
    steps: Expected
    named: dict[str, Any] = field(default_factory=dict)


def nothing(talk: Talk) -> None:
    pass


def tools(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Change:
    def mutate(talk: Talk) -> None:
        talk.keywords["tools"] = change(copy.deepcopy(talk.keywords["tools"]))

    return mutate


def keyword(**values: Any) -> Change:
    def mutate(talk: Talk) -> None:
        talk.keywords |= values

    return mutate


def message(index: int, replacement: BaseMessage | None) -> Change:
    def mutate(talk: Talk) -> None:
        talk.messages[index : index + 1] = [] if replacement is None else [replacement]

    return mutate


def described(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items[1]["function"]["description"] += "!"
    return items


def retyped(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items[1]["function"]["parameters"]["properties"]["limit"] = {"type": "string"}
    return items


def rekeyed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    schema = items[1]["function"]["parameters"]
    schema["properties"] = dict(reversed(schema["properties"].items()))
    return items


def inserted(talk: Talk) -> None:
    talk.messages[4:4] = [AIMessage("Hm."), HumanMessage("Go on.")]


def trimmed(talk: Talk) -> None:
    del talk.messages[1:5]


def system_moved(talk: Talk) -> None:
    talk.messages.insert(2, talk.messages.pop(0))


def arguments_reordered(talk: Talk) -> None:
    calls = [{**CALL, "args": {"limit": 5, "query": "x" * 400}}]
    talk.messages[2] = AIMessage("I look.", tool_calls=calls)


def later(seconds: float) -> Change:
    def mutate(talk: Talk) -> None:
        talk.elapsed = seconds

    return mutate


MUTATIONS: dict[str, Mutation] = {
    "goes on": Mutation(nothing, HIT, HIT, HIT, {"segment": None, "lost": (), "remedy": None}),
    "a tool added": Mutation(
        tools(lambda items: [*items, tool("news")]), miss("tools"), miss("tools"), partial("tools"),
        {"tool": "news", "change": "added", "segment": "the tool 'news'", "lost": ("tools", "system", "messages")},
    ),
    "a tool removed": Mutation(
        tools(lambda items: items[:1]), miss("tools"), miss("tools"), partial("tools"),
        {"tool": "forecast", "change": "removed"},
    ),
    "the tools in another order": Mutation(
        tools(lambda items: items[::-1]), miss("tools"), miss("tools"), miss("tools"),
        {"tool": "forecast", "change": "moved"},
    ),
    "a tool's description": Mutation(
        tools(described), miss("tools"), miss("tools"), partial("tools"), {"tool": "forecast", "change": "description"}
    ),
    "a tool's schema": Mutation(
        tools(retyped), miss("tools"), miss("tools"), partial("tools"), {"tool": "forecast", "change": "schema"}
    ),
    "the order of a schema's keys": Mutation(
        tools(rekeyed), miss("tools"), miss("tools"), partial("tools"), {"tool": "forecast", "change": "schema"}
    ),
    "the system prompt": Mutation(
        message(0, SystemMessage("It is Monday. " + words(1500, "s"))),
        partial("system"), miss("system"), partial("system"),
        {"message": 0, "block": 0, "change": "edited", "lost": ("system", "messages")},
    ),
    "an old message edited": Mutation(
        message(1, HumanMessage(words(1300, "H"))), partial("message"), partial("message"), partial("message"),
        {"message": 1, "block": 0, "change": "edited", "lost": ("messages",), "segment": "message 1 (user), block 0"},
    ),
    "a message inserted": Mutation(
        inserted, partial("message"), partial("message"), partial("message"),
        {"message": 4, "change": "added"},
    ),
    "old messages dropped": Mutation(
        trimmed, partial("message"), partial("message"), partial("message"), {"message": 1, "change": "removed"}
    ),
    "the order of a call's arguments": Mutation(
        arguments_reordered, partial("message"), partial("message"), partial("message"),
        {"message": 2, "block": 1, "change": "edited"},
    ),
    "the system prompt moved": Mutation(
        system_moved, HIT, miss("system"), partial("system"), {}
    ),
    "an image in the new question": Mutation(
        message(-1, HumanMessage([{"type": "text", "text": words(200, "z")}, IMAGE])), partial("parameters"), HIT, HIT
    ),
    "tool_choice": Mutation(keyword(tool_choice="any"), partial("parameters"), HIT, HIT),
    "the effort": Mutation(
        keyword(reasoning_effort="low"), partial("parameters"), miss("parameters"), miss("parameters")
    ),
    "the verbosity": Mutation(keyword(verbosity="low"), HIT, miss("parameters"), miss("parameters")),
    "the service tier": Mutation(
        keyword(service_tier="fast"), partial("parameters"), miss("parameters"), miss("parameters")
    ),
    "the model": Mutation(keyword(model="another"), miss("model"), miss("model"), miss("model"), {"change": "changed"}),
    "the key": Mutation(
        keyword(prompt_cache=PromptCache(key="other")), HIT, miss("key"), miss("key")
    ),
    "one call at a time": Mutation(
        keyword(parallel_tool_calls=False), partial("parameters"), miss("parameters"), miss("parameters")
    ),
    "the form of the answer": Mutation(
        keyword(response_format=ANSWER),
        partial("parameters"), miss("parameters"), partial("parameters"), {"segment": "`response_format`"},
    ),
    "a minute": Mutation(later(60), HIT, HIT, HIT),
    "six minutes": Mutation(later(360), miss("ttl"), HIT, HIT),
    "eleven minutes": Mutation(later(660), miss("ttl"), HIT, miss("ttl")),
    "half an hour": Mutation(later(1800), miss("ttl"), miss("ttl"), miss("ttl")),
}  # fmt: skip


@dataclass(frozen=True)
class Api:
    """How a model caches, how it is built, what it would be switched to, and changes that it refuses."""

    kind: str
    settings: dict[str, Any]
    other: str
    refuses: frozenset[str] = frozenset()


CHAT = {"use_responses_api": False}
APIS: dict[str, Api] = {
    "anthropic": Api("blocks", {"model": "anthropic/claude-sonnet-5"}, "anthropic/claude-opus-5"),
    "anthropic before": Api("blocks", {"model": "anthropic/claude-sonnet-4-5"}, "anthropic/claude-opus-5",
                            frozenset({"the service tier"})),
    "responses": Api("points", {"model": "openai/gpt-5.6"}, "openai/gpt-5.6-sol"),
    "chat": Api("points", {"model": "openai/gpt-5.6", "reasoning_effort": "none", **CHAT}, "openai/gpt-5.6-sol",
                frozenset({"the effort"})),
    "responses before": Api("steps", {"model": "openai/gpt-5"}, "openai/gpt-5-mini"),
    "chat before": Api("steps", {"model": "openai/gpt-5", **CHAT}, "openai/gpt-5-mini"),
}  # fmt: skip
CASES = [(api, name) for api in APIS for name in MUTATIONS if name not in APIS[api].refuses]


def model_of(server: Emulator, settings: dict[str, Any]) -> ChatUnified:
    url = server.anthropic_url if settings["model"].startswith("anthropic") else server.openai_url
    return ChatUnified(base_url=url, api_key="any", on_unsupported="ignore", **settings)


@pytest.mark.parametrize("api,name", CASES)
def test_a_change_is_named_and_the_cache_does_what_was_expected(server: Emulator, api: str, name: str) -> None:
    mutation, spoken = MUTATIONS[name], APIS[api]
    model = model_of(server, spoken.settings)
    first = first_call()
    later = next_call(first)
    mutation.change(later)
    if "model" in later.keywords:
        later.keywords["model"] = spoken.other
    server.clock.advance(100_000)  # nothing of another test is left

    one = model.invoke(first.messages, **first.keywords)
    server.clock.advance(later.elapsed)
    other = model.invoke(later.messages, **later.keywords)

    reports = [model.check(call.messages, **call.keywords) for call in (first, later)]
    found = explain_cache(*reports, elapsed=later.elapsed)
    assert (found.verdict, found.cause) == getattr(mutation, spoken.kind)
    assert {key: getattr(found, key) for key in mutation.named} == mutation.named
    left, read = kept(one), other.usage_metadata["input_token_details"].get("cache_read", 0)
    assert found.reusable_tokens == read
    assert found.verdict == ("hit_expected" if read == left else "partial_expected" if read else "miss_expected")

    recorded = server.requests[-2:]
    for pair, elapsed in ((recorded, None), ((recorded[0], reports[1]), later.elapsed)):
        again = explain_cache(*pair, elapsed=elapsed)
        assert (again.verdict, again.cause, again.reusable_tokens) == (found.verdict, found.cause, read)


def kept(answer: AIMessage) -> int:
    """What a first call left in the cache: what it wrote, and on OpenAI's older models every step of its prompt."""
    usage = answer.usage_metadata
    written = usage["input_token_details"].get("cache_creation")
    return written or 1024 + (usage["input_tokens"] - 1024) // 128 * 128
