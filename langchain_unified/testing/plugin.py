"""Pytest: `@pytest.mark.cassette` and the fixture `cassette` replay LLM traffic from files; `--record` records it.

    pytest_plugins = ["langchain_unified.testing.plugin"]      # in the top-level conftest.py

    @pytest.mark.cassette                                      # cassettes/<module>/test_hello.yaml
    def test_hello(): ...

    @pytest.mark.cassette("greeting", unused="fail")           # cassettes/<module>/greeting.yaml
    def test_greeting(): ...

Without `--record` (or `$RECORD`) nothing leaves the machine and no key is needed. The fixture `cassette_settings` may
be overridden: it gives keywords of `langchain_unified.testing.cassettes.use_cassette`. Tests with pytest-recording's
marker `vcr` may return `vcr_config()` from their fixture `vcr_config`; their files end in `.llm.yaml`.
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
"""Set to `NO_KEY` while a test only replays, where they are not set: the SDKs refuse to start without one."""

LONGEST_NAME = 120
"""Characters of a file's name without suffix; file systems allow 255 bytes."""

OPEN = pytest.StashKey[tuple[Any, int]]()
"""Of a test: its cassette, and how many recordings the file held."""

REFUSALS = pytest.StashKey[list[Exception]]()
"""Of the session: refusals to write, which pytest-recording's cassettes cannot raise by themselves."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record`, and the ini options `cassette_dir` and `cassette_unused`."""
    group = parser.getgroup("cassettes", "recorded LLM traffic")
    group.addoption(
        "--record",
        choices=RECORD_MODES,
        default=None,
        help="Cassettes: 'none' (default) replays only, 'once' records missing files, 'new' adds missing requests, "
        "'all' records again. Default: $RECORD.",
    )
    parser.addini("cassette_dir", "Directory of all cassettes, from the root directory (default: beside each test).")
    parser.addini("cassette_unused", "Recordings that a test leaves unplayed: 'ignore' or 'fail'.", default="ignore")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "cassette(name=None, *, unused=None, **settings): replay the test's HTTP calls from a file, or record them.",
    )
    config.stash[REFUSALS] = []


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """The marker asks for the fixture, before pytest works out the order of fixtures."""
    is_test = getattr(collector, "funcnamefilter", lambda _: False)
    if not inspect.isfunction(obj) or not is_test(name):
        return
    own = getattr(obj, "pytestmark", [])
    if any(mark.name == "cassette" for mark in own) or collector.get_closest_marker("cassette"):
        pytest.mark.usefixtures("cassette")(obj)


@pytest.fixture
def cassette_settings() -> dict[str, Any]:
    """Keywords of `use_cassette` for every cassette in reach of the fixture that overrides this one."""
    return {}


@pytest.fixture
def cassette(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, cassette_settings: dict[str, Any]
) -> Iterator[Any]:
    """The test's cassette, open while the test runs."""
    from langchain_unified.testing.cassettes import use_cassette

    marker = request.node.get_closest_marker("cassette")
    names, settings = (marker.args, dict(marker.kwargs)) if marker else ((), {})
    settings.pop("unused", None)  # the test itself fails, see `pytest_runtest_call`
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
    """A test that passed fails when it left recordings unplayed and was asked not to."""
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
    """Let pytest-recording's cassettes use our settings."""
    from langchain_unified.testing.cassettes import RefusalKeeper, register

    register(vcr, recorded_at=dt.datetime.now(dt.UTC).date().isoformat())
    vcr.register_persister(RefusalKeeper(vcr.persister, config.stash[REFUSALS]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Raise what was kept back while the cassette closed."""
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
        raise pytest.UsageError(f"$RECORD is {mode!r}; the record modes are {', '.join(RECORD_MODES)}")
    return mode


def cassette_path(item: Any, name: str | None = None) -> Path:
    """Where a test's cassette is: beside the test, or below `cassette_dir` at the path of the test's module."""
    base = str(item.config.getini("cassette_dir") or "")
    if base:
        here = os.path.relpath(item.path.with_suffix(""), item.config.rootpath)
        folder = item.config.rootpath / base / here
    else:
        folder = item.path.parent / "cassettes" / item.path.stem
    return Path(folder / f"{name.removesuffix('.yaml') if name else _file_name(item)}.yaml")


def _file_name(item: Any) -> str:
    """`Class.test[param]` in characters that any file system takes; different tests get different names."""
    full = f"{item.cls.__name__}.{item.name}" if item.cls else str(item.name)
    plain = re.sub(r"[^\w.-]+", "-", full).strip("-")[:LONGEST_NAME]
    digest = hashlib.sha256(full.encode()).hexdigest()[:8]
    return plain if re.fullmatch(r"[\w.-]+(\[[\w.-]+\])?", full) and len(full) <= LONGEST_NAME else f"{plain}-{digest}"


def _unused(item: pytest.Item) -> str:
    marker = item.get_closest_marker("cassette")
    return str((marker.kwargs.get("unused") if marker else None) or item.config.getini("cassette_unused"))
