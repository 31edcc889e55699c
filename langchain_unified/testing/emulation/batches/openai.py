"""OpenAI's batches. Sources: the SDK's types and docstrings, the guide to the Batch API, objects of real runs.

Chosen here, as no evidence was found: the code `invalid_input_file` for a file that is not there; the code
`batch_cancelled` in the error file of a cancelled batch (that it has one, and counts no failures, was seen in
BerriAI/litellm#36034); that an item with `stream` is refused alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.batches.files import Files, StoredFile, expiry_seconds, listed
from langchain_unified.testing.emulation.batches.job import Answerer, Job, Outcome
from langchain_unified.testing.emulation.batches.lines import MAX_REQUESTS, BatchLines, batch_error, prompt_tokens
from langchain_unified.testing.emulation.batches.plan import BatchSettings
from langchain_unified.testing.emulation.batches.reply import ManagedRefusalError, ManagedReply, limit_of, page_after
from langchain_unified.testing.emulation.cache import Clock

EMULATED = ("/v1/chat/completions", "/v1/responses")
OTHERS = (
    "/v1/embeddings", "/v1/completions", "/v1/moderations", "/v1/images/generations", "/v1/images/edits", "/v1/videos",
)  # fmt: skip
"""Endpoints of batches that the emulator does not have (SDK: `BatchCreateParams`)."""

HEAD, TAIL = 0.1, 0.1
"""The shares of a batch's time in which it is validated and finalized."""

ENDINGS = {"completed": "completed", "expired": "expired", "canceled": "cancelled"}
LINE_ERRORS = {
    "expired": ("batch_expired", "This request could not be executed before the completion window expired."),
    "canceled": ("batch_cancelled", "The batch was cancelled before this request was executed."),
}


@dataclass
class OpenAIBatch:
    """One batch: what was asked for, and either `errors` or a job that runs."""

    job: Job
    endpoint: str
    input_file_id: str
    metadata: Mapping[str, str] | None
    output_seconds: int | None
    model: str | None = None
    tokens: int = 0
    errors: list[JsonObject] = field(default_factory=list)
    output: StoredFile | None = None
    error_file: StoredFile | None = None
    written: bool = False

    @property
    def validated(self) -> float:
        return self.job.begins

    def status(self, now: float) -> str:
        """The status at a time."""
        if self.errors and self.job.cancelled is None:
            return "failed" if now >= self.validated else "validating"
        if self.job.has_ended(now):
            return ENDINGS[self.job.ending]
        if self.job.cancelled is not None:
            return "cancelling"
        if now < self.validated:
            return "validating"
        return "finalizing" if now >= self.job.finished else "in_progress"


