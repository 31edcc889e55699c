"""Agents whose conversation grows too long, with each of our models: summaries, cleared results, counting, overflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    SummarizationMiddleware,
)
from langchain_core.exceptions import ContextOverflowError as CoreOverflowError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, trim_messages
from langgraph.checkpoint.memory import InMemorySaver

from langchain_unified import ContextOverflowError, profiles
from langchain_unified.testing import Emulator, emulator
from tests.integration.agents import (
    OSLO,
    ROME,
    answering,
    answers,
    ask,
    asks,
    both_ways,
    calls,
    each_model,
    heard,
    results,
    said,
    thread,
    weather,
)
from tests.support.models import build

LONG = "The story of the city goes on. " * 100
"""775 tokens for the emulator, which takes four characters for one."""


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every model takes 2,000 tokens, and the profiles and the emulator know it."""
    with monkeypatch.context() as patched:
        patched.setattr(profiles, "_overrides", {})
        for model in ("claude-opus-5", "gpt-4o", "gpt-5.6"):
            profiles.register_profile(model, max_input_tokens=2000)
        yield
    profiles.profile_for.cache_clear()
    profiles._model_profile.cache_clear()


def counted(server: Emulator) -> int:
    """How many requests were for counting alone."""
    return sum(request.path.endswith(("count_tokens", "input_tokens")) for request in server.requests)


# --- summaries --------------------------------------------------------------------------------------------------------

LIMITS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "tokens": lambda model: {"trigger": ("tokens", 500), "keep": ("messages", 1)},
    "fraction": lambda model: {"trigger": ("fraction", 0.3), "keep": ("fraction", 0.05)},
    "counted by the model": lambda model: {
        "trigger": ("tokens", 500),
        "keep": ("tokens", 100),
        "token_counter": model.get_num_tokens_from_messages,
    },
}


@each_model
@pytest.mark.parametrize("limits", LIMITS)
@both_ways
@pytest.mark.usefixtures("small_window")
async def test_a_summary_in_the_middle_of_a_run(name: str, limits: str, way: str) -> None:
    """What is cut off is in the summary, and a call stays with its result. Only who asks for it counts by network."""
    script = [asks(ROME, content="I look."), "A long story.", "Sun.", asks(OSLO), "Sun as well."]
    with answering(script) as server, emulator() as counting:
        model = build(name, server)
        summary = SummarizationMiddleware(model, **LIMITS[limits](build(name, counting)))
        agent = create_agent(model, [weather], middleware=[summary], checkpointer=InMemorySaver())
        await ask(agent, way, ("user", LONG), config=thread())
        state = await ask(agent, way, ("user", "And Oslo?"), config=thread())
        _, asked, third, _, last = heard(server)
        assert (counted(server), counted(counting) > 0) == (0, limits == "counted by the model")
    assert LONG[:500] in said(asked, "user")[0]
    summarized = "Here is a summary of the conversation to date:\n\nA long story."
    assert (said(third, "user"), calls(third), results(third)) == ([summarized], [ROME], ["sun in Rome"])
    assert (said(last, "user"), said(last, "assistant")) == ([summarized, "And Oslo?"], ["I look.", "Sun."])
    assert (calls(last), results(last)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])
    assert state["messages"][-1].text == "Sun as well."


@each_model
def test_a_summary_in_words_of_everything(name: str) -> None:
    """What the provider says beside its text (thoughts, calls) does not get in the way of the summary's prompt."""
    thoughts = {} if name == "chat" else {"reasoning": "A thought."}
    with answering([asks(ROME, content="I look.", **thoughts), "Sun.", "Summed up.", "Bye."]) as server:
        model = build(name, server)
        summary = SummarizationMiddleware(model, trigger=("messages", 5), keep=("messages", 1))
        agent = create_agent(model, [weather], middleware=[summary], checkpointer=InMemorySaver())
        agent.invoke({"messages": [("user", "Rome?")]}, thread())
        events = agent.stream_events({"messages": [("user", "Thanks.")]}, thread(), version="v3")
        texts = [str(stream.text) for stream in events.messages]
        assert (texts[-1], "Summed up." in texts) == ("Bye.", False)  # the summary's own call is not the agent's
        (prompt,) = said(heard(server)[2], "user")
    assert all(text in prompt for text in ("Rome?", "I look.", "weather", "sun in Rome", "Sun."))


# --- the context window -----------------------------------------------------------------------------------------------


