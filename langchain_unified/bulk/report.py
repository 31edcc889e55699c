"""What became of a run: `Report`, and `Progress` while it lasts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from langchain_unified.bulk.outputs import latest_rows
from langchain_unified.cost import usd
from langchain_unified.rows.row import Row


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at a moment. `done` and `failed` count the rows on disk, with those of earlier runs into the same folder.

    `total`: rows that go in; `None` where they cannot be counted ahead. `rate`: rows per second, of the last minute.
    `limit`: requests that may be in flight now. `held`: seconds until the provider takes requests again. `cost` and
    `projected_cost`: USD so far and at the end; `None` where prices are not known. `seconds_left`: until the end.
    """

    done: int
    failed: int
    total: int | None
    in_flight: int
    limit: int
    rate: float
    held: float
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    projected_cost: Decimal | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a run into a folder.

    `total`: rows that went in; `None` where a run that stopped could not count them. `answered` and `failed`: rows on
    disk, with those of earlier runs into the same folder; `new`: those of this run; `open`: rows without an outcome.
    `requests`, `refused` (429) and `repeated` (for another failure): of this run. Tokens and `cost` (USD): of all runs
    into the folder; `cost` is `None` where a price is not known. `limit`: requests in flight that the run ended with,
    `peak`: the most that were. `stopped`: `budget`, or `None` where all rows were tried.
    """

    out: Path
    folder: Path
    total: int | None
    answered: int
    failed: int
    new: int
    open: int | None
    requests: int
    refused: int
    repeated: int
    input_tokens: int
    output_tokens: int
    cache_read: int
    cache_creation: int
    cost: Decimal | None
    seconds: float
    limit: int
    peak: int
    stopped: str | None = None
    again: Callable[..., Coroutine[Any, Any, Report]] | None = field(default=None, repr=False, compare=False)
    run: Callable[[Coroutine[Any, Any, Any]], Any] | None = field(default=None, repr=False, compare=False)

    @property
    def rows_per_second(self) -> float:
        """Rows of this run by its seconds."""
        return self.new / self.seconds if self.seconds > 0 else 0.0

    def rows(self) -> Iterator[Row]:
        """All rows on disk, each once, in the order in which they were done. They are read one by one."""
        return latest_rows(self.folder)

    def failures(self) -> Iterator[Row]:
        """The rows with an error."""
        return (row for row in self.rows() if row["error"] is not None)

    async def aretry(self, **changes: Any) -> Report:
        """Async twin of `retry`."""
        if self.again is None:
            raise TypeError("This report was copied. Call `bulk` again with retry=True.")
        return await self.again(retry=True, **changes)

    def retry(self, **changes: Any) -> Report:
        """Ask again for exactly the rows that failed, with the arguments of this run and `changes`.

        Rows that are open are asked as well. An answer takes the place of the error.
        """
        if self.run is None:
            raise TypeError("This report was copied. Call `bulk` again with retry=True.")
        return cast(Report, self.run(self.aretry(**changes)))

    def __str__(self) -> str:
        total = "" if self.total is None else f" of {self.total:,}"
        parts = [
            f"{self.answered:,}{total} rows answered",
            f"{self.failed:,} failed",
            f"{self.open:,} open" if self.open else "",
            f"stopped by the {self.stopped}" if self.stopped else "",
            f"{self.new:,} in this run at {self.rows_per_second:,.1f}/s",
            f"{self.requests:,} requests ({self.refused:,} refused)",
            f"{self.input_tokens:,} tokens in, {self.output_tokens:,} out",
            "cost unknown" if self.cost is None else usd(self.cost),
        ]
        return f"{', '.join(part for part in parts if part)} → {self.out}"
