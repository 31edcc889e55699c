"""Streams between two APIs: what the upstream streams is decoded and rendered event by event.

Several answers to one request (`n` of Chat Completions) are as many streams of the upstream, whose choices go out as
they come.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, cast

from langchain_unified.chat_models._events import EventWriter
from langchain_unified.chat_models._stream import StreamReader
from langchain_unified.errors import IncompleteStreamError, ReplyError, UnifiedError, error_in
from langchain_unified.gateway.body_tokens import body_size
from langchain_unified.gateway.crossing import Crossing
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.exchange import Exchange, RawHeaders
from langchain_unified.gateway.failures import AttemptError, error_in_stream
from langchain_unified.gateway.headers import REQUEST_ID_NAMES, STREAM_HEADERS
from langchain_unified.gateway.opening import Outgoing, UpstreamStream, asked, opened
from langchain_unified.gateway.passing import shown_model
from langchain_unified.gateway.sending import Pings, cut_off
from langchain_unified.gateway.state import Call
from langchain_unified.gateway.used import Delivered
from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.transport import EventStream
from langchain_unified.transport._json import loads
from langchain_unified.transport.sse import SSEParser
from langchain_unified.wires import DOORS, Door
from langchain_unified.wires._door import Choices, StreamRenderer, StreamSettings

MAX_PARALLEL = 8
"""How many requests of one call (`n`) run at once."""


def settings_of(call: Call, target: Target, *, input_tokens: int = 0) -> StreamSettings:
    """What the gateway decides about a reply: an id of the client's API, and the client's name for the model."""
    reply_id = f"{DOORS[call.wire].id_prefix}{secrets.token_hex(12)}"
    shown = shown_model(call, target) or target.model
    return StreamSettings(reply_id=reply_id, model=shown, input_tokens=input_tokens, created=int(time.time()))


def request_id(target: Target, upstream: Mapping[str, str], call: Call) -> list[tuple[bytes, bytes]]:
    """The request id of the upstream, as a header under the name that the client's SDK reads."""
    ours = REQUEST_ID_NAMES["anthropic" if call.wire == "anthropic_messages" else "openai"]
    found = upstream.get(REQUEST_ID_NAMES[target.deployment.provider])
    return [(ours.encode(), found.encode("latin-1", "replace"))] if found else []


async def open_streams(
    call: Call, target: Target, crossing: Crossing, request: Outgoing
) -> CrossedStream | SeveralStreams:
    """The stream of a call, or one for each answer that it asks for. Raises `AttemptError` if one cannot be opened."""
    count = crossing.plan.requests
    estimate = body_size(call.body).tokens if call.wire == "anthropic_messages" else 0
    settings = settings_of(call, target, input_tokens=estimate)
    if count > 1:
        settings = replace(settings, choices=Choices(count))

    async def one(choice: int) -> CrossedStream:
        reply = await asked(call, target, request)
        stream = await opened(call, target, reply, crossing.plan.wire.name)
        own = replace(crossing, restore=crossing.restore.fresh()) if choice else crossing
        return CrossedStream(call, stream, own, replace(settings, choice=choice))

    if count == 1:
        return await one(0)
    streams = await _all_opened([one(choice) for choice in range(min(count, MAX_PARALLEL))])
    return SeveralStreams(streams, [partial(one, choice) for choice in range(MAX_PARALLEL, count)])


async def _all_opened(opening: Sequence[Awaitable[CrossedStream]]) -> list[CrossedStream]:
    """The streams, all of them or none."""
    tasks = [asyncio.ensure_future(each) for each in opening]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(found, CrossedStream):
                found.close()
        raise


class _Answer(Protocol):
    """One stream of the upstream or several, on their way to one client."""

    @property
    def first(self) -> CrossedStream: ...
    def frames(self) -> AsyncIterator[bytes]: ...
    def delivered(self) -> Delivered: ...
    def close(self) -> None: ...


