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
