"""Claude Code and Codex through the gateway, each on each provider: the real programs, with a tool loop.

They run where `CODING_AGENTS` names the folder with their executables: `make test-clients` installs both from npm,
which needs Node. Neither reaches a network: the gateway's upstream is the emulator.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from langchain_unified.request import Request
from langchain_unified.testing import Fault, emulator
from langchain_unified.testing.emulation.server import Emulator
from tests.support.gateways import serving

pytestmark = pytest.mark.skipif("CODING_AGENTS" not in os.environ, reason="CODING_AGENTS is not set: make test-clients")

CONFIG = """
model_list:
  - model_name: claude-opus-5
    litellm_params: {{model: anthropic/claude-opus-5, api_base: "{anthropic}", api_key: any}}
  - model_name: claude-on-gpt
    litellm_params: {{model: openai/gpt-5.6, api_base: "{openai}", api_key: any}}
  - model_name: my-alias
    litellm_params: {{model: anthropic/claude-opus-5, api_base: "{anthropic}", api_key: any}}
  - model_name: gpt-5.6
    litellm_params: {{model: openai/gpt-5.6, api_base: "{openai}", api_key: any}}
"""
WORD = "plum"
QUESTION = "Read notes.txt and tell me the word"
SECONDS = 120


def answer(request: Request) -> dict[str, Any] | str:
    """What the model says: read the file by a tool that the program has, then repeat what the tool returned."""
    names = {tool.name for tool in request.tools}
    if not names:
        return "A title"
    if request.turns[-1].role == "tool":
        text = " ".join(block.get("text", "") for block in request.turns[-1].blocks)
        return f"The word is {WORD}." if WORD in text else f"No word in: {text}"
    found = next((tool for tool in READERS if tool in names), None)
    assert found, f"none of the tools reads a file: {sorted(names)}"
    return {
        "content": "I read it.",
        "reasoning": "The file has the word.",
        "tool_calls": [{"name": found, "args": READERS[found]}],
    }


READERS: dict[str, dict[str, Any]] = {
    "Read": {"file_path": "notes.txt"},
    "exec_command": {"cmd": "cat notes.txt"},
    "shell": {"command": ["bash", "-c", "cat notes.txt"]},
}
"""What Claude Code and Codex call their tools that read a file."""


@dataclass
class Place:
    """The gateway, the provider behind it, and a folder to work in."""

    url: str
    provider: Emulator
    folder: Path

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The bodies that the provider got and answered at a path."""
        return [found.body for found in self.provider.requests if found.path == path and found.status == 200]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "work").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "work" / "notes.txt").write_text(f"the word is {WORD}\n")
    READERS["Read"]["file_path"] = str(tmp_path / "work" / "notes.txt")
    with emulator(answer) as provider:
        config = CONFIG.format(anthropic=provider.anthropic_url, openai=provider.openai_url)
        with serving(config, tmp_path) as url:
            yield Place(url, provider, tmp_path)


def run(place: Place, command: list[str], **env: str) -> list[dict[str, Any]]:
    """Run a program to its end; the events that it prints as JSON lines."""
    home = str(place.folder / "home")
    found = subprocess.run(
        [str(Path(os.environ["CODING_AGENTS"]) / command[0]), *command[1:]],
        env={"PATH": os.environ["PATH"], "HOME": home, "CODEX_HOME": home, **env},
        cwd=place.folder / "work",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]


