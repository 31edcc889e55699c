"""LangChain's middleware around each of our models: failures, limits, tools, private data."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    LLMToolEmulator,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    PIIMiddleware,
    ProviderToolSearchMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    ToolRetryMiddleware,
)
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_unified import AuthenticationError, StructuredOutputError
from langchain_unified.testing import Fault
from tests.integration.agents import (
    OSLO,
    OTHER,
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
    said,
    thread,
    tool_names,
    weather,
)
from tests.support.models import build

QUESTION = ("user", "How is the weather?")
TWO_CALLS = asks(ROME, OSLO, content="I will look.")


# --- when the model fails ---------------------------------------------------------------------------------------------

FAULTS: Mapping[str, Fault] = {
    "overloaded": Fault("overloaded", 529, "overloaded", {"retry-after-ms": "1"}),
    "server error": Fault("server_error", 500, "server", {"retry-after-ms": "1"}),
    "rate limit": Fault.rate_limit(retry_after_ms=1),
}


@each_model
@pytest.mark.parametrize("fault", FAULTS)
@both_ways
async def test_another_model_takes_over(name: str, fault: str, way: str) -> None:
    """In the middle of a run, after the first model's own tries; what it said and found out goes on."""
    thoughts = {} if name == "chat" else {"reasoning": "Two cities."}
    with answering([{**TWO_CALLS, **thoughts}, *[FAULTS[fault]] * 3, "Sun in both."]) as server:
        model = build(name, server, max_retries=2, **REASONING[name])
        fallback = ModelFallbackMiddleware(build(OTHER[name], server, **REASONING[OTHER[name]]))
        agent = create_agent(model, [weather], middleware=[fallback], system_prompt="Be brief.")
        state = await ask(agent, way, QUESTION)
        first, *_, last = heard(server)
        assert [bool(request.fault) for request in server.requests] == [False, True, True, True, False]
    assert (calls(last), results(last)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])
    assert (said(last, "system"), said(last, "assistant")) == (["Be brief."], ["I will look."])
    assert tool_names(last) == ["weather"]
    assert [m.response_metadata["model_name"] for m in answers(state)] == [first.model, last.model]
    assert first.model != last.model


@each_model
async def test_another_model_takes_over_from_a_broken_stream(name: str) -> None:
    """The answer that broke off is not in the state; the other model's is."""
    with answering([TWO_CALLS, Fault.overloaded_mid_stream(after_events=4), "Sun in both."]) as server:
        fallback = ModelFallbackMiddleware(build(OTHER[name], server))
        agent = create_agent(build(name, server), [weather], middleware=[fallback])
        parts = [part async for part in agent.astream({"messages": [QUESTION]}, stream_mode=["messages", "values"])]
    assert [message.text for message in answers(parts[-1][1])] == ["I will look.", "Sun in both."]


@each_model
@both_ways
async def test_a_model_is_tried_again(name: str, way: str) -> None:
    """What our errors say of themselves decides: an overload passes, a wrong key does not."""
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, jitter=False)
    script = [Fault.overloaded(), TWO_CALLS, Fault.refuse_connection(), Fault.server_error(), "Sun in both."]
    with answering(script) as server:
        agent = create_agent(build(name, server), [weather], middleware=[retry])
        assert (await ask(agent, way, QUESTION))["messages"][-1].text == "Sun in both."
    with answering([Fault.overloaded()] * 3) as server:
        agent = create_agent(build(name, server), [weather], middleware=[retry])
        last = (await ask(agent, way, QUESTION))["messages"][-1]
        assert last.text.startswith("Model call failed after 3 attempts with OverloadedError")
    wrong = Fault.http(401, {"error": {"type": "authentication_error", "message": "no such key"}})
    with answering([wrong]) as server:
        agent = create_agent(build(name, server), [weather], middleware=[retry])
        with pytest.raises(AuthenticationError, match="no such key"):
            await ask(agent, way, QUESTION)


# --- limits -----------------------------------------------------------------------------------------------------------


@each_model
@both_ways
async def test_limits(name: str, way: str) -> None:
    """A thread goes on after the middleware ended a run in the model's place, or refused a call."""
    with answering([asks(ROME), asks(OSLO), "Sun."]) as server:
        limit = ModelCallLimitMiddleware(run_limit=2)
        agent = create_agent(build(name, server), [weather], middleware=[limit], checkpointer=InMemorySaver())
        state = await ask(agent, way, QUESTION, config=thread())
        assert state["messages"][-1].text == "Model call limits exceeded: run limit (2/2)"
        await ask(agent, way, ("user", "So?"), config=thread())
        last = heard(server)[-1]
        assert (calls(last), results(last)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])
        assert said(last, "assistant") == ["Model call limits exceeded: run limit (2/2)"]
    with answering([asks(ROME, OSLO), "Sun in Rome."]) as server:
        agent = create_agent(build(name, server), [weather], middleware=[ToolCallLimitMiddleware(run_limit=1)])
        await ask(agent, way, QUESTION)
        last = heard(server)[-1]
        assert calls(last) == [ROME, OSLO]
        assert sorted(results(last)) == ["Tool call limit exceeded. Do not make additional tool calls.", "sun in Rome"]


# --- tools ------------------------------------------------------------------------------------------------------------


