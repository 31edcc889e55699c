"""What all requests share, and one call on its way through."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from langchain_unified.gateway.exchange import Exchange
from langchain_unified.gateway.routing import Router
from langchain_unified.gateway.upstream import Upstream
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
    limits: Limits = field(default_factory=Limits)
    key_header: str | None = None
    """The header, in lower case, in which clients send their key, where it is none of the usual ones."""
    local_only: bool = False
    """Whether anyone who reaches the port may call: then only under a name of this machine."""


@dataclass(slots=True)
class Call:
    """One call of a client. `counts`: whether it only counts tokens. `stream`: whether it asks for a stream."""

    gateway: Gateway
    exchange: Exchange
    wire: WireName
    data: bytes
    body: JsonObject
    model: str
    """The public name that it asks for, after the aliases of its key."""
    counts: bool = False
    stream: bool = False
    started: float = field(default_factory=time.perf_counter)
    attempts: int = 0
