"""How an answer goes over the connection: framed as the provider frames it, and damaged where a fault says so.

`steps` is a plan: bytes to send, seconds to wait, or `CUT`, the end of the connection. Whoever moves bytes follows it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.faults import Fault


class _Cut:
    """The connection closes here."""


CUT: Final = _Cut()
Step: TypeAlias = bytes | float | _Cut

PING_EVERY = 0.05
"""Seconds between the pings of a stream that gives nothing else."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event on the wire; `final` when a stream is only whole with it."""

    data: bytes
    final: bool = False


# --- framing ----------------------------------------------------------------------------------------------------------


def frames(wire: str, events: Sequence[JsonObject]) -> list[Frame]:
    """The events of a stream as the API frames them, with Anthropic's ping and OpenAI's `[DONE]`."""
    if wire == "openai_chat":
        return [*map(_chat_frame, events), Frame(b"data: [DONE]\n\n", final=True)]
    framed = [Frame(named(event), event.get("type") in FINAL) for event in events]
    has_ping = any(event.get("type") == "ping" for event in events)
    if wire == "anthropic_messages" and framed and not has_ping:
        framed.insert(1, Frame(PINGS[wire]))
    return framed


def named(event: JsonObject) -> bytes:
    """An event with its type on a line of its own, as Messages and Responses write it."""
    return b"event: %s\ndata: %s\n\n" % (str(event.get("type")).encode(), orjson.dumps(event))


def _chat_frame(event: JsonObject) -> Frame:
    choices = event.get("choices") or []
    return Frame(b"data: %s\n\n" % orjson.dumps(event), all(part.get("finish_reason") for part in choices))


FINAL = frozenset({"message_delta", "message_stop", "response.completed", "response.incomplete", "response.failed"})

PINGS: Mapping[str, bytes] = {
    "anthropic_messages": named({"type": "ping"}),
    "openai_chat": b": keep-alive\n\n",
    "openai_responses": b": keep-alive\n\n",
}
"""By wire, a sign of life without content. OpenAI has none of its own: a comment, as proxies send it."""


def error_frame(wire: str, error: JsonObject) -> bytes:
    """An error in the middle of a stream. `error` is the provider's error body."""
    if wire == "anthropic_messages":
        return named(error)
    if wire == "openai_chat":
        return b"data: %s\n\n" % orjson.dumps(error)
    inner = error["error"]
    event = {"type": "error", "code": inner["code"] or inner["type"], "message": inner["message"], "param": None}
    return named({**event, "sequence_number": 0})


# --- plans ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be sent: a `body`, or the `stream` of one. `error` is the frame of an error in mid-stream."""

    wire: str
    body: bytes = b""
    stream: tuple[Frame, ...] | None = None
    error: bytes = b""

    @property
    def parts(self) -> list[bytes]:
        """The pieces in which it goes out when nothing is wrong."""
        return [self.body] if self.stream is None else [frame.data for frame in self.stream]


def steps(parcel: Parcel, fault: Fault | None) -> Iterator[Step]:
    """The plan for a parcel. A fault that does not damage it leaves it as it is."""
    plan = PLANS.get(fault.kind) if fault is not None else None
    if plan is None or fault is None:
        yield from parcel.parts
    else:
        yield from plan(parcel, fault)


def length(parcel: Parcel, fault: Fault | None) -> int | None:
    """The Content-Length: honest, but for a cut. `None` for a stream."""
    if parcel.stream is not None:
        return None
    plan = list(steps(parcel, fault))
    if CUT in plan:
        return max(len(parcel.body), sum(len(step) for step in plan if isinstance(step, bytes)) + 1)
    return sum(len(step) for step in plan if isinstance(step, bytes))


def _cut(parcel: Parcel, fault: Fault) -> Iterator[Step]:
    left = fault.after_bytes
    for part in parcel.parts:
        if left > 0:
            yield part[:left]
        left -= len(part)
    yield CUT


def _without_final(parcel: Parcel, fault: Fault) -> Iterator[Step]:
    if parcel.stream is None:
        yield parcel.body[: len(parcel.body) // 2]
    else:
        yield from (frame.data for frame in itertools.takewhile(lambda frame: not frame.final, parcel.stream))


def _stall(parcel: Parcel, fault: Fault) -> Iterator[Step]:
    at = 0 if parcel.stream is None else fault.at
    yield from parcel.parts[:at]
    yield fault.seconds
    yield from parcel.parts[at:]


def _pings(parcel: Parcel, fault: Fault) -> Iterator[Step]:
    if parcel.stream is None:
        yield from _stall(parcel, fault)
        return
    yield from parcel.parts[: fault.at]
    for _ in range(max(1, round(fault.seconds / PING_EVERY))):
        yield PINGS[parcel.wire]
        yield PING_EVERY
    yield from parcel.parts[fault.at :]


def _drip(parcel: Parcel, fault: Fault) -> Iterator[Step]:
    parts = parcel.parts
    if fault.size:
        whole = b"".join(parts)
        parts = [whole[at : at + fault.size] for at in range(0, len(whole), fault.size)]
    for part in parts:
        yield fault.seconds
        yield part


def _malformed(parcel: Parcel, fault: Fault) -> Iterator[Step]:
    parts = parcel.parts
    at = 0 if parcel.stream is None else min(fault.at, len(parts) - 1)
    yield from parts[:at]
    broken = parts[at].rstrip(b"\n}")
    yield broken if parcel.stream is None else broken + b"\n\n"
    yield from parts[at + 1 :]


def _error(parcel: Parcel, fault: Fault) -> Iterator[Step]:
    yield from parcel.parts[: fault.at]
    yield parcel.error


PLANS: Mapping[str, Callable[[Parcel, Fault], Iterator[Step]]] = {
    "cut": _cut,
    "clean_end_without_final": _without_final,
    "stall": _stall,
    "pings_only": _pings,
    "drip": _drip,
    "malformed_json": _malformed,
    "overloaded_mid_stream": _error,
}
