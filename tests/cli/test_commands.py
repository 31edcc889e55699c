"""The command line: what it prints and the exit codes it promises."""

from __future__ import annotations

import functools
import re
import signal
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from langchain_unified._extras import install
from langchain_unified._version import __version__
from langchain_unified.cli.commands import commands
from langchain_unified.testing import Fault, emulator


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(commands, args)
    return result.exit_code, result.stdout, result.stderr


@functools.cache
def the_demo() -> tuple[int, str, str]:
    return run("demo")


def test_the_demo_needs_no_key_and_says_who_answered() -> None:
    code, out, err = the_demo()
    assert (code, err) == (0, "")
    assert "an emulator on this machine answers" in out
    assert "Answered by the emulator, not by Anthropic or OpenAI." in out
    for model in ("anthropic/claude-opus-5", "openai/gpt-5.6"):
        assert model in out
    assert out.count("get_weather({'city': 'Paris'})") == 2
    assert out.count("Trip(city='Lisbon', days=4)") == 2
    assert "529 overloaded" in out
    assert "(answered by openai)" in out


def test_the_demo_shows_that_the_second_turn_hits_the_cache() -> None:
    _, out, _ = the_demo()
    turns = [line.split() for line in out.splitlines() if line.strip().startswith("second turn")]
    assert len(turns) == 2
    for _, _, _, read, *_ in turns:
        assert int(read.replace(",", "")) > 2000


def test_the_demo_says_what_each_call_costs_and_all_together() -> None:
    _, out, _ = the_demo()
    rows = [
        line
        for line in out.splitlines()
        if re.match(r" ?(streamed|tool call|tool answer|structured|second turn|fallback) .* \$", line)
    ]
    assert len(rows) == 11
    assert all(re.search(r"\$0\.\d{4} ", line) for line in rows)
    assert re.search(r"11 calls, \$0\.\d+ at the published prices", out)


def test_without_prices_the_demo_says_how_to_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    code, out, _ = run("demo")
    assert code == 0
    assert f"Costs need prices: {install('cost')}" in out.replace("\n", " ")


def test_the_demo_fits_50_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    _, out, _ = run("demo")
    assert max(map(len, out.splitlines())) <= 50
    assert "…" not in out


def test_a_question_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    with emulator(["It is ", "never mind"]) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "not-a-key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.anthropic_url)
        assert run("chat", "Hi?", "--max-tokens", "50") == (0, "It is \n", "")
        assert server.requests[0].body["max_tokens"] == 50


@pytest.mark.parametrize(
    "model, variable", [("openai/gpt-4o", "OPENAI_API_KEY"), ("anthropic/claude-opus-5", "ANTHROPIC_API_KEY")]
)
def test_without_a_key_it_names_the_variable_and_offers_the_demo(model: str, variable: str) -> None:
    code, out, err = run("chat", "Hi?", "--model", model)
    assert (code, out) == (2, "")
    assert variable in err
    assert "langchain-unified demo" in err


def test_live_without_a_key_likewise() -> None:
    code, _, err = run("demo", "--live")
    assert code == 2
    assert "ANTHROPIC_API_KEY" in err


def test_an_unknown_model_is_a_usage_error() -> None:
    code, _, err = run("chat", "Hi?", "--model", "gemini-pro")
    assert code == 2
    assert "anthropic/" in err


def test_a_failing_provider_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    with emulator() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        server.fail_next(Fault.http(401, {"error": {"message": "no", "type": "x", "code": "invalid_api_key"}}))
        code, out, err = run("chat", "Hi?", "--model", "openai/gpt-4o")
    assert (code, out) == (1, "")
    assert "AuthenticationError" in err
    assert "Traceback" not in err


def test_a_warning_is_a_line_and_no_place_in_our_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with emulator() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        code, out, err = run("chat", "Hi?", "--model", "openai/gpt-4o", "--max-tokens", "90000")
    assert (code, out.strip()) == (0, "You said: Hi?")
    said = " ".join(err.split())
    assert "Warning: gpt-4o is deprecated: OpenAI shut" in said
    assert "Warning: max_tokens: gpt-4o writes at most 16384 tokens: 16384 was sent." in said
    assert "Warning:" in err
    assert ".py" not in err
    assert "on_unsupported" not in err


def test_the_help_cuts_no_sentence() -> None:
    assert "..." not in run("--help")[1].partition("Commands:")[2]


def test_help_and_version() -> None:
    assert run("--version")[1].strip().endswith(__version__)
    assert all(name in run("--help")[1] for name in ("chat", "demo", "emulate"))


@pytest.mark.parametrize("module", ["langchain_unified", "langchain_unified.cli"])
def test_python_m_runs_the_command(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (f"langchain-unified, version {__version__}\n", "")


def _take_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_emulator_serves_until_it_is_stopped() -> None:
    """A process of its own, as a user starts it. It ends cleanly when it is interrupted."""
    command = [sys.executable, "-m", "langchain_unified", "emulate", "--port", "0"]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Tests that run in the background ignore SIGINT, and a child would inherit that.
    with subprocess.Popen(command, **pipes, preexec_fn=_take_interrupts) as process:  # noqa: PLW1509
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Anthropic: http://127.0.0.1:")
            for name in ("ANTHROPIC_BASE_URL=http", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL=http", "OPENAI_API_KEY"):
                while f"export {name}" not in line:
                    line = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)  # a busy machine is slow
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in err
