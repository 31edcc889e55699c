"""The rows of the tables: each conversation under each policy, compared with no cache and with the optimum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.cache_calls import CacheRules, InputTokens, total
from benchmarks.cache_conversations import Conversation
from benchmarks.cache_optimum import optimum
from benchmarks.cache_policies import best as best_without_foresight
from benchmarks.cache_recount import recount
from benchmarks.cache_runs import Api, ConversationRun, Policy, run

TARGET = 1.10
"""The most that `auto` may cost, as a multiple of the optimum."""


@dataclass(frozen=True, slots=True)
class CostlyCall:
    """The call at which a policy costs most above the optimum: its number from 1, its tokens, and the best ones.

    `excess`: the difference of the costs, in uncached tokens.
    """

    call: int
    tokens: InputTokens
    best: InputTokens
    excess: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One policy in one conversation. `cost`, `uncached` (without a cache) and `optimum` are in uncached tokens."""

    policy: str
    cost: float
    uncached: int
    optimum: float
    worst: CostlyCall

    @property
    def share(self) -> float:
        """The cost as a share of that without a cache."""
        return self.cost / self.uncached

    @property
    def times(self) -> float:
        """The cost as a multiple of the optimum."""
        return self.cost / self.optimum


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation. `optimum` is with all ttls, `default_optimum` with the default ttl; both in uncached tokens.

    `no_foresight`: the cost of the best policy without foresight; `None` where the provider caches without marks.
    """

    name: str
    title: str
    calls: int
    uncached: int
    optimum: float
    default_optimum: float
    cells: Mapping[str, Cell]
    no_foresight: float | None = None


def measure(conversation: Conversation, api: Api, policies: Sequence[Policy] | None = None) -> Row:
    """One row: a run for each policy, each checked by a second count."""
    runs = {policy.name: run(conversation, policy, api.endpoint) for policy in policies or api.policies}
    for name, found in runs.items():
        _check(f"{conversation.name}, {name}", found, api.rules)
    first = next(iter(runs.values()))
    best = optimum(first.calls, api.rules)
    uncached = total(best).total
    if any(total(found.tokens).total != uncached for found in runs.values()):
        raise AssertionError(f"{conversation.name}: the policies did not send the same prompts.")
    default = replace(api.rules, lifetimes=api.rules.lifetimes[:1])
    return Row(
        conversation.name,
        conversation.title,
        len(first.calls),
        uncached,
        api.rules.cost(total(best)),
        default.cost(total(optimum(first.calls, default))),
        {name: _cell(name, found, best, api.rules) for name, found in runs.items()},
        None if api.rules.automatic else best_without_foresight(first.calls, api.rules)[0],
    )


def _check(what: str, found: ConversationRun, rules: CacheRules) -> None:
    """Raise if the `usage_metadata` of the answers differs from a second count of the bodies."""
    for at, (reported, counted) in enumerate(zip(found.tokens, recount(found.calls, rules), strict=True)):
        if reported != counted:
            raise AssertionError(f"{what}: call {at + 1} reports {reported}, and the second count is {counted}.")


def _cell(name: str, found: ConversationRun, best: Sequence[InputTokens], rules: CacheRules) -> Cell:
    tokens = total(found.tokens)
    return Cell(name, rules.cost(tokens), tokens.total, rules.cost(total(best)), _worst(found.tokens, best, rules))


def _worst(tokens: Sequence[InputTokens], best: Sequence[InputTokens], rules: CacheRules) -> CostlyCall:
    excess = [rules.cost(one) - rules.cost(other) for one, other in zip(tokens, best, strict=True)]
    at = max(range(len(excess)), key=lambda place: excess[place])
    return CostlyCall(at + 1, tokens[at], best[at], excess[at])


def misses(row: Row, policy: str = "auto") -> Iterator[str]:
    """A sentence where a policy costs more than the target."""
    cell = row.cells.get(policy)
    if cell is None or cell.times <= TARGET:
        return
    worst = cell.worst
    yield (
        f"{row.name} ({row.title}): {cell.times:.2f} times the optimum, or {cell.cost / row.default_optimum:.2f} times "
        f"the optimum with the default ttl{_reference(row, cell)}. "
        f"The largest difference is at call {worst.call} of {row.calls}: {worst.excess:,.0f} "
        f"({_text(worst.tokens)}; optimum: {_text(worst.best)})."
    )


def _reference(row: Row, cell: Cell) -> str:
    return f", or {cell.cost / row.no_foresight:.2f} times the best without foresight" if row.no_foresight else ""


def _text(tokens: InputTokens) -> str:
    written, long = ("written", tokens.written), ("written for longer", tokens.written_long)
    named = (("read", tokens.read), written, long, ("uncached", tokens.uncached))
    return ", ".join(f"{count:,} {name}" for name, count in named if count) or "nothing"
