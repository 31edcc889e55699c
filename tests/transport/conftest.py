from __future__ import annotations

import weakref
from collections.abc import Iterator

import pytest

from langchain_unified.transport import pools
from tests.transport.faces import Async, Sync


@pytest.fixture(params=[Sync(), Async()], ids=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Sync | Async:
    return request.param


@pytest.fixture(params=["anthropic", "openai"])
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(autouse=True)
def no_profiles(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The anthropic SDK also looks for profiles in the user's home."""
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "APPDATA"):
        monkeypatch.setenv(name, home)


@pytest.fixture
def fresh_pools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pool of an earlier test; those of this test are closed at its end."""
    monkeypatch.setattr(pools, "_SYNC", {})
    monkeypatch.setattr(pools, "_ASYNC", weakref.WeakKeyDictionary())
    yield
    for pool in pools._SYNC.values():
        pool.http.close()
