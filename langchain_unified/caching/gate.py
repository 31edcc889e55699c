"""The gate of a policy: of several parallel calls with one prefix, the first goes alone until its answer begins.

A prefix can be read from a provider's cache only after the first answer to it has begun: parallel calls on a cold cache
each write it. (Guides to prompt caching.) The gate belongs to one model in one process.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from langchain_unified.caching.requested import leading_blocks, material_end
from langchain_unified.caching.rules import DEFAULT_MINIMUM
from langchain_unified.caching.tokens import CHARACTERS
from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import Request

PATIENCE = 60.0
"""The longest that a call waits for another one to begin, in seconds. Then it goes, too."""


@dataclass(slots=True)
class PrefixGate:
    """The prefixes that are known to be in the cache, and those that a call is writing now. Safe for threads."""

    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _warm: dict[str, float] = field(default_factory=dict)
    """Prefix -> when it is no longer certain to be there."""
    _leading: dict[str, Future[None]] = field(default_factory=dict)
    """Prefix -> what the calls behind the first one wait for."""

    def passage(self, request: Request, seconds: float) -> Passage | None:
        """The way of one call through the gate; `None` where its prefix is too short to be cached.

        `seconds`: how long a prefix is kept.
        """
        key = prefix_key(request)
        return None if key is None else Passage(self, key, seconds)


@dataclass(slots=True)
class Passage:
    """One call at the gate.

    `enter` or `aenter` comes before it is sent, `begun` when its answer begins, `leave` at its end.
    """

    gate: PrefixGate
    key: str
    seconds: float
    _own: Future[None] | None = None
    _has_begun: bool = False

    def enter(self) -> None:
        """Wait until this call may go. It does not wait where that would stop an event loop."""
        end = time.monotonic() + PATIENCE
        while (other := self._next()) is not None and not _in_event_loop():
            try:
                other.result(max(0.0, end - time.monotonic()))
            except TimeoutError:
                return

    async def aenter(self) -> None:
        """Async twin of `enter`."""
        end = time.monotonic() + PATIENCE
        while (other := self._next()) is not None:
            # Another call's future: a call that is cancelled here must not cancel it.
            done, _ = await asyncio.wait([asyncio.wrap_future(other)], timeout=max(0.0, end - time.monotonic()))
            if not done:
                return

    def begun(self) -> None:
        """The answer begins: the others may go. Only the first call of it counts."""
        if self._has_begun:
            return
        self._has_begun = True
        with self.gate._lock:
            self.gate._warm[self.key] = self.gate.clock() + self.seconds
        self.leave()

    def leave(self) -> None:
        """The call is over. If its answer has not begun, the next one goes alone."""
        with self.gate._lock:
            own, self._own = self._own, None
            if own is not None:
                self.gate._leading.pop(self.key, None)
        if own is not None:
            own.set_result(None)

    def _next(self) -> Future[None] | None:
        """What this call must wait for; `None`: it may go, and is the first one if the prefix is not in the cache."""
        gate = self.gate
        with gate._lock:
            if gate._warm.get(self.key, 0.0) > gate.clock():
                return None
            other = gate._leading.get(self.key)
            if other is None:
                self._own = gate._leading[self.key] = Future()
            return other


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def prefix_key(request: Request) -> str | None:
    """A digest of what parallel calls share: model, tools, system prompt, and the material before the first question.

    `None` where that is shorter than the model caches.
    """
    turns = request.turns
    shared = [turns[at].blocks[index] for at, index in leading_blocks(turns)]
    material = material_end(turns)
    if material is not None:
        start = next(at for at, turn in enumerate(turns) if turn.role == "user")
        places = [(at, index) for at in range(start, material[0] + 1) for index in range(len(turns[at].blocks))]
        shared += [turns[at].blocks[index] for at, index in places if (at, index) <= material]
    tools = [[tool.name, tool.description, tool.parameters, tool.definition] for tool in request.tools]
    plain = [{key: value for key, value in block.items() if key != "mark"} for block in shared]
    data = compact_json([request.model, tools, plain])
    if len(data) / CHARACTERS < (request.profile.cache_minimum or DEFAULT_MINIMUM):
        return None
    return hashlib.sha256(data.encode(errors="surrogatepass")).hexdigest()
