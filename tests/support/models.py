"""Every class of chat model on every API, built to call an emulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified
from langchain_unified.testing import Emulator

CLASSES: Mapping[str, Callable[..., Any]] = {
    "anthropic": ChatAnthropic,
    "chat": ChatOpenAI,
    "responses": ChatOpenAI,
    "unified-anthropic": ChatUnified,
    "unified-openai": ChatUnified,
}
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "anthropic": {"model": "claude-opus-5"},
    "chat": {"model": "gpt-4o"},
    "responses": {"model": "gpt-5.6", "use_responses_api": True},
    "unified-anthropic": {"model": "anthropic/claude-opus-5"},
    "unified-openai": {"model": "openai/gpt-5.6"},
}
each_class = pytest.mark.parametrize("name", CLASSES)


def build(name: str, server: Emulator, **fields: Any) -> Any:
    """The model of that name; it calls the emulator and retries nothing."""
    url = server.anthropic_url if name.endswith("anthropic") else server.openai_url
    return CLASSES[name](**{**FIELDS[name], "api_key": "any", "base_url": url, "max_retries": 0, **fields})
