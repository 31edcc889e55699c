"""What every test gets: no keys or settings from the machine, no tracing, and repeatable generated input."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from tests.support import corpus, field_rules
from tests.support.oracle import load_oracle

FOREIGN_SETTINGS = ("ANTHROPIC_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "LC_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
TRACING = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """No garbage is looked for among 20,000 tests while they are made: that takes a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """The tests themselves are no longer searched for garbage: a `gc.collect()` in a test would take 0.5 s."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the environment of a machine that has nothing set up; it sets what it is about by itself."""
    for name in list(os.environ):
        if name.startswith(FOREIGN_SETTINGS) or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    for name in TRACING:
        monkeypatch.setenv(name, "false")


if field_rules.available():
    field_rules.watch_emulator()


@pytest.fixture(autouse=True)
def accepted_bodies_keep_the_field_rules(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the emulator accepts in a test breaks no field rule, except under the marker `breaks_field_rules`."""
    field_rules.ACCEPTED.clear()
    yield
    if request.node.get_closest_marker("breaks_field_rules") is None:
        assert field_rules.ACCEPTED == []


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """Checks bodies against the types of the SDKs; skips where it is missing."""
    return load_oracle()


_RECORDING = re.compile(r"\b([0-9a-f]{16})-")


def _repeats_a_shape(value: object) -> bool:
    """Whether a parameter is a recording whose shape another recording shows."""
    inner = value.values[0] if hasattr(value, "values") and isinstance(value, tuple) else value
    is_recording = isinstance(inner, dict) and "endpoint" in inner and "response" in inner
    return is_recording and inner["id"] not in corpus.representatives()


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make no tests of recordings that the run leaves out: to make and deselect 13,000 takes as long as to run them."""
    if "not every_recording" not in metafunc.config.option.markexpr:
        return
    markers = metafunc.definition.own_markers
    for at, marker in enumerate(markers):
        if marker.name == "parametrize" and len(marker.args) > 1:
            values = list(marker.args[1])
            used = [value for value in values if not _repeats_a_shape(value)]
            if (0 < len(used) < len(values) and "ids" not in marker.kwargs) or callable(marker.kwargs.get("ids")):
                markers[at] = pytest.mark.parametrize(marker.args[0], used or values, **marker.kwargs).mark


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of a recording whose shape another recording shows: they run with `-m every_recording`."""
    for item in items:
        found = _RECORDING.search(item.name)
        if found and found[1] not in corpus.representatives():
            item.add_marker(pytest.mark.every_recording)
