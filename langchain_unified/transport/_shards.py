"""Pools of many connections, as several pools of `SHARD` connections.

The HTTP client walks over all connections of a pool at each request and each reply, and closes those above its limit
for idle ones: with 1,000 calls at the same time that costs 3 to 7 times the CPU, and connections are opened again and
again. So a pool takes its share only, keeps what it opened, and gets neighbours when it is nearly full. Until then a
call runs no code of this module.

The client has no argument for it. Where a release of it keeps the pools elsewhere, they stay one pool;
`tests/transport/test_shards.py` then fails.
"""

from __future__ import annotations

import copy
import threading
import time
from typing import Any, Self

SHARD = 100
"""Connections of one pool."""

NEARLY_FULL = 0.9
"""The share of a pool's connections from which on the next request goes elsewhere. Threads that choose at the same
moment fit into the rest."""

PARTS = (
    "_connections", "_requests", "_optional_thread_lock", "_max_connections", "_max_keepalive_connections",
    "_assign_requests_to_connections", "_close_connections", "create_connection",
)  # fmt: skip
"""What is used of a pool."""


def shard(client: Any, most: int, idle_seconds: float) -> None:
    """Let the pools of an HTTP client with up to `most` connections become several pools when they are nearly full."""
    if most <= SHARD:
        return
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if pool is None or not all(hasattr(pool, part) for part in PARTS):
            continue
        pool._max_connections = pool._max_keepalive_connections = SHARD
        pool.create_connection = _Create(pool, transport, most, idle_seconds)


class _Create:
    """Makes the connections of a pool, and gives it neighbours before the last ones."""

    def __init__(self, pool: Any, transport: Any, most: int, idle_seconds: float) -> None:
        self._create = pool.create_connection
        self._pool, self._transport = pool, transport
        self._most, self._idle_seconds = most, idle_seconds

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        pool, transport = self._pool, self._transport
        # The one that is made now counts as well.
        if len(pool._connections) + 1 >= SHARD * NEARLY_FULL and transport._pool is pool:
            kind = AsyncShards if hasattr(pool, "handle_async_request") else Shards
            transport._pool = kind(pool, self._most, self._idle_seconds)
        return self._create(*args, **kwargs)


class _Pools:
    """The pools, in the order in which they are filled, so that few of them are used where few are needed."""

    def __init__(self, first: Any, most: int, idle_seconds: float) -> None:
        self.pools = [first]
        self._most, self._idle_seconds = most, idle_seconds
        self._lock = threading.Lock()
        self._checked = time.monotonic()

    @property
    def connections(self) -> list[Any]:
        """All connections."""
        return [connection for pool in self.pools for connection in pool.connections]

    def choose(self) -> Any:
        """The pool for the next request: the first one with room, a new one, or the one with the most room."""
        for pool in self.pools:
            if len(pool._requests) < pool._max_connections * NEARLY_FULL:
                return pool
        with self._lock:
            left = self._most - sum(pool._max_connections for pool in self.pools)
            if left > 0:
                self.pools.append(_copy(self.pools[0], min(left, SHARD)))
                return self.pools[-1]
        return min(self.pools, key=lambda pool: len(pool._requests) - pool._max_connections)

    def expired(self) -> list[tuple[Any, Any]]:
        """From time to time, the pools and their connections that were idle for too long.

        A pool looks for them at its own requests only, and the last pools may get none.
        """
        now = time.monotonic()
        if now - self._checked < self._idle_seconds:
            return []
        self._checked = now
        found = []
        for pool in self.pools:
            with pool._optional_thread_lock:
                found.append((pool, pool._assign_requests_to_connections()))
        return found


def _copy(pool: Any, size: int) -> Any:
    """A pool with the same settings and no connections."""
    fresh = copy.copy(pool)
    fresh._connections, fresh._requests = [], []
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
