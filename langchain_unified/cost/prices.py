"""Prices: the caller's, else those of the package `genai-prices`. Both work without a network.

Each release of genai-prices has a table of prices with dates. This package never starts its updater. A program that
wants newer prices starts `genai_prices.UpdatePrices` itself; they are then used here, too.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation, localcontext
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeAlias

from langchain_unified._extras import install
from langchain_unified.cost.units import STANDARD, TOKEN_KINDS, MessageUsage, ModelUsage
from langchain_unified.errors import ConfigurationError

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

Prices: TypeAlias = Mapping[str, Mapping[str, Decimal | str | int | float]]
"""By the name of a model, or a pattern with `*`: its prices in USD per million tokens, else per thousand uses."""

KINDS_BY_KEY: Mapping[str, str] = {
    "input": "uncached",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "cache_write_5m": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "cache_write_12h": "cache_write_12h",
    "audio_input": "audio_input",
    "audio_output": "audio_output",
    "web_search": "web_search",
    "web_fetch": "web_fetch",
    "file_search": "file_search",
    "code_interpreter": "code_interpreter",
    "image_generation": "image_generation",
    "mcp": "mcp",
    "shell": "shell",
    "request": "request",
}
"""By key of a price, the kind of units that it is for."""

# Tools for which the provider charges only the tokens:
# https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool (usage and pricing) and
# https://developers.openai.com/api/docs/guides/tools-connectors-mcp (pricing).
FREE: Mapping[str, Decimal] = {"web_fetch": Decimal(0), "mcp": Decimal(0)}

EXACT = Context(prec=60)
"""For exact products and sums of prices, whatever precision the program has set."""


def no_prices() -> str:
    """Why nothing has a published price."""
    return f"genai-prices is not installed: {install('cost')}, or give prices={{…}}"


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of one model for one call, by kind of unit. A kind that is absent has no known price.

    `source`: where they come from, `genai-prices 0.2.3` or the caller's entry.
    """

    provider: str | None
    model: str
    tier: str
    source: str
    prices: Mapping[str, Decimal]

    def price(self, kind: str, *, billed: bool = True) -> Decimal | None:
        """USD per million tokens of this kind, or per thousand uses; `None` where it is not known."""
        return self.prices.get(kind) if billed else Decimal(0)


def price_scale(kind: str) -> int:
    """The number of units that a price is for, as a power of ten."""
    return 6 if kind in TOKEN_KINDS else 3


def price_list(message: MessageUsage, usage: ModelUsage, caller: CallerPrices) -> PriceList | str:
    """The prices for one model of a message, or the reason why there are none."""
    entry = caller.find(message.provider, usage.model)
    if entry is not None:
        pattern, prices = entry
        return PriceList(message.provider, usage.model, message.tier, f"prices[{pattern!r}]", prices)
    return _published(message, usage)


# --- the caller's prices ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerPrices:
    """The caller's prices, validated. They are for every service tier, and come before the published ones."""

    entries: Mapping[str, Mapping[str, Decimal]]

    @classmethod
    def of(cls, prices: Prices | CallerPrices | None) -> CallerPrices:
        """Raises `ConfigurationError` for invalid prices."""
        if isinstance(prices, CallerPrices):
            return prices
        if prices is None:
            return cls({})
        if not isinstance(prices, Mapping):
            raise ConfigurationError(f"prices must be a dict of models, not {type(prices).__name__}. {EXAMPLE}")
        return cls({_pattern(name): _validated(name, entry) for name, entry in prices.items()})

    def find(self, provider: str | None, model: str) -> tuple[str, Mapping[str, Decimal]] | None:
        """The entry for a model: by its name, by its name without the date, else the first pattern that matches."""
        names = [each for name in (model, undated(model)) for each in (name, f"{provider}/{name}")]
        exact = (name for name in names if name in self.entries)
        matching = (pattern for pattern in self.entries if any(fnmatchcase(name, pattern) for name in names))
        found = next(exact, None) or next(matching, None)
        return None if found is None else (found, self.entries[found])


EXAMPLE = 'Write prices={"my-model": {"input": "3", "output": "15"}}, in USD per million tokens.'


def _pattern(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"A key of prices must be the name of a model, not {name!r}. {EXAMPLE}")
    head, colon, tail = name.partition(":")
    return f"{head}/{tail}" if colon and head in ("anthropic", "openai") else name


def _validated(name: str, entry: Any) -> Mapping[str, Decimal]:
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"prices[{name!r}] must be a dict of prices, not {entry!r}. {EXAMPLE}")
    prices = {_kind(name, key): _amount(name, key, value) for key, value in entry.items()}
    missing = [key for key in ("input", "output") if KINDS_BY_KEY[key] not in prices]
    if missing:
        raise ConfigurationError(f"prices[{name!r}] has no {' and no '.join(map(repr, missing))}. {EXAMPLE}")
    if "cache_write" in prices:
        prices.setdefault("cache_write_5m", prices["cache_write"])
    return {**FREE, **prices}


