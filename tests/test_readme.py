"""The programs of the README and of docs/ run as they stand, against a local server that answers in both ways."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.corpus import ROOT
from tests.support.replies import answer
from tests.support.server import Received, Reply, serve


def programs(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


BLOCKS = [
    pytest.param(block, id=f"{page}: {block.splitlines()[0][:50]}")
    for page in ("README.md", "docs/caching.md")
    for block in programs(page)
]


def respond(request: Received) -> Reply:
    """A tool call to whoever has tools and no result yet, else a short text."""
    body = request.json or {}
    results = (
        '"tool_result"' in str(request.body) or '"tool"' in str(request.body) or "call_output" in str(request.body)
    )
    if body.get("tools") and not results:
        return answer(request, "", (("get_weather", {"city": "Paris"}),))
    return answer(request, "Hello, all three.")


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serve(respond) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "not-a-key")
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url + "/v1")
        yield


@pytest.mark.parametrize("block", BLOCKS)
def test_a_program_of_the_readme(
    block: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):  # a program may set them: they are put back
        monkeypatch.setenv(variable, os.environ[variable])
    exec(compile(block, "README.md", "exec"), {"__name__": "__readme__"})
    printed = capsys.readouterr()
    assert printed.out.strip()
    assert printed.err == ""


def test_the_readme_has_its_programs() -> None:
    assert len(BLOCKS) >= 6
