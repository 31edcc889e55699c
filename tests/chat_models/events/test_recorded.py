"""`stream_events(version="v3")` on recorded and generated streams: the message is the invoked one, in blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.chat_models import _plan
from langchain_unified.errors import InvalidHistoryError
from langchain_unified.wires import WIRES
from langchain_unified.wires._completion import Completion
from langchain_unified.wires.anthropic_messages import serve as serve_anthropic
from langchain_unified.wires.openai_chat import serve as serve_chat
from langchain_unified.wires.openai_responses import serve as serve_responses
from tests.chat_models.events.helpers import each_wire
from tests.support import strategies_anthropic_messages, strategies_openai_chat, strategies_openai_responses
from tests.support.corpus import WIRE_OF, label, needs_corpus, sse_events, streams
from tests.support.histories import problems
from tests.support.reading import REBUILD
from tests.support.server import Received, Reply, Server, serve, split
from tests.support.streams import chunks_of
from tests.support.v3 import Listener, assembled, check_blocks, check_equal, check_lifecycle, written

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")

RECORDED = {exchange["id"]: exchange for endpoint in WIRE_OF for exchange in streams(endpoint)}
each_recording = pytest.mark.parametrize("exchange", [pytest.param(e, id=label(e)) for e in RECORDED.values()])


def events_of(exchange: dict[str, Any]) -> list[Any]:
    return sse_events(exchange["response"]["sse"])


def invoked_from(exchange: dict[str, Any]) -> AIMessage:
    """The recorded stream as a whole reply would have been decoded. Chat's is the sum of its chunks."""
    wire, events = WIRES[WIRE_OF[exchange["endpoint"]]], events_of(exchange)
    if exchange["endpoint"] == "openai.chat":
        return reduce(add, chunks_of(wire, events))
    return wire.decode(REBUILD[exchange["endpoint"]](events))[0]


# --- the law, on recordings -------------------------------------------------------------------------------------------


@needs_corpus
@each_recording
def test_a_recorded_stream_gives_the_invoked_message(exchange: dict[str, Any]) -> None:
    events = written(WIRES[WIRE_OF[exchange["endpoint"]]], events_of(exchange))
    check_lifecycle(events)
    check_equal(assembled(events), invoked_from(exchange))


@needs_corpus
@each_recording
def test_texts_and_thoughts_finish_before_anything_else_begins(exchange: dict[str, Any]) -> None:
    """Of them, only the parts of one item's reasoning are open together."""
    running: dict[int, Any] = {}
    for event in written(WIRES[WIRE_OF[exchange["endpoint"]]], events_of(exchange)):
        if event["event"] == "content-block-start":
            begun = event["content"]
            for block in running.values():
                assert block["type"] not in ("text", "image", "server_tool_call_chunk")
                assert block["type"] != "reasoning" or block["id"] == begun["id"]
            running[event["index"]] = begun
        if event["event"] == "content-block-finish":
            del running[event["index"]]


def play(request: Received) -> Reply:
    response = RECORDED[request.headers["x-exchange"]]["response"]
    headers = {**response["headers"], "content-type": "text/event-stream"}
    return Reply(200, headers, split(response["sse"].encode(), 1000))


@pytest.fixture(scope="module")
def recordings() -> Iterator[Server]:
    with serve(play) as running:
        yield running


def model_for(exchange: dict[str, Any], url: str) -> ChatAnthropic | ChatOpenAI:
    common: dict[str, Any] = {
        "model": exchange["request"]["body"]["model"],
        "api_key": "not-a-key",
        "default_headers": {"x-exchange": exchange["id"]},
        "max_retries": 0,
    }
    if exchange["endpoint"].startswith("anthropic"):
        return ChatAnthropic(base_url=url, **common)
    return ChatOpenAI(base_url=url + "/v1", use_responses_api=exchange["endpoint"] != "openai.chat", **common)


