"""Every error that this package raises.

UnifiedError                          LangChain core's ModelError
├── ConfigurationError                an argument of a model is unknown or of the wrong type (also ValueError)
│   ├── UnknownModelError             a model's name does not show its provider
│   └── MissingKeyError               no API key was found (core: ModelAuthenticationError)
├── RequestError                      refused here, nothing was sent (core: ModelInvalidRequestError; ValueError)
│   ├── UnsupportedContentError       a block or message that the API or the model cannot take
│   ├── UnsupportedParameterError     a parameter that the API or the model cannot take
│   ├── InvalidToolError              a tool, tool choice or schema that cannot be sent
│   └── InvalidHistoryError           a list of messages that no provider accepts
├── BudgetExceededError               a `Budget` is used up, nothing was sent
├── ProviderError                     the provider answered with an error
│   ├── InvalidRequestError           400, 413, 422 (core: ModelInvalidRequestError)
│   │   ├── ContextOverflowError      the input exceeds the context window (core: ContextOverflowError)
│   │   └── ContentPolicyError        the provider's policy refuses the input
│   ├── AuthenticationError           401 (core: ModelAuthenticationError)
│   ├── BillingError                  402, exhausted quota, unpaid bills
│   ├── PermissionDeniedError         403 (core: ModelPermissionDeniedError)
│   ├── NotFoundError                 404 (core: ModelNotFoundError)
│   ├── ConflictError                 409, retryable
│   ├── RateLimitError                429, retryable (core: ModelRateLimitError)
│   └── ServerError                   5xx, retryable (core: ModelAPIError)
│       └── OverloadedError           529, or an error event that says so
├── ConnectionFailedError             no connection, or it broke, retryable (core: ModelConnectionError)
│   └── IncompleteStreamError         a stream ended before its final event
├── RequestTimeoutError               retryable (core: ModelTimeoutError)
├── ReplyError                        the answer is not what the API promises, retryable (core: ModelAPIError)
├── BatchError                        a batch of calls cannot go on
│   ├── BatchExpiredError             a call of a batch was not answered in its 24 hours, retryable
│   ├── BatchCanceledError            a call of a batch was canceled before it was answered
│   └── MissingResultError            a batch has ended without a word of one of its calls, retryable
├── RefusalError                      the model refuses structured output (core: ModelRefusalError, from 1.7.5 on)
└── StructuredOutputError             the answer does not match the schema, retryable (core: OutputParserException)
    └── TruncatedOutputError          it was cut off, not retryable

Errors from a provider or an SDK are of the SDK's class as well: `except openai.RateLimitError` and
`except langchain_core.exceptions.ModelRateLimitError` both catch our `RateLimitError`. A specific code in the
body decides on the class, then the HTTP status, then a general type. The message decides only where the provider gives
no code: the table is `transport/_error_table.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from langchain_core import exceptions as core

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk, BaseMessage

    from langchain_unified.request import JsonObject


class UnifiedError(core.ModelError):
    """Base of every error of this package. A field is `None` where the provider sent nothing for it.

    `status`: the HTTP status. `code`: the provider's code or type of the error. `retry_after`: seconds to wait.
    `partial`: the message as far as it was streamed. `address`: the URL that was asked, without user info and query.
    `attempts`: how many requests the call sent. `is_retryable`: whether the same call may succeed later. Calls that
    fail before their answer begins were already repeated, up to `max_retries` times.
    """

    provider: str | None = None
    model: str | None = None
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    partial: AIMessageChunk | None = None
    address: str | None = None
    attempts: int | None = None


# --- before the network -----------------------------------------------------------------------------------------------


class ConfigurationError(UnifiedError, ValueError):
    """A model is built or called with an argument that is unknown or of the wrong type, or an SDK refuses its settings.

    Correct the argument that the message names.
    """


class UnknownModelError(ConfigurationError):
    """A model's name does not show its provider. Use one of the forms in the message, such as `provider/model`."""


class MissingKeyError(ConfigurationError, core.ModelAuthenticationError):
    """No API key is found, or it is empty. Set the variable that the message names, or pass `api_key=`."""


class RequestError(UnifiedError, core.ModelInvalidRequestError, ValueError):
    """The call cannot be sent as it is written. Nothing was sent. Change what the message names."""


class UnsupportedContentError(RequestError):
    """The API or the model cannot take a block or a message. Do what the message suggests, or use another model."""


class UnsupportedParameterError(RequestError):
    """A parameter's value is not allowed, or the API or the model does not take the parameter.

    Change it or leave it out. With `on_unsupported="warn"`, the default, a parameter that is not taken is left out.
    """


class InvalidToolError(RequestError):
    """A tool, a tool choice or a schema cannot be sent. Correct the field that the message names."""


