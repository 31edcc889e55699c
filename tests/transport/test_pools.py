from __future__ import annotations

import asyncio
import gc
import os
import threading

import httpx2
import pytest
from pydantic import SecretStr

from langchain_unified import errors
from langchain_unified.transport import Transport, _connected, _http, client, pools
from tests.support.server import Reply, serve
from tests.transport.faces import DONE, call, config, handler, to

pytestmark = pytest.mark.usefixtures("fresh_pools")


async def read(target, provider):
    async with await target.astream(call(provider)) as events:
        return [event async for event in events]


# --- reuse ------------------------------------------------------------------------------------------------------------


def test_six_streams_and_a_call_over_one_connection(provider):
    with serve(handler) as server:
        target = to(provider, server)
        for _ in range(6):
            with target.stream(call(provider)) as events:
                assert list(events) == DONE[provider]
        target.send(call(provider))
    assert (len(server.requests), server.connections) == (7, 1)


async def test_six_async_streams_and_a_call_over_one_connection(provider):
    with serve(handler) as server:
        target = to(provider, server)
        for _ in range(6):
            assert await read(target, provider) == DONE[provider]
        await target.asend(call(provider))
        assert (len(server.requests), server.connections) == (7, 1)


def test_instances_of_equal_settings_share_connections(provider):
    with serve(handler) as server:
        for number in range(5):
            to(provider, server, default_headers=(("x-n", str(number)),), timeout=3.0 + number).send(call(provider))
    assert server.connections == 1
    assert [request.headers["x-n"] for request in server.requests] == list("01234")


def test_both_sdks_share_connections():
    with serve(handler) as server:
        for provider in ("anthropic", "openai", "anthropic", "openai"):
            to(provider, server).send(call(provider))
    assert server.connections == 1


def test_an_error_answer_gives_its_connection_back(face, provider):
    with serve(lambda _: Reply.json({"error": {"message": "no"}}, 400)) as server:
        target = to(provider, server)
        for _ in range(3):
            assert isinstance(face.stream(target, call(provider)).error, errors.InvalidRequestError)
    assert server.connections == (1 if face.name == "sync" else 3)


def test_a_hundred_instances_open_no_further_files(provider):
    with serve(handler) as server:
        to(provider, server).send(call(provider))
        before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        kept = [to(provider, server) for _ in range(100)]
        for target in kept:
            target.send(call(provider))
        after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after <= before + 2
    assert server.connections == 1


def test_no_cookie_is_kept():
    with serve(lambda _: Reply.json({}, headers={"set-cookie": "tenant=a; Path=/"})) as server:
        for _ in range(2):
            to("openai", server).send(call("openai"))
    assert "cookie" not in server.requests[1].headers


def counted(monkeypatch, module, name):
    """The arguments of each call of the module's function from now on."""
    calls, real = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **kwargs: (calls.append(args), real(*args, **kwargs))[1])
    return calls


@pytest.mark.parametrize("key", [SecretStr("k"), lambda: "k"], ids=["key", "function"])
async def test_what_follows_from_the_configuration_is_computed_once(provider, monkeypatch, key):
    made = [counted(monkeypatch, *of) for of in ((client, "key_of"), (pools, "http_timeout"), (client, "client_key"))]
    with serve(handler) as server:
        target = to(provider, server, api_key=key)
        for _ in range(3):
            target.send(call(provider))
        assert [len(calls) for calls in made] == [1, 1, 1]
        for _ in range(3):
            await target.asend(call(provider))
        assert [len(calls) for calls in made] == [1, 1, 2]
        target.send(call(provider, api_key=SecretStr("tenant")))
        target.send(call(provider, api_key=SecretStr("other-tenant")))
        assert [len(calls) for calls in made] == [1, 1, 2 if callable(key) else 3]
    assert server.connections == 2


def test_a_function_that_returns_the_same_key_again_needs_no_other_client(provider, monkeypatch):
    copies, keys = counted(monkeypatch, _connected, "client_with_key"), iter(["a", "a", "a", "b", "b", "a"])
    with serve(handler) as server:
        target = to(provider, server, api_key=lambda: next(keys))
        for _ in range(6):
            target.send(call(provider))
    assert [key for _, key, _ in copies] == ["a", "b", "a"]
    assert [request.headers["authorization"][-1] for request in server.requests] == list("aaabba")


# --- event loops ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reused", [True, False])
def test_three_event_loops_send_three_requests(provider, reused):
    with serve(handler) as server:
        target = to(provider, server, max_retries=2)
        for _ in range(3):
            asyncio.run((target if reused else to(provider, server)).asend(call(provider)))
        assert len(server.requests) == 3
        for _ in range(3):
            asyncio.run(read(target, provider))
        assert len(server.requests) == 6
        assert {request.headers["x-stainless-retry-count"] for request in server.requests} == {"0"}


def test_event_loops_in_threads_send_one_request_each(provider):
    with serve(handler) as server:
        target = to(provider, server, max_retries=2)

        def run():
            for _ in range(3):
                asyncio.run(target.asend(call(provider)))

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(server.requests) == 12


