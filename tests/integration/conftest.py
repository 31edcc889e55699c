"""An emulator for each test; and, for the tests that replay recordings, what answers while they are recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_socket

from langchain_unified.testing import Emulator, emulator
from langchain_unified.testing.plugin import record_mode

NOWHERE = "http://127.0.0.1:9"
"""Replayed requests match a loopback address on any port; nobody listens on this one."""


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


@pytest.fixture
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Who answers: nobody (replay), the emulator, or the providers."""
    if record_mode(request.config) == "none":
        _point_at(monkeypatch, NOWHERE, NOWHERE + "/v1")
        pytest_socket.disable_socket(allow_unix_socket=True)
        yield "nobody"
        pytest_socket.enable_socket()
    elif os.environ.get("CASSETTES_FROM") == "live":
        yield "live"
    else:
        with emulator() as server:
            _point_at(monkeypatch, server.anthropic_url, server.openai_url)
            monkeypatch.setenv("ANTHROPIC_API_KEY", "not-a-key")
            monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
            yield "emulator"


def _point_at(monkeypatch: pytest.MonkeyPatch, anthropic: str, openai: str) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", anthropic)
    monkeypatch.setenv("OPENAI_BASE_URL", openai)


@pytest.fixture
def cassette_settings(source: str) -> dict[str, Any]:
    return {} if source == "nobody" else {"recorded_from": source}
