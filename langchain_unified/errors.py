"""Every error that this package raises.

UnifiedError                          LangChain core's ModelError
├── ConfigurationError                a model was built or called with something it does not have (also ValueError)
│   ├── UnknownModelError             the model's name has none of the accepted forms
│   └── MissingKeyError               no API key was found (core: ModelAuthenticationError)
├── RequestError                      refused here, before the network (core: ModelInvalidRequestError; ValueError)
│   ├── UnsupportedContentError       a block or message that the wire cannot carry
│   ├── UnsupportedParameterError     a parameter that the wire or the model cannot take
│   ├── InvalidToolError              a tool or tool choice that cannot be sent
│   └── InvalidHistoryError           a list of messages that no provider would take
├── BudgetExceededError               a budget refused the call, before the network
├── ProviderError                     the provider answered with an error
│   ├── InvalidRequestError           400, 413, 422 (core: ModelInvalidRequestError)
│   │   ├── ContextOverflowError           the input is longer than the context window (core: ContextOverflowError)
│   │   └── ContentPolicyError        the provider's policy refused the input
│   ├── AuthenticationError           401 (core: ModelAuthenticationError)
│   ├── BillingError                  402, exhausted quota, unpaid bills
│   ├── PermissionDeniedError         403 (core: ModelPermissionDeniedError)
│   ├── NotFoundError                 404 (core: ModelNotFoundError)
│   ├── ConflictError                 409, retryable
│   ├── RateLimitError                429, retryable (core: ModelRateLimitError)
│   └── ServerError                   5xx, retryable (core: ModelAPIError)
│       └── OverloadedError           529 or a body that says so
├── ConnectionFailedError             no connection, or it broke, retryable (core: ModelConnectionError)
│   └── IncompleteStreamError         the stream ended before its final event
├── RequestTimeoutError               retryable (core: ModelTimeoutError)
├── ReplyError                        the answer is not what the API promises, retryable (core: ModelAPIError)
├── RefusalError                      the model declined to answer (core: ModelRefusalError, from 1.7.5 on)
└── StructuredOutputError             the answer does not have the form asked for (core: OutputParserException)
    └── TruncatedOutputError          it was cut before its end

What a provider or a transport raised keeps the SDK's class as well: `except openai.RateLimitError` and
`except langchain_core.exceptions.ModelRateLimitError` both catch our `RateLimitError`. Classification goes by status
and by the body's code; the message's text decides only where the provider gives no code.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from langchain_core import exceptions as core

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk, BaseMessage

    from langchain_unified.request import JsonObject


class UnifiedError(core.ModelError):
    """Base of every error of this package. A field is `None` where the provider did not say.

    `status` is the HTTP status, `code` the provider's own code or type, `retry_after` seconds.
    `partial` is the message as far as it was streamed.
    """

    provider: str | None = None
    model: str | None = None
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    partial: AIMessageChunk | None = None


class ConfigurationError(UnifiedError, ValueError):
    """A model was built or called with something it does not have."""


class UnknownModelError(ConfigurationError):
    """The model's name has none of the accepted forms."""


class MissingKeyError(ConfigurationError, core.ModelAuthenticationError):
    """No API key was found."""


class RequestError(UnifiedError, core.ModelInvalidRequestError, ValueError):
    """The call was refused here, before the network."""


class UnsupportedContentError(RequestError):
    """A block or message that the wire cannot carry."""


class UnsupportedParameterError(RequestError):
    """A parameter that the wire or the model cannot take."""


class InvalidToolError(RequestError):
    """A tool or tool choice that cannot be sent."""


class InvalidHistoryError(RequestError):
    """A list of messages that no provider would take."""


class BudgetExceededError(UnifiedError):
    """A `Budget` refused the call before the network. `spent` and `limit` are USD."""

    def __init__(self, message: str, *, spent: Decimal = Decimal(0), limit: Decimal = Decimal(0)) -> None:
        """`message` says why."""
        super().__init__(message)
        self.spent = spent
        self.limit = limit


