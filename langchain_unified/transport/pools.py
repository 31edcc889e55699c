"""Connection pools, shared by transports with equal network settings: one for sync calls, and one per event loop.

An async pool is closed at the end of its event loop, while that still runs: in another loop it would send requests
twice or not at all. No pool keeps cookies, because its transports may act for different people.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Hashable, MutableMapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from langchain_unified.transport._http import PoolKey, async_http_client, http_client
from langchain_unified.transport.config import Timeout

if TYPE_CHECKING:
    import httpx2  # imported at the first call

MAX_SDK_CLIENTS = 256
"""SDK clients that one pool keeps."""

ClientT = TypeVar("ClientT", "httpx2.Client", "httpx2.AsyncClient")


class Pool(Generic[ClientT]):
    """An HTTP client, the SDK clients that send with it, and the transports that use it."""

    def __init__(self, http: ClientT, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.http: ClientT = http
        self.users: weakref.WeakSet[Any] = weakref.WeakSet()
        self.closed = False
        self.guard: AsyncGenerator[None, None] | None = None
        self._loop = weakref.ref(loop) if loop else None
        self._clients: dict[Hashable, Any] = {}

    def is_usable(self) -> bool:
        """Whether it is open and, for an async pool, belongs to the running event loop."""
        return not self.closed and (self._loop is None or self._loop() is asyncio.get_running_loop())

    def client(self, key: Hashable, build: Callable[[], Any]) -> Any:
        """The SDK client for `key`. Clients hold no connections, so that all are dropped when there are too many."""
        client = self._clients.get(key)
        if client is None:
            if len(self._clients) >= MAX_SDK_CLIENTS:
                self._clients.clear()
            client = self._clients[key] = build()
        return client


_SYNC: dict[PoolKey, Pool[httpx2.Client]] = {}
_ASYNC: MutableMapping[asyncio.AbstractEventLoop, dict[PoolKey, Pool[httpx2.AsyncClient]]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


# --- sync -------------------------------------------------------------------------------------------------------------


def sync_pool(key: PoolKey, user: Any) -> Pool[httpx2.Client]:
    """The pool for sync calls. `user` becomes one of its users."""
    with _lock:
        pool = _SYNC.get(key)
        if pool is None:
            pool = _SYNC[key] = Pool(http_client(key))
        pool.users.add(user)
    return pool


def release(key: PoolKey, user: Any) -> None:
    """Remove `user` from the users of the sync pool, and close the pool if it was the last one."""
    with _lock:
        pool = _SYNC.get(key)
        if pool is None or user not in pool.users:
            return
        pool.users.discard(user)
        if pool.users:
            return
        del _SYNC[key]
        pool.closed = True
    pool.http.close()


def release_when_collected(key: PoolKey, user: Any) -> None:
    """Close the sync pool once `user` is garbage-collected, unless another transport uses it."""
    weakref.finalize(user, _close_unused, key).atexit = False


def _close_unused(key: PoolKey) -> None:
    # Garbage may be collected while this thread holds the lock. The pool then stays for the next transport.
    if not _lock.acquire(blocking=False):
        return
    try:
        pool = _SYNC.get(key)
        if pool is None or any(True for _ in pool.users):  # len() still counts the user that is being collected
            return
        del _SYNC[key]
        pool.closed = True
    finally:
        _lock.release()
    pool.http.close()


# --- async ------------------------------------------------------------------------------------------------------------


async def async_pool(key: PoolKey, user: Any) -> Pool[httpx2.AsyncClient]:
    """The pool of the running event loop. `user` becomes one of its users."""
    loop = asyncio.get_running_loop()
    pool = _ASYNC.get(loop, {}).get(key)
    if pool is None:
        pool = Pool(async_http_client(key), loop)
        with _lock:
            _forget_closed_loops()
            _ASYNC.setdefault(loop, {})[key] = pool
        pool.guard = _guard(loop, key, pool)
        await anext(pool.guard)
    pool.users.add(user)
    return pool


async def arelease(key: PoolKey, user: Any) -> None:
    """Remove `user` from the users of the running loop's pool, and close the pool if it was the last one."""
    pool = _ASYNC.get(asyncio.get_running_loop(), {}).get(key)
    if pool is None or user not in pool.users:
        return
    pool.users.discard(user)
    if not pool.users and pool.guard is not None:
        await pool.guard.aclose()


async def _guard(
    loop: asyncio.AbstractEventLoop, key: PoolKey, pool: Pool[httpx2.AsyncClient]
) -> AsyncGenerator[None, None]:
    """Closes the pool when the event loop ends: `asyncio.run` closes the async generators that were started in it."""
    try:
        yield
    finally:
        pool.closed = True
        with _lock:
            pools = _ASYNC.get(loop, {})
            if pools.get(key) is pool:
                del pools[key]
        await pool.http.aclose()


def _forget_closed_loops() -> None:
    """Drop the pools of loops that were closed without closing their async generators. The pools refer to them."""
    for loop in [loop for loop in _ASYNC if loop.is_closed()]:
        del _ASYNC[loop]


# --- the process ------------------------------------------------------------------------------------------------------


def _after_fork() -> None:
    """Forget all pools in a child process: it must not write to its parent's connections."""
    global _lock  # noqa: PLW0603  # the parent's may be held by a thread that the child does not have
    _lock = threading.Lock()
    pools: list[Pool[Any]] = [*_SYNC.values(), *(pool for loop in _ASYNC.values() for pool in loop.values())]
    for pool in pools:
        pool.closed = True
    _SYNC.clear()
    _ASYNC.clear()


@atexit.register
def _at_exit() -> None:
    for pool in list(_SYNC.values()):
        pool.http.close()


with contextlib.suppress(AttributeError):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


# --- timeouts ---------------------------------------------------------------------------------------------------------


def http_timeout(timeout: Timeout | None) -> httpx2.Timeout | None:
    """The timeout in the HTTP client's form; `None` for `None`."""
    import httpx2

    if timeout is None or isinstance(timeout, httpx2.Timeout):
        return timeout
    if isinstance(timeout, tuple):
        connect, read, *others = timeout
        write, pool = (*others, read, read)[:2] if len(others) < 2 else others
        return httpx2.Timeout(connect=connect, read=read, write=write, pool=pool)
    if isinstance(timeout, int | float):
        return httpx2.Timeout(timeout)
    # A `Timeout` of the older httpx has the same four fields.
    return httpx2.Timeout(connect=timeout.connect, read=timeout.read, write=timeout.write, pool=timeout.pool)


def with_limit(timeout: httpx2.Timeout | None, seconds: float) -> httpx2.Timeout:
    """The timeout with each of its parts at most `seconds`."""
    import httpx2

    parts = (timeout or httpx2.Timeout(None)).as_dict()
    return httpx2.Timeout(**{name: seconds if part is None else min(part, seconds) for name, part in parts.items()})


def with_read_limit(timeout: httpx2.Timeout | None, seconds: float) -> httpx2.Timeout:
    """The timeout with a read timeout of at most `seconds`."""
    import httpx2

    timeout = timeout or httpx2.Timeout(None)
    read = seconds if timeout.read is None else min(timeout.read, seconds)
    return httpx2.Timeout(connect=timeout.connect, read=read, write=timeout.write, pool=timeout.pool)
