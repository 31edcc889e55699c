"""A job with its contenders, and its figures: medians of CPU time of interleaved runs in one process."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Run: TypeAlias = Callable[[], Any]
"""What is measured; it may return an awaitable, which is awaited."""

OURS = "ours"
PEERS: Mapping[str, str] = {
    "sdk": "the SDK's typed call",
    "partner": "the partner package",
    "core": "core + bare HTTP",
    "small": "itself, smaller",
}
"""With whom we are compared: a column of the table each. `small`: the same job at its smallest size."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds of interleaved runs, and how long each contender runs in a round, at least."""

    rounds: int
    seconds: float


@dataclass
class Job:
    """One thing to do, by contender; `ours` is one of them.

    `per`: how many of `unit` one run does, by contender or for all. `targets`: what our share of a peer is to be.
    """

    name: str
    api: str
    unit: str
    runs: Mapping[str, Run]
    targets: Mapping[str, float] = field(default_factory=dict)
    per: int = 1
    per_peer: Mapping[str, int] = field(default_factory=dict)
    quick: bool = True
    """Whether `make bench-quick` runs it."""
    rounds: int = 0
    """Of a long job: how many rounds it has, with one run in each."""


@dataclass(frozen=True)
class Row:
    """The figures of a job in its unit, by contender; our share of each peer's figure; what the shares are to be."""

    name: str
    api: str
    unit: str
    figures: Mapping[str, float]
    ratios: Mapping[str, float]
    targets: Mapping[str, float]


def measure(job: Job, effort: Effort, loop: asyncio.AbstractEventLoop) -> Row:
    """Run a job's contenders by turns. A ratio is the median of the rounds' ratios: a round is short, load changes."""
    rounds, counts = job.rounds or effort.rounds, dict.fromkeys(job.runs, 1)
    if not job.rounds:
        counts = {name: repeats(run, effort.seconds, loop) for name, run in job.runs.items()}
    times: dict[str, list[float]] = {name: [] for name in job.runs}
    for _ in range(rounds):
        for name, run in job.runs.items():
            gc.collect()
            times[name].append(timed(run, counts[name], loop) / job.per_peer.get(name, job.per))
    figures = {name: statistics.median(each) * 1e6 for name, each in times.items()}
    return Row(job.name, job.api, job.unit, figures, ratios(times), job.targets)


def ratios(times: Mapping[str, list[float]]) -> dict[str, float]:
    """Our share of each peer's figure: the median over the rounds."""
    return {
        peer: statistics.median(ours / theirs for ours, theirs in zip(times[OURS], times[peer], strict=True))
        for peer in PEERS
        if peer in times
    }


def repeats(run: Run, seconds: float, loop: asyncio.AbstractEventLoop) -> int:
    timed(run, 2, loop)  # the first builds a client
    return max(1, round(seconds / max(timed(run, 1, loop), 1e-5)))


def timed(run: Run, count: int, loop: asyncio.AbstractEventLoop) -> float:
    """CPU seconds of one run."""
    start = time.process_time()
    for _ in range(count):
        found = run()
        if hasattr(found, "__await__"):
            loop.run_until_complete(found)
    return (time.process_time() - start) / count
