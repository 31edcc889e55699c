"""Prices: what the caller says, else what the package `genai-prices` says. Both work without a network.

genai-prices brings a dated table with each release. Nothing here starts its updater; a program that wants newer prices
than its release has starts `genai_prices.UpdatePrices` by itself, and they are used here as well.
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

from langchain_unified.cost.units import STANDARD, TOKEN_KINDS, Share, Used
from langchain_unified.errors import ConfigurationError

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

Prices: TypeAlias = Mapping[str, Mapping[str, Decimal | str | int | float]]
"""A model's name, or a pattern with `*`, -> its prices in USD: tokens by the million, all else by the thousand."""

KEYS: Mapping[str, str] = {
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
"""A key of `Prices` -> the kind of unit that it prices."""

# Neither provider takes more than the tokens for these:
# https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool (usage and pricing) and
# https://developers.openai.com/api/docs/guides/tools-connectors-mcp (pricing).
FREE: Mapping[str, Decimal] = {"web_fetch": Decimal(0), "mcp": Decimal(0)}

EXACT = Context(prec=60)
"""Products and sums of prices are exact, whatever precision the program has set."""

INSTALL = "genai-prices is not installed: pip install 'langchain-unified[cost]', or give prices={…}"


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of one model for one call, by kind of unit; a kind that is absent has no known price.

    `source` says where they come from: `genai-prices 0.2.3`, or the caller's own entry.
    """

    provider: str | None
    model: str
    tier: str
    source: str
    prices: Mapping[str, Decimal]

    def price(self, kind: str, *, billed: bool = True) -> Decimal | None:
        """USD for a million tokens of this kind, or a thousand uses; `None` where nobody says."""
        return self.prices.get(kind) if billed else Decimal(0)


def per(kind: str) -> int:
    """How many units a price is for, as a power of ten."""
    return 6 if kind in TOKEN_KINDS else 3


def price_list(used: Used, share: Share, own: OwnPrices) -> PriceList | str:
    """The prices for one share of a message, or a sentence that says why there are none."""
    entry = own.find(used.provider, share.model)
    if entry is not None:
        pattern, prices = entry
        return PriceList(used.provider, share.model, used.tier, f"prices[{pattern!r}]", prices)
    return _published(used, share)


# --- the caller's prices ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """The caller's prices, checked. They hold for every tier, and count before the published ones."""

    entries: Mapping[str, Mapping[str, Decimal]]

    @classmethod
    def of(cls, prices: Prices | OwnPrices | None) -> OwnPrices:
        """Raises `ConfigurationError` for what is no price."""
        if isinstance(prices, OwnPrices):
            return prices
        if prices is None:
            return cls({})
        if not isinstance(prices, Mapping):
            raise ConfigurationError(f"prices must be a dict of models, not {type(prices).__name__}. {EXAMPLE}")
        return cls({_pattern(name): _own_entry(name, entry) for name, entry in prices.items()})

    def find(self, provider: str | None, model: str) -> tuple[str, Mapping[str, Decimal]] | None:
        """The entry for a model: one with its very name, with its name without the date, else the first that fits."""
        names = [name for plain in (model, undated(model)) for name in (plain, f"{provider}/{plain}")]
        exact = (name for name in names if name in self.entries)
        fitting = (pattern for pattern in self.entries if any(fnmatchcase(name, pattern) for name in names))
        found = next(exact, None) or next(fitting, None)
        return None if found is None else (found, self.entries[found])


EXAMPLE = 'Write prices={"my-model": {"input": "3", "output": "15"}}, in USD for a million tokens.'


def _pattern(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"prices has {name!r} where a model's name belongs. {EXAMPLE}")
    head, colon, tail = name.partition(":")
    return f"{head}/{tail}" if colon and head in ("anthropic", "openai") else name


def _own_entry(name: str, entry: Any) -> Mapping[str, Decimal]:
    if not isinstance(entry, Mapping):
        raise ConfigurationError(f"prices[{name!r}] must be a dict of prices, not {entry!r}. {EXAMPLE}")
    prices = {_kind(name, key): _amount(name, key, value) for key, value in entry.items()}
    missing = [key for key in ("input", "output") if KEYS[key] not in prices]
    if missing:
        raise ConfigurationError(f"prices[{name!r}] has no {' and no '.join(map(repr, missing))}. {EXAMPLE}")
    if "cache_write" in prices:
        prices.setdefault("cache_write_5m", prices["cache_write"])
    return {**FREE, **prices}


def _kind(name: str, key: Any) -> str:
    if key in KEYS:
        return KEYS[key]
    near = difflib.get_close_matches(str(key), KEYS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The keys are {', '.join(KEYS)}."
    raise ConfigurationError(f"prices[{name!r}] has the unknown key {key!r}. {hint}")


def _amount(name: str, key: str, value: Any) -> Decimal:
    amount = decimal_of(value)
    if amount is None:
        raise ConfigurationError(
            f"prices[{name!r}][{key!r}] is {value!r}. Give USD as a number from 0 on, such as '0.30'."
        )
    return amount


def decimal_of(value: Any) -> Decimal | None:
    """A finite amount from 0 on, as a number or its text; `None` for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int | float):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


# --- published prices -------------------------------------------------------------------------------------------------

# A kind -> the keys of genai-prices, in the order to look. Without a price of their own, cached tokens cost what others
# do: that is how the models without a discount, or without a fee for writing, are listed.
SOURCES: Mapping[str, tuple[str, ...]] = {
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

HOUR_FACTOR = 2
"""Input price -> price of a cache write for an hour, where the table lacks it.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing.
"""

# Where a call ran -> the factor on its token prices: https://platform.claude.com/docs/en/build-with-claude/data-residency
REGIONS: Mapping[str | None, Decimal] = {
    None: Decimal(1),
    "global": Decimal(1),
    "not_available": Decimal(1),
    "us": Decimal("1.1"),
}


def installed() -> bool:
    """Whether genai-prices is there; it is not imported for that."""
    try:
        return importlib.util.find_spec("genai_prices") is not None
    except ValueError:  # it stands in `sys.modules` as no module
        return False


def _published(used: Used, share: Share) -> PriceList | str:
    try:
        import genai_prices
    except ImportError:
        return INSTALL
    factor = REGIONS.get(used.region)
    if factor is None:
        return f"no price is known for inference in {used.region!r}"
    at = used.at or datetime.now(UTC)
    context = _context(used)
    source = f"genai-prices {genai_prices.__version__}"
    for provider, model in _names(used.provider, share.model):
        try:
            found = genai_prices.calc_price(
                {}, model, provider_id=provider, genai_request_timestamp=at, price_context=context
            )
        except (LookupError, ValueError):
            continue
        if context is not None and not _has_tier(found, context, at):
            return f"{source} has no price for the tier {used.tier!r} of {share.model}{_day(used.at)}"
        prices = _resolved(found, share, factor)
        return PriceList(found.provider.id, found.model.id, used.tier, source, prices)
    return f"{source} does not know the model {share.model!r}{f' of {used.provider!r}' if used.provider else ''}"


def _day(at: datetime | None) -> str:
    return f" on {at.date()}" if at else ""


def _context(used: Used) -> dict[str, str] | None:
    """The tier in genai-prices' words; `None` for the standard one."""
    if used.tier == STANDARD:
        return None
    return CONTEXTS.get((used.provider, used.tier)) or CONTEXTS.get((None, used.tier)) or {"service_tier": used.tier}


CONTEXTS: Mapping[tuple[str | None, str], dict[str, str]] = {
    (None, "batch"): {"processing": "batch"},
    ("anthropic", "fast"): {"speed": "fast"},
}


def _has_tier(found: PriceCalculation, context: Mapping[str, str], at: datetime) -> bool:
    """Whether the tier has prices of its own on that day: without, genai-prices gives the standard ones."""
    if not any(found.model is model for model in found.provider.models):
        return False  # a model that is lent from another provider's list
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in found.model.price_variants or ()
    )


def _resolved(found: PriceCalculation, share: Share, factor: Decimal) -> Mapping[str, Decimal]:
    prices: dict[str, Decimal] = {}
    for kind, keys in SOURCES.items():
        said = (_price(getattr(found.model_price, key, None), share.prompt) for key in keys)
        price = next((price for price in said if price is not None), None)
        if price is not None:
            prices[kind] = price
    if "claude" in found.model.id and "uncached" in prices:
        prices.setdefault("cache_write_1h", HOUR_FACTOR * prices["uncached"])
    with localcontext(EXACT):
        scaled = {kind: price * factor if kind in TOKEN_KINDS else price for kind, price in prices.items()}
    return {**FREE, **scaled}


def _price(price: Any, prompt: int) -> Decimal | None:
    """One price; of several by the length of the prompt, the one that holds for every token of such a prompt."""
    if price is None or isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if prompt > tier.start]
    found: Decimal = reached[-1] if reached else price.base
    return found


# --- names ------------------------------------------------------------------------------------------------------------

_DATE = re.compile(r"[-@](20\d{6}|20\d\d-\d\d-\d\d)$")
_BEDROCK = re.compile(r"(^|[./])anthropic\.claude")
_VERTEX = re.compile(r"^claude-.*@\d{8}$")


def undated(model: str) -> str:
    """The name of a model without the date of its snapshot."""
    return _DATE.sub("", model)


def _names(provider: str | None, model: str) -> Iterator[tuple[str | None, str]]:
    """`(provider, model)` as genai-prices may know them, the surest first."""
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