@each_model
@both_ways
async def test_a_tool_is_tried_again(name: str, way: str) -> None:
    tries: list[int] = []

    @tool
    def flaky(depth: int) -> str:
        """Works the third time."""
        tries.append(depth)
        if len(tries) % 3:
            raise OSError("not yet")
        return "at last"

    with answering([asks(("flaky", {"depth": 1})), "Good."]) as server:
        retry = ToolRetryMiddleware(max_retries=2, initial_delay=0, jitter=False)
        await ask(create_agent(build(name, server), [flaky], middleware=[retry]), way, QUESTION)
        assert (len(tries), results(heard(server)[1])) == (3, ["at last"])


@each_model
@both_ways
async def test_a_model_chooses_the_tools(name: str, way: str) -> None:
    """By structured output, for which our models have their own form each."""
    with answering(['{"tools": ["clock"]}', "Noon."]) as server:
        agent = create_agent(build(name, server), [weather, clock], middleware=[LLMToolSelectorMiddleware(max_tools=1)])
        assert (await ask(agent, way, QUESTION))["messages"][-1].text == "Noon."
        asked, last = heard(server)
    assert asked.output is not None
    assert asked.output.kind == "json_schema"
    assert (said(asked, "user"), tool_names(asked), tool_names(last)) == ([QUESTION[1]], [], ["clock"])


@each_model
async def test_a_choice_of_tools_that_is_none(name: str) -> None:
    """Our models check an answer and raise where others hand it on: an error that may be tried again."""
    selector = LLMToolSelectorMiddleware()
    with answering(['{"tools": "clock"}']) as server:
        agent = create_agent(build(name, server), [weather, clock], middleware=[selector])
        with pytest.raises(StructuredOutputError, match="tools"):
            await ask(agent, "invoke", QUESTION)
    with answering(['{"tools": "clock"}', '{"tools": ["clock"]}', "Noon."]) as server:
        retry = ModelRetryMiddleware(initial_delay=0, jitter=False)
        agent = create_agent(build(name, server), [weather, clock], middleware=[retry, selector])
        assert (await ask(agent, "invoke", QUESTION))["messages"][-1].text == "Noon."


@each_model
@both_ways
async def test_a_model_plays_the_tools(name: str, way: str) -> None:
    with answering([asks(ROME), "rain in Rome, I think", "Rain."]) as server:
        model = build(name, server)
        await ask(create_agent(model, [weather], middleware=[LLMToolEmulator(model=model)]), way, QUESTION)
        assert results(heard(server)[2]) == ["rain in Rome, I think"]


@each_model
@both_ways
async def test_a_list_of_things_to_do(name: str, way: str) -> None:
    """One list at a time: two in one turn are refused, and each call has its result."""
    todos = [{"content": "Look.", "status": "in_progress"}]
    with answering(
        [asks(*[("write_todos", {"todos": todos})] * 2), asks(("write_todos", {"todos": todos})), "."]
    ) as server:
        agent = create_agent(
            build(name, server), [weather], middleware=[TodoListMiddleware()], system_prompt="Be brief."
        )
        state = await ask(agent, way, QUESTION)
        first, second, third = heard(server)
    assert state["todos"] == todos
    assert tool_names(first) == ["write_todos", "weather"]
    assert ("Be brief." in said(first, "system")[0], len(results(second)), len(results(third))) == (True, 2, 3)


@each_model
@both_ways
async def test_tools_that_the_provider_finds(name: str, way: str) -> None:
    """The middleware takes the provider from the model, and the API has the tool for it."""
    with answering(["Noon."]) as server:
        search = ProviderToolSearchMiddleware(searchable_tools=["clock"])
        await ask(create_agent(build(name, server), [weather, clock], middleware=[search]), way, QUESTION)
        (request,) = heard(server)
    found = {spec.name: spec for spec in request.tools}
    kind = "tool_search_tool_bm25" if "anthropic" in name else "tool_search"
    assert list(found) == ["weather", "clock", kind]
    assert (found["weather"].options, found["clock"].options) == ({}, {"defer_loading": True})


# --- what may be said -------------------------------------------------------------------------------------------------


@each_model
@both_ways
async def test_private_data(name: str, way: str) -> None:
    """Redacted on the way in, in results and in answers, the blocks beside the text as they were."""
    thoughts = {} if name == "chat" else {"reasoning": "A mail."}
    script = [asks(ROME, content="I write to ann@example.org.", **thoughts), "Ask bob@example.org."]
    private = PIIMiddleware("email", apply_to_input=True, apply_to_output=True, apply_to_tool_results=True)

    @tool("weather")
    def told(city: str) -> str:
        """The weather."""
        return f"{city} says: eve@example.org"

    with answering(script) as server:
        agent = create_agent(build(name, server, **REASONING[name]), [told], middleware=[private])
        state = await ask(agent, way, ("user", "I am me@example.org."))
        second = heard(server)[1]
    hidden = "[REDACTED_EMAIL]"
    assert (said(second, "user"), said(second, "assistant"), results(second)) == (
        [f"I am {hidden}."], [f"I write to {hidden}."], [f"Rome says: {hidden}"],
    )  # fmt: skip
    assert state["messages"][-1].text == f"Ask {hidden}."
    kinds = [block["type"] for turn in second.turns if turn.role == "assistant" for block in turn.blocks]
    assert kinds == [*(["reasoning"] if thoughts else []), "text", "tool_call"]