@each_model
@both_ways
@pytest.mark.usefixtures("small_window")
async def test_a_summary_that_overflows_is_tried_shorter(name: str, way: str) -> None:
    """The provider's refusal is core's class of error: LangChain cuts the middle out and asks again, once."""
    past = [kind(f"{at}. {LONG}") for at in range(2) for kind in (HumanMessage, AIMessage)]
    with emulator(lambda request: "They told stories.") as server:
        model = build(name, server)
        summary = SummarizationMiddleware(
            model, trigger=("fraction", 0.9), keep=("messages", 1), trim_tokens_to_summarize=None
        )
        state = await ask(create_agent(model, middleware=[summary]), way, *past, ("user", "Go on."))
        assert [request.status for request in server.requests] == [400, 200, 200]
        _, shorter, last = heard(server)
    assert "[... middle of conversation omitted ...]" in said(shorter, "user")[0]
    assert said(last, "user")[-1].endswith("Go on.")
    assert state["messages"][-1].text == "They told stories."


class LastOnly(AgentMiddleware[Any, Any, Any]):
    """Sends only the last message where all of them are too many."""

    def __init__(self) -> None:
        super().__init__()
        self.caught: list[CoreOverflowError] = []

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except CoreOverflowError as error:
            self.caught.append(error)
            return handler(request.override(messages=request.messages[-1:]))

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except CoreOverflowError as error:
            self.caught.append(error)
            return await handler(request.override(messages=request.messages[-1:]))


@each_model
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "events"])
@pytest.mark.usefixtures("small_window")
async def test_recovery_from_an_overflow(name: str, way: str) -> None:
    """Whole and streamed, core's class and ours at once."""
    recover = LastOnly()
    messages = [HumanMessage(LONG * 3), AIMessage("I see."), HumanMessage("Go on.")]
    with emulator(lambda request: "Gladly.") as server:
        agent = create_agent(build(name, server), [weather], middleware=[recover])
        if way == "events":
            state = agent.stream_events({"messages": messages}, version="v3").output
        else:
            state = await ask(agent, way, *messages)
        assert [request.status for request in server.requests] == [400, 200]
        assert said(heard(server)[1], "user") == ["Go on."]
    assert state["messages"][-1].text == "Gladly."
    (error,) = recover.caught
    assert isinstance(error, ContextOverflowError)
    assert (error.status, error.is_retryable) == (400, False)
    assert error.model == answers(state)[-1].response_metadata["model_name"]


# --- cleared results --------------------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("method", ["approximate", "model"])
@both_ways
async def test_old_results_are_cleared(name: str, method: Any, way: str) -> None:
    """The request is edited, calls and results; the state keeps all of it."""
    thoughts = {} if name == "chat" else {"reasoning": "A thought."}
    with answering([asks(ROME, OSLO, content="I look.", **thoughts), asks(ROME), "Sun."]) as server:
        edit = ClearToolUsesEdit(trigger=10, keep=1, clear_tool_inputs=True, placeholder="[gone]")
        editing = ContextEditingMiddleware(edits=[edit], token_count_method=method)
        agent = create_agent(build(name, server), [weather], middleware=[editing], system_prompt="Be brief.")
        state = await ask(agent, way, ("user", LONG))
        last = heard(server)[-1]
        assert counted(server) == (3 if method == "model" else 0)
    assert calls(last) == [("weather", {}), ("weather", {}), ROME]
    assert results(last) == ["[gone]", "[gone]", "sun in Rome"]
    kept = [message.content for message in state["messages"] if isinstance(message, ToolMessage)]
    assert kept == ["sun in Rome", "sun in Oslo", "sun in Rome"]
    assert [call["args"] for call in answers(state)[0].tool_calls] == [ROME[1], OSLO[1]]


# --- counting ---------------------------------------------------------------------------------------------------------


@each_model
def test_a_model_counts_for_trimming(name: str) -> None:
    """Any part of a conversation can be counted: one that begins with a result, one that ends with a call."""
    call = {"name": "weather", "args": {"city": "Rome"}, "id": "call_1"}
    messages = [
        SystemMessage("Be brief."), HumanMessage(LONG), AIMessage("", tool_calls=[call]),
        ToolMessage("sun in Rome", tool_call_id="call_1"), AIMessage("Sun."), HumanMessage("Thanks."),
    ]  # fmt: skip
    with answering(None) as server:
        model = build(name, server)
        kept = trim_messages(messages, token_counter=model, max_tokens=60, include_system=True, start_on="human")
        assert kept == [messages[0], messages[-1]]
        for part in (messages[2:3], messages[3:], messages[:1], messages[4:5]):
            assert 0 < model.get_num_tokens_from_messages(part, tools=[weather]) < 100
        assert counted(server) == len(server.requests) > 4
