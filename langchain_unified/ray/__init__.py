"""Rows of a Ray dataset through a model: `answer`, and `ChatActor` for a pipeline of one's own. The extra `ray`.

    answers = answer(ray.data.read_parquet("s3://rows"), model, input="question", journal="s3://runs/1")
    answers.write_parquet("s3://answers")

Each actor has the gate and the journal of `langchain_unified.bulk`: a row with an outcome in the journal is not asked
again, whichever worker or driver was killed. More machines give no more answers from one account, as the provider's
quota is the limit: take Ray where the data is in Ray.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable

from langchain_unified._extras import install
from langchain_unified.bulk.inputs import InputRule
from langchain_unified.cost.prices import Prices
from langchain_unified.rows.fingerprint import fingerprint

try:
    from ray.data import ActorPoolStrategy
except ImportError:
    raise ImportError(f"langchain_unified.ray needs Ray Data. Install it: {install('ray')}") from None

from langchain_unified.ray.actor import ChatActor
from langchain_unified.ray.journal import SharedJournal

__all__ = ["ChatActor", "SharedJournal", "answer"]

NUM_CPUS = 0.1
"""CPUs that Ray reserves for an actor, which mostly waits. With more, Ray's checkpoint filter (1 CPU) may find none."""
BATCH_SIZE = 1024
OVERLAP = 2
"""Batches that an actor works on at once, so that none waits for the last row of the one before."""


def answer(
    ds: Any,
    model: Runnable[Any, Any],
    input: InputRule = "prompt",  # noqa: A002 - as in `bulk`
    id: str | None = "id",  # noqa: A002
    journal: str | Path | None = None,
    *,
    version: str | None = None,
    actors: int = 1,
    max_concurrency: int | None = None,
    retry: bool = False,
    prices: Prices | None = None,
    batch_size: int = BATCH_SIZE,
    num_cpus: float = NUM_CPUS,
) -> Any:
    """The dataset with the answers of a model: a column for each key of `Row`, and the input's other columns.

    `ds`: a Ray `Dataset`. `model`: a model, `prompt | model`, a structured output, an agent; its key is not pickled, so
    that each worker needs it in its environment. `input`, `id`, `version`, `prices`, `retry`: as for `bulk`.
    `journal`: a folder that all workers see, or the address of an object store (`s3://…`) that fsspec knows; `None`: a
    block that Ray repeats is asked and paid again. `actors`: processes that ask. `max_concurrency`: requests in flight
    of each actor; `None`: as many as the provider takes. `num_cpus`: of each actor.

    A row's error is its outcome. An error of the account (key, billing, permission) ends the job, and rows stay open.
    Raises `ConfigurationError` where the journal holds the answers of another run, and names what is different.
    """
    found = fingerprint(model, template=input, version=version)
    if journal is not None:
        SharedJournal(journal, "").check(found)
    given = {
        "input": input, "id": id, "journal": None if journal is None else str(journal), "version": version,
        "max_concurrency": max_concurrency, "retry": retry, "prices": prices,
    }  # fmt: skip
    options = {"batch_size": batch_size, "num_cpus": num_cpus, "compute": _pool(actors)}
    constructor = {"fn_constructor_args": [model], "fn_constructor_kwargs": given}
    return ds.map_batches(ChatActor, batch_format="pyarrow", udf_modifying_row_count=False, **constructor, **options)


def _pool(actors: int) -> Any:
    return ActorPoolStrategy(
        size=actors, max_tasks_in_flight_per_actor=2 * OVERLAP, max_concurrent_calls_per_actor=OVERLAP
    )
