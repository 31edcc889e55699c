"""Migrations at start: the SQL that brings a database to the newest revision, for the store's own driver.

A store reads its revision first. Alembic is imported only where it differs from `HEAD`: most starts of a worker do
without it.
"""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

from langchain_unified.errors import ConfigurationError

HEAD = "0001"
"""The newest revision in `migrations/versions`."""

SCRIPTS = Path(__file__).parent / "migrations"


def statements(dialect: str, current: str | None) -> list[str]:
    """The SQL from the revision `current` to `HEAD`. `None`: the database is empty.

    Raises `ConfigurationError` for a revision of a newer release.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    written = io.StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("dialect", dialect)
    try:
        command.upgrade(config, f"{current or 'base'}:{HEAD}", sql=True)
    except CommandError:
        raise ConfigurationError(
            f"The database of keys has the revision {current!r}, which this version does not know (it knows {HEAD}). "
            "Update langchain-unified, or use another database_url."
        ) from None
    return _split(written.getvalue())


def _split(script: str) -> list[str]:
    """The statements of a script. Alembic begins each with a comment, at most."""
    found: list[str] = []
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement.strip())
            statement = ""
    return found
