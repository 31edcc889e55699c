"""The emulator that the tests of structured output call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_unified.testing import Emulator, emulator


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running
