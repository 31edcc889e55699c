"""A stream ends with its answer, whatever the server does with the connection then."""

from __future__ import annotations

import asyncio
import time

import pytest

from langchain_unified import ChatOpenAI, errors
from tests.support.server import Reply, serve
from tests.transport.faces import DONE, call, to

STREAM = {"content-type": "text/event-stream"}
TEXT = b'data: {"id": "c1", "choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\n'
STOP = b'data: {"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'


def ended(provider, **options):
    return Reply.sse(DONE[provider], done=provider == "openai", **options)


@pytest.mark.parametrize("stall", [0.0, 0.15])
def test_a_connection_is_used_again_once_the_server_ends_the_response(provider, stall):
    with serve(lambda _: ended(provider, stall=stall)) as server:
        target = to(provider, server)
        for _ in range(3):
            with target.stream(call(provider)) as events:
                began = time.monotonic()
                assert list(events) == DONE[provider]
            assert stall == 0 or time.monotonic() - began < stall
            time.sleep(2 * stall)
        assert server.connections == 1


@pytest.mark.parametrize("stall", [0.0, 0.15])
def test_an_async_connection_is_used_again_once_the_server_ends_the_response(provider, stall):
    async def run(target):
        for _ in range(3):
            async with await target.astream(call(provider)) as events:
                assert [event async for event in events] == DONE[provider]
            await asyncio.sleep(2 * stall)
        await target.aclose()

    with serve(lambda _: ended(provider, stall=stall)) as server:
        asyncio.run(run(to(provider, server)))
        assert server.connections == 1


def test_a_response_that_never_ends_is_closed(face, provider, monkeypatch):
    monkeypatch.setattr("langchain_unified.transport._drain.LIMIT", 0.2)
    with serve(lambda _: ended(provider, stall=30)) as server:
        began = time.monotonic()
        got = face.stream(to(provider, server), call(provider))
        assert (got.events, got.error) == (DONE[provider], None)
        assert time.monotonic() - began < 2
        assert server.wait_disconnects(1, timeout=3)


def test_heartbeats_after_the_finish_reason_do_not_keep_an_answer(monkeypatch):
    """maximhq/bifrost#6784: no `[DONE]`, and comments for ever."""
    monkeypatch.setattr("langchain_unified.transport._streams.HEARTBEATS", 0.1)
    body = [TEXT, STOP, *[b": ping\n\n"] * 200]
    with serve(lambda _: Reply(200, STREAM, body, delay=0.03)) as server:
        model = ChatOpenAI(model="m", api_key="k", base_url=f"{server.url}/v1", dialect="generic", max_retries=0)
        began = time.monotonic()
        assert "".join(chunk.text for chunk in model.stream("q")) == "hi"
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("options", [{"timeout": 0.3}, {"stream_chunk_timeout": 0.3}])
def test_a_timeout_after_the_finish_reason_loses_nothing(options):
    with serve(lambda _: Reply(200, STREAM, [TEXT, STOP], stall=5)) as server:
        common = {"model": "m", "api_key": "k", "dialect": "generic", "max_retries": 0}
        model = ChatOpenAI(base_url=f"{server.url}/v1", **common, **options)
        (*_, last) = model.stream("q")
        assert last.response_metadata["finish_reason"] == "stop"
        assert "incomplete" not in last.response_metadata


@pytest.mark.parametrize("dialect", ["openai", "generic"])
@pytest.mark.parametrize("cut", [True, False])
def test_a_stream_without_a_finish_reason_is_incomplete(dialect, cut):
    with serve(lambda _: Reply(200, STREAM, [TEXT], cut=cut)) as server:
        model = ChatOpenAI(model="m", api_key="k", base_url=f"{server.url}/v1", dialect=dialect, max_retries=0)
        if dialect == "openai" or cut:
            with pytest.raises(errors.ConnectionFailedError) as caught:
                list(model.stream("q"))
            assert caught.value.partial.text == "hi"
        else:
            assert list(model.stream("q"))[-1].response_metadata["incomplete"] is True
