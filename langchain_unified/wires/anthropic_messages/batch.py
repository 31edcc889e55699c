"""Anthropic Message Batches: a call's body as a request of a batch, and a result line as an outcome.

Facts: the SDK's types (`anthropic.types.messages`, 2.14) and the page "Batch processing" of October 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from langchain_unified.request import JsonObject
from langchain_unified.wires._batch import (
    BatchApi,
    LineResult,
    Outcome,
    PartStatus,
    RemoteBatch,
    number_of,
    object_of,
    text_of,
)

STATES: Mapping[str, PartStatus] = {"in_progress": "running", "canceling": "canceling", "ended": "ended"}
"""`processing_status` of the SDK's `MessageBatch`."""

OUTCOMES: Mapping[str, Outcome] = {
    "succeeded": "succeeded",
    "errored": "errored",
    "canceled": "canceled",
    "expired": "expired",
}

STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The type of an error -> the status that a live call is answered with. A result line has no status."""

RESULTS_KEPT = timedelta(days=29)
"""For how long after its creation the results of a batch are there (page "Batch processing")."""


def line(custom_id: str, body: JsonObject) -> JsonObject:
    """One item of `requests`."""
    return {"custom_id": custom_id, "params": body}


def content(lines: list[bytes]) -> bytes:
    """The body of the request that creates a batch."""
    return b'{"requests":[' + b",".join(lines) + b"]}"


def read_line(found: JsonObject) -> LineResult:
    """A line of the results. A line of an unknown type is an error of its own."""
    custom_id, result = text_of(found.get("custom_id")), object_of(found.get("result"))
    outcome = OUTCOMES.get(text_of(result.get("type")), "errored")
    if outcome == "succeeded":
        reply = result.get("message")
        return LineResult(custom_id, outcome, reply=object_of(reply))
    body = object_of(result.get("error"))
    # The SDK's type has the whole error body; its inner error alone is read as well.
    if "error" not in body:
        body = {"type": "error", "error": body or {"type": "api_error", "message": "the result has no error"}}
    kind = text_of(object_of(body.get("error")).get("type"))
    return LineResult(
        custom_id,
        outcome,
        status=STATUSES.get(kind, 500),
        error=body,
        request_id=text_of(body.get("request_id")) or None,
    )


def read_batch(found: JsonObject) -> RemoteBatch:
    """A `MessageBatch`. Its counts other than `processing` are 0 until the whole batch has ended."""
    counts = {name: number_of(count) for name, count in object_of(found.get("request_counts")).items()}
    created, total = _seconds(found.get("created_at")), sum(counts.values())
    word = text_of(found.get("processing_status"))
    return RemoteBatch(
        id=text_of(found.get("id")),
        state=STATES.get(word, "running"),
        word=word,
        total=total,
        finished=total - counts.get("processing", 0),
        created_at=created,
        expires_at=_seconds(found.get("expires_at")),
        results_until=None if created is None else created + RESULTS_KEPT.total_seconds(),
    )


def _seconds(value: object) -> float | None:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return None


def unsendable(body: JsonObject) -> str | None:
    """What the API refuses inside a batch (page "Batch processing"; types of `BatchCreateParams`)."""
    if body.get("stream"):
        return "`stream`: the answers of a batch come whole. Leave it out."
    if body.get("speed") == "fast":
        return "the fast mode (`speed`, service_tier='fast'): a batch has none. Leave it out, or call the model live."
    if body.get("max_tokens") == 0:
        return "max_tokens=0, which only fills the cache: it has no effect on the calls of a batch. Give 1 or more."
    if object_of(body.get("billing_policy")).get("bill_to") == "user_profile":
        return "billing to a user profile (`bill_to`): such requests fail in a batch. Leave `billing_policy` out."
    return None


BATCHES = BatchApi(
    provider="anthropic",
    title="Anthropic Message Batches",
    path="/v1/messages/batches",
    max_requests=100_000,
    max_bytes=256_000_000,
    one_model=False,
    by_file=False,
    page=1000,
    line=line,
    content=content,
    read_line=read_line,
    read_batch=read_batch,
    unsendable=unsendable,
)
"""The limits are those of the page "Batch processing": 100,000 requests or 256 MB, whichever comes first."""
