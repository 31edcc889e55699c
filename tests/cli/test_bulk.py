"""`langchain-unified bulk`: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from langchain_unified.cli.commands import commands
from tests.support.quota_server import QuotaServer, quota_server

ROWS = '{"id": "a", "text": "q1"}\n{"id": "b", "text": "q2"}\n{"id": "c", "text": "q3"}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rows.jsonl").write_text(ROWS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    return tmp_path


def run(server: QuotaServer, *args: str) -> Result:
    given = ["--model", "openai/gpt-5.6", "--base-url", server.base_url, "--out", "answers.jsonl"]
    given += ["--param", "use_responses_api=false"]
    return CliRunner().invoke(commands, ["bulk", "rows.jsonl", *given, *args])


def answers(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]


def test_all_rows(folder: Path) -> None:
    with quota_server() as server:
        done = run(server, "--input", "Say {text}", "--system", "Be brief.", "--param", "seed=1", "--budget", "1")
        again = run(server, "--input", "Say {text}", "--system", "Be brief.", "--param", "seed=1")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("3 of 3 rows answered, 0 failed, 3 in this run")
    assert done.stdout.endswith("→ answers.jsonl\n")
    assert again.stdout.startswith("3 of 3 rows answered, 0 failed, 0 in this run")
    assert {row["id"]: row["text"] for row in answers(folder)}["c"] == "answer to Say q3"


def test_failed_rows_and_retry(folder: Path) -> None:
    with quota_server(fault=lambda text, asked: 400 if text == "q2" and asked == 1 else None) as server:
        done = run(server, "--input", "text")
        assert done.exit_code == 1
        assert "b: InvalidRequestError: openai 400" in done.stderr
        assert "Ask for the 1 failed rows again with --retry." in done.stderr
        assert run(server, "--input", "text").exit_code == 1
        assert run(server, "--input", "text", "--retry").exit_code == 0
    assert server.asked["q2"] == 2
    assert all(row["error"] is None for row in answers(folder))


@pytest.mark.parametrize(
    "args, message",
    [
        (["--input", "question"], "row 1 has no column 'question'"),
        ([], "row 1 has no column for the input"),
        (["--input", "text", "--param", "temperature"], "write NAME=VALUE"),
        (["--input", "text", "--param", "temprature=1"], "temprature"),
        (["--input", "text", "--schema", "rows.jsonl"], "rows.jsonl is no JSON"),
    ],
)
def test_what_cannot_run(folder: Path, args: list[str], message: str) -> None:
    with quota_server() as server:
        done = run(server, *args)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not server.asked


def test_an_error_of_the_account(folder: Path) -> None:
    with quota_server(fault=lambda text, asked: 401) as server:
        done = run(server, "--input", "text")
    assert done.exit_code == 1
    assert "AuthenticationError" in done.stderr
    assert "The same call goes on with the others." in done.stderr
