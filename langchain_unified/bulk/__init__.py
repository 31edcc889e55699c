"""`bulk`: any number of rows through a runnable, each answered once, within the provider's limits.

    report = bulk(model, "questions.jsonl", out="answers/", input="question", budget=5)

The rows are read one by one, and each outcome is on disk before the run goes on: the same call continues a run that was
interrupted, and asks again at most for what was in flight.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
import threading
import time
import types
from collections.abc import Coroutine, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from langchain_core.runnables import Runnable, RunnableConfig

from langchain_unified.bulk.gate import Gate
from langchain_unified.bulk.inputs import InputRule, Rows, source_of
from langchain_unified.bulk.outputs import Output, drop_replaced, output_of, write_file
from langchain_unified.bulk.progress import Show, display_of
from langchain_unified.bulk.report import Progress, Report
from langchain_unified.bulk.run import Run, Settings
from langchain_unified.bulk.state import check_fingerprint, keep_totals, read_known
from langchain_unified.cost.prices import CallerPrices, Prices, decimal_of, installed, no_prices
from langchain_unified.errors import ConfigurationError
from langchain_unified.rows.fingerprint import fingerprint
from langchain_unified.rows.journal import PART, Journal
from langchain_unified.transport.gated import GATE

__all__ = ["Progress", "Report", "abulk", "bulk"]

T = TypeVar("T")


def bulk(
    runnable: Runnable[Any, Any],
    rows: Rows,
    *,
    out: str | Path,
    id: str | None = "id",  # noqa: A002 - the column's usual name
    input: InputRule = None,  # noqa: A002 - LangChain's name for it
    version: str | None = None,
    max_concurrency: int | None = None,
    budget: float | str | Decimal | None = None,
    prices: Prices | None = None,
    progress: Show = True,
    retry: bool = False,
    config: RunnableConfig | None = None,
) -> Report:
    """Answer any number of rows with a runnable, and write each outcome to disk as it comes. Returns a `Report`.

    `runnable`: a model, `prompt | model`, a structured output, an agent: what holds a model of this package.
    `rows`: a JSONL, CSV or Parquet file, or an iterable of mappings or of inputs. They are read one by one.
    `out`: a folder for JSONL files, or the name of a `.jsonl` or `.parquet` file, with the folder `<name>.run` beside.
    `id`: the column with the id of a row; `None`, and for rows that are no mappings: their number, from 0.
    `input`: what the runnable gets of a row: a column, a template with columns in braces, or a function. `None`: for a
    model the column `input`, `prompt` or `messages`, for another runnable the whole row.
    `version`: the caller's word for what cannot be seen from here, such as the code of a tool.
    `max_concurrency`: requests in flight at most; `None`: as many as the provider takes.
    `budget`: USD for all runs into `out`. No row starts that would exceed it, if rows cost what they cost so far.
    `prices`: as for `message_cost`. `progress`: a bar in a terminal or notebook, or a function that gets a `Progress`.
    `retry`: ask again for the rows that failed.

    The same call goes on with a run that was interrupted: rows with an outcome are not asked again. A row's error is
    its outcome. Requests are repeated by the rules of the run, not by `max_retries`: a refusal (429) until it goes
    through, other failures up to 8 times. An error of the account (key, billing, permission) is raised, once what was
    in flight is on disk; its row and those after it stay open.
    Raises `ConfigurationError`, before the first request, for an id that occurs twice, a missing column, and a folder
    whose rows were answered by another model, other parameters, tools or templates: it names what is different.
    """
    given = {**locals()}
    return _run(abulk(**given))


async def abulk(
    runnable: Runnable[Any, Any],
    rows: Rows,
    *,
    out: str | Path,
    id: str | None = "id",  # noqa: A002
    input: InputRule = None,  # noqa: A002
    version: str | None = None,
    max_concurrency: int | None = None,
    budget: float | str | Decimal | None = None,
    prices: Prices | None = None,
    progress: Show = True,
    retry: bool = False,
    config: RunnableConfig | None = None,
) -> Report:
    """Async twin of `bulk`. A cancelled run has all its answers on disk, and the same call goes on with it."""
    given = {**locals()}
    output = output_of(out)
    settings = Settings(
        runnable=_runnable(runnable),
        source=source_of(rows, runnable, id, input),
        config=config or {},
        prices=CallerPrices.of(prices),
        budget=_budget(budget, prices),
        retry=retry,
        most=_most(max_concurrency),
    )
    total = await asyncio.to_thread(lambda: settings.source.check().rows) if settings.source.is_repeatable else None
    found = fingerprint(runnable, template=input, version=version)
    journal = Journal(output.folder, part=PART)
    try:
        check_fingerprint(output.folder, found)
        known = await asyncio.to_thread(read_known, output.folder)
        run = Run(settings, known, journal, total, Gate(settings.most))
        await _finish(run, journal, output, progress)
    finally:
        journal.release()
    return _report(run, output, given)


async def _finish(run: Run, journal: Journal, output: Output, progress: Show) -> None:
    """Let the run end, and leave its files so that they can be read and the run can go on."""
    token = GATE.set(run.gate)
    try:
        await run.finish(display_of(progress))
    except BaseException as error:
        rows = len(run.known.ids)
        error.add_note(f"{rows:,} rows have an outcome in {output.folder}. The same call goes on with the others.")
        raise
    finally:
        GATE.reset(token)
        await asyncio.shield(asyncio.ensure_future(_close(run, journal, output)))


async def _close(run: Run, journal: Journal, output: Output) -> None:
    await journal.close()
    if run.known.replaced:
        keep_totals(output.folder, await asyncio.to_thread(drop_replaced, output.folder))
    if run.new or (output.file is not None and not output.file.exists()):
        await asyncio.to_thread(write_file, output)


def _report(run: Run, output: Output, given: Mapping[str, Any]) -> Report:
    totals, gate, known = run.known.totals, run.gate, run.known
    rows = len(known.ids)
    total = run.total if run.total is not None else (rows if run.exhausted else None)

    async def again(**changes: Any) -> Report:
        if not run.settings.source.is_repeatable:
            raise ConfigurationError("The rows came from a generator, which is used up: call `bulk` with retry=True.")
        return await abulk(**{**given, **changes})

    return Report(
        out=output.file or output.folder,
        folder=output.folder,
        total=total,
        answered=rows - known.failed,
        failed=known.failed,
        new=run.new,
        open=None if total is None else max(0, total - rows),
        requests=gate.requests,
        refused=gate.refused,
        repeated=gate.faults,
        **totals.tokens,
        cost=None if totals.unpriced else totals.cost,
        seconds=time.monotonic() - run.started,
        limit=gate.limit,
        peak=gate.peak,
        stopped=run.stopped,
        again=again,
        run=_run,
    )


# --- arguments --------------------------------------------------------------------------------------------------------


def _runnable(runnable: Any) -> Runnable[Any, Any]:
    if not isinstance(runnable, Runnable):
        raise ConfigurationError(f"`bulk` takes a model or another runnable, not {type(runnable).__name__}.")
    return runnable


def _most(given: Any) -> int | None:
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
        raise ConfigurationError(f"`max_concurrency` takes a number of requests from 1 on, not {given!r}.")
    return given


def _budget(given: Any, prices: Prices | None) -> Decimal | None:
    if given is None:
        return None
    if (amount := decimal_of(given)) is None:
        raise ConfigurationError(f"`budget` takes US dollars, not {given!r}.")
    if prices is None and not installed():
        raise ConfigurationError(f"A budget needs prices: {no_prices()}.")
    return amount


# --- from sync code ---------------------------------------------------------------------------------------------------


def _run(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns: on an event loop of its own, in a thread where this one runs a loop (in a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return cast(T, _InThread(work).result())


class _InThread:
    """Work on an event loop in a thread of its own."""

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work = work
        self._outcome: Any = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(self._main,), name="bulk")

    def result(self) -> Any:
        """The outcome. An interrupt of this thread cancels the work and waits for its end."""
        self._thread.start()
        try:
            self._thread.join()
        except BaseException:
            self._ready.wait()
            if self._loop is not None and self._task is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join()
            raise
        if self._error is not None:
            raise self._error
        return self._outcome

    def _main(self) -> None:
        async def work() -> Any:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            self._ready.set()
            return await self._work

        try:
            self._outcome = asyncio.run(work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._error = error
        finally:
            self._ready.set()


# --- the name ---------------------------------------------------------------------------------------------------------


class _CallableModule(types.ModuleType):
    """`from langchain_unified import bulk` gives this module once it is imported: it is called like `bulk`."""

    __signature__ = inspect.signature(bulk)

    def __call__(self, *args: Any, **kwargs: Any) -> Report:
        return bulk(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
