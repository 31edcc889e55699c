"""What a folder knows of its run before it goes on: the fingerprint in `run.json`, and the rows in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, cast

import orjson

from langchain_unified.cost.prices import EXACT
from langchain_unified.errors import ConfigurationError
from langchain_unified.rows.fingerprint import Fingerprint
from langchain_unified.rows.ids import IdSet
from langchain_unified.rows.journal import entries, replace_file
from langchain_unified.rows.row import Row

FILE = "run.json"
FORMAT = 1
ANSWERED, FAILED = 0, 1
"""The numbers of ids in `Known.ids`."""
TOKENS = ("input_tokens", "output_tokens", "cache_read", "cache_creation")


@dataclass(slots=True)
class Totals:
    """Sums over rows. `cost`: USD; `unpriced`: rows with tokens whose cost is not known."""

    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKENS, 0))
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    def add(self, row: Row) -> None:
        for name in TOKENS:
            self.tokens[name] += cast(Mapping[str, Any], row)[name] or 0
        if row["cost"] is not None:
            with localcontext(EXACT):
                self.cost += Decimal(row["cost"])
        elif row["input_tokens"] is not None:
            self.unpriced += 1

    def to_json(self) -> dict[str, Any]:
        return {"tokens": self.tokens, "cost": str(self.cost), "unpriced": self.unpriced}


@dataclass(slots=True)
class Known:
    """The rows of a journal. `failed`: how many have an error. `replaced`: whether lines stand for one row twice."""

    ids: IdSet
    totals: Totals
    failed: int = 0
    replaced: bool = False

    def add(self, row: Row) -> None:
        """Count a row that was written."""
        before = self.ids.get(row["id"])
        now = ANSWERED if row["error"] is None else FAILED
        self.ids.set(row["id"], now)
        self.failed += (now == FAILED) - (before == FAILED)
        self.replaced = self.replaced or before is not None
        self.totals.add(row)


def read_known(folder: Path) -> Known:
    """The rows that are in the journal, and the sums of lines that were taken out of it."""
    known = Known(IdSet(), replaced_totals(folder))
    for entry in entries(folder):
        known.add(entry.row)
    return known


def check_fingerprint(folder: Path, fingerprint: Fingerprint) -> None:
    """Write the fingerprint of a new run, or raise `ConfigurationError` where that of the folder differs, by name."""
    state = _read(folder)
    if not state:
        replace_file(folder / FILE, iter([new_state(fingerprint)]))
        return
    check_same(str(folder), state["fingerprint"], fingerprint)


def new_state(fingerprint: Fingerprint) -> bytes:
    """The state file of a new run."""
    return orjson.dumps({"format": FORMAT, "fingerprint": fingerprint.to_json()}, option=orjson.OPT_INDENT_2)


def check_same(place: str, before: Mapping[str, Mapping[str, str]], fingerprint: Fingerprint) -> None:
    """Raise `ConfigurationError` where the fingerprint of a state differs: it names what has changed."""
    changed = fingerprint.differences(Fingerprint.from_json(before))
    if changed:
        raise ConfigurationError(
            f"{place} holds the answers of another run: {'; '.join(changed)}. "
            "Go on with what it was, or write to another folder."
        )


def keep_totals(folder: Path, totals: Totals) -> None:
    """Keep the sums of lines that are taken out of the journal: they were paid."""
    _write(folder, {**_read(folder), "replaced": totals.to_json()})


def replaced_totals(folder: Path) -> Totals:
    """The sums of lines that were taken out of the journal."""
    written = _read(folder).get("replaced")
    if not isinstance(written, dict):
        return Totals()
    try:
        tokens = {name: int(written["tokens"][name]) for name in TOKENS}
        return Totals(tokens, Decimal(written["cost"]), int(written["unpriced"]))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise ConfigurationError(f"`replaced` in {folder / FILE} is damaged. Use a copy of the file.") from None


def _read(folder: Path) -> dict[str, Any]:
    file = folder / FILE
    return parse_state(file.read_bytes(), str(file)) if file.exists() else {}


def parse_state(data: bytes, place: str) -> dict[str, Any]:
    """The state of a run. Raises `ConfigurationError` for another file."""
    try:
        state = orjson.loads(data)
    except orjson.JSONDecodeError:
        state = None
    if not isinstance(state, dict) or state.get("format") != FORMAT or "fingerprint" not in state:
        raise ConfigurationError(f"{place} is no state of a run that this release reads. Choose another folder.")
    return state


def _write(folder: Path, state: dict[str, Any]) -> None:
    replace_file(folder / FILE, iter([orjson.dumps(state, option=orjson.OPT_INDENT_2)]))
