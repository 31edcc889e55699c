"""Streams of events: one reader without I/O, and the two loops that feed it from a response."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import orjson

from langchain_unified import errors
from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.transport._json import loads
from langchain_unified.transport.sse import Parser

if TYPE_CHECKING:
    from langchain_unified.transport._errors import Failures

FAILED = frozenset({"error", "response.failed"})
"""Types of events that are an error; a Chat chunk with an `error` is one too."""


class EventReader:
    """Bytes in, events out. Pings and `[DONE]` are left out.

    What is wrong is not raised but kept in `failure`, so that the events before it go out first.
    """

    def __init__(self, parser: Parser, failures: Failures, response: Any, idle_timeout: float | None) -> None:
        self.failure: UnifiedError | None = None
        self.idle_timeout = idle_timeout
        self._parser = parser
        self._failures = failures
        self._response = response
        self._waited = 0.0
        self._since = time.monotonic()

    def feed(self, chunk: bytes) -> list[JsonObject]:
        events = self._events(self._parser.feed(chunk))
        if self.idle_timeout and self.failure is None:
            self._watch(self.idle_timeout, bool(events))
        return events

    def flush(self) -> list[JsonObject]:
        """The last event, where no blank line ended it. Half an event is a cut, which is for the decoder to say."""
        return self._events([data for data in self._parser.flush() if _is_json(data)])

    def check(self) -> None:
        """Raise what was wrong. The wait for the next chunk begins now: the caller's own time is not the server's."""
        if self.failure is not None:
            raise self.failure
        if self.idle_timeout:
            self._since = time.monotonic()

    def _watch(self, limit: float, has_content: bool) -> None:
        self._waited += time.monotonic() - self._since
        if has_content:
            self._waited = 0.0
        elif self._waited >= limit:
            self.failure = self._failures.idle(self._response, limit)

    def _events(self, payloads: list[bytes]) -> list[JsonObject]:
        events: list[JsonObject] = []
        for data in payloads:
            try:
                event = orjson.loads(data)
                kind = event.get("type")
            except (ValueError, AttributeError):
                if (event := self._unusual(data)) is None:
                    continue
                kind = event.get("type")
            if kind == "ping":
                continue
            if kind in FAILED or event.get("error"):
                self.failure = self._failures.in_reply(self._response, event, errors.error_in(event) or event)
            if self.failure is not None:
                break
            events.append(event)
        return events

    def _unusual(self, data: bytes) -> JsonObject | None:
        """An event that only Python's own JSON reads; `None` for `[DONE]`, and for no event, which is a failure."""
        try:
            event = loads(data)
        except ValueError:
            event = None
        if isinstance(event, dict):
            return event
        if data.strip() != b"[DONE]" and self.failure is None:
            self.failure = self._failures.not_json(self._response, data)
        return None

    def broken(self, exc: Exception) -> UnifiedError | None:
        """Our error for what reading raised; `None` where it is nobody's."""
        return self._failures.translate(exc)


def _is_json(data: bytes) -> bool:
    try:
        loads(data)
    except ValueError:
        return False
    return True


class EventStream:
    """The events of one response, once. Read to the end, its connection goes back to the pool.

    `close`, the end of a `with` block and the end of the iteration each close the response; closed early, the server
    sees the disconnect. Whether the stream was complete is for the decoder to say.
    """

    def __init__(self, response: Any, reader: EventReader, request_id: str | None) -> None:
        self.request_id = request_id
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._events = self._read(reader)

    def __iter__(self) -> Iterator[JsonObject]:
        return self._events

    def __next__(self) -> JsonObject:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._events.close()
        # A generator that never started runs no `finally`.
        self._response.close()

    def _read(self, reader: EventReader) -> Generator[JsonObject, None, None]:
        response = self._response
        watched = reader.idle_timeout is not None
        try:
            for chunk in response.iter_bytes() if _is_read(response) else response.iter_raw():
                yield from reader.feed(chunk)
                if watched or reader.failure is not None:
                    reader.check()
            yield from reader.flush()
            reader.check()
        except UnifiedError:
            raise
        except Exception as exc:
            if (error := reader.broken(exc)) is None:
                raise
            raise error from error.__cause__
        finally:
            response.close()


class AsyncEventStream:
    """The async twin of `EventStream`."""

    def __init__(self, response: Any, reader: EventReader, request_id: str | None) -> None:
        self.request_id = request_id
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._events: Any = self._read(reader)

    def __aiter__(self) -> AsyncIterator[JsonObject]:
        events: AsyncIterator[JsonObject] = self._events
        return events

    async def __anext__(self) -> JsonObject:
        return await anext(self.__aiter__())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        # First the response: another task may be waiting in the generator, which then cannot be closed from here.
        await self._response.aclose()
        if not self._events.ag_running:
            await self._events.aclose()

    async def _read(self, reader: EventReader) -> AsyncGenerator[JsonObject, None]:
        response = self._response
        watched = reader.idle_timeout is not None
        try:
            async for chunk in response.aiter_bytes() if _is_read(response) else response.aiter_raw():
                for event in reader.feed(chunk):
                    yield event
                if watched or reader.failure is not None:
                    reader.check()
            for event in reader.flush():
                yield event
            reader.check()
        except UnifiedError:
            raise
        except Exception as exc:
            if (error := reader.broken(exc)) is None:
                raise
            raise error from error.__cause__
        finally:
            await response.aclose()


def _is_read(response: Any) -> bool:
    """Whether the bytes cannot be had as they come: they are encoded, or a fake transport had them all at once."""
    return "content-encoding" in response.headers or response.is_stream_consumed