@dataclass
class Batches:
    """All batches, in order of their creation."""

    answerer: Answerer
    clock: Clock
    settings: BatchSettings
    files: Files
    batches: dict[str, OpenAIBatch] = field(default_factory=dict)

    def create(self, body: Any, headers: Mapping[str, str]) -> ManagedReply:
        """`POST /v1/batches`. What is wrong with the file shows later, as the status `failed`."""
        given = body if isinstance(body, dict) else {}
        _check(given)
        endpoint, file_id = str(given["endpoint"]), str(given["input_file_id"])
        output_seconds = expiry_seconds(given.get("output_expires_after"), "output_expires_after")
        file = self.files.get(file_id)
        lines = None if file is None else BatchLines(file.data, endpoint, self.settings.max_requests or MAX_REQUESTS)
        now, batch_id = self.clock.now, f"batch_{len(self.batches) + 1:024d}"
        items = [] if lines is None or lines.errors else lines.items
        job = Job(batch_id, now, items, headers, self.settings, HEAD, TAIL)
        batch = OpenAIBatch(job, endpoint, file_id, given.get("metadata"), output_seconds)
        if lines is None:
            batch.errors = [batch_error("invalid_input_file", f"The file {file_id} does not exist.")]
        else:
            batch.errors, batch.model = lines.errors, lines.model
        if items and self.settings.enqueued_tokens is not None:
            self._check_tokens(batch)
        self.batches[batch_id] = batch
        return ManagedReply(_shown(batch, now, "validating"))

    def retrieve(self, batch_id: str) -> ManagedReply:
        """`GET /v1/batches/{id}`."""
        return ManagedReply(self._current(self._found(batch_id)))

    def list_page(self, query: Mapping[str, str]) -> ManagedReply:
        """`GET /v1/batches`, newest first."""
        limit = limit_of(query.get("limit"), 20, 100)
        batches = list(reversed(self.batches.values()))
        page, more = page_after(batches, [batch.job.id for batch in batches], query.get("after"), limit)
        return ManagedReply(listed([self._current(batch) for batch in page], more))

    def cancel(self, batch_id: str) -> ManagedReply:
        """`POST /v1/batches/{id}/cancel`. A cancelled batch comes back as it is (BerriAI/litellm#36034)."""
        batch, now = self._found(batch_id), self.clock.now
        status = batch.status(now)
        if status in ("completed", "failed", "expired"):
            # Status and message are quoted by several clients.
            raise ManagedRefusalError(f"Cannot cancel a batch with status '{status}'.", status=409)
        if batch.job.cancelled is None:
            batch.job.run(now, self.answerer)
            batch.job.cancelled = now
            return ManagedReply(_shown(batch, now, "cancelling"))
        return ManagedReply(self._current(batch))

    # --- the object ---------------------------------------------------------------------------------------------------

    def _found(self, batch_id: str) -> OpenAIBatch:
        if batch_id not in self.batches:
            raise ManagedRefusalError(f"No batch found with id '{batch_id}'.", status=404)
        return self.batches[batch_id]

    def _current(self, batch: OpenAIBatch) -> JsonObject:
        now = self.clock.now
        status = batch.status(now)
        if status not in ("failed", "validating"):
            batch.job.run(now, self.answerer)
        if batch.job.has_ended(now) and status != "failed" and not batch.written:
            self._write_files(batch)
        return _shown(batch, now, status)

    def _check_tokens(self, batch: OpenAIBatch) -> None:
        """Fail a batch whose prompts are too many beside those that wait for the same model."""
        model = batch.model or ""
        limit = self.settings.token_limit(model)
        batch.tokens = prompt_tokens(list(batch.job.items))
        waiting = sum(
            other.tokens
            for other in self.batches.values()
            if other.model == model and not other.errors and not other.job.has_ended(self.clock.now)
        )
        if limit is None or waiting + batch.tokens <= limit:
            return
        message = (
            f"Enqueued token limit reached for {model} in organization org-emulator. Limit: {limit:,} enqueued tokens. "
            "Please try again once some in_progress batches have been completed."
        )
        batch.errors = [batch_error("token_limit_exceeded", message)]

    def _write_files(self, batch: OpenAIBatch) -> None:
        """The output file and the error file, each only if it has a line."""
        batch.written = True
        job, number = batch.job, batch.job.id.removeprefix("batch_")
        good: list[bytes] = []
        bad: list[bytes] = []
        for at, outcome in sorted(job.outcomes.items()):
            line = _line(f"batch_req_{number}{at:06d}", job.items[at].custom_id, outcome)
            if line:
                (good if _is_output(outcome) else bad).append(line)
        for lines, name in ((good, "output"), (bad, "error")):
            if lines:
                data = b"".join(self.settings.arranged(lines, f"{job.id} {name}"))
                seconds = batch.output_seconds or 2_592_000
                file = self.files.add(f"{job.id}_{name}.jsonl", "batch_output", data, seconds)
                setattr(batch, "output" if name == "output" else "error_file", file)


def _check(given: JsonObject) -> None:
    """Refuse a creation that has not the shape of the API. The message of a missing key is quoted in litellm#37146."""
    for key in ("input_file_id", "endpoint", "completion_window"):
        if given.get(key) is None:
            message = f"Missing required parameter: '{key}'."
            raise ManagedRefusalError(message, param=key, code="missing_required_parameter")
    if given["endpoint"] in OTHERS:
        raise ManagedRefusalError(f"The emulator does not have {given['endpoint']}.", param="endpoint")
    for key, allowed in (("endpoint", EMULATED + OTHERS), ("completion_window", ("24h",))):
        if given[key] not in allowed:
            names = " and ".join([", ".join(repr(each) for each in allowed[:-1]), repr(allowed[-1])][not allowed[1:] :])
            message = f"Invalid value: '{given[key]}'. Supported values are: {names}."
            raise ManagedRefusalError(message, param=key, code="invalid_value")
    _check_metadata(given.get("metadata"))