class ProviderError(UnifiedError):
    """The provider answered with an error."""


class InvalidRequestError(ProviderError, core.ModelInvalidRequestError):
    """400, 413, 422: the provider refused the request."""


class ContextOverflowError(InvalidRequestError, core.ContextOverflowError):
    """The input, or input and `max_tokens` together, is longer than the context window."""


class ContentPolicyError(InvalidRequestError):
    """The provider's policy refused the input."""


class AuthenticationError(ProviderError, core.ModelAuthenticationError):
    """401: the key is wrong, or was not accepted."""


class BillingError(ProviderError):
    """402, an exhausted quota or an unpaid bill: the same request fails until somebody pays."""


class PermissionDeniedError(ProviderError, core.ModelPermissionDeniedError):
    """403: the key may not do this."""


class NotFoundError(ProviderError, core.ModelNotFoundError):
    """404: no such model, file or response."""


class ConflictError(ProviderError):
    """409: another request was in the way."""

    is_retryable = True


class RateLimitError(ProviderError, core.ModelRateLimitError):
    """429: too many requests or tokens. `retry_after` says how many seconds to wait, where the provider did."""


class ServerError(ProviderError, core.ModelAPIError):
    """5xx: the provider failed."""


class OverloadedError(ServerError):
    """529, or an error that says so in mid-stream."""


class ConnectionFailedError(UnifiedError, core.ModelConnectionError):
    """No connection, or it broke."""


class IncompleteStreamError(ConnectionFailedError):
    """The stream ended before its final event. `partial` holds what had come."""


class RequestTimeoutError(UnifiedError, core.ModelTimeoutError):
    """Nothing came within the timeout (seconds, per read)."""


class ReplyError(UnifiedError, core.ModelAPIError):
    """The answer is not what the API promises: not JSON, a proxy's HTML page, or an object of another kind."""


class RefusalError(UnifiedError, getattr(core, "ModelRefusalError", core.ModelError)):  # type: ignore[misc]
    """The model declined to answer, where an answer of a certain form was asked for. `raw_message` is what it said."""

    def __init__(self, message: str, *, raw_message: BaseMessage | None = None) -> None:
        """`message` names the reason where the provider gave one."""
        super().__init__(message)
        self.raw_message = raw_message


class StructuredOutputError(UnifiedError, core.OutputParserException):
    """The answer does not have the form asked for. `llm_output` is its text, `raw_message` the message."""

    is_retryable = True

    def __init__(self, message: str, *, llm_output: str | None = None, raw_message: BaseMessage | None = None) -> None:
        """`message` names the first place that is wrong."""
        Exception.__init__(self, message)
        self.observation = None
        self.llm_output = llm_output
        self.send_to_llm = False
        self.raw_message = raw_message


class TruncatedOutputError(StructuredOutputError):
    """The answer was cut at `max_tokens` or at the end of the context window. `partial_text` is what had come."""

    is_retryable = False

    @property
    def partial_text(self) -> str:
        """The text, or the arguments of the tool call, as far as they came."""
        return self.llm_output or ""


