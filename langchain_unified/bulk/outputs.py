"""The rows that come out: the journal in a folder, and from it one JSONL or Parquet file where the caller names one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from langchain_unified.bulk.inputs import parquet_module
from langchain_unified.bulk.state import Totals, replaced_totals
from langchain_unified.errors import ConfigurationError
from langchain_unified.rows.ids import IdSet
from langchain_unified.rows.journal import entries, entries_of, journal_files, replace_file
from langchain_unified.rows.row import Row

BATCH = 1024
"""Rows that are written to Parquet at once."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a run writes. `folder`: its journal, which is the output itself where `file` is `None`."""

    folder: Path
    file: Path | None


def output_of(out: str | Path) -> Output:
    """A folder, or the folder beside a file. Raises `ConfigurationError` for a file that is not written."""
    path = Path(out)
    if path.suffix.lower() in WRITERS:
        if path.suffix.lower() == ".parquet":
            parquet_module()
        return Output(path.with_name(f"{path.name}.run"), path)
    if path.is_file() or path.suffix.lower() in (".csv", ".json", ".ndjson"):
        raise ConfigurationError(f"out={str(out)!r}: rows go to a folder, or to a file {' or '.join(WRITERS)}.")
    return Output(path, None)


def latest_rows(folder: Path) -> Iterator[Row]:
    """Each row of a journal once: of a row that was answered again, the last answer."""
    with IdSet() as last:
        count = 0
        for count, entry in enumerate(entries(folder), 1):
            last.set(entry.row["id"], count)
        is_unique = count == len(last)
        for number, entry in enumerate(entries(folder), 1):
            if is_unique or last.get(entry.row["id"]) == number:
                yield entry.row


def drop_replaced(folder: Path) -> Totals:
    """Take the lines out of a journal that later ones replace, and return their sums with those of earlier times.

    A crash leaves each file as it was, or done.
    """
    gone = replaced_totals(folder)
    with IdSet() as last:
        for number, entry in enumerate(entries(folder), 1):
            last.set(entry.row["id"], number)
        number = 0
        for file in journal_files(folder):
            kept: list[tuple[int, int]] = []
            first = number
            for entry in entries_of(file):
                number += 1
                if last.get(entry.row["id"]) == number:
                    kept.append((entry.offset, entry.size))
                else:
                    gone.add(entry.row)
            if len(kept) < number - first:
                replace_file(file, _lines_at(file, kept))
    return gone


def _lines_at(file: Path, places: list[tuple[int, int]]) -> Iterator[bytes]:
    with file.open("rb") as lines:
        for offset, size in places:
            lines.seek(offset)
            yield lines.read(size)


# --- files ------------------------------------------------------------------------------------------------------------


def write_file(output: Output) -> None:
    """Write the file of a run from its journal, if it has one. A crash leaves the old file or none."""
    if output.file is not None:
        WRITERS[output.file.suffix.lower()](output.file, latest_rows(output.folder))


def _write_jsonl(file: Path, rows: Iterator[Row]) -> None:
    replace_file(file, (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))


def _write_parquet(file: Path, rows: Iterator[Row]) -> None:
    import pyarrow as pa

    schema = row_schema(pa)
    beside = file.with_name(f"{file.name}.new")
    with parquet_module().ParquetWriter(beside, schema) as writer:
        while batch := [flat(row) for row in itertools.islice(rows, BATCH)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
    beside.replace(file)


def row_schema(pa: Any) -> Any:
    """The columns of rows in a table, for the module `pyarrow`."""
    texts, counts = ("id", "text", "message"), ("input_tokens", "output_tokens", "cache_read", "cache_creation")
    error = [("type", pa.string()), ("status", pa.int64()), ("code", pa.string()), ("message", pa.string())]
    return pa.schema(
        [
            *((name, pa.string()) for name in texts),
            *((name, pa.int64()) for name in counts),
            *((name, pa.string()) for name in ("cost", "model", "finish_reason")),
            ("error", pa.struct(error)),
        ]
    )


def flat(row: Row) -> dict[str, Any]:
    """A row for a table: the message, whose keys differ from row to row, as JSON text."""
    message = row["message"]
    return {**row, "message": None if message is None else orjson.dumps(message).decode()}


WRITERS: Mapping[str, Any] = {".jsonl": _write_jsonl, ".parquet": _write_parquet}
