"""The page of docs/ about displays."""

from __future__ import annotations

import re

import pytest

from langchain_unified import display
from langchain_unified.testing import emulator
from tests.display.helpers import NEEDS_TQDM
from tests.support.corpus import ROOT

PAGE = (ROOT / "docs" / "display.md").read_text(encoding="utf-8")


def test_the_page_names_everything() -> None:
    assert [name for name in display.__all__ if f"{name}" not in PAGE] == []


@NEEDS_TQDM
def test_the_program_of_the_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with emulator() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.anthropic_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
        program = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
        assert len(program) == 1
        exec(compile(program[0], "display.md", "exec"), {})
    out = capsys.readouterr().out
    for said in ("You said: Name a city by the sea.", "goes out with changes", "You said: Who lives there?"):
        assert said in out
