"""One algorithm for sync and async: a generator yields what is to be done, and a driver does it.

`Send` is a request, `Download` a file, `Sleep` a pause, `Work` what takes the processor. What a step raises is raised
where it was yielded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from langchain_unified.transport import HttpCall, Transport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """A request; its result is the `Answer`."""

    call: HttpCall


@dataclass(frozen=True, slots=True)
class Download:
    """A body that is written piece by piece, and anew after `restart`."""

    call: HttpCall
    write: Callable[[bytes], object] = field(repr=False)
    restart: Callable[[], object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """A function that takes the processor for a while; async, it runs in a thread."""

    function: Callable[[], Any] = field(repr=False)


Step: TypeAlias = Send | Download | Sleep | Work
Steps: TypeAlias = Generator[Step, Any, T]


def run(steps: Steps[T], transport: Transport) -> T:
    """Do all steps. Returns what the generator returns."""
    try:
        step = next(steps)
        while True:
            try:
                value = _perform(step, transport)
            except BaseException as exc:  # noqa: BLE001 - the generator decides, also on Ctrl-C
                step = steps.throw(exc)
            else:
                step = steps.send(value)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


async def arun(steps: Steps[T], transport: Transport) -> T:
    """Async twin of `run`."""
    try:
        step = next(steps)
        while True:
            try:
                value = await _aperform(step, transport)
            except BaseException as exc:  # noqa: BLE001
                step = steps.throw(exc)
            else:
                step = steps.send(value)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def _perform(step: Step, transport: Transport) -> Any:
    if isinstance(step, Send):
        return transport.send(step.call)
    if isinstance(step, Download):
        from langchain_unified.transport.downloads import download

        return download(transport, step.call, step.write, step.restart)
    if isinstance(step, Sleep):
        return time.sleep(step.seconds)
    return step.function()


async def _aperform(step: Step, transport: Transport) -> Any:
    import anyio  # a dependency of the SDKs

    if isinstance(step, Send):
        return await transport.asend(step.call)
    if isinstance(step, Download):
        from langchain_unified.transport.downloads import adownload

        return await adownload(transport, step.call, step.write, step.restart)
    if isinstance(step, Sleep):
        return await anyio.sleep(step.seconds)
    return await anyio.to_thread.run_sync(step.function)
