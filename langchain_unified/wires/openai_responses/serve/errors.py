"""Errors as the Responses API answers them: a body, and in a stream the reason of a failed response."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.wires._door import ErrorReply
from langchain_unified.wires._openai import errors
from langchain_unified.wires._refusals import Case, case_of

CONVERSATION = "input"
"""The parameter that an overflow names."""

FAILURES: Mapping[Case, str] = {
    "overflow": "context_length_exceeded",
    "billing": "insufficient_quota",
    "rate_limit": "rate_limit_exceeded",
    "policy": "invalid_prompt",
    "invalid": "invalid_prompt",
}
"""The code of a failed response; `server_error` in any other case: a client then tries again."""


def render_error(error: UnifiedError) -> ErrorReply:
    """One of our errors as an answer."""
    return errors.render_error(error, CONVERSATION)


def failure(error: UnifiedError) -> JsonObject:
    """The `error` of a response that failed in mid-stream."""
    case = case_of(error)
    message = errors.error_object(error, CONVERSATION)["error"]["message"]
    if case == "rate_limit" and error.retry_after is not None:
        # Codex waits as long as the message says.
        message = f"{message} Please try again in {error.retry_after:g}s."
    return {"code": FAILURES.get(case, "server_error"), "message": message}
