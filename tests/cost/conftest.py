"""The emulator that the tests of tracked costs call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langchain_unified.testing import Emulator, emulator
from tests.cost.tracking_helpers import said


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator(said) as running:
        yield running
