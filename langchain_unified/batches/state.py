"""The state of a run of batches as JSON: written before and after each step, so that any process can go on.

It holds no key and no prompt. A prompt is built again from the caller's inputs where it is needed again, and its digest
tells whether they are the same.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson
from pydantic import TypeAdapter, ValidationError

from langchain_unified.batches.ranges import Ranges
from langchain_unified.errors import ConfigurationError
from langchain_unified.request import JsonObject, Provider, WireName
from langchain_unified.rows.journal import sync_folder

VERSION = 1
RUN_DIGITS = 12
"""Characters of a run's id, which begins each custom id. The providers take 64 in all."""
LIMITS = ("requests", "bytes", "tokens")
"""The names in `Run.limits`. Only `tokens` may have no limit."""

PartState: TypeAlias = Literal["waiting", "creating", "running", "canceling", "ended", "failed"]


@dataclass(slots=True)
class Part:
    """Rows that are one batch at the provider.

    `state`: `waiting`: it is not sent (again) yet. `creating`: it is being sent, and whether it arrived is not known.
    `failed`: the provider refused it as a whole, for the reason in `refused`. `word`: the provider's own word.
    `attempt`: 1, or by which `retry` it came. `tries`: how many times it was sent. `after`: the newest batch of the
    account before it was sent, as id and time: what it became is newer. `earlier`: ids of its batches that failed.
    """

    rows: Ranges
    wire: WireName
    requests: int
    bytes: int
    tokens: int
    state: PartState = "waiting"
    word: str = ""
    attempt: int = 1
    tries: int = 0
    file_id: str | None = None
    batch_id: str | None = None
    after: JsonObject | None = None
    earlier: list[str] = field(default_factory=list)
    finished: int = 0
    created_at: float | None = None
    expires_at: float | None = None
    results_until: float | None = None
    files: list[str] = field(default_factory=list)
    refused: JsonObject | None = None
    retried: Ranges = field(default_factory=list)
    """Rows that are in a later part now. What they cost here still counts."""
    without_rows: bool = False
    """Whether rows were taken out because the provider refused their lines. It happens once."""
    canceled: bool = False
    """Whether it was canceled before it was sent."""
    counts: dict[str, int] = field(default_factory=dict)
    """Lines of its results by outcome, once they were read."""
    deleted: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something still happens to it."""
        return self.state not in ("ended", "failed")

    @property
    def is_sent(self) -> bool:
        """Whether it is at the provider and not done."""
        return self.state in ("running", "canceling")


@dataclass(slots=True)
class Run:
    """All that is known of a run.

    `sha`: a digest of the bodies of all rows. `readings`: what decoding needs beside the model. `row_readings`:
    `[count, reading]` for the rows in order. `errors`: the rows that have an error of their own, by number as text.
    `learned`: estimated tokens that may wait at the provider at once, as its refusals showed.
    """

    run: str
    provider: Provider
    model: str
    total: int
    sha: str = ""
    ids: list[str] | None = None
    fingerprint: dict[str, dict[str, str]] = field(default_factory=dict)
    readings: list[JsonObject] = field(default_factory=list)
    row_readings: list[list[int]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    errors: dict[str, JsonObject] = field(default_factory=dict)
    max_enqueued_tokens: int | None = None
    learned: int | None = None
    limits: dict[str, int | None] = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """The run as an object that orjson writes."""
        return {"langchain_unified_batch": VERSION, **{each.name: getattr(self, each.name) for each in fields(self)}}

    def dumps(self) -> bytes:
        """The run as text."""
        return orjson.dumps(self.to_json(), option=orjson.OPT_INDENT_2)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Run:
        """The run that `to_json` wrote. Raises `ConfigurationError` for anything else."""
        if found.get("langchain_unified_batch") != VERSION:
            raise ConfigurationError(
                "This is no state of a batch of this version: it lacks `langchain_unified_batch: 1`. Give the file "
                "that was named as `state=` or written by `save`."
            )
        given = {key: value for key, value in found.items() if key != "langchain_unified_batch"}
        if (why := _damage(given)) is not None:
            raise ConfigurationError(f"The state of the batch is damaged: {why}. Use a copy of it.")
        try:
            return cls(**{**given, "parts": [Part(**part) for part in given.get("parts", ())]})
        except TypeError as exc:  # a field of another version
            raise ConfigurationError(f"The state of the batch is damaged: {exc}. Use a copy of it.") from None

    # --- rows ---

    def custom_id(self, row: int, request: int = 0) -> str:
        """The id of a request: the run, the row and, where the row has several requests, which of them."""
        return f"{self.run}-{row}" if request == 0 else f"{self.run}-{row}-{request}"

    def row_of(self, custom_id: str) -> tuple[int, int] | None:
        """The row and the request of a custom id; `None` for one of another run."""
        run, _, rest = custom_id.partition("-")
        row, _, request = rest.partition("-")
        if run != self.run or not row.isdecimal() or (request and not request.isdecimal()):
            return None
        return (int(row), int(request or 0)) if int(row) < self.total else None

    def reading_of(self) -> Callable[[int], int]:
        """A function of a row: the number of its reading."""
        ends = list(accumulate(count for count, _ in self.row_readings))
        return lambda row: self.row_readings[bisect_right(ends, row)][1]

    def id_of(self, row: int) -> str:
        """The caller's id of a row, else its number."""
        return self.ids[row] if self.ids is not None else str(row)


