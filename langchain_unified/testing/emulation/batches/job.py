"""One batch: its items, the time that it takes, and what became of each item."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.batches.plan import ITEM_FAULTS, BatchSettings
from langchain_unified.testing.emulation.endpoints import EmulatedEndpoint
from langchain_unified.testing.emulation.faults import Fault

DAY = 86_400.0
"""Seconds after which a batch expires (Anthropic: `expires_at`; OpenAI: `completion_window`)."""

OutcomeKind = Literal["answered", "expired", "canceled", "missing", "no_response", "empty_body", "malformed_line"]


@dataclass(slots=True)
class Item:
    """One request of a batch. `body` is empty once it is answered. `refusal`: why a batch does not take it."""

    custom_id: str
    endpoint: EmulatedEndpoint
    body: JsonObject
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item. `status`, `request_id` and `body` are those of an answer."""

    kind: OutcomeKind
    status: int = 0
    request_id: str = ""
    body: JsonObject = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return self.kind == "answered" and self.status == 200


class Answerer(Protocol):
    """What answers an item: the emulator's engine."""

    def answer_item(
        self,
        endpoint: EmulatedEndpoint,
        body: JsonObject,
        headers: Mapping[str, str],
        *,
        fault: Fault | None = None,
        refusal: str | None = None,
    ) -> tuple[int, str, JsonObject]:
        """Status, request id and body of the answer to one item."""


@dataclass
class Job:
    """A batch that runs. Times are in seconds of the emulator's clock.

    `head` and `tail`: the shares of the time before the first item begins and after the last one has finished.
    `headers`: of the request that created it; each item has the same.
    """

    id: str
    created: float
    items: Sequence[Item]
    headers: Mapping[str, str]
    settings: BatchSettings
    head: float = 0.0
    tail: float = 0.0
    cancelled: float | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._sequence = list(range(len(self.items)))
        random.Random(f"{self.settings.seed} {self.id}").shuffle(self._sequence)  # noqa: S311
        self.seconds = self.settings.seconds

    @property
    def expires(self) -> float:
        return self.created + DAY

    @property
    def begins(self) -> float:
        """When the first item begins."""
        return self.created + self.head * self.seconds

    @property
    def finished(self) -> float:
        """When the last item is finished, if nothing ends the batch before."""
        return self.created + (1 - self.tail) * self.seconds

    @property
    def ends(self) -> float:
        """When the batch ends."""
        end = min(self.created + self.seconds, self.expires)
        return end if self.cancelled is None else min(end, self.cancelled + self.settings.cancel_seconds)

    @property
    def ending(self) -> Literal["completed", "expired", "canceled"]:
        """How it ends, as far as is known now."""
        if self.cancelled is not None:
            return "canceled"
        return "expired" if self.created + self.seconds > self.expires else "completed"

    def has_ended(self, now: float) -> bool:
        return now >= self.ends

    def run(self, now: float, answerer: Answerer) -> None:
        """Answer the items that are finished by now. At the end of the batch, the others are expired or canceled."""
        with self._lock:
            done = self._done(min(now, self.ends if self.cancelled is None else self.cancelled))
            for at in sorted(self._sequence[len(self.outcomes) : done]):
                self.outcomes[at] = self._answer(self.items[at], answerer)
            if self.has_ended(now):
                left: OutcomeKind = "canceled" if self.ending == "canceled" else "expired"
                for at in self._sequence[len(self.outcomes) :]:
                    self.outcomes[at] = Outcome(left)

    def _done(self, at: float) -> int:
        """How many items are finished at a time."""
        length = self.finished - self.begins
        share = (at - self.begins) / length if length > 0 else float(at >= self.finished)
        return int(len(self.items) * min(1.0, max(0.0, share)))

    def _answer(self, item: Item, answerer: Answerer) -> Outcome:
        fault = self.settings.fault_of(item.custom_id)
        if fault is not None and fault.kind in ("expired", "canceled"):
            return Outcome(fault.kind)  # type: ignore[arg-type]
        is_item_fault = fault is not None and fault.kind in ITEM_FAULTS
        status, request_id, body = answerer.answer_item(
            item.endpoint, item.body, self.headers, fault=None if is_item_fault else fault, refusal=item.refusal
        )
        item.body = {}
        kind: OutcomeKind = fault.kind if fault is not None and is_item_fault else "answered"  # type: ignore[assignment]
        return Outcome(kind, status, request_id, body)

    def count(self, kind: str) -> int:
        """How many items have an outcome of a kind."""
        return sum(outcome.kind == kind for outcome in self.outcomes.values())
