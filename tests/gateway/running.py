"""A gateway in front of the emulator, on the loopback, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from langchain_unified.gateway.build import build
from langchain_unified.gateway.config import GatewayConfig
from langchain_unified.gateway.server import RunningGateway
from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.server import Emulator

UPSTREAM_KEY = "sk-upstream-canary-0123456789"


@dataclass(frozen=True)
class Running:
    """A gateway and what stands behind it."""

    gateway: RunningGateway
    upstream: Emulator

    @property
    def url(self) -> str:
        return self.gateway.url

    @property
    def sent(self) -> list[Any]:
        """The requests that reached the upstream."""
        return self.upstream.requests


def entry(name: str, model: str, base_url: str, **params: Any) -> dict[str, Any]:
    """An entry of `model_list`."""
    litellm = {"model": model, "api_base": base_url, "api_key": UPSTREAM_KEY, **params}
    return {"model_name": name, "litellm_params": litellm}


def models_of(server: Emulator) -> list[dict[str, Any]]:
    """A model of each provider, and a wildcard for each."""
    return [
        entry("claude", "anthropic/claude-opus-5", server.anthropic_url),
        entry("gpt", "openai/gpt-5.6", server.openai_url),
        entry("anthropic/*", "anthropic/*", server.anthropic_url),
        entry("openai/*", "openai/*", server.openai_url),
    ]


@contextmanager
def gateway(
    script: Any = None, *, entries: Sequence[dict[str, Any]] | None = None, **sections: Any
) -> Iterator[Running]:
    """A running gateway. `entries`: more of them, which come first. `sections`: those of the configuration."""
    with emulator(script) as server:
        models = [*(entries or ()), *models_of(server)]
        sections.setdefault("router_settings", {"num_retries": 0})
        config = GatewayConfig.model_validate({"model_list": models, **sections})
        with RunningGateway(lambda: build(config, environ={})) as running:
            yield Running(running, server)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens in another thread. Fails after thirty seconds."""
    for _ in range(1500):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it does not happen")
