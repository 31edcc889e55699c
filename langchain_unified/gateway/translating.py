"""The path where client and upstream speak different APIs: read, encode, decode, render."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson
from langchain_core.messages import AIMessage

from langchain_unified.chat_models._events import EventWriter
from langchain_unified.chat_models._stops import cut_message
from langchain_unified.chat_models._stream import StreamReader
from langchain_unified.errors import IncompleteStreamError, ReplyError, RequestError, UnifiedError, error_in
from langchain_unified.gateway.body_tokens import body_size
from langchain_unified.gateway.crossing import Crossing, cross
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.exchange import Exchange, RawHeaders
from langchain_unified.gateway.failures import AttemptError, error_in_stream
from langchain_unified.gateway.headers import REQUEST_ID_NAMES, STREAM_HEADERS, made
from langchain_unified.gateway.opening import Outgoing, UpstreamStream, asked, opened, whole_object
from langchain_unified.gateway.passing import defaults_for, shown_model
from langchain_unified.gateway.sending import Pings, WholeReply, cut_off
from langchain_unified.gateway.state import Call
from langchain_unified.gateway.used import Delivered, used_in
from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.transport import EventStream
from langchain_unified.transport._json import loads
from langchain_unified.transport.sse import SSEParser
from langchain_unified.wires import DOORS, WIRES, Door, Wire
from langchain_unified.wires._door import StreamRenderer, StreamSettings

MAX_PARALLEL = 8
"""How many requests of one call (`n`) run at once."""


async def open_crossing(call: Call, target: Target) -> WholeReply | CrossedStream:
    """Send the call; returns when there is something to deliver. Raises `AttemptError`."""
    try:
        wire = _upstream_wire(call, target)
        crossing = crossed(call, target, wire)
    except RequestError as error:
        raise AttemptError(error) from None
    if call.counts:
        return await _counted(call, target, wire, crossing)
    plan = crossing.plan
    headers = made(plan.call.headers, call.headers, target.deployment)
    request = Outgoing(plan.call.path, orjson.dumps(plan.call.body), headers, call.stream)
    if call.stream:
        reply = await asked(call, target, request)
        return CrossedStream(call, await opened(call, target, reply, wire.name), crossing)
    return await _whole(call, target, crossing, request)


def _upstream_wire(call: Call, target: Target) -> Wire:
    if not call.counts:
        return WIRES[target.wire_for(call.wire)]
    return WIRES["anthropic_messages" if target.deployment.provider == "anthropic" else "openai_responses"]


def crossed(call: Call, target: Target, wire: Wire) -> Crossing:
    """The call as the upstream's API has it. Raises `RequestError`."""
    defaults = defaults_for(call, target) if target.deployment.defaults else {}
    reading = DOORS[call.wire].read({**call.body, **defaults}, call.headers)
    return cross(
        reading,
        client=call.wire,
        upstream=wire,
        model=target.model,
        profile=target.profile,
        dialect=target.dialect,
        prompt_cache=target.deployment.prompt_cache,
        secret=call.gateway.secret,
        on_unsupported=target.deployment.on_unsupported,
    )


def settings_of(call: Call, target: Target, *, input_tokens: int = 0) -> StreamSettings:
    """What the gateway decides about a reply: an id of the client's API, and the client's name for the model."""
    reply_id = f"{DOORS[call.wire].id_prefix}{secrets.token_hex(12)}"
    shown = shown_model(call, target) or target.model
    return StreamSettings(reply_id=reply_id, model=shown, input_tokens=input_tokens, created=int(time.time()))


def _headers(target: Target, upstream: Mapping[str, str], call: Call) -> list[tuple[bytes, bytes]]:
    """The request id of the upstream, under the name that the client's SDK reads."""
    ours = REQUEST_ID_NAMES["anthropic" if call.wire == "anthropic_messages" else "openai"]
    found = upstream.get(REQUEST_ID_NAMES[target.deployment.provider])
    return [(ours.encode(), found.encode("latin-1", "replace"))] if found else []


# --- whole replies ----------------------------------------------------------------------------------------------------


