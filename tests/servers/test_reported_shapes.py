"""What servers were reported to send, on each API, whole and streamed, sync and async, and through v3 events.

A row of one of the tables beside this file is a shape and its source. `sibling of` marks a shape that was not reported
itself: a reported one on another API, or its neighbour.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, reply
from tests.servers import replies, streams_chat, streams_messages, streams_responses
from tests.servers.shapes import Shape
from tests.support.server import Reply, Server, serve

STREAMS = [*streams_chat.SHAPES, *streams_responses.SHAPES, *streams_messages.SHAPES]


class Scripted:
    """A server that answers every request with one shape."""

    def __init__(self) -> None:
        self.shape: Shape = STREAMS[0]
        self.server: Server

    def answer(self, _: object) -> Reply:
        if self.shape.reply is not None:
            return Reply.json(self.shape.reply)
        return Reply(200, {"content-type": "text/event-stream"}, self.shape.stream(), **self.shape.options)

    def model(self, shape: Shape) -> Any:
        """A model that asks the server, which is none that is known."""
        self.shape = shape
        common: dict[str, Any] = {"model": "m-1", "api_key": "k", "dialect": "generic", "max_retries": 0, "timeout": 20}
        if shape.api == "messages":
            return ChatAnthropic(base_url=self.server.url, max_tokens=100, **common)
        return ChatOpenAI(base_url=f"{self.server.url}/v1", use_responses_api=shape.api == "responses", **common)


@pytest.fixture(scope="module")
def scripted() -> Iterator[Scripted]:
    found = Scripted()
    with serve(found.answer) as found.server:
        for api in ("chat", "responses", "messages"):  # imports the SDKs, which is no part of a test's time
            _summed(found.model(next(shape for shape in STREAMS if shape.api == api and shape.text)))
        yield found


def _summed(model: Any) -> AIMessage:
    first, *rest = model.stream("q")
    for chunk in rest:
        first += chunk
    return first


def _asummed(model: Any) -> AIMessage:
    async def run() -> AIMessage:
        found = None
        async for chunk in model.astream("q"):
            found = chunk if found is None else found + chunk
        await model.aclose()
        assert found is not None
        return found

    return asyncio.run(run())


def _of_events(model: Any) -> AIMessage:
    return model.stream_events("q", version="v3").output


def _of_async_events(model: Any) -> AIMessage:
    async def run() -> AIMessage:
        stream = await model.astream_events("q", version="v3")
        found = await stream.output
        await model.aclose()
        return found

    return asyncio.run(run())


STREAMED: Mapping[str, Callable[[Any], AIMessage]] = {
    "stream": _summed,
    "astream": _asummed,
    "v3": _of_events,
    "async v3": _of_async_events,
}


def check(shape: Shape, message: AIMessage) -> None:
    assert str(message.text) == shape.text
    assert [(call["name"], call["args"]) for call in message.tool_calls] == list(shape.calls)
    assert len(message.invalid_tool_calls) == shape.invalid
    ids = [call["id"] for call in message.tool_calls]
    assert all(ids)
    assert reply(message).reasoning == shape.reasoning
    thoughts = [block.get("reasoning") for block in message.content_blocks if block["type"] == "reasoning"]
    assert [text for text in thoughts if text] == ([shape.reasoning] if shape.reasoning else [])
    if shape.tokens is not None:
        assert message.usage_metadata is not None
        assert message.usage_metadata["total_tokens"] == shape.tokens
    if shape.finish is not None:
        assert message.response_metadata["finish_reason"] == shape.finish
    assert {key: message.response_metadata.get(key) for key in shape.metadata} == dict(shape.metadata)
    assert "incomplete" in shape.metadata or "incomplete" not in message.response_metadata


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("shape", STREAMS, ids=str)
def test_a_stream_in_a_reported_shape(scripted: Scripted, shape: Shape, way: str) -> None:
    began = time.monotonic()
    check(shape, STREAMED[way](scripted.model(shape)))
    assert time.monotonic() - began < 1.2 or not shape.options.get("stall")


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("shape", replies.SHAPES, ids=str)
def test_a_whole_answer_in_a_reported_shape(scripted: Scripted, shape: Shape, way: str) -> None:
    model = scripted.model(shape)
    check(shape, model.invoke("q") if way == "invoke" else asyncio.run(model.ainvoke("q")))


REFERENCE = re.compile(r"(sibling of )?([\w.-]+/[\w.-]+#\d+|https://\S+)")


@pytest.mark.parametrize("shape", [*STREAMS, *replies.SHAPES], ids=str)
def test_a_shape_names_its_source(shape: Shape) -> None:
    assert REFERENCE.match(shape.source)


def test_there_are_many_shapes() -> None:
    assert len(STREAMS) + len(replies.SHAPES) >= 80
    assert len({str(shape) for shape in STREAMS}) == len(STREAMS)
