"""LangChain's integration suite on every class and API, over sockets, against the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_unified.testing import emulator
from tests.integration import suite


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with emulator() as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "not-a-key")
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.anthropic_url)
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        yield


class TestChatAnthropic(suite.Anthropic):
    pass


class TestChatOpenAI(suite.Chat):
    pass


class TestChatOpenAIResponses(suite.Responses):
    pass


class TestChatUnifiedAnthropic(suite.UnifiedAnthropic):
    pass


class TestChatUnifiedOpenAI(suite.UnifiedOpenAI):
    pass
