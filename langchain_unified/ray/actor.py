"""`ChatActor`: what Ray's `map_batches` runs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from langchain_core.runnables import Runnable

from langchain_unified.bulk.gate import Gate
from langchain_unified.bulk.inputs import InputRule, source_of
from langchain_unified.bulk.outputs import flat, row_schema
from langchain_unified.bulk.progress import Silent
from langchain_unified.bulk.run import Run, Settings, Sink
from langchain_unified.bulk.state import Known, Totals
from langchain_unified.cost.prices import CallerPrices, Prices
from langchain_unified.errors import ConfigurationError
from langchain_unified.ray.journal import SharedJournal
from langchain_unified.rows.fingerprint import fingerprint
from langchain_unified.rows.ids import IdSet
from langchain_unified.rows.row import Row
from langchain_unified.transport.gated import GATE


class ChatActor:
    """Answers batches, for `map_batches(ChatActor, batch_format="pyarrow", …)`. Its arguments are those of `answer`."""

    def __init__(
        self,
        model: Runnable[Any, Any],
        input: InputRule = "prompt",  # noqa: A002
        id: str | None = "id",  # noqa: A002
        journal: str | None = None,
        *,
        version: str | None = None,
        max_concurrency: int | None = None,
        retry: bool = False,
        prices: Prices | None = None,
    ) -> None:
        if id is None:
            raise ConfigurationError("On Ray each row needs an id: blocks have no numbers. Name its column with `id=`.")
        self._model, self._rule, self._id, self._retry, self._most = model, input, id, retry, max_concurrency
        self._prices = CallerPrices.of(prices)
        self._journal = None if journal is None else SharedJournal(journal, uuid.uuid4().hex[:12])
        if self._journal is not None:
            self._journal.check(fingerprint(model, template=input, version=version))
        self._gate: Gate | None = None
        self._failure: BaseException | None = None

    async def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch with the columns of `Row`."""
        if self._failure is not None:
            raise self._failure
        if self._gate is None:
            self._gate = Gate(self._most)
        rows = batch.to_pylist()
        outcomes: dict[str, Row] = {}
        if self._journal is not None:
            ids = [str(row[self._id]) for row in rows if row.get(self._id) is not None]
            outcomes = await asyncio.to_thread(self._journal.known, ids)
        if self._retry:
            outcomes = {row_id: row for row_id, row in outcomes.items() if row["error"] is None}
        await self._ask([row for row in rows if str(row.get(self._id)) not in outcomes], outcomes, self._gate)
        return _table(rows, outcomes, self._id)

    async def _ask(self, rows: list[dict[str, Any]], outcomes: dict[str, Row], gate: Gate) -> None:
        """Put the outcome of each row into `outcomes`."""
        source = source_of(rows, self._model, self._id, self._rule)
        source.check()
        settings = Settings(self._model, source, {}, self._prices, budget=None, retry=False, most=self._most)
        known = Known(IdSet(), Totals())
        sink: Sink = self._journal or NoJournal()

        def keep(row: Row) -> None:
            outcomes[row["id"]] = row

        token = GATE.set(gate)
        try:
            await Run(settings, known, sink, len(rows), gate, keep).finish(Silent())
        except Exception as error:
            self._failure = error
            raise
        finally:
            GATE.reset(token)


class NoJournal:
    """Keeps nothing: a block that Ray repeats is asked again."""

    async def append(self, row: Row) -> None: ...


def _table(rows: list[dict[str, Any]], outcomes: Mapping[str, Row], column: str) -> pa.Table:
    """The outcomes in the order of the rows, with the columns of the rows that no outcome has."""
    schema = row_schema(pa)
    answers = pa.Table.from_pylist([flat(outcomes[str(row[column])]) for row in rows], schema=schema)
    others = [name for name in (rows[0] if rows else ()) if name not in schema.names]
    for name in others:
        answers = answers.append_column(name, pa.array([row[name] for row in rows]))
    return answers