BY_STATUS: Mapping[int, type[ProviderError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: BillingError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ConflictError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
    529: OverloadedError,
}

BY_CODE: Mapping[str, type[ProviderError]] = {
    # Anthropic: `error.type`
    "invalid_request_error": InvalidRequestError,
    "request_too_large": InvalidRequestError,
    "authentication_error": AuthenticationError,
    "billing_error": BillingError,
    "permission_error": PermissionDeniedError,
    "not_found_error": NotFoundError,
    "conflict_error": ConflictError,
    "rate_limit_error": RateLimitError,
    "timeout_error": ServerError,
    "api_error": ServerError,
    "overloaded_error": OverloadedError,
    # OpenAI: `error.code`, else `error.type`
    "context_length_exceeded": ContextOverflowError,
    "string_above_max_length": InvalidRequestError,
    "content_policy_violation": ContentPolicyError,
    "content_filter": ContentPolicyError,
    "invalid_prompt": ContentPolicyError,
    "bio_policy": ContentPolicyError,
    "insufficient_quota": BillingError,
    "billing_hard_limit_reached": BillingError,
    "billing_not_active": BillingError,
    "invalid_api_key": AuthenticationError,
    "model_not_found": NotFoundError,
    "rate_limit_exceeded": RateLimitError,
    "server_error": ServerError,
    "server_overloaded": OverloadedError,
}

# Neither provider gives these a code of their own (seen as invalid_request_error or without a code).
_OVERFLOW = re.compile(
    r"prompt is too long|exceed context limit|exceeds the context window|maximum context length"
    r"|exceed the configured limit",
)
_BILLING = re.compile(r"credit balance is too low|usage limits?\b.*\b(reached|exceeded)")


def classify(status: int | None, code: str | None, message: str) -> type[ProviderError]:
    """The class for a provider's error, by code, then status; by text only among invalid requests."""
    by_code = BY_CODE.get(code or "")
    found = by_code or BY_STATUS.get(status or 0) or _by_range(status)
    # A general code ("invalid_request_error") must not hide a status that says more (413, 429).
    if by_code is InvalidRequestError and status is not None and status != 400:
        found = BY_STATUS.get(status, by_code)
    if found is InvalidRequestError:
        if _OVERFLOW.search(message):
            return ContextOverflowError
        if _BILLING.search(message):
            return BillingError
    return found


def _by_range(status: int | None) -> type[ProviderError]:
    if status is None or status >= 500 or status < 400:
        return ServerError
    return InvalidRequestError


def error_in(payload: JsonObject) -> JsonObject | None:
    """The provider's error object inside a whole reply or a stream event; `None` where there is none.

    Covers Anthropic's `{"type": "error", "error": {…}}`, Chat's `{"error": {…}}`, the Responses events `error` and
    `response.failed`, and a Responses reply whose `status` is `failed`.
    """
    if payload.get("type") == "response.failed":
        payload = payload.get("response") or {}
        return payload.get("error") or {"code": "server_error", "message": "the response failed without a reason"}
    error = payload.get("error")
    if error:
        return error if isinstance(error, dict) else {"message": str(error)}
    if payload.get("type") == "error":
        return payload
    return None


def describe(error: JsonObject) -> tuple[str | None, str]:
    """`(code, message)` of a provider's error object, of either provider."""
    code = error.get("code") or error.get("type")
    message = error.get("message")
    return (str(code) if code else None), (str(message) if message else "no message")


@functools.lru_cache(maxsize=256)
def joined(ours: type[UnifiedError], sdk: type[Exception]) -> type[UnifiedError]:
    """A class that is both our error and the SDK's, so that code that catches either goes on working."""
    if issubclass(ours, sdk):
        return ours
    namespace = {"__module__": ours.__module__, "__doc__": ours.__doc__, "__reduce__": _reduce}
    return type(ours.__name__, (ours, sdk), namespace)


def _reduce(self: UnifiedError) -> tuple[Any, ...]:
    """Pickle as our own class: the joined one is made at run time, and SDK errors hold sockets and keys."""
    own = next(cls for cls in type(self).__mro__ if cls.__module__ == __name__ and cls.__name__ in globals())
    own = globals()[own.__name__]
    fields = ("provider", "model", "status", "code", "request_id", "retry_after", "partial")
    return (_rebuild, (own, self.args, {name: getattr(self, name) for name in fields}))


def _rebuild(cls: type[UnifiedError], args: tuple[Any, ...], fields: dict[str, Any]) -> UnifiedError:
    error = cls(*args)
    error.__dict__.update(fields)
    return error
