"""What a call may cost before it is sent, and what it did cost after it, by the prices of `cost/`.

    pricing = Pricing.of("claude-opus-5", "anthropic", deployment_model_info)
    estimate = pricing.estimate(body)                       # amount and tokens, for `Keys.reserve`
    charge = pricing.charge(usage_metadata, metadata, estimate)   # cost and tokens, for `Keys.settle`

Prices are those of the deployment's `model_info` in LiteLLM's names, else the published ones of `base_model` or of the
model. A model without a price is an error, or has the default price; it is never free without a word.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from langchain_core.messages.ai import UsageMetadata

from langchain_unified.cost.message import usage_cost
from langchain_unified.cost.prices import CallerPrices, PriceList, decimal_of, price_list
from langchain_unified.cost.units import STANDARD, MessageUsage, ModelUsage, message_usage
from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.body_tokens import body_size
from langchain_unified.gateway.crossing.params import STREAMED_OUTPUT, WHOLE_OUTPUT
from langchain_unified.gateway.errors import UnknownPriceError
from langchain_unified.profiles import profile_for
from langchain_unified.request import JsonObject, Provider

PER_TOKEN: Mapping[str, str] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
}
"""LiteLLM's names of prices in USD per token, and the names of `message_cost`, per million tokens."""

PER_USE: Mapping[str, str] = {"input_cost_per_request": "request"}
"""In USD per call, and per thousand calls."""

PRICE_FIELDS = frozenset({*PER_TOKEN, *PER_USE})

CHARACTERS_PER_TOKEN = 4
OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")

REFRESH_SECONDS = 3600.0
"""Published prices are looked up again after an hour: they depend on the date, and a program may update them."""
PROMPT_STEP = 1000
"""Prices that depend on the prompt's length change at multiples of it, less one at most (`genai-prices`)."""

WRITE_FACTORS: Mapping[str, Decimal] = {"cache_write": Decimal("1.25"), "cache_write_1h": Decimal(2)}
"""Of the input price: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call may cost at most, in USD, and its input tokens, both before it is sent.

    Input is counted from the body: text in bytes, media by size. Uses of the provider's own tools are not in it.
    """

    amount: Decimal
    tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call cost, in USD. `is_priced`: false if a part of it has no known price; `reason` says which."""

    cost: Decimal
    tokens: int
    input_tokens: int
    output_tokens: int
    is_priced: bool = True
    reason: str | None = None

    @property
    def details(self) -> dict[str, int]:
        """The argument of the same name of `Keys.settle`."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "unpriced": int(not self.is_priced),
        }


@dataclass(slots=True)
class _Reply:
    """The parts of a message that have a price."""

    usage_metadata: Any
    response_metadata: dict[str, Any]
    content: Any = ""


