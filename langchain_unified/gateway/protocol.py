"""uvicorn's HTTP protocol with limits that it lacks: on the time and the size of a request's head."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""How long the request line and the headers may take, from the first byte or the opening of the connection on."""

MAX_HEAD_BYTES = 65_536
MAX_HEADERS = 200

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _JoinedHead:
    """The transport of one response, which sends its head together with the first part of its body.

    uvicorn writes them apart, and a write is a call of the system and a packet. Without a body in the same turn of the
    event loop the head goes alone.
    """

    __slots__ = ("_head", "_is_sent", "_loop", "_transport")

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head = b""
        self._is_sent = False

    def write(self, data: bytes) -> None:
        if self._is_sent or data.startswith(_CONTINUE):
            self._transport.write(data)
        elif self._head:
            data, self._head, self._is_sent = self._head + data, b"", True
            self._transport.write(data)
        else:
            self._head = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return bool(self._transport.is_closing())

    def _flush(self) -> None:
        if self._head:
            self.write(b"")


_CONTINUE = b"HTTP/1.1 100 "


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose heads come too slowly or do not end."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: Any) -> None:
        """A client connected."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._close_with(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """All headers are there."""
        self._stop_timer()
        self._in_head, self._head_bytes = False, 0
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not None and self.cycle is not before:
            self.cycle.transport = _JoinedHead(self.transport, self.loop)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """The body is there. The next bytes are those of another head."""
        super().on_message_complete()
        self._in_head = True

    def _await_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._close_with, _TOO_SLOW)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close_with(self, answer: bytes) -> None:
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()
