"""The gate of a run: how many requests may be in flight, learned from what the provider says.

- It begins with `START` and adds one for each window, that is for as many answers as may be in flight.
- A refusal (429) multiplies the limit by 0.7, once for all requests that were on their way then, and holds all of them
  back for `retry-after`. The header counts on refusals only: Anthropic sends it with answers as well.
- While the account's headers show more than half of each limit left, and nothing was refused yet, the limit grows by a
  half for each window. While they show less than a tenth left, fewer requests may start, in proportion, and never more
  than requests are left: the account does not run dry.
- Between two waves of refusals an account was emptied once: what was answered then is the rate at which it is refilled,
  and from then on the pace of new requests, which grows by 2 % for each window. A quota over short spans, which the
  headers do not show, is found so.
- Overload, failures of the server and of the network are repeated after a wait and change no limit.

The headers speak for the whole account, so that several processes with one key find their shares without each other.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio

from langchain_unified.errors import RateLimitError, UnifiedError
from langchain_unified.transport.gated import Pass


class StoppedError(UnifiedError):
    """The run ends: no further request is sent."""


START = 8
MOST = 1000
MOST_WITHOUT_HEADERS = 100
"""Requests in flight at most, where the caller says nothing. A server without headers is one's own, mostly."""
CUT = 0.7
FASTER = 1.02
"""By what the pace grows for each window."""
SCARCE, PLENTY = 0.1, 0.5
"""Parts of a limit that are left."""
MAX_FAULTS = 8
"""Requests of one call that fail by the server's or the network's fault: about a minute. Then the row has the error."""
MAX_REFUSALS = 40
"""Refusals of one call. A request that is larger than a limit is refused for ever."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 16.0
LONGEST_HOLD = 3600.0
"""Seconds that a run waits at most where the server says how long."""
LOOK = 1.0
"""Seconds after which a waiting request looks whether the run has ended."""
MINUTE = 60.0
FRESH = 60.0
"""Seconds after which headers say nothing any more."""

HEADERS = (
    *(
        (kind, *(f"anthropic-ratelimit-{kind}-{what}" for what in ("limit", "remaining", "reset")))
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    ),
    *(
        (kind, *(f"x-ratelimit-{what}-{kind}" for what in ("limit", "remaining", "reset")))
        for kind in ("requests", "tokens")
    ),
)
"""By kind of limit, the names of the headers with the limit, what is left, and when it is full again."""


class Gate:
    """How many requests of a run are in flight, and when the next may start. For one event loop.

    `limit`: as learned. `open`: what may be in flight now, which is less while a quota is scarce. `peak`: the most that
    were in flight. `requests`, `answers`, `refused`, `faults`: so far. `waiting`: calls that wait before they repeat a
    request.
    """

    def __init__(
        self,
        most: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most`: requests in flight at most; `None`: 1000, and 100 for a server without rate-limit headers."""
        self.loop = asyncio.get_running_loop()
        self.limit = min(START, most or START)
        self.requests = self.refused = self.faults = self.answers = self.peak = 0
        self.waiting = 0
        self._is_stopped = False
        self._given = most
        self._clock = clock
        self.listeners: list[Callable[[], None]] = []
        """What is called after each answer and failure."""
        self._places = anyio.CapacityLimiter(self.limit)
        self._window = 0
        self._was_full = False
        self._cut_at = -math.inf
        self._hold_until = -math.inf
        self._left: dict[str, tuple[float, float]] = {}
        self._answers_at_cut = 0
        self._pace = 0.0
        """Starts per second; 0: not known."""
        self._next_turn = -math.inf
        self._requests_left = (math.inf, -math.inf)

    @property
    def open(self) -> int:
        return int(self._places.total_tokens)

    @property
    def in_flight(self) -> int:
        return self._places.borrowed_tokens

    @property
    def most(self) -> int:
        """The most that may ever be in flight."""
        return self._given or (MOST if self._left else MOST_WITHOUT_HEADERS)

    def held(self) -> float:
        """Seconds until the next request may start."""
        return max(0.0, self._hold_until - self._clock())

    def stop(self) -> None:
        """Let no further request start: those that wait raise `StoppedError`."""
        self._is_stopped = True

    # --- requests -----------------------------------------------------------------------------------------------------

    async def enter(self, call: Pass) -> None:
        """Wait for a place, and for the end of a hold."""
        self.waiting -= call.is_waiting
        call.is_waiting = False
        await self._places.acquire_on_behalf_of(call)
        try:
            await self._start()
        except BaseException:
            self.left(call)
            raise
        if self._is_stopped:
            self.left(call)
            raise StoppedError("The run ends: no further request is sent.")
        self.requests += 1
        self._was_full = self._was_full or self.in_flight >= self.open
        self.peak = max(self.peak, self.in_flight)
        call.started = self._clock()

    async def _start(self) -> None:
        """Wait for the end of a hold and, at a known pace, for a turn. A hold takes turns away that were given."""
        turn: float | None = None
        while not self._is_stopped:
            now = self._clock()
            if (wait := self._hold_until - now) > 0:
                turn = None
            elif self._pace:
                turn = max(now, self._next_turn) if turn is None else turn
                self._next_turn = max(self._next_turn, turn + 1 / self._pace)
                wait = turn - now
            if wait <= 0:
                return
            await asyncio.sleep(min(wait, LOOK))

    def left(self, call: Pass) -> None:
        """The request was given up."""
        self._places.release_on_behalf_of(call)

    def answered(self, call: Pass, headers: Mapping[str, str]) -> None:
        """The request was answered."""
        self.left(call)
        self.answers += 1
        self._read(headers)
        self._window += 1
        if self._window >= self.limit:
            if self._was_full:
                self._grow()
            self._window, self._was_full = 0, False
        self._apply()

    def failed(self, call: Pass, error: UnifiedError, *, may_retry: bool) -> float | None:
        """The request failed. Seconds before it is sent again; `None`: it is not."""
        self.left(call)
        response = getattr(error, "response", None)
        if response is not None:
            self._read(response.headers)
        if not may_retry or (error.retry_after or 0.0) > LONGEST_HOLD:
            wait = None
        elif isinstance(error, RateLimitError):
            wait = self._refuse(call, error)
        else:
            self.faults += 1
            call.faults += 1
            wait = None if call.faults >= MAX_FAULTS else max(error.retry_after or 0.0, _backoff(call.faults))
        call.is_waiting = wait is not None
        self.waiting += call.is_waiting
        self._apply()
        return wait

    def _refuse(self, call: Pass, error: UnifiedError) -> float | None:
        now = self._clock()
        self.refused += 1
        call.refusals += 1
        if call.started > self._cut_at:
            self._learn_pace(now)
            self.limit = max(1, int(self.limit * CUT))
            self._window, self._was_full = 0, False
            self._cut_at = now
        wait = error.retry_after if error.retry_after is not None else _backoff(call.refusals)
        self._hold_until = max(self._hold_until, now + wait)
        return None if call.refusals >= MAX_REFUSALS else 0.0

    def _learn_pace(self, now: float) -> None:
        """The rate at which the account is refilled: what was answered between two waves, as both found it empty."""
        answers, seconds = self.answers - self._answers_at_cut, now - self._cut_at
        if answers >= 2 and 0 < seconds < FRESH:
            self._pace = answers / seconds
        self._answers_at_cut = self.answers

    # --- the limit ----------------------------------------------------------------------------------------------------

    def _grow(self) -> None:
        left = self._part_left()
        if left is None or PLENTY >= left >= SCARCE:
            self.limit += 1
        elif left > PLENTY:
            self.limit += max(1, self.limit // 2) if self._cut_at == -math.inf else 1
        self.limit = min(self.limit, self.most)
        self._pace *= FASTER

    def _apply(self) -> None:
        """Let as many requests start as the limit and the account's headers allow."""
        left = self._part_left()
        scarce = left is not None and left < SCARCE
        allowed = math.ceil(self.limit * left / SCARCE) if scarce and left is not None else self.limit
        if self._clock() - self._requests_left[1] < FRESH:
            allowed = min(allowed, int(self._requests_left[0]))
        allowed = max(1, allowed)
        if allowed != self._places.total_tokens:
            self._places.total_tokens = allowed
        for listener in self.listeners:
            listener()

    def _part_left(self) -> float | None:
        """The part that is left of the scarcest limit; `None`: the server does not say."""
        if not self._left:
            return None
        now = self._clock()
        fresh = [part for part, at in self._left.values() if now - at < FRESH]
        return min(fresh, default=1.0)

    def _read(self, headers: Mapping[str, str]) -> None:
        for kind, left in parts_left(headers).items():
            self._left[kind] = (left.part, self._clock())
            if kind == "requests":
                self._requests_left = (left.remaining, self._clock())
            if left.remaining < 1:
                self._hold_until = max(self._hold_until, self._clock() + left.one_after)


def _backoff(failures: int) -> float:
    longest = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT)
    return float(longest * (1 - 0.25 * random.random()))  # noqa: S311 - no secret


