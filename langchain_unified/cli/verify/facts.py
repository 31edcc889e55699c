"""The facts, each with the calls that test it.

A fact is about the provider, so it is asked with the cheapest model that it holds for. A call that the provider refuses
costs nothing; `input_tokens` and `output_tokens` are what a call costs at most where it is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_unified.profiles import profile_for
from langchain_unified.request import JsonObject, Provider

CLAUDE, CHAT, GPT = "claude-haiku-4-5", "gpt-5.4-mini", "gpt-5.4-mini"
"""The models that are asked: the cheap ones of each API."""

PATHS: Mapping[str, tuple[Provider, str, str]] = {
    "messages": ("anthropic", "/v1/messages", CLAUDE),
    "count": ("anthropic", "/v1/messages/count_tokens", CLAUDE),
    "chat": ("openai", "/chat/completions", CHAT),
    "responses": ("openai", "/responses", GPT),
    "input": ("openai", "/responses/input_tokens", GPT),
}
"""By endpoint: the provider, the path below its base URL, and the model that is asked by default."""

HI = [{"role": "user", "content": "Hi"}]
BODIES: Mapping[str, JsonObject] = {
    "messages": {"max_tokens": 16, "messages": HI},
    "count": {"messages": HI},
    "chat": {"max_completion_tokens": 16, "messages": HI},
    "responses": {"max_output_tokens": 16, "input": "Hi"},
    "input": {"input": "Hi"},
}

Kind = Literal["refused", "accepted", "whole", "streamed", "cached"]


@dataclass(frozen=True)
class Fact:
    """What should be true. `name`: of a rule of the emulator, or what is asked; `kind`: how it is tested.

    `refused`: the body is refused with 400 or 404. `accepted`: it is not. `whole`, `streamed`: an answer of the model
    has its text, finish reason, usage, request id and price. `cached`: a prefix is read from the cache the second time.
    """

    name: str
    kind: Kind
    endpoint: str
    model: str
    body: JsonObject = field(default_factory=dict, hash=False)
    input_tokens: int = 100
    output_tokens: int = 16

    @property
    def provider(self) -> Provider:
        return PATHS[self.endpoint][0]

    @property
    def path(self) -> str:
        return PATHS[self.endpoint][1]


NO_MODEL = "no-such-model"
OBJECT = {"type": "object", "properties": {}}
TOOL = {"name": "f", "input_schema": OBJECT}
FUNCTION = {"type": "function", "name": "f", "parameters": OBJECT}
USED = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
MARKED = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
THINKING = {"type": "enabled", "budget_tokens": 1024}

REFUSED: Mapping[str, Mapping[str, JsonObject]] = {
    "messages": {
        "anthropic.unknown model": {"model": NO_MODEL},
        "anthropic.unknown key": {"frequency_penalty": 1},
        "anthropic.temperature and top_p": {"temperature": 0.5, "top_p": 0.5},
        "anthropic.temperature": {"temperature": 1.5},
        "anthropic.temperature while thinking": {"thinking": THINKING, "temperature": 0.5, "max_tokens": 1100},
        "anthropic.small budget": {"thinking": {"type": "enabled", "budget_tokens": 100}, "max_tokens": 200},
        "anthropic.large budget": {"thinking": THINKING, "max_tokens": 1024},
        "anthropic.empty text": {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        "anthropic.blank text": {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]},
        "anthropic.trailing whitespace": {"messages": [*HI, {"role": "assistant", "content": "It is "}]},
        "anthropic.unanswered call": {
            "tools": [TOOL],
            "messages": [*HI, {"role": "assistant", "content": [USED]}, *HI],
        },
        "anthropic.orphan result": {
            "tools": [TOOL],
            "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "1"}]}],
        },
        "anthropic.tool name": {"tools": [{**TOOL, "name": "a b"}]},
        "anthropic.repeated tool name": {"tools": [TOOL, TOOL]},
        "anthropic.tool choice without tools": {"tool_choice": {"type": "any"}},
        "anthropic.breakpoints": {"messages": [{"role": "user", "content": [MARKED] * 5}]},
        "anthropic.metadata": {"metadata": {"team": "x"}},
    },
    "chat": {
        "openai.unknown model on chat": {"model": NO_MODEL},
        "openai.chat key": {"top_k": 1},
        "openai.range of temperature": {"temperature": 2.5},
        "openai.chat.stop": {"stop": ["a"]},
        "openai.chat.top_logprobs": {"top_logprobs": 2},
        "openai.chat.two limits": {"max_tokens": 16},
        "openai.cache_control": {"messages": [{"role": "user", "content": [MARKED]}]},
        "openai.chat.orphan result": {"messages": [{"role": "tool", "tool_call_id": "c1", "content": "1"}]},
        "openai.chat.no conversation": {"messages": []},
    },
    "responses": {
        "openai.unknown model": {"model": NO_MODEL},
        "openai.responses key": {"stop": ["a"]},
        "openai.responses.small max_output_tokens": {"max_output_tokens": 15},
        "openai.tool name": {"tools": [{**FUNCTION, "name": "a b"}]},
        "openai.tool choice without tools": {"tool_choice": "required"},
        "openai.effort level": {"reasoning": {"effort": "quelle"}},
        "openai.responses.orphan result": {
            "input": [{"type": "function_call_output", "call_id": "c1", "output": "1"}]
        },
        "openai.responses.unknown response": {"previous_response_id": "resp_0000000000000000"},
        "openai.json not mentioned": {"text": {"format": {"type": "json_object"}}},
    },
}  # fmt: skip
"""By endpoint: rules of the emulator, and what breaks each in an otherwise good request."""

CLAUDES = (
    "claude-haiku-4-5", "claude-haiku-5-5", "claude-sonnet-4-6", "claude-sonnet-5", "claude-sonnet-5-5",
    "claude-opus-4-6", "claude-opus-4-8", "claude-opus-5", "claude-opus-5-5", "claude-fable-5",
)  # fmt: skip
GPTS = (
    "gpt-5.2", "gpt-5.4", "gpt-5.4-mini", "gpt-5.5", "gpt-5.6", "gpt-5.6-luna", "gpt-5.6-sol", "gpt-6-luna",
    "gpt-6-sol", "gpt-6.1-sol", "gpt-6.1-terra",
)  # fmt: skip
"""The models whose row in the table is asked: their names by counting tokens, which costs nothing."""


def _request(endpoint: str, changes: JsonObject, model: str | None = None) -> JsonObject:
    return {"model": model or PATHS[endpoint][2], **BODIES[endpoint], **changes}


def _refusals() -> Iterator[Fact]:
    for endpoint, rules in REFUSED.items():
        for name, changes in rules.items():
            body = _request(endpoint, changes)
            limit = int(body.get("max_tokens") or body.get("max_output_tokens") or 16)
            yield Fact(name, "refused", endpoint, str(body["model"]), body, output_tokens=limit)


def _models() -> Iterator[Fact]:
    for model in CLAUDES:
        yield Fact(f"model {model}", "accepted", "count", model, _request("count", {}, model), 0, 0)
        limit = profile_for("anthropic", model).max_output_tokens
        if limit is not None:  # more than the limit is refused; that names the limit, and costs nothing
            body = _request("messages", {"max_tokens": limit + 1}, model)
            yield Fact("anthropic.max_tokens of model", "refused", "messages", model, body, output_tokens=50)
    for model in GPTS:
        yield Fact(f"model {model}", "accepted", "input", model, _request("input", {}, model), 0, 0)


def _answers() -> Iterator[Fact]:
    for endpoint in ("messages", "chat", "responses"):
        model = PATHS[endpoint][2]
        yield Fact(f"an answer of {endpoint}", "whole", endpoint, model, output_tokens=64)
        yield Fact(f"a stream of {endpoint}", "streamed", endpoint, model, output_tokens=64)
        tokens = 3 * (profile_for(PATHS[endpoint][0], model).cache_minimum or 1024)
        yield Fact(f"the prompt cache of {endpoint}", "cached", endpoint, model, {}, 2 * tokens, 2 * 64)


def all_facts(provider: str | None = None) -> list[Fact]:
    """Every fact, of both providers or of one."""
    found: list[Any] = [*_refusals(), *_models(), *_answers()]
    return [fact for fact in found if provider in (None, fact.provider)]


__all__ = ["NO_MODEL", "Fact", "all_facts"]