async def _whole(call: Call, target: Target, crossing: Crossing, request: Outgoing) -> WholeReply:
    limit = asyncio.Semaphore(MAX_PARALLEL)

    async def one() -> tuple[JsonObject, Mapping[str, str]]:
        async with limit:
            reply = await asked(call, target, request)
            return (await whole_object(reply))[1], reply.headers

    answers = [await one()] if crossing.plan.requests == 1 else await _together(one, crossing.plan.requests)
    door, settings = DOORS[call.wire], settings_of(call, target)
    wire = crossing.plan.wire
    messages = [message for payload, _ in answers for message in _decoded(crossing, payload)]
    completions = [door.completion(message, settings, call.body) for message in messages]
    rendered = door.render_replies(completions, call.body)
    notes = (*crossing.notes, *(note for completion in completions for note in completion.notes))
    headers = [(b"content-type", b"application/json"), *_headers(target, answers[0][1], call)]
    used = tuple(used_in(wire.name, payload) for payload, _ in answers)
    return WholeReply(target, orjson.dumps(rendered), headers, used, notes)


async def _together(one: Any, count: int) -> list[tuple[JsonObject, Mapping[str, str]]]:
    """Several answers; the first error ends the others."""
    tasks = [asyncio.ensure_future(one()) for _ in range(count)]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _decoded(crossing: Crossing, payload: JsonObject) -> Iterable[AIMessage]:
    plan = crossing.plan
    try:
        messages = plan.wire.decode(payload)
    except ReplyError as error:
        error.provider, error.model = plan.route.provider, plan.route.model
        raise AttemptError(error) from None
    for message in messages:
        yield crossing.restore(cut_message(message, plan.stops) if plan.stops else message)


async def _counted(call: Call, target: Target, wire: Wire, crossing: Crossing) -> WholeReply:
    """The count of a prompt, by the upstream's endpoint where it has one, else estimated."""
    count: int | None = None
    if wire.encode_count is not None and wire.count_path is not None and target.dialect.counting != "estimated":
        encoded = wire.encode_count(crossing.plan.request)
        headers = made(encoded.headers, call.headers, target.deployment)
        try:
            reply = await asked(
                call, target, Outgoing(wire.count_path, orjson.dumps(encoded.body), headers, stream=False)
            )
            found = (await whole_object(reply))[1].get("input_tokens")
        except AttemptError:
            if target.dialect.counting == "endpoint":
                raise
            found = None
        count = found if isinstance(found, int) else None
    if count is None:
        count = body_size(call.body).tokens
    data = orjson.dumps(DOORS[call.wire].count_reply(count))
    return WholeReply(target, data, [(b"content-type", b"application/json")], notes=crossing.notes)


# --- streams ----------------------------------------------------------------------------------------------------------


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
    renderer: StreamRenderer = field(init=False)

    def __post_init__(self) -> None:
        is_messages = self.call.wire == "anthropic_messages"
        estimate = body_size(self.call.body).tokens if is_messages else 0
        settings = settings_of(self.call, self.target, input_tokens=estimate)
        self.renderer = self.door.stream(self.call.body, settings)

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

    async def deliver(self, exchange: Exchange, more: RawHeaders, ping_seconds: float) -> Delivered:
        """Send it as it comes. An error after the first byte becomes an event."""
        stream, door = self.stream, self.door
        headers = _headers(self.target, stream.reply.headers, self.call)
        await exchange.start(200, [*STREAM_HEADERS, *headers, *more])
        pings = Pings(exchange, door.keep_alive, ping_seconds)
        try:
            async for frames in self._frames():
                await exchange.write(frames)
                pings.sent(frames)
        except UnifiedError as error:
            stream.error = cut_off(self.target) if isinstance(error, IncompleteStreamError) else error
            await exchange.write(b"".join(map(door.frame, self.renderer.fail(stream.error))))
        finally:
            pings.stop()
            stream.close()
        return stream.delivered()

    async def _frames(self) -> AsyncIterator[bytes]:
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
        yield b"".join(out) + (b"" if render.failed else self.door.last_frame)

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