def test_the_connections_close_with_their_loop(provider, recwarn):
    kept = []

    async def run(target):
        await target.asend(call(provider))
        (pool,) = pools._ASYNC[asyncio.get_running_loop()].values()
        kept.append(pool.http)
        assert not pool.http.is_closed

    gc.collect()
    recwarn.clear()
    with serve(handler) as server:
        asyncio.run(run(to(provider, server)))
    assert kept[0].is_closed
    gc.collect()
    assert not [warning for warning in recwarn if issubclass(warning.category, ResourceWarning)]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_was_just_closed_leaves_no_pool(provider):
    with serve(handler) as server:
        target = to(provider, server)
        for _ in range(3):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(target.asend(call(provider)))
            # As a program does that knows nothing of async generators.
            loop.close()
        asyncio.run(target.asend(call(provider)))
        assert len(server.requests) == 4
    assert not [loop for loop in pools._ASYNC if pools._ASYNC[loop]]
    del loop
    gc.collect()  # here, where its sockets may complain


async def test_concurrent_first_calls_share_one_pool(provider):
    with serve(handler) as server:
        target = to(provider, server)
        await asyncio.gather(*(target.asend(call(provider)) for _ in range(10)))
        assert len(pools._ASYNC[asyncio.get_running_loop()]) == 1
        assert len(server.requests) == 10


def test_threads_make_one_pool(provider):
    with serve(handler) as server:
        barrier = threading.Barrier(8)

        def run():
            barrier.wait()
            to(provider, server).send(call(provider))

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(pools._SYNC) == 1
    assert len(server.requests) == 8


# --- network settings -------------------------------------------------------------------------------------------------


def test_connections_are_kept_for_a_minute_with_tcp_keep_alive(provider):
    import socket

    assert _http.IDLE_SECONDS == 60
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in _http.keep_alive()


def test_one_ssl_context_serves_all():
    first = _http._ssl_context(None, None)
    assert _http._ssl_context(None, None) is first


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_a_proxy_is_used(face, provider, how, monkeypatch):
    with serve(handler) as proxy:
        options = {"proxy": proxy.url} if how == "argument" else {}
        if how == "environment":
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
        face.send(to(provider, "http://provider.invalid", **options), call(provider))
    assert proxy.requests[0].path == f"http://provider.invalid{call(provider).path}"


def test_no_proxy_is_obeyed(face, provider, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(handler) as server:
        assert face.send(to(provider, server), call(provider)).data == {"ok": 1}


def test_socket_options_that_cannot_be_applied_are_told(provider, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(handler) as server, pytest.warns(UserWarning, match="socket_options are not applied"):
        to(provider, server, socket_options=()).send(call(provider))


def test_a_proxy_of_an_unknown_kind_is_named_without_its_password(face, provider):
    with pytest.raises(errors.ConfigurationError, match="The proxy cannot be used") as caught:
        face.send(to(provider, "http://127.0.0.1:1", proxy="gopher://me:hunter2@proxy"), call(provider))
    assert "hunter2" not in str(caught.value)


def test_different_network_settings_have_their_own_pools(provider):
    with serve(handler) as server:
        to(provider, server).send(call(provider))
        to(provider, server, socket_options=()).send(call(provider))
        assert len(pools._SYNC) == 2
    assert server.connections == 2


def test_a_ready_http_client_is_used_and_left_open(provider):
    seen = []
    with serve(handler) as server, httpx2.Client(event_hooks={"request": [seen.append]}) as mine:
        target = to(provider, server, http_client=mine)
        target.send(call(provider))
        target.close()
        target.send(call(provider))
        assert not mine.is_closed
    assert len(seen) == 2
    assert pools._SYNC == {}


async def test_a_ready_async_http_client_is_used_and_left_open(provider):
    seen = []

    async def hook(request):
        seen.append(request)

    with serve(handler) as server:
        async with httpx2.AsyncClient(event_hooks={"request": [hook]}) as mine:
            target = to(provider, server, http_async_client=mine)
            await target.asend(call(provider))
            await target.aclose()
            assert not mine.is_closed
    assert len(seen) == 1


def test_headers_and_query_of_configuration_and_call(face, provider):
    options = {"default_headers": (("x-a", "1"), ("x-b", "1")), "default_query": (("q", "1"), ("r", "1"))}
    with serve(handler) as server:
        face.send(to(provider, server, **options), call(provider, headers={"X-B": "2"}, query={"r": "2"}))
    (request,) = server.requests
    assert (request.headers["x-a"], request.headers["x-b"], request.query) == ("1", "2", {"q": "1", "r": "2"})
    assert request.headers["content-type"] == "application/json"


def test_an_answer_has_its_request_id_and_headers(face, provider):
    name = {"anthropic": "request-id", "openai": "x-request-id"}[provider]
    with serve(lambda _: Reply.json({"ok": 1}, headers={name: "req_5", "X-Limit": "9"})) as server:
        answer = face.send(to(provider, server), call(provider))
    assert (answer.data, answer.request_id, answer.headers["x-limit"]) == ({"ok": 1}, "req_5", "9")


def test_too_many_clients_are_forgotten(provider, monkeypatch):
    monkeypatch.setattr(pools, "MAX_SDK_CLIENTS", 3)
    with serve(handler) as server:
        for number in range(10):
            to(provider, server, api_key=lambda: "k", default_headers=(("x", str(number)),)).send(call(provider))
        (pool,) = pools._SYNC.values()
        assert len(pool._clients) <= 3
    assert server.connections == 1


def test_a_transport_may_be_made_from_an_unhashable_query(provider):
    with serve(handler) as server:
        Transport(config(provider, server, default_query=(("tags", ["a", "b"]),))).send(call(provider))
    assert len(server.requests) == 1
