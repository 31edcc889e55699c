"""How an answer is sent: framed as the provider frames it, and damaged if there is a fault.

`delivery_steps` gives a plan: bytes to send, seconds to wait, or `CUT`, which closes the connection.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from langchain_unified.request import JsonObject, WireName
from langchain_unified.testing.emulation.faults import Fault
from langchain_unified.wires import DOORS
from langchain_unified.wires._door import plain_frame, typed_frame


class _Cut:
    """The type of `CUT`."""


CUT: Final = _Cut()
DeliveryStep: TypeAlias = bytes | float | _Cut

PING_SECONDS = 0.05
"""The time between the pings of a stream that sends nothing else."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream, as bytes. `final`: without it the stream is incomplete."""

    data: bytes
    final: bool = False


# --- framing ----------------------------------------------------------------------------------------------------------


def frames(wire: WireName, events: Sequence[JsonObject]) -> list[Frame]:
    """The events of a stream as the API frames them, with Anthropic's ping and the `[DONE]` of Chat Completions."""
    door = DOORS[wire]
    framed = [Frame(door.frame(event), _is_final(event)) for event in events]
    if door.last_frame:
        return [*framed, Frame(door.last_frame, final=True)]
    has_ping = any(event.get("type") == "ping" for event in events)
    if wire == "anthropic_messages" and framed and not has_ping:
        framed.insert(1, Frame(door.keep_alive))
    return framed


def _is_final(event: JsonObject) -> bool:
    """Whether a stream without this event is incomplete. Events of Chat Completions have no type."""
    if "type" in event:
        return event["type"] in FINAL_EVENTS
    return all(choice.get("finish_reason") for choice in event.get("choices") or [])


FINAL_EVENTS = frozenset(
    {"message_delta", "message_stop", "response.completed", "response.incomplete", "response.failed"}
)


def error_frame(wire: WireName, error: JsonObject) -> bytes:
    """An error in mid-stream. `error` is the provider's error body."""
    if wire != "openai_responses":
        return DOORS[wire].frame(error)
    inner = error["error"]
    event = {"type": "error", "code": inner["code"] or inner["type"], "message": inner["message"], "param": None}
    return typed_frame({**event, "sequence_number": 0})


# --- plans ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payload:
    """What an answer contains: a `body`, or a `stream` of frames. `error` is the frame of an error in mid-stream."""

    wire: WireName
    body: bytes = b""
    stream: tuple[Frame, ...] | None = None
    error: bytes = b""

    @property
    def parts(self) -> list[bytes]:
        """The pieces in which it is sent without a fault."""
        return [self.body] if self.stream is None else [frame.data for frame in self.stream]


def delivery_steps(payload: Payload, fault: Fault | None) -> Iterator[DeliveryStep]:
    """The plan for a payload. Faults that do not damage an answer do not change it."""
    plan = DELIVERY_PLANS.get(fault.kind) if fault is not None else None
    if plan is None or fault is None:
        yield from payload.parts
    else:
        yield from plan(payload, fault)


def content_length(payload: Payload, fault: Fault | None) -> int | None:
    """The header Content-Length: larger than what is sent if the connection is cut. `None` for a stream."""
    if payload.stream is not None or (fault is not None and fault.kind in WITHOUT_LENGTH):
        return None
    steps = list(delivery_steps(payload, fault))
    sent = sum(len(step) for step in steps if isinstance(step, bytes))
    return max(len(payload.body), sent + 1) if CUT in steps else sent


def _cut(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    left = fault.after_bytes
    for part in payload.parts:
        if left > 0:
            yield part[:left]
        left -= len(part)
    yield CUT


def _without_final(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    if payload.stream is None:
        yield payload.body[: len(payload.body) // 2]
    else:
        yield from (frame.data for frame in itertools.takewhile(lambda frame: not frame.final, payload.stream))


def _stall(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    at = 0 if payload.stream is None else fault.at
    yield from payload.parts[:at]
    yield fault.seconds
    yield from payload.parts[at:]


def _pings(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    if payload.stream is None:
        yield from _stall(payload, fault)
        return
    yield from payload.parts[: fault.at]
    for _ in range(max(1, round(fault.seconds / PING_SECONDS))):
        yield DOORS[payload.wire].keep_alive
        yield PING_SECONDS
    yield from payload.parts[fault.at :]


def _drip(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    parts = payload.parts
    if fault.size:
        data = b"".join(parts)
        parts = [data[at : at + fault.size] for at in range(0, len(data), fault.size)]
    for part in parts:
        yield fault.seconds
        yield part


def _malformed_json(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    parts = payload.parts
    at = 0 if payload.stream is None else min(fault.at, len(parts) - 1)
    yield from parts[:at]
    broken = parts[at].rstrip(b"\n}")
    yield broken if payload.stream is None else broken + b"\n\n"
    yield from parts[at + 1 :]


def _error_in_stream(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    yield from payload.parts[: fault.at]
    yield payload.error


def _stays_open(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    yield from payload.parts
    if payload.stream is not None:
        yield fault.seconds


def _bad_close(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    yield from payload.parts
    if payload.stream is not None:
        yield CUT


def _empty_events(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    if payload.stream is None:
        yield from _stall(payload, fault)
        return
    yield from payload.parts[: fault.at]
    for _ in range(max(1, round(fault.seconds / PING_SECONDS))):
        yield EMPTY_EVENTS[payload.wire]
        yield PING_SECONDS
    yield from payload.parts[fault.at :]


def _endless(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    if payload.stream is None:
        yield payload.body if fault.status is not None else b'{"id": "'
    else:
        yield b"data: "
    piece = b"x" * 2**16
    yield from itertools.repeat(piece, (fault.size or 0) // len(piece) + 1)


def _gzip_bomb(payload: Payload, fault: Fault) -> Iterator[DeliveryStep]:
    packer, piece = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS), b" " * 2**20
    yield packer.compress(b"{")
    for _ in range((fault.size or 0) // len(piece) + 1):
        if packed := packer.compress(piece):
            yield packed
    yield packer.compress(b"}") + packer.flush()


WITHOUT_LENGTH = frozenset({"endless", "gzip_bomb"})
"""Faults whose answers are too long to build before they are sent."""

EMPTY_EVENTS: Mapping[WireName, bytes] = {
    "anthropic_messages": typed_frame(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
    ),
    "openai_chat": plain_frame(
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": ""}}]}
    ),
    "openai_responses": typed_frame(
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": ""}
    ),
}
"""By wire, an event without content."""

DELIVERY_PLANS: Mapping[str, Callable[[Payload, Fault], Iterator[DeliveryStep]]] = {
    "cut": _cut,
    "clean_end_without_final": _without_final,
    "stall": _stall,
    "pings_only": _pings,
    "drip": _drip,
    "malformed_json": _malformed_json,
    "overloaded_mid_stream": _error_in_stream,
    "stays_open": _stays_open,
    "bad_close": _bad_close,
    "empty_events": _empty_events,
    "endless": _endless,
    "gzip_bomb": _gzip_bomb,
}
"""By kind of fault, how it damages an answer."""
