"""Async calls in another event loop than asyncio's."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace

import pytest

from langchain_unified import ConfigurationError
from langchain_unified.testing import emulator
from tests.support.models import build, each_class


@each_class
def test_a_run_of_trio_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Core 1.8 gathers with asyncio in `ainvoke`, and shields its callbacks with it: trio ends in a `TypeError`."""
    trio = SimpleNamespace(lowlevel=SimpleNamespace(in_trio_run=lambda: True))
    monkeypatch.setitem(sys.modules, "trio", trio)
    with emulator() as server:
        model = build(name, server)
        with pytest.raises(ConfigurationError, match=r"trio\.to_thread\.run_sync"):
            model.ainvoke("Hi").send(None)
        with pytest.raises(ConfigurationError, match=r"trio\.to_thread\.run_sync"):
            model.astream("Hi")
        assert server.requests == []
        assert asyncio.run(model.ainvoke("Hi")).text  # trio-asyncio: both run
        assert model.invoke("Hi").text
