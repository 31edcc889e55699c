"""Requests behind a gate: what a run of many calls shares, so that a provider's limits are found and kept once.

`GATE` holds the gate of the running task. It decides when a request may start and whether it is repeated, in place of
the retries of one call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from langchain_unified.errors import UnifiedError
from langchain_unified.transport._errors import ErrorMapper
from langchain_unified.transport._openings import abegin, begin
from langchain_unified.transport._retries import Attempts, attempts_of, log_retry, may_retry
from langchain_unified.transport._streams import AsyncEventStream, EventStream
from langchain_unified.transport.config import Answer, HttpCall, Sdk, TransportConfig

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Pass:
    """One call at the gate. `started`: when its last request began; `refusals`, `faults`: the requests that failed.

    `is_waiting`: whether it waits before it repeats a request.
    """

    started: float = 0.0
    refusals: int = 0
    faults: int = 0
    is_waiting: bool = False


class Gate(Protocol):
    """What decides when a request starts and whether it is repeated. It lives on one event loop."""

    loop: asyncio.AbstractEventLoop

    async def enter(self, call: Pass) -> None:
        """Wait until a request may start."""

    def answered(self, call: Pass, headers: Mapping[str, str]) -> None:
        """The request was answered."""

    def failed(self, call: Pass, error: UnifiedError, *, may_retry: bool) -> float | None:
        """The request failed. Seconds before it is sent again; `None`: it is not."""

    def left(self, call: Pass) -> None:
        """The request was given up."""


class Sender(Protocol):
    """What `Transport` sends with."""

    config: TransportConfig

    @property
    def _sdk(self) -> Sdk: ...

    def _post(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts, *, stream: bool) -> Any: ...

    def _open(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts) -> EventStream: ...

    async def _apost(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts, *, stream: bool) -> Any: ...

    async def _aopen(self, call: HttpCall, mapper: ErrorMapper, attempts: Attempts) -> AsyncEventStream: ...

    def _answer(self, response: Any, mapper: ErrorMapper, attempts: Attempts) -> Answer: ...


GATE: ContextVar[Gate | None] = ContextVar("gate", default=None)
"""The gate of the calls of this task; `None`: each call repeats its own requests."""


# --- async ------------------------------------------------------------------------------------------------------------


async def asend(transport: Sender, call: HttpCall, gate: Gate) -> Answer:
    """`Transport.asend`, behind the gate."""
    mapper, place = ErrorMapper(transport._sdk, call.model), Pass()
    made = 0
    while True:
        await gate.enter(place)
        attempts = _next_attempt(transport, call, made)
        try:
            response = await transport._apost(call, mapper, attempts, stream=False)
            answer = transport._answer(response, mapper, attempts)
        except UnifiedError as error:
            wait = _wait_after(gate.failed(place, error, may_retry=may_retry(error)), error, attempts)
        except BaseException:
            gate.left(place)
            raise
        else:
            gate.answered(place, answer.headers)
            return answer
        made = attempts.made
        await asyncio.sleep(wait)


async def astream(transport: Sender, call: HttpCall, gate: Gate) -> AsyncEventStream:
    """`Transport.astream`, behind the gate up to the first content."""
    mapper, place = ErrorMapper(transport._sdk, call.model), Pass()
    made = 0
    while True:
        await gate.enter(place)
        attempts = _next_attempt(transport, call, made)
        try:
            events = await transport._aopen(call, mapper, attempts)
            failure = await abegin(events, attempts, mapper)
        except UnifiedError as error:
            failure = error
        except BaseException:
            gate.left(place)
            raise
        else:
            if failure is None:
                gate.answered(place, events.headers)
                return events
            await events.aclose()
        wait = _wait_after(gate.failed(place, failure, may_retry=may_retry(failure)), failure, attempts)
        made = attempts.made
        await asyncio.sleep(wait)


# --- sync: in a thread, beside the gate's event loop ------------------------------------------------------------------


def send(transport: Sender, call: HttpCall, gate: Gate) -> Answer:
    """`Transport.send`, behind the gate."""
    mapper, place = ErrorMapper(transport._sdk, call.model), Pass()
    made = 0
    while True:
        _on_loop(gate, gate.enter(place))
        attempts = _next_attempt(transport, call, made)
        try:
            answer = transport._answer(transport._post(call, mapper, attempts, stream=False), mapper, attempts)
        except UnifiedError as error:
            _wait_on_loop(gate, place, error, attempts)
        except BaseException:
            gate.loop.call_soon_threadsafe(gate.left, place)
            raise
        else:
            gate.loop.call_soon_threadsafe(gate.answered, place, answer.headers)
            return answer
        made = attempts.made


def stream(transport: Sender, call: HttpCall, gate: Gate) -> EventStream:
    """`Transport.stream`, behind the gate up to the first content."""
    mapper, place = ErrorMapper(transport._sdk, call.model), Pass()
    made = 0
    while True:
        _on_loop(gate, gate.enter(place))
        attempts = _next_attempt(transport, call, made)
        try:
            events = transport._open(call, mapper, attempts)
            failure = begin(events, attempts, mapper)
        except UnifiedError as error:
            failure = error
        except BaseException:
            gate.loop.call_soon_threadsafe(gate.left, place)
            raise
        else:
            if failure is None:
                gate.loop.call_soon_threadsafe(gate.answered, place, events.headers)
                return events
            events.close()
        _wait_on_loop(gate, place, failure, attempts)
        made = attempts.made


def _on_loop(gate: Gate, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns, run on the gate's loop. Not for the thread of that loop."""
    return asyncio.run_coroutine_threadsafe(work, gate.loop).result()


def _wait_on_loop(gate: Gate, place: Pass, error: UnifiedError, attempts: Attempts) -> None:
    async def failed() -> float | None:
        return gate.failed(place, error, may_retry=may_retry(error))

    time.sleep(_wait_after(_on_loop(gate, failed()), error, attempts))


def is_on_loop(gate: Gate) -> bool:
    """Whether this thread runs the gate's loop. There sync calls cannot wait for it, elsewhere async calls cannot."""
    try:
        return asyncio.get_running_loop() is gate.loop
    except RuntimeError:
        return False


# --- both -------------------------------------------------------------------------------------------------------------

NO_LIMIT = 1_000_000
"""Retries of the call itself: the gate decides."""


def _next_attempt(transport: Sender, call: HttpCall, made: int) -> Attempts:
    """The next request of a call. Its deadline begins with it, not with the wait at the gate."""
    attempts = attempts_of(call, transport.config)
    attempts.made, attempts.max_retries, attempts.max_wait = made, NO_LIMIT, NO_LIMIT
    return attempts


def _wait_after(wait: float | None, error: UnifiedError, attempts: Attempts) -> float:
    """The seconds to wait. Raises `error` where the request is not repeated."""
    error.attempts = attempts.made
    if wait is None:
        raise error
    attempts.wait = wait
    log_retry(error, attempts)
    return wait
