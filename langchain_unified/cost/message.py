"""What one message cost, in US dollars, line by line.

    cost = message_cost(model.invoke("Hello"))
    cost.total          # Decimal("0.000123"); None if a price is not known, for the reason in cost.reason
    cost.lines          # uncached, cache_read, cache_write_5m, …, output, web_search, …

A price that is not known is `None`, never 0. Prices come from the caller or from the package `genai-prices` (the extra
`cost`), which is imported for the first price. There is never a network call. OpenAI's replies have a date and are
priced as of that day. Anthropic's replies have none and are priced as of today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import reduce

from langchain_core.messages import AIMessage

from langchain_unified.cost.prices import EXACT, CallerPrices, PriceList, Prices, price_list, price_scale
from langchain_unified.cost.units import CACHE_KINDS, TOKEN_KINDS, MessageUsage, ModelUsage, message_usage


@dataclass(frozen=True, slots=True)
class CostLine:
    """The cost of the units of one kind that one model used.

    `units`: tokens, or uses of a tool. `unit_price`: USD per million tokens or per thousand uses. `amount`: USD for the
    units. Both are `None` where the price is not known.
    """

    kind: str
    units: int
    unit_price: Decimal | None
    amount: Decimal | None
    model: str

    def __str__(self) -> str:
        price = "an unknown price" if self.unit_price is None else usd(self.unit_price)
        return f"{self.units:,} {self.kind} at {price}{'/M' if self.kind in TOKEN_KINDS else '/K'}"


@dataclass(frozen=True, slots=True)
class PricedAs:
    """Where the prices come from: the names in the price list, and `source`: `genai-prices …` or the caller's entry."""

    model: str
    provider: str | None
    tier: str
    source: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a message cost, in US dollars.

    - `total`: the sum of the lines; `None` where a price is not known, and `reason` then says which.
    - `lines`: a `CostLine` for each kind of token or tool and each model.
    - `saved`: what prompt caching saved, compared with the same tokens uncached. Below 0 where writing to the cache
      cost more than reading saved, `None` where a price is not known.
    - `priced_as`: where the prices come from.
    - `incomplete`: the stream ended early. Its input counts if it was reported, its output as far as it was reported:
      there is no `total`.
    - `original`: for a message from LangChain's own cache, which costs 0, what it cost when it was made.
    """

    total: Decimal | None
    lines: tuple[CostLine, ...] = ()
    saved: Decimal | None = None
    reason: str | None = None
    priced_as: PricedAs | None = None
    original: Cost | None = None
    currency: str = "USD"
    incomplete: bool = False

    @property
    def known(self) -> Decimal:
        """The sum of the lines whose price is known. Without a `total`, the message cost at least this much."""
        return _sum(line.amount for line in self.lines if line.amount is not None)

    def __str__(self) -> str:
        if self.original is not None:
            return f"$0 (from LangChain's cache; it cost {self.original.short()})"
        several = len({line.model for line in self.lines}) > 1
        lines = ", ".join(f"{line} ({line.model})" if several else str(line) for line in self.lines)
        return f"{self.short()}: {lines}" if lines else self.short()

    def short(self) -> str:
        """The total, or why it is not known."""
        return f"unknown ({self.reason})" if self.total is None else usd(self.total)


def usd(amount: Decimal) -> str:
    """An amount with all its digits: `$0.000123`, `-$1.50`."""
    with localcontext(EXACT):
        plain = f"{abs(amount).normalize():f}"
    whole, dot, cents = plain.partition(".")
    return f"{'-' if amount < 0 else ''}${whole}{dot and '.' + cents.ljust(2, '0')}"


def message_cost(message: AIMessage, prices: Prices | CallerPrices | None = None) -> Cost:
    """Return what a message cost, in US dollars.

    `message`: an `AIMessage` or the sum of a stream's chunks, from this package or another LangChain integration.
    `prices`: your own prices, used before the published ones: by the name of a model or a pattern, USD per million
    tokens or per thousand uses of a tool. Example: `{"my-model": {"input": "3", "output": "15", "cache_read": "0.3"}}`.
    An entry is for every service tier; what it leaves out has no price.

    `total` of the result is `None` where a price or the usage is not known. Raises `ConfigurationError` for invalid
    `prices`.
    """
    usage, caller = message_usage(message), CallerPrices.of(prices)
    cost = usage_cost(usage, lambda each: price_list(usage, each, caller))
    if not from_cache(message):
        return cost
    return Cost(Decimal(0), saved=Decimal(0), priced_as=cost.priced_as, original=cost)


def from_cache(message: AIMessage) -> bool:
    """Whether a message comes from LangChain's own cache (`set_llm_cache`): LangChain then sets its cost to 0."""
    usage = message.usage_metadata
    return usage is not None and usage.get("total_cost") == 0


