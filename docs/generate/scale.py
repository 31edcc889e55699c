"""The page on thousands of calls: its text, and the tables of cost and time from the figures in `scale.json`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from docs.generate.markdown import table

HERE = Path(__file__).parent
HOUR, DAY = 60, 60 * 24


def page() -> str:
    """The page as Markdown."""
    facts: dict[str, Any] = orjson.loads((HERE / "scale.json").read_bytes())
    rows: int = facts["rows"]
    filled = {
        "{costs}": "\n".join(_costs(facts)),
        "{times}": "\n".join(_times(facts)),
        "{rows:,}": f"{rows:,}",
        "{tokens_in:,}": f"{facts['tokens_in']:,}",
        "{tokens_out:,}": f"{facts['tokens_out']:,}",
        "{as_of}": facts["as_of"],
        "{gb_up:,.0f}": f"{rows * facts['request_kb'] / 1e6:,.0f}",
        "{gb_down:,.0f}": f"{rows * facts['row_kb'] / 1e6:,.0f}",
        "{failed:,}": f"{rows // 1000:,}",
    }
    text = (HERE / "scale.txt").read_text(encoding="utf-8")
    for name, value in filled.items():
        text = text.replace(name, value)
    return text


def _costs(facts: dict[str, Any]) -> list[str]:
    found = []
    for model in facts["models"]:
        each = facts["tokens_in"] * Decimal(model["input"]) + facts["tokens_out"] * Decimal(model["output"])
        live = each * facts["rows"] / 1_000_000
        found.append((f"`{model['model']}`", f"{live:,.0f}", f"{live * Decimal(facts['batch_price']):,.0f}"))
    return table(("model", "USD, `bulk` or Ray", "USD, batches"), found)


def _times(facts: dict[str, Any]) -> list[str]:
    rows, tokens = facts["rows"], facts["tokens_in"] + facts["tokens_out"]
    found = []
    for live in facts["live"]:
        minutes = [rows / live["requests_per_minute"]]
        if "tokens_per_minute" in live:
            minutes.append(rows * tokens / live["tokens_per_minute"])
        found.append((live["account"], "live", _span(max(minutes))))
    for batch in facts["batches"]:
        at_once = batch.get("rows_waiting") or batch["tokens_waiting"] // facts["tokens_in"]
        fillings = -(-rows // at_once)
        worst = "one hour mostly, one day at most" if fillings == 1 else f"{fillings:,} fillings: so many hours mostly"
        found.append((batch["account"], "batches", worst))
    return table(("account", "road", "time"), found)


def _span(minutes: float) -> str:
    return f"{minutes / DAY:,.1f} days" if minutes > 2 * DAY else f"{minutes / HOUR:,.0f} hours"
