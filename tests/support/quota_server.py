"""A Chat Completions server on 127.0.0.1 that is cheap enough for thousands of requests and counts all of them.

    with quota_server(rate=100, burst=100, delay=0.01) as server:
        ...  # server.base_url
    server.asked["q7"]   # how often the message `q7` was sent, however it was answered
    server.answered["q7"]  # how often it was answered with 200
    server.refused, server.peak, server.connections, server.tokens

`rate`: answers per second, from a token bucket that holds `burst`; what is over it gets 429 with `retry-after`.
`headers`: whether answers carry OpenAI's rate-limit headers. `fault`: a function of the text and of how often it was
asked, that returns a status (0: the connection is closed), or `None`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator

ERRORS = {
    400: ("invalid_request_error", None), 401: ("invalid_request_error", "invalid_api_key"),
    403: ("permission_error", None), 429: ("requests", "rate_limit_exceeded"),
    402: ("insufficient_quota", "insufficient_quota"), 500: ("server_error", None), 529: ("overloaded_error", None),
}  # fmt: skip
Fault = Callable[[str, int], int | None]


class QuotaServer:
    """What the server was asked."""

    def __init__(
        self, *, rate: float | None, burst: float, delay: float, fault: Fault | None, headers: bool, retry_after: str
    ) -> None:
        self.rate, self.burst, self.delay, self.fault, self.headers = rate, burst, delay, fault, headers
        self.retry_after = retry_after
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.refused = self.in_flight = self.peak = self.connections = self.tokens = 0
        self.base_url = ""
        self._bucket, self._at = burst, time.monotonic()

    def _take(self) -> bool:
        """Whether the bucket has one more answer."""
        if self.rate is None:
            return True
        now = time.monotonic()
        self._bucket = min(self.burst, self._bucket + (now - self._at) * self.rate)
        self._at = now
        if self._bucket < 1:
            return False
        self._bucket -= 1
        return True

    def _limits(self) -> str:
        if self.rate is None or not self.headers:
            return ""
        reset = (self.burst - self._bucket) / self.rate
        return (
            f"x-ratelimit-limit-requests: {self.burst:.0f}\r\nx-ratelimit-remaining-requests: {int(self._bucket)}\r\n"
            f"x-ratelimit-reset-requests: {reset * 1000:.0f}ms\r\n"
        )

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                size = int(head.partition("content-length: ")[2].split("\r\n")[0])
                body = json.loads(await reader.readexactly(size))
                if not await self._serve(str(body["messages"][-1]["content"]), body["model"], writer):
                    break
        writer.close()

    async def _serve(self, text: str, model: str, writer: asyncio.StreamWriter) -> bool:
        self.asked[text] += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            fault = self.fault(text, self.asked[text]) if self.fault else None
            status = 200 if fault is None else fault
            if status == 200 and not self._take():
                status = 429
            self.refused += status == 429
            if status == 200 and self.delay:
                await asyncio.sleep(self.delay)
        finally:
            self.in_flight -= 1
        if status == 0:
            return False
        self.answered[text] += status == 200
        self.tokens += 4 * (status == 200)
        writer.write(self._reply(text, model, status))
        await writer.drain()
        return True

    def _reply(self, text: str, model: str, status: int) -> bytes:
        if status == 200:
            message = {"role": "assistant", "content": f"answer to {text}"}
            usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
            data = {
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage,
            }  # fmt: skip
        else:
            kind, code = ERRORS[status]
            data = {"error": {"message": f"status {status}", "type": kind, "code": code}}
        body = json.dumps(data).encode()
        waits = f"retry-after: {self.retry_after}\r\n" if status == 429 and self.retry_after else ""
        head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return f"{head}{waits}{self._limits()}\r\n".encode() + body


@contextlib.contextmanager
def quota_server(
    *,
    rate: float | None = None,
    burst: float = 100,
    delay: float = 0.0,
    fault: Fault | None = None,
    headers: bool = False,
    retry_after: str = "",
) -> Iterator[QuotaServer]:
    """A running server, on an event loop in a thread of its own."""
    served = QuotaServer(rate=rate, burst=burst, delay=delay, fault=fault, headers=headers, retry_after=retry_after)
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(served.connected, "127.0.0.1", 0)
        served.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready.set()
        with contextlib.suppress(asyncio.CancelledError):
            await server.serve_forever()

    task = loop.create_task(serve())

    def run() -> None:
        asyncio.set_event_loop(loop)
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        open_connections = asyncio.all_tasks(loop)
        for connection in open_connections:
            connection.cancel()
        loop.run_until_complete(asyncio.gather(*open_connections, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, name="quota-server", daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


def every(part: float, status: int, *, times: int = 1) -> Fault:
    """A fault in the first `times` requests of a part of all texts, the same in each run."""
    return lambda text, asked: status if asked <= times and zlib.crc32(text.encode()) % 1000 < part * 1000 else None
