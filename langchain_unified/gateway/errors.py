"""What the gateway itself refuses. Each class belongs to the tree of `errors.py`, so that every wire can render it.

UnifiedError
├── RequestError ── KeyRequestError          400: a field of `/key/generate` or of another key request is wrong
├── ConfigurationError ── UnknownPriceError  400: a model without a known price is not served
└── ProviderError
    ├── AuthenticationError ── GatewayKeyError        401: "invalid key", for every reason
    ├── PermissionDeniedError ── ModelNotAllowedError 403: the key is not for this model
    ├── PermissionDeniedError ── AdminOnlyError       403: only the master key may do this
    ├── NotFoundError ── KeyNotFoundError             404: no such key
    ├── BillingError ── BudgetSpentError              429 without a retry: the budget is used up
    ├── RateLimitError ── TooManyRequestsError        429 with `retry_after`: requests, tokens or calls at the same time
    ├── RateLimitError ── CallTooLargeError           429 without a retry: the input alone exceeds the tokens per minute
    ├── ServerError ── StoreUnavailableError          503: the database of keys and spend is away
    └── ServerError ── StoreFailedError               500: the database refuses a statement

No message holds a key, its hash or another secret.
"""

from __future__ import annotations

from langchain_unified.errors import (
    AuthenticationError,
    BillingError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    ServerError,
)

INVALID_KEY = "invalid key"


class GatewayKeyError(AuthenticationError):
    """The key is missing, unknown, deleted or expired. The message is the same for all of them."""

    status = 401
    code = "invalid_api_key"

    def __init__(self) -> None:
        """No argument, so that nothing of the key can reach the message."""
        super().__init__(INVALID_KEY)


class AdminOnlyError(PermissionDeniedError):
    """Only the master key may do this. Use it, or ask the person who runs the gateway."""

    status = 403
    code = "admin_only"


class ModelNotAllowedError(PermissionDeniedError):
    """The key is not for this model. Use one of its models, or a key that has the model."""

    status = 403
    code = "model_not_allowed"


class KeyNotFoundError(NotFoundError):
    """No key has this id, alias or value."""

    status = 404
    code = "key_not_found"


class KeyRequestError(RequestError):
    """A request about keys cannot be carried out as it is written. Correct the field that the message names."""

    status = 400
    code = "invalid_request"


class BudgetSpentError(BillingError):
    """The call may cost more than what is left of the key's budget. Nothing was sent. A retry cannot help.

    Wait for the next budget period, raise the budget, or send a smaller call (a lower `max_tokens`).
    """

    status = 429
    code = "insufficient_quota"
    is_retryable = False


class TooManyRequestsError(RateLimitError):
    """The key is at its limit of requests or tokens in a minute, or of calls at the same time. Nothing was sent.

    Try again after `retry_after` seconds.
    """

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: float) -> None:
        """`retry_after` is in seconds."""
        super().__init__(message)
        self.retry_after = retry_after


class CallTooLargeError(RateLimitError):
    """The input of one call alone exceeds the key's tokens per minute. A retry cannot help: shorten the input."""

    status = 429
    code = "rate_limit_exceeded"
    is_retryable = False


class StoreUnavailableError(ServerError):
    """The database of keys and spend cannot be reached at the moment. Try again later."""

    status = 503
    code = "store_unavailable"
    is_retryable = True

    def __init__(self, cause: BaseException | None = None) -> None:
        """`cause`: named by its class alone, because messages of a driver may hold values."""
        super().__init__("the gateway cannot reach its database of keys, try again later")
        self.retry_after = 1.0
        self.cause_name = type(cause).__name__ if cause is not None else None


class StoreFailedError(ServerError):
    """The database of keys refuses a statement. It is a fault of the gateway, or the database was changed by hand."""

    status = 500
    code = "store_failed"
    is_retryable = False

    def __init__(self, cause: str) -> None:
        """`cause`: the class of the driver's error; its message may hold values."""
        super().__init__(f"the gateway's database of keys refused a statement ({cause})")


class UnknownPriceError(ConfigurationError):
    """No price is known for the model, so that its calls cannot be counted. Set a price for it in the configuration."""

    status = 400
    code = "unknown_price"
