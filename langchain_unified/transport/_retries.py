"""The one layer that repeats requests: how often, after which errors, after which wait. The SDKs repeat nothing."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import Any

from langchain_unified.errors import ConnectionFailedError, ProviderError, RequestTimeoutError, UnifiedError
from langchain_unified.transport.config import HttpCall, TransportConfig

MAX_RETRIES = 2
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
"""Seconds before the first retry, doubled for each further one, where the server does not say how long to wait.

They and `MAX_RETRIES` are those of the SDKs."""
MAX_RETRY_WAIT = 120.0
"""Seconds that a call waits at most where the server says how long: the limit of OpenAI's SDK."""


@dataclass(slots=True)
class Attempts:
    """The requests of one call.

    `made`: those that were begun. `ends`: when the deadline is over, on the clock of `time.monotonic`; `None`: never.
    """

    max_retries: int
    max_wait: float
    deadline: float | None
    ends: float | None
    made: int = 0

    wait: float = 0.0
    """Seconds before the next request, where the last one may be repeated."""

    def may_repeat(self, error: UnifiedError) -> bool:
        """Whether the request is repeated after `error`; `wait` is then set."""
        error.attempts = self.made
        if self.made > self.max_retries or not may_retry(error):
            return False
        self.wait = error.retry_after or 0.0
        if self.wait <= 0:
            longest = min(FIRST_WAIT * 2 ** min(self.made - 1, 10), LONGEST_WAIT)
            self.wait = longest * (1 - 0.25 * random.random())  # noqa: S311 - no secret
        if self.wait > self.max_wait:
            return False
        return self.ends is None or time.monotonic() + self.wait < self.ends

    def remaining(self) -> float:
        """Seconds until the deadline, more than 0."""
        return max((self.ends or 0.0) - time.monotonic(), 0.001)

    def is_over(self) -> bool:
        return self.ends is not None and time.monotonic() >= self.ends - CLOCK


CLOCK = 0.005
"""Seconds that a timer may fire early."""


def attempts_of(call: HttpCall, config: TransportConfig) -> Attempts:
    """What the call and the configuration say. A given SDK client's `max_retries` counts where they say nothing."""
    retries = call.max_retries if call.max_retries is not None else config.max_retries
    if retries is None:
        retries = getattr(config.client or config.async_client, "max_retries", MAX_RETRIES)
    deadline = call.deadline if call.deadline is not None else config.deadline
    wait = call.max_retry_wait if call.max_retry_wait is not None else config.max_retry_wait
    return Attempts(
        max_retries=retries,
        max_wait=MAX_RETRY_WAIT if wait is None else wait,
        deadline=deadline or None,
        ends=time.monotonic() + deadline if deadline else None,
    )


def may_retry(error: UnifiedError) -> bool:
    """The error's class decides, unless the server itself says it in `x-should-retry`."""
    if not isinstance(error, ProviderError | ConnectionFailedError | RequestTimeoutError):
        return False
    response: Any = getattr(error, "response", None)
    said = response.headers.get("x-should-retry") if response is not None else None
    return error.is_retryable if said not in ("true", "false") else said == "true"


def log_retry(error: UnifiedError, attempts: Attempts) -> None:
    """Log at INFO that a request is repeated. The error's message holds no secrets."""
    logger.info("attempt %d failed (%s), the next one follows in %.2f s", attempts.made, error, attempts.wait)


logger = logging.getLogger(__name__)


async def asleep(seconds: float) -> None:
    """Sleep on the event loop that runs, asyncio's or trio's."""
    import anyio  # a dependency of the SDKs, needed for retries alone

    await anyio.sleep(seconds)
