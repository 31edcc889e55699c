"""Streams of events: a reader without I/O, and the sync and async streams that feed it from a response."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from typing import Any, Self

import orjson

from langchain_unified.errors import ConnectionFailedError, RequestTimeoutError, UnifiedError, error_in
from langchain_unified.request import JsonObject
from langchain_unified.transport._content import has_content
from langchain_unified.transport._drain import adrain, drain
from langchain_unified.transport._errors import ErrorMapper
from langchain_unified.transport._json import loads
from langchain_unified.transport.config import MAX_EVENT_BYTES
from langchain_unified.transport.sse import ErrorData, Parser

ERROR_EVENTS = frozenset({"error", "response.failed"})
"""Types of events that report an error. A Chat chunk with an `error` key does so, too."""
LONG = 2000
"""Bytes of an event that may be nested too deeply."""
UNSEEN = 1.0
"""Seconds, at most, in which events count as content unread."""
MAX_MESSAGE = 500
"""Characters of an error event's text that its message shows."""
FINAL_EVENTS = frozenset({"message_stop", "response.completed", "response.incomplete", "response.cancelled"})
"""Types of events that end an answer. Chat ends with `[DONE]`."""
HEARTBEATS = 1.0
"""Seconds that a stream may go on with heartbeats alone, once the answer is complete."""


def _never() -> bool:
    return False


class EventReader:
    """Bytes in, events out, without pings and `[DONE]`.

    An error is stored in `failure` instead of raised, so that the events before it go out first. `ended`: the answer is
    complete. What comes after it may add to it, but cannot make it fail.
    """

    def __init__(self, parser: Parser, mapper: ErrorMapper, response: Any, idle_timeout: float | None) -> None:
        self.failure: UnifiedError | None = None
        self.max_event = MAX_EVENT_BYTES
        self.ended = False
        self.is_complete: Callable[[], bool] = _never
        self.idle_timeout = idle_timeout
        self._parser = parser
        self._mapper = mapper
        self._response = response
        self._complete_since: float | None = None
        self._waited = 0.0
        self._since = time.monotonic()

    def feed(self, chunk: bytes) -> list[JsonObject]:
        events = self._events(self._parser.feed(chunk))
        if not events and self._parser.held > self.max_event and self.failure is None:
            self.failure = self._mapper.too_large(self._response, self.max_event)
        if not events and self.failure is None and not self.ended and self.is_complete():
            self._end_after_heartbeats()
        if self.idle_timeout and self.failure is None and not self.ended:
            self._watch(self.idle_timeout, events)
        return events

    def flush(self) -> list[JsonObject]:
        """The last event, if no blank line ended it. An incomplete one is dropped: the decoder reports the cut."""
        return self._events([data for data in self._parser.flush() if _is_json(data)])

    def check(self) -> None:
        """Raise the stored error. The idle time starts again here, so that the caller's time does not count."""
        if self.failure is not None:
            raise self.failure
        if self.idle_timeout:
            self._since = time.monotonic()

    def recover(self, exc: Exception) -> list[JsonObject]:
        """The last events of an answer that is complete although reading raised; else our error for the exception."""
        if isinstance(exc, MemoryError) and not self.ended:
            raise self._mapper.no_memory() from None
        error = exc if isinstance(exc, UnifiedError) else self._mapper.translate(exc)
        events = self.flush() if error is not exc else []
        if self.ended or (self.is_complete() and isinstance(error, ConnectionFailedError | RequestTimeoutError)):
            return events
        if error is None or error is exc:
            raise exc
        raise error from error.__cause__

    def _end_after_heartbeats(self) -> None:
        """End a stream that has only heartbeats left: some servers send them forever, and never `[DONE]`."""
        now = time.monotonic()
        self._complete_since = self._complete_since or now
        self.ended = now - self._complete_since >= HEARTBEATS

    def _watch(self, limit: float, events: list[JsonObject]) -> None:
        """Fail when no content came for `limit` seconds of waiting.

        Events are read only once a while has passed since the last that had content: a fast stream costs nothing.
        """
        self._waited += time.monotonic() - self._since
        unseen = min(limit / 4, UNSEEN)
        if self._waited < unseen:
            return
        if any(map(has_content, events)):
            self._waited = 0.0
        elif self._waited >= limit + unseen:
            self.failure = self._mapper.idle(self._response, limit)

    def _events(self, payloads: list[bytes]) -> list[JsonObject]:
        events: list[JsonObject] = []
        for data in payloads:
            try:
                event = orjson.loads(data) if len(data) < LONG else loads(data)
                kind = event.get("type")
            except (ValueError, AttributeError):
                if (event := self._unusual(data)) is None:
                    continue
                kind = event.get("type")
            if kind == "ping":
                continue
            if kind.__class__ is not str:
                kind = None  # some are lists or objects, which no table takes
            # The text is searched first: one look instead of five into each event.
            if b'"error' in data or kind in ERROR_EVENTS or (kind is None and not event.get("choices")):
                self._find_error(event, data)
            if self.failure is not None:
                break
            if kind in FINAL_EVENTS:
                self.ended = True
            events.append(event)
        return events

    def _find_error(self, event: JsonObject, data: bytes) -> None:
        error = error_in(event) or (event if isinstance(data, ErrorData) else None)
        if error is not None and not self.ended:
            self.failure = self._mapper.in_reply(self._response, event, error)

    def _unusual(self, data: bytes) -> JsonObject | None:
        """An event that only Python's own parser reads (`NaN`); `None` for `[DONE]` and for what is no JSON object."""
        try:
            event = loads(data)
        except ValueError:
            event = None
        if isinstance(event, dict):
            return event
        if isinstance(data, ErrorData) and self.failure is None and not self.ended:
            text = event if isinstance(event, str) else data.decode(errors="replace")
            event = {"type": "error", "message": text[:MAX_MESSAGE]}
            self.failure = self._mapper.in_reply(self._response, event, event)
        elif data.strip() == b"[DONE]":
            self.ended = self.failure is None
        elif self.failure is None and not self.ended:
            self.failure = self._mapper.not_json(self._response, data)
        return None


