"""What can go wrong between a client and a provider, on demand.

Ordered: `server.fail_next(Fault.rate_limit(retry_after=2))`. At random, repeatably: `emulator(faults={"rate": 0.2,
"kinds": ["overloaded", "cut"], "seed": 7})`. By one request: the header `x-emulator-fault: rate_limit`, or with
arguments, `x-emulator-fault: cut; after_bytes=200`.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal, TypedDict

HTML = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. Made by the class methods; the fields say what the server does.

    Either it answers in the model's place: the provider's own error object for `error`, or `body` as it is. Or the
    answer goes out damaged: `at` counts events of a stream (0: before the first), `after_bytes` bytes of the body,
    `seconds` the time that something lasts.
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
    def answers(self) -> bool:
        """Whether it is answered in the model's place."""
        return self.status is not None or self.kind == "overloaded"

    @classmethod
    def rate_limit(
        cls, retry_after: float | str | datetime | None = None, retry_after_ms: float | None = None
    ) -> Fault:
        """429. `retry_after` in seconds, or a date; `retry_after_ms` in milliseconds; no header without them."""
        headers: dict[str, str] = {}
        if retry_after is not None:
            headers["retry-after"] = _retry_after(retry_after)
        if retry_after_ms is not None:
            headers["retry-after-ms"] = f"{retry_after_ms:g}"
        return cls("rate_limit", 429, "rate_limit", headers)

    @classmethod
    def server_error(cls, status: int = 500) -> Fault:
        """A 5xx with the provider's error object."""
        return cls("server_error", status, "server")

    @classmethod
    def overloaded(cls, status: int | None = None) -> Fault:
        """Overloaded: 529 on Anthropic, 503 on OpenAI, or the `status` given."""
        return cls("overloaded", status, "overloaded")

    @classmethod
    def overloaded_mid_stream(cls, after_events: int = 3) -> Fault:
        """An error event in a stream, after so many events, and the end. A reply that is no stream is refused."""
        return cls("overloaded_mid_stream", error="overloaded", at=after_events)

    @classmethod
    def cut(cls, after_bytes: int = 100) -> Fault:
        """The connection closes after so many bytes of the body, before the end that was promised."""
        return cls("cut", after_bytes=after_bytes)

    @classmethod
    def clean_end_without_final(cls) -> Fault:
        """A stream ends properly, but the events that finish it never came. A whole reply ends half-way."""
        return cls("clean_end_without_final")

    @classmethod
    def stall(cls, seconds: float = 30.0, after_events: int = 2) -> Fault:
        """Nothing for so long, after so many events of a stream (a whole reply: before it); then the rest."""
        return cls("stall", at=after_events, seconds=seconds)

    @classmethod
    def pings_only(cls, seconds: float = 30.0, after_events: int = 1) -> Fault:
        """A sign of life every 50 ms but no content, for so long; then the rest."""
        return cls("pings_only", at=after_events, seconds=seconds)

    @classmethod
    def drip(cls, delay: float = 0.05, size: int | None = None) -> Fault:
        """A pause of `delay` seconds before each event, or before each `size` bytes of the body."""
        return cls("drip", seconds=delay, size=size)

    @classmethod
    def html(cls, status: int = 502) -> Fault:
        """An HTML page, as proxies answer."""
        return cls("html", status, headers={"content-type": "text/html"}, body=HTML.format(status=status))

    @classmethod
    def malformed_json(cls, after_events: int = 2) -> Fault:
        """JSON that breaks off: the reply, or the data of an event."""
        return cls("malformed_json", at=after_events)

    @classmethod
    def refuse_connection(cls) -> Fault:
        """The connection closes before any byte of an answer."""
        return cls("refuse_connection")

    @classmethod
    def http(
        cls, status: int, body: str | bytes | Mapping[str, Any] = "", headers: Mapping[str, str] | None = None
    ) -> Fault:
        """Any answer: a mapping goes out as JSON."""
        return cls("http", status, headers=dict(headers or {}), body=body)


def _retry_after(value: float | str | datetime) -> str:
    if isinstance(value, datetime):
        return format_datetime(value.astimezone(UTC), usegmt=True)
    return value if isinstance(value, str) else f"{value:g}"


KINDS = (
    "rate_limit", "server_error", "overloaded", "overloaded_mid_stream", "cut", "clean_end_without_final", "stall",
    "pings_only", "drip", "html", "malformed_json", "refuse_connection", "http",
)  # fmt: skip
"""The names of the constructors, as `kinds` and the header take them."""


def named(text: str) -> Fault:
    """The fault that a header or a setting names: `rate_limit`, `cut; after_bytes=200`, `html; status=503`."""
    name, *rest = (part.strip() for part in text.split(";"))
    if name not in KINDS:
        raise ValueError(f"There is no fault {name!r}. Known: {', '.join(KINDS)}.")
    maker = getattr(Fault, name)
    given = dict(part.split("=", 1) for part in rest if "=" in part)
    known = inspect.signature(maker).parameters
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise ValueError(f"{name} has no {', '.join(unknown)}; it has {', '.join(known) or 'no arguments'}.")
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
    """Faults at random: how often (0 to 1), which (`KINDS` or `Fault`s; default: `overloaded`), and the seed."""

    rate: float
    kinds: Iterable[str | Fault]
    seed: int


class Faults:
    """What fails next: first what was ordered, then what the plan's dice say."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        plan = plan or {}
        kinds = plan.get("kinds") or ("overloaded",)
        self._kinds = [named(kind) if isinstance(kind, str) else kind for kind in kinds]
        self._rate = plan.get("rate", 0.0)
        self._dice = random.Random(plan.get("seed", 0))  # noqa: S311  # repeatable on purpose
        self._ordered: list[Fault] = []

    def order(self, fault: Fault | str, times: int = 1) -> None:
        """Fail the next `times` requests."""
        fault = named(fault) if isinstance(fault, str) else fault
        self._ordered += [fault] * times

    def next(self, header: str | None = None) -> Fault | None:
        """The fault for a request; its own header goes first, and uses up nothing."""
        if header:
            return named(header)
        if self._ordered:
            return self._ordered.pop(0)
        if self._rate and self._dice.random() < self._rate:
            return self._dice.choice(self._kinds)
        return None
