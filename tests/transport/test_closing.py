"""`close` and `aclose`: connections are closed when no transport uses them, and a later call connects anew."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import pickle
import signal
import time

import pytest
from pydantic import SecretStr

from langchain_unified import errors
from langchain_unified.transport import pools
from tests.support.server import Reply, serve
from tests.transport.faces import call, handler, to

pytestmark = pytest.mark.usefixtures("fresh_pools")


def endless(_):
    return Reply.sse([{"n": n} for n in range(400)], delay=0.02)


# --- sync -------------------------------------------------------------------------------------------------------------


def test_close_closes_the_connections_and_a_later_call_connects_anew(provider):
    with serve(handler) as server:
        target = to(provider, server)
        target.send(call(provider))
        list(target.stream(call(provider)))
        assert server.connections == 1
        target.close()
        assert server.wait_open(0)
        assert pools._SYNC == {}
        assert target.send(call(provider)).data == {"ok": 1}
        target.send(call(provider))
        assert server.connections == 2
        target.close()
        assert server.wait_open(0)


def test_close_leaves_the_connections_of_others(provider):
    with serve(handler) as server:
        one, other = to(provider, server), to(provider, server)
        one.send(call(provider))
        other.send(call(provider))
        one.close()
        other.send(call(provider))
        assert server.connections == 1
        other.close()
        assert server.wait_open(0)
        assert pools._SYNC == {}
        one.send(call(provider))
        assert server.connections == 2


def test_a_call_after_close_is_a_use_that_others_respect(provider):
    with serve(handler) as server:
        one, other = to(provider, server), to(provider, server)
        one.send(call(provider))
        other.send(call(provider))
        one.close()
        one.send(call(provider))
        other.close()
        one.send(call(provider))
        assert server.connections == 1


def test_a_second_close_takes_no_other_connections(provider):
    with serve(handler) as server:
        one, other = to(provider, server), to(provider, server)
        one.send(call(provider))
        other.send(call(provider))
        for _ in range(2):
            one.close()
        other.send(call(provider))
        assert server.connections == 1


def test_a_transport_that_is_gone_holds_no_connection(provider):
    with serve(handler) as server:
        one, other = to(provider, server), to(provider, server)
        one.send(call(provider))
        other.send(call(provider))
        del one
        gc.collect()
        other.close()
        assert server.wait_open(0)


def test_a_retired_transport_closes_after_its_calls(provider):
    with serve(lambda _: Reply.sse([{"n": n} for n in range(4)], delay=0.02)) as server:
        target = to(provider, server)
        events = target.stream(call(provider))
        target.retire()
        assert len(list(events)) == 4
        assert server.wait_open(1)
        del target, events
        gc.collect()
        assert server.wait_open(0)
        assert pools._SYNC == {}


def test_a_retired_transport_leaves_the_connections_of_others(provider):
    with serve(handler) as server:
        one, other = to(provider, server), to(provider, server)
        one.send(call(provider))
        other.send(call(provider))
        one.retire()
        del one
        gc.collect()
        other.send(call(provider))
        assert server.connections == 1


def test_close_ends_the_calls_with_a_key_of_their_own_as_well(provider):
    with serve(handler) as server:
        target = to(provider, server)
        target.send(call(provider))
        target.send(call(provider, api_key=SecretStr("tenant-a")))
        target.close()
        assert server.wait_open(0)
        target.send(call(provider, api_key=SecretStr("tenant-a")))
        target.send(call(provider))
        assert server.connections == 2
    assert [request.headers["authorization"][-8:] for request in server.requests[2:]] == ["tenant-a", "89abcdef"]


def test_a_stream_that_is_read_while_its_transport_closes_is_a_connection_error(provider):
    with serve(endless) as server:
        target = to(provider, server)
        with target.stream(call(provider)) as events:
            assert next(events) == {"n": 0}
            target.close()
            with pytest.raises(errors.ConnectionFailedError):
                list(events)
        assert server.wait_disconnects()


# --- async ------------------------------------------------------------------------------------------------------------


async def test_aclose_closes_the_connections_and_a_later_call_connects_anew(provider):
    with serve(handler) as server:
        target = to(provider, server)
        await target.asend(call(provider))
        assert [event async for event in await target.astream(call(provider))]
        assert server.connections == 1
        await target.aclose()
        assert await asyncio.to_thread(server.wait_open, 0)
        assert pools._ASYNC[asyncio.get_running_loop()] == {}
        assert (await target.asend(call(provider))).data == {"ok": 1}
        await target.asend(call(provider))
        assert server.connections == 2
        await target.aclose()
        assert await asyncio.to_thread(server.wait_open, 0)


async def test_aclose_leaves_the_connections_of_others(provider):
    with serve(handler) as server:
        one, other = to(provider, server), to(provider, server)
        await one.asend(call(provider))
        await other.asend(call(provider))
        await one.aclose()
        await other.asend(call(provider))
        assert server.connections == 1
        await other.aclose()
        assert await asyncio.to_thread(server.wait_open, 0)
        assert pools._ASYNC[asyncio.get_running_loop()] == {}
        await one.asend(call(provider))
        assert server.connections == 2


async def test_an_async_call_after_aclose_is_a_use_that_others_respect(provider):
    with serve(handler) as server:
        one, other = to(provider, server), to(provider, server)
        await one.asend(call(provider))
        await other.asend(call(provider))
        await one.aclose()
        await one.asend(call(provider))
        await other.aclose()
        await one.asend(call(provider))
        assert server.connections == 1


def test_aclose_closes_the_connections_of_its_event_loop_only(provider):
    with serve(handler) as server, asyncio.Runner() as one, asyncio.Runner() as other:
        target = to(provider, server)
        one.run(target.asend(call(provider)))
        other.run(target.asend(call(provider)))
        assert server.wait_open(2)
        one.run(target.aclose())
        assert server.wait_open(1)
        other.run(target.asend(call(provider)))
        assert server.connections == 2
        other.run(target.aclose())
        assert server.wait_open(0)


async def test_a_stream_that_is_read_while_its_transport_acloses_is_a_connection_error(provider):
    with serve(endless) as server:
        target = to(provider, server)
        async with await target.astream(call(provider)) as events:
            assert await anext(events) == {"n": 0}
            await target.aclose()
            with pytest.raises(errors.ConnectionFailedError):
                [event async for event in events]
        assert await asyncio.to_thread(server.wait_disconnects)


# --- both -------------------------------------------------------------------------------------------------------------


async def test_sync_and_async_connections_close_apart(provider):
    with serve(handler) as server:
        target = to(provider, server)
        await target.asend(call(provider))
        await asyncio.to_thread(target.send, call(provider))
        target.close()
        assert await asyncio.to_thread(server.wait_open, 1)
        await target.asend(call(provider))
        assert server.connections == 2
        await target.aclose()
        assert await asyncio.to_thread(server.wait_open, 0)


def test_closing_before_the_first_call_does_nothing(provider):
    target = to(provider, "http://127.0.0.1:1")
    target.close()
    asyncio.run(target.aclose())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_has_the_configuration_and_no_connection(provider, copied):
    with serve(handler) as server:
        target = to(provider, server)
        target.send(call(provider))
        twin = copied(target)
        assert twin.config == target.config
        twin.close()
        target.send(call(provider))
        assert server.connections == 1
        twin.send(call(provider))
        target.close()
        twin.send(call(provider))
        assert server.connections == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_connects_anew(provider):
    with serve(handler) as server:
        target = to(provider, server)
        target.send(call(provider))
        child = os.fork()
        if child == 0:
            status = 1
            try:
                target.send(call(provider))
                status = 0
            finally:
                os._exit(status)
        assert status_of(child) == 0
        target.send(call(provider))
    assert server.connections == 2
    assert [request.connection for request in server.requests] == [0, 1, 0]


def status_of(child: int, seconds: float = 30) -> int:
    """The status with which a child process ends. It is killed if the test ends before."""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                child = 0
                return status
            time.sleep(0.01)
        raise AssertionError("the child process did not end")
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
