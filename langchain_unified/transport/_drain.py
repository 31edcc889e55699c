"""The rest of a response whose last event has come: it is read so that its connection can be used again.

Most servers end the response at once. Some keep it open for a minute, or never end it: no call waits for that. A call
waits for `WAIT` seconds, which lets the next one use the same connection, and for `SHORT_WAIT` where the server was
late before; from then on the rest is read beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

WAIT = 0.05
SHORT_WAIT = 0.005
"""Seconds that a call waits for the end of its response."""
MAX_HOSTS = 1000
LIMIT = 2.0
"""Seconds until a response that does not end is closed, and its connection with it."""


def drain(response: Any, chunks: Iterator[bytes]) -> list[bytes]:
    """Read the rest of a response, which is `chunks`, and close it. What of the rest came within `WAIT`."""
    rest: list[bytes] = []
    done = threading.Event()
    end = time.monotonic() + LIMIT
    remaining = _limited(response, chunks)
    keep = [chunks]  # closing an iteration closes the connection, unless the response was closed before

    def read() -> None:
        with contextlib.suppress(Exception):
            for chunk in remaining:
                rest.append(chunk)
                if time.monotonic() > end:
                    break
        with contextlib.suppress(Exception):
            response.close()
        keep.clear()
        done.set()

    _workers.run(read)
    host = response.request.url.host
    _note(host, done.wait(_wait(host)))
    return list(rest)


def _limited(response: Any, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The rest of a response, with a read timeout of `LIMIT`. Other than a network's response keeps its own."""
    import httpx2

    timeouts = response.request.extensions.get("timeout")
    # A recorder (vcrpy) puts the whole body in the stream's place: another iteration would begin at its start.
    is_read = isinstance(getattr(response.stream, "_stream", response.stream), httpx2.ByteStream)
    if "network_stream" not in response.extensions or is_read or not isinstance(timeouts, dict):
        return chunks
    timeouts["read"] = LIMIT  # the HTTP client reads it where an iteration begins, so another one begins here
    return iter(response.stream)


async def adrain(response: Any, chunks: AsyncGenerator[bytes, None]) -> list[bytes]:
    """Async twin of `drain`."""
    rest: list[bytes] = []

    async def read() -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LIMIT):
                async for chunk in chunks:
                    rest.append(chunk)  # noqa: PERF401  # each as it comes
        with contextlib.suppress(Exception):
            await response.aclose()

    task = asyncio.ensure_future(read())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    host = response.request.url.host
    await asyncio.wait({task}, timeout=_wait(host))
    _note(host, task.done())
    return list(rest)


_late: set[str] = set()
"""The hosts whose last response did not end in time."""


def _wait(host: str) -> float:
    return SHORT_WAIT if host in _late else WAIT


def _note(host: str, in_time: bool) -> None:
    if in_time:
        _late.discard(host)
    elif len(_late) < MAX_HOSTS:
        _late.add(host)


_tasks: set[asyncio.Future[None]] = set()
"""The tasks that still read: the event loop refers to its tasks weakly."""


class _Workers:
    """Threads that run jobs. They do not keep the process alive, and end after `IDLE` seconds without a job."""

    IDLE = 30.0

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.idle = 0

    def run(self, job: Callable[[], None]) -> None:
        """Run a job in a thread that waits for one, else in a new one."""
        with self.lock:
            if self.idle > 0:
                self.idle -= 1
                self.jobs.put(job)
                return
        threading.Thread(target=self._work, args=(job,), name="langchain-unified-drain", daemon=True).start()

    def _work(self, job: Callable[[], None] | None) -> None:
        while job is not None:
            job()
            job = None  # its response is done: let it go while this thread waits
            with self.lock:
                self.idle += 1
            job = self._next()

    def _next(self) -> Callable[[], None] | None:
        try:
            return self.jobs.get(timeout=self.IDLE)
        except Empty:
            with self.lock:
                if not self.jobs.empty():
                    return self.jobs.get()
                self.idle -= 1
                return None


_workers = _Workers()


def _after_fork() -> None:
    """A child process has none of its parent's threads."""
    global _workers  # noqa: PLW0603
    _workers = _Workers()


with contextlib.suppress(AttributeError):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
