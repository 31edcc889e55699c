"""The bar of a run: in a terminal or a notebook, by tqdm where it is installed; else nothing is printed."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from langchain_unified.bulk.report import Progress
from langchain_unified.cost import usd
from langchain_unified.display.progress import tqdm_bar
from langchain_unified.display.views import in_notebook

EVERY = 0.5
"""Seconds between two looks."""
MINUTE = 60.0

Show: TypeAlias = bool | Callable[[Progress], None]
"""`True`: a bar where somebody sees it. A function: it gets the progress twice a second."""


class Display(Protocol):
    """What shows the progress of a run."""

    def show(self, progress: Progress) -> None: ...

    def close(self) -> None: ...


class Silent:
    """Shows nothing."""

    def show(self, progress: Progress) -> None: ...

    def close(self) -> None: ...


class Called:
    """Gives the progress to the caller's function."""

    def __init__(self, function: Callable[[Progress], None]) -> None:
        self.show = function

    def close(self) -> None: ...


class Bar:
    """Tqdm's bar, of the terminal or of the notebook."""

    def __init__(self) -> None:
        self._bar: Any = tqdm_bar(None, "", unit=" rows", dynamic_ncols=True)

    def show(self, progress: Progress) -> None:
        self._bar.total = progress.total
        self._bar.n = progress.done + progress.failed
        self._bar.set_postfix_str(summary(progress), refresh=True)

    def close(self) -> None:
        self._bar.close()


class Line:
    """One line of a terminal that is written anew."""

    def show(self, progress: Progress) -> None:
        total = "?" if progress.total is None else f"{progress.total:,}"
        sys.stderr.write(f"\r\033[K{progress.done + progress.failed:,}/{total} rows, {summary(progress)}")
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write("\n")


def display_of(show: Show) -> Display:
    """What shows the progress: a bar where somebody sees it."""
    if callable(show):
        return Called(show)
    if not show or not (sys.stderr.isatty() or in_notebook()):
        return Silent()
    try:
        return Bar()
    except ImportError:
        return Line()


def summary(progress: Progress) -> str:
    """Rate, limit, failures, cost and time left, in one line."""
    left = progress.seconds_left
    parts = [
        f"{progress.rate:,.1f} rows/s",
        f"{progress.in_flight}/{progress.limit} in flight",
        f"{progress.failed:,} failed" if progress.failed else "",
        f"waits {progress.held:.0f} s for the provider" if progress.held >= 1 else "",
        "" if progress.cost is None else _cost(progress),
        "" if left is None else f"{clock(left)} left",
    ]
    return ", ".join(part for part in parts if part)


def _cost(progress: Progress) -> str:
    now = usd(round(progress.cost, 4)) if progress.cost else "$0"
    whole = "" if progress.projected_cost is None else f" of about {usd(round(progress.projected_cost, 2))}"
    return f"{now}{whole}"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Rate:
    """Rows per second over the last minute."""

    def __init__(self, now: float) -> None:
        self._seen: deque[tuple[float, int]] = deque([(now, 0)])

    def of(self, now: float, rows: int) -> float:
        """The rate when `rows` are done."""
        self._seen.append((now, rows))
        while len(self._seen) > 2 and now - self._seen[0][0] > MINUTE:
            self._seen.popleft()
        then, before = self._seen[0]
        return (rows - before) / (now - then) if now > then else 0.0
