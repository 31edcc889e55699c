"""One HTTP request and its response, over ASGI: headers, a body within limits, and a client that may leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from starlette.types import Receive, Scope, Send

from langchain_unified.gateway.refusals import BadRequestError

RawHeaders: TypeAlias = Iterable[tuple[bytes, bytes]]


JSON = b"application/json"
DISCARD_SECONDS = 2.0
"""How long the rest of a body that is too large is read and thrown away."""


class ClientLeftError(Exception):
    """The client closed the connection before the end of its answer."""


class Exchange:
    """A request and its response. Header names are lower case; of a header that comes twice the first counts."""

    __slots__ = (
        "_abandon",
        "_receive",
        "_send",
        "headers",
        "is_complete",
        "is_writing",
        "method",
        "path",
        "query",
        "sent_bytes",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._abandon: Callable[[], None] | None = None
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        self.headers = headers
        self.status: int | None = None
        """Of the response; `None` before it has begun."""
        self.is_complete = False
        self.is_writing = False
        """Whether a part waits for the client to read."""
        self.sent_bytes = 0

    # --- the request --------------------------------------------------------------------------------------------------

    async def body(self, *, limit: int, seconds: float) -> bytes:
        """The whole body. Raises `BadRequestError` if it has more than `limit` bytes or takes longer than `seconds`."""
        announced = self.headers.get("content-length", "")
        is_too_large = announced.isdecimal() and int(announced) > limit
        try:
            async with asyncio.timeout(seconds):
                found = None if is_too_large else await self._whole_body(limit)
        except TimeoutError:
            raise BadRequestError(f"The body did not come within {seconds:g} s.", status=408) from None
        if found is None:
            await self._discard()
            raise BadRequestError(f"The body is larger than {limit:,} bytes.", status=413)
        return found

    async def _discard(self) -> None:
        """Read the rest of a body for a moment: a client that still sends would lose the answer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        return

    async def _whole_body(self, limit: int) -> bytes | None:
        """The body; `None` if it is too large."""
        parts, size = [], 0
        while True:
            message: MutableMapping[str, Any] = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            part = message.get("body", b"")
            size += len(part)
            if size > limit:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    @contextlib.asynccontextmanager
    async def while_connected(self) -> AsyncIterator[None]:
        """Cancel the block and raise `ClientLeftError` when the client closes the connection.

        Begin it after the body, and leave it before the last part of the answer.
        """
        task = asyncio.current_task()
        left = False

        def leave() -> None:
            nonlocal left
            if not left and task is not None:
                left = True
                task.cancel()

        async def watch() -> None:
            while (await self._receive())["type"] != "http.disconnect":
                pass
            leave()

        self._abandon = leave
        watcher = asyncio.get_running_loop().create_task(watch())
        try:
            yield
            if left:
                await asyncio.sleep(0)  # the cancellation that is on its way
        except asyncio.CancelledError:
            if not left or task is None:
                raise
            task.uncancel()
            raise ClientLeftError from None
        finally:
            self._abandon = None
            watcher.cancel()

    def abandon(self) -> None:
        """Treat the client as one that left: it does not read its answer any more."""
        if self._abandon is not None:
            self._abandon()

    # --- the response -------------------------------------------------------------------------------------------------

    async def start(self, status: int, headers: RawHeaders) -> None:
        """Send status and headers."""
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def write(self, data: bytes) -> None:
        """Send a part of the body. Waits while the client does not read."""
        self.sent_bytes += len(data)
        self.is_writing = True
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self.is_writing = False

    async def end(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        self.is_complete = True
        self.sent_bytes += len(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def reply(self, status: int, data: bytes, headers: RawHeaders = (), media: bytes = JSON) -> None:
        """Send a whole response. `HEAD` gets its headers alone."""
        length = b"%d" % len(data)
        await self.start(status, [(b"content-type", media), (b"content-length", length), *headers])
        await self.end(b"" if self.method == "HEAD" else data)
