"""The emulator that the tests of `explain_cache` call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.server import Emulator


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running
