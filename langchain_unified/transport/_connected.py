"""An SDK client with the pool of its connections, and its copies for other keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_unified.transport import pools
from langchain_unified.transport._keys import client_with_key
from langchain_unified.transport.config import TransportConfig


@dataclass(slots=True, repr=False)
class Connected:
    """An SDK client and the pool of its connections; no pool where the caller gave the HTTP client."""

    client: Any
    pool: pools.Pool[Any] | None = None
    last_copy: tuple[str, Any] | None = None

    def client_for(self, key: str, config: TransportConfig) -> Any:
        """A copy of the client with `key`. The last copy stays: making one takes 0.1 ms, and keys rarely change."""
        last = self.last_copy
        if last is None or last[0] != key:
            last = self.last_copy = (key, client_with_key(self.client, key, config))
        return last[1]


def prepare(given: Any, *, has_deadline: bool) -> None:
    """Let the HTTP client that was given, or that of a given SDK client, keep the limits of our calls."""
    from langchain_unified.transport import _given  # imports httpx2

    _given.prepare(getattr(given, "_client", given), has_deadline=has_deadline)
