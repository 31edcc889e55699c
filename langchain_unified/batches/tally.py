"""What a run used and cost: sums over the answers that are there. Asking twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from langchain_unified.cost.message import Cost, CostLine, message_cost
from langchain_unified.cost.prices import CallerPrices


@dataclass(slots=True)
class Tally:
    """The sum of some answers."""

    prices: CallerPrices
    usage: UsageMetadata | None = None
    units: dict[tuple[str, str, Decimal | None], int] = field(default_factory=dict)
    amounts: dict[tuple[str, str, Decimal | None], Decimal] = field(default_factory=dict)
    reasons: dict[str, None] = field(default_factory=dict)
    saved: Decimal | None = Decimal(0)

    def add(self, messages: Iterable[AIMessage]) -> None:
        """Add answers."""
        for message in messages:
            self.usage = add_usage(self.usage, message.usage_metadata)
            self._add(message_cost(message, self.prices))

    def _add(self, cost: Cost) -> None:
        for line in cost.lines:
            key = (line.kind, line.model, line.unit_price)
            self.units[key] = self.units.get(key, 0) + line.units
            if line.amount is not None:
                self.amounts[key] = self.amounts.get(key, Decimal(0)) + line.amount
        if cost.total is None:
            self.reasons[cost.reason or "a price is not known"] = None
        self.saved = None if self.saved is None or cost.saved is None else self.saved + cost.saved

    @property
    def cost(self) -> Cost:
        """The cost, line by line."""
        lines = tuple(
            CostLine(kind, units, price, self.amounts.get((kind, model, price)), model)
            for (kind, model, price), units in self.units.items()
        )
        total = None if self.reasons else sum(self.amounts.values(), Decimal(0))
        return Cost(total, lines=lines, saved=self.saved, reason="; ".join(self.reasons) or None)
