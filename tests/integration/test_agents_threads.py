"""Checkpointed threads: another model of ours at every turn, and messages that are written down and read back."""

from __future__ import annotations

import warnings
from itertools import permutations
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_unified.testing import Emulator
from tests.integration.agents import (
    OSLO,
    REASONING,
    ROME,
    answering,
    answers,
    asks,
    calls,
    each_model,
    heard,
    results,
    said,
    thread,
    weather,
)
from tests.support.models import build

APIS = ("anthropic", "chat", "responses")


async def turn(agent: Any, way: str, question: str) -> list[BaseMessage]:
    """One more question in the thread; all its messages."""
    given: Any = {"messages": [("user", question)]}
    if way == "invoke":
        agent.invoke(given, thread())
    elif way == "stream":
        assert [part async for part in agent.astream(given, thread(), stream_mode="messages")]
    else:
        assert (await (await agent.astream_events(given, thread(), version="v3")).output())["messages"]
    messages: list[BaseMessage] = agent.get_state(thread()).values["messages"]
    return messages


def strict_saver() -> InMemorySaver:
    """A checkpointer that reads back nothing but what LangGraph knows to be safe."""
    return InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=()))


# --- another model at every turn --------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", list(permutations(APIS)), ids=" ".join)
@pytest.mark.parametrize("way", ["invoke", "stream", "events"])
async def test_a_thread_that_changes_its_model(names: tuple[str, ...], way: str) -> None:
    """There and back again: every body is legal, nothing is lost, and each model gets its own thoughts back."""
    turns = [*names, names[0]]
    script: list[Any] = []
    for at, name in enumerate(turns):
        thoughts = {} if name == "chat" else {"reasoning": f"Thought {at}."}
        script += [asks(ROME, OSLO, content=f"Look {at}.", **thoughts), {"content": f"Sun {at}.", **thoughts}]
    saver = strict_saver()
    with answering(script) as server:
        for at, name in enumerate(turns):
            agent = create_agent(build(name, server, **REASONING[name]), [weather], checkpointer=saver)
            kept = await turn(agent, way, f"Question {at}?")
            check_turn(server, at)
        check_thoughts(server, kept)
    assert [message.text for message in kept if isinstance(message, AIMessage)] == [
        text for at in range(4) for text in (f"Look {at}.", f"Sun {at}.")
    ]


def check_turn(server: Emulator, at: int) -> None:
    """Both requests of a turn hold the whole thread: questions, words, calls, results."""
    first, second = heard(server)[-2:]
    texts = [text for before in range(at) for text in (f"Look {before}.", f"Sun {before}.")]
    assert (said(first, "assistant"), said(second, "assistant")) == (texts, [*texts, f"Look {at}."])
    for request, done in ((first, at), (second, at + 1)):
        assert said(request, "user") == [f"Question {number}?" for number in range(at + 1)]
        assert calls(request) == [ROME, OSLO] * done
        assert results(request) == ["sun in Rome", "sun in Oslo"] * done


def check_thoughts(server: Emulator, kept: list[BaseMessage]) -> None:
    """The first model is asked last: it hears its own thoughts of all its turns, and nobody else's."""
    last = heard(server)[-1]
    thoughts = [block for turn in last.turns for block in turn.blocks if block["type"] == "reasoning"]
    said_by = {message.response_metadata["model_name"] for message in kept if isinstance(message, AIMessage)}
    assert len(said_by) == 3
    expected = [] if last.model == "gpt-4o" else ["Thought 0.", "Thought 0.", "Thought 3."]
    assert [block["reasoning"] for block in thoughts] == expected
    proof = "signature" if last.model.startswith("claude") else "encrypted_content"
    assert all(block["extras"][proof] for block in thoughts)


@pytest.mark.parametrize("way", ["invoke", "stream", "events"])
async def test_one_model_for_both_providers(way: str) -> None:
    """`ChatUnified` bound to another model for one turn: the same object, the other provider."""
    with answering([asks(ROME, content="Look."), "Sun.", asks(OSLO), "Sun too.", "Bye."]) as server:
        keys = {"anthropic_api_key": "any", "openai_api_key": "any"}
        urls = {"anthropic_api_url": server.anthropic_url, "openai_api_base": server.openai_url}
        model = build("unified-anthropic", server, reasoning_effort="high", **keys, **urls)
        saver = strict_saver()
        for at, named in enumerate((None, "openai/gpt-5.6", None)):
            agent = create_agent(model.bind(model=named) if named else model, [weather], checkpointer=saver)
            kept = await turn(agent, way, f"Question {at}?")
        last = heard(server)[-1]
        assert [r.path.rsplit("/", 1)[-1] for r in server.requests] == [
            "messages", "messages", "responses", "responses", "messages",
        ]  # fmt: skip
    assert (calls(last), results(last)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])
    assert said(last, "assistant") == ["Look.", "Sun.", "Sun too."]
    assert [m.response_metadata["model_provider"] for m in kept if isinstance(m, AIMessage)] == [
        "anthropic", "anthropic", "openai", "openai", "anthropic",
    ]  # fmt: skip


# --- written down -----------------------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("way", ["invoke", "stream", "events"])
async def test_a_checkpoint_reads_back_what_was_said(name: str, way: str) -> None:
    """Blocks, metadata, usage and adjustments of every message, by the strictest serializer, without a warning."""
    thoughts = {} if name == "chat" else {"reasoning": "A thought."}
    serde = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=())
    with answering([asks(ROME, OSLO, content="Look.", **thoughts), "Sun.", "Bye."]) as server:
        model = build(name, server, on_unsupported="ignore", top_k=3, **REASONING[name])
        agent = create_agent(model, [weather], checkpointer=strict_saver())
        kept = await turn(agent, way, "Question?")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = serde.loads_typed(serde.dumps_typed(kept))
        assert again == kept
        assert [type(message) for message in again] == [type(message) for message in kept]
        first, last = answers({"messages": again})
        assert first.response_metadata["adjustments"][0]["what"]
        assert (first.tool_calls[0]["args"], last.usage_metadata["output_tokens"] > 0) == (ROME[1], True)
        model.invoke([*again, ("user", "Thanks.")])
        sent = server.requests[-1].body
    with answering(["Bye."]) as server:
        build(name, server, on_unsupported="ignore", top_k=3, **REASONING[name]).invoke([*kept, ("user", "Thanks.")])
        assert server.requests[-1].body == sent


@each_model
async def test_a_thread_is_taken_up_in_the_past(name: str) -> None:
    """A fork goes on from an earlier checkpoint, here from before the results of the calls."""
    with answering([asks(ROME), "Sun.", "Rain."]) as server:
        agent = create_agent(build(name, server), [weather], checkpointer=InMemorySaver())
        agent.invoke({"messages": [("user", "Question?")]}, thread())
        before = next(state for state in agent.get_state_history(thread()) if state.next == ("tools",))
        (call,) = before.values["messages"][-1].tool_calls
        result = {"role": "tool", "content": "rain in Rome", "tool_call_id": call["id"]}
        fork = agent.update_state(before.config, {"messages": [result]}, as_node="tools")
        state = await agent.ainvoke(None, fork)
        assert results(heard(server)[-1]) == ["rain in Rome"]
    assert state["messages"][-1].text == "Rain."
