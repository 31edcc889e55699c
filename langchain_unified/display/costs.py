"""Cards for costs, sums of costs, replies and explanations of the prompt cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from langchain_unified.cost import Cost, CostLine, usd
from langchain_unified.cost.tracking import CostTracker
from langchain_unified.display.messages import adjustment_table, message_card
from langchain_unified.display.parts import Card, CardPart, Prose, Table, Tone, counts_text
from langchain_unified.explain import CacheExplanation
from langchain_unified.replies import Reply


def reply_card(reply: Reply) -> Card:
    """A message with its cost."""
    card = message_card(reply.message)
    cost = f"cost: {reply.cost.short()}" if reply.usage else ""
    return replace(card, foot=" · ".join(text for text in (card.foot, cost) if text))


def cost_card(cost: Cost) -> Card:
    """The cost of one message, with a row for each kind of token or tool."""
    rows = tuple(_line(line) for line in cost.lines)
    parts: tuple[CardPart, ...] = (Table(("model", "kind", "units", "USD"), rows, numbers=2),) if rows else ()
    detail = "from LangChain's cache" if cost.original is not None else cost.reason or ""
    total = "unknown" if cost.total is None else usd(cost.total)
    return Card(f"cost: {total}", parts, "warn" if cost.total is None else "plain", detail, _saved(cost.saved))


def _line(line: CostLine) -> tuple[str, ...]:
    return line.model, line.kind, f"{line.units:,}", "unknown" if line.amount is None else usd(line.amount)


def _saved(amount: Decimal | None) -> str:
    return f"{usd(amount)} saved by prompt caching" if amount else ""


def tracker_card(tracker: CostTracker) -> Card:
    """The cost of many calls, by model, and the calls whose cost is not known."""
    unpriced = tracker.unpriced
    models = tuple((model, usd(amount)) for model, amount in tracker.by_model.items())
    tokens = tuple((kind, f"{count:,}") for kind, count in tracker.tokens.items())
    missing = tuple((each.model, each.reason, str(each.calls)) for each in unpriced)
    tables = (
        Table(("model", "USD"), models, numbers=1),
        Table(("tokens, or uses of tools", "units"), tokens, numbers=1),
        Table(("unknown", "why", "calls"), missing, numbers=2),
    )
    calls = "call" if tracker.calls == 1 else "calls"
    foot = counts_text([(tracker.calls, calls), (tracker.cached_calls or None, "from LangChain's cache")])
    foot = ", ".join(text for text in (foot, _saved(tracker.saved)) if text)
    title = f"cost: {'at least ' if unpriced else ''}{usd(tracker.total)}"
    return Card(title, tuple(table for table in tables if table.rows), "warn" if unpriced else "plain", "", foot)


VERDICT_TONES: dict[str, Tone] = {"hit_expected": "good", "partial_expected": "plain", "miss_expected": "warn"}


def explanation_card(found: CacheExplanation) -> Card:
    """What a call is expected to read from the prompt cache, and why not more."""
    parts: list[CardPart] = [Prose(str(found))]
    if found.lost:
        parts.append(Prose(", ".join(found.lost), "not read"))
    if found.dropped:
        parts.append(adjustment_table(found.dropped))
    share = f"{found.reusable_tokens:,} of {found.total_tokens:,} tokens ({found.share:.0%}), by estimate"
    title = found.verdict.replace("_", " ")
    return Card(f"prompt cache: {title}", tuple(parts), VERDICT_TONES.get(found.verdict, "warn"), "", share)


def amounts(
    costs: CostTracker | Iterable[Reply] | Mapping[str, CostTracker | Reply],
) -> tuple[list[str], list[Decimal], list[Decimal]]:
    """Names, USD paid and USD saved by prompt caching, for the bars of a plot.

    One tracker gives its models (it does not know what each of them saved), replies are numbered, a dict has names.
    Costs that are not known are left out.
    """
    if isinstance(costs, CostTracker):
        return list(costs.by_model), list(costs.by_model.values()), [Decimal(0)] * len(costs.by_model)
    if not isinstance(costs, Mapping):
        costs = {str(number): each for number, each in enumerate(costs, start=1)}
    pairs = [_amount(each) for each in costs.values()]
    return list(costs), [paid for paid, _ in pairs], [saved for _, saved in pairs]


def _amount(one: CostTracker | Reply) -> tuple[Decimal, Decimal]:
    """USD paid and saved."""
    if isinstance(one, CostTracker):
        return one.total, one.saved
    cost = one.cost
    return cost.known, cost.saved or Decimal(0)
