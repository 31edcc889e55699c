"""Tables that have a row for each wire, and that nothing else would miss before the first tool call does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from langchain_unified.caching.segments import SEGMENTS
from langchain_unified.caching.settings import SETTINGS
from langchain_unified.history.pairing import ID_LIMITS, LEGAL_IDS, PREFIXES
from langchain_unified.wires import WIRES

TABLES = {
    "ids' lengths": ID_LIMITS,
    "ids' letters": LEGAL_IDS,
    "ids' beginnings": PREFIXES,
    "segments": SEGMENTS,
    "settings": SETTINGS,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_row_for_each_wire(table: Mapping[Any, Any]) -> None:
    assert set(table) == set(WIRES)
