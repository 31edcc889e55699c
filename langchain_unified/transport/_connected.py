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

    def is_usable(self) -> bool:
        return self.pool is None or self.pool.is_usable()

    def client_for(self, key: str | None, config: TransportConfig) -> Any:
        """The client, or a copy with `key`. The last copy stays: making one takes 0.1 ms, and keys rarely change."""
        if key is None:
            return self.client
        last = self.last_copy
        if last is None or last[0] != key:
            last = self.last_copy = (key, client_with_key(self.client, key, config))
        return last[1]
