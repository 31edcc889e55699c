"""The rows that go in: from a file or an iterable, each with its id and the input that the runnable gets."""

from __future__ import annotations

import csv
import itertools
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableSequence, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import DynamicRunnable

from langchain_unified._extras import install
from langchain_unified.errors import ConfigurationError
from langchain_unified.rows.ids import IdSet

Rows: TypeAlias = str | Path | Iterable[Any]
"""A JSONL, CSV or Parquet file, or rows: mappings, or inputs as the runnable takes them."""
InputRule: TypeAlias = str | Callable[[Any], Any] | None
"""A column's name, a template with columns in braces, a function of the row, or `None`."""

INPUT_COLUMNS = ("input", "prompt", "messages")
"""The columns that a model's input is looked for in, where the caller names none."""


class Item(NamedTuple):
    """A row to answer. `row`: as it came, for the input rule."""

    id: str
    row: Any


class Count(NamedTuple):
    """What a look at all rows found: how many there are."""

    rows: int


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a run, and how each gives its id and input."""

    rows: Rows
    id: str | None
    rule: InputRule
    takes_text: bool

    @property
    def is_repeatable(self) -> bool:
        """Whether the rows can be read again: a file or a list can, a generator cannot."""
        return isinstance(self.rows, str | Path) or iter(self.rows) is not self.rows

    def __iter__(self) -> Iterator[Item]:
        """The rows in order. Raises `ConfigurationError` for a column that is missing, and names the row."""
        rows, place = self._read()
        for number, row in enumerate(rows, 1):
            yield Item(self._id_of(row, number, place), row)

    def input_of(self, row: Any) -> Any:
        """What the runnable gets for a row."""
        if callable(self.rule):
            return self.rule(row)
        if not isinstance(row, Mapping):
            return row
        if self.rule is None:
            column = next((name for name in INPUT_COLUMNS if name in row), None) if self.takes_text else None
            return row if column is None else row[column]
        return row[self.rule] if "{" not in self.rule else self.rule.format_map(row)

    def check(self) -> Count:
        """Read all rows once. Raises `ConfigurationError` for an id that occurs twice or a missing column."""
        with IdSet() as seen:
            for item in self:
                if not seen.add(item.id):
                    raise duplicate(item.id, self.id)
            return Count(len(seen))

    def _read(self) -> tuple[Iterable[Any], str]:
        if not isinstance(self.rows, str | Path):
            return self.rows, "row"
        file = Path(self.rows)
        read = READERS.get(file.suffix.lower())
        if read is None:
            raise ConfigurationError(f"{file} is not read: rows come from {', '.join(READERS)} files or an iterable.")
        if not file.is_file():
            raise ConfigurationError(f"{file} does not exist.")
        return read(file), f"{file}, row"

    def _id_of(self, row: Any, number: int, place: str) -> str:
        if not isinstance(row, Mapping):
            if isinstance(self.rule, str):
                raise ConfigurationError(
                    f"{place} {number} is a {type(row).__name__}, which has no columns, but input={self.rule!r}."
                )
            return str(number - 1)
        needed = [*([self.id] if self.id is not None else []), *self._columns()]
        missing = [name for name in needed if name not in row]
        if missing or (self.takes_text and self.rule is None and not any(name in row for name in INPUT_COLUMNS)):
            raise _no_column(missing, row, f"{place} {number}")
        found = number - 1 if self.id is None else row[self.id]
        if found is None or found == "":
            raise ConfigurationError(f"{place} {number} has no value in the column {self.id!r}, which is its id.")
        return str(found)

    def _columns(self) -> list[str]:
        """The columns that the input rule reads."""
        if not isinstance(self.rule, str):
            return []
        return [self.rule] if "{" not in self.rule else fields_of(self.rule)


def source_of(rows: Rows, runnable: Runnable[Any, Any], id: str | None, rule: InputRule) -> Source:  # noqa: A002
    """The rows of a run. Raises `ConfigurationError` for rows or an input rule that cannot be read."""
    if isinstance(rows, Mapping | BaseMessage | PromptValue) or not (isinstance(rows, str | Path | Iterable)):
        raise ConfigurationError(f"`rows` takes a file or an iterable of rows, not a {type(rows).__name__}.")
    if rule is not None and not isinstance(rule, str) and not callable(rule):
        raise ConfigurationError(f"`input` takes a column, a template or a function, not {rule!r}.")
    if isinstance(rule, str):
        fields_of(rule)
    return Source(rows, id, rule, takes_text=is_model(runnable))


def fields_of(template: str) -> list[str]:
    """The columns in the braces of a template. Raises `ConfigurationError` for one that cannot be read."""
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ConfigurationError(f"input={template!r} is no template: {error}.") from None
    if odd := [name for name in fields if not name or set(name) & set(".[")]:
        raise ConfigurationError(f"input={template!r}: write the name of a column between braces, not {odd[0]!r}.")
    return fields


def is_model(runnable: Any) -> bool:
    """Whether a runnable begins with a model, so that it takes text or messages."""
    while name := next((name for kind, name in FIRST if isinstance(runnable, kind)), None):
        runnable = getattr(runnable, name)
    return isinstance(runnable, BaseLanguageModel)


FIRST = (
    (RunnableBindingBase, "bound"), (RunnableSequence, "first"), (RunnableWithFallbacks, "runnable"),
    (DynamicRunnable, "default"),
)  # fmt: skip
"""By type of a runnable, the attribute with what its input goes to."""


def duplicate(row_id: str, column: str | None) -> ConfigurationError:
    """The error for an id that occurs twice."""
    return ConfigurationError(f"The id {row_id!r} occurs twice in the column {column!r}. Each row needs its own.")


def _no_column(missing: list[str], row: Mapping[str, Any], place: str) -> ConfigurationError:
    has = ", ".join(map(repr, itertools.islice(row, 12)))
    what = f"column {missing[0]!r}" if missing else f"column for the input ({', '.join(map(repr, INPUT_COLUMNS))})"
    return ConfigurationError(f"{place} has no {what}. Its columns are {has}. Name yours with `id=` and `input=`.")


# --- files ------------------------------------------------------------------------------------------------------------


def _jsonl(file: Path) -> Iterator[Any]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise ConfigurationError(f"{file}, line {number} is no JSON: {error}.") from None


def _csv(file: Path) -> Iterator[Any]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def _parquet(file: Path) -> Iterator[Any]:
    for batch in parquet_module().ParquetFile(file).iter_batches(batch_size=1024):
        yield from batch.to_pylist()


def parquet_module() -> Any:
    """The module for Parquet of pyarrow. Raises `ConfigurationError` where it is not installed."""
    try:
        import pyarrow.parquet as found
    except ImportError:
        raise ConfigurationError(f"Parquet files need pyarrow. Install it: {install('parquet')}") from None
    return found


READERS: Mapping[str, Callable[[Path], Iterator[Any]]] = {
    ".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".parquet": _parquet,
}  # fmt: skip
