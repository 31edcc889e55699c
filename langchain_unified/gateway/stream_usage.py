"""The usage of a stream whose bytes pass: read from the few events that have it, not from each event.

The parts are held until some tens of kilobytes have come, then looked through at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from langchain_unified.errors import ReplyError, error_in
from langchain_unified.gateway.used import Used, usage_of
from langchain_unified.request import JsonObject, WireName

HELD_BYTES = 65_536
"""How many bytes are held before they are looked through."""

MAX_EVENT_BYTES = 100_000_000
"""Bytes of one event. The largest are images in base64."""

_TEXTS: Mapping[WireName, re.Pattern[bytes]] = {
    "anthropic_messages": re.compile(rb'"(?:text|thinking|partial_json)":\s?"((?:[^"\\]|\\.)+)"'),
    "openai_chat": re.compile(rb'"(?:content|reasoning_content|reasoning|refusal|arguments)":\s?"((?:[^"\\]|\\.)+)"'),
    "openai_responses": re.compile(rb'"delta":\s?"((?:[^"\\]|\\.)+)"'),
}
"""By API, what a model wrote, in the events that stream it. Quotes in a text are escaped: no text matches a key."""

_FINAL: Mapping[WireName, re.Pattern[bytes]] = {
    "anthropic_messages": re.compile(rb'"type":\s?"message_stop"'),
    "openai_chat": re.compile(rb"data:\s?\[DONE\]"),
    "openai_responses": re.compile(rb'"type":\s?"response\.(?:completed|incomplete|failed|cancelled)"'),
}
_TOLD = re.compile(rb'"usage"|"type":\s?"(?:error|response\.failed)"|"error":\s?\{')
"""What stands in the events that have a usage or an error."""


@dataclass
class StreamUsage:
    """What the bytes of a stream tell. `usage`: of the last event that has it; `None` if none had."""

    wire: WireName
    raw: JsonObject = field(default_factory=dict)
    has_ended: bool = False
    """Whether the final event has come."""
    error: JsonObject | None = None
    """The error that the stream reports."""
    tier: str | None = None
    reply_id: str | None = None
    output: list[Any] = field(default_factory=list)
    characters: int = 0
    """Characters that the model wrote, about."""
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def feed(self, part: bytes) -> None:
        """Take a part of the stream."""
        self._parts.append(part)
        self._size += len(part)
        if self._size > HELD_BYTES:
            self._look_through()

    def finish(self) -> None:
        """Look through what is held. Call it at the end, also of a stream that was cut."""
        self._look_through(last=True)

    def _look_through(self, *, last: bool = False) -> None:
        data = b"".join(self._parts)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        end = len(data) if last else data.rfind(b"\n\n") + 2
        rest = data[end:] if end >= 2 else data
        if end < 2 and len(data) > MAX_EVENT_BYTES:
            raise ReplyError(f"an event of the provider's stream is larger than {MAX_EVENT_BYTES:,} bytes")
        if end < 2:
            self._parts, self._size = [data], 0  # one long event: look again after as many bytes more
            return
        self._parts, self._size = ([rest] if rest else []), len(rest)
        data = data[:end]
        self.characters += sum(map(len, _TEXTS[self.wire].findall(data)))
        self.has_ended = self.has_ended or _FINAL[self.wire].search(data) is not None
        end = -1
        for match in _TOLD.finditer(data):
            if match.start() > end:
                before = data.rfind(b"\n\n", 0, match.start())
                start = before + 2 if before >= 0 else 0
                end = data.find(b"\n\n", match.start())
                end = len(data) if end < 0 else end
                self._event(data[start:end])

    def _event(self, event: bytes) -> None:
        start = event.find(b"data:")
        try:
            payload = orjson.loads(event[start + 5 :]) if start >= 0 else None
        except orjson.JSONDecodeError:
            return
        if isinstance(payload, dict):
            self.error = error_in(payload) or self.error
            _READERS[self.wire](self, payload)

    @property
    def used(self) -> Used:
        """What the stream told of its usage."""
        if not self.raw:
            return Used()
        tier = self.tier or self.raw.get("service_tier")
        return Used(usage_of(self.wire, self.raw, tier, self.output), self.raw, tier, tuple(self.output))


def _messages(found: StreamUsage, payload: JsonObject) -> None:
    message = payload.get("message") if payload.get("type") == "message_start" else payload
    if not isinstance(message, dict) or not isinstance(message.get("usage"), dict):
        return
    found.reply_id = message.get("id") or found.reply_id
    # `message_delta` repeats the counts of the start, or has those of the output alone.
    found.raw.update({key: value for key, value in message["usage"].items() if value is not None})


def _chat(found: StreamUsage, payload: JsonObject) -> None:
    if isinstance(payload.get("usage"), dict):
        found.raw = payload["usage"]
        found.reply_id, found.tier = payload.get("id"), payload.get("service_tier")


def _responses(found: StreamUsage, payload: JsonObject) -> None:
    response = payload.get("response")
    if isinstance(response, dict) and isinstance(response.get("usage"), dict):
        found.raw = response["usage"]
        found.reply_id, found.tier = response.get("id"), response.get("service_tier")
        found.output = response.get("output") or []


_READERS: Mapping[WireName, Callable[[StreamUsage, JsonObject], None]] = {
    "anthropic_messages": _messages,
    "openai_chat": _chat,
    "openai_responses": _responses,
}
