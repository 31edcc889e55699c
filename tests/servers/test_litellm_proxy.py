"""LiteLLM's own proxy in front of the emulator: a real server of another make, on both APIs.

It runs where `LITELLM` names the proxy's executable, in an environment of its own: `make test-litellm`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from langchain_unified import AuthenticationError, ChatAnthropic, ChatOpenAI, InvalidRequestError, NotFoundError
from langchain_unified.testing import emulator

pytestmark = pytest.mark.skipif("LITELLM" not in os.environ, reason="LITELLM names no executable: make test-litellm")

KEY = "sk-emulated-0123456789abcdef"  # the proxy refuses short ones
CONFIG = """
model_list:
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, api_base: "{openai}", api_key: any}}
  - model_name: gpt-5.6
    litellm_params: {{model: openai/gpt-5.6, api_base: "{openai}", api_key: any}}
  - model_name: claude-sonnet-5
    litellm_params: {{model: anthropic/claude-sonnet-5, api_base: "{anthropic}", api_key: any}}
general_settings: {{master_key: {key}}}
"""
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Look up a key.",
        "parameters": {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]},
    },
}
SCHEMA = {"title": "Answer", "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
START_SECONDS = 240

MODELS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "openai to openai": (ChatOpenAI, {"model": "gpt-4o"}),
    "openai to anthropic": (ChatOpenAI, {"model": "claude-sonnet-5"}),
    "responses to openai": (ChatOpenAI, {"model": "gpt-4o", "use_responses_api": True}),
    "anthropic to anthropic": (ChatAnthropic, {"model": "claude-sonnet-5"}),
    "anthropic to openai": (ChatAnthropic, {"model": "gpt-5.6"}),
}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a proxy whose upstream is the emulator."""
    folder = tmp_path_factory.mktemp("litellm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with emulator() as server, (folder / "log").open("w") as log:
        config = folder / "config.yaml"
        config.write_text(CONFIG.format(openai=server.openai_url, anthropic=server.anthropic_url, key=KEY))
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        env |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
        command = [os.environ["LITELLM"], "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx2.get(url, timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.5)
    pytest.fail(f"the proxy did not start:\n{log.read_text()[-2000:]}")


def model_of(name: str, proxy: str, **fields: Any) -> Any:
    cls, own = MODELS[name]
    url = proxy if cls is ChatAnthropic else f"{proxy}/v1"
    return cls(**{**own, "base_url": url, "api_key": KEY, "dialect": "litellm", "max_retries": 0, **fields})


each_model = pytest.mark.parametrize("name", MODELS)


@each_model
def test_whole_streamed_and_async(name: str, proxy: str) -> None:
    model = model_of(name, proxy)
    whole = model.invoke("one two three")
    assert "one two three" in whole.text
    assert whole.usage_metadata["output_tokens"] > 0
    assert "".join(chunk.text for chunk in model.stream("one two three")) == whole.text
    assert asyncio.run(model.ainvoke("one two three")).text == whole.text


@each_model
def test_a_tool_loop(name: str, proxy: str) -> None:
    model = model_of(name, proxy).bind_tools([TOOL])
    question = HumanMessage("Use lookup for abc.")
    answer = model.invoke([question])
    streamed = None
    for chunk in model.stream([question]):
        streamed = chunk if streamed is None else streamed + chunk
    assert [call["name"] for call in answer.tool_calls] == ["lookup"]
    assert [call["args"] for call in streamed.tool_calls] == [call["args"] for call in answer.tool_calls]
    result = ToolMessage("value-7", tool_call_id=answer.tool_calls[0]["id"])
    assert "value-7" in model.invoke([question, answer, result]).text


@each_model
def test_structured_output_and_counting(name: str, proxy: str) -> None:
    model = model_of(name, proxy)
    assert isinstance(model.with_structured_output(SCHEMA).invoke("Give a number.")["n"], int)
    assert model.get_num_tokens_from_messages([HumanMessage("hello")]) > 0


@each_model
def test_errors_of_the_proxy(name: str, proxy: str) -> None:
    with pytest.raises((InvalidRequestError, NotFoundError)):
        model_of(name, proxy, model="no-such-model").invoke("hi")
    with pytest.raises((AuthenticationError, InvalidRequestError)) as caught:
        model_of(name, proxy, api_key="sk-wrong-0123456789").invoke("hi")
    assert "wrong-0123456789" not in str(caught.value)
