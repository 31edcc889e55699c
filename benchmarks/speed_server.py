"""The server that the speed is measured against: ready bytes on loopback, in a process of its own.

An address is `/JOB-SIZE` and the path of an API. A request with `"stream":true` gets the stream of that job and size
in one piece, so that the client's reads do not count; with the job `paced` each event is a chunk of its own, `PACE`
seconds after the last. Any other request gets a short reply. `python -m benchmarks.speed_server` prints its port.
"""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.speed_shapes import HEADERS, PATHS, PIECES, STREAMED, WHOLE

PACE = 0.002
API_AT = {path: api for api, path in PATHS.items()}


@functools.lru_cache
def whole(api: str) -> bytes:
    body = json.dumps(WHOLE[api]("Hello! How can I help you today?")).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{HEADERS[api]}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


@functools.lru_cache
def events(api: str, job: str, size: int) -> list[bytes]:
    return STREAMED[api](PIECES[job](size), job == "call")


@functools.lru_cache
def stream(api: str, job: str, size: int) -> bytes:
    body = b"".join(events(api, job, size))
    kind = "content-type: text/event-stream; charset=utf-8\r\n"
    return f"HTTP/1.1 200 OK\r\n{kind}{HEADERS[api]}content-length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One connection of a client. Requests come one after the other."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, bytearray()

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.received[:end]).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].partition("\r")[0] or 0)
            if len(self.received) < end + 4 + length:
                return
            streamed = b'"stream":true' in self.received[end:].replace(b" ", b"")
            path = bytes(self.received[:end]).split(b" ", 2)[1].decode().partition("?")[0]
            del self.received[: end + 4 + length]
            self.answer(path, streamed)

    def answer(self, path: str, streamed: bool) -> None:
        name, _, rest = path[1:].partition("/")
        job, _, size = name.partition("-")
        api = API_AT["/" + rest]
        if not streamed:
            self.transport.write(whole(api))
        elif job == "paced":
            kind = "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n"
            self.transport.write(f"HTTP/1.1 200 OK\r\n{kind}{HEADERS[api]}\r\n".encode())
            self.send_next(iter(events(api, job, int(size))))
        else:
            self.transport.write(stream(api, job, int(size)))

    def send_next(self, rest: Iterator[bytes]) -> None:
        event = next(rest, b"")
        self.transport.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        if event and not self.transport.is_closing():
            asyncio.get_running_loop().call_later(PACE, self.send_next, rest)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running() -> Iterator[str]:
    """The server in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.speed_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(serve())
