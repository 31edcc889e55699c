"""The model that the tests of displays call."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_unified import ChatUnified
from langchain_unified.testing import emulator
from tests.display.helpers import STORY


@pytest.fixture
def model() -> Iterator[Any]:
    with emulator(lambda _: STORY) as server:
        model = ChatUnified("anthropic/claude-opus-5", api_key="any", base_url=server.anthropic_url, max_retries=0)
        yield SimpleNamespace(chat=model, server=server)
