"""Databases for the tests of keys: a file, and a PostgreSQL where it is installed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import postgres

_NUMBERS = itertools.count()

DATABASES = ["sqlite", "postgres"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """One cluster for all tests of a process."""
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.cluster() as server:
        yield server


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes an empty database of a kind and gives its address."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/keys-{next(_NUMBERS)}.db"
        server: postgres.Postgres = request.getfixturevalue("postgres_server")
        return server.url(f"keys_{next(_NUMBERS)}")

    return make


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> str:
    """An empty database of each kind."""
    return new_database(request.param)
