"""The path where client and upstream speak one API: the body's bytes pass, and so do those of the answer.

Changed are the model's name, the key, the deployment's defaults and, of a Chat stream, the request for its usage, whose
chunk the client does not get unless it asked for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from langchain_core.messages.ai import UsageMetadata

from langchain_unified.errors import UnifiedError, error_in
from langchain_unified.gateway import body as bodies
from langchain_unified.gateway.deployments import Target, upstream_path
from langchain_unified.gateway.failures import (
    AttemptError,
    RawError,
    error_in_stream,
    error_of,
    no_answer,
    refused_key,
)
from langchain_unified.gateway.headers import forwarded, returned
from langchain_unified.gateway.sending import PassedStream, WholeReply
from langchain_unified.gateway.state import Call
from langchain_unified.gateway.stream_usage import StreamUsage, usage_of
from langchain_unified.gateway.upstream import MAX_ERROR_BYTES, UpstreamReply
from langchain_unified.request import JsonObject, WireName
from langchain_unified.transport.sse import SSEParser

PREAMBLE: Mapping[WireName, frozenset[str]] = {
    "anthropic_messages": frozenset({"message_start", "ping"}),
    "openai_chat": frozenset(),
    "openai_responses": frozenset({"response.created", "response.in_progress", "response.queued"}),
}
"""Events before the first content. A stream that fails at one of them can still be answered by another deployment."""


async def open_passing(call: Call, target: Target) -> WholeReply | PassedStream:
    """Send the call; returns when there is something to deliver. Raises `AttemptError`."""
    data, hides_usage = outgoing(call, target)
    try:
        reply = await call.gateway.upstream.post(
            target.deployment,
            upstream_path(call.wire, counts=call.counts),
            data,
            forwarded(call.exchange.headers, target.deployment, call.gateway.key_header),
            stream=call.stream,
            query=_query(call),
        )
    except UnifiedError as error:
        raise AttemptError(error) from None
    if reply.status >= 300:
        raise await refused(reply, same_wire=True)
    if not call.stream:
        return await _whole(call, target, reply)
    return await _stream(call, target, reply, hides_usage=hides_usage)


def outgoing(call: Call, target: Target) -> tuple[bytes, bool]:
    """The body to send, and whether the chunk with the stream's usage is hidden from the client."""
    changes: dict[str, Any] = {**_absent(target.deployment.defaults, call.body), "model": target.model}
    hides = False
    if call.stream and call.wire == "openai_chat" and target.dialect.stream_usage:
        options = call.body.get("stream_options")
        options = options if isinstance(options, dict) else {}
        hides = options.get("include_usage") is not True
        if hides:
            changes["stream_options"] = {**options, "include_usage": True}
    return bodies.with_changes(call.data, call.body, changes), hides


def _absent(defaults: Mapping[str, Any], body: JsonObject) -> dict[str, Any]:
    return {key: value for key, value in defaults.items() if key not in body} if defaults else {}


def _query(call: Call) -> str:
    return "?" + call.exchange.query.decode("latin-1") if call.exchange.query else ""


async def refused(reply: UpstreamReply, *, same_wire: bool) -> AttemptError:
    """What an error answer leaves."""
    deployment = reply.deployment
    try:
        data = await reply.read(MAX_ERROR_BYTES)
    except UnifiedError as error:
        return AttemptError(error)
    if reply.status < 400:
        reply.close()
        what = f"the server redirects ({reply.status}): its api_base has to be corrected"
        return AttemptError(no_answer(what, deployment))
    if reply.status == 401:
        return AttemptError(refused_key(deployment))
    found = error_of(reply.status, reply.headers, data, deployment)
    media = reply.headers.get("content-type", "")
    if not same_wire or "json" not in media:
        return AttemptError(found)
    if deployment.api_key:
        data = data.replace(deployment.api_key.encode(), b"***")
    headers = ((b"content-type", media.encode("latin-1")), *returned(reply.headers))
    return AttemptError(found, RawError(reply.status, headers, data))