@dataclass(slots=True)
class Pricing:
    """The prices of one deployment. `model` is the name in price lists.

    `max_output_tokens`: the output of a call without a limit of its own, if the configuration says it; `model_limit`:
    what the model can write at most. Both are `None` where they are not known.
    """

    model: str
    provider: str | None
    prices: CallerPrices
    max_output_tokens: int | None
    model_limit: int | None
    max_input_tokens: int | None
    default: CallerPrices | None = None
    _found: dict[tuple[str, str, str | None, int], PriceList | str] = field(default_factory=dict)
    _found_at: float = 0.0

    @classmethod
    def of(
        cls,
        model: str,
        provider: Provider | None,
        model_info: Mapping[str, Any] | None = None,
        *,
        default_prices: Mapping[str, Any] | None = None,
    ) -> Pricing:
        """The pricing of a model of a provider.

        `model_info`: `PRICE_FIELDS` in USD, `base_model`, `max_output_tokens` (else `max_tokens`). `default_prices`:
        `PRICE_FIELDS` for a model whose price is not known. Raises `ConfigurationError` for a price that is no number.
        """
        info = dict(model_info or {})
        name = str(info.get("base_model") or model)
        profile = profile_for(provider, name.rpartition("/")[2])
        limit = info.get("max_output_tokens") or info.get("max_tokens")
        default = _entry("default price", default_prices or {})
        return cls(
            model=name,
            provider=provider,
            prices=CallerPrices.of(_named(name, _entry(f"model_info of {model!r}", info))),
            max_output_tokens=int(limit) if limit else None,
            model_limit=profile.max_output_tokens,
            max_input_tokens=info.get("max_input_tokens") or profile.max_input_tokens,
            default=CallerPrices.of(_named("*", default)) if default else None,
        )

    # --- before the call ----------------------------------------------------------------------------------------------

    def estimate(self, body: JsonObject, *, marks: bool = False) -> Estimate:
        """The most that a call with this body should cost.

        `body` is of any of the three APIs. `marks`: whether cache marks are added to it later. Output is counted by
        the body's own limit, else by `model_info.max_output_tokens`, else by the limit that the gateway gives calls
        of Claude without one (other models rarely write more), times `n`. Raises `UnknownPriceError`.
        """
        size = body_size(body)
        tokens = size.tokens if self.max_input_tokens is None else min(size.tokens, self.max_input_tokens)
        output = self._output_limit(body) * _answers(body)
        found = self._find(_tier(body), None, self.model, tokens)
        if isinstance(found, str):
            raise UnknownPriceError(
                f"The price of {self.model} is not known ({found}). Set input_cost_per_token and output_cost_per_token "
                "in its model_info (0 for a free model), or base_model."
            )
        kinds = ["uncached"]
        if marks or size.has_marks:
            kinds += ["cache_write", "cache_write_5m", *(["cache_write_1h"] if size.has_hour_marks else [])]
        per_input = max(found.price(kind) or Decimal(0) for kind in kinds)
        per_output = found.price("output") or Decimal(0)
        fee = (found.price("request") or Decimal(0)) / 1000
        return Estimate((per_input * tokens + per_output * output) / 1_000_000 + fee, tokens, output)

    def is_known(self) -> bool:
        """Whether the model has a price."""
        return not isinstance(self._find(STANDARD, None, self.model, 0), str)

    def _output_limit(self, body: JsonObject) -> int:
        asked: list[int] = [body[key] for key in OUTPUT_LIMITS if isinstance(body.get(key), int)]
        if asked:
            return max(0, min(asked))
        if self.max_output_tokens is not None:
            return self.max_output_tokens
        usual = STREAMED_OUTPUT if body.get("stream") is True else WHOLE_OUTPUT
        return usual if self.model_limit is None else min(usual, self.model_limit)

    # --- after the call -----------------------------------------------------------------------------------------------

    def charge(
        self,
        usage: UsageMetadata | None,
        metadata: Mapping[str, Any] | None = None,
        *,
        content: object = "",
        is_complete: bool = True,
    ) -> Charge:
        """What a call cost.

        `usage`: the usage that came; of a cut answer, what `partial_usage` makes of it. `metadata`: a reply's
        `response_metadata`, or the part of it that prices depend on: `usage` (the provider's own), `service_tier`,
        `stop_reason`. `content`: the blocks of a reply of OpenAI's, for its own tools. Never raises.
        """
        about = {**(metadata or {}), "model_name": self.model, "model_provider": self.provider}
        about.pop("incomplete", None)  # what came is billed, and marked by `is_complete`
        reply = message_usage(_Reply(usage, about, content))
        cost = usage_cost(reply, lambda each: self._find(reply.tier, reply.region, each.model, each.prompt_tokens))
        tokens = usage or UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
        return Charge(
            cost.known,
            tokens["total_tokens"],
            tokens["input_tokens"],
            tokens["output_tokens"],
            is_priced=cost.total is not None,
            reason=cost.reason,
        )

    # --- price lists --------------------------------------------------------------------------------------------------

    def _find(self, tier: str, region: str | None, model: str, prompt_tokens: int) -> PriceList | str:
        """The prices for a call, or the reason why there are none. Looked up once an hour for each kind of call."""
        now = time.monotonic()
        if now - self._found_at > REFRESH_SECONDS:
            self._found, self._found_at = {}, now
        key = (tier, model, region, -(-prompt_tokens // PROMPT_STEP))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._look_up(tier, region, model, prompt_tokens)
        return found

    def _look_up(self, tier: str, region: str | None, model: str, prompt_tokens: int) -> PriceList | str:
        usage = ModelUsage(model, prompt_tokens, {})
        message = MessageUsage(self.provider, model, tier, region)
        found = price_list(message, usage, self.prices)
        if isinstance(found, str) and self.default is not None:
            return price_list(message, usage, self.default)
        return found


def partial_usage(estimate: Estimate, reported: UsageMetadata | None = None, characters: int = 0) -> UsageMetadata:
    """The usage of an answer that was cancelled or cut, or that told none, by what came.

    `reported`: what the stream said of its usage until then. Input without a report is that of the estimate. Output is
    what was reported, and at least one token for four of the `characters` that came.
    """
    input_tokens = reported["input_tokens"] if reported else estimate.tokens
    output_tokens = max(reported["output_tokens"] if reported else 0, -(-characters // CHARACTERS_PER_TOKEN))
    found = UsageMetadata(
        input_tokens=input_tokens, output_tokens=output_tokens, total_tokens=input_tokens + output_tokens
    )
    return UsageMetadata(**{**(reported or {}), **found})  # type: ignore[typeddict-item]


def highest_usage(estimate: Estimate) -> UsageMetadata:
    """The usage of a call whose end the gateway does not see: all the input and output that was estimated."""
    return partial_usage(estimate, characters=estimate.output_tokens * CHARACTERS_PER_TOKEN)


def _tier(body: JsonObject) -> str:
    """The tier to expect: the standard one, unless the call asks for a dearer one."""
    if body.get("speed") == "fast":
        return "fast"
    return "priority" if body.get("service_tier") == "priority" else STANDARD


def _answers(body: JsonObject) -> int:
    count = body.get("n")
    return count if isinstance(count, int) and count > 0 else 1


# --- the prices of a configuration ------------------------------------------------------------------------------------


def _entry(where: str, info: Mapping[str, Any]) -> dict[str, Decimal]:
    """The prices by the names of `message_cost`. Tokens without a price of their own cost what others cost."""
    entry: dict[str, Decimal] = {}
    for names, scale in ((PER_TOKEN, 6), (PER_USE, 3)):
        for key, name in names.items():
            if info.get(key) is not None:
                entry[name] = _price(where, key, info[key]).scaleb(scale)
    if not entry:
        return entry
    missing = [key for key in ("input_cost_per_token", "output_cost_per_token") if PER_TOKEN[key] not in entry]
    if missing:
        raise ConfigurationError(f"{where}: {' and '.join(missing)} is missing. Set both prices; 0 is free.")
    entry.setdefault("cache_read", entry["input"])
    entry.setdefault("audio_input", entry["input"])
    entry.setdefault("audio_output", entry["output"])
    for name, factor in WRITE_FACTORS.items():
        entry.setdefault(name, entry["input"] * factor)
    return entry


def _price(where: str, key: str, value: object) -> Decimal:
    amount = decimal_of(value)
    if amount is None:
        raise ConfigurationError(f"{where}: {key} is {value!r}. It must be USD for one token or call, as 0.000003.")
    return amount


def _named(name: str, entry: Mapping[str, Decimal]) -> dict[str, Mapping[str, Decimal]]:
    return {name: entry} if entry else {}
