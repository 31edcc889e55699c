"""One way to call a transport, sync or async, so that each test is written once and run twice."""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import SecretStr

from langchain_unified.transport import Answer, HttpCall, Transport, TransportConfig
from tests.support.server import Received, Reply, Server

T = TypeVar("T")
KEY = "sk-canary-0123456789abcdef"
PATHS = {"anthropic": "/v1/messages", "openai": "/chat/completions"}
BASES = {"anthropic": "", "openai": "/v1"}
DONE = {"anthropic": [{"type": "message_stop"}], "openai": [{"choices": []}]}


def handler(request: Received) -> Reply:
    """A short answer, streamed (`DONE`) where that is asked for."""
    if request.json and request.json.get("stream"):
        provider = "anthropic" if "messages" in request.path else "openai"
        return Reply.sse(DONE[provider], done=provider == "openai")
    return Reply.json({"ok": 1})


@dataclass
class Streamed:
    """What came of a stream: the events before the end or the error."""

    events: list[dict[str, Any]]
    error: BaseException | None = None
    request_id: str | None = None


class Sync:
    name = "sync"

    def send(self, target: Transport, call: HttpCall) -> Answer:
        return target.send(call)

    def stream(self, target: Transport, call: HttpCall) -> Streamed:
        got = Streamed([])
        try:
            with target.stream(call) as events:
                got.request_id = events.request_id
                for event in events:
                    got.events.append(event)
        except Exception as error:  # noqa: BLE001  # whatever came of it is what a test looks at
            got.error = error
        return got

    def first(self, target: Transport, call: HttpCall) -> dict[str, Any]:
        """The first event; then the stream is left."""
        with target.stream(call) as events:
            for event in events:
                return event
        raise AssertionError("no event")


class Async:
    """Each call in an event loop of its own, which ends the life of a ready async client."""

    name = "async"

    def send(self, target: Transport, call: HttpCall) -> Answer:
        return asyncio.run(closing(target, target.asend(call)))

    def stream(self, target: Transport, call: HttpCall) -> Streamed:
        got = Streamed([])

        async def run() -> None:
            try:
                async with await target.astream(call) as events:
                    got.request_id = events.request_id
                    async for event in events:
                        got.events.append(event)
            except Exception as error:  # noqa: BLE001  # as above
                got.error = error

        asyncio.run(closing(target, run()))
        return got

    def first(self, target: Transport, call: HttpCall) -> dict[str, Any]:
        async def run() -> dict[str, Any]:
            async with await target.astream(call) as events:
                async for event in events:
                    return event
            raise AssertionError("no event")

        return asyncio.run(closing(target, run()))


async def closing(target: Transport, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; a ready async client is closed in the loop that it was used in."""
    try:
        return await work
    finally:
        if target.config.async_client is not None:
            await target.config.async_client.close()


def config(provider: str, server: Server | str, **options: Any) -> TransportConfig:
    """A configuration for the server, with a key, and without retries unless the test is about them."""
    url = server if isinstance(server, str) else server.url + BASES[provider]
    options = {"api_key": SecretStr(KEY), "max_retries": 0, "timeout": 5.0, **options}
    return TransportConfig(provider=provider, base_url=url, **options)  # type: ignore[arg-type]


def to(provider: str, server: Server | str, **options: Any) -> Transport:
    return Transport(config(provider, server, **options))


def call(provider: str, **options: Any) -> HttpCall:
    body = options.pop("body", {"model": "m", "messages": []})
    return HttpCall(path=options.pop("path", PATHS[provider]), body=body, **{"model": "m", **options})


def text_of(error: BaseException) -> str:
    """The whole traceback, causes included, as a log would show it."""
    return "".join(traceback.format_exception(error))


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
