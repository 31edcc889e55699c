"""Agents in the tests: a model of every kind, the emulator that answers it, and what the provider hears of an agent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from langchain_unified.request import Request
from langchain_unified.testing import Emulator, emulator
from langchain_unified.testing.emulation.codecs import codec_of
from langchain_unified.testing.emulation.endpoints import ENDPOINTS
from langchain_unified.testing.emulation.script import Script
from tests.support.models import CLASSES

each_model = pytest.mark.parametrize("name", CLASSES)
both_ways = pytest.mark.parametrize("way", ["invoke", "ainvoke"])

OTHER: Mapping[str, str] = {
    "anthropic": "responses",
    "chat": "anthropic",
    "responses": "chat",
    "unified-anthropic": "unified-openai",
    "unified-openai": "unified-anthropic",
}
"""For each model one of another API, the other provider's where there are two."""

REASONING: Mapping[str, Mapping[str, Any]] = {
    "anthropic": {"thinking": {"type": "adaptive"}},
    "chat": {},
    "responses": {"reasoning": {"effort": "low"}},
    "unified-anthropic": {"reasoning_effort": "high"},
    "unified-openai": {"reasoning_effort": "low"},
}
"""How each model is asked to reason, where its API shows that."""


@contextmanager
def answering(script: Script) -> Iterator[Emulator]:
    """An emulator that refuses nothing of what it is sent, and whose every answer is asked for."""
    with emulator(script) as server:
        yield server
    assert [request.status for request in server.requests if not request.fault and request.status != 200] == []
    assert not server.script_left


async def ask(agent: Any, way: str, *messages: Any, config: Any = None, **kwargs: Any) -> Any:
    """What an agent says to the messages, asked in this way: `invoke` or `ainvoke`."""
    return await run(agent, way, {"messages": list(messages)}, config, **kwargs)


async def run(agent: Any, way: str, given: Any, config: Any = None, **kwargs: Any) -> Any:
    """What an agent makes of any input."""
    if way == "ainvoke":
        return await agent.ainvoke(given, config, **kwargs)
    return agent.invoke(given, config, **kwargs)


def thread(name: str = "1") -> Any:
    """The config of a checkpointed thread."""
    return {"configurable": {"thread_id": name}}


# --- tools ------------------------------------------------------------------------------------------------------------


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"sun in {city}"


@tool
def clock() -> str:
    """The time."""
    return "noon"


def asks(*calls: tuple[str, Any], **more: Any) -> dict[str, Any]:
    """A scripted answer that calls tools: `("weather", {"city": "Rome"})`, …"""
    return {"tool_calls": [{"name": name, "args": args} for name, args in calls], **more}


ROME = ("weather", {"city": "Rome"})
OSLO = ("weather", {"city": "Oslo"})


# --- what the provider hears ------------------------------------------------------------------------------------------


def heard(server: Emulator) -> list[Request]:
    """Every request for an answer, as the provider reads it."""
    asked = [(ENDPOINTS[request.path], request) for request in server.requests]
    return [codec_of(at.wire).read_request(r.body, r.headers) for at, r in asked if not at.counts_tokens]


def calls(request: Request) -> list[tuple[str, Any]]:
    """The calls in a conversation, in order: name and arguments."""
    blocks = [block for turn in request.turns if turn.role == "assistant" for block in turn.blocks]
    return [(block["name"], block["args"]) for block in blocks if block["type"] == "tool_call"]


def results(request: Request) -> list[str]:
    """The texts of the tools' results in a conversation, in order."""
    return [_text(turn) for turn in request.turns if turn.role == "tool"]


def said(request: Request, role: str) -> list[str]:
    """The texts that this side said in a conversation, in order; what has none is left out."""
    return [text for turn in request.turns if turn.role == role and (text := _text(turn))]


def _text(turn: Any) -> str:
    return "".join(block["text"] for block in turn.blocks if block["type"] == "text")


def tool_names(request: Request) -> list[str]:
    return [spec.name for spec in request.tools]


def choice(request: Request) -> str:
    """How free the model is to call tools; `auto` where nothing is said."""
    return request.tool_choice.mode if request.tool_choice else "auto"


def answers(state: Mapping[str, Any]) -> list[AIMessage]:
    """The model's messages in an agent's state."""
    return [message for message in state["messages"] if isinstance(message, AIMessage)]
