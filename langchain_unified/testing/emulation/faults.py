"""Faults between a client and a provider, on demand.

Three ways to inject one:

- for the next requests: `server.fail_next(Fault.rate_limit(retry_after=2))`, or for the next ones to an endpoint:
  `server.fail_next("lost_answer", endpoint="openai.batches.create")`
- at random, the same in each run: `emulator(faults={"rate": 0.2, "kinds": ["overloaded", "cut"], "seed": 7})`
- in one request: the header `x-emulator-fault: rate_limit`, with arguments `x-emulator-fault: cut; after_bytes=200`
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal, TypedDict

HTML_PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Use the class methods to make it; the fields tell the server what to do.

    A fault either replaces the model's answer, by the provider's error object for `error` or by `body`; or it damages
    the answer on its way. `at`: the number of events of a stream that are sent before (0: none). `after_bytes`: the
    same in bytes of the body. `seconds`: how long the fault lasts. `size`: bytes of one piece of the body.
    """

    kind: str
    status: int | None = None
    error: Literal["rate_limit", "server", "overloaded"] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | Mapping[str, Any] | None = None
    at: int = 0
    after_bytes: int = 0
    seconds: float = 0.0
    size: int | None = None

    @property
    def has_answer(self) -> bool:
        """Whether the fault has an answer of its own, which replaces the model's."""
        return self.status is not None or self.kind == "overloaded"

    @classmethod
    def rate_limit(
        cls, retry_after: float | str | datetime | None = None, retry_after_ms: float | None = None
    ) -> Fault:
        """Status 429, with or without the header `retry-after`.

        `retry_after`: seconds or a date. `retry_after_ms`: milliseconds. Without them, no header.
        """
        headers: dict[str, str] = {}
        if retry_after is not None:
            headers["retry-after"] = _retry_after(retry_after)
        if retry_after_ms is not None:
            headers["retry-after-ms"] = f"{retry_after_ms:g}"
        return cls("rate_limit", 429, "rate_limit", headers)

    @classmethod
    def server_error(cls, status: int = 500) -> Fault:
        """A status 5xx with the provider's error object."""
        return cls("server_error", status, "server")

    @classmethod
    def overloaded(cls, status: int | None = None) -> Fault:
        """The provider is overloaded.

        Status 529 on Anthropic and 503 on OpenAI, or the given `status`.
        """
        return cls("overloaded", status, "overloaded")

    @classmethod
    def overloaded_mid_stream(cls, after_events: int = 3) -> Fault:
        """An error event in the middle of a stream, then its end.

        `after_events`: the number of events before it. A call without a stream gets the status of `overloaded`.
        """
        return cls("overloaded_mid_stream", error="overloaded", at=after_events)

    @classmethod
    def cut(cls, after_bytes: int = 100) -> Fault:
        """The connection closes in the middle of the body.

        `after_bytes`: the number of bytes that are sent before.
        """
        return cls("cut", after_bytes=after_bytes)

    @classmethod
    def clean_end_without_final(cls) -> Fault:
        """A stream ends normally, but without its final events.

        A reply without a stream ends half-way.
        """
        return cls("clean_end_without_final")

    @classmethod
    def stall(cls, seconds: float = 30.0, after_events: int = 2) -> Fault:
        """A pause in the middle of a stream, or before a reply.

        `seconds`: its length. `after_events`: the number of events of the stream before it.
        """
        return cls("stall", at=after_events, seconds=seconds)

    @classmethod
    def pings_only(cls, seconds: float = 30.0, after_events: int = 1) -> Fault:
        """A part of a stream with pings but no content.

        `seconds`: its length, with a ping every 50 ms. `after_events`: the number of events before it.
        """
        return cls("pings_only", at=after_events, seconds=seconds)

    @classmethod
    def drip(cls, delay: float = 0.05, size: int | None = None) -> Fault:
        """A slow answer: a pause before each event.

        `delay`: the length of a pause, in seconds. `size`: a pause before each `size` bytes of the body instead.
        """
        return cls("drip", seconds=delay, size=size)

    @classmethod
    def html(cls, status: int = 502) -> Fault:
        """An HTML page, as a proxy answers."""
        return cls("html", status, headers={"content-type": "text/html"}, body=HTML_PAGE.format(status=status))

    @classmethod
    def malformed_json(cls, after_events: int = 2) -> Fault:
        """Incomplete JSON.

        The reply, or the event after `after_events` events of a stream.
        """
        return cls("malformed_json", at=after_events)

    @classmethod
    def stays_open(cls, seconds: float = 30.0) -> Fault:
        """A stream is complete, but its connection stays open for `seconds`. A reply without a stream is as usual."""
        return cls("stays_open", seconds=seconds)

    @classmethod
    def bad_close(cls) -> Fault:
        """A stream is complete, but its connection breaks before the end of the HTTP body.

        A reply without a stream is as usual.
        """
        return cls("bad_close")

    @classmethod
    def empty_events(cls, seconds: float = 30.0, after_events: int = 2) -> Fault:
        """A part of a stream with events that hold no content, as some servers send while they compute.

        `seconds`: its length, with an event every 50 ms. `after_events`: the number of events before it. A reply
        without a stream waits as long.
        """
        return cls("empty_events", at=after_events, seconds=seconds)

    @classmethod
    def endless(cls, size: int = 2**30, status: int | None = None) -> Fault:
        """An answer that does not end: one event of `size` bytes, or so long a JSON text.

        `status`: an HTML page with that status instead.
        """
        headers = {} if status is None else {"content-type": "text/html"}
        return cls("endless", status, headers=headers, body=None if status is None else "<html>", size=size)

    @classmethod
    def gzip_bomb(cls, size: int = 2**28) -> Fault:
        """A small body that is `size` bytes when it is decompressed."""
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        return cls("gzip_bomb", 200, headers=headers, body=b"", size=size)

    @classmethod
    def endless_continue(cls, seconds: float = 30.0) -> Fault:
        """`100 Continue` again and again before the answer. `seconds`: for how long, with one every 50 ms."""
        return cls("endless_continue", seconds=seconds)

    @classmethod
    def slow_headers(cls, seconds: float = 30.0) -> Fault:
        """Headers that come slowly. `seconds`: for how long, with a header every 50 ms."""
        return cls("slow_headers", seconds=seconds)

    @classmethod
    def header_flood(cls, size: int = 2**20) -> Fault:
        """More headers than any client takes. `size`: their bytes."""
        return cls("header_flood", size=size)

    @classmethod
    def second_reply(cls, seconds: float = 30.0) -> Fault:
        """The reply comes twice, the second time unasked.

        A client that uses the connection again takes it for its next reply. `seconds`: how long the connection stays.
        """
        return cls("second_reply", seconds=seconds)

    @classmethod
    def lost_answer(cls) -> Fault:
        """The request is carried out, but the connection closes before the first byte of the answer."""
        return cls("lost_answer")

    @classmethod
    def refuse_connection(cls) -> Fault:
        """The connection closes before the first byte of an answer."""
        return cls("refuse_connection")

    @classmethod
    def redirect(cls, to: str, status: int = 307) -> Fault:
        """A redirect, with an empty body. `to`: the address in the header `location`."""
        return cls("redirect", status, headers={"location": to}, body="")

    @classmethod
    def http(
        cls, status: int, body: str | bytes | Mapping[str, Any] = "", headers: Mapping[str, str] | None = None
    ) -> Fault:
        """Any status, body and headers.

        `body`: a mapping is sent as JSON. `headers` are added to those of every answer.
        """
        return cls("http", status, headers=dict(headers or {}), body=body)


