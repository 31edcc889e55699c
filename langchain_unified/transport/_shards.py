"""Pools of many connections, as several pools of `SHARD` connections.

The HTTP client walks over all connections of a pool at each request and each reply, and closes those above its limit
for idle ones: with 1,000 calls at the same time that costs twice the CPU and more, and connections are opened again and
again. So each pool takes `SHARD` requests at the same time, keeps what it opened, and the next request goes elsewhere.

The client has no argument for it. Where a release of it keeps its pools elsewhere, they stay one pool;
`tests/transport/test_shards.py` then fails.
"""

from __future__ import annotations

import copy
import threading
import time
from typing import Any, Self

SHARD = 100
"""Connections of one pool."""

PARTS = (
    "_connections", "_requests", "_optional_thread_lock", "_max_connections", "_max_keepalive_connections",
    "_assign_requests_to_connections", "_close_connections",
)  # fmt: skip
"""What is used of a pool."""


def shard(client: Any, most: int, idle_seconds: float) -> None:
    """Let an HTTP client use several pools for up to `most` connections. With `SHARD` or fewer it stays as it is."""
    if most <= SHARD:
        return
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is not None and all(hasattr(pool, part) for part in PARTS):
            kind = AsyncShards if hasattr(pool, "handle_async_request") else Shards
            transport._pool = kind(pool, most, idle_seconds)


class _Requests(list[Any]):
    """The requests of a pool. `chosen` and `appended` count those that were sent there, and those that arrived.

    Each has one lock under which it is changed: that of the shards, and that of the pool.
    """

    chosen = 0
    appended = 0

    def append(self, request: Any) -> None:
        super().append(request)
        self.appended += 1


class _Pools:
    """The pools, in the order in which they are filled, so that few of them are used where few are needed."""

    def __init__(self, first: Any, most: int, idle_seconds: float) -> None:
        first._requests = _Requests()
        first._max_connections = first._max_keepalive_connections = SHARD
        self.pools = [first]
        self._left = most - SHARD
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._checked = time.monotonic()

    @property
    def connections(self) -> list[Any]:
        """All connections."""
        return [connection for pool in self.pools for connection in pool.connections]

    def choose(self) -> Any:
        """The pool for the next request: the first one with room, a new one, or the one with the fewest that wait."""
        with self._lock:
            pool = next((pool for pool in self.pools if _room(pool) > 0), None) or self._more()
            pool._requests.chosen += 1
        return pool

    def _more(self) -> Any:
        if self._left <= 0:
            return max(self.pools, key=_room)
        size = min(self._left, SHARD)
        self._left -= size
        self.pools.append(_copy(self.pools[0], size))
        return self.pools[-1]

    def expired(self) -> list[tuple[Any, Any]]:
        """From time to time, the pools and their connections that were idle for too long.

        A pool looks for them at its own requests only, and the last pools may get none.
        """
        now = time.monotonic()
        if len(self.pools) == 1 or now - self._checked < self._idle_seconds:
            return []
        self._checked = now
        found = []
        for pool in list(self.pools):
            with pool._optional_thread_lock:
                found.append((pool, pool._assign_requests_to_connections()))
        return found


def _room(pool: Any) -> int:
    """How many requests a pool can take at once; below 0, as many wait for a connection."""
    requests = pool._requests
    room: int = pool._max_connections - len(requests) - requests.chosen + requests.appended
    return room


def _copy(pool: Any, size: int) -> Any:
    """A pool with the same settings and no connections."""
    fresh = copy.copy(pool)
    fresh._connections, fresh._requests = [], _Requests()
    fresh._optional_thread_lock = type(pool._optional_thread_lock)()
    fresh._max_connections = fresh._max_keepalive_connections = size
    return fresh


class Shards(_Pools):
    """Several pools in the place of one, for sync calls."""

    def handle_request(self, request: Any) -> Any:
        """Send a request over one of the pools."""
        for pool, connections in self.expired():
            pool._close_connections(connections)
        return self.choose().handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for pool in self.pools:
            pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncShards(_Pools):
    """Several pools in the place of one, for async calls."""

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request over one of the pools."""
        for pool, connections in self.expired():
            await pool._close_connections(connections)
        return await self.choose().handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self.pools:
            await pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
