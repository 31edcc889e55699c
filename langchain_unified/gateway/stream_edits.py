"""What changes in a stream whose bytes pass: the model's name, and the chunk with the usage of a Chat stream."""

from __future__ import annotations

import re

import orjson

from langchain_unified.gateway.opening import parsed
from langchain_unified.request import JsonObject, WireName


class StreamEdits:
    """The edits of one stream, made in whole events: what is not complete waits for its end.

    `shown_model`: the name of the model that the client sees; `None`: that of the provider. `hides_usage`: whether the
    chunk of a Chat stream that has the usage alone is left out.
    """

    def __init__(self, wire: WireName, shown_model: str | None = None, *, hides_usage: bool = False) -> None:
        """Nothing has come yet."""
        self._wire = wire
        self._shown = None if shown_model is None else orjson.dumps(shown_model)
        self._hides_usage = hides_usage
        self._replaced: tuple[bytes, bytes] | None = None
        self._rest = b""

    @property
    def wanted(self) -> bool:
        """Whether there is something to change, or to send on, in what comes."""
        return self._hides_usage or self._shown is not None or bool(self._rest)

    def feed(self, part: bytes) -> bytes:
        """The bytes that can go out."""
        data = self._rest + part if self._rest else part
        end = data.rfind(b"\n\n") + 2
        if end < 2 and (end := data.rfind(b"\r\n\r\n") + 4) < 4:
            self._rest = data
            return b""
        whole, self._rest = data[:end], data[end:]
        if self._shown is not None:
            whole = self._renamed(whole)
        return _without_usage(whole) if self._hides_usage and b'"usage"' in whole else whole

    def flush(self) -> bytes:
        """What is left at the end."""
        rest, self._rest = self._rest, b""
        return rest

    def _renamed(self, events: bytes) -> bytes:
        """The events with the client's name. It is taken from the first event that names the model."""
        if self._replaced is None:
            found = next(filter(None, map(_model_in, events.split(_separator(events)))), None)
            if found is None:
                return events
            self._replaced = found[0], found[0][: -len(found[1])] + (self._shown or b"")
        changed = events.replace(*self._replaced)
        if self._wire == "anthropic_messages":
            self._shown = None  # only `message_start` names it
        return changed


def _model_in(event: bytes) -> tuple[bytes, bytes] | None:
    """The key `model` of an event with its value, as bytes, and the value alone."""
    start = event.find(b"data:")
    payload = parsed(event[start + 5 :]) if start >= 0 and b'"model"' in event else None
    if payload is None:
        return None
    holder: JsonObject = next((payload[key] for key in ("message", "response") if key in payload), payload)
    name = holder.get("model") if isinstance(holder, dict) else None
    if not isinstance(name, str):
        return None
    value = orjson.dumps(name)
    # In a text the quotes are escaped: what has none before it is a key.
    found = re.search(rb'(?<!\\)"model"\s*:\s*' + re.escape(value), event)
    return (found.group(), value) if found else None


def _separator(events: bytes) -> bytes:
    return b"\r\n\r\n" if b"\r\n\r\n" in events else b"\n\n"


def _without_usage(events: bytes) -> bytes:
    separator = _separator(events)
    return separator.join(event for event in events.split(separator) if not _is_usage_alone(event))


def _is_usage_alone(event: bytes) -> bool:
    start = event.find(b"data:")
    if start < 0 or b'"usage"' not in event:
        return False
    payload: JsonObject | None = parsed(event[start + 5 :])
    return payload is not None and payload.get("choices") == [] and isinstance(payload.get("usage"), dict)
