"""`create_agent` with each of our models: tools, results, and every kind of stream."""

from __future__ import annotations

import base64
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolErrorMiddleware
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver

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
    each_model,
    heard,
    results,
    said,
    thread,
    tool_names,
    weather,
)
from tests.integration.suite import PNG
from tests.support.models import build

QUESTION = ("user", "How is the weather?")
TWO_CALLS = asks(ROME, OSLO, content="I will look.")


# --- tools ------------------------------------------------------------------------------------------------------------


@each_model
@both_ways
async def test_several_calls_in_one_turn(name: str, way: str) -> None:
    with answering([TWO_CALLS, asks(ROME), "Sun in both."]) as server:
        agent = create_agent(build(name, server), [weather], system_prompt="Be brief.")
        state = await ask(agent, way, QUESTION)
        first, second, third = heard(server)
    assert [type(message) for message in state["messages"]] == [
        HumanMessage, AIMessage, ToolMessage, ToolMessage, AIMessage, ToolMessage, AIMessage,
    ]  # fmt: skip
    assert (said(first, "system"), said(first, "user")) == (["Be brief."], [QUESTION[1]])
    assert tool_names(first) == ["weather"]
    assert (calls(second), results(second)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])
    assert (calls(third), results(third)) == ([ROME, OSLO, ROME], ["sun in Rome", "sun in Oslo", "sun in Rome"])
    assert said(third, "assistant") == ["I will look."]
    assert [(m.text, m.response_metadata["finish_reason"]) for m in answers(state)] == [
        ("I will look.", "tool_calls"), ("", "tool_calls"), ("Sun in both.", "stop"),
    ]  # fmt: skip
    assert all(message.usage_metadata["output_tokens"] > 0 for message in answers(state))


@tool
def sink(depth: int) -> str:
    """Goes down."""
    if depth > 10:
        raise ToolException("too deep")
    raise ValueError(f"{depth} is not deep enough")


sink.handle_tool_error = True


@each_model
@both_ways
async def test_a_tool_that_raises(name: str, way: str) -> None:
    """Errors by the tool itself, by the middleware, for wrong arguments and for a tool that there is not."""
    wrong = asks(("sink", {"depth": 11}), ("sink", {"depth": 1}), ("sink", {"depth": "x"}), ("swim", {}))
    with answering([wrong, "I see."]) as server:
        on_error = ToolErrorMiddleware(lambda error, request: f"failed: {error}")
        state = await ask(create_agent(build(name, server), [sink], middleware=[on_error]), way, QUESTION)
        second = heard(server)[1]
    errors = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    assert [message.status for message in errors] == ["error"] * 4
    assert calls(second) == [(call["name"], call["args"]) for call in wrong["tool_calls"]]
    assert results(second)[:2] == ["too deep", "failed: 1 is not deep enough"]
    assert "depth" in results(second)[2]
    assert "swim is not a valid tool" in results(second)[3]
    told = [turn.is_error for turn in second.turns if turn.role == "tool"]
    assert told == [second.model.startswith("claude")] * 4  # OpenAI's results have no flag


@tool(response_format="content_and_artifact")
def view(city: str) -> Any:
    """A picture of a city."""
    image = {"type": "image", "base64": base64.b64encode(PNG).decode(), "mime_type": "image/png"}
    return [{"type": "text", "text": f"{city} by night"}, image], {"raw": "not for the model"}


@tool(response_format="content_and_artifact")
def poem(city: str) -> Any:
    """A poem on a city."""
    return [{"type": "text", "text": f"O {city}, "}, {"type": "text", "text": "o sun"}], {"raw": "not for the model"}


@each_model
@both_ways
async def test_content_blocks_and_artifact(name: str, way: str) -> None:
    used, shown = (poem, ["text", "text"]) if name == "chat" else (view, ["text", "image"])
    with answering([asks((used.name, {"city": "Rome"})), "Nice."]) as server:
        state = await ask(create_agent(build(name, server), [used]), way, QUESTION)
        (result,) = (turn for turn in heard(server)[1].turns if turn.role == "tool")
        assert "not for the model" not in str(server.requests[1].body)
    assert [block["type"] for block in result.blocks] == shown
    assert state["messages"][2].artifact == {"raw": "not for the model"}
    assert state["messages"][-1].text == "Nice."