def _kind(name: str, key: Any) -> str:
    if key in KINDS_BY_KEY:
        return KINDS_BY_KEY[key]
    near = difflib.get_close_matches(str(key), KINDS_BY_KEY, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The keys are {', '.join(KINDS_BY_KEY)}."
    raise ConfigurationError(f"prices[{name!r}] has the unknown key {key!r}. {hint}")


def _amount(name: str, key: str, value: Any) -> Decimal:
    amount = decimal_of(value)
    if amount is None:
        raise ConfigurationError(
            f"prices[{name!r}][{key!r}] is {value!r}. It must be a finite number of USD, 0 or more, such as '0.30'."
        )
    return amount


def decimal_of(value: Any) -> Decimal | None:
    """A finite amount of 0 or more, given as a number or a string; `None` for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int | float):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


# --- published prices -------------------------------------------------------------------------------------------------

# By kind, the fields of genai-prices, the first that is there counts. Without a price of their own, cached tokens cost
# what others cost: genai-prices lists models without a discount, or without a fee for writing, in this form.
GENAI_FIELDS: Mapping[str, tuple[str, ...]] = {
    "uncached": ("input_mtok",),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write": ("cache_write_mtok", "input_mtok"),
    "cache_write_5m": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok",),
    "audio_input": ("input_audio_mtok",),
    "output": ("output_mtok",),
    "audio_output": ("output_audio_mtok",),
    "web_search": ("web_searches_kcount",),
    "file_search": ("storage_searches_kcount",),
    "request": ("requests_kcount",),
}

HOUR_WRITE_FACTOR = 2
"""The price of a cache write for an hour, as a multiple of the input price, where the table lacks it.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing.
"""

# By region, a factor on the token prices: https://platform.claude.com/docs/en/build-with-claude/data-residency
REGION_FACTORS: Mapping[str | None, Decimal] = {
    None: Decimal(1),
    "global": Decimal(1),
    "not_available": Decimal(1),
    "us": Decimal("1.1"),
}


def installed() -> bool:
    """Whether genai-prices is installed. It is not imported for this."""
    try:
        return importlib.util.find_spec("genai_prices") is not None
    except ValueError:  # `sys.modules` has something else under its name
        return False


def _published(message: MessageUsage, usage: ModelUsage) -> PriceList | str:
    try:
        import genai_prices
    except ImportError:
        return no_prices()
    factor = REGION_FACTORS.get(message.region)
    if factor is None:
        return f"no price is known for inference in {message.region!r}"
    at = message.at or datetime.now(UTC)
    context = _context(message)
    source = f"genai-prices {genai_prices.__version__}"
    for provider, model in _names(message.provider, usage.model):
        try:
            found = genai_prices.calc_price(
                {}, model, provider_id=provider, genai_request_timestamp=at, price_context=context
            )
        except (LookupError, ValueError):
            continue
        if context is not None and not _has_tier(found, context, at):
            return f"{source} has no price for the tier {message.tier!r} of {usage.model}{_day(message.at)}"
        prices = _prices(found, usage, factor)
        return PriceList(found.provider.id, found.model.id, message.tier, source, prices)
    return f"{source} does not know the model {usage.model!r}{f' of {message.provider!r}' if message.provider else ''}"


def _day(at: datetime | None) -> str:
    return f" on {at.date()}" if at else ""


def _context(message: MessageUsage) -> dict[str, str] | None:
    """The service tier in the terms of genai-prices; `None` for the standard one."""
    if message.tier == STANDARD:
        return None
    of_provider, of_all = ((provider, message.tier) for provider in (message.provider, None))
    return TIER_CONTEXTS.get(of_provider) or TIER_CONTEXTS.get(of_all) or {"service_tier": message.tier}


TIER_CONTEXTS: Mapping[tuple[str | None, str], dict[str, str]] = {
    (None, "batch"): {"processing": "batch"},
    ("anthropic", "fast"): {"speed": "fast"},
}


def _has_tier(found: PriceCalculation, context: Mapping[str, str], at: datetime) -> bool:
    """Whether the tier has its own prices on that day. If not, genai-prices returns the standard ones."""
    if not any(found.model is model for model in found.provider.models):
        return False  # a model from the list of another provider
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in found.model.price_variants or ()
    )


def _prices(found: PriceCalculation, usage: ModelUsage, factor: Decimal) -> Mapping[str, Decimal]:
    prices: dict[str, Decimal] = {}
    for kind, fields in GENAI_FIELDS.items():
        listed = (_price(getattr(found.model_price, field, None), usage.prompt_tokens) for field in fields)
        price = next((price for price in listed if price is not None), None)
        if price is not None:
            prices[kind] = price
    if "claude" in found.model.id and "uncached" in prices:
        prices.setdefault("cache_write_1h", HOUR_WRITE_FACTOR * prices["uncached"])
    with localcontext(EXACT):
        scaled = {kind: price * factor if kind in TOKEN_KINDS else price for kind, price in prices.items()}
    return {**FREE, **scaled}


def _price(price: Any, prompt_tokens: int) -> Decimal | None:
    """One price. Where it depends on the length of the prompt, the price for all tokens of such a prompt."""
    if price is None or isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if prompt_tokens > tier.start]
    found: Decimal = reached[-1] if reached else price.base
    return found


# --- names ------------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"[-@](20\d{6}|20\d\d-\d\d-\d\d)$")
_BEDROCK = re.compile(r"(^|[./])anthropic\.claude")
_VERTEX = re.compile(r"^claude-.*@\d{8}$")


def undated(model: str) -> str:
    """The name of a model without the date of a snapshot."""
    return _DATE.sub("", model)


def _names(provider: str | None, model: str) -> Iterator[tuple[str | None, str]]:
    """`(provider, model)` under which genai-prices may list a model, the most specific first."""
    head, slash, tail = model.rpartition("/")
    if _BEDROCK.search(model):
        yield "aws", tail
        return
    if _VERTEX.match(model):
        yield "google", model
        return
    if slash and head:
        yield head, tail
    yield provider, model
    if undated(model) != model:
        yield provider, undated(model)
