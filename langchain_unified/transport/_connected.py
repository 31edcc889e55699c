"""An SDK client with the pool of its connections, and its copies for other keys."""

from __future__ import annotations

from typing import Any, NamedTuple

from langchain_unified.transport import pools
from langchain_unified.transport._keys import client_with_key
from langchain_unified.transport._templates import Templates
from langchain_unified.transport.config import Sdk, TransportConfig


class Sender(NamedTuple):
    """The SDK's client for a call, and the templates of its requests where the HTTP client is ours."""

    client: Any
    templates: Templates | None = None


class Connected:
    """An SDK client and the pool of its connections; no pool where the caller gave the HTTP client."""

    def __init__(self, sdk: Sdk, client: Any, pool: pools.Pool[Any] | None = None) -> None:
        self.pool = pool
        self._sdk = sdk
        self.sender = self._sender(client)
        self._last_copy: tuple[str, Sender] | None = None

    def sender_for(self, key: str, config: TransportConfig) -> Sender:
        """A copy of the client with `key`. The last copy stays: making one takes 0.1 ms, and keys rarely change."""
        last = self._last_copy
        if last is None or last[0] != key:
            last = self._last_copy = (key, self._sender(client_with_key(self.sender.client, key, config)))
        return last[1]

    def _sender(self, client: Any) -> Sender:
        # A client with credentials of a profile or a workload signs each request with a token that expires.
        if self.pool is None or getattr(client, "custom_auth", None) is not None:
            return Sender(client)
        return Sender(client, Templates(self._sdk, self.pool.http))


def prepare(given: Any, *, has_deadline: bool) -> None:
    """Let the HTTP client that was given, or that of a given SDK client, keep the limits of our calls."""
    from langchain_unified.transport import _given  # imports httpx2

    _given.prepare(getattr(given, "_client", given), has_deadline=has_deadline)