def _is_json(data: bytes) -> bool:
    try:
        loads(data)
    except ValueError:
        return False
    return True


class EventStream:
    """The events of one response. They can be read once.

    The iteration ends with the answer: after its final event nothing is waited for, and nothing can fail. The
    connection goes back to the pool once the server ends the response. `close`, or the end of a `with` block before the
    end of the iteration, disconnects. A stream that ends too early raises nothing here: the decoder checks that.

    `ended`: the final event has come.
    """

    def __init__(self, response: Any, reader: EventReader, request_id: str | None) -> None:
        self.request_id = request_id
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._reader = reader
        self._drained = False
        """Whether the response is read to its end, and closed, by `drain`."""
        self._events = self._read(reader)
        self.iterator: Iterator[JsonObject] = self._events
        self.attempts = 1

    @property
    def ended(self) -> bool:
        return self._reader.ended

    def complete_when(self, is_complete: Callable[[], bool]) -> None:
        """From when on the connection may break or time out: `is_complete` tells whether the answer is there."""
        self._reader.is_complete = is_complete

    def __iter__(self) -> Iterator[JsonObject]:
        return self.iterator

    def __next__(self) -> JsonObject:
        return next(self.iterator)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._events.close()
        # A generator that was never started runs no `finally`.
        if not self._drained:
            self._response.close()

    def _read(self, reader: EventReader) -> Generator[JsonObject, None, None]:
        response = self._response
        has_idle_timeout = reader.idle_timeout is not None
        try:
            chunks = response.iter_bytes() if _needs_decoding(response) else response.iter_raw()
            for chunk in chunks:
                yield from reader.feed(chunk)
                if reader.ended:
                    yield from self._drain(chunks)
                    return
                if has_idle_timeout or reader.failure is not None:
                    reader.check()
            yield from reader.flush()
            reader.check()
        except Exception as exc:  # noqa: BLE001  # raised again, unless the answer is complete
            yield from reader.recover(exc)
        finally:
            if not self._drained:
                response.close()

    def _drain(self, chunks: Iterator[bytes]) -> list[JsonObject]:
        """What came after the final event without waiting for it: usage, of servers that send it there."""
        self._drained = True
        return [event for chunk in drain(self._response, chunks) for event in self._reader.feed(chunk)]


class AsyncEventStream:
    """Async twin of `EventStream`."""

    def __init__(self, response: Any, reader: EventReader, request_id: str | None) -> None:
        self.request_id = request_id
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._reader = reader
        self._drained = False
        """Whether the response is read to its end, and closed, by `drain`."""
        self._events: Any = self._read(reader)
        self.iterator: AsyncIterator[JsonObject] = self._events
        self.attempts = 1

    @property
    def ended(self) -> bool:
        return self._reader.ended

    def complete_when(self, is_complete: Callable[[], bool]) -> None:
        """From when on the connection may break or time out: `is_complete` tells whether the answer is there."""
        self._reader.is_complete = is_complete

    def __aiter__(self) -> AsyncIterator[JsonObject]:
        return self.iterator

    async def __anext__(self) -> JsonObject:
        return await anext(self.iterator)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        # The response first: a generator in which another task waits cannot be closed from here.
        if not self._drained:
            await self._response.aclose()
        if not self._events.ag_running:
            await self._events.aclose()

    async def _read(self, reader: EventReader) -> AsyncGenerator[JsonObject, None]:
        response = self._response
        has_idle_timeout = reader.idle_timeout is not None
        try:
            chunks = response.aiter_bytes() if _needs_decoding(response) else response.aiter_raw()
            async for chunk in chunks:
                for event in reader.feed(chunk):
                    yield event
                if reader.ended:
                    for event in await self._drain(chunks):
                        yield event
                    return
                if has_idle_timeout or reader.failure is not None:
                    reader.check()
            for event in reader.flush():
                yield event
            reader.check()
        except Exception as exc:  # noqa: BLE001  # raised again, unless the answer is complete
            for event in reader.recover(exc):
                yield event
        finally:
            if not self._drained:
                await response.aclose()

    async def _drain(self, chunks: AsyncGenerator[bytes, None]) -> list[JsonObject]:
        self._drained = True
        return [event for chunk in await adrain(self._response, chunks) for event in self._reader.feed(chunk)]


def _needs_decoding(response: Any) -> bool:
    """Whether the raw bytes are of no use: they are compressed, or a fake HTTP transport has read them already."""
    return "content-encoding" in response.headers or response.is_stream_consumed
