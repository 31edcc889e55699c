"""`BatchStatus`: how far a run is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from langchain_unified.batches.ranges import size
from langchain_unified.batches.state import Part, Run

BatchState: TypeAlias = Literal["waiting", "running", "canceling", "ended", "failed"]


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One batch at the provider. `provider_state`: the provider's own word, empty before it was sent."""

    id: str | None
    state: str
    provider_state: str
    requests: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a run is.

    `state`: `waiting`: nothing is at the provider yet. `running`, `canceling`: something is. `ended`: all is done, with
    what outcome the counts say. `failed`: the provider refused all of it. The counts are requests. Those of parts that
    have ended are counted from their result lines, `errored` with those that no line names. `finished`: the requests
    that are done, as far as the provider tells while it works (Anthropic tells nothing before the end). `waiting`:
    requests that are not sent yet. `expires_at`: when the first part expires. `results_until`: until when the provider
    keeps all results. Both are UTC, `None` where the provider did not say.
    """

    state: BatchState
    total: int
    succeeded: int = 0
    errored: int = 0
    expired: int = 0
    canceled: int = 0
    running: int = 0
    waiting: int = 0
    finished: int = 0
    parts: tuple[PartStatus, ...] = field(default=(), repr=False)
    expires_at: datetime | None = None
    results_until: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing happens any more."""
        return self.state in ("ended", "failed")

    def __str__(self) -> str:
        counts = {name: getattr(self, name) for name in COUNTS if getattr(self, name)}
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        parts = f"{len(self.parts)} {'part' if len(self.parts) == 1 else 'parts'}"
        return f"{self.state}: {self.total:,} requests in {parts}{': ' if told else ''}{told}"


COUNTS = ("succeeded", "errored", "expired", "canceled", "running", "waiting")


def status_of(run: Run) -> BatchStatus:
    """The status, as the state of the run says it."""
    counts = dict.fromkeys(COUNTS, 0)
    counts["errored"] += len(run.errors)
    for part in run.parts:
        for name, count in _counts(part).items():
            counts[name] = counts.get(name, 0) + count
    kept = [part.results_until for part in run.parts if part.results_until]
    return BatchStatus(
        state=_state(run.parts),
        total=sum(part.requests for part in run.parts) + len(run.errors),
        **{name: counts[name] for name in COUNTS},
        finished=sum(part.finished if part.is_sent else part.requests for part in run.parts if part.state != "waiting"),
        parts=tuple(
            PartStatus(each.batch_id, each.state, each.word, each.requests, each.attempt) for each in run.parts
        ),
        expires_at=_time(
            min((part.expires_at for part in run.parts if part.is_sent and part.expires_at), default=None)
        ),
        results_until=_time(min(kept, default=None)),
    )


def _counts(part: Part) -> dict[str, int]:
    if part.state == "failed":
        return {"errored": part.requests}
    if part.state == "ended":
        if part.canceled:
            return {"canceled": part.requests}
        found = dict(part.counts)
        return {**found, "errored": found.get("errored", 0) + found.pop("missing", 0)}
    return {"running" if part.is_sent else "waiting": part.requests}


def _state(parts: list[Part]) -> BatchState:
    states = {part.state for part in parts}
    for state in ("running", "canceling"):
        if state in states:
            return state
    if states & {"waiting", "creating"}:
        return "waiting" if not states & {"ended", "failed"} else "running"
    return "failed" if states == {"failed"} else "ended"


def _time(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):  # no time that a calendar has
        return None


def rows_done(run: Run) -> int:
    """The rows of the parts that are done, and what the provider tells of the others."""
    done = sum(size(part.rows) for part in run.parts if not part.is_open and part.attempt == 1)
    told = sum(part.finished for part in run.parts if part.is_sent and part.attempt == 1)
    return min(run.total, done + told + len(run.errors))
