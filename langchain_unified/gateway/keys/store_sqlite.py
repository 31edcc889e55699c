"""The store in SQLite, in the process itself.

Statements run in the event loop's thread: each takes some 20 µs, a hop to another thread takes longer. Nothing waits
for the disk there: in WAL mode with `synchronous=NORMAL` a commit writes without a sync, and checkpoints, which sync,
run in a thread. A commit outlives a killed process; after a power failure the last commits may be missing, in whole.
While another process writes, the task sleeps and tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.errors import StoreUnavailableError
from langchain_unified.gateway.keys import migrate
from langchain_unified.gateway.keys import statements as sql
from langchain_unified.gateway.keys.records import KeyRecord, Reservation, Spent
from langchain_unified.gateway.keys.store import (
    KEEP_EXPIRED_MS,
    Asked,
    QueryingStore,
    Row,
    Values,
    insert_values,
    reserve_values,
    settle_values,
)

T = TypeVar("T")

OLDEST = (3, 35)
"""The release that brought `RETURNING` (https://sqlite.org/lang_returning.html)."""
BUSY_SECONDS = 10.0
"""How long a call waits for the processes that write before it."""
CHECKPOINT_EVERY = 500
"""Commits. A commit is 2 or 3 pages of 4 KB in the write-ahead log."""

SETTLE = sql.settle_statement(":held", ":held_tokens", ":held_minute", ":open_calls")
ADD_SPEND = sql.ADD_SPEND.format(
    values="VALUES (:day, :key_id, :model, :cost, 1, :incomplete, :unpriced, :input_tokens, :output_tokens)"
)
NOT_HELD = (0, 0, 0, 1)
"""Amount, tokens, minute and `expired` of a reservation that was never written."""
GIVE_BACK = sql.give_back_statement(":amount", ":calls")


class SqliteStore(QueryingStore):
    """See `store.Store`. `path`: of the file, which is made where it is missing; empty for a database in memory."""

    def __init__(self, path: str) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            needed = ".".join(map(str, OLDEST))
            raise ConfigurationError(f"Keys need SQLite {needed} or newer; this Python has {sqlite3.sqlite_version}.")
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._opening = asyncio.Lock()
        self._commits = 0
        self._checkpoint: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"SqliteStore({self._path or ':memory:'!r})"

    async def start(self) -> None:
        await self._open()

    async def close(self) -> None:
        if self._checkpoint is not None:
            await asyncio.wait([self._checkpoint])
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- keys ---------------------------------------------------------------------------------------------------------

    async def insert(self, record: KeyRecord, key_hash: str) -> bool:
        values = insert_values(record, key_hash)

        def write(connection: sqlite3.Connection) -> bool:
            try:
                connection.execute(sql.INSERT, values)
            except sqlite3.IntegrityError:
                return False
            return True

        return await self._write(write)

    async def delete(self, key_id: str) -> bool:
        return await self._write(lambda connection: connection.execute(sql.DELETE, {"key_id": key_id}).rowcount > 0)

    # --- the hot path -------------------------------------------------------------------------------------------------

    async def reserve(self, asked: Asked) -> bool:
        values = reserve_values(asked)

        def write(connection: sqlite3.Connection) -> bool:
            if connection.execute(sql.RESERVE, values).fetchone() is None:
                return False
            connection.execute(sql.INSERT_RESERVATION, values)
            return True

        return await self._write(write)

    async def settle(self, reservation: Reservation, spent: Spent | None, now: int, period: int) -> None:
        values = settle_values(reservation, spent, now, period)

        def write(connection: sqlite3.Connection) -> None:
            held = NOT_HELD
            if reservation.is_stored:
                held = connection.execute(sql.TAKE_RESERVATION, values).fetchone()
            if held is None:
                return
            amount, tokens, minute, expired = held
            open_calls = 0 if expired else 1
            values.update(held=amount * open_calls, held_tokens=tokens, held_minute=minute, open_calls=open_calls)
            connection.execute(SETTLE, values)
            if spent is not None:
                connection.execute(ADD_SPEND, values)

        await self._write(write)

    async def expire(self, key_id: str, now: int) -> bool:
        def write(connection: sqlite3.Connection) -> bool:
            amounts = [row[0] for row in connection.execute(sql.EXPIRE, {"key_id": key_id, "now": now})]
            connection.execute(sql.FORGET, {"before": now - KEEP_EXPIRED_MS})
            given = {"key_id": key_id, "amount": sum(amounts), "calls": len(amounts)}
            connection.execute(GIVE_BACK, given)
            return bool(amounts)

        waiting = await self._query(sql.HAS_EXPIRED, {"key_id": key_id, "now": now})
        return await self._write(write) if waiting else False

    # --- the connection -----------------------------------------------------------------------------------------------

    async def _query(self, statement: str, values: Values) -> list[Row]:
        return await self._run(lambda connection: connection.execute(statement, values).fetchall())

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction. It must not await, and may run again after an error."""

        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        result = await self._run(transaction)
        self._commits += 1
        if self._commits % CHECKPOINT_EVERY == 0 and self._path:
            self._checkpoint = asyncio.ensure_future(asyncio.to_thread(_checkpoint, self._path))
        return result

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            connection = self._connection or await self._open()
            try:
                return work(connection)
            except sqlite3.Error as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    self._drop(error)
                    raise StoreUnavailableError(error) from None
            await asyncio.sleep(random.uniform(0.001, 0.005))  # noqa: S311 - spreads the attempts, no secret

    def _drop(self, error: sqlite3.Error) -> None:
        """Open the file again at the next call; a database in memory would be lost by that."""
        if self._path and self._connection is not None and not _is_busy(error):
            self._connection.close()
            self._connection = None

    async def _open(self) -> sqlite3.Connection:
        async with self._opening:
            if self._connection is None:
                try:
                    self._connection = await asyncio.to_thread(_connect, self._path)
                except (sqlite3.Error, OSError) as error:
                    raise StoreUnavailableError(error) from None
            return self._connection


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _connect(path: str) -> sqlite3.Connection:
    """A connection to a migrated database. Only its owner may read the file."""
    if path:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        _migrate(connection)
        connection.execute("PRAGMA busy_timeout=0")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to the newest revision. The write lock lets one process do it, the others find it done."""
    if _version(connection) == migrate.HEAD:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        current = _version(connection)
        if current != migrate.HEAD:
            for statement in migrate.statements("sqlite", current):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> str | None:
    exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = connection.execute(sql.VERSION).fetchone() if exists else None
    return None if row is None else str(row[0])


def _checkpoint(path: str) -> None:
    """Move the write-ahead log into the file. Readers and writers go on meanwhile."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
