"""LangGraph and `create_agent` on every API, against the emulator: what they stream, and what they keep as history."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langchain_core.tools import tool
from langgraph import graph as graphs
from langgraph import prebuilt

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.request import Request
from langchain_unified.testing import Emulator, emulator
from tests.support.v3 import check_lifecycle

pytestmark = pytest.mark.filterwarnings("ignore:.*(beta|experimental|[Dd]eprecated)")

APIS = ("anthropic", "chat", "responses")
each_api = pytest.mark.parametrize("api", APIS)


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"sun in {city}"


URLS = ["https://example.com/a", "https://example.com/b"]


def cited(api: str, text: str) -> dict[str, Any]:
    """A text with two sources in the API's way."""
    if api == "anthropic":
        found = [
            {"type": "citation", "cited_text": quote, "title": "Atlas",
             "extras": {"type": "char_location", "document_index": 0, "start_char_index": n, "end_char_index": n + 4}}
            for n, quote in enumerate(("warm", "calm"))
        ]  # fmt: skip
    else:
        found = [{"type": "citation", "url": url, "title": "Atlas", "start_index": 0, "end_index": 3} for url in URLS]
    return {"type": "text", "text": text, "annotations": found}


def script(api: str) -> Any:
    """First a thought, a text and two calls at once; after their results, a text with two sources."""

    def answer(request: Request) -> Any:
        if any(turn.role == "tool" for turn in request.turns):
            return {"content": [cited(api, "Sun in both.")]}
        calls = [{"name": "weather", "args": {"city": city}} for city in ("Rome", "Oslo")]
        thought = {} if api == "chat" else {"reasoning": "Two cities, two calls."}
        return {"content": "I will look.", "tool_calls": calls, **thought}

    return answer


@pytest.fixture
def server(api: str) -> Iterator[Emulator]:
    with emulator(script(api)) as running:
        yield running


def model(api: str, server: Emulator) -> Any:
    if api == "anthropic":
        thinking = {"type": "enabled", "budget_tokens": 1024}
        return ChatAnthropic(
            model="claude-sonnet-4-5", thinking=thinking, api_key="not-a-key", base_url=server.anthropic_url
        )
    return ChatOpenAI(
        model="gpt-5.6",
        api_key="not-a-key",
        base_url=server.openai_url,
        use_responses_api=api == "responses",
        reasoning_effort="low" if api == "responses" else "none",
    )


def graph(api: str, server: Emulator) -> Any:
    """A node that invokes the model and one that runs its calls, in turn."""
    bound = model(api, server).bind_tools([weather])

    def ask(state: Any) -> Any:
        return {"messages": [bound.invoke(state["messages"])]}

    return _compiled(ask)


def agraph(api: str, server: Emulator) -> Any:
    bound = model(api, server).bind_tools([weather])

    async def ask(state: Any) -> Any:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    return _compiled(ask)


def _compiled(ask: Any) -> Any:
    builder = graphs.StateGraph(graphs.MessagesState)
    builder.add_node("ask", ask)
    builder.add_node("tools", prebuilt.ToolNode([weather]))
    builder.add_edge(graphs.START, "ask")
    builder.add_conditional_edges("ask", prebuilt.tools_condition)
    builder.add_edge("tools", "ask")
    return builder.compile()


INPUT = {"messages": [("user", "How is the weather in Rome and in Oslo?")]}
ORDER = {
    "anthropic": ["reasoning", "text", "tool_call", "tool_call"],
    "chat": ["text", "tool_call", "tool_call"],
    "responses": ["reasoning", "text", "tool_call", "tool_call"],
}


def check_history(api: str, messages: list[Any]) -> None:
    """What the graph keeps: order of blocks, both calls, their results, and every source of the last text."""
    _, first, *results, last = messages
    assert [block["type"] for block in first.content_blocks] == ORDER[api]
    assert [call["args"]["city"] for call in first.tool_calls] == ["Rome", "Oslo"]
    assert [(type(r), r.content) for r in results] == [(ToolMessage, "sun in Rome"), (ToolMessage, "sun in Oslo")]
    assert first.id != first.response_metadata["id"]
    assert first.usage_metadata["output_tokens"] > 0
    assert last.text == "Sun in both."
    assert sources(api, last) == (["warm", "calm"] if api == "anthropic" else URLS)


def sources(api: str, message: AIMessage) -> list[str]:
    if api == "chat":
        return [note["url_citation"]["url"] for note in message.additional_kwargs["annotations"]]
    notes = [note for block in message.content_blocks for note in block.get("annotations", ())]
    return [note["cited_text" if api == "anthropic" else "url"] for note in notes]


@each_api
def test_stream_mode_messages(api: str, server: Emulator) -> None:
    """The chunks of both answers, in LangChain's first form; added up they are what the graph keeps."""
    by_id: dict[str, list[AIMessageChunk]] = {}
    final: Any = None
    for mode, part in graph(api, server).stream(INPUT, stream_mode=["messages", "values"]):
        if mode == "values":
            final = part["messages"]
        elif isinstance(part[0], AIMessageChunk):
            by_id.setdefault(part[0].id, []).append(part[0])
    check_history(api, final)
    said = [message for message in final if isinstance(message, AIMessage)]
    assert list(by_id) == [message.id for message in said]
    for message in said:
        summed = reduce(add, by_id[message.id])
        assert (summed.text, summed.tool_calls) == (message.text, message.tool_calls)
    assert sources(api, reduce(add, by_id[said[-1].id])) == sources(api, said[-1])


@each_api
def test_events_v3(api: str, server: Emulator) -> None:
    """LangGraph's handler reroutes `invoke` to events: the history is made of them."""
    run = graph(api, server).stream_events(INPUT, version="v3")
    streams = list(run.messages)
    check_history(api, run.output["messages"])
    said = [message for message in run.output["messages"] if isinstance(message, AIMessage)]
    assert [stream.output for stream in streams] == said
    for stream in streams:
        check_lifecycle(list(stream))
    assert str(streams[1].text) == "Sun in both."
    assert {message.response_metadata["output_version"] for message in said} == {"v1"}


@each_api
async def test_events_v3_async(api: str, server: Emulator) -> None:
    run = await agraph(api, server).astream_events(INPUT, version="v3")
    texts = [await stream.text async for stream in run.messages]
    check_history(api, (await run.output())["messages"])
    assert texts == ["I will look.", "Sun in both."]


@each_api
def test_what_events_leave_in_the_history_is_what_invoke_leaves(api: str, server: Emulator) -> None:
    """The second call of the graph sends the first answer back: by events and without, the same body."""
    assert graph(api, server).stream_events(INPUT, version="v3").output["messages"]
    with emulator(script(api)) as another:
        graph(api, another).invoke(INPUT)
    bodies = [running.requests[1].body for running in (server, another)]
    streamed = {key: value for key, value in bodies[0].items() if key not in ("stream", "stream_options")}
    assert streamed == bodies[1]


@each_api
def test_create_agent(api: str, server: Emulator) -> None:
    agent = create_agent(model(api, server), [weather])
    run = agent.stream_events(INPUT, version="v3")
    assert [str(stream.text) for stream in run.messages] == ["I will look.", "Sun in both."]
    check_history(api, run.output["messages"])
    check_history(api, agent.invoke(INPUT)["messages"])
