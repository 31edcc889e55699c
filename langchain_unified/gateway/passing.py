"""The path where client and upstream speak one API: the body's bytes pass, and so do those of the answer.

Changed are the model's name, the key, the deployment's defaults and, of a Chat stream, the request for its usage, whose
chunk the client does not get unless it asked for it. The reply names the model as the client did (`shown_model`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_unified.errors import UnifiedError
from langchain_unified.gateway import body as bodies
from langchain_unified.gateway.deployments import Target, upstream_path
from langchain_unified.gateway.exchange import Exchange, RawHeaders
from langchain_unified.gateway.headers import STREAM_HEADERS, forwarded, returned
from langchain_unified.gateway.opening import Outgoing, UpstreamStream, asked, opened, whole_object
from langchain_unified.gateway.sending import Pings, WholeReply, cut_off, error_frames
from langchain_unified.gateway.state import Call
from langchain_unified.gateway.stream_edits import StreamEdits
from langchain_unified.gateway.used import Delivered, used_in
from langchain_unified.request import Adjustment, WireName
from langchain_unified.wires import DOORS


async def open_passing(call: Call, target: Target) -> WholeReply | PassedStream:
    """Send the call; returns when there is something to deliver. Raises `AttemptError`."""
    data, hides_usage = outgoing(call, target)
    request = Outgoing(
        path=upstream_path(call.wire, counts=call.counts) + (COMPACT if call.compacts else ""),
        data=data,
        headers=forwarded(call.headers, target.deployment, call.gateway.key_header),
        stream=call.stream,
        query="?" + call.exchange.query.decode("latin-1") if call.exchange.query else "",
        is_raw=True,
    )
    reply = await asked(call, target, request)
    if call.stream:
        stream = await opened(call, target, reply, call.wire)
        shown = shown_model(call, target)
        return PassedStream(stream, call.wire, StreamEdits(call.wire, shown, hides_usage=hides_usage))
    data, payload = await whole_object(reply)
    if (shown := shown_model(call, target)) is not None and "model" in payload:
        data = bodies.with_model(data, shown) or data
    media = reply.headers.get("content-type", "application/json")
    headers = ((b"content-type", media.encode("latin-1")), *returned(reply.headers))
    return WholeReply(target, data, headers, used=(used_in(call.wire, payload),))


COMPACT = "/compact"
"""Below the address of the Responses API, the one that compacts a conversation."""

RENAMED: Mapping[WireName, Mapping[str, str]] = {
    "openai_responses": {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"},
    "openai_chat": {"max_output_tokens": "max_completion_tokens"},
    "anthropic_messages": {"max_output_tokens": "max_tokens", "max_completion_tokens": "max_tokens"},
}
"""A deployment's defaults under the names of the client's API."""


def defaults_for(call: Call, target: Target) -> dict[str, Any]:
    """The deployment's defaults for what the client does not say."""
    defaults, names = target.deployment.defaults, RENAMED[call.wire]
    found = {names.get(key, key): value for key, value in defaults.items()}
    if call.body.keys() & OUTPUT_LIMITS:
        found = {key: value for key, value in found.items() if key not in OUTPUT_LIMITS}
    return {key: value for key, value in found.items() if key not in call.body}


OUTPUT_LIMITS = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens"})


def outgoing(call: Call, target: Target) -> tuple[bytes, bool]:
    """The body to send, and whether the chunk with the stream's usage is hidden from the client."""
    takes_defaults = target.deployment.defaults and not call.counts and not call.compacts
    changes: dict[str, Any] = defaults_for(call, target) if takes_defaults else {}
    changes["model"] = target.model
    hides = False
    if call.stream and call.wire == "openai_chat" and target.dialect.stream_usage:
        options = call.body.get("stream_options")
        options = options if isinstance(options, dict) else {}
        hides = options.get("include_usage") is not True
        if hides:
            changes["stream_options"] = {**options, "include_usage": True}
    return bodies.with_changes(call.data, call.body, changes), hides


def shown_model(call: Call, target: Target) -> str | None:
    """The client's name for the model; `None` where it is sent as it is.

    Claude Code leaves the thinking out of its next turn if the reply names another model than it asked for (seen with
    2.1.197), so that an alias would lose it.
    """
    asked_for: str = call.body["model"]
    return None if asked_for == target.model else asked_for


# --- streams ----------------------------------------------------------------------------------------------------------


@dataclass
class PassedStream:
    """A stream whose bytes pass, but for the `edits`."""

    stream: UpstreamStream
    wire: WireName
    edits: StreamEdits
    notes: tuple[Adjustment, ...] = ()

    @property
    def target(self) -> Target:
        """Who answers."""
        return self.stream.target

    async def deliver(self, exchange: Exchange, more: RawHeaders, ping_seconds: float) -> Delivered:
        """Send it as it comes. An error after the first byte becomes an event."""
        stream = self.stream
        await exchange.start(200, [*STREAM_HEADERS, *returned(stream.reply.headers), *more])
        pings = Pings(exchange, DOORS[self.wire].keep_alive, ping_seconds)
        try:
            await self._pass(exchange, pings)
            stream.usage.finish()
            if not stream.usage.has_ended and stream.usage.error is None:
                raise cut_off(stream.target)
        except UnifiedError as error:
            stream.error = error
            await exchange.write(error_frames(self.wire, error))
        finally:
            pings.stop()
            stream.close()
        return stream.delivered()

    async def _pass(self, exchange: Exchange, pings: Pings) -> None:
        edits = self.edits
        async for part in self.stream.parts():
            shown = edits.feed(part) if edits.wanted else part
            if shown:
                await exchange.write(shown)
                pings.sent(shown)
        if rest := edits.flush():
            await exchange.write(rest)

    def delivered(self) -> Delivered:
        """What it cost so far."""
        return self.stream.delivered()

    def close(self) -> None:
        """End it."""
        self.stream.close()
