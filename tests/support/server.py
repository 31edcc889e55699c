"""A small scriptable HTTP/1.1 keep-alive server on 127.0.0.1, raw enough to cut, stall and drip.

    def handler(request: Received) -> Reply:
        return Reply.json({"ok": True})

    with serve(handler) as server:
        ...  # call server.url
    server.requests      # every request, in the order of arrival
    server.connections   # how many TCP connections were made
    server.disconnects   # how many replies the client hung up on

A reply is written in a thread of its connection, so a handler may block. What a handler raises is answered with 500
and raised again at the end of the `with` block.
"""

from __future__ import annotations

import contextlib
import http
import json
import select
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Received:
    """A request as it came. Header names are lower case; `connection` counts connections from 0."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: int

    @cached_property
    def json(self) -> Any:
        """The parsed body; `None` where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Reply:
    """What the server answers.

    `body`: bytes go out with Content-Length, an iterable of pieces goes out chunked, one chunk per piece.
    `cut`: close the connection before the end that was promised (Content-Length, or the last chunk).
    `wait`: seconds before the status line. `delay`: seconds before each piece. `stall`: seconds after the last piece,
    before the end. `close`: send `Connection: close` and close after the reply.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    cut: bool = False
    wait: float = 0.0
    delay: float = 0.0
    stall: float = 0.0
    close: bool = False

    @classmethod
    def json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None, **options: Any) -> Reply:
        """One JSON body."""
        headers = {"content-type": "application/json", **(headers or {})}
        return cls(status, headers, json.dumps(data).encode(), **options)

    @classmethod
    def sse(
        cls,
        events: Iterable[Any],
        headers: Mapping[str, str] | None = None,
        *,
        size: int | None = None,
        done: bool = False,
        **options: Any,
    ) -> Reply:
        """An event stream: one piece per event, or pieces of `size` bytes. `done` adds the `[DONE]` payload."""
        pieces = [sse_event(event) for event in events] + ([b"data: [DONE]\n\n"] if done else [])
        body = pieces if size is None else split(b"".join(pieces), size)
        return cls(200, {"content-type": "text/event-stream", **(headers or {})}, body, **options)


def sse_event(event: Any) -> bytes:
    """An event as both providers frame it; only Anthropic's and Responses' objects have a `type` to name."""
    named = b"event: %s\n" % event["type"].encode() if isinstance(event, dict) and "type" in event else b""
    return named + b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def split(data: bytes, size: int) -> list[bytes]:
    """The data in pieces of `size` bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)]


Handler = Callable[[Received], Reply]
REASONS = {int(status): status.phrase for status in http.HTTPStatus}


class ClientGoneError(Exception):
    """The client closed the connection before the reply was out."""


class Server:
    """Counts what comes in and hands each request to `handler`, one thread per connection."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[Received] = []
        self.failures: list[BaseException] = []
        self.connections = 0
        self.disconnects = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def wait_disconnects(self, count: int = 1, timeout: float = 1.0) -> bool:
        """Whether `count` disconnects were seen, now or within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.disconnects >= count, timeout)

    def wait_open(self, count: int, timeout: float = 2.0) -> bool:
        """Whether exactly `count` connections are open, now or within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._open) == count, timeout)

    def stop(self) -> None:
        """Close the listener and every connection; replies that still drip end."""
        self._stopping = True
        # `accept` does not wake up when its socket is closed under it; a last connection wakes it.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join(2)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._stopping:
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number, self.connections = self.connections, self.connections + 1
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            for request in _requests(connection, number):
                with self._changed:
                    self.requests.append(request)
                reply = self._answer(request)
                send(connection, reply)
                if reply.close or reply.cut:
                    return
        except (ClientGoneError, BrokenPipeError, ConnectionResetError):
            self._gone()
        except Exception as failure:  # noqa: BLE001  # raised again where the server stops
            self.failures.append(failure)
        finally:
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()
            # Without a shutdown the close waits for the reader of another thread, and a cut would not be seen.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _answer(self, request: Received) -> Reply:
        try:
            return self.handler(request)
        except Exception as failure:  # noqa: BLE001  # raised again where the server stops
            self.failures.append(failure)
            return Reply(500, {"content-type": "text/plain"}, traceback.format_exc().encode(), close=True)

    def _gone(self) -> None:
        if not self._stopping:
            with self._changed:
                self.disconnects += 1
                self._changed.notify_all()


@contextlib.contextmanager
def serve(handler: Handler) -> Iterator[Server]:
    """A running server; it stops with the block."""
    server = Server(handler)
    try:
        yield server
    finally:
        server.stop()
    if server.failures:
        raise server.failures[0]


# --- reading ----------------------------------------------------------------------------------------------------------


def _requests(connection: socket.socket, number: int) -> Iterator[Received]:
    buffer = b""
    while True:
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            try:
                data = connection.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffer += data
        head, buffer = buffer[:end], buffer[end + 4 :]
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body, buffer = _body(connection, headers, buffer)
        path, _, query = target.partition("?")
        yield Received(method, path, dict(parse_qsl(query)), headers, body, number)


def _body(connection: socket.socket, headers: Mapping[str, str], buffer: bytes) -> tuple[bytes, bytes]:
    """The request's body, and what came after it. Chunked bodies are not read: no SDK sends one for JSON."""
    length = int(headers.get("content-length", "0"))
    parts, have = [buffer], len(buffer)
    while have < length:
        data = connection.recv(262144)
        if not data:
            raise ClientGoneError
        parts.append(data)
        have += len(data)
    whole = b"".join(parts)
    return whole[:length], whole[length:]


# --- writing ----------------------------------------------------------------------------------------------------------


def send(connection: socket.socket, reply: Reply) -> None:
    """Write the reply. Raises `ClientGoneError` as soon as the client hangs up."""
    _pause(connection, reply.wait)
    if isinstance(reply.body, bytes):
        _send_whole(connection, reply, reply.body)
    else:
        _send_chunked(connection, reply, reply.body)


def _head(reply: Reply, *framing: str) -> bytes:
    first = f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Other')}"
    lines = [first, *(f"{name}: {value}" for name, value in reply.headers.items()), *framing]
    if reply.close:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _send_whole(connection: socket.socket, reply: Reply, body: bytes) -> None:
    promised = len(body) + (1000 if reply.cut else 0)
    head = _head(reply, f"content-length: {promised}")
    if reply.delay:
        connection.sendall(head)
        _pause(connection, reply.delay)
        connection.sendall(body)
    else:
        connection.sendall(head + body)
    _pause(connection, reply.stall)


def _send_chunked(connection: socket.socket, reply: Reply, pieces: Iterable[bytes]) -> None:
    connection.sendall(_head(reply, "transfer-encoding: chunked"))
    if reply.delay or not isinstance(pieces, list):
        for piece in pieces:
            _pause(connection, reply.delay)
            connection.sendall(_chunk(piece))
    elif pieces:
        connection.sendall(b"".join(map(_chunk, pieces)))
    _pause(connection, reply.stall)
    if not reply.cut:
        connection.sendall(b"0\r\n\r\n")


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""


def _pause(connection: socket.socket, seconds: float) -> None:
    """Wait, but notice at once when the client closes its end."""
    if seconds <= 0:
        return
    if select.select([connection], [], [], seconds)[0]:
        if not connection.recv(1, socket.MSG_PEEK):
            raise ClientGoneError
        time.sleep(seconds)
