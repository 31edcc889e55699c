"""Why a call reads from the prompt cache, or does not: two calls compared, without a network."""

from langchain_unified.explain.compare import explain_cache
from langchain_unified.explain.explanation import CacheExplanation

__all__ = ["CacheExplanation", "explain_cache"]
