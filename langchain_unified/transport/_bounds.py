"""Limits of what is read: a server that sends without end, or compresses zeros, does not fill the memory.

They are set on each response before its body is read. Headers are limited by the HTTP client (100 kB). Importing this
module imports httpx2.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2

from langchain_unified.transport._limits import WHOLE, is_over, is_watched
from langchain_unified.transport.config import MAX_ERROR_BYTES, MAX_REPLY_BYTES, Network

PIECE = 1 << 20
"""Bytes that are decompressed at once."""

STREAMS = ("text/event-stream", "application/vnd.amazon.eventstream")
WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


class TooLargeError(Exception):
    """A reply is larger than its limit. The transport makes it a `ReplyError`."""

    is_too_large = True
    """By this it is recognised: whoever imports its class imports httpx2."""

    def __init__(self, response: Any, limit: int) -> None:
        super().__init__(f"the reply is larger than {limit:,} bytes. Raise max_reply_bytes if it should be")
        self.response = response


def bound(response: Any, network: Network, *, asynchronous: bool) -> None:
    """Let the body of a response end at its limit."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_failure = response.status_code >= 400 or kind == "text/html"
    limit: int | None
    if is_failure:
        limit = network.max_error_bytes or MAX_ERROR_BYTES
    else:
        limit = None if kind in STREAMS or WHOLE.get() else network.max_reply_bytes or MAX_REPLY_BYTES
    decode = _decoder(response)
    if limit is None and decode is None and not is_watched():
        return  # a stream: its events have a limit of their own
    error = None if is_failure else TooLargeError(response, limit or 0)
    body = _AsyncBody if asynchronous else _Body
    response.stream = body(response.stream, limit, decode, error)


def _decoder(response: Any) -> Callable[[bytes], Iterator[bytes]] | None:
    """What decompresses a body in pieces; `None` where nothing is compressed. The header is then removed."""
    bits = WINDOW_BITS.get(response.headers.get("content-encoding", "").strip().lower())
    if bits is None:
        return None
    del response.headers["content-encoding"]
    decompressor = zlib.decompressobj(bits)

    def decode(data: bytes) -> Iterator[bytes]:
        while data:
            try:
                piece = decompressor.decompress(data, PIECE)
            except zlib.error as exc:
                raise httpx2.DecodingError(str(exc)) from exc
            if piece:
                yield piece
            data = decompressor.unconsumed_tail

    return decode


class _Counter:
    """Counts the bytes of one body, and ends it at its limit."""

    def __init__(
        self,
        stream: Any,
        limit: int | None,
        decode: Callable[[bytes], Iterator[bytes]] | None,
        error: TooLargeError | None,
    ) -> None:
        self.stream = stream
        self.limit = limit
        self.decode = decode
        self.error = error
        self.count = 0
        self.ended = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        if is_over():
            raise httpx2.ReadTimeout("the deadline is over")
        for piece in self.decode(chunk) if self.decode else (chunk,):
            self.count += len(piece)
            if self.limit is not None and self.count > self.limit:
                if self.error is not None:
                    raise self.error
                self.ended = True
                return
            yield piece


class _Body(_Counter, httpx2.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            yield from self.pieces(chunk)
            if self.ended:
                self.close()
                return

    def close(self) -> None:
        self.stream.close()


class _AsyncBody(_Counter, httpx2.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.stream:
            for piece in self.pieces(chunk):
                yield piece
            if self.ended:
                await self.aclose()
                return

    async def aclose(self) -> None:
        await self.stream.aclose()
