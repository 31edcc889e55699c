"""OpenAI's Agents SDK through the gateway, on both providers and both of its APIs. `make test-clients` installs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from langchain_unified.testing import emulator
from tests.support.gateways import serving

agents = pytest.importorskip("agents", reason="openai-agents is not installed: make test-clients")

CONFIG = """
model_list:
  - model_name: claude-opus-5
    litellm_params: {{model: anthropic/claude-opus-5, api_base: "{anthropic}", api_key: any}}
  - model_name: gpt-5.6
    litellm_params: {{model: openai/gpt-5.6, api_base: "{openai}", api_key: any}}
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, api_base: "{openai}", api_key: any}}
"""
CASES = [
    ("responses", "claude-opus-5"),
    ("responses", "gpt-5.6"),
    ("chat", "claude-opus-5"),
    ("chat", "gpt-4o"),  # gpt-5.6 takes tools on Responses only while it reasons
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulator() as provider:
        config = CONFIG.format(anthropic=provider.anthropic_url, openai=provider.openai_url)
        with serving(config, tmp_path_factory.mktemp("gateway")) as url:
            yield url


def agent(url: str, model: str, api: str) -> Any:
    client = openai.AsyncOpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0)
    kind = agents.OpenAIResponsesModel if api == "responses" else agents.OpenAIChatCompletionsModel
    agents.set_tracing_disabled(True)

    @agents.function_tool
    def lookup(key: str) -> str:
        """Look up a key."""
        return f"value of {key}"

    return agents.Agent(name="Helper", instructions="Be short.", tools=[lookup], model=kind(model, client))


@pytest.mark.parametrize("api, model", CASES)
async def test_a_tool_loop(api: str, model: str, gateway: str) -> None:
    result = await agents.Runner.run(agent(gateway, model, api), "Use lookup for abc.")
    assert "value of" in result.final_output
    assert result.context_wrapper.usage.input_tokens > 0


@pytest.mark.parametrize("api, model", CASES)
async def test_a_streamed_tool_loop(api: str, model: str, gateway: str) -> None:
    result = agents.Runner.run_streamed(agent(gateway, model, api), "Use lookup for abc.")
    async for _ in result.stream_events():
        pass
    assert "value of" in result.final_output