# --- whole replies ----------------------------------------------------------------------------------------------------


async def _whole(call: Call, target: Target, reply: UpstreamReply) -> WholeReply:
    try:
        data = await reply.read()
    except UnifiedError as error:
        raise AttemptError(error) from None
    usage: UsageMetadata | None = None
    media = reply.headers.get("content-type", "")
    payload = _object(data) if "json" in media else None
    if payload is None:
        what = f"the answer is no JSON object ({media.partition(';')[0] or 'no content type'})"
        raise AttemptError(no_answer(what, target.deployment))
    if (reported := error_in(payload)) is not None and "id" not in payload:
        raise AttemptError(error_in_stream(reported, target.deployment))
    raw = payload.get("usage")
    if isinstance(raw, dict):
        usage = usage_of(call.wire, raw, payload.get("service_tier"), payload.get("output") or [])
    headers = ((b"content-type", media.encode("latin-1")), *returned(reply.headers))
    return WholeReply(target, data, headers, usage=usage)


def _object(data: bytes) -> JsonObject | None:
    try:
        payload = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return payload if isinstance(payload, dict) else None


# --- streams ----------------------------------------------------------------------------------------------------------


async def _stream(call: Call, target: Target, reply: UpstreamReply, *, hides_usage: bool) -> PassedStream:
    media = reply.headers.get("content-type", "")
    if "text/event-stream" not in media:
        reply.close()
        what = f"the server did not stream ({media.partition(';')[0] or 'no content type'})"
        raise AttemptError(no_answer(what, target.deployment))
    usage = StreamUsage(call.wire)
    parts = reply.chunks()
    stream = PassedStream(target, reply, parts, usage, hidden=HiddenUsage() if hides_usage else None)
    try:
        await _read_preamble(stream, parts, call)
    except UnifiedError as error:
        reply.close()
        raise AttemptError(error) from None
    except BaseException:
        reply.close()
        raise
    return stream


async def _read_preamble(stream: PassedStream, parts: AsyncIterator[bytes], call: Call) -> None:
    """Read up to the first content. Raises the error that comes in its place, if another deployment may do better.

    After some seconds without content it goes out all the same, so that the client gets signs of life.
    """
    parser = SSEParser()
    deadline = time.monotonic() + call.gateway.limits.ping_seconds
    while True:
        pending = asyncio.ensure_future(anext(parts, b""))
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
        if any(_is_content(data, stream, call.wire) for data in parser.feed(part)):
            return


def _is_content(data: bytes, stream: PassedStream, wire: WireName) -> bool:
    payload = _object(data)
    if payload is None:
        return True
    if (error := error_in(payload)) is not None:
        raise error_in_stream(error, stream.target.deployment)
    return payload.get("type") not in PREAMBLE[wire]


class HiddenUsage:
    """Leaves out the chunk of a Chat stream that has the usage alone. Lets everything else pass at once."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> bytes:
        """The bytes that can go out. An event that is not complete waits for its end."""
        data = self._rest + part if self._rest else part
        end = data.rfind(b"\n\n") + 2
        if end < 2 and (end := data.rfind(b"\r\n\r\n") + 4) < 4:
            self._rest = data
            return b""
        whole, self._rest = data[:end], data[end:]
        if b'"usage"' not in whole:
            return whole
        separator = b"\r\n\r\n" if b"\r\n\r\n" in whole else b"\n\n"
        events = whole.split(separator)
        return separator.join(event for event in events if not _is_usage_alone(event))

    def flush(self) -> bytes:
        """What is left at the end."""
        rest, self._rest = self._rest, b""
        return rest


def _is_usage_alone(event: bytes) -> bool:
    start = event.find(b"data:")
    if start < 0 or b'"usage"' not in event:
        return False
    payload = _object(event[start + 5 :])
    return payload is not None and payload.get("choices") == [] and isinstance(payload.get("usage"), dict)
