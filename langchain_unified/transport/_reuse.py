"""Connections that are not used again once bytes came that nobody asked for.

The HTTP client checks only for bytes that it has not read yet. What it has read with the end of a reply would be the
next call's answer: a reply that a proxy sends twice, or one that a hostile server plants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DEPTH = 4
"""How many connections are within each other at most: that of a proxy, its tunnel, HTTP/1.1."""


def guard(client: Any) -> None:
    """Let every connection that the HTTP client opens from now on be closed instead of used with unread bytes.

    The client has no argument for it, so its pools get another way to make connections. Where a release of the HTTP
    client keeps them elsewhere, nothing changes; `tests/transport/test_second_replies.py` then fails.
    """
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        create = getattr(pool, "create_connection", None)
        if create is not None and not isinstance(create, _Create):
            pool.create_connection = _Create(create)  # type: ignore[union-attr]


class _Create:
    """Makes the connections of a pool."""

    def __init__(self, create: Callable[..., Any]) -> None:
        self._create = create

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        connection = self._create(*args, **kwargs)
        has_expired = connection.has_expired
        connection.has_expired = lambda: has_expired() or _has_unread_bytes(connection)
        return connection


def _has_unread_bytes(connection: Any) -> bool:
    """Whether bytes came behind the last reply of an HTTP/1.1 connection."""
    for _ in range(DEPTH):
        if (state := getattr(connection, "_h11_state", None)) is not None:
            return bool(connection.is_idle() and state.trailing_data[0])
        connection = getattr(connection, "_connection", None)
    return False
