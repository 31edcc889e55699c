"""Splitting rows into parts, each of which is one batch at the provider and keeps all its limits."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

REQUESTS_PER_PART = 10_000
BYTES_PER_PART = 32_000_000
"""What a part holds at most, where the caller does not say otherwise. They are below the limits of the providers, so
that a part can be built in memory: sending 42 MB at once took 200 MB."""

BYTES_PER_TOKEN = 4
"""For estimates of a prompt's tokens. An estimate that is too low costs one refused batch, which is then split."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one part may hold. `tokens`: estimated prompt tokens; `None`: any number."""

    requests: int = REQUESTS_PER_PART
    bytes: int = BYTES_PER_PART
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Sized:
    """One row. Rows with different keys cannot be in one batch (model, endpoint, headers).

    `bytes`: of its lines, with what separates them.
    """

    row: int
    key: Hashable
    bytes: int
    requests: int = 1

    @property
    def tokens(self) -> int:
        """An estimate of its prompt tokens."""
        return -(-self.bytes // BYTES_PER_TOKEN)


@dataclass(slots=True)
class Split:
    """A part in the making: rows with one key, ascending."""

    key: Hashable
    rows: list[int] = field(default_factory=list)
    requests: int = 0
    bytes: int = 0
    tokens: int = 0

    def takes(self, row: Sized, limits: Limits) -> bool:
        """Whether a row has room. A part that is empty takes a row of any size."""
        fits = self.requests + row.requests <= limits.requests and self.bytes + row.bytes <= limits.bytes
        enough = limits.tokens is None or self.tokens + row.tokens <= limits.tokens
        return not self.rows or (fits and enough)

    def add(self, row: Sized) -> None:
        """Add a row."""
        self.rows.append(row.row)
        self.requests += row.requests
        self.bytes += row.bytes
        self.tokens += row.tokens


class Splitter:
    """Puts rows into parts, in the order in which they come. Each row is in exactly one part."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.parts: list[Split] = []
        """In the order of their first rows."""
        self._open: dict[Hashable, Split] = {}

    def add(self, row: Sized) -> Split:
        """The part that the row is now in."""
        part = self._open.get(row.key)
        if part is None or not part.takes(row, self.limits):
            part = self._open[row.key] = Split(row.key)
            self.parts.append(part)
        part.add(row)
        return part


def halves(rows: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """A part that the provider finds too large, as two."""
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]
