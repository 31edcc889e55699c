"""Sets of row numbers as sorted ranges `[start, stop)`: a part of 10,000 rows in a row is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

Ranges: TypeAlias = list[list[int]]


def ranges_of(rows: Iterable[int]) -> Ranges:
    """The ranges of ascending numbers."""
    found: Ranges = []
    for row in rows:
        if found and found[-1][1] == row:
            found[-1][1] = row + 1
        else:
            found.append([row, row + 1])
    return found


def rows_in(ranges: Ranges) -> Iterator[int]:
    """The numbers, ascending."""
    for start, stop in ranges:
        yield from range(start, stop)


def size(ranges: Ranges) -> int:
    """How many numbers there are."""
    return sum(stop - start for start, stop in ranges)


def without(ranges: Ranges, rows: frozenset[int]) -> Ranges:
    """The ranges without some numbers."""
    return ranges_of(row for row in rows_in(ranges) if row not in rows) if rows else ranges
