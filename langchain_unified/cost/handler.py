"""`CostHandler`, the base of `CostTracker` and `Budget`: a callback handler that prices each call once."""

from __future__ import annotations

import threading
from asyncio import CancelledError
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import localcontext
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import LLMResult

from langchain_unified.cost import Cost, message_cost
from langchain_unified.cost.prices import EXACT, CallerPrices, Prices, installed, no_prices
from langchain_unified.errors import ConfigurationError

ABANDONED = (GeneratorExit, CancelledError, KeyboardInterrupt)
"""Errors with which a program abandons a call. The provider may bill it, but its usage is never reported."""

MAX_RUNS = 10_000
"""Runs that a handler remembers, so that each counts once. This also removes runs that never end."""


@dataclass(frozen=True, slots=True)
class RunModel:
    """The model of a run, as LangChain reports it at the start."""

    provider: str | None = None
    model: str | None = None


class RunLog:
    """The runs in progress, and those that were counted."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, RunModel | None] = OrderedDict()

    def start(self, run_id: UUID, run: RunModel) -> None:
        self._set(run_id, run)

    def end(self, run_id: UUID) -> RunModel | None:
        """The run when it ends for the first time; after that `None`."""
        run = self._known.get(run_id, RunModel())
        self._set(run_id, None)
        return run

    def open(self) -> int:
        """How many runs have started and not ended."""
        return sum(run is not None for run in list(self._known.values()))

    def _set(self, run_id: UUID, run: RunModel | None) -> None:
        self._known[run_id] = run
        while len(self._known) > MAX_RUNS:
            self._known.popitem(last=False)


class CostHandler(BaseCallbackHandler):
    """A handler that gives the cost of each call to `_add`, once."""

    run_inline = True

    def __init__(self, prices: Prices | None = None) -> None:
        """Raises `ConfigurationError` for invalid prices, and where neither prices nor genai-prices are there."""
        self._prices = CallerPrices.of(prices)
        if not self._prices.entries and not installed():
            raise ConfigurationError(f"There are no prices: {no_prices()}.")
        self._lock = threading.Lock()
        self._runs = RunLog()
        self._listeners: tuple[CostHandler, ...] = ()
        """Handlers to which each call is reported, too."""

    def _report_to(self, *listeners: CostHandler | None) -> None:
        self._listeners = tuple(listener for listener in listeners if listener is not None)
        self.raise_error = any(listener.raise_error for listener in self._listeners)

    def _check_allowed(self, run: RunModel, prices: CallerPrices) -> None:
        """Raise to refuse a call before it is made."""

    def _add(self, run: RunModel, message: AIMessage | None, cost: Cost) -> None:
        """Count the cost of a call. Called with the lock held."""
        raise NotImplementedError

    def _warn(self) -> None:
        """Give the warnings of a call. Called without the lock."""

    # --- LangChain's events ---

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: UUID, metadata: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """A call to a chat model is about to be made."""
        metadata = metadata or {}
        self._start(run_id, RunModel(metadata.get("ls_provider"), metadata.get("ls_model_name")), self._prices)

    def on_llm_start(
        self, serialized: Any, prompts: Any, *, run_id: UUID, metadata: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """A call to a text completion model is about to be made."""
        self.on_chat_model_start(serialized, prompts, run_id=run_id, metadata=metadata)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """A call was answered."""
        self._end(run_id, list(_answers(response)) or [None], self._prices)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A call failed or was abandoned. What it had produced counts; a refused call costs nothing."""
        partial = _partial(error, kwargs.get("response"))
        is_billed = partial is not None or isinstance(error, ABANDONED)
        self._end(run_id, [partial] if is_billed else [], self._prices, failed=True)

    # --- one call, for this handler and its listeners ---

    def _start(self, run_id: UUID, run: RunModel, prices: CallerPrices) -> None:
        prices = self._prices if self._prices.entries else prices
        self._check_allowed(run, prices)
        for listener in self._listeners:
            listener._start(run_id, run, prices)
        with self._lock:
            self._runs.start(run_id, run)

    def _end(
        self, run_id: UUID, messages: list[AIMessage | None], prices: CallerPrices, *, failed: bool = False
    ) -> None:
        prices = self._prices if self._prices.entries else prices
        with self._lock:
            run = self._runs.end(run_id)
        if run is not None:
            costs = [(message, _cost(message, run, prices, failed=failed)) for message in messages]
            with self._lock, localcontext(EXACT):
                for message, cost in costs:
                    self._add(run, message, cost)
        for listener in self._listeners:
            listener._end(run_id, messages, prices, failed=failed)
        self._warn()

    # --- copies of a model share its handlers; a handler can be pickled ---

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_lock", "_runs")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock(), _runs=RunLog())


NO_MESSAGE = Cost(None, reason="the call ended before its usage was reported")


def _cost(message: AIMessage | None, run: RunModel, prices: CallerPrices, *, failed: bool) -> Cost:
    """The cost of a message. If it does not name its model, the model of the run is taken."""
    if message is None:
        return replace(NO_MESSAGE, incomplete=failed)
    metadata = message.response_metadata
    if run.model is not None and not metadata.keys() & {"model_name", "model"}:
        metadata = {"model_provider": run.provider, **metadata, "model_name": run.model}
    if failed and isinstance(message, AIMessageChunk) and message.chunk_position != "last":
        metadata = {**metadata, "incomplete": True}  # a partner package's chunks are not marked
    if metadata is not message.response_metadata:
        message = message.model_copy(update={"response_metadata": metadata})
    return message_cost(message, prices)


def _answers(response: LLMResult) -> Iterator[AIMessage]:
    """One message for each reply of the provider: the choices of one reply share its usage."""
    for generations in response.generations:
        found = [message for each in generations if isinstance(message := getattr(each, "message", None), AIMessage)]
        yield from {message.response_metadata.get("id"): message for message in reversed(found)}.values()


def _partial(error: BaseException, response: Any) -> AIMessage | None:
    """The answer so far. The error has it, or LangChain gives the chunks of a stream beside the error."""
    answers = _answers(response) if isinstance(response, LLMResult) else ()
    streamed = [message for message in answers if isinstance(message, AIMessageChunk)]
    # `raw_message`: an answer that is complete, but no structured output.
    found = (getattr(error, "partial", None), *streamed, getattr(error, "raw_message", None))
    return next((message for message in found if isinstance(message, AIMessage)), None)
