"""`Batch`: a run of many calls as batches of the provider, which goes on without this process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from langchain_core.messages.ai import UsageMetadata

from langchain_unified.batches.progress import Bar
from langchain_unified.batches.ranges import ranges_of
from langchain_unified.batches.results import Results, RowAnswer
from langchain_unified.batches.runner import Runner
from langchain_unified.batches.split import Limits
from langchain_unified.batches.state import Store
from langchain_unified.batches.status import BatchStatus, status_of
from langchain_unified.batches.steps import Sleep, Steps, Work, arun, run
from langchain_unified.batches.tally import Tally
from langchain_unified.batches.words import reopen
from langchain_unified.cost import Cost
from langchain_unified.cost.prices import CallerPrices, Prices
from langchain_unified.errors import ConfigurationError, UnifiedError
from langchain_unified.rows import Row, row_of

T = TypeVar("T")

FIRST_INTERVAL, LONGEST_INTERVAL = 1.0, 60.0
"""Seconds between two looks at the provider: at first, and after doubling."""
PER_PART = 0.1
"""Seconds for each part that is looked at, so that a run of a thousand stays below the limits of requests."""
MAX_FAILURES = 10
"""How many looks in a row may fail, after their own retries, before `wait` raises the error."""


class Batch:
    """Many calls as batches at the provider, at half the price. It goes on without this process.

    `model.batches.submit` and `open` return it. Each method has an async twin with an `a` before its name; that of
    `wait` is `await_`. `str()` is its state as JSON, which `open` takes. The state holds no key and no prompt.
    Methods may be called from one thread at a time.
    """

    def __init__(self, runner: Runner) -> None:
        """For `submit` and `open`."""
        self._runner = runner
        self._run = runner.run
        self._results = Results(runner)

    # --- looking ------------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The id of the run. The custom ids of its requests begin with it."""
        return self._run.run

    @property
    def ids(self) -> list[str]:
        """The ids of the inputs: those given to `submit`, else their numbers."""
        return [self._run.id_of(row) for row in range(self._run.total)]

    @property
    def path(self) -> Path | None:
        """Where the state is kept; `None`: in this object only."""
        return self._runner.store.path

    def status(self) -> BatchStatus:
        """Ask the provider how far it is. Sends parts that were waiting, and reads what has ended once to count it."""
        return self._do(self._status())

    async def astatus(self) -> BatchStatus:
        """Async twin of `status`."""
        return await self._ado(self._status())

    def wait(
        self, timeout: float | None = None, progress: bool = True, *, interval: float | None = None
    ) -> BatchStatus:
        """Wait until all is done, and return the status; that of a run that is not done after `timeout` seconds.

        `timeout=None`: without a limit. `progress`: a bar in a terminal and in a notebook, if tqdm is installed.
        `interval`: seconds between two looks; absent, 1 second at first and a minute at last. Ctrl-C ends the waiting
        and not the batch.
        """
        with Bar(self._run, progress) as bar:
            return self._do(self._wait(timeout, interval, bar.show))

    async def await_(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - it ends the waiting with the status, and raises nothing
        progress: bool = True,
        *,
        interval: float | None = None,
    ) -> BatchStatus:
        """Async twin of `wait`."""
        with Bar(self._run, progress) as bar:
            return await self._ado(self._wait(timeout, interval, bar.show))

    # --- results ------------------------------------------------------------------------------------------------------

    def results(self, return_exceptions: bool = False, *, interval: float | None = None) -> list[Any]:
        """What `.batch` returns for the inputs, in their order. Waits for what is not done.

        A failed row is an error of the class that a live call raises, `BatchExpiredError`, `BatchCanceledError` or
        `MissingResultError`. The first is raised; with `return_exceptions` they are in the list. Each part is
        downloaded once.
        """
        return self._ordered(self.as_completed(interval=interval), return_exceptions)

    async def aresults(self, return_exceptions: bool = False, *, interval: float | None = None) -> list[Any]:
        """Async twin of `results`."""
        found = [pair async for pair in self.aas_completed(interval=interval)]
        return self._ordered(found, return_exceptions)

    def as_completed(self, *, interval: float | None = None) -> Iterator[tuple[int, Any]]:
        """`(index, outcome)` of each input once, part by part as these end, as `batch_as_completed` gives them.

        Failed rows are errors among the outcomes, none is raised. Holds no more than a part in memory.
        """
        for answer in self._answers(interval):
            yield answer.row, answer.outcome

    def _answers(self, interval: float | None) -> Iterator[RowAnswer]:
        given: set[int] = set()
        done = False
        while not done:
            numbers, done = self._do(self._next_ended(given, interval))
            for number in numbers:
                yield from self._results.answers(number)
        yield from self._results.row_errors()

    async def aas_completed(self, *, interval: float | None = None) -> AsyncIterator[tuple[int, Any]]:
        """Async twin of `as_completed`."""
        async for answer in self._aanswers(interval):
            yield answer.row, answer.outcome

    async def _aanswers(self, interval: float | None) -> AsyncIterator[RowAnswer]:
        given: set[int] = set()
        done = False
        while not done:
            numbers, done = await self._ado(self._next_ended(given, interval))
            for number in numbers:
                for answer in self._results.answers(number):
                    yield answer
        for answer in self._results.row_errors():
            yield answer

    def rows(self, *, prices: Prices | None = None, interval: float | None = None) -> Iterator[Row]:
        """The outcomes as rows of plain JSON, part by part, as `bulk` writes them. `prices`: as for `message_cost`."""
        caller = CallerPrices.of(prices)
        for answer in self._answers(interval):
            yield row_of(self._run.id_of(answer.row), answer.outcome, answer.messages, caller)

    async def arows(self, *, prices: Prices | None = None, interval: float | None = None) -> AsyncIterator[Row]:
        """Async twin of `rows`."""
        caller = CallerPrices.of(prices)
        async for answer in self._aanswers(interval):
            yield row_of(self._run.id_of(answer.row), answer.outcome, answer.messages, caller)

    # --- usage and cost -----------------------------------------------------------------------------------------------

    @property
    def usage(self) -> UsageMetadata | None:
        """The tokens of all answers of the parts that have ended; `None` before there are any."""
        return self._do(self._tally(None)).usage

    async def ausage(self) -> UsageMetadata | None:
        """Async twin of `usage`."""
        return (await self._ado(self._tally(None))).usage

    @property
    def cost(self) -> Cost:
        """What the answers of the parts that have ended cost, at the prices of batches. Failed rows cost nothing.

        `cost.total` is `None` where a price is not known. `message_cost(…, prices=…)` prices a message by your own.
        """
        return self._do(self._tally(None)).cost

    async def acost(self, prices: Prices | None = None) -> Cost:
        """Async twin of `cost`. `prices`: as for `message_cost`; an entry is for every tier, batches included."""
        return (await self._ado(self._tally(prices))).cost

    # --- changing -----------------------------------------------------------------------------------------------------

    def cancel(self) -> BatchStatus:
        """End what runs, and do not send what waits. What is answered already stays and is paid."""
        return self._do(self._then_status(self._runner.cancel()))

    async def acancel(self) -> BatchStatus:
        """Async twin of `cancel`."""
        return await self._ado(self._then_status(self._runner.cancel()))

    def retry(self) -> Batch:
        """Send the failed rows again, and only these, as new parts of this run. Returns this batch.

        Failed is what `results(return_exceptions=True)` shows as an error, in the parts that have ended. Raises
        `ConfigurationError` where the run was opened without its inputs.
        """
        self._do(self._retry())
        return self

    async def aretry(self) -> Batch:
        """Async twin of `retry`."""
        await self._ado(self._retry())
        return self

    def delete(self) -> None:
        """Delete what the provider stores of the run: Anthropic's batches, OpenAI's files. Read the results before.

        Raises `ConfigurationError` while something runs.
        """
        self._do(self._delete())

    async def adelete(self) -> None:
        """Async twin of `delete`."""
        await self._ado(self._delete())

    def save(self, path: str | Path) -> None:
        """Write the state to a file, and keep it there from now on."""
        self._runner.store = Store(Path(path))
        self._runner.inputs.place = repr(str(path))
        self._runner.write()

    def close(self) -> None:
        """Delete the result lines that were downloaded to this machine. The state stays, and so does the batch."""
        self._runner.spool.close()

    def __str__(self) -> str:
        """The state as JSON: `model.batches.open(str(batch))` is this batch."""
        return self._run.dumps().decode()

    def __repr__(self) -> str:
        return f"<Batch {self.id} of {self._run.model}, {status_of(self._run)}>"

    # --- steps --------------------------------------------------------------------------------------------------------

    def _status(self) -> Steps[BatchStatus]:
        yield from self._runner.advance()
        yield from self._results.fetch()
        return status_of(self._run)

    def _then_status(self, steps: Steps[None]) -> Steps[BatchStatus]:
        yield from steps
        return (yield from self._status())

    def _wait(self, timeout: float | None, interval: float | None, show: Callable[[], object]) -> Steps[BatchStatus]:
        ends = None if timeout is None else time.monotonic() + timeout
        pauses = _pauses(interval)
        while True:
            yield from self._look()
            show()
            left = None if ends is None else ends - time.monotonic()
            if self._is_done() or (left is not None and left <= 0):
                break
            pause = max(next(pauses), PER_PART * len(self._run.parts) if interval is None else 0.0)
            yield Sleep(pause if left is None else min(pause, left))
        yield from self._results.fetch()
        return status_of(self._run)

    def _look(self) -> Steps[None]:
        """Look at the provider. An error that may pass does not end a wait of hours."""
        for failures in range(1, MAX_FAILURES + 1):
            try:
                yield from self._runner.advance()
                return self._runner.check_goes_on()
            except UnifiedError as error:
                if not error.is_retryable or failures == MAX_FAILURES:
                    raise
                yield Sleep(min(error.retry_after or 2.0**failures, LONGEST_INTERVAL))
        return None

    def _is_done(self) -> bool:
        return all(not part.is_open for part in self._run.parts)

    def _next_ended(self, given: set[int], interval: float | None) -> Steps[tuple[list[int], bool]]:
        """The parts that have ended and were not given yet, and whether these are the last."""
        pauses = _pauses(interval)
        while True:
            if not self._is_done():
                yield from self._look()
            numbers = [at for at, part in enumerate(self._run.parts) if not part.is_open and at not in given]
            if numbers or self._is_done():
                break
            yield Sleep(max(next(pauses), PER_PART * len(self._run.parts) if interval is None else 0.0))
        yield from self._results.fetch()
        given.update(numbers)
        return numbers, self._is_done()

    def _tally(self, prices: Prices | None) -> Steps[Tally]:
        tally = Tally(CallerPrices.of(prices))
        yield from self._results.fetch()
        for number in range(len(self._run.parts)):
            yield Work(partial(tally.add, self._results.messages(number)))
        return tally

    def _retry(self) -> Steps[None]:
        if not self._is_done():
            yield from self._runner.refresh()
        yield from self._results.fetch()
        runner = self._runner
        failed = yield Work(self._results.failed_rows)
        if not failed:
            return
        attempt = 1 + max(part.attempt for part in self._run.parts)
        limits = Limits(**cast(dict[str, Any], self._run.limits))
        parts = yield Work(lambda: runner.inputs.split(ranges_of(failed), limits, attempt))
        self._results.give_up(frozenset(failed))
        self._run.parts += parts
        runner.write()
        yield from runner.send_waiting()

    def _delete(self) -> Steps[None]:
        if not self._is_done():
            yield from self._runner.refresh()
        if not self._is_done():
            raise ConfigurationError(
                f"The run {self.id} is not done: {status_of(self._run)}. Call `cancel()`, then `wait()`."
            )
        yield from self._runner.delete()

    # --- both ---------------------------------------------------------------------------------------------------------

    def _ordered(self, pairs: Any, return_exceptions: bool) -> list[Any]:
        outcomes: list[Any] = [None] * self._run.total
        for row, outcome in pairs:
            outcomes[row] = outcome
        failed = [row for row, outcome in enumerate(outcomes) if isinstance(outcome, Exception)]
        if failed and not return_exceptions:
            error = outcomes[failed[0]]
            error.add_note(
                f"It is of input {failed[0]} (id {self._run.id_of(failed[0])!r}). {len(failed):,} inputs failed: "
                "results(return_exceptions=True) gives the others, retry() sends these again."
            )
            raise error
        return outcomes

    def _do(self, steps: Steps[T]) -> T:
        try:
            return run(steps, self._runner.source.transport)
        except KeyboardInterrupt as exc:
            self._note(exc)
            raise

    async def _ado(self, steps: Steps[T]) -> T:
        import asyncio

        try:
            return await arun(steps, self._runner.source.transport)
        except (KeyboardInterrupt, asyncio.CancelledError) as exc:
            self._note(exc)
            raise

    def _note(self, exc: BaseException) -> None:
        sent = sum(part.state in ("creating", "running", "canceling") for part in self._run.parts)
        if sent:
            exc.add_note(reopen(self._runner.inputs.place, sent))


def _pauses(interval: float | None) -> Iterator[float]:
    """The seconds between looks."""
    pause = FIRST_INTERVAL if interval is None else interval
    while True:
        yield pause
        if interval is None:
            pause = min(pause * 2, LONGEST_INTERVAL)
