"""The end of a call: one line in the log, and the metrics. Nothing of its content."""

from __future__ import annotations

import logging
import time

from langchain_unified.errors import UnifiedError
from langchain_unified.gateway import metrics
from langchain_unified.gateway.exchange import ClientLeftError
from langchain_unified.gateway.state import Call

log = logging.getLogger("langchain_unified.gateway")

CLIENT_LEFT = 499
"""The status under which calls are counted whose client left, as nginx does."""


def seconds_since(started: float) -> float:
    """Seconds since a time of `time.perf_counter`."""
    return time.perf_counter() - started


def ended(call: Call, error: BaseException | None) -> None:
    """Count and log a call."""
    label = call.gateway.router.label(call.model)
    seconds = seconds_since(call.started)
    status = _status(call, error)
    metrics.counted(call.endpoint, label, status).inc()
    whole, first_byte = metrics.times_of(call.endpoint, label)
    whole.observe(seconds)
    if call.first_byte is not None:
        first_byte.observe(call.first_byte)
    charge = call.ledger.charge
    if charge is not None:
        metrics.count_cost(label, charge.input_tokens, charge.output_tokens, charge.cost)
    if call.target is not None and charge is not None:
        call.gateway.router.count_tokens(call.target.deployment, charge.tokens)
    failure = error or (call.delivered.error if call.delivered else None)
    if failure is not None and call.first_byte is not None:
        metrics.INCOMPLETE.labels(label, "left" if isinstance(failure, ClientLeftError) else "cut").inc()
    if log.isEnabledFor(logging.INFO):
        log.info("call", extra={"fields": _fields(call, status, seconds, failure)})


def _status(call: Call, error: BaseException | None) -> int:
    if isinstance(error, ClientLeftError):
        return CLIENT_LEFT
    if call.exchange.status is not None:
        return call.exchange.status
    return getattr(error, "status", None) or 500


def _fields(call: Call, status: int, seconds: float, failure: BaseException | None) -> dict[str, object]:
    charge, delivered = call.ledger.charge, call.delivered
    found: dict[str, object] = {
        "endpoint": call.endpoint,
        "model": call.model[:200],
        "deployment": call.target.deployment.label if call.target else None,
        "key": call.caller.name,
        "status": status,
        "stream": call.stream,
        "seconds": round(seconds, 4),
        "first_byte": round(call.first_byte, 4) if call.first_byte is not None else None,
        "attempts": call.attempts,
        "sent_bytes": call.exchange.sent_bytes,
    }
    if session := call.headers.get("x-claude-code-session-id"):
        found["session"] = session[:100]
    if charge is not None:
        found |= {"input_tokens": charge.input_tokens, "output_tokens": charge.output_tokens, "cost": str(charge.cost)}
        found |= {} if charge.is_priced else {"unpriced": charge.reason}
    if delivered is not None and not delivered.is_complete:
        found["incomplete"] = True
    if failure is not None:
        found["error"] = type(failure).__name__
        if isinstance(failure, UnifiedError):
            found["code"], found["upstream_request_id"] = failure.code, failure.request_id
    return found
