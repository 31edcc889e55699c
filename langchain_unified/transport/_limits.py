"""The limits of the call that runs, for the connections and responses that it uses.

A read timeout counts anew with each received byte. A server that drips, or that sends `100 Continue` for ever, is never
too late for it. So each read of a connection waits no longer than until the deadline of the call that reads.
"""

from __future__ import annotations

import time
from contextvars import ContextVar

from langchain_unified.transport.config import Network

ENDS: ContextVar[float | None] = ContextVar("ends", default=None)
"""When the deadline of the running call is over, on the clock of `time.monotonic`; `None`: it has none."""

NETWORK: ContextVar[Network | None] = ContextVar("network", default=None)
"""How much the running call reads, where the caller gave the HTTP client; `None`: no call of ours runs there."""

WHOLE: ContextVar[bool] = ContextVar("whole", default=False)
"""Whether the body of the running call is read piece by piece and not kept: it may then have any size."""


def shortened(timeout: float | None) -> float | None:
    """The timeout of one read or write, at most as long as the deadline allows; 0 or less: it is over."""
    ends = ENDS.get()
    if ends is None:
        return timeout
    remaining = ends - time.monotonic()
    return remaining if timeout is None else min(timeout, remaining)


def is_over() -> bool:
    """Whether the deadline of the running call is over."""
    ends = ENDS.get()
    return ends is not None and time.monotonic() >= ends


def is_watched() -> bool:
    """Whether each piece of a body is checked for the deadline, as the caller's HTTP client reads it."""
    return ENDS.get() is not None and NETWORK.get() is not None