def _check_metadata(metadata: object) -> None:
    if metadata is None:
        return
    fits = isinstance(metadata, dict) and len(metadata) <= 16
    if not fits or not all(len(key) <= 64 and isinstance(value, str) and len(value) <= 512
                           for key, value in dict(metadata).items()):  # type: ignore[call-overload]  # fmt: skip
        message = "metadata has at most 16 pairs of texts; a key has at most 64 characters, a value 512."
        raise ManagedRefusalError(message, param="metadata")


def _shown(batch: OpenAIBatch, now: float, status: str) -> JsonObject:
    """The batch as the API shows it (SDK: `Batch`)."""
    job = batch.job
    over = status in ("completed", "expired", "cancelled")
    began = status not in ("validating", "failed") and now >= batch.validated
    finalizing = began and now >= job.finished and status != "cancelling" and job.ending != "canceled"
    times = {
        "in_progress_at": batch.validated if began else None,
        "finalizing_at": job.finished if finalizing and job.ending != "expired" else None,
        "completed_at": job.ends if status == "completed" else None,
        "failed_at": batch.validated if status == "failed" else None,
        "expired_at": job.ends if status == "expired" else None,
        "cancelling_at": job.cancelled,
        "cancelled_at": job.ends if status == "cancelled" else None,
        "created_at": job.created,
        "expires_at": job.expires,
    }
    return {
        "id": job.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": None if status == "validating" else batch.model,
        "errors": {"object": "list", "data": batch.errors} if status == "failed" else None,
        "input_file_id": batch.input_file_id,
        "completion_window": "24h",
        "status": status,
        "output_file_id": batch.output.id if over and batch.output is not None else None,
        "error_file_id": batch.error_file.id if over and batch.error_file is not None else None,
        **{name: None if value is None else int(value) for name, value in times.items()},
        "request_counts": _counts(job, status),
        "metadata": batch.metadata,
        "usage": _usage(job) if over else None,
    }


def _counts(job: Job, status: str) -> JsonObject:
    """The counts: 0 while it is validated and when it failed. What expired or was cancelled counts as neither."""
    if status in ("validating", "failed"):
        return {"total": 0, "completed": 0, "failed": 0}
    failed = sum(outcome.kind == "answered" and outcome.status != 200 for outcome in job.outcomes.values())
    skipped = job.count("expired") + job.count("canceled")
    return {"total": len(job.items), "completed": len(job.outcomes) - failed - skipped, "failed": failed}


def _usage(job: Job) -> JsonObject:
    """The tokens of all answers."""
    total = {"input": 0, "cached": 0, "output": 0, "reasoning": 0}
    for outcome in job.outcomes.values():
        usage = outcome.body.get("usage") or {} if outcome.status == 200 else {}
        for kind, key in (("input", "prompt"), ("output", "completion")):
            detail = "cached" if kind == "input" else "reasoning"
            total[kind] += usage.get(f"{kind}_tokens", usage.get(f"{key}_tokens", 0))
            details = usage.get(f"{kind}_tokens_details") or usage.get(f"{key}_tokens_details") or {}
            total[detail] += details.get(f"{detail}_tokens") or 0
    return {
        "input_tokens": total["input"],
        "input_tokens_details": {"cached_tokens": total["cached"]},
        "output_tokens": total["output"],
        "output_tokens_details": {"reasoning_tokens": total["reasoning"]},
        "total_tokens": total["input"] + total["output"],
    }


# --- lines of results -------------------------------------------------------------------------------------------------


def _is_output(outcome: Outcome) -> bool:
    """Whether a line stands in the output file and not in the error file."""
    return outcome.status == 200 and outcome.kind in ("answered", "empty_body", "malformed_line")


def _line(line_id: str, custom_id: str, outcome: Outcome) -> bytes:
    """The line of an item; empty for one that stands in no file."""
    if outcome.kind == "missing":
        return b""
    response: JsonObject | None = {"status_code": outcome.status, "request_id": outcome.request_id}
    error = None
    if outcome.kind in LINE_ERRORS:
        code, message = LINE_ERRORS[outcome.kind]
        response, error = None, {"code": code, "message": message}
    elif outcome.kind == "no_response":
        response = {"status_code": 0, "request_id": "", "body": {}}
    elif response is not None:
        response["body"] = {} if outcome.kind == "empty_body" else outcome.body
    line = orjson.dumps({"id": line_id, "custom_id": custom_id, "response": response, "error": error})
    return (line[: len(line) // 2] if outcome.kind == "malformed_line" else line) + b"\n"
