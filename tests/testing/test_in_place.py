"""`use_emulator`: the calls of a process go to an emulator, unless the providers are asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from langchain_unified import ChatUnified
from langchain_unified.testing import use_cassette, use_emulator

VARIABLES = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_KEY")


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "before")


def test_both_providers_are_answered_by_it() -> None:
    server = use_emulator(["One.", "Two."])
    assert server is not None
    try:
        assert ChatUnified("anthropic/claude-opus-5").invoke("Hi").text == "One."
        assert ChatUnified("openai/gpt-5.6").invoke("Hi").text == "Two."
    finally:
        server.stop()


def test_nothing_happens_where_the_providers_shall_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGCHAIN_UNIFIED_LIVE", "1")
    assert use_emulator() is None
    assert {os.environ[name] for name in VARIABLES} == {"before"}


def test_its_answers_can_be_recorded(tmp_path: Path) -> None:
    """The key that it sets is no part of what a cassette says: a cassette with a key is not written."""
    server = use_emulator(["One."])
    assert server is not None
    try:
        with use_cassette(tmp_path / "hello.yaml", record="once"):
            assert ChatUnified("openai/gpt-5.6").invoke("Hi").text == "One."
    finally:
        server.stop()
    with use_cassette(tmp_path / "hello.yaml"):
        assert ChatUnified("openai/gpt-5.6").invoke("Hi").text == "One."
