"""`make` with a Python that is too old says so at once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.corpus import ROOT


def old_python(folder: Path) -> Path:
    """A program that behaves like Python 3.10 in the two ways that `make` asks it."""
    path = folder / "python3.10"
    path.write_text('#!/bin/sh\ncase "$1" in --version) echo "Python 3.10.13" ;; *) exit 1 ;; esac\n')
    path.chmod(0o755)
    return path


def without_make() -> dict[str, str]:
    """The environment without the options of a `make` that runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["test", "docs", "demo", "test-oldest"])
def test_an_old_python_is_named_with_the_remedy(target: str, tmp_path: Path) -> None:
    python = old_python(tmp_path)
    folders = (f"VENV={tmp_path}/venv", f"VENV_OLDEST={tmp_path}/oldest")
    found = subprocess.run(
        ["make", "--no-print-directory", target, *folders, f"PYTHON={python}"],
        cwd=ROOT, capture_output=True, text=True, check=False, env=without_make(),
    )  # fmt: skip
    assert found.returncode != 0
    assert f"langchain-unified needs Python 3.11 or newer; {python} is Python 3.10.13." in found.stderr
    assert f"make PYTHON=python3.13 {target}" in found.stderr
    assert found.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["python3.10"]
