"""Where instrumentation attaches to a call. `langchain_unified.otel` is one; nothing of OpenTelemetry is known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatResult


class Observation:
    """One call as instrumentation sees it; this one sees nothing.

    As a context manager it stands around the requests of the call, and of a stream around its reading.
    """

    def result(self, result: ChatResult) -> ChatResult:
        """The complete answer of a call that is not streamed."""
        return result

    def begun(self, chunks: Sequence[AIMessageChunk]) -> None:
        """A stream has its first content. `chunks` is the list that its chunks go into."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """The call is over, or failed."""

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.__exit__(kind, error, trace)


NOTHING = Observation()


class Observer(Protocol):
    """Sees every call of every model in this process."""

    def plan(self, make: Callable[[], Any], messages: Sequence[BaseMessage], address: str | None) -> Any:
        """The plan that `make` returns, with an observation in `seen`. What `make` raises is a call that failed."""


class Attached:
    """The observer of this process, if there is one."""

    observer: Observer | None = None
