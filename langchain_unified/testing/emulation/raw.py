"""Faults outside of an answer: what a server writes before its head, in it, or behind its end.

ASGI has no such things, so they are written to uvicorn's connection directly.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from langchain_unified.testing.emulation.delivery import Payload
from langchain_unified.testing.emulation.exchange import EmulatedAnswer
from langchain_unified.testing.emulation.faults import Fault

RawStep: TypeAlias = bytes | float
"""Bytes to write, or seconds to wait."""

PAUSE = 0.05
"""Seconds between two pieces of a slow head."""
LINE = b"x-flood-%d: %s\r\n"


async def write_raw(receive: Any, answer: EmulatedAnswer, fault: Fault, gone: asyncio.Event) -> None:
    """Send an answer as the fault writes it, and return when the connection is closed. `gone`: the client closed it."""
    transport = transport_of(receive)
    if transport is None:
        raise RuntimeError(f"The fault {fault.kind} needs the emulator's own server.")
    for step in RAW_PLANS[fault.kind](_head(answer), answer.payload, fault):
        if gone.is_set():
            return
        if isinstance(step, bytes):
            transport.write(step)
            await asyncio.sleep(0)
        else:
            await _wait(gone, step)
    transport.close()
    await _wait(gone, 1)


def transport_of(receive: Any) -> Any:
    """The transport of uvicorn for a connection; `None` in another server."""
    return getattr(getattr(receive, "__self__", None), "transport", None)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def _head(answer: EmulatedAnswer) -> list[bytes]:
    """The head of an answer, line by line."""
    headers = {**answer.headers, "content-length": str(len(b"".join(answer.payload.parts)))}
    reason = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return [f"{line}\r\n".encode("latin-1") for line in lines]


def _whole(lines: list[bytes], payload: Payload) -> bytes:
    return b"".join([*lines, b"\r\n", *payload.parts])


def _endless_continue(lines: list[bytes], payload: Payload, fault: Fault) -> Iterator[RawStep]:
    for _ in range(round(fault.seconds / PAUSE)):
        yield b"HTTP/1.1 100 Continue\r\n\r\n"
        yield PAUSE
    yield _whole([*lines, CLOSE], payload)


def _slow_headers(lines: list[bytes], payload: Payload, fault: Fault) -> Iterator[RawStep]:
    yield lines[0]
    for _ in range(round(fault.seconds / PAUSE)):
        yield b"x-slow: 1\r\n"
        yield PAUSE
    yield _whole([*lines[1:], CLOSE], payload)


def _header_flood(lines: list[bytes], payload: Payload, fault: Fault) -> Iterator[RawStep]:
    yield lines[0]
    for number in range((fault.size or 0) // 1000 + 1):
        yield LINE % (number, b"x" * 980)
    yield _whole([*lines[1:], CLOSE], payload)


def _second_reply(lines: list[bytes], payload: Payload, fault: Fault) -> Iterator[RawStep]:
    yield _whole(lines, payload) * 2
    yield fault.seconds


CLOSE = b"connection: close\r\n"

RAW_PLANS: Mapping[str, Callable[[list[bytes], Payload, Fault], Iterator[RawStep]]] = {
    "endless_continue": _endless_continue,
    "slow_headers": _slow_headers,
    "header_flood": _header_flood,
    "second_reply": _second_reply,
}
"""By kind of fault, what is written. The head comes in lines."""
