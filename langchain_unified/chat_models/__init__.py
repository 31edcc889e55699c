"""The chat models. Each is imported when its name is used first."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_unified.chat_models.anthropic import ChatAnthropic as ChatAnthropic
    from langchain_unified.chat_models.openai import ChatOpenAI as ChatOpenAI
    from langchain_unified.chat_models.unified import ChatUnified as ChatUnified

_HOMES = {"ChatAnthropic": "anthropic", "ChatOpenAI": "openai", "ChatUnified": "unified"}

__all__ = ["ChatAnthropic", "ChatOpenAI", "ChatUnified"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
