"""What goes into a transport and what comes out. Nothing here imports an SDK or HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import SecretStr

from langchain_unified.request import JsonObject, Provider

if TYPE_CHECKING:
    from langchain_unified.transport._streams import AsyncEventStream, EventStream
    from langchain_unified.transport.client import Engine

Timeout: TypeAlias = float | tuple[float, float] | Any
"""Seconds: one for everything; `(connect, read)`; or an SDK's `Timeout` object. Reading counts from byte to byte."""

ApiKey: TypeAlias = SecretStr | Callable[[], str] | Callable[[], Awaitable[str]]
"""A key, or a function that is asked for it at every call, so that keys can rotate."""


@dataclass(frozen=True, slots=True)
class TransportConfig:
    """Where and with whose key. Configurations with equal network settings share one pool of connections.

    `api_key=None` leaves the search to the SDK (its environment variables, profiles and credentials).
    `timeout=None` means 600 s, 5 s for connecting; `max_retries=None` means 2.
    `http_client` is a ready HTTP client of the SDK's kind, `client` a ready SDK client (Bedrock, Vertex, Foundry,
    Azure): what is left unset then stays as that client has it, and closing them is their owner's task.
    """

    provider: Provider
    base_url: str | None = None
    api_key: ApiKey | None = None
    organization: str | None = None
    project: str | None = None
    proxy: str | None = field(default=None, repr=False)
    timeout: Timeout | None = None
    max_retries: int | None = None
    default_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    default_query: tuple[tuple[str, object], ...] = field(default=(), repr=False)
    socket_options: tuple[tuple[int, int, int], ...] | None = None
    http_client: Any | None = None
    http_async_client: Any | None = None
    client: Any | None = None
    async_client: Any | None = None

    def __post_init__(self) -> None:
        if isinstance(self.api_key, str):
            object.__setattr__(self, "api_key", SecretStr(self.api_key))


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a wire: `path` below the base URL, and the body.

    `timeout` and `max_retries` override the configuration's. `api_key` is for this call only and shares the pool.
    `idle_timeout` is for streams: seconds without content, pings not counted; `None` is off.
    `model` is for errors.
    """

    path: str
    body: JsonObject = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, object] = field(default_factory=dict, repr=False)
    timeout: Timeout | None = None
    max_retries: int | None = None
    api_key: SecretStr | None = None
    idle_timeout: float | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply. `request_id` is the provider's; header names are matched in any case."""

    data: JsonObject
    request_id: str | None
    headers: Mapping[str, str]


class Transport:
    """Sends calls and gives back JSON. What it raises is ours and the SDK's at once (`errors.joined`).

    May be used from many threads and event loops. `close` and `aclose` give back the shared connections, which are
    closed when no other transport uses them; a later call connects anew.
    """

    def __init__(self, config: TransportConfig) -> None:
        self.config = config

    @cached_property
    def _engine(self) -> Engine:
        from langchain_unified.transport.client import Engine

        return Engine(self.config)

    def send(self, call: Call) -> Answer:
        """The whole reply."""
        return self._engine.send(call)

    def stream(self, call: Call) -> EventStream:
        """The events of a reply, once the response has begun."""
        return self._engine.stream(call)

    async def asend(self, call: Call) -> Answer:
        """The async twin of `send`."""
        return await self._engine.asend(call)

    async def astream(self, call: Call) -> AsyncEventStream:
        """The async twin of `stream`."""
        return await self._engine.astream(call)

    def close(self) -> None:
        """Give back the connections of sync calls."""
        if "_engine" in self.__dict__:
            self._engine.close()

    async def aclose(self) -> None:
        """Give back the connections of async calls on the running event loop."""
        if "_engine" in self.__dict__:
            await self._engine.aclose()


def transport(config: TransportConfig) -> Transport:
    """A transport for `config`; it imports and connects nothing before its first call."""
    return Transport(config)
