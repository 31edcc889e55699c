"""What the wheel and the source distribution hold, and what is installed without extras."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from langchain_unified import __version__
from tests.support.corpus import ROOT

pytest.importorskip("hatchling", reason="hatchling is not installed; the extra `test` brings it")

from tests.packaging.wheels import built

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = {
    str(path.relative_to(ROOT))
    for path in (ROOT / "langchain_unified").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(built(tmp_path_factory.mktemp("wheel"), "wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> tarfile.TarFile:
    return tarfile.open(built(tmp_path_factory.mktemp("sdist"), "sdist"))


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    return wheel.read(f"langchain_unified-{__version__}.dist-info/{name}").decode()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    info = f"langchain_unified-{__version__}.dist-info"
    assert {name for name in wheel.namelist() if not name.startswith(info)} == SOURCES
    assert {"langchain_unified/py.typed", "langchain_unified/data/models.json"} <= SOURCES
    assert {name.removeprefix(f"{info}/") for name in wheel.namelist() if name.startswith(info)} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    about = metadata(wheel, "METADATA")
    head = about.split("\n\n")[0]
    assert f"Version: {__version__}\n" in head
    assert f"Requires-Python: {PROJECT['requires-python']}\n" in head
    assert "License-Expression: MIT" in head
    assert set(re.findall(r"^Provides-Extra: (\S+)$", head, re.MULTILINE)) == set(PROJECT["optional-dependencies"])
    assert "langchain-unified = langchain_unified.cli:main" in metadata(wheel, "entry_points.txt")
    assert "Root-Is-Purelib: true" in metadata(wheel, "WHEEL")


def test_the_sdist_holds_what_the_tests_need_and_no_cache(sdist: tarfile.TarFile) -> None:
    names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert names >= SOURCES
    assert {"pyproject.toml", "PKG-INFO", "README.md", "LICENSE", "Makefile", "tests/conftest.py"} <= names
    tops = {name.split("/")[0] for name in names}
    assert tops <= {
        ".gitignore", "langchain_unified", "tests", "benchmarks", "docs", "cassettes", "notebooks", "README.md",
        "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "pyproject.toml", "mkdocs.yml",
    }  # fmt: skip
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".ipynb_checkpoints"))]


def test_no_key_is_in_either(wheel: zipfile.ZipFile, sdist: tarfile.TarFile) -> None:
    """The wheel's files have no key. The tests in the sdist have made-up ones."""
    for name in wheel.namelist():
        assert not re.search(rb"sk-(ant-api\d\d-|proj-)[\w-]{40,}", wheel.read(name)), name


CALL = """
import sys
from langchain_unified import ChatUnified
from langchain_unified.errors import UnifiedError
for name, url in (("anthropic/claude-sonnet-5", "http://127.0.0.1:9"), ("openai/gpt-5.6", "http://127.0.0.1:9/v1")):
    try:
        ChatUnified(name, base_url=url, api_key="any", max_retries=0).invoke("Hi")
    except UnifiedError:
        pass
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_a_call_uses_what_is_installed_without_extras_and_no_extra(tmp_path: Path) -> None:
    """Nothing answers at port 9: what is imported until then is what a call needs."""
    done = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, check=True, timeout=120)
    imported = set(done.stdout.split())
    declared = {re.split(r"[\[<>=;~! ]", line)[0].replace("-", "_") for line in PROJECT["dependencies"]}
    assert declared <= imported
    extras = {
        re.split(r"[\[<>=;~! ]", line)[0].replace("-", "_")
        for extra in ("emulator", "cassettes", "cli", "cost", "notebook")
        for line in PROJECT["optional-dependencies"][extra]
    }
    assert not (extras | {"vcr"}) & imported
