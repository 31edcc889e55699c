"""Checkpointed agents whose model, server or tools leave what another call would be refused for: the thread goes on.

The emulator refuses what the providers refuse. Where a provider's rule depends on earlier calls, the test plays it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, dynamic_prompt
from langchain.agents.middleware.types import AgentMiddleware
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from langchain_unified.request import Request
from langchain_unified.testing import Fault
from langchain_unified.testing.emulation.script import as_completion
from langchain_unified.wires._completion import Completion
from tests.integration.agents import (
    REASONING,
    ROME,
    answering,
    answers,
    ask,
    asks,
    both_ways,
    calls,
    clock,
    each_model,
    heard,
    results,
    thread,
    weather,
)
from tests.support.models import build

# --- 1: a server that repeats its ids ---------------------------------------------------------------------------------


def with_one_id(answer: Any) -> Any:
    """A scripted answer under the id that every reply of this server has."""

    def answered(request: Request) -> Any:
        found = as_completion(answer, request)
        assert isinstance(found, Completion)
        return Completion("msg_999", found.model, found.blocks, found.finish_reason, found.tokens)

    return answered


@each_model
@both_ways
async def test_a_server_that_repeats_ids_does_not_make_an_agent_loop(name: str, way: str) -> None:
    said = [with_one_id(each) for each in (asks(ROME), asks(("clock", {})), "Sun.", "Noon.")]
    with answering(said) as server:
        agent = create_agent(build(name, server), [weather, clock], checkpointer=InMemorySaver())
        await ask(agent, way, ("user", "Weather?"), config=thread())
        state = await ask(agent, way, ("user", "Time?"), config=thread())
        assert len(heard(server)) == 4
    assert len(answers(state)) == 4
    assert len({message.id for message in answers(state)}) == 4


# --- 2: thinking that is bound to its conversation --------------------------------------------------------------------


def bound(request: Request) -> bool:
    """Whether Claude refuses the call: earlier thinking goes back where the system prompt differs each time."""
    thinking = request.params.get("thinking") or {}
    replayed = any(
        block["type"] == "reasoning" for turn in request.turns if turn.role == "assistant" for block in turn.blocks
    )
    binding = thinking.get("block_binding") or {}
    return replayed and binding.get("prefix_mismatch_behavior") != "drop_block"


@both_ways
@pytest.mark.parametrize("model", ["claude-fable-5-1", "claude-opus-5-5"])
async def test_a_dynamic_prompt_beside_thinking(model: str, way: str) -> None:
    said = iter([asks(ROME, reasoning="Look."), "Sun.", "Rain."])
    count = iter(range(9))

    @dynamic_prompt
    def prompt(request: ModelRequest) -> str:
        return f"The time is {next(count)}."

    def answer(request: Request) -> Any:
        if bound(request):
            return Fault.http(400, "messages.1.content.0: `thinking` is bound to another conversation")
        return next(said)

    with answering(answer) as server:
        llm = build("anthropic", server, model=model)
        agent = create_agent(llm, [weather], middleware=[prompt], checkpointer=InMemorySaver())
        await ask(agent, way, ("user", "Weather?"), config=thread())
        state = await ask(agent, way, ("user", "And Oslo?"), config=thread())
    assert state["messages"][-1].text == "Rain."


# --- 3: state that the server asks back -------------------------------------------------------------------------------


@both_ways
async def test_a_tool_that_waiting_code_has_called(way: str) -> None:
    code = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "weather()"}}
    caller = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
    call = {
        "type": "tool_call",
        "id": "toolu_1",
        "name": "weather",
        "args": {"city": "Rome"},
        "extras": {"caller": caller},
    }
    with answering([{"content": [{"type": "native", "value": code}, call]}, "Sun."]) as server:
        agent = create_agent(build("anthropic", server), [weather], checkpointer=InMemorySaver())
        agent.update_state(thread(), {"messages": [("user", "Weather?")]})
        first = await build("anthropic", server).ainvoke("Weather?")
        assert first.tool_calls
        first.response_metadata["container"] = {"id": "container_1"}
        agent.update_state(thread(), {"messages": [first]}, as_node="model")
        state = await agent.ainvoke(None, thread()) if way == "ainvoke" else agent.invoke(None, thread())
        assert server.requests[-1].body["container"] == "container_1"
    assert state["messages"][-1].text == "Sun."


# --- 7: rules that depend on the call ---------------------------------------------------------------------------------


class Trip(BaseModel):
    """A trip."""

    city: str


@both_ways
@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-6"])
async def test_a_graph_that_asks_for_a_form_after_an_answer(model: str, way: str) -> None:
    """A thread that ends with the model's words is no prefill for an object, a tool call or thinking."""
    with answering([asks(ROME), "Sun.", '{"city": "Rome"}', '{"city": "Rome"}']) as server:
        llm = build("anthropic", server, model=model, on_unsupported="ignore")
        agent = create_agent(llm, [weather], checkpointer=InMemorySaver())
        state = await ask(agent, way, ("user", "Weather?"), config=thread())
        formed = llm.with_structured_output(Trip)
        assert await formed.ainvoke(state["messages"]) == Trip(city="Rome")
        thinks = llm.bind(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=4000)
        await thinks.ainvoke(state["messages"])


