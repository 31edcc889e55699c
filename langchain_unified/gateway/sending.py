"""Delivering an answer to the client: whole replies, signs of life of a silent stream, errors after the first byte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from langchain_unified.errors import IncompleteStreamError, UnifiedError
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.exchange import Exchange, RawHeaders
from langchain_unified.gateway.used import Delivered, Used
from langchain_unified.request import Adjustment, WireName
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import StreamSettings


@dataclass
class WholeReply:
    """A reply that is there."""

    target: Target
    data: bytes
    headers: RawHeaders
    used: tuple[Used, ...] = ()
    notes: tuple[Adjustment, ...] = ()

    async def send(self, exchange: Exchange, more: RawHeaders) -> None:
        """Send it."""
        await exchange.start(200, [*self.headers, *more, (b"content-length", b"%d" % len(self.data))])
        await exchange.write(self.data)

    def delivered(self) -> Delivered:
        """What it cost."""
        return Delivered(self.used)

    def close(self) -> None:
        """Nothing is open."""


def cut_off(target: Target) -> UnifiedError:
    """The error for a stream without its final event."""
    error = IncompleteStreamError("the provider's stream ended before its final event")
    error.provider, error.model = target.deployment.provider, target.deployment.model
    return error


def error_frames(wire: WireName, error: UnifiedError) -> bytes:
    """An error after the first byte of a stream, as the events of the API."""
    door = DOORS[wire]
    renderer = door.stream({}, StreamSettings(reply_id=f"{door.id_prefix}0", model=error.model or ""))
    return b"".join(door.frame(event) for event in renderer.fail(error))


def adjustments_header(notes: Iterable[Adjustment]) -> list[tuple[bytes, bytes]]:
    """The response header that names what was left out or changed; what is lossless is not in it."""
    text = "; ".join(dict.fromkeys(note["what"] for note in notes if not note.get("lossless")))
    if not text:
        return []
    printable = "".join(char if char.isascii() and char.isprintable() else "?" for char in text)
    return [(ADJUSTMENTS, printable[:MAX_HEADER].encode())]


ADJUSTMENTS = b"x-gateway-adjustments"
MAX_HEADER = 2000
SLOW_CLIENT_SECONDS = 300.0
"""How long a client may leave its answer unread before it counts as one that left."""


class Pings:
    """Sends a sign of life after some seconds without bytes, between two events and never inside one."""

    def __init__(self, exchange: Exchange, ping: bytes, seconds: float) -> None:
        """`ping`: the bytes to send."""
        self._exchange, self._ping, self._seconds = exchange, ping, seconds
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._is_between = True
        self._sending: asyncio.Task[None] | None = None
        self._waited = 0
        """How many times in turn a part waited for the client to read."""
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
            self._waited = self._waited + 1 if self._exchange.is_writing else 0
            if self._waited * self._seconds >= SLOW_CLIENT_SECONDS:
                self._exchange.abandon()
            elif self._is_between and not self._waited:
                self._sending = self._loop.create_task(self._exchange.write(self._ping))
            self._last = now
        self._timer = self._loop.call_later(max(0.01, self._last + self._seconds - now), self._look)
