"""Pools of many connections: how many a server on loopback sees, and that all are closed in the end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2
import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.transport import _http, pools
from langchain_unified.transport._shards import SHARD, AsyncShards, shard
from langchain_unified.transport.config import Network, TransportConfig

pytestmark = pytest.mark.usefixtures("fresh_pools")

CHAT = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5-mini",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}  # fmt: skip
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_reason": "end_turn",
           "stop_sequence": None, "content": [{"type": "text", "text": "hi"}],
           "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip
LIMIT = 60.0
"""Seconds after which a test fails instead of waiting on."""


class Loopback:
    """A server that counts its connections. It answers once `wave` requests wait for an answer."""

    def __init__(self) -> None:
        self.wave = 1
        self.opened = self.open = self.most = self.answered = 0
        self.url = ""
        self._waiting: list[asyncio.StreamWriter] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(LIMIT)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT)

    def all_closed(self) -> bool:
        end = time.monotonic() + LIMIT
        while self.open and time.monotonic() < end:
            time.sleep(0.01)
        return self.open == 0

    def all_wait(self, count: int) -> bool:
        end = time.monotonic() + LIMIT
        while len(self._waiting) < count and time.monotonic() < end:
            time.sleep(0.01)
        return len(self._waiting) == count

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2000))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
                await reader.readexactly(int(lines.get(b"content-length", b"0")))
                body = json.dumps(MESSAGE if b"anthropic-version" in lines else CHAT).encode()
                self._waiting.append(writer)
                writer.reply = (  # type: ignore[attr-defined]
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                ) + body
                self._answer()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    def _answer(self) -> None:
        if len(self._waiting) >= self.wave:
            for writer in self._waiting:
                writer.write(writer.reply)  # type: ignore[attr-defined]
            self.answered += len(self._waiting)
            self._waiting.clear()


@contextmanager
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def model_at(name: str, url: str, **settings: Any) -> Any:
    common: dict[str, Any] = {"api_key": "k", "timeout": LIMIT, "max_retries": 0, **settings}
    if name == "anthropic":
        return ChatAnthropic(model="claude-sonnet-5", base_url=url, **common)
    return ChatOpenAI(model="gpt-5-mini", base_url=f"{url}/v1", use_responses_api=False, **common)


def settings_with(most: int | None = None) -> _http.PoolKey:
    return _http.key_of(TransportConfig("openai", network=Network(max_connections=most)))


async def in_waves(server: Loopback, size: int, waves: int, call: Callable[[], Any]) -> None:
    server.wave = size
    for _ in range(waves):
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*(call() for _ in range(size)))


@pytest.mark.parametrize("name", ["anthropic", "openai"])
async def test_calls_above_a_hundred_open_as_many_connections_as_there_are_calls(name: str) -> None:
    with loopback() as server:
        model = model_at(name, server.url)
        await in_waves(server, 250, 3, lambda: model.ainvoke("hi"))
        assert (server.answered, server.opened) == (750, 250)
        (pool,) = pools._ASYNC[asyncio.get_running_loop()].values()
        shards: Any = pool.http._transport._pool  # type: ignore[attr-defined]
        assert isinstance(shards, AsyncShards)
        assert [len(each.connections) for each in shards.pools] == [100, 100, 50]
        await model.aclose()
        assert await asyncio.to_thread(server.all_closed)


async def test_a_thousand_at_the_same_time() -> None:
    with loopback() as server:
        async with _http.async_http_client(settings_with()) as client:
            await in_waves(server, 1000, 2, lambda: client.post(server.url, content=b"{}", timeout=LIMIT))
            assert (server.answered, server.opened) == (2000, 1000)
            assert max(len(each.connections) for each in client._transport._pool.pools) <= SHARD  # type: ignore[attr-defined]
        assert await asyncio.to_thread(server.all_closed)


@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_threads_share_the_pools(name: str) -> None:
    with loopback() as server, ThreadPoolExecutor(130) as threads:
        model = model_at(name, server.url)
        server.wave = 130
        for _ in range(2):
            list(threads.map(lambda _: model.invoke("hi"), range(130)))
        assert (server.answered, server.opened) == (260, 130)
        model.close()
        assert server.all_closed()


@pytest.mark.parametrize("most", [120, 205])
async def test_no_more_connections_than_allowed(most: int) -> None:
    with loopback() as server:
        async with _http.async_http_client(settings_with(most)) as client:
            await in_waves(server, most, 1, lambda: client.post(server.url, content=b"{}", timeout=LIMIT))
            server.wave = 1
            await asyncio.gather(*(client.post(server.url, timeout=LIMIT) for _ in range(most + 50)))
        assert (server.opened, server.most) == (most, most)


@pytest.mark.parametrize("most, kind", [
    (100, httpcore2.AsyncConnectionPool), (None, AsyncShards), (101, AsyncShards),
])  # fmt: skip
async def test_a_few_calls_use_one_pool(most: int | None, kind: type) -> None:
    with loopback() as server:
        async with _http.async_http_client(settings_with(most)) as client:
            await in_waves(server, 80, 2, lambda: client.post(server.url, content=b"{}", timeout=LIMIT))
            pool: Any = client._transport._pool  # type: ignore[attr-defined]
            assert isinstance(pool, kind)
            assert len(getattr(pool, "pools", [pool])) == 1
        assert server.opened == 80


async def test_idle_connections_of_all_pools_are_closed_in_time() -> None:
    with loopback() as server:
        limits = httpx2.Limits(max_connections=300, max_keepalive_connections=300, keepalive_expiry=0.2)
        async with httpx2.AsyncClient(limits=limits) as client:
            shard(client, 300, 0.0)
            await in_waves(server, 250, 1, lambda: client.post(server.url, timeout=LIMIT))
            assert len(client._transport._pool.pools) == 3  # type: ignore[attr-defined]
            await asyncio.sleep(0.4)
            server.wave = 1
            await client.post(server.url, timeout=LIMIT)
            assert len(client._transport._pool.connections) == 1  # type: ignore[attr-defined]


async def test_a_proxy_of_the_environment_has_several_pools_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback() as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        async with _http.async_http_client(settings_with()) as client:
            await in_waves(server, 150, 2, lambda: client.post("http://elsewhere.invalid/", timeout=LIMIT))
        assert server.opened == 150


async def test_a_call_that_is_cancelled_leaves_its_place() -> None:
    with loopback() as server:
        async with _http.async_http_client(settings_with(110)) as client:
            server.wave = 1000
            for _ in range(2):
                calls = [asyncio.ensure_future(client.post(server.url, timeout=LIMIT)) for _ in range(110)]
                assert await asyncio.to_thread(server.all_wait, 110)
                for each in calls:
                    each.cancel()
                await asyncio.gather(*calls, return_exceptions=True)
                server._waiting.clear()
            server.wave = 1
            assert (await client.post(server.url, timeout=LIMIT)).status_code == 200
