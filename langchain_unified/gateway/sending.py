"""Delivering an answer to the client: whole, or as a stream with signs of life while it is silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from langchain_core.messages.ai import UsageMetadata

from langchain_unified.errors import IncompleteStreamError, UnifiedError
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.exchange import Exchange
from langchain_unified.gateway.failures import error_in_stream
from langchain_unified.gateway.headers import STREAM_HEADERS, returned
from langchain_unified.gateway.stream_usage import StreamUsage
from langchain_unified.gateway.upstream import UpstreamReply
from langchain_unified.request import WireName
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import StreamSettings

Headers = Iterable[tuple[bytes, bytes]]


@dataclass
class Delivered:
    """What an answer cost and how it ended. `error`: what cut it after its first byte.

    `usage` is `None` where the provider told none; `written_tokens` then estimates what the model wrote.
    """

    usage: UsageMetadata | None = None
    written_tokens: int = 0
    is_complete: bool = True
    error: UnifiedError | None = None
    tier: str | None = None


@dataclass
class WholeReply:
    """A reply that is there."""

    target: Target
    data: bytes
    headers: Headers
    usage: UsageMetadata | None = None
    notes: tuple[str, ...] = ()
    tier: str | None = None

    async def deliver(self, exchange: Exchange, more: Headers, ping_seconds: float) -> Delivered:
        """Send it."""
        headers = [*self.headers, *more, (b"content-length", b"%d" % len(self.data))]
        await exchange.start(200, headers)
        await exchange.write(self.data)
        return self.delivered()

    def delivered(self) -> Delivered:
        """What it cost so far."""
        return Delivered(self.usage, tier=self.tier)

    def close(self) -> None:
        """Nothing is open."""


class Filter(Protocol):
    """Takes the parts of a stream and returns what goes out."""

    def feed(self, part: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


@dataclass
class PassedStream:
    """A stream whose bytes pass. `held`: what came before the first content."""

    target: Target
    reply: UpstreamReply
    parts: AsyncIterator[bytes]
    usage: StreamUsage
    hidden: Filter | None = None
    held: list[bytes] = field(default_factory=list)
    pending: asyncio.Future[bytes] | None = None
    """The next part, which is already waited for."""
    notes: tuple[str, ...] = ()
    error: UnifiedError | None = None

    async def deliver(self, exchange: Exchange, more: Headers, ping_seconds: float) -> Delivered:
        """Send it as it comes. An error after the first byte becomes an event."""
        usage, hidden, wire = self.usage, self.hidden, self.usage.wire
        await exchange.start(200, [*STREAM_HEADERS, *returned(self.reply.headers), *more])
        pings = Pings(exchange, DOORS[wire].keep_alive, ping_seconds)
        try:
            async for part in self._all_parts():
                usage.feed(part)
                shown = part if hidden is None else hidden.feed(part)
                if shown:
                    await exchange.write(shown)
                    pings.sent(shown)
            if hidden is not None and (rest := hidden.flush()):
                await exchange.write(rest)
            usage.finish()
            if not usage.has_ended and usage.error is None:
                raise _cut(self.target)
        except UnifiedError as error:
            self.error = error
            await exchange.write(error_frames(wire, error))
        finally:
            pings.stop()
            self.close()
        return self.delivered()

    async def _all_parts(self) -> AsyncIterator[bytes]:
        for part in self.held:
            yield part
        self.held.clear()
        if self.pending is not None:
            pending, self.pending = self.pending, None
            if not (part := await pending):
                return
            yield part
        async for part in self.parts:
            yield part

    def delivered(self) -> Delivered:
        """What it cost so far."""
        found = self.usage
        found.finish()
        error = self.error
        if error is None and found.error is not None:
            error = error_in_stream(found.error, self.target.deployment)
        return Delivered(found.usage, found.written_tokens, found.has_ended and error is None, error, found.tier)

    def close(self) -> None:
        """End it: the connection goes back to the pool if the answer was read to its end."""
        if self.pending is not None:
            self.pending.cancel()
        self.reply.release()


def _cut(target: Target) -> UnifiedError:
    error = IncompleteStreamError("the provider's stream ended before its final event")
    error.provider, error.model = target.deployment.provider, target.deployment.model
    return error


def error_frames(wire: WireName, error: UnifiedError) -> bytes:
    """An error after the first byte of a stream, as the events of the API."""
    door = DOORS[wire]
    renderer = door.stream({}, StreamSettings(reply_id=f"{door.id_prefix}0", model=error.model or ""))
    return b"".join(door.frame(event) for event in renderer.fail(error))


def header_of(notes: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """The response header that names what was left out or changed."""
    text = "; ".join(notes)
    if not text:
        return []
    printable = "".join(char if char.isascii() and char.isprintable() else "?" for char in text)
    return [(ADJUSTMENTS, printable[:MAX_HEADER].encode())]


ADJUSTMENTS = b"x-gateway-adjustments"
MAX_HEADER = 2000


class Pings:
    """Sends a sign of life after some seconds without bytes, between two events and never inside one."""

    def __init__(self, exchange: Exchange, ping: bytes, seconds: float) -> None:
        self._exchange, self._ping, self._seconds = exchange, ping, seconds
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._is_between = True
        self._sending: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(seconds, self._look)

    def sent(self, part: bytes) -> None:
        """Note that bytes were sent."""
        self._last = self._loop.time()
        self._is_between = part[-2:] == b"\n\n"

    def stop(self) -> None:
        """Send no more."""
        self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if now - self._last >= self._seconds:
            if self._is_between and (self._sending is None or self._sending.done()):
                self._sending = self._loop.create_task(self._exchange.write(self._ping))
            self._last = now
        self._timer = self._loop.call_later(max(0.01, self._last + self._seconds - now), self._look)