def usage_cost(message: MessageUsage, find: Callable[[ModelUsage], PriceList | str]) -> Cost:
    """The cost of what a message used. `find`: the prices for one model of it, or the reason why there are none."""
    if message.problem is not None:
        return Cost(None, reason=message.problem, incomplete=message.incomplete)
    priced = [(usage, find(usage)) for usage in message.models]
    lists = [found for _, found in priced if isinstance(found, PriceList)]
    reasons = dict.fromkeys(found for _, found in priced if isinstance(found, str))
    reasons.update({CUT_OFF: None} if message.incomplete else {})
    each = [(found, list(_lines(usage, found))) for usage, found in priced]
    reasons.update(dict.fromkeys(gap for found, lines in each for gap in _missing_prices(lines, found)))
    lines = tuple(each[0][1]) if len(each) == 1 else _merged(line for _, lines in each for line in lines)
    return Cost(
        total=None if reasons else _sum(line.amount for line in lines),
        lines=lines,
        saved=_saved(priced),
        reason="; ".join(reasons) or None,
        priced_as=_priced_as(lists),
        incomplete=message.incomplete,
    )


CUT_OFF = "the stream ended early, and its output was not counted to the end"


def _lines(usage: ModelUsage, found: PriceList | str) -> Iterator[CostLine]:
    """The lines of one model. Without a price list (`found` is the reason), they have no amount."""
    prices = None if isinstance(found, str) else found
    units = usage.units
    if prices is not None and usage.prompt_tokens and prices.price("request") is not None:
        units = {**units, "request": 1}
    for kind, count in units.items():
        price = prices.price(kind, billed=usage.billed) if prices else None
        yield CostLine(kind, count, price, _amount(kind, count, price), usage.model)


def _amount(kind: str, units: int, price: Decimal | None) -> Decimal | None:
    return None if price is None else EXACT.scaleb(EXACT.multiply(price, units), -price_scale(kind))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return reduce(EXACT.add, (amount for amount in amounts if amount is not None), Decimal(0))


def _merged(lines: Iterable[CostLine]) -> tuple[CostLine, ...]:
    """The lines, with those of the same kind, model and price added up."""
    found: dict[tuple[str, str, Decimal | None], int] = {}
    for line in lines:
        key = (line.kind, line.model, line.unit_price)
        found[key] = found.get(key, 0) + line.units
    return tuple(
        CostLine(kind, units, price, _amount(kind, units, price), model)
        for (kind, model, price), units in found.items()
    )


def _missing_prices(lines: list[CostLine], found: PriceList | str) -> Iterator[str]:
    """The reason for each line that the price list has no price for."""
    if not isinstance(found, str):
        for line in lines:
            if line.unit_price is None:
                yield f"no price is known for {line.kind} of {line.model} ({found.source})"


def _saved(priced: list[tuple[ModelUsage, PriceList | str]]) -> Decimal | None:
    saved = []
    for usage, found in priced:
        for kind in CACHE_KINDS:
            units = usage.units.get(kind, 0)
            if not units or not usage.billed:
                continue
            if isinstance(found, str):
                return None
            uncached, cached = (_amount(kind, units, found.price(one)) for one in ("uncached", kind))
            if uncached is None or cached is None:
                return None
            saved += [uncached, -cached]
    return None if all(isinstance(found, str) for _, found in priced) else _sum(saved)


def _priced_as(lists: list[PriceList]) -> PricedAs | None:
    if not lists:
        return None
    last = lists[-1]
    return PricedAs(last.model, last.provider, last.tier, last.source)
