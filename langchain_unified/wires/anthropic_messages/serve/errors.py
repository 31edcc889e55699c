"""Errors as the Messages API answers them: one object, as a body and as an event."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.wires._door import ErrorReply
from langchain_unified.wires._refusals import Case, case_of, headers_of, overflow_of, status_of, words_of

STATUSES: Mapping[Case, int] = {
    "overflow": 400,
    "policy": 400,
    "invalid": 400,
    "key": 401,
    "billing": 402,
    "permission": 403,
    "not_found": 404,
    "conflict": 409,
    "rate_limit": 429,
    "overloaded": 529,
    "timeout": 504,
    "upstream": 502,
    "server": 500,
}

TYPES: Mapping[Case, str] = {
    "key": "authentication_error",
    "billing": "billing_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "conflict": "conflict_error",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "upstream": "api_error",
    "server": "api_error",
}
"""The `type` of the error object; `invalid_request_error` in any other case."""


def error_body(kind: str, message: str, request_id: str | None) -> JsonObject:
    """The body of an error answer, and the event of an error in a stream. `kind` is the type of the error."""
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}


def error_event(error: UnifiedError) -> JsonObject:
    """One of our errors as the object that the API answers with."""
    case = case_of(error)
    kind = TYPES.get(case, "invalid_request_error")
    if case == "invalid" and error.status == 413:
        kind = "request_too_large"
    message = _overflow_words(error) if case == "overflow" else words_of(error)
    return error_body(kind, message, error.request_id)


def _overflow_words(error: UnifiedError) -> str:
    """The API's own sentence. Claude Code 2.1.197 looks for its first four words, and reads the numbers if any."""
    found = overflow_of(error)
    if found.tokens is not None and found.limit is not None:
        return f"prompt is too long: {found.tokens} tokens > {found.limit} maximum"
    limit = "" if found.limit is None else f" of {found.limit} tokens"
    return f"prompt is too long: it exceeds the context window{limit} of the model"


def render_error(error: UnifiedError) -> ErrorReply:
    """One of our errors as an answer."""
    status = status_of(error, case_of(error), STATUSES)
    return ErrorReply(status, headers_of(error, "request-id"), error_event(error))
