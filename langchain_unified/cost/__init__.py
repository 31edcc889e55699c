"""What a message cost, line by line, in US dollars.

    cost = message_cost(model.invoke("Hello"))
    cost.total          # Decimal("0.000123"), or None, and then `cost.reason` says why
    cost.lines          # uncached, cache_read, cache_write_5m, …, output, web_search, …

A price that is not known is `None` and never 0. Prices come from the caller or from the package `genai-prices` (the
extra `cost`), which is imported when the first price is asked for; there is never a network call. OpenAI's replies say
when they were made and are priced as of that day; Anthropic's do not, and are priced as of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

from langchain_core.messages import AIMessage

from langchain_unified.cost.prices import EXACT, OwnPrices, PriceList, Prices, per, price_list
from langchain_unified.cost.units import CACHE_KINDS, TOKEN_KINDS, Share, Used, used


@dataclass(frozen=True, slots=True)
class CostLine:
    """Units of one kind that one model used.

    `units` are tokens, or uses of a tool; `unit_price` is USD for a million tokens or a thousand uses, and `amount` the
    product. Both are `None` where the price is not known.
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
    """Whose prices were taken: the list's own names. `source` is `genai-prices …` or the caller's entry."""

    model: str
    provider: str | None
    tier: str
    source: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a message cost. `total` is `None` where a part of it is not known, and `reason` then says which.

    `saved` is what prompt caching took off the price of the same tokens uncached: below 0 where writing cost more than
    reading saved, `None` where it cannot be told. `original` is there for a reply out of LangChain's own cache, which
    costs nothing: what it cost when it was made.
    """

    total: Decimal | None
    lines: tuple[CostLine, ...] = ()
    saved: Decimal | None = None
    reason: str | None = None
    priced_as: PricedAs | None = None
    original: Cost | None = None
    currency: str = "USD"

    @property
    def known(self) -> Decimal:
        """The sum of the lines whose price is known: the total, or the least that it was."""
        return _sum(line.amount for line in self.lines if line.amount is not None)

    def __str__(self) -> str:
        if self.original is not None:
            return f"$0 (from LangChain's cache; it cost {self.original.short()})"
        several = len({line.model for line in self.lines}) > 1
        lines = ", ".join(f"{line} ({line.model})" if several else str(line) for line in self.lines)
        return f"{self.short()}: {lines}" if lines else self.short()

    def short(self) -> str:
        """The total alone, or why there is none."""
        return f"unknown ({self.reason})" if self.total is None else usd(self.total)


def usd(amount: Decimal) -> str:
    """An amount as people read it, in full: `$0.000123`, `-$1.50`."""
    with localcontext(EXACT):
        plain = f"{abs(amount).normalize():f}"
    whole, dot, cents = plain.partition(".")
    return f"{'-' if amount < 0 else ''}${whole}{dot and '.' + cents.ljust(2, '0')}"


def message_cost(message: AIMessage, prices: Prices | OwnPrices | None = None) -> Cost:
    """What an `AIMessage` cost, one of ours or of another integration, whole or streamed.

    `prices`: the caller's prices, which count before the published ones, for models by name or pattern:
    `{"my-model": {"input": "3", "output": "15", "cache_read": "0.30"}}`. An entry holds for every tier, and has no
    price for what it leaves out. Raises `ConfigurationError` for what is no price.
    """
    own = OwnPrices.of(prices)
    cost = _priced(used(message), own)
    if not from_cache(message):
        return cost
    return Cost(Decimal(0), saved=Decimal(0), priced_as=cost.priced_as, original=cost)


def from_cache(message: AIMessage) -> bool:
    """Whether LangChain's own cache (`set_llm_cache`) gave the message: LangChain then notes that its cost is 0."""
    usage = message.usage_metadata
    return usage is not None and usage.get("total_cost") == 0


def _priced(what: Used, own: OwnPrices) -> Cost:
    if what.problem is not None:
        return Cost(None, reason=what.problem)
    priced = [(share, price_list(what, share, own)) for share in what.shares]
    lists = [found for _, found in priced if isinstance(found, PriceList)]
    reasons = dict.fromkeys(found for _, found in priced if isinstance(found, str))
    reasons.update(dict.fromkeys(gap for share, found in priced for gap in _gaps(share, found)))
    lines = _merged(line for share, found in priced for line in _lines(share, found))
    return Cost(
        total=None if reasons else _sum(line.amount for line in lines),
        lines=lines,
        saved=_saved(priced),
        reason="; ".join(reasons) or None,
        priced_as=_priced_as(lists),
    )


def _lines(share: Share, found: PriceList | str) -> Iterator[CostLine]:
    """The lines of one share; with a sentence instead of prices, lines without an amount."""
    prices = None if isinstance(found, str) else found
    units = dict(share.units)
    if prices is not None and share.prompt and prices.price("request") is not None:
        units["request"] = 1
    for kind, count in units.items():
        price = prices.price(kind, billed=share.billed) if prices else None
        yield CostLine(kind, count, price, _amount(kind, count, price), share.model)


def _amount(kind: str, units: int, price: Decimal | None) -> Decimal | None:
    if price is None:
        return None
    with localcontext(EXACT):
        return (price * units).scaleb(-per(kind))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    with localcontext(EXACT):
        return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _merged(lines: Iterable[CostLine]) -> tuple[CostLine, ...]:
    """The lines with those of the same kind, model and price in one."""
    found: dict[tuple[str, str, Decimal | None], int] = {}
    for line in lines:
        key = (line.kind, line.model, line.unit_price)
        found[key] = found.get(key, 0) + line.units
    return tuple(
        CostLine(kind, units, price, _amount(kind, units, price), model)
        for (kind, model, price), units in found.items()
    )


def _gaps(share: Share, found: PriceList | str) -> Iterator[str]:
    """What is said of each line that the price list has no price for."""
    if not isinstance(found, str):
        for line in _lines(share, found):
            if line.unit_price is None:
                yield f"no price is known for {line.kind} of {line.model} ({found.source})"


def _saved(priced: list[tuple[Share, PriceList | str]]) -> Decimal | None:
    saved = []
    for share, found in priced:
        for kind in CACHE_KINDS:
            units = share.units.get(kind, 0)
            if not units or not share.billed:
                continue
            if isinstance(found, str):
                return None
            plain, cached = (_amount(kind, units, found.price(one)) for one in ("uncached", kind))
            if plain is None or cached is None:
                return None
            saved += [plain, -cached]
    return None if all(isinstance(found, str) for _, found in priced) else _sum(saved)


def _priced_as(lists: list[PriceList]) -> PricedAs | None:
    if not lists:
        return None
    last = lists[-1]
    return PricedAs(last.model, last.provider, last.tier, last.source)


__all__ = ["Cost", "CostLine", "PricedAs", "Prices", "from_cache", "message_cost", "usd"]
