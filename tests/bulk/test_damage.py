"""Folders of runs whose files were changed by something else: a clear error, and nothing is counted wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from langchain_core.messages import AIMessage

from langchain_unified import ConfigurationError
from langchain_unified.bulk.state import Totals, check_same, parse_state, read_known
from langchain_unified.rows import Fingerprint, row_of

USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
ROW = row_of("a", AIMessage("hi", usage_metadata=USAGE))  # type: ignore[arg-type]


def write(folder: Path, row: Any, **state: Any) -> None:
    (folder / "rows-00000.jsonl").write_bytes(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    (folder / "run.json").write_bytes(orjson.dumps({"format": 1, "fingerprint": {}, **state}))


def test_a_row_is_read(tmp_path: Path) -> None:
    write(tmp_path, ROW, replaced=Totals().to_json())
    assert read_known(tmp_path).totals.tokens["output_tokens"] == 2


@pytest.mark.parametrize("name", ROW)
def test_a_row_without_a_field_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, {key: value for key, value in ROW.items() if key != name})
    with pytest.raises(ConfigurationError, match="line 1 is no row"):
        read_known(tmp_path)


@pytest.mark.parametrize("name", ROW)
@pytest.mark.parametrize("value", [1.5, [None]], ids=repr)
def test_a_row_with_a_field_of_another_type_is_named(tmp_path: Path, name: str, value: Any) -> None:
    write(tmp_path, {**ROW, name: value})
    with pytest.raises(ConfigurationError, match="line 1 is no row"):
        read_known(tmp_path)


@pytest.mark.parametrize("cost", ["", "x", "NaN", "1E+999999"])
def test_a_cost_that_is_no_amount_is_named(tmp_path: Path, cost: str) -> None:
    write(tmp_path, {**ROW, "cost": cost})
    with pytest.raises(ConfigurationError, match="line 1 is no row"):
        read_known(tmp_path)


@pytest.mark.parametrize(
    "replaced", [{}, {"tokens": 5}, {**Totals().to_json(), "cost": "x"}, {**Totals().to_json(), "tokens": {}}], ids=repr
)
def test_sums_that_are_none_are_named(tmp_path: Path, replaced: Any) -> None:
    write(tmp_path, ROW, replaced=replaced)
    with pytest.raises(ConfigurationError, match="`replaced` in"):
        read_known(tmp_path)


@pytest.mark.parametrize("found", [None, "", 5, {"model": 1}, {"model": "x"}], ids=repr)
def test_a_fingerprint_that_is_none_is_named(found: Any) -> None:
    with pytest.raises(ConfigurationError, match="`fingerprint`"):
        check_same("here", found, Fingerprint({}))


def test_a_state_without_a_fingerprint_is_none() -> None:
    with pytest.raises(ConfigurationError, match="no state of a run"):
        parse_state(b'{"format": 1}', "here")
