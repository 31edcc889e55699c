"""The deadline of a call, for every read and write of its connection.

A read timeout counts anew with each received byte. A server that drips, or that sends `100 Continue` for ever, is never
too late for it. So each read of a connection waits no longer than until the deadline of the call that reads.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.transport._errors import ErrorMapper
from langchain_unified.transport._retries import Attempts

ENDS: ContextVar[float | None] = ContextVar("ends", default=None)
"""When the deadline of the running call is over, on the clock of `time.monotonic`; `None`: it has none."""


def shortened(timeout: float | None) -> float | None:
    """The timeout of one read or write, at most as long as the deadline allows; 0 or less: it is over."""
    ends = ENDS.get()
    if ends is None:
        return timeout
    remaining = ends - time.monotonic()
    return remaining if timeout is None else min(timeout, remaining)


def until(events: Iterator[JsonObject], attempts: Attempts, mapper: ErrorMapper) -> Iterator[JsonObject]:
    """The events of a stream, up to the deadline. The time that the caller takes counts as well."""
    while True:
        token = ENDS.set(attempts.ends)
        try:
            event = next(events, None)
        except UnifiedError as error:
            raise mapper.in_time(error, attempts) from error.__cause__
        finally:
            ENDS.reset(token)
        if event is None:
            return
        if attempts.is_over():
            raise mapper.too_late(attempts)
        yield event


async def auntil(
    events: AsyncIterator[JsonObject], attempts: Attempts, mapper: ErrorMapper
) -> AsyncIterator[JsonObject]:
    """Async twin of `until`."""
    while True:
        token = ENDS.set(attempts.ends)
        try:
            event = await anext(events, None)
        except UnifiedError as error:
            raise mapper.in_time(error, attempts) from error.__cause__
        finally:
            ENDS.reset(token)
        if event is None:
            return
        if attempts.is_over():
            raise mapper.too_late(attempts)
        yield event