class InvalidHistoryError(RequestError):
    """No provider accepts this list of messages, and it cannot be repaired. Correct the message that is named."""


class BudgetExceededError(UnifiedError):
    """A `Budget` is used up, so that the call is not sent. `spent` and `limit` are USD. Raise the limit to go on."""

    def __init__(self, message: str, *, spent: Decimal = Decimal(0), limit: Decimal = Decimal(0)) -> None:
        """`message` says what is used up."""
        super().__init__(message)
        self.spent = spent
        self.limit = limit


# --- errors that the provider sends -----------------------------------------------------------------------------------


class ProviderError(UnifiedError):
    """The provider answers with an error. The subclass says which, and `is_retryable` whether a retry can help."""


class InvalidRequestError(ProviderError, core.ModelInvalidRequestError):
    """The provider refuses the request (400, 413, 422). The same request fails again: change it."""


class ContextOverflowError(InvalidRequestError, core.ContextOverflowError):
    """The input, or input and `max_tokens` together, exceeds the context window.

    Shorten the history, or lower `max_tokens`.
    """


class ContentPolicyError(InvalidRequestError):
    """The provider's policy refuses the input. Change the input: the same one is refused again."""


class AuthenticationError(ProviderError, core.ModelAuthenticationError):
    """The provider does not accept the API key (401). Check the key, and that it belongs to this provider."""


class BillingError(ProviderError):
    """Credit or quota is used up, or a bill is unpaid (402, or a code that says so). Retries fail until it is paid."""


class PermissionDeniedError(ProviderError, core.ModelPermissionDeniedError):
    """The API key may not do this (403). Use another key, or ask for access to the model or feature."""


class NotFoundError(ProviderError, core.ModelNotFoundError):
    """The provider has no such model, file or response (404). Check its name, and that the key has access to it."""


class ConflictError(ProviderError):
    """Another request changes the same thing at this moment (409). Try again."""

    is_retryable = True


class RateLimitError(ProviderError, core.ModelRateLimitError):
    """There were too many requests or tokens in a short time (429).

    Try again after `retry_after` seconds; it is `None` if the provider did not say how long to wait.
    """


class ServerError(ProviderError, core.ModelAPIError):
    """The provider has a failure of its own (5xx). Try again later."""


class OverloadedError(ServerError):
    """The provider has too many requests from everybody (529, or an error event in a stream). Try again later."""


# --- the network, and answers that are no answers ---------------------------------------------------------------------


class ConnectionFailedError(UnifiedError, core.ModelConnectionError):
    """There is no connection, or it broke. Check network, proxy and `base_url`, then try again."""


class IncompleteStreamError(ConnectionFailedError):
    """A stream ends before its final event. `partial` holds the message up to there. Try again."""


class RequestTimeoutError(UnifiedError, core.ModelTimeoutError):
    """Nothing comes within the timeout, or no content within a stream's idle timeout. Try again, or raise `timeout`."""


class ReplyError(UnifiedError, core.ModelAPIError):
    """The answer is not what the API promises: it is not JSON, or a proxy's HTML page, or an object of another kind.

    Check `base_url`. If that is right, try again.
    """


# --- batches ----------------------------------------------------------------------------------------------------------


class BatchError(UnifiedError):
    """A batch cannot go on by itself, or one of its calls has no answer. Decide as the message says."""


class BatchExpiredError(BatchError):
    """A batch was not done within its 24 hours, and this call was not answered. It costs nothing. Call `retry()`."""

    is_retryable = True


class BatchCanceledError(BatchError):
    """A batch was canceled before this call was answered. It costs nothing. `retry()` sends it again."""


class MissingResultError(BatchError):
    """A batch has ended, and its results do not name this call. Call `retry()`; whether it was paid is not known."""

    is_retryable = True


# --- structured output ------------------------------------------------------------------------------------------------


class RefusalError(UnifiedError, getattr(core, "ModelRefusalError", core.ModelError)):  # type: ignore[misc]
    """The model refuses to give structured output. `raw_message` is its message. Change the prompt."""

    def __init__(self, message: str, *, raw_message: BaseMessage | None = None) -> None:
        """`message` names the reason, if the provider gave one."""
        super().__init__(message)
        self.raw_message = raw_message


class StructuredOutputError(UnifiedError, core.OutputParserException):
    """The answer does not match the schema. `llm_output` is its text, `raw_message` the message.

    Try again, or make the schema simpler.
    """

    is_retryable = True

    def __init__(self, message: str, *, llm_output: str | None = None, raw_message: BaseMessage | None = None) -> None:
        """`message` names the first place that does not match."""
        Exception.__init__(self, message)
        self.observation = None
        self.llm_output = llm_output
        self.send_to_llm = False
        self.raw_message = raw_message


