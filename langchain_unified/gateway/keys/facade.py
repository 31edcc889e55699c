"""`Keys`: who calls, what the caller may do, and what it costs. The rest of the gateway uses this class alone."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hmac
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.errors import (
    GatewayKeyError,
    KeyNotFoundError,
    KeyRequestError,
    ModelNotAllowedError,
    StoreUnavailableError,
)
from langchain_unified.gateway.keys import auth
from langchain_unified.gateway.keys.databases import open_store
from langchain_unified.gateway.keys.meter import Meter
from langchain_unified.gateway.keys.periods import expiry, period_end, period_start, shown
from langchain_unified.gateway.keys.records import (
    ANONYMOUS,
    MASTER,
    UNVERIFIED,
    Caller,
    GeneratedKey,
    KeyInfo,
    KeyRecord,
    KeySettings,
    NewKey,
    Reservation,
    SpendRow,
    Spent,
)
from langchain_unified.gateway.keys.store import Store

logger = logging.getLogger("langchain_unified.gateway")

MASTER_CALLER = Caller(MASTER, MASTER, is_master=True)
ANONYMOUS_CALLER = Caller(ANONYMOUS, ANONYMOUS)
UNVERIFIED_CALLER = Caller(UNVERIFIED, UNVERIFIED)


async def open_keys(settings: KeySettings | None = None, *, clock: Callable[[], float] = time.time) -> Keys:
    """Open the store and bring it to the newest revision.

    A store that is away does not stop the start: calls are answered with 503 until it is there. Raises
    `ConfigurationError` for settings that cannot work. `clock` gives seconds since 1970, for tests.
    """
    keys = Keys(settings or KeySettings(), clock=clock)
    await keys.start()
    return keys


class Keys:
    """Virtual keys, limits and spend. Made by `open_keys`; `await close()` ends it.

    One object serves one event loop. Several processes may use one database at the same time.
    """

    def __init__(self, settings: KeySettings, *, clock: Callable[[], float] = time.time) -> None:
        if settings.master_key is not None and not auth.has_key_form(settings.master_key):
            raise ConfigurationError("master_key must begin with 'sk-', and have at most 512 characters.")
        self._master_hash = None if settings.master_key is None else auth.hash_of(settings.master_key)
        self._is_open = settings.allow_requests_on_db_unavailable
        self._clock = clock
        self._store: Store = open_store(settings)
        self._cache = auth.KeyCache(settings.key_cache_seconds)
        self._meter = Meter(self._store, call_timeout=settings.call_timeout, is_open=self._is_open, clock=clock)

    def __repr__(self) -> str:
        return f"<Keys {'with' if self.has_master_key else 'without'} a master key>"

    async def start(self) -> None:
        """Connect, if the store can be reached."""
        try:
            await self._store.start()
        except StoreUnavailableError as error:
            logger.warning("the store of keys cannot be reached (%s); it is tried again", error.cause_name)

    async def close(self, seconds: float = 5.0) -> None:
        """Write what is still to be written, at most for `seconds`, and close the store."""
        await self._meter.close(seconds)
        await self._store.close()

    @property
    def has_master_key(self) -> bool:
        """Whether a key is needed at all."""
        return self._master_hash is not None

    @property
    def unwritten_calls(self) -> int:
        """Calls whose spend waits in memory, because the store is away."""
        return self._meter.waiting

    async def is_ready(self) -> bool:
        """Whether calls are answered: the store can be reached, or calls are allowed without it."""
        try:
            await self._store.ping()
        except StoreUnavailableError:
            return self._is_open
        return True

    # --- who calls ----------------------------------------------------------------------------------------------------

    async def authenticate(self, secret: str | None) -> Caller:
        """The caller with this key.

        Without a master key it is the anonymous caller, whatever key is given. Raises `GatewayKeyError` for a key that
        is missing, unknown, deleted or expired, and `StoreUnavailableError` where the store cannot be asked.
        """
        if self._master_hash is None:
            return ANONYMOUS_CALLER
        if secret is None or not auth.has_key_form(secret):
            raise GatewayKeyError
        key_hash = auth.hash_of(secret)
        if hmac.compare_digest(key_hash, self._master_hash):
            return MASTER_CALLER
        caller = await self._caller(key_hash)
        if caller is None or (caller.expires_at is not None and caller.expires_at <= self._clock() * 1000):
            raise GatewayKeyError
        return caller

    async def _caller(self, key_hash: str) -> Caller | None:
        known = self._cache.fresh(key_hash)
        if known is not None:
            return known.caller
        try:
            record = await self._store.find(key_hash)
        except StoreUnavailableError:
            if not self._is_open:
                raise
            return self._cache.any_age(key_hash) or UNVERIFIED_CALLER
        caller = None if record is None else auth.caller_of(record)
        self._cache.put(key_hash, caller)
        return caller

    def allows(self, caller: Caller, model: str) -> str:
        """The model that a requested name means for this caller: by the key's aliases, else the name itself.

        Raises `ModelNotAllowedError` if the key is not for it. An alias of the key is always allowed.
        """
        if model in caller.aliases:
            return caller.aliases[model]
        if not caller.models or any(_matches(pattern, model) for pattern in caller.models):
            return model
        named = ", ".join(caller.models)
        raise ModelNotAllowedError(f"This key is not for the model {shown(model)}. Its models: {named}.")

    # --- the meter ----------------------------------------------------------------------------------------------------

    async def reserve(
        self, caller: Caller, model: str, amount: Decimal, tokens: int, *, expires_in: float | None = None
    ) -> Reservation:
        """Take what a call may cost (USD) and its input tokens from the caller's limits, before it is sent.

        `expires_in`: seconds until the reservation expires; default: the settings' `call_timeout`. Raises
        `BudgetSpentError`, `TooManyRequestsError`, `CallTooLargeError`, `GatewayKeyError` for a key that was deleted
        meanwhile, `StoreUnavailableError`. End it by `settle` or `release`.
        """
        try:
            return await self._meter.reserve(caller, model, amount, tokens, expires_in)
        except GatewayKeyError:
            self._cache.forget(caller.key_id)
            raise

    async def settle(
        self,
        reservation: Reservation,
        cost: Decimal,
        tokens: int,
        *,
        complete: bool = True,
        details: Mapping[str, int] | None = None,
    ) -> None:
        """Replace a reservation by what the call cost (USD) and all its tokens.

        `complete`: false for a cancelled or cut answer. `details`: `input_tokens`, `output_tokens`, and `unpriced` as 1
        where a part of the cost is not known. Never raises: while the store is away the spend waits in memory. It is
        written also if the task that awaits it is cancelled, and once, however often it is called.
        """
        found = details or {}
        spent = Spent(
            cost,
            tokens,
            found.get("input_tokens", 0),
            found.get("output_tokens", 0),
            is_complete=complete,
            is_priced=not found.get("unpriced"),
        )
        await self._meter.end(reservation, spent)

    async def release(self, reservation: Reservation) -> None:
        """Give a reservation back: the call was not sent, or cost nothing. It still counts as a request."""
        await self._meter.end(reservation, None)

    # --- keys ---------------------------------------------------------------------------------------------------------

    async def generate(self, new: NewKey) -> GeneratedKey:
        """Make a key. Its value is in the result and nowhere else.

        Raises `KeyRequestError` for a value or an alias that is in use.
        """
        secret = new.secret or auth.new_secret()
        now = int(self._clock() * 1000)
        record = KeyRecord(
            key_id=auth.new_key_id(),
            key_name=auth.shown_name(secret),
            key_alias=new.key_alias,
            user_id=new.user_id,
            models=new.models,
            aliases=new.aliases,
            metadata=new.metadata,
            created_at=now,
            expires_at=None if new.duration is None else expiry(new.duration, now),
            max_budget=new.max_budget,
            budget_duration=new.budget_duration,
            rpm_limit=new.rpm_limit,
            tpm_limit=new.tpm_limit,
            max_parallel=new.max_parallel,
            period=period_start(new.budget_duration, now),
        )
        key_hash = auth.hash_of(secret)
        is_master = self._master_hash is not None and hmac.compare_digest(key_hash, self._master_hash)
        if is_master or not await self._store.insert(record, key_hash):
            raise KeyRequestError("A key with this key_alias or this value exists already. Choose another one.")
        self._cache.put(key_hash, auth.caller_of(record))
        return GeneratedKey(secret, record)

    async def info(self, key: str) -> KeyInfo:
        """A key by its value, id or alias, with its spend by model. Raises `KeyNotFoundError`."""
        record = await self._find(key)
        now = int(self._clock() * 1000)
        if await self._store.expire(record.key_id, now):
            record = await self._store.read(record.key_id) or record
        spend = await self._store.spend_by_model(record.key_id)
        return KeyInfo(_current(record, now), tuple(spend), period_end(record.budget_duration, now))

    async def spend_of(self, key_id: str) -> tuple[SpendRow, ...]:
        """The spend by model of a caller: a key's id, `master` or `anonymous`."""
        return tuple(await self._store.spend_by_model(key_id))

    async def delete(self, keys: Sequence[str]) -> list[str]:
        """Delete keys by value, id or alias; their spend stays. The ids of the deleted keys.

        Raises `KeyNotFoundError` if one is not there; then none is deleted.
        """
        records = await asyncio.gather(*map(self._find, keys))
        for record in records:
            await self._store.delete(record.key_id)
            self._cache.forget(record.key_id)
        return [record.key_id for record in records]

    async def page(self, limit: int, offset: int = 0) -> tuple[list[KeyRecord], int]:
        """Keys in the order they were made, and how many there are."""
        now = int(self._clock() * 1000)
        records, count = await self._store.page(limit, offset)
        return [_current(record, now) for record in records], count

    async def _find(self, key: str) -> KeyRecord:
        record: KeyRecord | None = None
        if key.startswith(auth.PREFIX):
            record = await self._store.find(auth.hash_of(key))
        elif not key.isprintable():
            record = None  # PostgreSQL takes no NUL in a text
        else:
            record = await self._store.read(key) or await self._store.read_alias(key)
        if record is None:
            raise KeyNotFoundError("There is no such key. Name it by its key_id, its key_alias or its value.")
        return record


def _matches(pattern: str, model: str) -> bool:
    """Whether a name, or a pattern with `*`, means a model. Names may hold brackets: `claude-opus-5[1m]`."""
    return pattern == model or ("*" in pattern and _compiled(pattern).fullmatch(model) is not None)


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.split(r"\*+", pattern))), re.DOTALL)


def _current(record: KeyRecord, now: int) -> KeyRecord:
    """The record as the next check will find it: a past budget period counts nothing."""
    if record.period >= period_start(record.budget_duration, now):
        return record
    return dataclasses.replace(record, spend=Decimal(0), period=period_start(record.budget_duration, now))