# --- headers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a limit: its part, the number, and the seconds in which one more is refilled.

    Where the server does not say when the limit is full again, the limit is that of a minute, as both providers' are.
    """

    part: float
    remaining: float
    one_after: float


def parts_left(headers: Mapping[str, str]) -> dict[str, Left]:
    """What the rate-limit headers of either provider say, by kind.

    Both reset at the time of the full refill (Anthropic as RFC 3339, OpenAI as a duration): what is used, divided by
    the time to that, is the rate at which the limit is refilled.
    """
    found: dict[str, Left] = {}
    for kind, limit, remaining, reset in HEADERS:
        if (text := headers.get(limit)) is None:
            continue
        most, left = _number(text), _number(headers.get(remaining))
        if most and left is not None:
            seconds = (_seconds(headers.get(reset)) or 0.0) if left < 1 else 0.0
            found[kind] = Left(
                min(1.0, left / most), left, (seconds if seconds > 0 else MINUTE) / max(1.0, most - left)
            )
    return found


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < math.inf else None


UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"([\d.]+)(ms|[dhms])")


def _seconds(text: str | None) -> float | None:
    """The seconds to a time (RFC 3339) or of a duration (`6m0s`, `12ms`); `None` for anything else."""
    if not text:
        return None
    parts = _DURATION.findall(text)
    if parts and "".join(map("".join, parts)) == text:
        return sum(((_number(number) or 0.0) * UNITS[unit] for number, unit in parts), 0.0)
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at - dt.datetime.now(dt.UTC)).total_seconds() if at.tzinfo else None
