"""`langchain-unified key generate|info|delete|list`: the gateway's keys, straight in its database.

Whoever can open the database may use it; a running gateway sees the changes at once. Errors are one line, with exit
code 1 for a database that is away or a key that is not there, and 2 for wrong arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console
from rich.table import Table

from langchain_unified.errors import ConfigurationError, RequestError, UnifiedError

if TYPE_CHECKING:
    from langchain_unified.gateway.keys import Keys
    from langchain_unified.request import JsonObject

MISSING_EXTRA = "Keys need more packages: pip install 'langchain-unified[gateway]' ({name} is missing)."
DEFAULT_DATABASE = "sqlite:///gateway.db"
"""Where a gateway that was started in this folder has its keys, unless its configuration says otherwise."""

Work = Callable[["Keys"], Awaitable[None]]


@click.group()
@click.option("--config", "config_file", type=click.Path(dir_okay=False), help="The gateway's configuration.")
@click.option("--database-url", help="sqlite:///file or postgresql://… [default: that of --config, else gateway.db]")
@click.pass_context
def key(context: click.Context, config_file: str | None, database_url: str | None) -> None:
    """Make, show and delete the keys of a gateway, in its database."""
    context.obj = (config_file, database_url)


@key.command()
@click.option("--alias", "key_alias", help="A name for the key.")
@click.option("--user", "user_id", help="Whose key it is.")
@click.option("--model", "models", multiple=True, help="A model, or a pattern such as 'anthropic/*'. Default: all.")
@click.option("--duration", help="How long the key lives: 30s, 12h, 30d, 1mo.")
@click.option("--max-budget", help="USD that it may spend.")
@click.option("--budget-duration", help="After which the budget starts again: 1d, 1w, 1mo.")
@click.option("--rpm", "rpm_limit", type=int, help="Requests in a minute.")
@click.option("--tpm", "tpm_limit", type=int, help="Tokens in a minute.")
@click.option("--parallel", "max_parallel_requests", type=int, help="Calls at the same time.")
@click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")
@click.pass_obj
def generate(where: tuple[str | None, str | None], /, models: tuple[str, ...], as_json: bool, **fields: Any) -> None:
    """Make a key. It is shown this once: only its hash is stored."""

    async def work(keys: Keys) -> None:
        from langchain_unified.gateway.keys.fields import generated_fields, new_key
        from langchain_unified.gateway.keys.periods import period_end

        made = await keys.generate(new_key({**fields, "models": list(models) or None}))
        shown = generated_fields(made, period_end(made.record.budget_duration, made.record.created_at))
        if as_json:
            click.echo(_json(shown))
            return
        click.echo(made.secret)
        click.echo(f"id {made.record.key_id}. Store the key now: it cannot be shown again.", err=True)

    _run(where, work, creates=True)


@key.command()
@click.argument("name")
@click.pass_obj
def info(where: tuple[str | None, str | None], name: str) -> None:
    """Show a key, by its id or alias, with its spend by model."""

    async def work(keys: Keys) -> None:
        from langchain_unified.gateway.keys.fields import info_fields

        click.echo(_json(info_fields(await keys.info(name))))

    _run(where, work)


@key.command()
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(where: tuple[str | None, str | None], names: tuple[str, ...]) -> None:
    """Delete keys, by id or alias. What they spent stays in the books."""

    async def work(keys: Keys) -> None:
        for key_id in await keys.delete(names):
            click.echo(f"{key_id} is deleted")

    _run(where, work)


@key.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")
@click.pass_obj
def list_keys(where: tuple[str | None, str | None], as_json: bool) -> None:
    """List the keys with their budgets and spend."""

    async def work(keys: Keys) -> None:
        from langchain_unified.gateway.keys.fields import record_fields

        rows: list[JsonObject] = []
        count = 1
        while len(rows) < count:
            page, count = await keys.page(100, len(rows))
            rows += [record_fields(record) for record in page]
            if not page:
                break
        click.echo(_json(rows)) if as_json else Console(highlight=False).print(_table(rows))

    _run(where, work)


def _table(rows: list[JsonObject]) -> Table:
    table = Table(box=None)
    table.add_column("id", no_wrap=True, min_width=len("key_0123456789abcdef"))  # it is what `delete` takes
    for title in ("alias", "key", "models", "expires", "spent, USD", "budget, USD"):
        table.add_column(title)
    for row in rows:
        period = f" / {row['budget_duration']}" if row["budget_duration"] else ""
        budget = "-" if row["max_budget"] is None else f"{row['max_budget']:g}{period}"
        models = ", ".join(row["models"]) or "all"
        cells = (row["key_id"], row["key_alias"] or "-", row["key_name"], models, row["expires"] or "never")
        table.add_row(*cells, f"{row['spend']:.6f}", budget)
    return table


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


# --- the database -----------------------------------------------------------------------------------------------------


def _run(where: tuple[str | None, str | None], work: Work, *, creates: bool = False) -> None:
    """`creates`: whether a database is made where there is none."""
    try:
        url = _database_url(*where)
        file = Path(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite:///") and not creates and not file.exists():
            _fail(f"There is no database {str(file)!r}. Name the gateway's by --config or --database-url.", 2)
        asyncio.run(_with_keys(url, work))
    except ImportError as error:
        _fail(MISSING_EXTRA.format(name=error.name), 2)
    except UnifiedError as error:
        _fail(str(error), 2 if isinstance(error, ConfigurationError | RequestError) else 1)


async def _with_keys(url: str, work: Work) -> None:
    from langchain_unified.gateway.keys import KeySettings, open_keys

    keys = await open_keys(KeySettings(database_url=url))
    try:
        await work(keys)
    finally:
        await keys.close()


def _database_url(config_file: str | None, database_url: str | None) -> str:
    if database_url is not None or config_file is None:
        return database_url or DEFAULT_DATABASE
    from langchain_unified.gateway.config_file import read_file

    url = read_file(config_file).checked().general_settings.database_url
    return DEFAULT_DATABASE if url is None else url.get_secret_value()


def _fail(message: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, style="red", markup=False)
    raise SystemExit(code)
