"""The systemd unit and the container file of the gateway's page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from langchain_unified.cli.commands import commands

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gateway.md").read_text()


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / "llm-gateway.service"
    # The program of the unit is not on this machine: systemd looks whether it is there.
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", block("ini")))
    done = subprocess.run([verify, "verify", str(unit)], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_commands_are_those_of_the_gateway() -> None:
    [start] = re.findall(r"(?m)^ExecStart=\S+/langchain-unified (.*)$", block("ini"))
    lines = dict(line.split(" ", 1) for line in block("dockerfile").splitlines())
    program, *arguments = json.loads(lines["CMD"])
    assert program == "langchain-unified"
    for command in (start.split(), arguments):
        assert command[0] == "serve"
        options = {name for option in commands.commands["serve"].params for name in option.opts}
        assert {each for each in command if each.startswith("--")} <= options
    assert lines.keys() <= {
        "FROM", "RUN", "USER", "WORKDIR", "COPY", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "CMD",
    }  # fmt: skip
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.search(r"langchain-unified\[([a-z,]+)\]", lines["RUN"])
    assert named is not None
    wanted = {name for extra in named[1].split(",") for name in [extra, *extras[extra]]}
    assert "gateway" in wanted or any("gateway" in each for each in wanted)
