"""`create_agent(response_format=…)` with each of our models: by the provider, by a tool, and as LangChain chooses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError, ToolStrategy
from langchain_core.messages import AIMessageChunk
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, InvalidToolError
from langchain_unified.testing import emulator
from tests.integration.agents import (
    REASONING,
    ROME,
    answering,
    answers,
    ask,
    asks,
    both_ways,
    calls,
    choice,
    each_model,
    heard,
    results,
    tool_names,
    weather,
)
from tests.support.models import build

QUESTION = ("user", "Plan my trip.")


class Trip(BaseModel):
    """A trip."""

    city: str
    days: int


@dataclass
class Stay:
    """A stay."""

    city: str
    days: int


class Visit(TypedDict):
    """A visit."""

    city: str
    days: int


JSON_SCHEMA = {
    "title": "Journey",
    "description": "A journey.",
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
GIVEN = {"city": "Rome", "days": 3}
SCHEMAS: Mapping[str, tuple[Any, Any]] = {
    "pydantic": (Trip, Trip(city="Rome", days=3)),
    "dataclass": (Stay, Stay(city="Rome", days=3)),
    "TypedDict": (Visit, GIVEN),
    "JSON schema": (JSON_SCHEMA, GIVEN),
}
NAMES = {"pydantic": "Trip", "dataclass": "Stay", "TypedDict": "Visit", "JSON schema": "Journey"}
each_schema = pytest.mark.parametrize("kind", SCHEMAS)


# --- the strategies ---------------------------------------------------------------------------------------------------


@each_model
@each_schema
@pytest.mark.parametrize("strategy", [None, ProviderStrategy])
async def test_by_the_provider(name: str, kind: str, strategy: Any) -> None:
    """A bare schema goes the same way as one in a `ProviderStrategy`: our models say that they can."""
    schema, expected = SCHEMAS[kind]
    with answering([asks(ROME, content="I look."), json.dumps(GIVEN)]) as server:
        agent = create_agent(build(name, server), [weather], response_format=strategy(schema) if strategy else schema)
        state = await ask(agent, "invoke", QUESTION)
        first, second = heard(server)
    assert state["structured_response"] == expected
    for request in (first, second):
        assert request.output is not None
        assert request.output.schema["properties"].keys() == GIVEN.keys()
        assert (tool_names(request), choice(request)) == (["weather"], "auto")
    assert results(second) == ["sun in Rome"]


@each_model
@each_schema
async def test_by_a_tool(name: str, kind: str) -> None:
    schema, expected = SCHEMAS[kind]
    with answering([asks(ROME), asks((NAMES[kind], GIVEN))]) as server:
        agent = create_agent(build(name, server), [weather], response_format=ToolStrategy(schema))
        state = await ask(agent, "invoke", QUESTION)
        for request in heard(server):
            assert (tool_names(request), choice(request), request.output) == (["weather", NAMES[kind]], "any", None)
    assert state["structured_response"] == expected


@each_model
async def test_held_to_the_schema_on_request(name: str) -> None:
    """`strict=True` is what OpenAI wants to be told; Anthropic holds every answer to its schema."""
    with answering([json.dumps(GIVEN)]) as server:
        agent = create_agent(build(name, server), [weather], response_format=ProviderStrategy(Trip, strict=True))
        assert (await ask(agent, "invoke", QUESTION))["structured_response"] == Trip(**GIVEN)
        (request,) = heard(server)
    assert request.output is not None
    assert request.output.strict is (None if "anthropic" in name else True)
    assert request.output.schema["additionalProperties"] is False


CANNOT: Mapping[str, Any] = {
    "claude-3-haiku": lambda server, kw: ChatAnthropic(
        model="claude-3-haiku-20240307", base_url=server.anthropic_url, **kw
    ),
    "gpt-4": lambda server, kw: ChatOpenAI(model="gpt-4", base_url=server.openai_url, **kw),
    "unified": lambda server, kw: ChatUnified("openai/gpt-3.5-turbo", base_url=server.openai_url, **kw),
}


@pytest.mark.parametrize("name", CANNOT)
async def test_a_model_without_structured_output_gets_a_tool(name: str) -> None:
    with answering([asks(("Trip", GIVEN))]) as server:
        model = CANNOT[name](server, {"api_key": "any", "max_retries": 0})
        state = await ask(create_agent(model, [weather], response_format=Trip), "invoke", QUESTION)
        (request,) = heard(server)
    assert state["structured_response"] == Trip(**GIVEN)
    assert (tool_names(request), choice(request), request.output) == (["weather", "Trip"], "any", None)


# --- second tries -----------------------------------------------------------------------------------------------------


@each_model
@both_ways
async def test_an_answer_that_does_not_fit_is_asked_for_again(name: str, way: str) -> None:

    class Short(Trip):
        days: int = Field(ge=1)

    wrong = ("Short", {"city": "Rome", "days": 0})
    with answering([asks(ROME), asks(wrong), asks(("Short", GIVEN))]) as server:
        agent = create_agent(build(name, server), [weather], response_format=ToolStrategy(Short))
        state = await ask(agent, way, QUESTION)
        third = heard(server)[2]
    assert state["structured_response"] == Short(**GIVEN)
    assert calls(third) == [ROME, wrong]
    assert "greater than or equal to 1" in results(third)[1]


HANDLERS: Mapping[str, tuple[Any, str]] = {
    "a text": ("Days must be given.", "Days must be given."),
    "a class": (StructuredOutputValidationError, "Field required"),
    "a function": (lambda error: f"No: {type(error).__name__}", "No: StructuredOutputValidationError"),
}


@pytest.mark.parametrize("handler", HANDLERS)
@each_model
async def test_how_errors_are_handled(name: str, handler: str) -> None:
    handle, told = HANDLERS[handler]
    with answering([asks(("Trip", {"city": "Rome"})), asks(("Trip", GIVEN))]) as server:
        form = ToolStrategy(Trip, handle_errors=handle)
        await ask(create_agent(build(name, server), response_format=form), "invoke", QUESTION)
        assert told in results(heard(server)[1])[0]


@each_model
async def test_errors_that_are_not_handled(name: str) -> None:
    """The exception holds our message."""
    for form, answer in (
        (ToolStrategy(Trip, handle_errors=False), asks(("Trip", {}))),
        (ProviderStrategy(Trip), '{"city": "Ro'),
    ):
        with answering([answer]) as server:
            agent = create_agent(build(name, server), response_format=form)
            with pytest.raises(StructuredOutputValidationError) as caught:
                await ask(agent, "ainvoke", QUESTION)
            assert caught.value.ai_message.response_metadata["model_name"] == heard(server)[0].model


@each_model
@both_ways
async def test_a_union_and_two_answers_at_once(name: str, way: str) -> None:
    """One call too many is an error for both, and each gets its result."""
    both = asks(("Trip", GIVEN), ("Stay", GIVEN))
    with answering([both, asks(("Stay", GIVEN))]) as server:
        agent = create_agent(build(name, server), [weather], response_format=ToolStrategy(Trip | Stay))
        state = await ask(agent, way, QUESTION)
        first, second = heard(server)
    assert state["structured_response"] == Stay(**GIVEN)
    assert tool_names(first) == ["weather", "Trip", "Stay"]
    assert calls(second) == [("Trip", GIVEN), ("Stay", GIVEN)]
    assert ["multiple structured responses" in result for result in results(second)] == [True, True]


# --- streams, reasoning -----------------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("kind", ["tool", "provider"])
@both_ways
async def test_while_streaming(name: str, kind: str, way: str) -> None:
    """Tools first, then the answer, both after a thought; the chunks say the same as the state."""
    thoughts = {} if name == "chat" else {"reasoning": "Let me see."}
    last = asks(("Trip", GIVEN), **thoughts) if kind == "tool" else {"content": json.dumps(GIVEN), **thoughts}
    form: Any = ToolStrategy(Trip) if kind == "tool" else ProviderStrategy(Trip)
    with answering([asks(ROME, **thoughts), last]) as server:
        agent = create_agent(build(name, server, **REASONING[name]), [weather], response_format=form)
        given: Any = {"messages": [QUESTION]}
        modes: Any = ["messages", "values"]
        if way == "invoke":
            parts = list(agent.stream(given, stream_mode=modes))
        else:
            parts = [part async for part in agent.astream(given, stream_mode=modes)]
    state = parts[-1][1]
    assert state["structured_response"] == Trip(**GIVEN)
    chunks = [part[0] for mode, part in parts if mode == "messages" and isinstance(part[0], AIMessageChunk)]
    of_last = [chunk for chunk in chunks if chunk.id == answers(state)[-1].id]
    said = "".join(chunk.text for chunk in of_last)
    written = "".join(call["args"] or "" for chunk in of_last for call in chunk.tool_call_chunks)
    assert (said, written and json.loads(written)) == (("", GIVEN) if kind == "tool" else (json.dumps(GIVEN), ""))


@each_model
@pytest.mark.parametrize("kind", ["tool", "provider"])
async def test_in_events(name: str, kind: str) -> None:
    thoughts = {} if name == "chat" else {"reasoning": "Let me see."}
    last = asks(("Trip", GIVEN), **thoughts) if kind == "tool" else {"content": json.dumps(GIVEN), **thoughts}
    form: Any = ToolStrategy(Trip) if kind == "tool" else Trip
    with answering([asks(ROME, content="I look.", **thoughts), last]) as server:
        agent = create_agent(build(name, server, **REASONING[name]), [weather], response_format=form)
        events = agent.stream_events({"messages": [QUESTION]}, version="v3")
        texts = [str(stream.text) for stream in events.messages]
    assert events.output["structured_response"] == Trip(**GIVEN)
    assert texts == ["I look.", "" if kind == "tool" else json.dumps(GIVEN)]


# --- what a provider does not take ------------------------------------------------------------------------------------

Item = TypeVar("Item")


class Box(BaseModel, Generic[Item]):
    item: Item


@each_model
async def test_a_name_that_no_provider_takes(name: str) -> None:
    """A format's name is a label and is written as the API takes it; a tool's is sent so, and comes back as given."""
    with answering(['{"item": 3}']) as server:
        agent = create_agent(build(name, server), [weather], response_format=Box[int])
        assert (await ask(agent, "invoke", QUESTION))["structured_response"] == Box[int](item=3)
        (request,) = heard(server)
        assert request.output is not None
        assert request.output.name == ("response" if "anthropic" in name else "Box_int")
    with answering([asks(("Box_int_", {"item": 3}))]) as server:
        agent = create_agent(build(name, server), [weather], response_format=ToolStrategy(Box[int]))
        state = await ask(agent, "invoke", QUESTION)
        assert state["structured_response"] == Box[int](item=3)
        assert answers(state)[0].tool_calls[0]["name"] == "Box[int]"
        assert tool_names(heard(server)[0]) == ["weather", "Box_int_"]


class Node(BaseModel):
    """A node."""

    name: str
    children: list[Node] = []


@each_model
async def test_a_schema_that_refers_to_itself(name: str) -> None:
    """Anthropic's formats know no such schema: that is said before the network. A tool can say it on both."""
    tree = {"name": "a", "children": [{"name": "b", "children": []}]}
    with emulator([json.dumps(tree)]) as server:
        agent = create_agent(build(name, server), response_format=Node)
        if "anthropic" in name:
            with pytest.raises(InvalidToolError, match=r"'Node': Node refers to itself\. Use a tool"):
                await ask(agent, "invoke", QUESTION)
            assert server.requests == []
        else:
            assert (await ask(agent, "invoke", QUESTION))["structured_response"] == Node(**tree)
            output = heard(server)[0].output
            assert output is not None
            assert output.schema["type"] == "object"
    with answering([asks(("Node", tree))]) as server:
        agent = create_agent(build(name, server), response_format=ToolStrategy(Node))
        assert (await ask(agent, "invoke", QUESTION))["structured_response"] == Node(**tree)


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "claude-sonnet-5-5"},
        {"model": "claude-sonnet-4-5", "thinking": {"type": "enabled", "budget_tokens": 1024}},
    ],
    ids=["never", "while it thinks"],
)
def test_a_claude_that_cannot_be_made_to_call_a_tool(settings: Any) -> None:
    """It is asked, not forced, which is said once; an answer in words ends the run without a structured response."""
    with answering([asks(("Trip", GIVEN)), "Rome for three days."]) as server:
        model = ChatAnthropic(base_url=server.anthropic_url, api_key="any", **settings)
        agent = create_agent(model, [weather], response_format=ToolStrategy(Trip))
        with pytest.warns(UserWarning, match="tool_choice: .* 'auto' was sent"):
            state = agent.invoke({"messages": [QUESTION]})
        assert state["structured_response"] == Trip(**GIVEN)
        state = agent.invoke({"messages": [QUESTION]})
        assert [choice(request) for request in heard(server)] == ["auto", "auto"]
    assert state["structured_response"] is None
    assert [item["what"] for item in state["messages"][-1].response_metadata["adjustments"]] == ["tool_choice"]


def test_what_claude_is_not_held_to_is_noted() -> None:
    """Anthropic's formats have no bounds: the model reads them, and LangChain checks them."""

    class Short(Trip):
        days: int = Field(ge=1)

    with answering([json.dumps(GIVEN), '{"city": "Rome", "days": 0}']) as server:
        agent = create_agent(build("anthropic", server, on_unsupported="ignore"), response_format=Short)
        (message,) = answers(agent.invoke({"messages": [QUESTION]}))
        (note,) = message.response_metadata["adjustments"]
        with pytest.raises(StructuredOutputValidationError, match="greater than or equal to 1"):
            agent.invoke({"messages": [QUESTION]})
    assert "minimum of days" in note["why"]
