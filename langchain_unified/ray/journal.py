"""The journal of many workers, in a folder that all of them see or in an object store."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any

import fsspec
import orjson

from langchain_unified.bulk.run import Sink
from langchain_unified.bulk.state import FILE, check_same, new_state, parse_state
from langchain_unified.rows.fingerprint import Fingerprint
from langchain_unified.rows.ids import IdSet
from langchain_unified.rows.journal import Journal, parse_row
from langchain_unified.rows.row import Row

PAUSE = 1.0
"""Seconds between two objects of a journal in an object store: each write is paid there."""
PLACE = 40
"""Bits of an offset in a journal's file."""


class SharedJournal:
    """A journal that several processes write, each its own files, and that each reads whole.

    In a folder, rows are appended and on disk before they count. Object stores cannot append: there each write is an
    object of its own, once a second.
    """

    def __init__(self, place: str | Path, writer: str) -> None:
        """`place`: a folder, or an address that fsspec knows. `writer`: a name that no other process has."""
        self._fs, self._root = fsspec.core.url_to_fs(str(place))
        self._root = self._root.rstrip("/")
        self._writer, self._place = writer, str(place)
        self._ids = IdSet()
        self._files: list[str] = []
        self._read: dict[str, int] = {}
        self._lock = threading.Lock()
        if "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,)):
            self._sink: Sink | None = None
        else:
            self._sink = ObjectJournal(self._fs, self._root, writer)

    def check(self, found: Fingerprint) -> None:
        """Write the fingerprint of a new run, or raise `ConfigurationError` where that of the journal differs."""
        file = f"{self._root}/{FILE}"
        if not self._fs.exists(file):
            with contextlib.suppress(FileExistsError, NotImplementedError):
                self._fs.makedirs(self._root, exist_ok=True)
            self._fs.pipe_file(file, new_state(found))
            return
        check_same(self._place, parse_state(self._fs.cat_file(file), file)["fingerprint"], found)

    async def append(self, row: Row) -> None:
        """Write a row. Returns when it is safe."""
        if self._sink is None:
            self._sink = Journal(Path(self._root), writer=self._writer)
        await self._sink.append(row)

    def known(self, ids: list[str]) -> dict[str, Row]:
        """The last rows of these ids that any process has written."""
        with self._lock:  # batches of one actor overlap
            self._refresh()
            places = {row_id: place for row_id in ids if (place := self._ids.get(row_id)) is not None}
        return {
            row_id: self._row_at(self._files[place >> PLACE], place & ((1 << PLACE) - 1))
            for row_id, place in places.items()
        }

    def _refresh(self) -> None:
        """Read what was written since the last time."""
        self._fs.invalidate_cache()
        for info in sorted(self._fs.ls(self._root, detail=True), key=lambda info: str(info["name"])):
            file, size = str(info["name"]), int(info["size"] or 0)
            begin = self._read.get(file, 0)
            if not file.rpartition("/")[2].startswith("rows-") or size <= begin:
                continue
            if file not in self._read:
                self._files.append(file)
            self._read[file] = begin + self._add(self._files.index(file), begin, self._fs.cat_file(file, begin, size))

    def _add(self, number: int, begin: int, data: bytes) -> int:
        """Put the whole lines into the index; the bytes that were whole lines."""
        end = data.rfind(b"\n") + 1
        offset = 0
        for line in data[:end].splitlines(keepends=True):
            row = parse_row(line, self._files[number])
            self._ids.set(row["id"], (number << PLACE) | (begin + offset))
            offset += len(line)
        return end

    def _row_at(self, file: str, offset: int) -> Row:
        with self._fs.open(file, "rb") as opened:
            opened.seek(offset)
            return parse_row(opened.readline(), file)


class ObjectJournal:
    """Rows as objects of a store: all that were answered within a second in one object."""

    def __init__(self, fs: Any, root: str, writer: str) -> None:
        self._fs, self._root, self._writer = fs, root, writer
        self._pending: list[bytes] = []
        self._safe: asyncio.Task[None] | None = None
        self._number = 0

    async def append(self, row: Row) -> None:
        """Write a row. Returns when its object is written. Raises what the store raises."""
        self._pending.append(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE))
        if self._safe is None:
            self._safe = asyncio.create_task(self._write())
        await asyncio.shield(self._safe)

    async def _write(self) -> None:
        await asyncio.sleep(PAUSE)
        data, self._pending, self._safe = b"".join(self._pending), [], None
        self._number += 1
        name = f"{self._root}/rows-{self._writer}-{self._number:08d}.jsonl"
        await asyncio.to_thread(self._fs.pipe_file, name, data)
