"""The result lines of a run on the disk of this machine: a file without a name, which is gone with the process."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Iterator
from typing import IO

from langchain_unified.errors import ConfigurationError

BLOCK = 1 << 20
"""Bytes that are read at once."""


class Spool:
    """The lines of each part, read from the provider once and from here any number of times."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._end = 0
        self._pieces: dict[int, list[tuple[int, int]]] = {}
        """By part, where its files begin and end."""
        self._start = 0

    def has(self, number: int) -> bool:
        """Whether the lines of a part are here."""
        return number in self._pieces

    def restart(self) -> None:
        """Forget what was written since the last `keep`."""
        self._end = self._start

    def write(self, piece: bytes) -> None:
        """Add bytes of a file."""
        with self._lock:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="langchain-unified-")  # noqa: SIM115 - open as long as this
                weakref.finalize(self, self._file.close)
            self._file.seek(self._end)
            self._file.write(piece)
            self._end += len(piece)

    def keep(self) -> tuple[int, int]:
        """End a file. Returns where it is."""
        piece = (self._start, self._end)
        self._start = self._end
        return piece

    def set(self, number: int, pieces: list[tuple[int, int]]) -> None:
        """The files of a part are complete."""
        self._pieces[number] = pieces

    def drop(self, number: int) -> None:
        """The lines of a part do not count any more."""
        self._pieces.pop(number, None)

    def lines(self, number: int, most: int) -> Iterator[bytes]:
        """The lines of a part. Of one that is longer than `most` bytes, only a beginning: it is no JSON then."""
        for start, end in self._pieces.get(number, ()):
            begun, at = bytearray(), start
            while at < end:
                block = self._read(at, min(BLOCK, end - at))
                at += len(block)
                first, *others = block.split(b"\n")
                _extend(begun, first, most)
                for other in others:
                    if begun.strip():
                        yield bytes(begun)
                    begun = bytearray()
                    _extend(begun, other, most)
            if begun.strip():
                yield bytes(begun)

    def _read(self, start: int, length: int) -> bytes:
        with self._lock:
            if self._file is None:
                raise ConfigurationError("The batch was closed while its results were read.")
            self._file.seek(start)
            return self._file.read(length)

    def close(self) -> None:
        """Delete the lines."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
        self._pieces.clear()
        self._start = self._end = 0


def _extend(line: bytearray, piece: bytes, most: int) -> None:
    """Add a piece to a line, as long as the line is no longer than `most` bytes."""
    line += piece[: most - len(line)] if most > len(line) else b""
