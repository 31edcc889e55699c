"""The journal of a run: each finished row is a line, on disk before the run goes on.

Lines are collected while the last write is under way, and written together (group commit). A file that a crash cut off
in a line is cut back to its last whole line when it is opened again. A row that was answered again has a later line:
the last one counts. After `PART` lines a new file begins, so that files stay handy; a closed file never changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson

from langchain_unified.errors import ConfigurationError
from langchain_unified.rows.row import Row

PART = 50_000
"""Lines of a file."""
PAUSE = 0.005
"""Seconds between two writes."""
BLOCK = 1 << 20
NAME = "rows-{}{:05d}.jsonl"


class Entry(NamedTuple):
    """A row in a journal, and where its line is."""

    row: Row
    file: Path
    offset: int
    size: int


class Journal:
    """An open journal in a folder. One process writes it at a time, on one event loop.

    `writer`: a new name for each of several processes that write to one folder, each its own files.
    """

    def __init__(self, folder: Path, *, part: int = PART, pause: float = PAUSE, writer: str = "") -> None:
        """Create the folder, or open it again. Raises `ConfigurationError` where another process writes to it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._part, self._pause, self._name = folder, part, pause, writer and f"{writer}-"
        self._lock = None if writer else lock(folder / ".lock")
        files = [] if writer else journal_files(folder)
        for file in files:
            cut_torn_tail(file)
        self._number = int(files[-1].stem.rpartition("-")[2]) if files else 0
        self._lines = _count_lines(files[-1]) if files else 0
        self._file: FileIO | None = None
        self._pending: list[bytes] = []
        self._committed: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    async def append(self, row: Row) -> None:
        """Write a row. Returns when it is on disk. Raises `OSError` where it cannot be written, then and ever after."""
        if self._failure is not None:
            raise self._failure
        self._pending.append(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))
        if self._committed is None:
            self._committed = asyncio.get_running_loop().create_future()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(self._committed)

    async def _write(self) -> None:
        while self._pending and self._committed is not None:
            lines, committed = self._pending, self._committed
            self._pending, self._committed = [], None
            try:
                await asyncio.to_thread(self._commit, lines)
            except BaseException as error:  # noqa: BLE001 - given to all who wait for these lines
                self._failure = error
                committed.set_exception(error)
                committed.exception()  # retrieved, also where nobody waits any more
                return
            committed.set_result(None)
            await asyncio.sleep(self._pause)

    def _commit(self, lines: list[bytes]) -> None:
        if self._lines >= self._part:
            self._close_file()
            self._number, self._lines = self._number + 1, 0
        if self._file is None:
            self._file = (self.folder / NAME.format(self._name, self._number)).open("ab", buffering=0)
            sync_folder(self.folder)
        data = memoryview(b"".join(lines))
        while data:
            data = data[self._file.write(data) :]
        os.fsync(self._file.fileno())
        self._lines += len(lines)

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    async def close(self) -> None:
        """Write what is pending and close the files. A write that failed is raised."""
        try:
            while self._writer is not None and not self._writer.done():
                await asyncio.wait([self._writer])
            if self._failure is not None:
                raise self._failure
        finally:
            self.release()

    def release(self) -> None:
        """Close the files, and let other processes write."""
        self._close_file()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


# --- reading ----------------------------------------------------------------------------------------------------------


def journal_files(folder: Path) -> list[Path]:
    """The files of a journal, oldest first."""
    return sorted(folder.glob("rows-*.jsonl"))


def entries(folder: Path) -> Iterator[Entry]:
    """All lines of a journal, oldest first, also those that later ones replace."""
    for file in journal_files(folder):
        yield from entries_of(file)


def entries_of(file: Path) -> Iterator[Entry]:
    """The whole lines of a file. Raises `ConfigurationError` for a line that is no row."""
    offset = 0
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return  # it is being written, or a crash cut it off
            yield Entry(parse_row(line, f"{file}, line {number}"), file, offset, len(line))
            offset += len(line)


COUNT, TEXT, OBJECT = (int, type(None)), (str, type(None)), (dict, type(None))
KINDS: dict[str, tuple[type, ...]] = {
    "id": (str,), "text": TEXT, "message": OBJECT, "input_tokens": COUNT, "output_tokens": COUNT, "cache_read": COUNT,
    "cache_creation": COUNT, "cost": TEXT, "model": TEXT, "finish_reason": TEXT, "error": OBJECT,
}  # fmt: skip
"""The types of a row's values."""
COST = re.compile(r"-?\d+(\.\d+)?")


def _has_kinds(row: dict[str, Any]) -> bool:
    fits = all(isinstance(row.get(name, ...), kinds) for name, kinds in KINDS.items())
    return fits and (row["cost"] is None or COST.fullmatch(row["cost"]) is not None)


def parse_row(line: bytes, place: str) -> Row:
    """The row of a line."""
    try:
        row: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{place} is no JSON ({error}): the file was changed by something else.") from None
    if not isinstance(row, dict) or not _has_kinds(row):
        raise ConfigurationError(f"{place} is no row of a run. Give a folder of its own to each run.")
    return cast(Row, row)


def row_at(file: Path, offset: int) -> Row:
    """The row whose line begins at an offset."""
    with file.open("rb") as lines:
        lines.seek(offset)
        return parse_row(lines.readline(), f"{file} at byte {offset}")


# --- files ------------------------------------------------------------------------------------------------------------


def cut_torn_tail(file: Path) -> None:
    """Cut a file back to its last whole line, where a crash cut it off in the middle of one."""
    with file.open("r+b") as opened:
        size = end = opened.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - BLOCK)
            opened.seek(begin)
            found = opened.read(end - begin).rfind(b"\n")
            if found >= 0:
                end = begin + found + 1
                break
            end = begin
        if end < size:
            opened.truncate(end)


def _count_lines(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(BLOCK), b""))


def replace_file(file: Path, data: Iterator[bytes]) -> None:
    """Write a file anew, so that a crash leaves the old one or the new one."""
    beside = file.with_name(f"{file.name}.new")
    with beside.open("wb") as opened:
        opened.writelines(data)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Let a new name in a folder survive a loss of power. Windows has no such call."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def lock(file: Path) -> FileIO | None:
    """Hold a file for this process until it is closed; `None` where the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return None
    opened = file.open("ab", buffering=0)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        opened.close()
        raise ConfigurationError(
            f"Another run is writing to {file.parent}. Wait until it has ended, or choose another folder."
        ) from None
    return opened
