"""What all requests share, and one call on its way through."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from langchain_unified.gateway.deployments import Target
from langchain_unified.gateway.exchange import Exchange
from langchain_unified.gateway.keys import Caller, Keys
from langchain_unified.gateway.ledger import Ledger, PriceBook
from langchain_unified.gateway.routing import Router
from langchain_unified.gateway.upstream import Upstream
from langchain_unified.gateway.used import Delivered
from langchain_unified.request import JsonObject, WireName


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what clients send, and times. Sizes are in bytes, times in seconds."""

    max_body_bytes: int = 64_000_000
    body_seconds: float = 60.0
    ping_seconds: float = 15.0
    """Silence of a stream after which the client gets a sign of life."""
    drain_seconds: float = 600.0
    """How long running answers may take after SIGTERM."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that a configuration makes. A reload makes another one; calls that run keep theirs."""

    router: Router
    upstream: Upstream
    keys: Keys
    prices: PriceBook = field(default_factory=PriceBook)
    limits: Limits = field(default_factory=Limits)
    secret: bytes = field(default=b"", repr=False)
    """Signs the reasoning that clients carry between two APIs."""
    key_header: str | None = None
    """The header, in lower case, in which clients send their key, where it is none of the usual ones."""
    takes_fallbacks: bool = False
    """Whether `fallbacks` in a body of OpenAI's APIs are taken."""
    traces: bool = False

    @property
    def local_only(self) -> bool:
        """Whether anyone who reaches the port may call: then only under a name of this machine."""
        return not self.keys.has_master_key


@dataclass(slots=True)
class Call:
    """One call of a client. `counts`: whether it only counts tokens. `compacts`: whether it is for the address that
    compacts a conversation of the Responses API. `stream`: whether it asks for a stream.
    """

    gateway: Gateway
    exchange: Exchange
    wire: WireName
    caller: Caller
    data: bytes
    body: JsonObject
    model: str
    """The public name that it asks for, after the aliases of its key."""
    headers: Mapping[str, str]
    ledger: Ledger
    counts: bool = False
    compacts: bool = False
    stream: bool = False
    fallbacks: tuple[str, ...] = ()
    """Names to try that the client gave."""
    started: float = field(default_factory=time.perf_counter)
    first_byte: float | None = None
    attempts: int = 0
    target: Target | None = None
    """Who answers."""
    delivered: Delivered | None = None

    @property
    def endpoint(self) -> str:
        """The API, for cool-downs, logs and metrics."""
        return f"{self.wire}/count" if self.counts else self.wire
