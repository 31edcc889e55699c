"""Why a call was refused: the store says only that it was. In plain words, with amounts, never with a key."""

from __future__ import annotations

from collections.abc import Callable

from langchain_unified.cost import usd
from langchain_unified.errors import UnifiedError
from langchain_unified.gateway.errors import (
    BudgetSpentError,
    CallTooLargeError,
    GatewayKeyError,
    TooManyRequestsError,
)
from langchain_unified.gateway.keys.periods import period_end
from langchain_unified.gateway.keys.records import KeyRecord
from langchain_unified.gateway.keys.store import Asked, minute_of

PARALLEL_RETRY = 1.0
"""Seconds to wait for a call in progress to end."""


def refusal(record: KeyRecord, asked: Asked) -> UnifiedError | None:
    """The error for the first limit that the call would exceed; `None` if there is room again."""
    return next((error for check in CHECKS if (error := check(record, asked)) is not None), None)


def _expiry(record: KeyRecord, asked: Asked) -> UnifiedError | None:
    expired = record.expires_at is not None and record.expires_at <= asked.now
    return GatewayKeyError() if expired else None


def _budget(record: KeyRecord, asked: Asked) -> UnifiedError | None:
    if record.max_budget is None:
        return None
    amount = asked.reservation.amount
    spent = record.spend if record.period >= asked.period else record.spend * 0
    if spent + record.reserved + amount <= record.max_budget:
        return None
    state = f"{usd(spent)} of the key's budget of {usd(record.max_budget)} is spent"
    if spent + amount <= record.max_budget:
        message = f"{state}, and calls in progress hold {usd(record.reserved)} of the rest until they end."
        return TooManyRequestsError(message, retry_after=PARALLEL_RETRY)
    if spent >= record.max_budget:
        return BudgetSpentError(f"Budget exceeded: {state}.{_next_period(record, asked)}")
    return BudgetSpentError(
        f"Budget exceeded: {state}, and this call may cost up to {usd(amount)}. A lower max_tokens may let it "
        f"pass.{_next_period(record, asked)}"
    )


def _next_period(record: KeyRecord, asked: Asked) -> str:
    end = period_end(record.budget_duration, asked.now)
    return "" if end is None else f" The budget starts again in {max(1, (end - asked.now) // 1000)} s."


def _parallel(record: KeyRecord, asked: Asked) -> UnifiedError | None:
    if record.max_parallel is None or record.in_flight < record.max_parallel:
        return None
    message = f"The key may have {record.max_parallel} calls in progress at the same time (max_parallel_requests)."
    return TooManyRequestsError(message, retry_after=PARALLEL_RETRY)


def _requests(record: KeyRecord, asked: Asked) -> UnifiedError | None:
    used = record.minute_requests if record.minute >= minute_of(asked.now) else 0
    if record.rpm_limit is None or used < record.rpm_limit:
        return None
    message = f"The key may send {record.rpm_limit} requests in a minute (rpm_limit)."
    return TooManyRequestsError(message, retry_after=_until_next_minute(asked.now))


def _tokens(record: KeyRecord, asked: Asked) -> UnifiedError | None:
    limit, tokens = record.tpm_limit, asked.reservation.tokens
    used = record.minute_tokens if record.minute >= minute_of(asked.now) else 0
    if limit is None or used + tokens <= limit:
        return None
    if tokens > limit:
        return CallTooLargeError(f"The call has about {tokens} input tokens; the key may use {limit} in a minute.")
    message = f"The key may use {limit} tokens in a minute (tpm_limit); {used} are used, the call has about {tokens}."
    return TooManyRequestsError(message, retry_after=_until_next_minute(asked.now))


def _until_next_minute(now: int) -> float:
    """Seconds, at least 1: clients round them down."""
    return max(1.0, (60_000 - now % 60_000) / 1000)


Check = Callable[[KeyRecord, Asked], UnifiedError | None]
CHECKS: tuple[Check, ...] = (_expiry, _budget, _parallel, _requests, _tokens)
