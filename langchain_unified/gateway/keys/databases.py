"""From a `database_url` to its store. A store's driver is imported only where it is used."""

from __future__ import annotations

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.keys.records import KeySettings
from langchain_unified.gateway.keys.store import Store

FORMS = "sqlite:///path/to/file.db or postgresql://user:password@host/name"


def open_store(settings: KeySettings) -> Store:
    """The store for the settings' URL. Raises `ConfigurationError` for another database; the URL is not shown."""
    url = settings.database_url or "sqlite://"
    scheme, colon, rest = url.partition("://")
    database, _, _driver = scheme.partition("+")
    if colon and database == "sqlite":
        from langchain_unified.gateway.keys.store_sqlite import SqliteStore

        path = rest.partition("?")[0].removeprefix("/")
        return SqliteStore("" if path == ":memory:" else path)
    if colon and database in ("postgresql", "postgres"):
        try:
            from langchain_unified.gateway.keys.store_postgres import PostgresStore
        except ImportError:
            message = "asyncpg is not installed, which PostgreSQL needs: pip install 'langchain-unified[postgres]'"
            raise ConfigurationError(message) from None
        return PostgresStore(f"postgresql://{rest}", settings.pool_size)
    given = f" Its scheme is {scheme[:20]!r}." if colon else ""
    raise ConfigurationError(f"database_url must be {FORMS}.{given}")
