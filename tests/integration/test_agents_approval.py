"""People who approve, edit, reject and answer the calls of an agent, with each of our models."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from tests.integration.agents import (
    OSLO,
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
    run,
    said,
    thread,
    weather,
)
from tests.support.models import build

QUESTION = ("user", "How is the weather?")
BONN = ("weather", {"city": "Bonn"})
BERN = ("weather", {"city": "Bern"})
FOUR = [ROME, OSLO, BONN, BERN]

EDITED: Any = {"type": "edit", "edited_action": {"name": "weather", "args": {"city": "Paris"}}}
DECISIONS: list[Any] = [
    {"type": "approve"}, EDITED, {"type": "reject", "message": "Not Bonn."}, {"type": "respond", "message": "Snow."},
]  # fmt: skip


def watched(model: Any, saver: Any, mode: Any = "batched") -> Any:
    """An agent whose every look at the weather is decided on."""
    approval = HumanInTheLoopMiddleware({"weather": True}, interrupt_mode=mode)
    return create_agent(model, [weather, clock], middleware=[approval], checkpointer=saver)


def script(name: str) -> list[Any]:
    """Four calls to decide on and one that needs nobody, after a thought; then the answer, and one more."""
    thoughts = {} if name == "chat" else {"reasoning": "Four cities."}
    return [asks(*FOUR, ("clock", {}), content="I will look.", **thoughts), "Done.", "Bye."]


def check_heard(server: Any, order: list[int]) -> None:
    """What the model hears after the decisions, and in the next turn: its own calls, and what became of each."""
    became = ["sun in Rome", "sun in Paris", "Not Bonn.", "Snow.", "noon"]
    for request in heard(server)[1:]:
        assert calls(request) == [*FOUR, ("clock", {})]
        assert [became[at] in result for at, result in zip(order, results(request), strict=True)] == [True] * 5
        (edited,) = (result for result in results(request) if "Paris" in result)
        assert 'Executed instead: weather with arguments {"city": "Paris"}' in edited
    assert said(heard(server)[2], "user") == [QUESTION[1], "Thanks."]
    assert said(heard(server)[2], "assistant") == ["I will look.", "Done."]


@each_model
@both_ways
async def test_decided_together(name: str, way: str) -> None:
    """One interrupt for all. The agent that resumes is built anew, as another process would."""
    saver = InMemorySaver()
    with answering(script(name)) as server:
        settings = REASONING[name]
        state = await ask(watched(build(name, server, **settings), saver), way, QUESTION, config=thread())
        (interrupt,) = state["__interrupt__"]
        asked = [(action["name"], action["args"]) for action in interrupt.value["action_requests"]]
        assert asked == FOUR
        agent = watched(build(name, server, **settings), saver)
        state = await run(agent, way, Command(resume={"decisions": DECISIONS}), thread())
        assert [message.text for message in answers(state)] == ["I will look.", "Done."]
        await ask(agent, way, ("user", "Thanks."), config=thread())
        # What a person rejects or answers is there before the tools have run.
        check_heard(server, [2, 3, 0, 1, 4])
        assert [request.status for request in server.requests] == [200] * 3


@each_model
@both_ways
async def test_decided_one_by_one(name: str, way: str) -> None:
    """One interrupt for each call, answered by its id."""
    saver = InMemorySaver()
    with answering(script(name)) as server:
        agent = watched(build(name, server, **REASONING[name]), saver, "per_call")
        state = await ask(agent, way, QUESTION, config=thread())
        by_city = {interrupt.value["args"]["city"]: interrupt.id for interrupt in state["__interrupt__"]}
        resume = {by_city[args["city"]]: decision for (_, args), decision in zip(FOUR, DECISIONS, strict=True)}
        await run(agent, way, Command(resume=resume), thread())
        await ask(agent, way, ("user", "Thanks."), config=thread())
        check_heard(server, [0, 1, 2, 3, 4])


@each_model
async def test_while_streaming(name: str) -> None:
    """Both halves of a run that waits for a person, as events."""
    saver = InMemorySaver()
    with answering(script(name)) as server:
        agent = watched(build(name, server, **REASONING[name]), saver)
        events = agent.stream_events({"messages": [QUESTION]}, thread(), version="v3")
        assert [str(stream.text) for stream in events.messages] == ["I will look."]
        assert [len(interrupt.value["action_requests"]) for interrupt in events.interrupts] == [4]
        events = agent.stream_events(Command(resume={"decisions": DECISIONS}), thread(), version="v3")
        assert [str(stream.text) for stream in events.messages] == ["Done."]
        agent.invoke({"messages": [("user", "Thanks.")]}, thread())
        check_heard(server, [2, 3, 0, 1, 4])


class Editor(AgentMiddleware[Any, Any, Any]):
    """Changes the calls themselves, in the message: Oslo becomes Paris, and Bonn is left out."""

    def after_model(self, state: Any, runtime: Any) -> Any:
        message = state["messages"][-1]
        if not isinstance(message, AIMessage) or not message.tool_calls:
            return None
        kept = [call for call in message.tool_calls if call["args"]["city"] != "Bonn"]
        edited = [{**call, "args": {"city": call["args"]["city"].replace("Oslo", "Paris")}} for call in kept]
        return {"messages": [message.model_copy(update={"tool_calls": edited})]}


@each_model
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "events"])
async def test_calls_that_are_edited_in_the_message(name: str, way: str) -> None:
    """`tool_calls` counts, whatever the reply's own blocks say: the model hears the edited calls as its own."""
    thoughts = {} if name == "chat" else {"reasoning": "Three cities."}
    with answering([asks(ROME, OSLO, BONN, content="I will look.", **thoughts), "Done."]) as server:
        agent = create_agent(build(name, server, **REASONING[name]), [weather], middleware=[Editor()])
        if way == "events":
            assert agent.stream_events({"messages": [QUESTION]}, version="v3").output
        else:
            await ask(agent, way, QUESTION)
        second = heard(server)[1]
    assert calls(second) == [ROME, ("weather", {"city": "Paris"})]
    assert results(second) == ["sun in Rome", "sun in Paris"]
    kinds = [block["type"] for turn in second.turns if turn.role == "assistant" for block in turn.blocks]
    assert kinds == [*(["reasoning"] if thoughts else []), "text", "tool_call", "tool_call"]