def test_a_picture_from_a_tool_follows_the_result_on_chat_completions() -> None:
    """The API takes no image in a tool message: it goes into a user message right after the result."""
    with answering([asks(("view", {"city": "Rome"})), "Sunny."]) as server:
        agent = create_agent(build("chat", server), [view])
        last = agent.invoke({"messages": [QUESTION]})["messages"][-1]
        *_, result, picture = server.requests[-1].body["messages"]
    assert (result["role"], picture["role"]) == ("tool", "user")
    assert [part["type"] for part in picture["content"]].count("image_url") == 1
    assert last.text == "Sunny."
    assert last.response_metadata["adjustments"]


@each_model
@both_ways
async def test_a_tool_whose_result_is_the_answer(name: str, way: str) -> None:
    """The thread then has a question directly after a result."""

    @tool(return_direct=True)
    def oracle() -> str:
        """The truth."""
        return "42"

    with answering([asks(("oracle", {})), "As I said."]) as server:
        agent = create_agent(build(name, server), [oracle], checkpointer=InMemorySaver())
        assert (await ask(agent, way, QUESTION, config=thread()))["messages"][-1].content == "42"
        await ask(agent, way, ("user", "Sure?"), config=thread())
        second = heard(server)[1]
    assert (calls(second), results(second), said(second, "user")) == ([("oracle", {})], ["42"], [QUESTION[1], "Sure?"])


@each_model
@both_ways
async def test_a_call_that_was_cut_does_not_wedge_the_thread(name: str, way: str) -> None:
    """`max_tokens` ended the answer within the arguments: the agent stops, and can go on."""
    long = asks(("weather", {"city": "Llanfair" * 40}))
    with answering([long, "Better now."]) as server:
        agent = create_agent(build(name, server, max_tokens=20), [weather], checkpointer=InMemorySaver())
        cut = (await ask(agent, way, QUESTION, config=thread()))["messages"][-1]
        assert ([call["name"] for call in cut.invalid_tool_calls], cut.tool_calls) == (["weather"], [])
        assert cut.response_metadata["finish_reason"] == "length"
        state = await ask(agent, way, ("user", "Again."), config=thread())
        (result,) = results(heard(server)[1])
    assert "malformed or truncated" in result
    assert state["messages"][-1].text == "Better now."


@each_model
@both_ways
async def test_a_tool_that_broke_the_run_does_not_wedge_the_thread(name: str, way: str) -> None:
    """The thread keeps a call without a result: it gets one, and that is noted."""

    @tool
    def crash() -> str:
        """Crashes."""
        raise RuntimeError("power cut")

    with answering([asks(("crash", {})), "Let us go on."]) as server:
        agent = create_agent(build(name, server), [crash], checkpointer=InMemorySaver())
        with pytest.raises(RuntimeError, match="power cut"):
            await ask(agent, way, QUESTION, config=thread())
        last = (await ask(agent, way, ("user", "Hello?"), config=thread()))["messages"][-1]
        second = heard(server)[1]
    assert (calls(second), results(second)) == ([("crash", {})], ["The tool was not run: this call has no result."])
    assert last.text == "Let us go on."
    assert [item["what"] for item in last.response_metadata["adjustments"]] == ["tool call in message 1"]


@each_model
@both_ways
async def test_a_tool_that_the_provider_runs(name: str, way: str) -> None:
    """Beside a function: either provider's dict goes out in the form of the provider that is asked."""
    search: Any = (
        {"type": "web_search"} if "anthropic" in name else {"type": "web_search_20250305", "name": "web_search"}
    )
    with answering([asks(ROME), "Sun."]) as server:
        state = await ask(create_agent(build(name, server), [weather, search]), way, QUESTION)
        kinds = {request.body["tools"][1]["type"] for request in server.requests}
        assert kinds == {"web_search_20260209" if "anthropic" in name else "web_search"}
        assert (calls(heard(server)[1]), state["messages"][-1].text) == ([ROME], "Sun.")


