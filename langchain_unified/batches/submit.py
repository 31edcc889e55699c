"""`model.batches`: submitting many calls as batches of the provider, and opening what was submitted before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from langchain_unified.batches.handle import Batch
from langchain_unified.batches.rows import Inputs, Planner
from langchain_unified.batches.runner import Runner
from langchain_unified.batches.source import Source
from langchain_unified.batches.split import BYTES_PER_PART, REQUESTS_PER_PART, Limits
from langchain_unified.batches.state import Run, Store, new_run_id, read_run
from langchain_unified.batches.steps import Steps, Work, arun, run
from langchain_unified.batches.words import reopen, unsent
from langchain_unified.errors import ConfigurationError, UnifiedError
from langchain_unified.rows import Fingerprint

State: TypeAlias = "str | Path | Mapping[str, Any]"

MAX_PER_PART = {"anthropic": 100_000, "openai": 50_000}
"""Requests of one batch at the provider (`wires/<wire>/batch.py`)."""


class Batches:
    """The batches of a model, or of a model with what is bound to it.

    They are for Anthropic's and OpenAI's own APIs; other servers are refused by name. LangChain's callbacks, caches and
    rate limiters see nothing of them.
    """

    def __init__(self, source: Callable[[Mapping[str, Any]], Source]) -> None:
        """`source`: the model with the keywords of a call. For the chat models."""
        self._source = source

    def submit(
        self,
        inputs: Sequence[Any],
        ids: Sequence[str] | None = None,
        state: str | Path | None = None,
        *,
        max_requests: int | None = None,
        max_enqueued_tokens: int | None = None,
        **kwargs: Any,
    ) -> Batch:
        """Send inputs as batches, at half the price, and return at once. The answers come within 24 hours.

        `inputs`: as `.batch` takes them. All are checked before anything is sent, and split by the provider's limits.
        `ids`: a name for each input, unique; absent, their numbers. `state`: a file in which each step is written, so
        that no crash loses a batch or pays it twice. Called again with the same file, it sends what was not sent and
        returns the same batch; other inputs, or a changed model, raise. Absent, the state is in the returned object
        only. `max_requests` of one batch: 10,000 where absent, which keeps memory small. `max_enqueued_tokens`:
        estimated prompt tokens that may wait at the provider at once, from OpenAI's page of limits; absent, its
        refusals tell. Further keywords are those of a call.

        Raises `RequestError` for an input that cannot be sent and `UnsupportedParameterError` for what no batch can
        do, with the number of the input; nothing is sent then. Errors of the provider: call it again with the same
        `state`.
        """
        source = self._source(kwargs)
        batch, steps = self._begin(source, inputs, ids, state, _limits(source, max_requests, max_enqueued_tokens))
        try:
            run(steps, source.transport)
        except (KeyboardInterrupt, UnifiedError) as exc:
            _note(batch, exc)
            raise
        return batch

    async def asubmit(
        self,
        inputs: Sequence[Any],
        ids: Sequence[str] | None = None,
        state: str | Path | None = None,
        *,
        max_requests: int | None = None,
        max_enqueued_tokens: int | None = None,
        **kwargs: Any,
    ) -> Batch:
        """Async twin of `submit`."""
        source = self._source(kwargs)
        batch, steps = self._begin(source, inputs, ids, state, _limits(source, max_requests, max_enqueued_tokens))
        try:
            await arun(steps, source.transport)
        except (KeyboardInterrupt, asyncio.CancelledError, UnifiedError) as exc:
            _note(batch, exc)
            raise
        return batch

    def open(self, state: State, inputs: Sequence[Any] | None = None, **kwargs: Any) -> Batch:
        """The batch that `submit` began, in this or in another process. Nothing is sent before its first method.

        `state`: the file, or the JSON that `str(batch)` gives. `inputs`: those of `submit`, which `retry` needs, and
        parts that were not sent. Further keywords: those of `submit`. Raises `ConfigurationError` where the model, a
        parameter, a tool or the schema is not that of the run, and names it.
        """
        source = self._source(kwargs)
        found, store, place = _read(state)
        _check_same(found, source, place)
        given = None if inputs is None else _listed(inputs)
        return Batch(Runner(source, found, store, Inputs(source, found, given, place)))

    async def aopen(self, state: State, inputs: Sequence[Any] | None = None, **kwargs: Any) -> Batch:
        """Async twin of `open`."""
        return self.open(state, inputs, **kwargs)

    # --- steps --------------------------------------------------------------------------------------------------------

    def _begin(
        self, source: Source, inputs: Sequence[Any], ids: Sequence[str] | None, state: str | Path | None, limits: Limits
    ) -> tuple[Batch, Steps[None]]:
        store, given = Store(None if state is None else Path(state)), _listed(inputs)
        names = _checked_ids(ids, len(given))
        place = "str(batch)" if state is None else repr(str(state))
        found = store.read()
        if found is None:
            found = Run(new_run_id(), source.provider, source.model, len(given), ids=names, limits=asdict(limits))
            found.fingerprint, found.max_enqueued_tokens = source.fingerprint().to_json(), limits.tokens
            is_new = True
        else:
            _check_same(found, source, place)
            _check_same_ids(found, names, place)
            is_new = False
        runner = Runner(source, found, store, Inputs(source, found, given, place))
        return Batch(runner), _steps(runner, limits, is_new=is_new)


def _steps(runner: Runner, limits: Limits, *, is_new: bool) -> Steps[None]:
    if is_new:
        planner = Planner(runner.source, runner.run)
        yield Work(lambda: planner.plan(runner.inputs.given or (), limits))
        runner.inputs.checked = True
        runner.write()
    else:
        yield Work(runner.inputs.check)
        yield from runner.refresh()
    yield from runner.send_waiting()


def _note(batch: Batch, exc: BaseException) -> None:
    """Add to an exception how to go on. A state that was in memory only is written, where a batch runs."""
    runner = batch._runner
    parts = runner.run.parts
    sent = sum(part.state not in ("waiting", "failed") for part in parts)
    if not parts or (not sent and runner.store.path is None):
        return
    if runner.store.path is None:
        batch.save(f"batch-{batch.id}.json")
    if isinstance(exc, UnifiedError):
        exc.add_note(unsent(runner.inputs.place, sent, len(parts)))
    else:
        exc.add_note(reopen(runner.inputs.place, sent))


# --- arguments --------------------------------------------------------------------------------------------------------


def _limits(source: Source, max_requests: int | None, max_enqueued_tokens: int | None) -> Limits:
    most = MAX_PER_PART[source.provider]
    if max_requests is not None and not 1 <= max_requests <= most:
        raise ConfigurationError(f"max_requests={max_requests!r} must be from 1 to {most:,}, the provider's limit.")
    if max_enqueued_tokens is not None and max_enqueued_tokens < 1:
        raise ConfigurationError(f"max_enqueued_tokens={max_enqueued_tokens!r} must be 1 or more.")
    return Limits(max_requests or REQUESTS_PER_PART, BYTES_PER_PART, max_enqueued_tokens)


def _listed(inputs: Iterable[Any]) -> Sequence[Any]:
    if isinstance(inputs, str | Mapping) or not isinstance(inputs, Iterable):
        raise ConfigurationError(f"`inputs` must be a list of inputs, as for `.batch`, not a {type(inputs).__name__}.")
    found = inputs if isinstance(inputs, Sequence) else list(inputs)
    if not found:
        raise ConfigurationError("`inputs` is empty: there is nothing to send.")
    return found


def _checked_ids(ids: Sequence[str] | None, count: int) -> list[str] | None:
    if ids is None:
        return None
    names = [str(name) for name in ids]
    if len(names) != count:
        raise ConfigurationError(f"There are {len(names):,} ids for {count:,} inputs. Give one for each.")
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ConfigurationError(f"The id {twice!r} is given twice. The id of each input must be its own.")
    return names


# --- the state --------------------------------------------------------------------------------------------------------


def _read(state: State) -> tuple[Run, Store, str]:
    if isinstance(state, Mapping):
        return Run.from_json(state), Store(), "str(batch)"
    if isinstance(state, str) and state.lstrip().startswith("{"):
        return read_run(state, "The text"), Store(), "str(batch)"
    store = Store(Path(state))
    found = store.read()
    if found is None:
        raise ConfigurationError(f"There is no state of a batch at {state}. `submit(…, state=…)` writes one.")
    return found, store, repr(str(state))


def _check_same(found: Run, source: Source, place: str) -> None:
    changes = source.fingerprint().differences(Fingerprint.from_json(found.fingerprint))
    if found.provider != source.provider:
        changes.insert(0, f"the provider is {source.provider!r}, it was {found.provider!r}")
    if changes:
        raise ConfigurationError(
            f"The run in {place} is of another call: {'; '.join(changes)}. Open it with the model, the parameters, the "
            "tools and the schema that it was submitted with, or use another state file for a new run."
        )


def _check_same_ids(found: Run, names: list[str] | None, place: str) -> None:
    if found.ids != names:
        raise ConfigurationError(
            f"The ids are not those of the run in {place}. Give the same ids, or use another state file for a new run."
        )
