"""One chat model interface for Anthropic and OpenAI in LangChain.

Public names are resolved on first use, and neither SDK is imported before the first call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from langchain_unified._version import __version__

if TYPE_CHECKING:
    from langchain_unified.chat_models import ChatAnthropic as ChatAnthropic
    from langchain_unified.chat_models import ChatOpenAI as ChatOpenAI
    from langchain_unified.chat_models import ChatUnified as ChatUnified
    from langchain_unified.errors import *  # noqa: F403 - every error class is public
    from langchain_unified.params import AnthropicCallParams as AnthropicCallParams
    from langchain_unified.params import CallParams as CallParams
    from langchain_unified.params import OpenAICallParams as OpenAICallParams

_CHAT_MODELS = ("ChatAnthropic", "ChatOpenAI", "ChatUnified")
_PARAMS = ("AnthropicCallParams", "CallParams", "OpenAICallParams")
_ERRORS = (
    "UnifiedError", "ConfigurationError", "UnknownModelError", "MissingKeyError", "RequestError",
    "UnsupportedContentError", "UnsupportedParameterError", "InvalidToolError", "InvalidHistoryError", "ProviderError",
    "InvalidRequestError", "ContextOverflowError", "ContentPolicyError", "AuthenticationError", "BillingError",
    "PermissionDeniedError", "NotFoundError", "ConflictError", "RateLimitError", "ServerError", "OverloadedError",
    "ConnectionFailedError", "IncompleteStreamError", "RequestTimeoutError", "ReplyError", "RefusalError",
    "StructuredOutputError", "TruncatedOutputError",
)  # fmt: skip

_HOMES = {
    **dict.fromkeys(_CHAT_MODELS, "langchain_unified.chat_models"),
    **dict.fromkeys(_ERRORS, "langchain_unified.errors"),
    **dict.fromkeys(_PARAMS, "langchain_unified.params"),
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 - strings, from the tables above


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
