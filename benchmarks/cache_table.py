"""Rows of figures: every conversation under every policy, beside what it costs without a cache and at least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.cache_calls import Rules, Spent, total
from benchmarks.cache_conversations import Conversation
from benchmarks.cache_optimum import optimum
from benchmarks.cache_recount import recount
from benchmarks.cache_runs import Api, Policy, Run, run

TARGET = 1.10
"""What `auto` may cost, as a multiple of the least."""


@dataclass(frozen=True, slots=True)
class Excess:
    """The call at which a policy loses most: its number from 1, what it took in, and what it should have."""

    call: int
    spent: Spent
    best: Spent
    cost: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A policy in one conversation. `cost` is in uncached tokens, and so is the input of the same calls, `uncached`."""

    policy: str
    cost: float
    uncached: int
    least: float
    worst: Excess

    @property
    def share(self) -> float:
        """Of what it costs without a cache."""
        return self.cost / self.uncached

    @property
    def times(self) -> float:
        """Of the least that it could cost."""
        return self.cost / self.least


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation. `least` with every lifetime, `usual` with the default one alone; both in uncached tokens."""

    name: str
    title: str
    calls: int
    uncached: int
    least: float
    usual: float
    cells: Mapping[str, Cell]


def measure(conversation: Conversation, api: Api, policies: Sequence[Policy] | None = None) -> Row:
    """One row: a run for each policy, its figures counted once more."""
    runs = {policy.name: run(conversation, policy, api.endpoint) for policy in policies or api.policies}
    for name, found in runs.items():
        _check(f"{conversation.name}, {name}", found, api.rules)
    plain = next(iter(runs.values()))
    best = optimum(plain.calls, api.rules)
    uncached = total(best).total
    if any(total(found.spent).total != uncached for found in runs.values()):
        raise AssertionError(f"{conversation.name}: the policies did not send the same prompts.")
    usual = replace(api.rules, lives=api.rules.lives[:1])
    return Row(
        conversation.name,
        conversation.title,
        len(plain.calls),
        uncached,
        api.rules.cost(total(best)),
        usual.cost(total(optimum(plain.calls, usual))),
        {name: _cell(name, found, best, api.rules) for name, found in runs.items()},
    )


def _check(what: str, found: Run, rules: Rules) -> None:
    """Raise where the answers' `usage_metadata` is not what the rules make of the bodies."""
    for at, (said, counted) in enumerate(zip(found.spent, recount(found.calls, rules), strict=True)):
        if said != counted:
            raise AssertionError(f"{what}: call {at + 1} took in {said}, and by the rules {counted}.")


def _cell(name: str, found: Run, best: Sequence[Spent], rules: Rules) -> Cell:
    spent = total(found.spent)
    return Cell(name, rules.cost(spent), spent.total, rules.cost(total(best)), _worst(found.spent, best, rules))


def _worst(spent: Sequence[Spent], best: Sequence[Spent], rules: Rules) -> Excess:
    lost = [rules.cost(one) - rules.cost(other) for one, other in zip(spent, best, strict=True)]
    at = max(range(len(lost)), key=lambda place: lost[place])
    return Excess(at + 1, spent[at], best[at], lost[at])


def misses(row: Row, policy: str = "auto") -> Iterator[str]:
    """A sentence where a policy costs more than the target."""
    cell = row.cells.get(policy)
    if cell is None or cell.times <= TARGET:
        return
    worst = cell.worst
    yield (
        f"{row.name} ({row.title}): {cell.times:.2f} times the least, {cell.cost / row.usual:.2f} with the default "
        f"lifetime alone. Most is lost at call {worst.call} of {row.calls}: {worst.cost:,.0f} "
        f"({_words(worst.spent)}; the least: {_words(worst.best)})."
    )


def _words(spent: Spent) -> str:
    named = (("read", spent.read), ("written", spent.short), ("written long", spent.long), ("uncached", spent.uncached))
    return ", ".join(f"{count:,} {name}" for name, count in named if count) or "nothing"
