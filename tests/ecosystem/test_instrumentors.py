"""Instrumentation of the SDKs beside our models: what it sees of a call with `sdk_methods=True`."""

from __future__ import annotations

import functools
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

WIRES, WAYS = ("messages", "chat", "responses"), ("invoke", "stream", "ainvoke", "astream")

# Its packages, the attributes of model, input and output tokens, and the wires that it sees.
INSTRUMENTED = {
    "traceloop": (
        "opentelemetry.instrumentation.openai", "gen_ai.response.model", "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens", WIRES,
    ),
    "openinference": (
        "openinference.instrumentation.openai", "llm.model_name", "llm.token_count.prompt",
        "llm.token_count.completion", WIRES,
    ),
    "logfire": (
        "logfire", "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", WIRES,
    ),
    "langfuse": (
        "langfuse", "langfuse.observation.model.name", "langfuse.observation.usage_details",
        "langfuse.observation.usage_details", ("chat", "responses"),
    ),
    "anthropic_sdk": (
        "opentelemetry.sdk", "gen_ai.response.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
        ("messages",),
    ),
}  # fmt: skip


@functools.cache
def spans_of(name):
    """By wire and way, the spans of one instrumentation, made in a process of its own."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "ignore", "-m", "tests.ecosystem.spans", name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=240, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"wire"')]
    return {(line["wire"], line["way"]): line["spans"] for line in lines}


def is_installed(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name,wire", [(name, wire) for name, row in INSTRUMENTED.items() for wire in row[-1]])
def test_it_sees_model_and_usage_of_each_call(name, wire, way):
    module, model_key, in_key, out_key, _ = INSTRUMENTED[name]
    if not is_installed(module):
        pytest.skip("`make test-ecosystem` installs what is tested here")
    found = [span for span in spans_of(name)[wire, way] if span.get(in_key)]
    assert len(found) == 1
    assert found[0][model_key] == ("claude-sonnet-4-6" if wire == "messages" else "gpt-5.4")
    assert found[0][out_key]
