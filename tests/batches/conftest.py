"""Batches against the emulator, on each API: Messages, Chat Completions and Responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from langchain_unified import ChatUnified
from langchain_unified.batches import runner
from langchain_unified.testing import Emulator, emulator

MODELS = {"messages": "anthropic/claude-sonnet-5", "chat": "openai/gpt-4o-mini", "responses": "openai/gpt-5-mini"}
KEY = "sk-test-0123456789abcdefghijkl"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost answers and files are looked for at once."""
    monkeypatch.setattr(runner, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(runner, "FILE_WAIT", 0.0)


@pytest.fixture(params=MODELS)
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def model_at(server: Emulator, api: str, model: str = "", **fields: Any) -> ChatUnified:
    """A model of an API at an emulator, without retries of its own."""
    url = server.anthropic_url if api == "messages" else server.openai_url
    return ChatUnified(model or MODELS[api], base_url=url, api_key=KEY, **{"max_retries": 0, **fields})


@pytest.fixture
def start() -> Iterator[Callable[..., Emulator]]:
    """Starts emulators, which stop at the end of the test."""
    running: list[Emulator] = []

    def begin(**settings: Any) -> Emulator:
        server = emulator(**settings)
        server.__enter__()
        running.append(server)
        return server

    yield begin
    for server in running:
        server.__exit__(None, None, None)


def created(server: Emulator) -> list[Any]:
    """The requests that created a batch."""
    return [each for each in server.requests if each.endpoint.endswith("batches.create")]
