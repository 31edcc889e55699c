"""A missing extra is named with the command that installs it from where the package came."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from langchain_unified import _extras


def test_a_checkout_installs_from_itself() -> None:
    checkout = Path(_extras.__file__).parents[1]
    assert _extras.install("cost") == f"pip install -e '{checkout}[cost]'"


@pytest.mark.parametrize("url, expected", [
    (None, "'langchain-unified[cli,cost]'"),
    ("git+https://user:secret@example.com/it.git", "'langchain-unified[cli,cost]'"),
    ("file://{folder}", "'{folder}[cli,cost]'"),
    ("file:///nowhere/at/all", "'langchain-unified[cli,cost]'"),
])  # fmt: skip
def test_an_installed_package(url: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    text = url and json.dumps({"url": url.format(folder=str(folder).replace(" ", "%20")), "dir_info": {}})
    monkeypatch.setattr(_extras, "__file__", str(tmp_path / "site-packages/langchain_unified/_extras.py"))
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: SimpleNamespace(read_text=lambda file: text))
    assert _extras.install("cli", "cost") == f"pip install {expected.format(folder=folder)}"
