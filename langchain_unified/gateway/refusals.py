"""What the gateway refuses of a request, apart from keys (`errors`).

Each is one of our error classes, so that every API renders it as its own.
"""

from __future__ import annotations

from langchain_unified.errors import InvalidRequestError, NotFoundError, OverloadedError, RateLimitError


class BadRequestError(InvalidRequestError):
    """The HTTP request or its body cannot be read, or asks for what no client may ask for. Nothing was forwarded.

    `param`: the key of the body that is at fault, if any.
    """

    def __init__(self, message: str, *, status: int = 400, param: str | None = None) -> None:
        """`status`: the HTTP status to answer with."""
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = "invalid_request_error"


class UnknownRouteError(NotFoundError):
    """The gateway has no such address."""

    def __init__(self, message: str, *, status: int = 404) -> None:
        """`status`: 404, or 405 where the address takes another method."""
        super().__init__(message)
        self.status = status
        self.code = "not_found_error"


class UnknownPublicModelError(NotFoundError):
    """No deployment serves a model of this name."""

    def __init__(self, model: str) -> None:
        """`model`: the name that the client asked for."""
        super().__init__(f"The model {model!r} is not served here. GET /v1/models lists the models.")
        self.status = 404
        self.code = "model_not_found"
        self.model = model
        self.param = "model"


class NoDeploymentError(OverloadedError):
    """Every deployment of a model failed a moment ago and is left alone for some seconds."""

    def __init__(self, model: str, retry_after: float) -> None:
        """`retry_after`: seconds until one is tried again."""
        super().__init__(f"All deployments of {model!r} failed a moment ago. Try again in {retry_after:.0f} s.")
        self.status = 503
        self.code = "overloaded_error"
        self.model = model
        self.retry_after = retry_after


class DeploymentLimitError(RateLimitError):
    """Every deployment of a model has had its requests or tokens of this minute."""

    def __init__(self, model: str, retry_after: float) -> None:
        """`retry_after`: seconds until the next minute."""
        super().__init__(
            f"The deployments of {model!r} are at their limits per minute. Try again in {retry_after:.0f} s."
        )
        self.status = 429
        self.code = "rate_limit_exceeded"
        self.model = model
        self.retry_after = retry_after


def not_compacted(model: str) -> BadRequestError:
    """The error for `/responses/compact` of a model that another API than OpenAI's Responses API serves."""
    return BadRequestError(
        f"/responses/compact is OpenAI's alone, and the model {model!r} is served by another API. Ask the model itself "
        "for a summary of the conversation.",
        param="model",
    )
