"""The README as a newcomer reads it: its commands, and its programs and those of docs/ against the emulator.

The programs run as they stand, with the four exports that README and `langchain-unified emulate` name.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from langchain_unified.cli.commands import commands
from langchain_unified.testing import Emulator, emulator
from tests.support.corpus import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
MAY_BE_SILENT = ("docs/",)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


PROGRAMS = [
    pytest.param(page, block, id=f"{page}: {block.splitlines()[0][:50]}")
    for page in PAGES
    for block in blocks(page, "python")
]


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


def exports(server: Emulator) -> dict[str, str]:
    """README's exports, with the address of this emulator."""
    lines = re.findall(r"^export (\w+)=(\S+)$", README, re.MULTILINE)
    address = server.anthropic_url
    return {name: value.replace("http://127.0.0.1:8787", address) for name, value in lines}


@pytest.fixture
def _newcomer(server: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = exports(server)
    assert len(given) == 4
    for variable, value in given.items():  # a program may set them: they are put back
        monkeypatch.setenv(variable, value)


@pytest.mark.usefixtures("_newcomer")
@pytest.mark.parametrize("page, block", PROGRAMS)
def test_a_program(page: str, block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, page, "exec"), {"__name__": "__readme__"})
    printed = capsys.readouterr()
    assert printed.err == "" or "progress(" in block
    assert printed.out.strip() or page.startswith(MAY_BE_SILENT)


def test_the_readme_has_its_programs() -> None:
    assert len(blocks("README.md", "python")) >= 16


# --- commands ---------------------------------------------------------------------------------------------------------

SHELL = "\n".join(block for page in ("README.md", "docs/cost.md") for block in blocks(page, "sh"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_exports_are_those_that_the_emulator_prints() -> None:
    """In a process of its own, since it serves until it is stopped."""
    command = [sys.executable, "-m", "langchain_unified", "emulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = "".join(iter(process.stdout.readline, "Press Ctrl-C to stop.\n"))
        process.kill()
    found = dict(re.findall(r"export (\w+)=(\S+)", printed))
    port = re.search(r":(\d+)", printed)
    assert port is not None
    there = dict(re.findall(r"^export (\w+)=(\S+)$", README, re.MULTILINE))
    assert {name: value.replace(port[1], "8787") for name, value in found.items()} == there


def test_every_extra_that_is_installed_exists() -> None:
    named = re.findall(r"pip install (?:-e )?'(?:langchain-unified|\.)\[([\w,]+)\]'", README)
    assert len(named) >= 4
    assert {extra for each in named for extra in each.split(",")} <= set(PROJECT["optional-dependencies"])


def test_what_the_first_programs_need_is_installed_by_the_first_command() -> None:
    first = SHELL.splitlines()[0]
    assert first == "pip install 'langchain-unified[cli,emulator,cost]'"


@pytest.mark.parametrize("line", [line for line in SHELL.splitlines() if line.startswith("langchain-unified ")])
def test_a_command_of_the_readme_exists(line: str) -> None:
    command = line.split()[1]
    assert CliRunner().invoke(commands, [command, "--help"]).exit_code == 0


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`(?:\w+=\w+ )?make ([a-z-]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_file_leads_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (folder / file) if file else ROOT / page
        assert linked.exists(), target
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked), target


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the documentation site make them."""
    headings = re.findall(r"^#+ (.+?)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
