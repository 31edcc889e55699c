"""Errors as OpenAI's two APIs answer them."""

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
    "billing": 429,
    "permission": 403,
    "not_found": 404,
    "conflict": 409,
    "rate_limit": 429,
    "overloaded": 503,
    "timeout": 504,
    "upstream": 502,
    "server": 500,
}

TYPES: Mapping[Case, str] = {
    "billing": "insufficient_quota",
    "rate_limit": "requests",
    "overloaded": "server_error",
    "timeout": "server_error",
    "upstream": "server_error",
    "server": "server_error",
}
"""The `type` of the error object; `invalid_request_error` in any other case."""

CODES: Mapping[Case, str] = {
    "overflow": "context_length_exceeded",
    "key": "invalid_api_key",
    "billing": "insufficient_quota",
    "not_found": "model_not_found",
    "rate_limit": "rate_limit_exceeded",
}
"""The `code` of the error object, where OpenAI has one for the case."""


def error_body(kind: str, message: str, *, code: str | None = None, param: str | None = None) -> JsonObject:
    """The body of an error answer. `kind` is its `type`."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_object(error: UnifiedError, overflow_param: str) -> JsonObject:
    """One of our errors as a body. `overflow_param`: the parameter that holds the conversation."""
    case = case_of(error)
    message = _overflow_words(error) if case == "overflow" else words_of(error)
    param = overflow_param if case == "overflow" else getattr(error, "param", None)
    return error_body(TYPES.get(case, "invalid_request_error"), message, code=_code(error, case), param=param)


def _code(error: UnifiedError, case: Case) -> str | None:
    """The code of the case; in a case without one, a code that an error names itself."""
    return CODES.get(case) or (error.code if case in ("invalid", "policy") and error.provider == "openai" else None)


def _overflow_words(error: UnifiedError) -> str:
    """Chat's sentence where the numbers are known, else that of the Responses API."""
    found = overflow_of(error)
    if found.limit is None:
        return "Your input exceeds the context window of this model. Please adjust your input and try again."
    counted = "" if found.tokens is None else f" However, your messages resulted in {found.tokens} tokens."
    limit = f"This model's maximum context length is {found.limit} tokens."
    return f"{limit}{counted} Please reduce the length of the messages."


def render_error(error: UnifiedError, overflow_param: str) -> ErrorReply:
    """One of our errors as an answer."""
    status = status_of(error, case_of(error), STATUSES)
    return ErrorReply(status, headers_of(error, "x-request-id"), error_object(error, overflow_param))
