"""The gateway's demo: curl, both SDKs and LangChain talk through it to models of both providers.

The emulator answers in place of the providers. No key, no network.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from langchain_unified import ChatOpenAI
from langchain_unified.gateway.build import build
from langchain_unified.gateway.config import GatewayConfig
from langchain_unified.gateway.server import RunningGateway
from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.server import Emulator

MASTER_KEY = "sk-demo-master-key"
QUESTION = "What is the weather in Paris? Use get_weather."

CONFIG = """\
model_list:
  - model_name: claude
    litellm_params:
      model: anthropic/claude-opus-5
      api_base: {anthropic}
      api_key: the-key-of-anthropic
  - model_name: gpt
    litellm_params:
      model: openai/gpt-5.6
      api_base: {openai}
      api_key: the-key-of-openai
general_settings:
  master_key: {master_key}
  database_url: sqlite:///{folder}/gateway.db
"""


def get_weather(city: str) -> str:
    """The current weather in a city."""
    return f"18 degrees Celsius and clear in {city}"


@contextmanager
def _running(console: Console) -> Iterator[str]:
    """The address of a gateway in front of the emulator."""
    import yaml

    with emulator() as server, tempfile.TemporaryDirectory() as folder:
        text = _config(server, folder)
        console.print(Panel(text.rstrip(), title="gateway.yaml"))
        config = GatewayConfig.model_validate(yaml.safe_load(text))
        with RunningGateway(lambda: build(config)) as gateway:
            yield gateway.url


def _config(server: Emulator, folder: str) -> str:
    return CONFIG.format(
        anthropic=server.anthropic_url, openai=server.openai_url, master_key=MASTER_KEY, folder=Path(folder).as_posix()
    )


def run(console: Console) -> None:
    """Run the demo."""
    intro = "No key and no network: an emulator on this machine answers in place of Anthropic and OpenAI."
    console.print(Panel(intro, title="langchain-unified serve", border_style="yellow"))
    with _running(console) as url:
        key = _new_key(console, url)
        _curl(console, url, key)
        _openai_sdk(console, url, key)
        _anthropic_sdk(console, url, key)
        _langchain(console, url, key)
        _spend(console, url, key)


def _step(console: Console, title: str) -> None:
    console.print()
    console.rule(f"[bold]{title}")


def _new_key(console: Console, url: str) -> str:
    _step(console, "A key with a budget of $5")
    fields = {"key_alias": "demo", "max_budget": 5, "models": ["claude", "gpt"]}
    made = _json(url + "/key/generate", MASTER_KEY, fields)
    key = str(made["key"])
    console.print(Text(f"POST /key/generate -> {key[:6]}… (shown this once, stored as a hash)", style="magenta"))
    return key


def _curl(console: Console, url: str, key: str) -> None:
    _step(console, "curl: Chat Completions, answered by Claude")
    body = orjson.dumps({"model": "claude", "messages": [{"role": "user", "content": "what llm are you"}]}).decode()
    command = ["curl", "-sS", f"{url}/chat/completions", "-H", "Content-Type: application/json", "-d", body]
    console.print(Text(f"$ curl {url}/chat/completions -H 'Authorization: Bearer …' -d '{body}'", style="cyan"))
    if shutil.which("curl") is None:
        answer = _json(url + "/chat/completions", key, orjson.loads(body))
    else:
        command += ["-H", f"Authorization: Bearer {key}"]
        answer = orjson.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)  # noqa: S603
    console.print(f"{answer['model']}: {answer['choices'][0]['message']['content']}", markup=False)


def _openai_sdk(console: Console, url: str, key: str) -> None:
    import openai

    _step(console, "OpenAI's SDK: a Responses stream, answered by Claude")
    console.print(Text('openai.OpenAI(base_url=url).responses.create(model="claude", stream=True, …)', style="cyan"))
    for event in openai.OpenAI(base_url=url, api_key=key).responses.create(
        model="claude", input="A poem, please.", stream=True
    ):
        if event.type == "response.output_text.delta":
            console.print(event.delta, end="", markup=False)
    console.print()


def _anthropic_sdk(console: Console, url: str, key: str) -> None:
    import anthropic

    _step(console, "Anthropic's SDK: a Messages stream, answered by GPT")
    console.print(Text('anthropic.Anthropic(base_url=url).messages.stream(model="gpt", …)', style="cyan"))
    messages: list[Any] = [{"role": "user", "content": "Are you there?"}]
    client = anthropic.Anthropic(base_url=url, api_key=key)
    with client.messages.stream(model="gpt", max_tokens=100, messages=messages) as stream:
        for text in stream.text_stream:
            console.print(text, end="", markup=False)
    console.print()


def _langchain(console: Console, url: str, key: str) -> None:
    from langchain_core.messages import HumanMessage, ToolMessage

    _step(console, "LangChain: a tool call and its result, on Claude by way of Chat Completions")
    model: Any = ChatOpenAI(model="claude", base_url=url, api_key=key).bind_tools([get_weather])
    messages: list[Any] = [HumanMessage(QUESTION)]
    called = model.invoke(messages)
    messages.append(called)
    for call in called.tool_calls:
        result = get_weather(**call["args"])
        console.print(Text(f"{call['name']}({call['args']}) -> {result}", style="magenta"))
        messages.append(ToolMessage(result, tool_call_id=call["id"]))
    console.print(str(model.invoke(messages).text), markup=False)


def _spend(console: Console, url: str, key: str) -> None:
    _step(console, "What the key has spent")
    info = _json(url + "/key/info", key)["info"]
    table = Table()
    for name in ("model", "calls", "input", "output", "US dollars"):
        table.add_column(name, justify="left" if name == "model" else "right")
    for row in info["spend_by_model"]:
        counts = (str(row[name]) for name in ("requests", "input_tokens", "output_tokens"))
        table.add_row(row["model"], *counts, f"{row['spend']:.6f}")
    console.print(table)
    console.print(f"Spent ${info['spend']:.6f} of ${info['max_budget']:.2f}.", markup=False)


def _json(url: str, key: str, body: Any = None) -> Any:
    """The answer to a request with this key."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(url, None if body is None else orjson.dumps(body), headers)  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return orjson.loads(answer.read())