# --- 9: what tools return ---------------------------------------------------------------------------------------------

RETURNED: list[Any] = [
    None,
    b"\xff\x00",
    {"when": dt.date(2026, 11, 30), "of": {1, 2}},
    [{"type": "resource_link", "uri": "screenshot://1", "name": "s"}],
    [{"type": "file", "name": "a.txt"}],
    [{"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}],
    "half \ud83d",
    "x" * 200_000,
]


@each_model
@both_ways
async def test_tools_that_return_anything(name: str, way: str) -> None:
    left = iter(RETURNED)

    @tool
    def fetch() -> Any:
        """Fetches."""
        return next(left)

    each = [asks(("fetch", {})) for _ in RETURNED]
    with answering([*each, "Done.", "Still there."]) as server:
        agent = create_agent(build(name, server), [fetch], checkpointer=InMemorySaver())
        await ask(agent, way, ("user", "Go."), config=thread())
        state = await ask(agent, way, ("user", "And now?"), config=thread())
        assert len(results(heard(server)[-1])) == len(RETURNED)
    assert state["messages"][-1].text == "Still there."


# --- 14: items of the Responses API -----------------------------------------------------------------------------------


class WithoutReasoning(AgentMiddleware):
    """A middleware that takes the reasoning out of the state, as some do to save tokens."""

    def before_model(self, state: Any, runtime: Any) -> Any:
        kept = []
        for message in state["messages"]:
            if isinstance(message, AIMessage) and isinstance(message.content, list):
                blocks = [block for block in message.content if block.get("type") not in ("reasoning", "thinking")]
                kept.append(message.model_copy(update={"content": blocks}))
        return {"messages": kept} if kept else None


@each_model
@both_ways
async def test_a_middleware_that_takes_the_reasoning_away(name: str, way: str) -> None:
    said = [asks(ROME, reasoning="Look."), {"content": "Sun.", "reasoning": "So."}, "Rain."]
    with answering(said if REASONING[name] else [asks(ROME), "Sun.", "Rain."]) as server:
        llm = build(name, server, **REASONING[name])
        agent = create_agent(llm, [weather], middleware=[WithoutReasoning()], checkpointer=InMemorySaver())
        await ask(agent, way, ("user", "Weather?"), config=thread())
        state = await ask(agent, way, ("user", "And Oslo?"), config=thread())
        assert calls(heard(server)[-1]) == [ROME]
    assert state["messages"][-1].text == "Rain."


@each_model
@both_ways
async def test_an_answer_that_stands_twice_in_a_thread(name: str, way: str) -> None:
    said = [asks(ROME, reasoning="Look."), "Sun.", "Rain."] if REASONING[name] else [asks(ROME), "Sun.", "Rain."]
    with answering(said) as server:
        agent = create_agent(build(name, server, **REASONING[name]), [weather], checkpointer=InMemorySaver())
        state = await ask(agent, way, ("user", "Weather?"), config=thread())
        again = [message.model_copy(update={"id": None}) for message in state["messages"][1:]]
        state = await ask(agent, way, *again, ("user", "And Oslo?"), config=thread())
    assert state["messages"][-1].text == "Rain."
