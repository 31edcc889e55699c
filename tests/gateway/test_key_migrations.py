"""The migrations make the tables of the models, once, and a newer database is left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.keys import KeySettings, NewKey, migrate, open_keys
from langchain_unified.gateway.keys.models import Base
from tests.gateway.conftest import DATABASES
from tests.support import postgres

MASTER = "sk-master-of-the-tests"


def test_head_is_the_newest_revision() -> None:
    assert ScriptDirectory(str(migrate.SCRIPTS)).get_heads() == [migrate.HEAD]


async def test_the_tables_are_those_of_the_models(tmp_path: Path) -> None:
    keys = await open_keys(KeySettings(MASTER, f"sqlite:///{tmp_path}/keys.db"))
    await keys.close()
    engine = sa.create_engine(f"sqlite:///{tmp_path}/keys.db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == migrate.HEAD
    engine.dispose()


def test_the_tables_of_postgres_are_those_of_the_models(postgres_server: postgres.Postgres) -> None:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateIndex, CreateTable

    made, meant = postgres_server.url("made"), postgres_server.url("meant")
    postgres_server.query(made, "; ".join(migrate.statements("postgresql", None)))
    for table in Base.metadata.sorted_tables:
        for create in (CreateTable(table), *map(CreateIndex, table.indexes)):
            postgres_server.query(meant, str(create.compile(dialect=postgresql.dialect())))
    columns = (
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable "
        "FROM information_schema.columns WHERE table_name LIKE 'gateway%' ORDER BY 1, 2"
    )
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'gateway%' ORDER BY 1"
    for query in (columns, indexes):
        assert postgres_server.query(made, query) == postgres_server.query(meant, query) != ""


@pytest.mark.parametrize("kind", DATABASES)
async def test_a_second_start_changes_nothing(kind: str, new_database: Callable[[str], str]) -> None:
    url = new_database(kind)
    first = await open_keys(KeySettings(MASTER, url))
    made = await first.generate(NewKey())
    await first.close()
    second = await open_keys(KeySettings(MASTER, url))
    assert (await second.authenticate(made.secret)).key_id == made.record.key_id
    await second.close()


@pytest.mark.parametrize("kind", DATABASES)
async def test_a_database_of_a_newer_release_is_left_alone(
    kind: str, new_database: Callable[[str], str], request: pytest.FixtureRequest
) -> None:
    url = new_database(kind)
    keys = await open_keys(KeySettings(MASTER, url))
    await keys.close()
    newer = "UPDATE alembic_version SET version_num = '9999'"
    if kind == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute(newer)
        connection.close()
    else:
        server: postgres.Postgres = request.getfixturevalue("postgres_server")
        server.query(url, newer)
    with pytest.raises(ConfigurationError, match="'9999', which this version does not know"):
        await open_keys(KeySettings(MASTER, url))
