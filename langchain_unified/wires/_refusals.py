"""Our errors as a server answers them: one table from the class to the case, whose words each API has of its own.

Sources: the error types of both SDKs (`anthropic.types.shared`, `openai.types.responses.ResponseError`), recorded
answers, and what both SDKs do with `retry-after`, `retry-after-ms` and `x-should-retry` (`_base_client.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from langchain_unified import errors
from langchain_unified.errors import UnifiedError

Case: TypeAlias = Literal[
    "overflow", "policy", "invalid", "key", "billing", "permission", "not_found", "conflict", "rate_limit",
    "overloaded", "timeout", "upstream", "server",
]  # fmt: skip
"""What went wrong, for the one who reads the answer."""

CASES: tuple[tuple[type[UnifiedError], Case], ...] = (
    (errors.ContextOverflowError, "overflow"),
    (errors.ContentPolicyError, "policy"),
    (errors.MissingKeyError, "server"),  # of the server itself: the client cannot help
    (errors.AuthenticationError, "key"),
    (errors.BillingError, "billing"),
    (errors.BudgetExceededError, "billing"),
    (errors.PermissionDeniedError, "permission"),
    (errors.NotFoundError, "not_found"),
    (errors.UnknownModelError, "not_found"),
    (errors.ConflictError, "conflict"),
    (errors.RateLimitError, "rate_limit"),
    (errors.OverloadedError, "overloaded"),
    (errors.InvalidRequestError, "invalid"),
    (errors.RequestError, "invalid"),
    (errors.ConfigurationError, "invalid"),
    (errors.RequestTimeoutError, "timeout"),
    (errors.ConnectionFailedError, "upstream"),
    (errors.ReplyError, "upstream"),
)
"""The first row that fits. Any other error is `server`."""


def case_of(error: UnifiedError) -> Case:
    """What an error is about."""
    return next((case for kind, case in CASES if isinstance(error, kind)), "server")


# --- status and headers -----------------------------------------------------------------------------------------------

SENT_STATUSES: Mapping[Case, frozenset[int]] = {
    "invalid": frozenset({400, 413, 422}),
    "billing": frozenset({402, 403, 429}),
    "key": frozenset({401}),
    "server": frozenset({500, 501, 502, 503, 504}),
}
"""By case, the statuses of an upstream that go out unchanged; any other becomes the API's own."""


def status_of(error: UnifiedError, case: Case, statuses: Mapping[Case, int]) -> int:
    """The HTTP status: the upstream's where the case has it too, else that of the table."""
    given = error.status
    return given if given is not None and given in SENT_STATUSES.get(case, ()) else statuses[case]


def headers_of(error: UnifiedError, request_id_header: str) -> dict[str, str]:
    """The headers that tell both SDKs whether and when to try again, and the request id.

    Waiting for a budget or for another key does not help: `x-should-retry: false`, whatever the status is.
    """
    found = {} if error.is_retryable else {"x-should-retry": "false"}
    if error.retry_after is not None and error.is_retryable:
        seconds = max(0.0, error.retry_after)
        found |= {"retry-after": str(math.ceil(seconds)), "retry-after-ms": str(math.ceil(seconds * 1000))}
    return {**found, request_id_header: error.request_id} if error.request_id else found


# --- words ------------------------------------------------------------------------------------------------------------


def words_of(error: UnifiedError) -> str:
    """The message; the class's name where it has none."""
    return str(error) or type(error).__name__


@dataclass(frozen=True, slots=True)
class Overflow:
    """How many tokens a prompt has, and how many a model takes; `None` where the error does not say."""

    tokens: int | None = None
    limit: int | None = None


def overflow_of(error: UnifiedError) -> Overflow:
    """The numbers in the message of a context overflow."""
    text = str(error).replace(",", "")
    for pattern in OVERFLOWS:
        if found := pattern.search(text):
            named = found.groupdict()
            return Overflow(*(int(named[key]) if named.get(key) else None for key in ("tokens", "limit")))
    return Overflow()


OVERFLOWS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Anthropic.
        r"prompt is too long: (?P<tokens>\d+) tokens > (?P<limit>\d+)",
        # OpenAI's Chat Completions, and the servers that quote it.
        r"maximum context length is (?P<limit>\d+) tokens.*?(?:resulted in|requested(?: about)?) (?P<tokens>\d+)",
        r"maximum context length is (?P<limit>\d+)",
        # llama.cpp.
        r"request \((?P<tokens>\d+) tokens\) exceeds the available context size \((?P<limit>\d+)",
        # Google.
        r"input token count \(?(?P<tokens>\d+)\)? exceeds the maximum number of tokens allowed \(?(?P<limit>\d+)",
    )
)
