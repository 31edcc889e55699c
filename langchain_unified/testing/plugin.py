"""A pytest plugin: `@pytest.mark.cassette` and the fixture `cassette` replay LLM traffic from files.

    pytest_plugins = ["langchain_unified.testing.plugin"]      # in the top-level conftest.py

    @pytest.mark.cassette                                      # cassettes/<module>/test_hello.yaml
    def test_hello(): ...

    @pytest.mark.cassette("greeting", unused="fail")           # cassettes/<module>/greeting.yaml
    def test_greeting(): ...

`--record` (or `$RECORD`) records; without it, tests need no network and no keys. Override the fixture
`cassette_settings` to set keywords of `langchain_unified.testing.use_cassette`. Tests with the marker `vcr` of
pytest-recording can return `vcr_config()` from their fixture `vcr_config`; their files end in `.llm.yaml`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

RECORD_MODES = ("none", "once", "new", "all")

NO_KEY = "replayed-without-a-key"
KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
"""Variables that are set to `NO_KEY` while a test replays, unless they are set: the SDKs need a key."""

LONGEST_NAME = 120
"""The characters of a file name without its suffix; file systems allow 255 bytes."""

OPEN = pytest.StashKey[tuple[Any, int]]()
"""For a test: its cassette, and the number of recordings in the file."""

REFUSALS = pytest.StashKey[list[Exception]]()
"""For the session: errors from cassettes of pytest-recording, which are raised after the test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record`, and the ini options `cassette_dir` and `cassette_unused`."""
    group = parser.getgroup("cassettes", "recorded LLM traffic")
    group.addoption(
        "--record",
        choices=RECORD_MODES,
        default=None,
        help="Cassettes: 'none' replays only, 'once' records missing files, 'new' adds missing recordings, "
        "'all' records everything again. Default: $RECORD, else 'none'.",
    )
    parser.addini(
        "cassette_dir", "The directory of all cassettes, relative to the root directory (default: beside each test)."
    )
    parser.addini(
        "cassette_unused",
        "What to do if a test leaves recordings unplayed: 'ignore' (default) or 'fail'.",
        default="ignore",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "cassette(name=None, *, unused=None, **settings): replay the test's HTTP calls from a file, or record them.",
    )
    config.stash[REFUSALS] = []


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Let a test with the marker use the fixture, before pytest sorts the fixtures."""
    is_test = getattr(collector, "funcnamefilter", lambda _: False)
    if not inspect.isfunction(obj) or not is_test(name):
        return
    marks = getattr(obj, "pytestmark", [])
    if any(mark.name == "cassette" for mark in marks) or collector.get_closest_marker("cassette"):
        pytest.mark.usefixtures("cassette")(obj)


@pytest.fixture
def cassette_settings() -> dict[str, Any]:
    """Keywords of `use_cassette` for the cassettes of the tests that see this fixture. Override it."""
    return {}


@pytest.fixture
def cassette(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, cassette_settings: dict[str, Any]
) -> Iterator[Any]:
    """The test's cassette, open while the test runs."""
    from langchain_unified.testing.cassettes import use_cassette

    marker = request.node.get_closest_marker("cassette")
    names, settings = (marker.args, dict(marker.kwargs)) if marker else ((), {})
    settings.pop("unused", None)  # handled in `pytest_runtest_call`, so that the test fails
    path = cassette_path(request.node, settings.pop("name", None) or (names[0] if names else None))
    record: Any = record_mode(request.config)
    if record == "none" or (record == "once" and path.exists()):
        for key in (key for key in KEYS if not os.environ.get(key)):
            monkeypatch.setenv(key, NO_KEY)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    options = {"record": record, "recorded_at": today, **cassette_settings, **settings}
    with use_cassette(path, **options) as opened:
        request.node.stash[OPEN] = opened, len(opened)
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that passed but left recordings unplayed, if `unused` is `fail`."""
    result = yield
    opened, loaded = item.stash.get(OPEN, (None, 0))
    if opened is not None and _unused(item) == "fail":
        from langchain_unified.testing.cassettes import unused_message
        from langchain_unified.testing.cassettes_miss import unused_recordings

        if left := unused_recordings(opened, loaded):
            pytest.fail(unused_message(opened._path, left), pytrace=False)
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Let the cassettes of pytest-recording use our file format."""
    from langchain_unified.testing.cassettes import RefusalKeeper, register

    register(vcr, recorded_at=dt.datetime.now(dt.UTC).date().isoformat())
    vcr.register_persister(RefusalKeeper(vcr.persister, config.stash[REFUSALS]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Raise the errors that were collected while the cassette was closed."""
    refusals = item.config.stash[REFUSALS]
    refusals.clear()
    result = yield
    if refusals:
        raise refusals[0]
    return result


def record_mode(config: pytest.Config) -> str:
    """The mode of this run: `--record`, else `$RECORD`, else `none`."""
    mode = str(config.getoption("--record") or os.environ.get("RECORD") or "none")
    if mode not in RECORD_MODES:
        raise pytest.UsageError(f"$RECORD is {mode!r}. The record modes are {', '.join(RECORD_MODES)}.")
    return mode


def cassette_path(item: Any, name: str | None = None) -> Path:
    """The path of a test's cassette: beside the test, or in `cassette_dir` at the path of the test's module."""
    base = str(item.config.getini("cassette_dir") or "")
    if base:
        here = os.path.relpath(item.path.with_suffix(""), item.config.rootpath)
        folder = item.config.rootpath / base / here
    else:
        folder = item.path.parent / "cassettes" / item.path.stem
    return Path(folder / f"{name.removesuffix('.yaml') if name else _file_name(item)}.yaml")


def _file_name(item: Any) -> str:
    """`Class.test[param]` in characters that every file system allows, with a hash if others are replaced."""
    full = f"{item.cls.__name__}.{item.name}" if item.cls else str(item.name)
    plain = re.sub(r"[^\w.-]+", "-", full).strip("-")[:LONGEST_NAME]
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return plain if re.fullmatch(r"[\w.-]+(\[[\w.-]+\])?", full) and len(full) <= LONGEST_NAME else f"{plain}-{digest}"


def _unused(item: pytest.Item) -> str:
    marker = item.get_closest_marker("cassette")
    return str((marker.kwargs.get("unused") if marker else None) or item.config.getini("cassette_unused"))