class TruncatedOutputError(StructuredOutputError):
    """The structured answer is cut off at `max_tokens` or at the end of the context window.

    Raise `max_tokens`, or shorten the input.
    """

    is_retryable = False

    @property
    def partial_text(self) -> str:
        """The text, or the arguments of the tool call, up to the cut."""
        return self.llm_output or ""


# --- errors in replies and events -------------------------------------------------------------------------------------


def error_in(payload: JsonObject) -> JsonObject | None:
    """The provider's error object in a reply or a stream event; `None` if it holds none.

    Reads Anthropic's `{"type": "error", "error": {…}}`, Chat's `{"error": {…}}` and `choices[0].error`, the Responses
    events `error` and `response.failed`, a reply with `status` `failed`, and what other servers send with status 200:
    `{"object": "error", …}` (vLLM), `{"errors": […]}` (Cloudflare), `{"base_resp": {…}}` (MiniMax), and a `message`
    and a `code` alone (DashScope).
    """
    if payload.get("type") == "response.failed":
        response = payload.get("response")
        payload = response if isinstance(response, dict) else {}
        return _error_object(payload.get("error"), payload) or dict(NO_REASON)
    if error := payload.get("error"):
        return _error_object(error, payload)
    if payload.get("type") == "error" or payload.get("object") == "error":
        return payload
    if choices := payload.get("choices"):
        return _error_of_choice(choices[0]) if isinstance(choices, list) else None
    if payload.get("object") == "response" and payload.get("status") == "failed":
        return dict(NO_REASON)
    return None if "type" in payload or "usage" in payload else _error_alone(payload)


NO_REASON: Mapping[str, str] = {"code": "server_error", "message": "the response failed without a reason"}


def _error_object(error: Any, payload: JsonObject) -> JsonObject | None:
    """`error` as an object. Some servers write a text, or `true` beside the keys of the error."""
    if isinstance(error, dict):
        return error
    beside = {key: value for key, value in payload.items() if key in ("code", "type", "error_type", "status")}
    if isinstance(error, str):
        return {**beside, "message": error}
    return {**beside, "message": str(payload.get("message") or payload.get("detail") or error)} if error else None


def _error_of_choice(choice: Any) -> JsonObject | None:
    """The error of a choice (OpenRouter); a choice that ends in `error` without one has no reason."""
    if not isinstance(choice, dict):
        return None
    if error := choice.get("error"):
        return _error_object(error, choice)
    return {**NO_REASON, "message": "the answer ended in an error"} if choice.get("finish_reason") == "error" else None


def _error_alone(payload: JsonObject) -> JsonObject | None:
    """The error of a server that puts it where the reply would be."""
    errors = payload.get("errors")
    if isinstance(errors, list) and errors:
        return _error_object(errors[0], payload)
    status = payload.get("base_resp")
    if isinstance(status, dict) and status.get("status_code"):
        return {"code": str(status["status_code"]), "message": status.get("status_msg")}
    is_error = isinstance(payload.get("message"), str) and "code" in payload and "content" not in payload
    return payload if is_error and not payload.keys() & {"choices", "output", "id"} else None


def describe(error: JsonObject) -> tuple[str | None, str]:
    """`(code, message)` of an error object of either provider."""
    code = error.get("code") or error.get("type")
    message = error.get("message")
    return (str(code) if code else None), (str(message) if message else "no message")


@functools.lru_cache(maxsize=256)
def joined(ours: type[UnifiedError], sdk: type[Exception]) -> type[UnifiedError]:
    """A subclass of both our error and the SDK's, so that code that catches either one works."""
    if issubclass(ours, sdk):
        return ours
    namespace = {"__module__": ours.__module__, "__doc__": ours.__doc__, "__reduce__": _reduce}
    return type(ours.__name__, (ours, sdk), namespace)


def _reduce(self: UnifiedError) -> tuple[Any, ...]:
    """Pickle as our class: a joined class exists in this process only, and SDK errors hold sockets and keys."""
    public = next(cls for cls in type(self).__mro__ if cls.__module__ == __name__ and cls.__name__ in globals())
    return (_rebuild, (globals()[public.__name__], self.args, {name: getattr(self, name) for name in FIELDS}))


FIELDS = ("provider", "model", "status", "code", "request_id", "retry_after", "partial", "address", "attempts")
"""The fields of `UnifiedError`, which a pickle keeps."""


def _rebuild(cls: type[UnifiedError], args: tuple[Any, ...], fields: dict[str, Any]) -> UnifiedError:
    error = cls(*args)
    error.__dict__.update(fields)
    return error
