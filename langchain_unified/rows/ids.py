"""A set of ids with a number for each that takes no more memory for ten million ids than for ten thousand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Self

IN_MEMORY = 10_000
"""Ids in memory. From then on they are in a file that SQLite removes when it is closed."""


class IdSet:
    """Ids, each with a number. Not for several threads."""

    def __init__(self) -> None:
        self._few: dict[str, int] = {}
        self._many: sqlite3.Connection | None = None
        self._count = 0

    def get(self, row_id: str) -> int | None:
        """The number of an id; `None`: it is not in the set."""
        if self._many is None:
            return self._few.get(row_id)
        found = self._many.execute("SELECT value FROM ids WHERE id = ?", (_key(row_id),)).fetchone()
        return None if found is None else int(found[0])

    def set(self, row_id: str, value: int = 0) -> None:
        """Add an id, or give it another number."""
        if self._many is None:
            self._few[row_id] = value
            if len(self._few) > IN_MEMORY:
                self._move()
            return
        changed = self._many.execute("UPDATE ids SET value = ? WHERE id = ?", (value, _key(row_id))).rowcount
        if not changed:
            self._many.execute("INSERT INTO ids VALUES (?, ?)", (_key(row_id), value))
            self._count += 1

    def add(self, row_id: str) -> bool:
        """Add an id. `False`: it was there."""
        if self._many is None:
            if row_id in self._few:
                return False
            self.set(row_id)
            return True
        added = self._many.execute("INSERT OR IGNORE INTO ids VALUES (?, 0)", (_key(row_id),)).rowcount
        self._count += added
        return bool(added)

    def values(self) -> Iterator[int]:
        """The numbers, in any order."""
        if self._many is None:
            yield from self._few.values()
        else:
            yield from (int(value) for (value,) in self._many.execute("SELECT value FROM ids"))

    def __contains__(self, row_id: str) -> bool:
        return self.get(row_id) is not None

    def __len__(self) -> int:
        return len(self._few) if self._many is None else self._count

    def _move(self) -> None:
        # An empty name is a database in a temporary file of its own, which nobody else sees.
        many = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -4096", "locking_mode = EXCLUSIVE"):
            many.execute(f"PRAGMA {setting}")
        many.execute("CREATE TABLE ids (id BLOB PRIMARY KEY, value INTEGER) WITHOUT ROWID")
        many.execute("BEGIN")
        many.executemany("INSERT INTO ids VALUES (?, ?)", ((_key(name), value) for name, value in self._few.items()))
        self._many, self._count, self._few = many, len(self._few), {}

    def close(self) -> None:
        if self._many is not None:
            self._many.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _key(row_id: str) -> bytes:
    return row_id.encode("utf-8", "surrogatepass")
