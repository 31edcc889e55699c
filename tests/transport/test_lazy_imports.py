from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = """
import sys
def loaded():
    return sorted({"anthropic", "openai", "httpx2"} & set(sys.modules))
"""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", LOADED + code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_importing_and_configuring_imports_nothing():
    code = """
import langchain_unified.transport as t
made = t.Transport(t.TransportConfig(provider="openai", api_key=None))
made.close()
print(loaded())
"""
    assert run(code) == "[]"


@pytest.mark.parametrize("provider,other", [("anthropic", "openai"), ("openai", "anthropic")])
def test_a_call_imports_its_own_sdk_only(provider, other):
    code = f"""
from langchain_unified.transport import *
from langchain_unified.errors import ConnectionFailedError
config = TransportConfig("{provider}", base_url="http://127.0.0.1:1", api_key=lambda: "k", max_retries=0)
try:
    Transport(config).send(HttpCall("/x", {{}}))
except ConnectionFailedError:
    print(loaded())
"""
    assert run(code) == str(sorted([provider, "httpx2"]))


BUILT = """
import sys
from langchain_unified import {name}
model = {name}({model!r}, api_key="k", temperature=0.5, model_kwargs={{"top_p": 0.5}})
copy = model.model_copy(update={{"temperature": 1.0}})
print(*sorted(name for name in sys.modules if name.startswith("langchain_unified.")))
"""
CALLS_ALONE = ("wires", "history", "messages", "structured", "schemas", "tools", "explain", "batches", "bulk", "cost")
"""Packages that only calls and bindings need."""


@pytest.mark.parametrize(
    "name,model",
    [("ChatAnthropic", "claude-sonnet-4-6"), ("ChatOpenAI", "gpt-5-mini"), ("ChatUnified", "openai/gpt-5-mini")],
)
def test_building_a_model_imports_nothing_that_calls_alone_need(name: str, model: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", BUILT.format(name=name, model=model)], check=True, capture_output=True, text=True
    )
    loaded = run.stdout.split()
    assert f"langchain_unified.chat_models.{name.removeprefix('Chat').lower()}" in loaded
    assert [each for each in loaded if each.split(".")[1] in CALLS_ALONE] == []
    assert "langchain_unified.transport.client" not in loaded
