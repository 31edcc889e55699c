"""`langchain-unified key …`: the same keys as by the endpoints, straight in the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from langchain_unified.cli.commands import commands


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "mysql://of-another-program")


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(commands, ["key", *args])
    return result.exit_code, result.stdout, result.stderr


def test_a_key_is_printed_alone_once_and_found_by_its_alias() -> None:
    code, out, err = run("generate", "--alias", "team-a", "--max-budget", "5", "--budget-duration", "1d", "--rpm", "3")
    assert code == 0
    secret = out.strip()
    assert secret.startswith("sk-")
    assert "cannot be shown again" in err
    code, out, _ = run("info", "team-a")
    found = json.loads(out)
    assert (code, found["max_budget"], found["rpm_limit"], found["spend_by_model"]) == (0, 5.0, 3, [])
    assert secret not in out
    _, out, _ = run("list")
    assert found["key_id"] in out
    assert "5 / 1d" in out
    assert secret not in out
    assert run("delete", found["key_id"]) == (0, f"{found['key_id']} is deleted\n", "")
    assert json.loads(run("list", "--json")[1]) == []
    code, out, err = run("delete", found["key_id"])
    assert (code, out) == (1, "")
    assert "There is no such key" in err


def test_all_fields_as_json() -> None:
    _, out, _ = run("generate", "--json", "--model", "a", "--model", "b/*", "--duration", "1h", "--parallel", "2")
    made = json.loads(out)
    assert (made["models"], made["max_parallel_requests"], made["max_budget"]) == (["a", "b/*"], 2, None)
    assert made["key"].startswith("sk-")


def test_the_database_of_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(
        "model_list:\n- model_name: m\n  litellm_params: {model: openai/gpt-5.6, api_key: k}\n"
        f"general_settings: {{master_key: sk-master, database_url: 'sqlite:///{tmp_path}/other.db'}}\n"
    )
    assert run("--config", str(config), "generate", "--alias", "x")[0] == 0
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "gateway.db").exists()


@pytest.mark.parametrize(
    "args, code, named",
    [
        (["delete", "nobody"], 2, "There is no database 'gateway.db'"),
        (["list"], 2, "--config or --database-url"),
        (["generate", "--duration", "5y"], 2, "'5y' is no duration"),
        (["generate", "--max-budget", "lots"], 2, "max_budget"),
        (["--database-url", "mysql://u:canary@h/d", "list"], 2, "'mysql'"),
        (["--database-url", "postgresql://u:canary@127.0.0.1:1/d", "list"], 1, "cannot reach its database"),
        (["--database-url", "sqlite:////no/such/folder/x.db", "generate"], 1, "cannot reach its database"),
        (["--config", "missing.yaml", "list"], 2, "missing.yaml"),
    ],
)
def test_what_cannot_be_done_is_one_line(args: list[str], code: int, named: str) -> None:
    found, out, err = run(*args)
    assert (found, out) == (code, "")
    assert named in err
    assert "Traceback" not in err
    assert "canary" not in err