def claude_code(place: Place, model: str, question: str = QUESTION) -> dict[str, Any]:
    """Ask Claude Code; its last event, the result."""
    command = ["claude", "-p", question, "--output-format", "stream-json", "--verbose", "--allowedTools", "Read"]
    quiet = {"DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    events = run(place, [*command, "--model", model], ANTHROPIC_BASE_URL=place.url, ANTHROPIC_API_KEY="sk-any", **quiet)
    return events[-1]


def codex(place: Place, model: str, question: str = QUESTION) -> list[dict[str, Any]]:
    """Ask Codex; its events."""
    provider = f'{{name="gateway",base_url="{place.url}/v1",env_key="OPENAI_API_KEY",wire_api="responses"}}'
    settings = ["-c", 'model_provider="gateway"', "-c", f"model_providers.gateway={provider}", "-m", model]
    command = ["codex", "exec", "--json", "--skip-git-repo-check", "-s", "danger-full-access", *settings, question]
    return run(place, command, OPENAI_API_KEY="sk-any")


def said(events: list[dict[str, Any]]) -> str:
    """The texts of Codex's messages."""
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return " ".join(item["text"] for item in items if item["type"] == "agent_message")


def proofs(value: Any) -> list[str]:
    """The signatures and encrypted reasoning in a body."""
    if isinstance(value, dict):
        own = [text for key, text in value.items() if key in ("signature", "encrypted_content") and text]
        return own + [proof for item in value.values() for proof in proofs(item)]
    return [proof for item in value for proof in proofs(item)] if isinstance(value, list) else []


PATHS = {
    "claude-opus-5": "/v1/messages",
    "my-alias": "/v1/messages",
    "claude-on-gpt": "/v1/responses",
    "gpt-5.6": "/v1/responses",
}


@pytest.mark.parametrize("model", ["claude-opus-5", "my-alias", "claude-on-gpt"])
def test_claude_code_reads_a_file(model: str, place: Place) -> None:
    result = claude_code(place, model)
    assert not result["is_error"], result
    assert WORD in result["result"]
    second = place.asked(PATHS[model])[-1]
    assert proofs(second), "the reasoning of the first turn came back without its proof"


@pytest.mark.parametrize("model", ["gpt-5.6", "claude-opus-5"])
def test_codex_reads_a_file(model: str, place: Place) -> None:
    events = codex(place, model)
    assert WORD in said(events), events
    second = place.asked(PATHS[model])[-1]
    assert proofs(second), "the reasoning of the first turn came back without its proof"


@pytest.mark.parametrize("model", ["claude-opus-5", "claude-on-gpt"])
@pytest.mark.parametrize("fault", ["rate_limit; retry_after=1", "server_error", "overloaded"])
def test_claude_code_tries_again(fault: str, model: str, place: Place) -> None:
    place.provider.fail_next(fault)
    result = claude_code(place, model)
    assert not result["is_error"], result
    assert WORD in result["result"]


@pytest.mark.parametrize("model", ["gpt-5.6", "claude-opus-5"])
@pytest.mark.parametrize("fault", ["rate_limit; retry_after=1", "server_error", "overloaded", "overloaded_mid_stream"])
def test_codex_tries_again(fault: str, model: str, place: Place) -> None:
    place.provider.fail_next(fault)
    assert WORD in said(codex(place, model))


def full_context(model: str) -> Fault:
    """The refusal of an input that is too long, in the words of the model's provider."""
    if model.startswith("claude-opus"):
        message = "prompt is too long: 1210000 tokens > 1000000 maximum"
        error = {"type": "invalid_request_error", "message": message}
        return Fault.http(400, {"type": "error", "error": error})
    message = "Your input exceeds the context window of this model. Please adjust your input and try again."
    error = {"type": "invalid_request_error", "param": "input", "code": "context_length_exceeded", "message": message}
    return Fault.http(400, {"error": error})


@pytest.mark.parametrize("model", ["claude-opus-5", "claude-on-gpt"])
def test_claude_code_knows_a_full_context(model: str, place: Place) -> None:
    """Its recovery matches Anthropic's own words, whoever refuses."""
    place.provider.fail_next(full_context(model), times=20)
    result = claude_code(place, model)
    assert "prompt is too long" in result["result"].lower(), result


@pytest.mark.parametrize("model", ["gpt-5.6", "claude-opus-5"])
def test_codex_knows_a_full_context(model: str, place: Place) -> None:
    place.provider.fail_next(full_context(model), times=20)
    errors = [str(event) for event in codex(place, model) if event["type"] in ("error", "turn.failed")]
    assert any("context window" in error for error in errors), errors
