"""What a tracker of costs and a budget have in common: the callback handler that prices each call once."""

from __future__ import annotations

import threading
from asyncio import CancelledError
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import localcontext
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import LLMResult

from langchain_unified.cost import Cost, message_cost
from langchain_unified.cost.prices import EXACT, INSTALL, OwnPrices, Prices, installed
from langchain_unified.errors import ConfigurationError

UNANSWERED = (GeneratorExit, CancelledError, KeyboardInterrupt)
"""How a call ends that nobody waits for any more: it may be billed, and its usage never comes."""

MOST_RUNS = 10_000
"""How many runs a handler remembers, so that each counts once. Runs that never end are forgotten this way, too."""


@dataclass(frozen=True, slots=True)
class Run:
    """Which model a call is made to, as LangChain says at its start."""

    provider: str | None = None
    model: str | None = None


class Runs:
    """The runs under way, and those that were counted."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, Run | None] = OrderedDict()

    def start(self, run_id: UUID, run: Run) -> None:
        self._keep(run_id, run)

    def end(self, run_id: UUID) -> Run | None:
        """The run, the first time that it ends; then `None`."""
        run = self._known.get(run_id, Run())
        self._keep(run_id, None)
        return run

    def _keep(self, run_id: UUID, run: Run | None) -> None:
        self._known[run_id] = run
        while len(self._known) > MOST_RUNS:
            self._known.popitem(last=False)


class Meter(BaseCallbackHandler):
    """What a tracker and a budget have in common: each call's cost comes to `_add` once."""

    run_inline = True

    def __init__(self, prices: Prices | None = None) -> None:
        """Raises `ConfigurationError` for what is no price, and where there is nothing to take prices from."""
        self._own = OwnPrices.of(prices)
        if not self._own.entries and not installed():
            raise ConfigurationError(f"There are no prices to count with: {INSTALL}.")
        self._lock = threading.Lock()
        self._runs = Runs()
        self._others: tuple[Meter, ...] = ()
        """Who is told of each call as well."""

    def _tell(self, *others: Meter | None) -> None:
        self._others = tuple(other for other in others if other is not None)
        self.raise_error = any(other.raise_error for other in self._others)

    def _admit(self, run: Run, own: OwnPrices) -> None:
        """Refuse a call that is about to be made."""

    def _add(self, run: Run, message: AIMessage | None, cost: Cost) -> None:
        """Count what a call cost. Runs under the lock."""
        raise NotImplementedError

    def _notice(self) -> None:
        """Say what is to be said after a call, outside the lock."""

    # --- LangChain's events ---

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: UUID, metadata: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """A call to a chat model is about to be made."""
        said = metadata or {}
        self._start(run_id, Run(said.get("ls_provider"), said.get("ls_model_name")), self._own)

    def on_llm_start(
        self, serialized: Any, prompts: Any, *, run_id: UUID, metadata: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """A call to a model that completes texts is about to be made."""
        self.on_chat_model_start(serialized, prompts, run_id=run_id, metadata=metadata)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """A call was answered."""
        self._end(run_id, list(_answers(response)) or [None], self._own)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A call failed, or was left: what had come of it counts, and a refused call costs nothing."""
        partial = _partial(error, kwargs.get("response"))
        if partial is not None or isinstance(error, UNANSWERED):
            self._end(run_id, [partial], self._own)

    # --- one call, here and with the others ---

    def _start(self, run_id: UUID, run: Run, own: OwnPrices) -> None:
        own = self._own if self._own.entries else own
        self._admit(run, own)
        for other in self._others:
            other._start(run_id, run, own)
        with self._lock:
            self._runs.start(run_id, run)

    def _end(self, run_id: UUID, messages: list[AIMessage | None], own: OwnPrices) -> None:
        own = self._own if self._own.entries else own
        with self._lock:
            run = self._runs.end(run_id)
        if run is not None:
            costs = [(message, _cost(message, run, own)) for message in messages]
            with self._lock, localcontext(EXACT):
                for message, cost in costs:
                    self._add(run, message, cost)
        for other in self._others:
            other._end(run_id, messages, own)
        self._notice()

    # --- a handler stays the same one in copies of a model, and can be pickled with it ---

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_lock", "_runs")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock(), _runs=Runs())


NO_MESSAGE = Cost(None, reason="the call ended before its usage was reported")


def _cost(message: AIMessage | None, run: Run, own: OwnPrices) -> Cost:
    """The cost of a message; one that does not name its model is from the model that was asked."""
    if message is None:
        return NO_MESSAGE
    said = message.response_metadata
    if "model_name" in said or "model" in said or run.model is None:
        return message_cost(message, own)
    named = {"model_provider": run.provider, **said, "model_name": run.model}
    return message_cost(message.model_copy(update={"response_metadata": named}), own)


def _answers(response: LLMResult) -> Iterator[AIMessage]:
    """The messages of a call, one for each reply of the provider: the choices of one reply share its usage."""
    for generations in response.generations:
        found = [message for each in generations if isinstance(message := getattr(each, "message", None), AIMessage)]
        yield from {message.response_metadata.get("id"): message for message in reversed(found)}.values()


def _partial(error: BaseException, response: Any) -> AIMessage | None:
    """What had come of a stream that broke; LangChain gives it with the error, or the error has it."""
    said = _answers(response) if isinstance(response, LLMResult) else ()
    streamed = next((message for message in said if isinstance(message, AIMessageChunk)), None)
    partial = streamed or getattr(error, "partial", None)
    return partial if isinstance(partial, AIMessage) else None
