"""`langchain-unified bulk`: the rows of a file through a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from langchain_unified.errors import ConfigurationError, UnifiedError

INTERRUPTED = 130
"""The exit code of shells for Ctrl-C."""


@click.command("bulk")
@click.argument("rows", type=click.Path(dir_okay=False))
@click.option("--model", required=True, help="anthropic/... or openai/...")
@click.option("--out", required=True, type=click.Path(), help="A folder, or a file .jsonl or .parquet.")
@click.option(
    "--input", "rule", help="A column, or a template: 'Translate: {text}'. Default: input, prompt or messages."
)
@click.option(
    "--id", "column", default="id", show_default=True, help="The column with the id of a row; '' numbers them."
)
@click.option("--system", help="A system prompt for all rows.")
@click.option("--max-tokens", type=click.IntRange(1), help="The maximum length of an answer, in tokens.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the model, such as temperature=0."
)
@click.option(
    "--schema", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A JSON schema of the answers."
)
@click.option("--version", help="Your word for what a row's answer depends on besides.")
@click.option(
    "--max-concurrency", type=click.IntRange(1), help="Requests in flight at most. Default: what the provider takes."
)
@click.option("--budget", help="US dollars for all runs into --out.")
@click.option("--base-url", help="Another server's address.")
@click.option("--retry", is_flag=True, help="Ask again for the rows that failed.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def bulk(rows: str, **options: Any) -> None:
    """Answer each row of a JSONL, CSV or Parquet file. The same command goes on with a run that was interrupted.

    Exit codes: 0 each row is answered; 1 rows failed or are open; 2 the command cannot run so; 130 interrupted.
    """
    err = Console(stderr=True, highlight=False)
    try:
        report = _run(rows, **options)
    except KeyboardInterrupt as interrupt:
        err.print("\n".join(["Interrupted.", *getattr(interrupt, "__notes__", ())]), markup=False, soft_wrap=True)
        raise SystemExit(INTERRUPTED) from None
    except UnifiedError as error:
        text = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        err.print(text, style="red", markup=False, soft_wrap=True)
        raise SystemExit(2 if isinstance(error, ConfigurationError) else 1) from None
    Console(highlight=False).print(str(report), markup=False, soft_wrap=True)
    for line in _failures(report):
        err.print(line, style="red", markup=False, soft_wrap=True)
    raise SystemExit(1 if report.failed or report.open or report.stopped else 0)


SHOWN = 5
"""Failed rows that are shown."""


def _failures(report: Any) -> Iterator[str]:
    if not report.failed:
        return
    for number, row in enumerate(report.failures()):
        if number == SHOWN:
            yield f"  … and {report.failed - SHOWN:,} more."
            break
        yield f"  {row['id']}: {row['error']['type']}: {row['error']['message']}"
    yield f"Ask for the {report.failed:,} failed rows again with --retry."


def _run(
    rows: str,
    *,
    model: str,
    rule: str | None,
    column: str,
    system: str | None,
    max_tokens: int | None,
    params: tuple[str, ...],
    schema: Path | None,
    base_url: str | None,
    quiet: bool,
    **settings: Any,
) -> Any:
    from langchain_unified import ChatUnified, bulk

    fields: dict[str, Any] = {"system": system, "max_tokens": max_tokens, "base_url": base_url}
    fields.update(map(_param, params))
    built: Any = ChatUnified(model, **{name: value for name, value in fields.items() if value is not None})
    if schema is not None:
        built = built.with_structured_output(_schema(schema))
    return bulk(built, rows, id=column or None, input=rule, progress=not quiet, **settings)


def _param(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found:
        raise ConfigurationError(f"--param {text}: write NAME=VALUE, such as temperature=0.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _schema(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{file} is no JSON: {error}.") from None
