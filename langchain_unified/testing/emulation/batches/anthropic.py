"""Anthropic's Message Batches. Sources: the SDK's types and docstrings, the guide to batch processing.

Chosen here, as no evidence was found: 400 for results of a batch that has not ended, for deleting such a batch, for
canceling one that has ended and for too many requests; 404 for results that are archived; 429 for a full queue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.batches.job import Answerer, Item, Job, Outcome
from langchain_unified.testing.emulation.batches.plan import BatchSettings
from langchain_unified.testing.emulation.batches.reply import (
    JSONL,
    ManagedRefusalError,
    ManagedReply,
    limit_of,
    page_after,
    page_before,
)
from langchain_unified.testing.emulation.cache import Clock
from langchain_unified.testing.emulation.endpoints import ENDPOINTS

MAX_REQUESTS, MAX_BYTES = 100_000, 256_000_000
RESULT_DAYS = 29
"""Results are there for so long after the creation of the batch."""

CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
NOT_IN_BATCHES: Mapping[str, Any] = {"stream": True, "max_tokens": 0}
"""Values of `params` that only a live request may have."""


@dataclass
class MessageBatches:
    """All Message Batches, in order of their creation."""

    answerer: Answerer
    clock: Clock
    settings: BatchSettings
    jobs: dict[str, Job] = field(default_factory=dict)
    _number: int = 0

    @property
    def max_bytes(self) -> int:
        return self.settings.max_bytes or MAX_BYTES

    def create(self, body: Any, size: int, headers: Mapping[str, str]) -> ManagedReply:
        """`POST /v1/messages/batches`. `size`: the bytes of the body."""
        if size > self.max_bytes:
            message = f"Request exceeds the maximum size of {self.max_bytes} bytes."
            raise ManagedRefusalError(message, status=413, kind="request_too_large")
        items = self._items(body)
        if self.settings.queue is not None and self._waiting() + len(items) > self.settings.queue:
            message = f"This request would exceed the limit of {self.settings.queue} requests that wait in batches."
            raise ManagedRefusalError(message, status=429, kind="rate_limit_error")
        self._number += 1
        job = Job(f"msgbatch_{self._number:024d}", self.clock.now, items, headers, self.settings)
        self.jobs[job.id] = job
        return ManagedReply(self._shown(job, "", ended=False))

    def retrieve(self, batch_id: str, url: str) -> ManagedReply:
        """`GET /v1/messages/batches/{id}`. `url`: the address of the emulator, for `results_url`."""
        return ManagedReply(self._current(self._found(batch_id), url))

    def list_page(self, query: Mapping[str, str], url: str) -> ManagedReply:
        """`GET /v1/messages/batches`, newest first."""
        limit = limit_of(query.get("limit"), 20, 1000)
        jobs = list(reversed(self.jobs.values()))
        ids = [job.id for job in jobs]
        if (before := query.get("before_id")) is not None:
            page, more = page_before(jobs, ids, before, limit)
        else:
            page, more = page_after(jobs, ids, query.get("after_id"), limit)
        first, last = (page[0].id, page[-1].id) if page else (None, None)
        data = [self._current(job, url) for job in page]
        return ManagedReply({"data": data, "has_more": more, "first_id": first, "last_id": last})

    def cancel(self, batch_id: str, url: str) -> ManagedReply:
        """`POST /v1/messages/batches/{id}/cancel`."""
        job = self._found(batch_id)
        if job.has_ended(self.clock.now):
            raise ManagedRefusalError(f"Batch {batch_id} has ended and cannot be canceled.")
        if job.cancelled is None:
            job.run(self.clock.now, self.answerer)
            job.cancelled = self.clock.now
        return ManagedReply(self._shown(job, url, ended=False))

    def delete(self, batch_id: str) -> ManagedReply:
        """`DELETE /v1/messages/batches/{id}`."""
        if not self._found(batch_id).has_ended(self.clock.now):
            raise ManagedRefusalError(f"Batch {batch_id} is still processing. Cancel it before you delete it.")
        del self.jobs[batch_id]
        return ManagedReply({"id": batch_id, "type": "message_batch_deleted"})

    def results(self, batch_id: str) -> ManagedReply:
        """`GET /v1/messages/batches/{id}/results`."""
        job = self._found(batch_id)
        if not job.has_ended(self.clock.now):
            raise ManagedRefusalError(f"Batch {batch_id} is still processing and has no results yet.")
        if self.clock.now >= _archived(job):
            message = f"The results of batch {batch_id} are no longer available."
            raise ManagedRefusalError(message, status=404, kind="not_found_error")
        job.run(self.clock.now, self.answerer)
        lines = [_line(job.items[at].custom_id, outcome) for at, outcome in sorted(job.outcomes.items())]
        return ManagedReply(b"".join(self.settings.arranged([line for line in lines if line], job.id)), JSONL)

    # --- the object ---------------------------------------------------------------------------------------------------

    def _found(self, batch_id: str) -> Job:
        if batch_id not in self.jobs:
            raise ManagedRefusalError(f"Batch {batch_id} not found.", status=404, kind="not_found_error")
        return self.jobs[batch_id]

    def _waiting(self) -> int:
        return sum(len(job.items) for job in self.jobs.values() if not job.has_ended(self.clock.now))

    def _current(self, job: Job, url: str) -> JsonObject:
        ended = job.has_ended(self.clock.now)
        if ended:
            job.run(self.clock.now, self.answerer)
        return self._shown(job, url, ended=ended)

    def _shown(self, job: Job, url: str, *, ended: bool) -> JsonObject:
        """The batch as the API shows it. Until its end every request counts as processing."""
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        if ended:
            for outcome in job.outcomes.values():
                counts[_result_type(outcome)] += 1
        else:
            counts["processing"] = len(job.items)
        archived = ended and self.clock.now >= _archived(job)
        running = "in_progress" if job.cancelled is None else "canceling"
        return {
            "id": job.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else running,
            "request_counts": counts,
            "created_at": _time(job.created),
            "expires_at": _time(job.expires),
            "ended_at": _time(job.ends) if ended else None,
            "cancel_initiated_at": None if job.cancelled is None else _time(job.cancelled),
            "archived_at": _time(_archived(job)) if archived else None,
            "results_url": f"{url}/v1/messages/batches/{job.id}/results" if ended and not archived else None,
        }

    # --- what is checked at the creation ------------------------------------------------------------------------------

    def _items(self, body: Any) -> list[Item]:
        requests = body.get("requests") if isinstance(body, dict) else None
        if not isinstance(requests, list):
            raise ManagedRefusalError("requests: Field required")
        most = self.settings.max_requests or MAX_REQUESTS
        if not 1 <= len(requests) <= most:
            raise ManagedRefusalError(f"requests: a batch has 1 to {most} requests, not {len(requests)}.")
        items = [_item(at, request) for at, request in enumerate(requests)]
        seen: set[str] = set()
        for at, item in enumerate(items):
            if item.custom_id in seen:
                raise ManagedRefusalError(f"requests.{at}.custom_id: '{item.custom_id}' is used twice.")
            seen.add(item.custom_id)
        return items


def _item(at: int, request: Any) -> Item:
    place = f"requests.{at}"
    if not isinstance(request, dict):
        raise ManagedRefusalError(f"{place}: Input should be a valid dictionary")
    for key in ("custom_id", "params"):
        if request.get(key) is None:
            raise ManagedRefusalError(f"{place}.{key}: Field required")
    unknown = sorted(request.keys() - {"custom_id", "params"})
    if unknown:
        raise ManagedRefusalError(f"{place}.{unknown[0]}: Extra inputs are not permitted")
    custom_id, params = request["custom_id"], request["params"]
    if not isinstance(custom_id, str):
        raise ManagedRefusalError(f"{place}.custom_id: Input should be a valid string")
    if len(custom_id) > 64:
        # The message is quoted in anthropics/anthropic-sdk-python#984.
        raise ManagedRefusalError(f"{place}.custom_id: String should have at most 64 characters")
    if CUSTOM_ID.fullmatch(custom_id) is None:
        raise ManagedRefusalError(f"{place}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if not isinstance(params, dict):
        raise ManagedRefusalError(f"{place}.params: Input should be a valid dictionary")
    return Item(custom_id, ENDPOINTS["/v1/messages"], params, _refusal(params))


def _refusal(params: JsonObject) -> str | None:
    """Why a batch does not take a request that a live call takes. The item gets it as its error."""
    for key, value in NOT_IN_BATCHES.items():
        if key in params and params[key] == value and type(params[key]) is type(value):
            return f"{key}: {value!r} is not supported in a batch."
    return "speed: fast mode is not supported in a batch." if params.get("speed") == "fast" else None


# --- results ----------------------------------------------------------------------------------------------------------


def _result_type(outcome: Outcome) -> str:
    """The type of an item's result. One that stands in no result counts as what it was."""
    if outcome.kind in ("expired", "canceled"):
        return outcome.kind
    if outcome.kind == "no_response":
        return "errored"
    return "succeeded" if outcome.status == 200 else "errored"


def _line(custom_id: str, outcome: Outcome) -> bytes:
    """The line of an item; empty for one that stands in no result."""
    if outcome.kind == "missing":
        return b""
    kind = _result_type(outcome)
    result: JsonObject = {"type": kind}
    if kind == "succeeded":
        message = {} if outcome.kind == "empty_body" else outcome.body
        result["message"] = {**message, "usage": {**message["usage"], "service_tier": "batch"}} if message else {}
    elif outcome.kind == "no_response":
        error = {"type": "api_error", "message": "Internal server error"}
        result["error"] = {"type": "error", "error": error, "request_id": outcome.request_id}
    elif kind == "errored":
        result["error"] = outcome.body
    line = orjson.dumps({"custom_id": custom_id, "result": result})
    return (line[: len(line) // 2] if outcome.kind == "malformed_line" else line) + b"\n"


def _archived(job: Job) -> float:
    return job.created + RESULT_DAYS * 86_400


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
