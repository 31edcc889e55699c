"""The deadline of a call, for the events of its stream and for what an async call awaits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import TypeVar

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.transport._errors import ErrorMapper
from langchain_unified.transport._limits import ENDS
from langchain_unified.transport._retries import Attempts

ResultT = TypeVar("ResultT")


async def in_time(work: Awaitable[ResultT], attempts: Attempts, mapper: ErrorMapper) -> ResultT:
    """The result of `work`, whatever HTTP client does it. Raises the error of the deadline when that is over."""
    if attempts.ends is None:
        return await work
    import anyio  # a dependency of the SDKs, needed for deadlines alone

    with anyio.move_on_after(attempts.remaining()):
        return await work
    raise mapper.too_late(attempts)


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
            event = await in_time(anext(events, None), attempts, mapper)
        except UnifiedError as error:
            raise mapper.in_time(error, attempts) from error.__cause__
        finally:
            ENDS.reset(token)
        if event is None:
            return
        if attempts.is_over():
            raise mapper.too_late(attempts)
        yield event