def _retry_after(value: float | str | datetime) -> str:
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(UTC), usegmt=True)
    return value if isinstance(value, str) else f"{value:g}"


FAULT_KINDS = (
    "rate_limit", "server_error", "overloaded", "overloaded_mid_stream", "cut", "clean_end_without_final", "stall",
    "pings_only", "drip", "html", "malformed_json", "stays_open", "bad_close", "empty_events", "endless",
    "gzip_bomb", "endless_continue", "slow_headers", "header_flood", "second_reply", "lost_answer", "refuse_connection",
    "redirect", "http",
)  # fmt: skip
"""The names of the class methods, as `kinds` and the header take them."""


def parse_fault(text: str) -> Fault:
    """The fault of a text such as `rate_limit`, `cut; after_bytes=200` or `html; status=503`.

    Raises `ValueError` for an unknown fault or argument.
    """
    name, *rest = (part.strip() for part in text.split(";"))
    if name not in FAULT_KINDS:
        raise ValueError(f"There is no fault {name!r}. The faults are {', '.join(FAULT_KINDS)}.")
    maker = getattr(Fault, name)
    given = dict(part.split("=", 1) for part in rest if "=" in part)
    known = inspect.signature(maker).parameters
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise ValueError(
            f"The fault {name} has no argument {', '.join(unknown)}. Its arguments: {', '.join(known) or 'none'}."
        )
    fault: Fault = maker(**{key.strip(): _value(value.strip()) for key, value in given.items()})
    return fault


def _value(text: str) -> float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


class FaultPlan(TypedDict, total=False):
    """Random faults. `rate`: 0 to 1, default 0; `kinds`: default `overloaded`; `seed`: default 0.

    `endpoint`: only requests to this one fail, named as in `Recorded.endpoint`, such as `anthropic.messages` or
    `openai.batches.create`; `openai.batches` means all that begin so. By default any.
    """

    rate: float
    kinds: Iterable[str | Fault]
    seed: int
    endpoint: str


class FaultSource:
    """Decides which request fails: first those of `fail_next`, then at random by the plan."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        plan = plan or {}
        kinds = plan.get("kinds") or ("overloaded",)
        self._kinds = [parse_fault(kind) if isinstance(kind, str) else kind for kind in kinds]
        self._rate = plan.get("rate", 0.0)
        self._random = random.Random(plan.get("seed", 0))  # noqa: S311  # the same in each run
        self._endpoint = plan.get("endpoint")
        self._waiting: list[tuple[Fault, str | None]] = []

    def fail_next(self, fault: Fault | str, times: int = 1, endpoint: str | None = None) -> None:
        """Fail the next `times` requests, or those to an endpoint."""
        fault = parse_fault(fault) if isinstance(fault, str) else fault
        self._waiting += [(fault, endpoint)] * times

    def next(self, header: str | None = None, endpoint: str = "") -> Fault | None:
        """The fault for a request. Its header `x-emulator-fault` comes first and leaves the others waiting."""
        if header:
            return parse_fault(header)
        for at, (fault, where) in enumerate(self._waiting):
            if _is_within(endpoint, where):
                del self._waiting[at]
                return fault
        if self._rate and _is_within(endpoint, self._endpoint) and self._random.random() < self._rate:
            return self._random.choice(self._kinds)
        return None


def _is_within(endpoint: str, where: str | None) -> bool:
    """Whether an endpoint is the one that is meant, or one of them."""
    return where is None or endpoint == where or endpoint.startswith(f"{where}.")
