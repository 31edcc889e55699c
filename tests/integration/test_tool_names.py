"""Tools whose names no API takes: they are sent under similar names, and calls come back with the caller's."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_unified.testing.emulation.script import Script
from tests.integration.agents import (
    OTHER,
    answering,
    answers,
    ask,
    both_ways,
    calls,
    each_model,
    heard,
    results,
    thread,
)
from tests.support.models import build

NAMES = ["server.tool", "server/tool", "mcp: look up", "größe", "查询", "查詢", "x" * 100, "x" * 100 + "y", "y" * 140]


def find(q: str) -> str:
    """Finds."""
    return f"found {q}"


def tools_named(*names: str) -> list[StructuredTool]:
    return [StructuredTool.from_function(find, name=name, description=f"Tool {at}.") for at, name in enumerate(names)]


def calling(*positions: int, args: Any = None) -> Any:
    """An answer that calls the tools at these positions, under the names by which the provider knows them."""
    given = {"q": "a"} if args is None else args
    return lambda request: {"tool_calls": [{"name": request.tools[at].name, "args": given} for at in positions]}


@each_model
@both_ways
async def test_an_agent_runs_them_and_the_thread_goes_on(name: str, way: str) -> None:
    every = tuple(range(len(NAMES)))
    with answering([calling(*every), "done", calling(0), "again"]) as server:
        agent = create_agent(build(name, server), tools_named(*NAMES), checkpointer=InMemorySaver())
        state = await ask(agent, way, ("user", "Go."), config=thread())
        assert [call["name"] for call in answers(state)[0].tool_calls] == NAMES
        state = await ask(agent, way, ("user", "Once more."), config=thread())
        assert answers(state)[-2].tool_calls[0]["name"] == "server.tool"
        first, second, *_, last = heard(server)
        sent = [tool.name for tool in first.tools]
        assert len(set(sent)) == len(NAMES)
        assert [called for called, _ in calls(second)] == sent
        assert [called for called, _ in calls(last)] == [*sent, sent[0]]
        assert results(last) == ["found a"] * (len(NAMES) + 1)
        assert [tool.name for tool in last.tools] == sent


@each_model
def test_the_same_names_go_out_in_any_order_and_what_the_api_takes_stays(name: str) -> None:
    with answering(lambda request: "ok") as server:
        model = build(name, server)
        for order in (NAMES, NAMES[::-1], NAMES):
            model.bind_tools(tools_named(*order, "server_tool", "plain-1")).invoke("hi")
        one, reversed_, again = ([tool.name for tool in request.tools] for request in heard(server))
    assert one == again
    assert set(one) == set(reversed_)
    assert one[-2:] == ["server_tool", "plain-1"]
    if name != "chat":  # Chat takes 64 characters, the others 128
        assert "x" * 100 in one


SHAPES = ["invoke", "stream", "v3"]


async def answer_of(model: Any, shape: str) -> AIMessage:
    if shape == "invoke":
        found = await model.ainvoke("hi")
    elif shape == "stream":
        found = None
        async for chunk in model.astream("hi"):
            found = chunk if found is None else found + chunk
    else:
        found = model.stream_events("hi", version="v3").output
    assert isinstance(found, AIMessage)
    return found


@each_model
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("output_version", [None, "v1"])
async def test_calls_come_back_with_the_names_of_the_caller(name: str, shape: str, output_version: str | None) -> None:
    with answering([calling(0, 1)]) as server:
        fields = {"output_version": output_version} if output_version else {}
        answer = await answer_of(build(name, server, **fields).bind_tools(tools_named("a.b", "a/b", "c")), shape)
    assert [call["name"] for call in answer.tool_calls] == ["a.b", "a/b"]
    blocks = [block for block in answer.content_blocks if block["type"] == "tool_call"]
    assert [block["name"] for block in blocks] == ["a.b", "a/b"]
    assert "a_b" not in str(answer.content)
    listed = [item["what"] for item in answer.response_metadata["adjustments"]]
    assert listed == ["tool names 'a.b', 'a/b'"]


@each_model
@pytest.mark.parametrize("choice", ["a.b", {"type": "function", "function": {"name": "a.b"}}, ["a.b", "c"]])
def test_a_choice_names_the_tool_as_the_caller_does(name: str, choice: Any) -> None:
    with answering(["ok"]) as server:
        model = build(name, server, on_unsupported="ignore")
        model.bind_tools(tools_named("a.b", "c"), tool_choice=choice).invoke("hi")
        (request,) = heard(server)
    assert request.tools[0].name == "a_b"
    if request.tool_choice is not None and request.tool_choice.names:
        assert request.tool_choice.names[0] == "a_b"


@each_model
def test_a_call_of_another_provider_has_the_name_of_its_definition(name: str) -> None:
    tools = tools_named("a.b", "a/b")
    with answering([calling(1)]) as server:
        answer = build(OTHER[name], server).bind_tools(tools).invoke("hi")
    history = [HumanMessage("hi"), answer, ToolMessage("found", tool_call_id=answer.tool_calls[0]["id"])]
    with answering(["ok", "ok"]) as server:
        model = build(name, server)
        model.bind_tools(tools).invoke(history)
        model.bind_tools(tools_named("a_b")).invoke(history)
        with_tools, with_another = heard(server)
    assert calls(with_tools) == [(with_tools.tools[1].name, {"q": "a"})]
    assert calls(with_another)[0][0] != "a_b"


@each_model
def test_a_tool_with_an_empty_name(name: str) -> None:
    empty = {"type": "function", "function": {"name": "", "description": "Finds.", "parameters": {}}}
    with answering([calling(0)]) as server:
        answer = build(name, server).bind_tools([empty]).invoke("hi")
        (request,) = heard(server)
    assert (request.tools[0].name, answer.tool_calls[0]["name"]) == ("unknown", "")


def test_broken_arguments_keep_the_name() -> None:
    with answering([calling_broken]) as server:
        answer = build("chat", server).bind_tools(tools_named("a.b")).invoke("hi")
    assert answer.invalid_tool_calls[0]["name"] == "a.b"


def calling_broken(request: Any) -> Script:
    call = {"type": "invalid_tool_call", "id": "c1", "name": request.tools[0].name, "args": '{"q": '}
    return {"content": [call]}
