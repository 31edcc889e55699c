"""OpenAI Batch: a call's body as a line of the input file, and a line of either result file as an outcome.

Facts: the SDK's types (`openai.types.batch`, 3.57), the guide "Batch API", and published notes of real runs (2026-09),
which are named where they count.
"""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.request import JsonObject
from langchain_unified.wires._batch import (
    BatchApi,
    LineResult,
    Outcome,
    PartStatus,
    RefusedLine,
    RemoteBatch,
    number_of,
    object_of,
    objects_of,
    text_of,
)

STATES: Mapping[str, PartStatus] = {
    "validating": "running",
    "in_progress": "running",
    "finalizing": "running",
    "completed": "ended",
    "failed": "failed",
    "expired": "ended",
    "cancelling": "canceling",
    "cancelled": "ended",
}
"""`status` of the SDK's `Batch`."""

FILES_KEPT = 30 * 86_400
"""Seconds after which the files of a batch go, unless they are deleted before (guide "Batch API")."""

CODES: Mapping[str, Outcome] = {
    "batch_expired": "expired",
    "batch_cancelled": "canceled",
    "batch_canceled": "canceled",
}
"""Codes in the error file that say what became of the batch and not of the request."""

NO_ANSWER = {"error": {"code": "server_error", "message": "the batch gave neither an answer nor an error"}}
"""What a line stands for that has the status 0 and an empty body (ellmer#830)."""


def content(lines: list[bytes]) -> bytes:
    """The input file."""
    return b"\n".join(lines) + b"\n"


def read_line(found: JsonObject) -> LineResult:
    """A line of the output file or of the error file."""
    custom_id, response = text_of(found.get("custom_id")), object_of(found.get("response"))
    status, body = number_of(response.get("status_code")), object_of(response.get("body"))
    request_id = text_of(response.get("request_id")) or None
    if error := object_of(found.get("error")):
        outcome = CODES.get(text_of(error.get("code")), "errored")
        return LineResult(custom_id, outcome, status=status or 500, error={"error": error}, request_id=request_id)
    if 200 <= status < 300:
        return LineResult(custom_id, "succeeded", reply=body, request_id=request_id)
    error = body if status and body else NO_ANSWER
    return LineResult(custom_id, "errored", status=status or 500, error=error, request_id=request_id)


def read_batch(found: JsonObject) -> RemoteBatch:
    """A `Batch`. `request_counts` may leave out lines of the error file (ellmer#830): they show progress only."""
    counts, word = object_of(found.get("request_counts")), text_of(found.get("status"))
    named = (found.get("output_file_id"), found.get("error_file_id"))
    ended = found.get("completed_at") or found.get("cancelled_at") or found.get("expired_at")
    errors = object_of(found.get("errors")).get("data")
    return RemoteBatch(
        id=text_of(found.get("id")),
        state=STATES.get(word, "running"),
        word=word,
        total=number_of(counts.get("total")),
        finished=number_of(counts.get("completed")) + number_of(counts.get("failed")),
        created_at=number_of(found.get("created_at")) or None,
        expires_at=number_of(found.get("expires_at")) or None,
        results_until=number_of(ended) + FILES_KEPT if ended else None,
        files=tuple(filter(None, map(text_of, named))),
        metadata={key: text_of(value) for key, value in object_of(found.get("metadata")).items()},
        refused=tuple(map(_refused, objects_of(errors))),
    )


def _refused(error: JsonObject) -> RefusedLine:
    line = number_of(error.get("line"))
    message = text_of(error.get("message")) or "no reason was given"
    return RefusedLine(text_of(error.get("code")), message, line if line > 0 else None)


def unsendable(body: JsonObject) -> str | None:
    """What has no place in a batch, whose answers come whole and later."""
    if body.get("stream"):
        return "`stream`: the answers of a batch come whole. Leave it out."
    if body.get("background"):
        return "`background`: a batch is made in the background already. Leave it out."
    return None


def batches(endpoint: str) -> BatchApi:
    """The batch API for calls of one endpoint, `/v1/…`."""

    def line(custom_id: str, body: JsonObject) -> JsonObject:
        return {"custom_id": custom_id, "method": "POST", "url": endpoint, "body": body}

    return BatchApi(
        provider="openai",
        title="OpenAI Batch",
        path="/batches",
        max_requests=50_000,
        max_bytes=200_000_000,
        one_model=True,
        by_file=True,
        page=100,
        line=line,
        content=content,
        read_line=read_line,
        read_batch=read_batch,
        unsendable=unsendable,
    )


TOO_MANY_TOKENS = "token_limit_exceeded"
"""The code of a batch that was refused for the tokens of all batches of its model that wait (openai-python#2084)."""