# --- streams ----------------------------------------------------------------------------------------------------------


async def parts(agent: Any, way: str, **kwargs: Any) -> list[Any]:
    """The parts of an agent's stream; `way` is `invoke` for the sync one."""
    given = {"messages": [QUESTION]}
    if way == "invoke":
        return list(agent.stream(given, **kwargs))
    return [part async for part in agent.astream(given, **kwargs)]


@each_model
@both_ways
async def test_stream_values_and_updates(name: str, way: str) -> None:
    with answering([TWO_CALLS, "Sun in both."]) as server:
        agent = create_agent(build(name, server), [weather])
        found = await parts(agent, way, stream_mode=["values", "updates"])
    values = [part["messages"] for mode, part in found if mode == "values"]
    assert [len(messages) for messages in values] == [1, 2, 4, 5]
    assert [message.text for message in values[-1]] == [
        QUESTION[1], "I will look.", "sun in Rome", "sun in Oslo", "Sun in both.",
    ]  # fmt: skip
    updates = [next(iter(part.items())) for mode, part in found if mode == "updates"]
    assert [node for node, _ in updates] == ["model", "tools", "tools", "model"]
    told = {message.id: message for _, update in updates for message in update["messages"]}
    assert told == {message.id: message for message in values[-1][1:]}


@each_model
@both_ways
async def test_stream_messages(name: str, way: str) -> None:
    """The chunks add up to the messages that the agent keeps."""
    thoughts = {} if name == "chat" else {"reasoning": "Two cities."}
    with answering([{**TWO_CALLS, **thoughts}, "Sun in both."]) as server:
        model = build(name, server, **REASONING[name])
        agent = create_agent(model, [weather], system_prompt=SystemMessage("Be brief."))
        found = await parts(agent, way, stream_mode=["messages", "values"])
    kept = answers(found[-1][1])
    chunks: dict[str, list[AIMessageChunk]] = {}
    for mode, part in found:
        if mode == "messages" and isinstance(part[0], AIMessageChunk):
            chunks.setdefault(part[0].id, []).append(part[0])
    assert list(chunks) == [message.id for message in kept]
    for message in kept:
        summed = reduce(add, chunks[message.id])
        assert len(chunks[message.id]) > 2
        assert (summed.text, summed.tool_calls) == (message.text, message.tool_calls)
        assert summed.usage_metadata == message.usage_metadata
        assert summed.response_metadata == message.response_metadata
    assert [block["type"] for block in kept[0].content_blocks][:1] == (["text"] if name == "chat" else ["reasoning"])


@each_model
@both_ways
async def test_events(name: str, way: str) -> None:
    """v3: one stream for each answer, typed; what the agent keeps is what was streamed."""
    with answering([TWO_CALLS, "Sun in both."]) as server:
        agent = create_agent(build(name, server), [weather])
        given: Any = {"messages": [QUESTION]}
        if way == "invoke":
            events = agent.stream_events(given, version="v3")
            texts, state = [str(stream.text) for stream in events.messages], events.output
        else:
            events = await agent.astream_events(given, version="v3")
            texts, state = [await stream.text async for stream in events.messages], await events.output()
        second = heard(server)[1]
    assert texts == ["I will look.", "Sun in both."]
    assert [message.text for message in answers(state)] == texts
    assert (calls(second), results(second)) == ([ROME, OSLO], ["sun in Rome", "sun in Oslo"])


@each_model
async def test_older_events(name: str) -> None:
    with answering([TWO_CALLS, "Sun in both."]) as server:
        agent = create_agent(build(name, server), [weather])
        events = [event async for event in agent.astream_events({"messages": [QUESTION]}, version="v2")]
    ends = [event["data"]["output"] for event in events if event["event"] == "on_chat_model_end"]
    assert [(message.text, len(message.tool_calls)) for message in ends] == [("I will look.", 2), ("Sun in both.", 0)]
    pieces = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    assert "".join(piece.text for piece in pieces) == "I will look.Sun in both."
    found = {event["data"]["output"].content for event in events if event["event"] == "on_tool_end"}
    assert found == {"sun in Rome", "sun in Oslo"}
