"""What a store of keys and spend does. `store_sqlite` and `store_postgres` are the two of them.

Every method raises `StoreUnavailableError` where the database cannot be reached, and works again by itself later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from langchain_unified.gateway.keys import statements as sql
from langchain_unified.gateway.keys.amounts import amount_of, units_of
from langchain_unified.gateway.keys.records import KeyRecord, Reservation, SpendRow, Spent

Values = dict[str, Any]
"""Parameters of a statement, by name."""
Row = Sequence[Any]

KEEP_EXPIRED_MS = 24 * 3600 * 1000
"""How long an expired reservation can still be settled."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for: the reservation, and the times that its limits depend on (milliseconds since 1970)."""

    reservation: Reservation
    now: int
    period: int
    expires_at: int


class Store(Protocol):
    """The database of keys, reservations and spend."""

    async def start(self) -> None:
        """Connect and migrate. Raises `StoreUnavailableError`; then the first call that succeeds does it."""

    async def close(self) -> None: ...

    async def find(self, key_hash: str) -> KeyRecord | None: ...

    async def read(self, key_id: str) -> KeyRecord | None: ...

    async def read_alias(self, key_alias: str) -> KeyRecord | None: ...

    async def page(self, limit: int, offset: int) -> tuple[list[KeyRecord], int]:
        """Keys in the order they were made, and how many there are."""
        ...

    async def insert(self, record: KeyRecord, key_hash: str) -> bool:
        """False if the alias or the key is there already."""
        ...

    async def delete(self, key_id: str) -> bool: ...

    async def reserve(self, asked: Asked) -> bool:
        """Take what the call asks for, or nothing: then a limit is reached, or the key is gone."""
        ...

    async def look(self, key_id: str, now: int) -> tuple[KeyRecord | None, bool]:
        """A key whose call was refused, and whether expired reservations still hold a part of its limits."""
        ...

    async def settle(self, reservation: Reservation, spent: Spent | None, now: int, period: int) -> None:
        """Replace the reservation by what was spent. `None`: the call was not sent. A second time changes nothing."""
        ...

    async def expire(self, key_id: str, now: int) -> bool:
        """Give back what expired reservations hold. False if there was none."""
        ...

    async def spend_by_model(self, key_id: str) -> list[SpendRow]: ...

    async def ping(self) -> None: ...


class QueryingStore:
    """What both stores do alike: the reads, which are one statement each."""

    async def _query(self, statement: str, values: Values) -> list[Row]:
        raise NotImplementedError

    async def find(self, key_hash: str) -> KeyRecord | None:
        return await self._record(sql.FIND, {"key_hash": key_hash})

    async def read(self, key_id: str) -> KeyRecord | None:
        return await self._record(sql.READ, {"key_id": key_id})

    async def read_alias(self, key_alias: str) -> KeyRecord | None:
        return await self._record(sql.READ_ALIAS, {"key_alias": key_alias})

    async def _record(self, statement: str, values: Values) -> KeyRecord | None:
        rows = await self._query(statement, values)
        return record_of(tuple(rows[0])) if rows else None

    async def page(self, limit: int, offset: int) -> tuple[list[KeyRecord], int]:
        rows = await self._query(sql.LIST, {"limit": limit, "offset": offset})
        count = await self._query(sql.COUNT, {})
        return [record_of(tuple(row)) for row in rows], int(count[0][0])

    async def look(self, key_id: str, now: int) -> tuple[KeyRecord | None, bool]:
        rows = await self._query(sql.LOOK, {"key_id": key_id, "now": now})
        return (record_of(tuple(rows[0])[:-1]), bool(rows[0][-1])) if rows else (None, False)

    async def spend_by_model(self, key_id: str) -> list[SpendRow]:
        return [spend_row(tuple(row)) for row in await self._query(sql.SPEND_BY_MODEL, {"key_id": key_id})]

    async def ping(self) -> None:
        await self._query("SELECT 1", {})


# --- rows -------------------------------------------------------------------------------------------------------------


def record_of(row: Sequence[Any]) -> KeyRecord:
    """A row of `RECORD_COLUMNS`."""
    (key_id, name, alias, user, models, aliases, metadata, created, expires, budget, duration, rpm, tpm, parallel,
     period, spend, total, reserved, in_flight, minute, requests, tokens) = row  # fmt: skip
    return KeyRecord(
        key_id, name, alias, user, tuple(orjson.loads(models)), orjson.loads(aliases), orjson.loads(metadata),
        created, expires, None if budget is None else amount_of(budget), duration, rpm, tpm, parallel,
        period, amount_of(spend), amount_of(total), amount_of(reserved), in_flight, minute, requests, tokens,
    )  # fmt: skip


def insert_values(record: KeyRecord, key_hash: str) -> Values:
    return {
        "key_id": record.key_id,
        "key_hash": key_hash,
        "key_name": record.key_name,
        "key_alias": record.key_alias,
        "user_id": record.user_id,
        "models": orjson.dumps(list(record.models)).decode(),
        "aliases": orjson.dumps(dict(record.aliases)).decode(),
        "metadata": orjson.dumps(record.metadata).decode(),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "max_budget": None if record.max_budget is None else units_of(record.max_budget),
        "budget_duration": record.budget_duration,
        "rpm_limit": record.rpm_limit,
        "tpm_limit": record.tpm_limit,
        "max_parallel": record.max_parallel,
        "period": record.period,
    }


def reserve_values(asked: Asked) -> Values:
    return {
        "reservation_id": asked.reservation.reservation_id,
        "key_id": asked.reservation.key_id,
        "model": asked.reservation.model,
        "amount": units_of(asked.reservation.amount),
        "tokens": asked.reservation.tokens,
        "now": asked.now,
        "minute": minute_of(asked.now),
        "period": asked.period,
        "expires_at": asked.expires_at,
    }


def settle_values(reservation: Reservation, spent: Spent | None, now: int, period: int) -> Values:
    spent = spent or Spent(reservation.amount * 0)
    return {
        "reservation_id": reservation.reservation_id,
        "key_id": reservation.key_id,
        "model": reservation.model,
        "cost": units_of(spent.cost),
        "tokens": spent.tokens,
        "now": now,
        "minute": minute_of(now),
        "period": period,
        "expires_at": now,
        "day": now // 86_400_000,
        "incomplete": int(not spent.is_complete),
        "unpriced": int(not spent.is_priced),
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
    }


def minute_of(now: int) -> int:
    """The number of the minute since 1970."""
    return now // 60_000


def spend_row(row: Sequence[Any]) -> SpendRow:
    model, cost, requests, incomplete, unpriced, input_tokens, output_tokens = row
    return SpendRow(
        str(model), amount_of(int(cost)), int(requests), int(incomplete), int(unpriced), int(input_tokens),
        int(output_tokens),
    )  # fmt: skip
