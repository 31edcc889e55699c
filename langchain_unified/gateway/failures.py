"""A provider's error -> our error, and what an attempt leaves for the client when no other is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from langchain_unified.errors import (
    ContentPolicyError,
    ContextOverflowError,
    InvalidRequestError,
    ReplyError,
    RequestError,
    ServerError,
    UnifiedError,
    error_in,
)
from langchain_unified.gateway.deployments import Deployment
from langchain_unified.gateway.headers import REQUEST_ID_NAMES
from langchain_unified.transport._error_table import classify
from langchain_unified.transport._errors import details_of, excerpt, retry_after


@dataclass(frozen=True, slots=True)
class RawError:
    """A provider's error as it came, for a client of the same API."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class AttemptError(Exception):
    """A deployment gave no answer. `raw`: what it sent, if the client's API is the same."""

    def __init__(self, error: UnifiedError, raw: RawError | None = None) -> None:
        """`error`: one of our errors."""
        super().__init__(str(error))
        self.error = error
        self.raw = raw


def error_of(status: int, headers: Mapping[str, str], data: bytes, deployment: Deployment) -> UnifiedError:
    """Our error for an error answer. Its text never holds the deployment's key."""
    payload = _object(data)
    if payload is None:
        names: tuple[str, ...] = ()
        code, message = None, f"the provider answered {status} with no JSON object: {excerpt(data)}"
        inner: float | None = None
    else:
        found = details_of(error_in(payload) or payload)
        names, code, message, inner = found.names, found.code, found.message, found.retry_after
    error = classify(status, names, message)(without_key(message, deployment))
    error.status, error.code = status, code
    error.provider, error.model = deployment.provider, deployment.model
    error.retry_after = retry_after(headers)
    error.retry_after = inner if error.retry_after is None else error.retry_after
    error.request_id = headers.get(REQUEST_ID_NAMES[deployment.provider])
    return error


def error_in_stream(payload: Mapping[str, object], deployment: Deployment) -> UnifiedError:
    """Our error for an error object in an event of a stream."""
    found = details_of(dict(payload))
    error = classify(found.status, found.names, found.message)(without_key(found.message, deployment))
    error.code, error.provider, error.model = found.code, deployment.provider, deployment.model
    error.retry_after = found.retry_after
    return error


def no_answer(message: str, deployment: Deployment) -> UnifiedError:
    """The error for an answer with status 200 that is none."""
    error = ReplyError(f"{deployment.provider}: {message}")
    error.provider, error.model = deployment.provider, deployment.model
    return error


def refused_key(deployment: Deployment) -> UnifiedError:
    """The error for a key of the gateway's that a provider refuses. A client cannot mend it: it is no 401 of theirs."""
    what = f"{deployment.provider} does not accept the gateway's key for this model"
    error = ServerError(f"{what}. The gateway's operator has to check it.")
    error.status, error.provider, error.model = 502, deployment.provider, deployment.model
    error.is_retryable = False
    return error


def without_key(text: str, deployment: Deployment) -> str:
    """The text without the deployment's key, which a provider may quote."""
    key = deployment.api_key
    return text.replace(key, "***") if key else text


def is_clients_fault(error: UnifiedError) -> bool:
    """Whether the same request fails at every deployment of the model."""
    return isinstance(error, InvalidRequestError | RequestError)


def fallback_kind(error: UnifiedError) -> str | None:
    """Which list of fallbacks an error asks for; `None`: none, the client has to change its request."""
    if isinstance(error, ContextOverflowError):
        return "context_window"
    if isinstance(error, ContentPolicyError):
        return "content_policy"
    return None if is_clients_fault(error) else "general"


def _object(data: bytes) -> dict[str, object] | None:
    try:
        payload = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if isinstance(payload, list) and payload:
        payload = payload[0]
    return payload if isinstance(payload, dict) else None
