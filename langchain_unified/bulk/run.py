"""A run: rows go through the gate to the runnable, and what becomes of them into the journal."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any, Protocol

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import LLMResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableBindingBase

from langchain_unified.bulk.gate import LONGEST_HOLD, Gate, StoppedError
from langchain_unified.bulk.inputs import Item, Source, duplicate
from langchain_unified.bulk.progress import EVERY, Display, Rate
from langchain_unified.bulk.report import Progress
from langchain_unified.bulk.state import FAILED, Known
from langchain_unified.cost.prices import EXACT, CallerPrices
from langchain_unified.errors import (
    AuthenticationError,
    BillingError,
    BudgetExceededError,
    ConfigurationError,
    MissingKeyError,
    PermissionDeniedError,
    UnifiedError,
    UnknownModelError,
)
from langchain_unified.rows.ids import IdSet
from langchain_unified.rows.row import Row, row_of

ENDS_RUN = (
    AuthenticationError, BillingError, PermissionDeniedError, MissingKeyError, UnknownModelError, BudgetExceededError,
)  # fmt: skip
"""Errors that each further row would have as well. Its row stays open."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is asked for. `budget`: USD of all runs into the folder."""

    runnable: Runnable[Any, Any]
    source: Source
    config: RunnableConfig
    prices: CallerPrices
    budget: Decimal | None
    retry: bool
    most: int | None


class Sink(Protocol):
    """Where rows go: `append` returns when the row is safe."""

    async def append(self, row: Row) -> None: ...


class Calls(BaseCallbackHandler):
    """Collects the messages of all calls of one row."""

    run_inline = True

    def __init__(self) -> None:
        self.messages: list[AIMessage] = []

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """A call was answered. The choices of one reply share its usage."""
        for generations in response.generations:
            message = getattr(generations[0], "message", None) if generations else None
            if isinstance(message, AIMessage):
                self.messages.append(message)


