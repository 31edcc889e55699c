"""How a stream begins: read up to its first content, so that a call that fails before it can be repeated."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

from langchain_unified.errors import RequestTimeoutError, UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.transport._content import has_content
from langchain_unified.transport._deadline import auntil, until
from langchain_unified.transport._errors import ErrorMapper
from langchain_unified.transport._retries import Attempts
from langchain_unified.transport._streams import AsyncEventStream, EventStream


def begin(stream: EventStream, attempts: Attempts, mapper: ErrorMapper) -> UnifiedError | None:
    """Read up to the first content. Returns the error of a stream that failed before it and should be asked for again.

    Any other error comes out of the stream itself, after the events before it.
    """
    stream.attempts = attempts.made
    events: Iterator[JsonObject] = stream.iterator
    if attempts.ends is not None:
        events = until(events, attempts, mapper)
    held: list[JsonObject] = []
    try:
        for event in events:
            held.append(event)
            if has_content(event):
                break
    except UnifiedError as error:
        if is_repeatable(error, attempts):
            return error
        stream.iterator = itertools.chain(held, _failing(error))
        return None
    stream.iterator = itertools.chain(held, events)
    return None


async def abegin(stream: AsyncEventStream, attempts: Attempts, mapper: ErrorMapper) -> UnifiedError | None:
    """Async twin of `begin`."""
    stream.attempts = attempts.made
    events: AsyncIterator[JsonObject] = stream.iterator
    if attempts.ends is not None:
        events = auntil(events, attempts, mapper)
    held: list[JsonObject] = []
    try:
        async for event in events:
            held.append(event)
            if has_content(event):
                break
    except UnifiedError as error:
        if is_repeatable(error, attempts):
            return error
        stream.iterator = _resumed(held, _afailing(error))
        return None
    stream.iterator = _resumed(held, events)
    return None


def is_repeatable(error: UnifiedError, attempts: Attempts) -> bool:
    """Whether a stream that failed before its first content is asked for again. One that only stalls is not."""
    return not isinstance(error, RequestTimeoutError) and attempts.may_repeat(error)


def _failing(error: UnifiedError) -> Iterator[JsonObject]:
    raise error from error.__cause__
    yield {}


async def _afailing(error: UnifiedError) -> AsyncIterator[JsonObject]:
    raise error from error.__cause__
    yield {}


async def _resumed(held: list[JsonObject], rest: AsyncIterator[JsonObject]) -> AsyncIterator[JsonObject]:
    for event in held:
        yield event
    async for event in rest:
        yield event
