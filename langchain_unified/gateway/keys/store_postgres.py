"""The store in PostgreSQL, by asyncpg with a small pool.

Reserving and settling are one statement each: what belongs together stands in one `WITH`. A settled reservation joins
the key's row as a FROM item, because PostgreSQL evaluates a statement that waited for a row again with the FROM items
it had, on the row's newest version. The pool opens connections again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.errors import StoreFailedError, StoreUnavailableError
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

if TYPE_CHECKING:
    from asyncpg import Connection, Pool


STATEMENT_SECONDS = 15.0
CONNECT_SECONDS = 10.0
WAIT_SECONDS = 15.0
"""For a connection of the pool: a pool that is busy is not away."""
MIGRATION_LOCK = 7_204_110_551
"""The advisory lock of the migration: a number that nothing else uses."""

RESERVE = f"""
WITH granted AS ({sql.RESERVE})
INSERT INTO gateway_reservations ({sql.RESERVATION_COLUMNS})
SELECT CAST(:reservation_id AS TEXT), granted.key_id, CAST(:model AS TEXT), CAST(:amount AS BIGINT),
    CAST(:tokens AS BIGINT), CAST(:minute AS BIGINT), CAST(:expires_at AS BIGINT), 0
FROM granted RETURNING key_id
"""  # noqa: S608

_HELD = (
    "(SELECT amount * (1 - expired) AS held_amount, tokens AS held_tokens, minute AS held_minute, "
    "1 - expired AS open_calls FROM taken) AS held"
)
_SETTLE = sql.settle_statement("held_amount", "held_tokens", "held_minute", "open_calls", f"FROM {_HELD}")
_SPEND = sql.ADD_SPEND.format(
    values="SELECT CAST(:day AS BIGINT), CAST(:key_id AS TEXT), CAST(:model AS TEXT), CAST(:cost AS BIGINT), 1, "
    "CAST(:incomplete AS BIGINT), CAST(:unpriced AS BIGINT), CAST(:input_tokens AS BIGINT), "
    "CAST(:output_tokens AS BIGINT) FROM taken"
)
RELEASE = f"WITH taken AS ({sql.TAKE_RESERVATION}) {_SETTLE}"
SETTLE = f"WITH taken AS ({sql.TAKE_RESERVATION}), settled AS ({_SETTLE}) {_SPEND}"

_GIVE_BACK = sql.give_back_statement(
    "held.amount",
    "held.calls",
    "FROM (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) AS amount, count(*) AS calls FROM gone) AS held",
    "AND held.calls > 0 RETURNING gateway_keys.key_id",
)
EXPIRE = f"WITH gone AS ({sql.EXPIRE}) {_GIVE_BACK}"

AWAY: tuple[type[BaseException], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What the driver raises for a database that is away or refuses to work."""
WRONG: tuple[type[BaseException], ...] = (asyncpg.DataError, asyncpg.SyntaxOrAccessError)
"""What it raises for a value or a statement that no later attempt will make right."""


class PostgresStore(QueryingStore):
    """See `store.Store`. `dsn` may hold a password: it is never shown."""

    def __init__(self, dsn: str, pool_size: int) -> None:
        self._dsn = dsn
        self._pool_size = max(1, pool_size)
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()

    def __repr__(self) -> str:
        return "PostgresStore()"

    async def start(self) -> None:
        await self._open()

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
            except AWAY:
                pool.terminate()

    # --- keys ---------------------------------------------------------------------------------------------------------

    async def insert(self, record: KeyRecord, key_hash: str) -> bool:
        statement = f"{sql.INSERT} ON CONFLICT DO NOTHING RETURNING key_id"
        return bool(await self._query(statement, insert_values(record, key_hash)))

    async def delete(self, key_id: str) -> bool:
        return bool(await self._query(f"{sql.DELETE} RETURNING key_id", {"key_id": key_id}))

    # --- the hot path -------------------------------------------------------------------------------------------------

    async def reserve(self, asked: Asked) -> bool:
        return bool(await self._query(RESERVE, reserve_values(asked)))

    async def settle(self, reservation: Reservation, spent: Spent | None, now: int, period: int) -> None:
        values = settle_values(reservation, spent, now, period)
        statement = RELEASE if spent is None else SETTLE
        if reservation.is_stored:
            await self._query(statement, values)
            return
        async with self._connected() as connection, connection.transaction():
            await _fetch(connection, sql.INSERT_LATE_RESERVATION, values)
            await _fetch(connection, statement, values)

    async def expire(self, key_id: str, now: int) -> bool:
        values = {"key_id": key_id, "now": now, "before": now - KEEP_EXPIRED_MS}
        if not await self._query(sql.HAS_EXPIRED, values):
            return False
        given_back = bool(await self._query(EXPIRE, values))
        await self._query(sql.FORGET, values)
        return given_back

    # --- connections --------------------------------------------------------------------------------------------------

    async def _query(self, statement: str, values: Values) -> list[Row]:
        async with self._connected() as connection:
            return await _fetch(connection, statement, values)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        """A connection of the pool. What the driver raises becomes `StoreUnavailableError`, without its message."""
        pool = self._pool or await self._open()
        try:
            async with pool.acquire(timeout=WAIT_SECONDS) as connection:
                yield connection
        except WRONG as error:
            raise StoreFailedError(type(error).__name__) from None
        except AWAY as error:
            raise StoreUnavailableError(error) from None

    async def _open(self) -> Pool:
        async with self._opening:
            if self._pool is None:
                try:
                    self._pool = await self._new_pool()
                except AWAY as error:
                    raise StoreUnavailableError(error) from None
                except ConfigurationError:
                    raise  # it is a ValueError, too
                except ValueError:
                    raise ConfigurationError("database_url is no valid address of a PostgreSQL database.") from None
            return self._pool

    async def _new_pool(self) -> Pool:
        pool = await asyncpg.create_pool(
            self._dsn, min_size=1, max_size=self._pool_size, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS
        )
        try:
            async with pool.acquire() as connection:
                await _migrate(connection)
        except BaseException:
            pool.terminate()
            raise
        return pool


_NUMBERED: dict[str, tuple[str, tuple[str, ...]]] = {}


async def _fetch(connection: Connection, statement: str, values: Values) -> list[Row]:
    text, names = _NUMBERED.get(statement) or _NUMBERED.setdefault(statement, sql.numbered(statement))
    rows: list[Row] = await connection.fetch(text, *(values[name] for name in names))
    return rows


async def _migrate(connection: Connection) -> None:
    """Bring the database to the newest revision. The lock lets one process do it, the others find it done."""
    if await _version(connection) == migrate.HEAD:
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        current = await _version(connection)
        if current == migrate.HEAD:
            return
        for statement in await asyncio.to_thread(migrate.statements, "postgresql", current):
            await connection.execute(statement)


async def _version(connection: Connection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval(sql.VERSION)
    return found