@dataclass
class Run:
    """A run that is under way, on one event loop."""

    settings: Settings
    known: Known
    journal: Sink
    total: int | None
    gate: Gate
    on_row: Callable[[Row], None] | None = None
    started: float = field(default_factory=time.monotonic)
    new: int = 0
    stopped: str | None = None
    failure: BaseException | None = None
    exhausted: bool = False

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = 0
        self._is_plain = _is_plain(self.settings.runnable)
        self._rate = Rate(self.started)
        self._seen = None if self.settings.source.is_repeatable else IdSet()

    async def finish(self, display: Display) -> None:
        """Answer all rows that are open. Raises what ended the run, once all that was in flight is on disk."""
        ticker = asyncio.create_task(self._tick(display))
        self.gate.listeners.append(self._changed.set)
        try:
            await self._feed()
            while self._tasks:
                await asyncio.wait(self._tasks)
        except BaseException:
            await self._give_up()
            raise
        finally:
            self.gate.listeners.remove(self._changed.set)
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)
            display.show(self.progress())
            display.close()
        if self.failure is not None:
            raise self.failure

    async def _feed(self) -> None:
        for item in self._open_items():
            if item is None:
                await asyncio.sleep(0)
                continue
            while not self._has_room():
                self._changed.clear()
                await self._changed.wait()
            if self.stopped or self.failure is not None:
                return
            task = asyncio.create_task(self._answer(item))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        self.exhausted = True

    def _open_items(self) -> Iterator[Item | None]:
        """The rows without an outcome; now and then `None`, so that other tasks run while many are skipped."""
        skipped = 0
        for item in self.settings.source:
            if self._seen is not None and not self._seen.add(item.id):
                raise duplicate(item.id, self.settings.source.id)
            outcome = self.known.ids.get(item.id)
            if outcome is None or (outcome == FAILED and self.settings.retry):
                yield item
            else:
                skipped += 1
                if skipped % 1000 == 0:
                    yield None

    def _has_room(self) -> bool:
        """Whether another row may start. Rows that are written or wait for a repetition make room, up to the limit."""
        if self.stopped or self.failure is not None or self._is_spent():
            return True
        at_work = len(self._tasks)
        asking = at_work - self._writing - self.gate.waiting
        return asking < self.gate.open and at_work < (self.settings.most or 2 * self.gate.most)

    def _is_spent(self) -> bool:
        """Whether the next row would exceed the budget, if it and those at work cost what rows cost so far."""
        budget, totals, rows = self.settings.budget, self.known.totals, len(self.known.ids)
        if budget is None:
            return False
        with localcontext(EXACT):
            each = totals.cost / rows if rows else Decimal(0)
            spent = totals.cost + each * (len(self._tasks) + 1)
        if spent > budget or totals.cost >= budget:
            self.stopped = "budget"
        return self.stopped is not None

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """End the run: no request starts any more."""
        self.failure = self.failure or error
        self.gate.stop()
        self._changed.set()

    async def _give_up(self) -> None:
        """Cancel what is in flight. What was answered goes to disk."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- one row ------------------------------------------------------------------------------------------------------

    async def _answer(self, item: Item) -> None:
        settings = self.settings
        calls = None if self._is_plain else Calls()
        config = settings.config if calls is None else _with(settings.config, calls)
        outcome: Any
        try:
            outcome = await settings.runnable.ainvoke(settings.source.input_of(item.row), config)
        except StoppedError:
            return
        except Exception as error:  # noqa: BLE001 - a row's error is a value
            if self.failure is not None and not isinstance(error, UnifiedError):
                return  # a runnable's own error for a call that the end of the run refused
            if isinstance(error, ENDS_RUN) or (getattr(error, "retry_after", None) or 0.0) > LONGEST_HOLD:
                self._fail(error)
                return
            outcome = error
        row = row_of(item.id, outcome, None if calls is None else calls.messages, settings.prices)
        if settings.budget is not None and row["cost"] is None and row["input_tokens"] is not None:
            self._fail(_no_price(row))
        self._writing += 1
        self._changed.set()
        try:
            await self.journal.append(row)
        finally:
            self._writing -= 1
        self.known.add(row)
        if self.on_row is not None:
            self.on_row(row)
        self.new += 1

    # --- progress -----------------------------------------------------------------------------------------------------

    async def _tick(self, display: Display) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                display.show(self.progress())
                await asyncio.sleep(EVERY)

    def progress(self) -> Progress:
        """The run at this moment."""
        totals, rows = self.known.totals, len(self.known.ids)
        rate = self._rate.of(time.monotonic(), self.new)
        cost = None if totals.unpriced or not rows else totals.cost
        left = None if self.total is None else max(0, self.total - rows)
        with localcontext(EXACT):
            projected = None if cost is None or self.total is None else cost * self.total / rows
        return Progress(
            done=rows - self.known.failed,
            failed=self.known.failed,
            total=self.total,
            in_flight=self.gate.in_flight,
            limit=self.gate.open,
            rate=rate,
            held=self.gate.held(),
            input_tokens=totals.tokens["input_tokens"],
            output_tokens=totals.tokens["output_tokens"],
            cost=cost,
            projected_cost=projected,
            seconds_left=left / rate if left is not None and rate > 0 else None,
        )


def _is_plain(runnable: Any) -> bool:
    """Whether the outcome of a runnable is the message of its one call."""
    while isinstance(runnable, RunnableBindingBase):
        runnable = runnable.bound
    return isinstance(runnable, BaseLanguageModel)


def _with(config: RunnableConfig, calls: Calls) -> RunnableConfig:
    given = config.get("callbacks")
    if given is None or isinstance(given, list):
        return {**config, "callbacks": [*(given or ()), calls]}
    manager = given.copy()
    manager.add_handler(calls)
    return {**config, "callbacks": manager}


def _no_price(row: Row) -> ConfigurationError:
    return ConfigurationError(
        f"The budget cannot be kept: no price is known for the model {row['model']!r}. Give its price with `prices=`."
    )
