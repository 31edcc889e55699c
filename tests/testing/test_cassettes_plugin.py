"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.support.server import serve
from tests.testing.cassette_traffic import KEY, provider

pytest_plugins = "pytester"

CONFTEST = """
    import os
    import pytest

    pytest_plugins = ["langchain_unified.testing.plugin"]

    @pytest.fixture(autouse=True)
    def clean(monkeypatch):
        monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    @pytest.fixture
    def ask():
        import httpx2
        assert os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("LIVE")
        return lambda n: httpx2.post(os.environ["URL"] + "/v1/messages", json={"n": n}).json()["id"]
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a test file in a directory of its own; `live=True` with a server."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("RECORD", raising=False)
    pytester.makeconftest(CONFTEST)

    def go(*args: str, live: bool = False) -> Any:
        options = ("-p", "no:cacheprovider", "-p", "no:randomly", *args)
        if not live:
            monkeypatch.setenv("URL", "http://localhost:1")
            monkeypatch.delenv("LIVE", raising=False)
            return pytester.runpytest_inprocess(*options)
        with serve(provider) as server:
            monkeypatch.setenv("URL", server.url)
            monkeypatch.setenv("LIVE", "1")
            return pytester.runpytest_inprocess(*options)

    return go


TESTS = """
    import pytest

    @pytest.mark.cassette
    def test_plain(ask):
        assert ask(1) == "msg_1"

    @pytest.mark.cassette("named")
    def test_named(ask, cassette):
        assert ask(2) == "msg_1"
        assert len(cassette) == 1

    @pytest.mark.cassette
    @pytest.mark.parametrize("text", ["a", "b/c", "b?c"])
    def test_cases(text, ask):
        assert ask(text) == "msg_1"

    @pytest.mark.cassette
    class TestGroup:
        def test_inner(self, ask):
            assert ask(4) == "msg_1"

    def test_by_fixture(cassette, ask):
        assert ask(5) == "msg_1"

    def test_without(): pass
"""


def test_marker_and_fixture(pytester: pytest.Pytester, run: Any) -> None:
    pytester.makepyfile(test_mod=TESTS)
    run("--record=once", live=True).assert_outcomes(passed=8)
    files = sorted(file.name for file in (pytester.path / "cassettes" / "test_mod").iterdir())
    assert files == [
        "TestGroup.test_inner.yaml",
        "named.yaml",
        "test_by_fixture.yaml",
        "test_cases-a.yaml",
        "test_cases-b-c-eb1d0d96.yaml",
        "test_cases-b-c-fbebc83c.yaml",
        "test_plain.yaml",
    ]
    run().assert_outcomes(passed=8)


def test_cassette_dir_and_settings(pytester: pytest.Pytester, run: Any) -> None:
    pytester.makeini("[pytest]\ncassette_dir = tapes\n")
    pytester.makeconftest(
        CONFTEST
        + """
    @pytest.fixture
    def cassette_settings():
        return {"canaries": ["msg_1"]}
"""
    )
    (pytester.path / "unit").mkdir()
    (pytester.path / "unit" / "test_mod.py").write_text(
        "import pytest\npytestmark = pytest.mark.cassette\ndef test_one(ask): ask(1)\n"
    )
    result = run("--record=once", live=True)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*CassetteSecretError: *tapes/unit/test_mod/test_one.yaml was not written: *json.id contains canary 1.*"]
    )
    assert not (pytester.path / "tapes").exists()


def test_replay_is_the_default_and_a_miss_fails(pytester: pytest.Pytester, run: Any, monkeypatch: Any) -> None:
    pytester.makepyfile(test_mod="import pytest\n@pytest.mark.cassette\ndef test_one(ask): ask(1)\n")
    result = run(live=True)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*CassetteMissError: There is no recording for the request POST*", "*test_one.yaml does not exist"]
    )
    monkeypatch.setenv("RECORD", "once")
    run(live=True).assert_outcomes(passed=1)
    monkeypatch.setenv("RECORD", "1")
    run(live=True).stdout.fnmatch_lines(["*$RECORD is '1'. The record modes are none, once, new, all.*"])


def test_unplayed_recordings_fail_the_test(pytester: pytest.Pytester, run: Any) -> None:
    source = "import pytest\n@pytest.mark.cassette(unused={!r})\ndef test_one(ask):\n{}"
    pytester.makepyfile(test_mod=source.format("fail", "    ask(1)\n    ask(2)\n"))
    run("--record=all", live=True).assert_outcomes(passed=1)
    run().assert_outcomes(passed=1)
    pytester.makepyfile(test_mod=source.format("fail", "    ask(2)\n"))
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["Recordings of *test_one.yaml were not played, as no request matched them:", "*recording 1: POST *"]
    )
    pytester.makepyfile(test_mod=source.format("ignore", "    ask(2)\n"))
    run("-o", "cassette_unused=fail").assert_outcomes(passed=1)
    pytester.makepyfile(test_mod=source.format(None, "    ask(2)\n"))
    run("-o", "cassette_unused=fail").assert_outcomes(failed=1)
    run("--record=all", live=True).assert_outcomes(passed=1)
    run("-o", "cassette_unused=fail").assert_outcomes(passed=1)


def test_beside_pytest_recording(pytester: pytest.Pytester, run: Any, monkeypatch: Any) -> None:
    pytest.importorskip("pytest_recording")
    pytester.makepyfile(
        test_mod="""
        import httpx2, os, pytest
        from langchain_unified.testing.cassettes import vcr_config as settings

        @pytest.fixture
        def vcr_config(): return settings()

        @pytest.mark.vcr
        def test_one():
            httpx2.post(os.environ["URL"] + "/v1/messages", json={"n": os.environ["N"]})

        def test_unpatched():
            assert httpx2.HTTPTransport.handle_request.__module__.startswith("httpx2")
        """
    )
    both = ("-p", "pytest_recording.plugin")
    monkeypatch.setenv("N", KEY)
    result = run(*both, "--record-mode=once", live=True)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*test_one.llm.yaml was not written: *request.json.n contains an Anthropic key.*"])
    monkeypatch.setenv("N", "1")
    run(*both, "--record-mode=once", live=True).assert_outcomes(passed=2)
    text = (pytester.path / "cassettes" / "test_mod" / "test_one.llm.yaml").read_text()
    assert text.startswith("format: 1\nrecorded_from: emulator\n")
    run(*both).assert_outcomes(passed=2)
    monkeypatch.setenv("N", "2")
    result = run(*both)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*First difference (sent != recorded): n: '2' != '1'"])


def test_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, langchain_unified.testing.plugin\n"
        "heavy = {'vcr', 'yaml', 'anthropic', 'openai', 'langchain_core', 'httpx2', 'httpx', 'pydantic', 'aiohttp'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