@needs_corpus
@each_recording
async def test_all_the_ways_by_events_give_the_same(exchange: dict[str, Any], recordings: Server) -> None:
    model, listener = model_for(exchange, recordings.url), Listener()
    tools = exchange["request"]["body"].get("tools")
    expected = reduce(add, [chunk async for chunk in model.astream("hi", tools=tools)])

    def sync() -> list[AIMessage]:
        config: Any = {"callbacks": [listener]}
        return [model.stream_events("hi", version="v3", tools=tools).output, model.invoke("hi", config, tools=tools)]

    stream = await model.astream_events("hi", version="v3", tools=tools)
    found = [await stream.output, *await asyncio.to_thread(sync)]
    again: Any = {"callbacks": [Listener()]}
    found.append(await model.ainvoke("hi", again, tools=tools))
    check_equal(found[0], expected)
    assert len({message.id for message in found}) == len(found)  # each call's message has an id of its own
    assert [message.model_copy(update={"id": None}) for message in found] == [
        found[0].model_copy(update={"id": None})
    ] * 4
    check_lifecycle(listener.events)


# --- the law, on whatever a server may say ----------------------------------------------------------------------------

GENERATED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "anthropic_messages": (serve_anthropic, strategies_anthropic_messages, {"max_tokens": 9, "messages": []}),
    "openai_chat": (serve_chat, strategies_openai_chat, {"messages": [], "stream_options": {"include_usage": True}}),
    "openai_responses": (serve_responses, strategies_openai_responses, {"input": "hi"}),
}
CUSTOM_TOOLS: dict[str, list[Any]] = {
    "openai_chat": [{"type": "custom", "custom": {"name": "sql"}}],
    "openai_responses": [{"type": "custom", "name": "sql"}],
}


@each_wire
@given(data=st.data())
@settings(max_examples=100)
def test_a_generated_stream_gives_the_invoked_message(wire: Any, data: st.DataObject) -> None:
    server, strategies, body = GENERATED[wire.name]
    said: Completion = data.draw(strategies.COMPLETIONS)
    body = {"model": "m", "tools": CUSTOM_TOOLS.get(wire.name, []), **body}
    events = written(wire, server.render_events(said, body))
    check_lifecycle(events)
    message, invoked = assembled(events), wire.decode(server.render_reply(said, body))[0]
    metadata = message.response_metadata
    assert metadata["finish_reason"] == invoked.response_metadata["finish_reason"]
    assert metadata["id"] == invoked.response_metadata["id"]
    names = ("tool_calls", "usage_metadata", "additional_kwargs")
    assert [getattr(message, name) for name in names] == [getattr(invoked, name) for name in names]
    assert [call["id"] for call in message.invalid_tool_calls] == [call["id"] for call in invoked.invalid_tool_calls]
    check_blocks(message, invoked)


# --- a v3 message as history ------------------------------------------------------------------------------------------


@needs_corpus
@each_recording
def test_a_v3_message_replays_as_the_invoked_one(exchange: dict[str, Any]) -> None:
    """To its own API: the same bytes, signatures and ids of items included. That API takes them."""
    wire, model = WIRES[WIRE_OF[exchange["endpoint"]]], model_for(exchange, "http://127.0.0.1:1")

    def body(message: AIMessage) -> dict[str, Any]:
        results = [ToolMessage("done", tool_call_id=call["id"]) for call in message.tool_calls]
        history = [HumanMessage("hi"), message, *results, HumanMessage("go on")]
        return _plan.make(model, history, {}, stream=False).call.body

    invoked, message = invoked_from(exchange), assembled(written(wire, events_of(exchange)))
    invoked = AIMessage(**{name: getattr(invoked, name) for name in AIMessage.model_fields if name != "type"})
    try:
        expected = body(invoked)
    except InvalidHistoryError:
        with pytest.raises(InvalidHistoryError):
            body(message)
        return
    found = body(message)
    assert problems(wire.name, found) == problems(wire.name, expected) == []
    if isinstance(invoked.content, str) and wire.name == "openai_responses":
        # The one thing more that a block holds than a `str`: which item the text was.
        (item,) = [item for item in found["input"] if item.pop("id", "").startswith("msg_")]
        assert [part["text"] for part in item["content"]] == [invoked.content]
        return
    assert found == expected
