"""The same suite from recordings: no emulator, no network, no key.

`make cassettes` records them against the emulator, `RECORD=live make cassettes` against the providers; the first lines
of each file in `cassettes/` say which.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration import suite


@pytest.fixture(autouse=True)
def _from_cassette(source: str, cassette: Any) -> None:
    """Each test plays its own file."""


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