@cache
def _reader() -> TypeAdapter[Run]:
    return TypeAdapter(Run)


def _damage(given: Mapping[str, Any]) -> str | None:
    """What in a state is no state; `None`: all of it is one."""
    try:
        return _contradiction(_reader().validate_json(orjson.dumps(given), strict=True))
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        return f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
    except TypeError as exc:
        return str(exc)


def _contradiction(run: Run) -> str | None:
    """The field of a run that does not fit the others."""
    ranges = [each for part in run.parts for each in (*part.rows, *part.retried)]
    checks = {
        "total": run.total > 0,
        "ids": run.ids is None or len(run.ids) == run.total,
        "row_readings": _count_rows(run) == run.total,
        "parts.rows": all(len(each) == 2 and 0 <= each[0] < each[1] <= run.total for each in ranges),
        "limits": all(name in LIMITS and (value or name == "tokens") for name, value in run.limits.items()),
        "errors": all(row.isdecimal() and int(row) < run.total for row in run.errors),
    }
    return next((f"`{name}` does not fit the rest" for name, fits in checks.items() if not fits), None)


def _count_rows(run: Run) -> int:
    """The rows that have a reading; -1 where one of them is not there."""
    pairs = run.row_readings
    fits = all(len(pair) == 2 and pair[0] > 0 and 0 <= pair[1] < len(run.readings) for pair in pairs)
    return sum(pair[0] for pair in pairs) if fits else -1


def new_run_id() -> str:
    """An id that no other run has."""
    return secrets.token_hex(RUN_DIGITS // 2)


# --- the file ---------------------------------------------------------------------------------------------------------


class Store:
    """Where the state of a run is kept: in a file, or in memory only (`path=None`)."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._last = b""

    def write(self, run: Run) -> None:
        """Replace the file as a whole: after a crash it holds the state before or the state after."""
        data = b"" if self.path is None else run.dumps()
        if self.path is not None and data != self._last:
            write_whole(self.path, data)
            self._last = data

    def read(self) -> Run | None:
        """The run of the file; `None` where there is none."""
        if self.path is None or not self.path.exists():
            return None
        return read_run(self.path.read_bytes(), str(self.path))


def read_run(data: bytes | str, place: str) -> Run:
    """The run in a text. Raises `ConfigurationError` where it is no state of a batch."""
    try:
        found = orjson.loads(data)
    except ValueError as exc:
        raise ConfigurationError(f"{place} is no JSON ({exc}): it is no state of a batch.") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{place} is no JSON object: it is no state of a batch.")
    return Run.from_json(found)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there in full or as it was. Others cannot read it."""
    folder = path.parent
    if not folder.is_dir():
        raise ConfigurationError(f"The folder {folder} does not exist. Make it, or choose another place for `state`.")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    sync_folder(folder)
