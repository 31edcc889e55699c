"""Running `verify`: the cost first, a line for each fact, and the count at the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from langchain_unified._extras import install
from langchain_unified.cli.verify.asking import Outcome, ask, highest_cost
from langchain_unified.cli.verify.facts import Fact, all_facts
from langchain_unified.errors import ConfigurationError

MARKS = {True: ("holds", "green"), False: ("DOES NOT HOLD", "red"), None: ("not tested", "yellow")}


def run(console: Console, *, provider: str | None, yes: bool, record: Path | None) -> int:
    """Test every fact. Returns the exit code: 0 if none fails and some hold, else 1. Raises for a missing key."""
    facts = all_facts(provider)
    console.print(f"{len(facts)} facts. The calls are sent with your keys and cost {_cost(facts)}.", markup=False)
    if not yes and not click.confirm("Send them?"):
        console.print("Nothing was sent.", markup=False)
        return 0
    outcomes = list(_outcomes(console, facts, record))
    count = Counter(outcome.holds for outcome in outcomes)
    summary = f"{count[True]} hold, {count[False]} do not, {count[None]} could not be tested."
    console.print(Text(summary, style="red" if count[False] else "green"))
    if record is not None:
        console.print(f"Cassettes: {record}", markup=False, soft_wrap=True)
    return 1 if count[False] or not count[True] else 0


def _cost(facts: list[Fact]) -> str:
    if find_spec("genai_prices") is None:
        return f"a few cents (prices need: {install('cost')})"
    most, unpriced = highest_cost(facts)
    return f"at most ${most:.2f}" + (f", without {', '.join(unpriced)}: no price is known" if unpriced else "")


def _outcomes(console: Console, facts: list[Fact], record: Path | None) -> Iterator[Outcome]:
    for fact in facts:
        with _recording(fact, record):
            outcome = ask(fact)
        _show(console, outcome)
        yield outcome


def _recording(fact: Fact, folder: Path | None) -> AbstractContextManager[object]:
    if folder is None:
        return nullcontext()
    from langchain_unified.testing import use_cassette

    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^a-z0-9.]+", "-", f"{fact.name} {fact.model} {fact.endpoint}".lower())
    try:
        return use_cassette(folder / f"{name}.yaml", record="all")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error}") from None


def _show(console: Console, outcome: Outcome) -> None:
    """One line for what holds, and for the others what happened instead."""
    fact, (mark, style) = outcome.fact, MARKS[outcome.holds]
    about = fact.name if fact.model in fact.name else f"{fact.name} ({fact.model})"
    line = Text(f"{mark:<14}", style=style) + Text(f"{about}  {outcome.request_id or 'no request id'}")
    console.print(line, soft_wrap=True)
    if not outcome.holds:
        console.print(Text(f"              {outcome.saw}", style="dim"))


__all__ = ["run"]
