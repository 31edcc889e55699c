"""Reserve before a call, settle after it: the one meter of all endpoints.

What a call may cost is taken from the budget in one conditional statement before it is sent, and replaced by what it
did cost. Spend so never exceeds a budget, whatever number of processes run, as long as no call costs more than its
estimate. A reservation expires with the call's timeout: what a crashed process held is given back at the next check.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, TypeVar

from langchain_unified.gateway.errors import GatewayKeyError, StoreUnavailableError, TooManyRequestsError
from langchain_unified.gateway.keys.limits import PARALLEL_RETRY, refusal
from langchain_unified.gateway.keys.periods import period_start
from langchain_unified.gateway.keys.records import Caller, Reservation, Spent
from langchain_unified.gateway.keys.store import Asked, Store

logger = logging.getLogger("langchain_unified.gateway")

RETRY_SECONDS = 0.5
"""Between attempts to write what could not be written."""
MAX_WAITING = 100_000
"""Calls whose spend waits for the store. More than these are lost, and named in the log."""
ATTEMPTS = 3
MAX_NAME = 255
"""Characters of a model's name, which a client may have chosen (`*`)."""

T = TypeVar("T")
Outcome = tuple[Reservation, Spent | None]


class Meter:
    """Reservations and their ends. `clock` gives seconds since 1970."""

    def __init__(self, store: Store, *, call_timeout: float, is_open: bool, clock: Callable[[], float]) -> None:
        self._store = store
        self._call_timeout = call_timeout
        self._is_open = is_open
        self._clock = clock
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: deque[Outcome] = deque()
        self._writer: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Calls whose spend is not written yet, because the store is away."""
        return len(self._waiting)

    # --- before the call ----------------------------------------------------------------------------------------------

    async def reserve(
        self, caller: Caller, model: str, amount: Decimal, tokens: int, expires_in: float | None
    ) -> Reservation:
        asked = self._asked(caller, model, amount, tokens, expires_in)
        task = self._task(self._granted(asked))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # The statement may be on its way: what it takes is given back.
            task.add_done_callback(self._give_back)
            raise

    def _asked(self, caller: Caller, model: str, amount: Decimal, tokens: int, expires_in: float | None) -> Asked:
        now = self._now()
        seconds = self._call_timeout if expires_in is None else expires_in
        name = model.replace("\0", "")[:MAX_NAME]
        reservation = Reservation(secrets.token_hex(16), caller.key_id, name, amount, tokens, caller.budget_duration)
        return Asked(reservation, now, period_start(caller.budget_duration, now), now + int(seconds * 1000))

    def _now(self) -> int:
        return int(self._clock() * 1000)

    async def _granted(self, asked: Asked) -> Reservation:
        try:
            await self._take(asked)
        except StoreUnavailableError:
            if not self._is_open:
                raise
            held = asked.reservation
            return Reservation(
                held.reservation_id, held.key_id, held.model, Decimal(0), 0, held.budget_duration, is_stored=False
            )
        return asked.reservation

    async def _take(self, asked: Asked) -> None:
        """Take the reservation, or raise why not. Another try follows where a crashed call's hold has expired."""
        for _ in range(ATTEMPTS):
            if await self._store.reserve(asked):
                return
            record, has_expired = await self._store.look(asked.reservation.key_id, asked.now)
            if has_expired and await self._store.expire(asked.reservation.key_id, asked.now):
                continue
            error = GatewayKeyError() if record is None else refusal(record, asked)
            if error is not None:
                raise error
        raise TooManyRequestsError("The key is at one of its limits.", retry_after=PARALLEL_RETRY)

    def _give_back(self, task: asyncio.Task[Reservation]) -> None:
        if not task.cancelled() and task.exception() is None:
            self._task(self._end(task.result(), None))

    # --- after the call -----------------------------------------------------------------------------------------------

    async def end(self, reservation: Reservation, spent: Spent | None) -> None:
        """Settle, or release with `None`: also if the caller is cancelled, and later if the store is away."""
        await asyncio.shield(self._task(self._end(reservation, spent)))

    async def _end(self, reservation: Reservation, spent: Spent | None) -> None:
        try:
            await self._write(reservation, spent)
        except StoreUnavailableError as error:
            self._wait(reservation, spent, error)
        except Exception as error:  # noqa: BLE001 - the answer is paid, whatever the store refuses
            _lost(reservation, spent, type(error).__name__)

    async def _write(self, reservation: Reservation, spent: Spent | None) -> None:
        now = self._now()
        await self._store.settle(reservation, spent, now, period_start(reservation.budget_duration, now))

    def _wait(self, reservation: Reservation, spent: Spent | None, error: StoreUnavailableError) -> None:
        if len(self._waiting) >= MAX_WAITING:
            _lost(reservation, spent, "too many calls wait")
            return
        if not self._waiting:
            logger.warning("the store of spend is away (%s); it is written later", error.cause_name)
        self._waiting.append((reservation, spent))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())

    async def _write_waiting(self) -> None:
        """Write what waits, in its order, until nothing is left. A settled reservation is not settled again."""
        while self._waiting:
            try:
                await self._write(*self._waiting[0])
            except StoreUnavailableError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception as error:  # noqa: BLE001 - one call must not hold up the others
                _lost(*self._waiting[0], type(error).__name__)
            self._waiting.popleft()
        logger.warning("the store of spend is back, everything is written")

    # --- the end ------------------------------------------------------------------------------------------------------

    async def close(self, seconds: float) -> None:
        """Wait for what is being written, at most `seconds`. What is lost is named in the log."""
        tasks: set[asyncio.Task[Any]] = {*self._tasks}
        if self._writer is not None:
            tasks.add(self._writer)
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        if self._writer is not None and not self._writer.done():
            self._writer.cancel()
            cost = sum((spent.cost for _, spent in self._waiting if spent is not None), Decimal(0))
            logger.error("spend lost: %s calls, %s USD; the store stayed away", len(self._waiting), cost)

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _lost(reservation: Reservation, spent: Spent | None, reason: str) -> None:
    cost = Decimal(0) if spent is None else spent.cost
    logger.error("spend lost (%s): key %s, model %r, %s USD", reason, reservation.key_id, reservation.model, cost)
