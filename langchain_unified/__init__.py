"""One chat model interface for Anthropic and OpenAI in LangChain.

Public names are resolved on first use, and neither SDK is imported before the first call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from langchain_unified._version import __version__

if TYPE_CHECKING:
    from langchain_unified.batches import Batch as Batch
    from langchain_unified.batches import BatchStatus as BatchStatus
    from langchain_unified.bulk import Report as Report
    from langchain_unified.bulk import abulk as abulk
    from langchain_unified.bulk import bulk as bulk
    from langchain_unified.caching.mark import cached as cached
    from langchain_unified.caching.policy import PromptCache as PromptCache
    from langchain_unified.chat_models import ChatAnthropic as ChatAnthropic
    from langchain_unified.chat_models import ChatOpenAI as ChatOpenAI
    from langchain_unified.chat_models import ChatUnified as ChatUnified
    from langchain_unified.cost import Cost as Cost
    from langchain_unified.cost import message_cost as message_cost
    from langchain_unified.cost.tracking import Budget as Budget
    from langchain_unified.cost.tracking import CostTracker as CostTracker
    from langchain_unified.cost.tracking import cost_callback as cost_callback
    from langchain_unified.errors import *  # noqa: F403 - every error class is public
    from langchain_unified.explain import CacheExplanation as CacheExplanation
    from langchain_unified.explain import explain_cache as explain_cache
    from langchain_unified.params import AnthropicCallParams as AnthropicCallParams
    from langchain_unified.params import CallParams as CallParams
    from langchain_unified.params import OpenAICallParams as OpenAICallParams
    from langchain_unified.replies import Reply as Reply
    from langchain_unified.replies import reply as reply
    from langchain_unified.request.warned import DeprecatedModelWarning as DeprecatedModelWarning
    from langchain_unified.request.warned import UnifiedWarning as UnifiedWarning
    from langchain_unified.servers import Dialect as Dialect
    from langchain_unified.servers import known_dialect as known_dialect

_BATCHES = ("Batch", "BatchStatus")
_CHAT_MODELS = ("ChatAnthropic", "ChatOpenAI", "ChatUnified")
_BULK = ("Report", "abulk", "bulk")
_CACHING = ("PromptCache",)
_CACHING_MARK = ("cached",)
_CACHING_EXPLAIN = ("CacheExplanation", "explain_cache")
_COST = ("Cost", "message_cost")
_COST_TRACKING = ("Budget", "CostTracker", "cost_callback")
_REPLIES = ("Reply", "reply")
_PARAMS = ("AnthropicCallParams", "CallParams", "OpenAICallParams")
_SERVERS = ("Dialect", "known_dialect")
_ERRORS = (
    "UnifiedError", "ConfigurationError", "UnknownModelError", "MissingKeyError", "RequestError",
    "UnsupportedContentError", "UnsupportedParameterError", "InvalidToolError", "InvalidHistoryError",
    "BudgetExceededError", "ProviderError", "InvalidRequestError", "ContextOverflowError", "ContentPolicyError",
    "AuthenticationError", "BillingError", "PermissionDeniedError", "NotFoundError", "ConflictError", "RateLimitError",
    "ServerError", "OverloadedError", "ConnectionFailedError", "IncompleteStreamError", "RequestTimeoutError",
    "ReplyError", "BatchError", "BatchExpiredError", "BatchCanceledError", "MissingResultError", "RefusalError",
    "StructuredOutputError", "TruncatedOutputError",
)  # fmt: skip

_WARNINGS = ("DeprecatedModelWarning", "UnifiedWarning")

_HOMES = {
    **dict.fromkeys(_BATCHES, "langchain_unified.batches"),
    **dict.fromkeys(_CHAT_MODELS, "langchain_unified.chat_models"),
    **dict.fromkeys(_BULK, "langchain_unified.bulk"),
    **dict.fromkeys(_CACHING, "langchain_unified.caching.policy"),
    **dict.fromkeys(_CACHING_MARK, "langchain_unified.caching.mark"),
    **dict.fromkeys(_CACHING_EXPLAIN, "langchain_unified.explain"),
    **dict.fromkeys(_COST, "langchain_unified.cost"),
    **dict.fromkeys(_COST_TRACKING, "langchain_unified.cost.tracking"),
    **dict.fromkeys(_REPLIES, "langchain_unified.replies"),
    **dict.fromkeys(_ERRORS, "langchain_unified.errors"),
    **dict.fromkeys(_WARNINGS, "langchain_unified.request.warned"),
    **dict.fromkeys(_SERVERS, "langchain_unified.servers"),
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