async def _deliver(answer: _Answer, exchange: Exchange, more: RawHeaders, ping_seconds: float) -> Delivered:
    """Send an answer as it comes. An error after the first byte becomes an event."""
    first = answer.first
    headers = request_id(first.target, first.stream.reply.headers, first.call)
    await exchange.start(200, [*STREAM_HEADERS, *headers, *more])
    door, failed = first.door, False
    pings = Pings(exchange, door.keep_alive, ping_seconds)
    try:
        async for frames in answer.frames():
            await exchange.write(frames)
            pings.sent(frames)
    except UnifiedError as error:
        failed = True
        first.stream.error = cut_off(first.target) if isinstance(error, IncompleteStreamError) else error
        await exchange.write(b"".join(map(door.frame, first.renderer.fail(first.stream.error))))
    finally:
        pings.stop()
        answer.close()
    if not (failed or first.renderer.failed) and door.last_frame:
        await exchange.write(door.last_frame)
    return answer.delivered()


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a reader of a stream asks of the connection."""

    headers: Mapping[str, str]
    request_id: str | None = None
    attempts: int = 1


@dataclass
class CrossedStream:
    """A stream that is decoded and rendered event by event."""

    call: Call
    stream: UpstreamStream
    crossing: Crossing
    settings: StreamSettings
    renderer: StreamRenderer = field(init=False)

    def __post_init__(self) -> None:
        self.renderer = self.door.stream(self.call.body, self.settings)

    @property
    def door(self) -> Door:
        """The client's API."""
        return DOORS[self.call.wire]

    @property
    def target(self) -> Target:
        """Who answers."""
        return self.stream.target

    @property
    def notes(self) -> tuple[Adjustment, ...]:
        """What was changed."""
        return self.crossing.notes

    @property
    def first(self) -> CrossedStream:
        """The stream itself."""
        return self

    async def deliver(self, exchange: Exchange, more: RawHeaders, ping_seconds: float) -> Delivered:
        """Send it as it comes. An error after the first byte becomes an event."""
        return await _deliver(self, exchange, more, ping_seconds)

    async def frames(self) -> AsyncIterator[bytes]:
        """The client's events, those of one part of the upstream's stream together."""
        frame, render = self.door.frame, self.renderer
        plan = replace(self.crossing.plan, output_version="v1", caller_names={})
        events = cast("EventStream", _Opened(self.stream.reply.headers))
        reader, writer = StreamReader(plan, events), EventWriter(self.target.model)
        restore, parser, ended = self.crossing.restore, SSEParser(), False
        async for part in self.stream.parts():
            out: list[bytes] = []
            for data in parser.feed(part):
                if data == b"[DONE]":
                    ended = True
                    continue
                payload = self._event(data)
                for chunk in () if payload.get("type") == "ping" else reader.feed(payload):
                    for event in writer.feed(restore(chunk)):
                        out += map(frame, render.feed(event))
            if out:
                yield b"".join(out)
        out = []
        for chunk in reader.finish(ended=ended):
            for event in writer.feed(restore(chunk)):
                out += map(frame, render.feed(event))
        for event in writer.close():
            out += map(frame, render.feed(event))
        out += map(frame, render.close())
        yield b"".join(out)

    def _event(self, data: bytes) -> JsonObject:
        """An event of the upstream. Raises the error that it reports."""
        try:
            payload = loads(data)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            raise _broken(self.target)
        if (error := error_in(payload)) is not None:
            raise error_in_stream(error, self.target.deployment)
        return payload

    def delivered(self) -> Delivered:
        """What it cost so far."""
        return self.stream.delivered()

    def close(self) -> None:
        """End it."""
        self.stream.close()


def _broken(target: Target) -> UnifiedError:
    error = ReplyError("an event of the provider's stream is not valid JSON")
    error.provider, error.model = target.deployment.provider, target.model
    return error


@dataclass
class SeveralStreams:
    """The streams of one call that asks for several answers. `later`: opens those for which there is no place yet."""

    streams: list[CrossedStream]
    later: list[Callable[[], Awaitable[CrossedStream]]] = field(default_factory=list)
    _tasks: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def first(self) -> CrossedStream:
        """The stream that stands for all: its upstream's headers go out, and it tells of errors."""
        return self.streams[0]

    @property
    def target(self) -> Target:
        """Who answers."""
        return self.first.target

    @property
    def notes(self) -> tuple[Adjustment, ...]:
        """What was changed."""
        return self.first.notes

    async def deliver(self, exchange: Exchange, more: RawHeaders, ping_seconds: float) -> Delivered:
        """Send them as they come. The first error ends all of them, as an event."""
        return await _deliver(self, exchange, more, ping_seconds)

    async def frames(self) -> AsyncIterator[bytes]:
        """The events of all, in the order in which they come."""
        ready: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(maxsize=len(self.streams))
        self._tasks = [asyncio.ensure_future(self._feed(stream, ready)) for stream in self.streams]
        running = len(self._tasks)
        while running:
            found = await ready.get()
            if isinstance(found, BaseException):
                raise found
            if found is None:
                running -= 1
            else:
                yield found

    async def _feed(self, stream: CrossedStream, ready: asyncio.Queue[bytes | BaseException | None]) -> None:
        """Put the events of a stream into the queue, then those of streams that waited for its place."""
        try:
            while True:
                async for frames in stream.frames():
                    await ready.put(frames)
                stream.close()
                if not self.later:
                    break
                stream = await self.later.pop(0)()
                self.streams.append(stream)
        except AttemptError as failed:
            await ready.put(failed.error)
        except Exception as error:  # noqa: BLE001 - raised where the events are read
            await ready.put(error)
        else:
            await ready.put(None)

    def delivered(self) -> Delivered:
        """What they cost so far."""
        found = [stream.delivered() for stream in self.streams]
        used = tuple(used for each in found for used in each.used)
        error = next((each.error for each in found if each.error is not None), None)
        return Delivered(used, all(each.is_complete for each in found), error)

    def close(self) -> None:
        """End them."""
        for task in self._tasks:
            task.cancel()
        for stream in self.streams:
            stream.close()
