"""The sending of answers, and what happens when a client is gone before their end."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from langchain_unified.testing.emulation.delivery import CUT, DeliveryStep, content_length, delivery_steps
from langchain_unified.testing.emulation.exchange import EmulatedAnswer
from langchain_unified.testing.emulation.raw import RAW_PLANS, transport_of, write_raw
from langchain_unified.testing.emulation.recording import Recorded, Recorder


class Delivery(Response):
    """Sends an answer step by step. It stops when the client closes the connection."""

    def __init__(self, answer: EmulatedAnswer, recorded: Recorded, recorder: Recorder) -> None:
        self.answer = answer
        self.recorded = recorded
        self.background = None
        is_lost = answer.fault is not None and answer.fault.kind == "lost_answer"
        recorder.answered(recorded, 0 if is_lost else answer.status)
        recorded.fault = answer.fault.kind if answer.fault else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        disconnected = asyncio.Event()
        watcher = asyncio.create_task(_watch(receive, disconnected))
        try:
            await self._send(receive, send, disconnected)
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def _send(self, receive: Receive, send: Send, disconnected: asyncio.Event) -> None:
        answer = self.answer
        if self.recorded.status == 0:
            answer.on_start()
            await _close_connection(receive, disconnected)
            return
        if answer.fault is not None and answer.fault.kind in RAW_PLANS:
            answer.on_start()
            await write_raw(receive, answer, answer.fault, disconnected)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": self._asgi_headers()})
        answer.on_start()
        for step in delivery_steps(answer.payload, answer.fault):
            if disconnected.is_set():
                self.recorded.disconnected = True
                return
            if step is CUT:
                await _close_connection(receive, disconnected)
                return
            await _follow(step, send, disconnected)
        self.recorded.disconnected = disconnected.is_set()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _asgi_headers(self) -> list[tuple[bytes, bytes]]:
        length = content_length(self.answer.payload, self.answer.fault)
        more = {} if length is None else {"content-length": str(length)}
        return [(name.encode(), value.encode("latin-1")) for name, value in {**self.answer.headers, **more}.items()]


async def _watch(receive: Receive, disconnected: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    disconnected.set()


async def _follow(step: DeliveryStep, send: Send, disconnected: asyncio.Event) -> None:
    if isinstance(step, bytes):
        await send({"type": "http.response.body", "body": step, "more_body": True})
        # So that the loop sees a disconnect, and each event leaves by itself.
        await asyncio.sleep(0)
    elif isinstance(step, int | float):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(disconnected.wait(), step)


async def _close_connection(receive: Receive, disconnected: asyncio.Event) -> None:
    """Close the connection in the middle of an answer. ASGI cannot, so uvicorn's transport is closed directly."""
    transport = transport_of(receive)
    if transport is None:
        raise ConnectionAbortedError("The emulator closed this connection on purpose.")
    transport.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(disconnected.wait(), 1)
