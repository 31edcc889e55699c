"""Asking an upstream: the request, an error answer, and a stream up to its first content."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

import orjson

from langchain_unified.errors import UnifiedError, error_in
from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.failures import (
    AttemptError,
    RawError,
    error_in_stream,
    error_of,
    no_answer,
    refused_key,
)
from langchain_unified.gateway.headers import returned
from langchain_unified.gateway.state import Call
from langchain_unified.gateway.stream_usage import MAX_EVENT_BYTES, StreamUsage
from langchain_unified.gateway.upstream import MAX_ERROR_BYTES, UpstreamReply
from langchain_unified.gateway.used import Delivered
from langchain_unified.request import JsonObject, WireName
from langchain_unified.transport._content import has_content
from langchain_unified.transport.sse import SSEParser


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request to an upstream. `is_raw`: whether its errors go to the client as they are."""

    path: str
    data: bytes
    headers: Mapping[str, str]
    stream: bool
    query: str = ""
    is_raw: bool = False


async def asked(call: Call, target: Target, outgoing: Outgoing) -> UpstreamReply:
    """An answer whose status says success. Raises `AttemptError`."""
    try:
        reply = await call.gateway.upstream.post(
            target.deployment,
            outgoing.path,
            outgoing.data,
            outgoing.headers,
            stream=outgoing.stream,
            query=outgoing.query,
        )
    except UnifiedError as error:
        raise AttemptError(error) from None
    if reply.status >= 300:
        raise await refused(reply, is_raw=outgoing.is_raw)
    return reply


async def refused(reply: UpstreamReply, *, is_raw: bool) -> AttemptError:
    """What an error answer leaves."""
    deployment = reply.deployment
    try:
        data = await reply.read(MAX_ERROR_BYTES)
    except UnifiedError as error:
        return AttemptError(error)
    if reply.status < 400:
        what = f"the server redirects ({reply.status}): its api_base has to be corrected"
        return AttemptError(no_answer(what, deployment))
    if reply.status == 401:
        return AttemptError(refused_key(deployment))
    found = error_of(reply.status, reply.headers, data, deployment)
    media = reply.headers.get("content-type", "")
    if not is_raw or "json" not in media:
        return AttemptError(found)
    if deployment.api_key:
        data = data.replace(deployment.api_key.encode(), b"***")
    headers = ((b"content-type", media.encode("latin-1")), *returned(reply.headers))
    return AttemptError(found, RawError(reply.status, headers, data))


async def whole_object(reply: UpstreamReply) -> tuple[bytes, JsonObject]:
    """A whole reply, as bytes and as an object. Raises `AttemptError`, also for an error with status 200."""
    try:
        data = await reply.read()
    except UnifiedError as error:
        raise AttemptError(error) from None
    media = reply.headers.get("content-type", "").partition(";")[0]
    payload = parsed(data) if "json" in media else None
    if payload is None:
        raise AttemptError(no_answer(f"the answer is no JSON object ({media or 'no type'})", reply.deployment))
    if "id" not in payload and (reported := error_in(payload)) is not None:
        raise AttemptError(error_in_stream(reported, reply.deployment))
    return data, payload


def parsed(data: bytes) -> JsonObject | None:
    """A JSON object; `None` if it is none."""
    try:
        payload = orjson.loads(bytes(data))  # no subclass of bytes
    except orjson.JSONDecodeError:
        return None
    return payload if isinstance(payload, dict) else None


# --- streams ----------------------------------------------------------------------------------------------------------


@dataclass
class UpstreamStream:
    """A stream whose first content has come. `held`: the parts until then; `pending`: the next, already waited for."""

    target: Target
    reply: UpstreamReply
    usage: StreamUsage
    rest: AsyncIterator[bytes]
    held: list[bytes] = field(default_factory=list)
    pending: asyncio.Future[bytes] | None = None
    error: UnifiedError | None = None
    """What ended it before its end."""

    async def parts(self) -> AsyncIterator[bytes]:
        """All parts, which the meter of the usage sees as well."""
        feed = self.usage.feed
        for part in self.held:
            feed(part)
            yield part
        self.held.clear()
        if self.pending is not None:
            pending, self.pending = self.pending, None
            if not (part := await pending):
                return
            feed(part)
            yield part
        async for part in self.rest:
            feed(part)
            yield part

    def delivered(self) -> Delivered:
        """What it cost so far."""
        usage = self.usage
        for part in self.held:
            usage.feed(part)
        self.held.clear()
        usage.finish()
        error = self.error
        if error is None and usage.error is not None:
            error = error_in_stream(usage.error, self.target.deployment)
        is_complete = usage.has_ended and error is None
        used = replace(usage.used, characters=usage.characters, is_complete=is_complete)
        return Delivered((used,), is_complete, error)

    def close(self) -> None:
        """End it: the connection goes back to the pool if the answer was read to its end."""
        if self.pending is not None:
            self.pending.cancel()
        self.reply.release()


async def opened(call: Call, target: Target, reply: UpstreamReply, wire: WireName) -> UpstreamStream:
    """A stream up to its first content. Raises `AttemptError` for the error that comes in its place."""
    media = reply.headers.get("content-type", "").partition(";")[0]
    if media != "text/event-stream":
        reply.close()
        raise AttemptError(no_answer(f"the server did not stream ({media or 'no content type'})", target.deployment))
    stream = UpstreamStream(target, reply, StreamUsage(wire), reply.chunks())
    try:
        await _read_preamble(stream, call.gateway.limits.ping_seconds)
    except UnifiedError as error:
        stream.close()
        raise AttemptError(error) from None
    except BaseException:
        stream.close()
        raise
    return stream


async def _read_preamble(stream: UpstreamStream, seconds: float) -> None:
    """Read up to the first content. Raises the error that comes in its place, if another deployment may do better.

    After some seconds without content it goes out all the same, so that the client gets signs of life.
    """
    parser = SSEParser()
    deadline = time.monotonic() + seconds
    while True:
        pending = asyncio.ensure_future(anext(stream.rest, b""))
        try:
            done, _ = await asyncio.wait({pending}, timeout=deadline - time.monotonic())
        except asyncio.CancelledError:
            pending.cancel()
            raise
        if not done:
            stream.pending = pending
            return
        part = pending.result()
        if not part:
            raise no_answer("the stream ended before its first content", stream.target.deployment)
        stream.held.append(part)
        if parser.held > MAX_EVENT_BYTES:
            raise no_answer("an event of the stream does not end", stream.target.deployment)
        if any(_is_content(data, stream) for data in parser.feed(part)):
            return


def _is_content(data: bytes, stream: UpstreamStream) -> bool:
    payload = parsed(data)
    if payload is None:
        return True
    if (error := error_in(payload)) is not None:
        raise error_in_stream(error, stream.target.deployment)
    return has_content(payload)
