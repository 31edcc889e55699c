"""The usage of a message: how many units of each kind, by the model that used them.

It is read from the message alone, of this package or of a partner package. Kinds of tokens: `uncached`, `cache_read`,
`cache_write` (with the TTL where the provider reports one: `_5m`, `_1h`, `_12h`), `audio_input`, `output`,
`audio_output`. Other kinds are counted in uses: `web_search`, `file_search`, `code_interpreter`, …, and `request`, for
a fee per call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from langchain_core.messages import AIMessageChunk

from langchain_unified.usage import PREFIX_TIERS, anthropic_usage, server_calls, without_tier

CACHE_KINDS = ("cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "cache_write_12h")
TOKEN_KINDS = frozenset({"uncached", *CACHE_KINDS, "audio_input", "output", "audio_output"})

STANDARD = "standard"
"""The service tier of a call without another one."""

Counts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What one model used for a message.

    `prompt_tokens`: the length of its whole prompt, cached tokens included; long prompts may have other prices.
    `billed`: whether it is charged.
    """

    model: str
    prompt_tokens: int
    units: Mapping[str, int]
    billed: bool = True


@dataclass(frozen=True, slots=True)
class MessageUsage:
    """What a message used, and what its prices depend on.

    `tier`: the service tier, in the provider's terms. `region` and `at`: where and when it was made, if reported.
    `models`: the usage of each model. `problem`: why the message cannot be priced at all; else `None`.
    `incomplete`: the stream ended early, so that the output is counted in part only.
    """

    provider: str | None
    model: str | None
    tier: str = STANDARD
    region: str | None = None
    at: datetime | None = None
    models: tuple[ModelUsage, ...] = ()
    problem: str | None = None
    incomplete: bool = False


class UnclearUsageError(ValueError):
    """The counts of a message cannot be priced. The text says why."""


class Priced(Protocol):
    """What prices need of a message. `content` is read for the uses of OpenAI's own tools."""

    @property
    def content(self) -> Any: ...
    @property
    def usage_metadata(self) -> Any: ...
    @property
    def response_metadata(self) -> dict[str, Any]: ...


def message_usage(message: Priced) -> MessageUsage:
    """The usage of a message. Never raises: if its counts are unclear, `problem` says why."""
    metadata = message.response_metadata
    model = metadata.get("model_name") or metadata.get("model")
    about: dict[str, Any] = {
        "provider": _string(metadata.get("model_provider")),
        "model": _string(model),
        "tier": _tier(message),
        "region": _string(_raw(message).get("inference_geo")),
        "at": _time(metadata),
        "incomplete": _is_incomplete(message),
    }
    try:
        return MessageUsage(**about, models=tuple(_models(message, about["model"], about["provider"])))
    except UnclearUsageError as exc:
        return MessageUsage(**about, problem=str(exc))


def _is_incomplete(message: Priced) -> bool:
    return bool(message.response_metadata.get("incomplete"))


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _raw(message: Priced) -> Counts:
    """The provider's usage object, if the message has it."""
    return _mapping(message.response_metadata.get("usage") or message.response_metadata.get("token_usage"))


def _mapping(value: Any) -> Counts:
    return value if isinstance(value, (dict, Mapping)) else {}


def _time(metadata: Counts) -> datetime | None:
    """When the reply was made, if it tells. Some servers fill the field with 0."""
    seconds = metadata.get("created_at", metadata.get("created"))
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1e9 < seconds < 1e10:
        return None
    return datetime.fromtimestamp(seconds, UTC)


# --- the tier ---------------------------------------------------------------------------------------------------------


def _tier(message: Priced) -> str:
    raw = _raw(message)
    details = _mapping(_mapping(message.usage_metadata).get("input_token_details"))
    prefixed = next((tier for tier in PREFIX_TIERS if tier in details), None)
    reported = message.response_metadata.get("service_tier") or raw.get("service_tier") or prefixed
    tier = STANDARD if reported in (None, "default") else str(reported)
    if raw.get("speed") != "fast":
        return tier
    return "fast" if tier == STANDARD else f"{tier}, fast"


# --- the models -------------------------------------------------------------------------------------------------------


def _models(message: Priced, model: str | None, provider: str | None) -> Iterable[ModelUsage]:
    if not isinstance(_mapping(message.usage_metadata).get("input_tokens"), int):
        cut = _is_incomplete(message) or (isinstance(message, AIMessageChunk) and message.chunk_position != "last")
        reason = "the stream ended before it reported its usage" if cut else "the message reports no token usage"
        raise UnclearUsageError(reason)
    if model is None:
        raise UnclearUsageError("the message does not name its model")
    if _mapping(_mapping(_raw(message).get("fallback_credit")).get("status")).get("type") == "redeemed":
        raise UnclearUsageError("a fallback credit was redeemed, and its amount is not reported")
    iterations = _iterations(_raw(message), model)
    yield from (_iteration_usage(iteration, model) for iteration in iterations)
    if not iterations:
        yield _total_usage(message, model, provider)
    tools = _tool_units(message, provider)
    if tools:
        yield ModelUsage(model, 0, tools)


SEARCH_MODELS = ("-search-preview", "-search-api")
"""Parts of the names of models that search in every call, for a fee that replies do not report."""


def _total_usage(message: Priced, model: str, provider: str | None) -> ModelUsage:
    usage = _mapping(message.usage_metadata)
    units = token_units(usage, by_ttl=provider == "anthropic" or "claude" in model)
    if any(part in model for part in SEARCH_MODELS):
        units["request"] = 1
    # https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback: a refusal without output is free.
    refused = provider == "anthropic" and message.response_metadata.get("stop_reason") == "refusal"
    return ModelUsage(model, usage["input_tokens"], units, billed=not refused or bool(usage.get("output_tokens")))


def _iterations(raw: Counts, model: str) -> list[Counts]:
    """Anthropic's list of the iterations of one reply, where the totals leave some of them out; else nothing.

    Each iteration has its own model: an advisor, a model that refused before a fallback answered. Source: the SDK's
    `BetaIterationsUsage`, and recorded replies, whose totals include only the iterations of type `message`.
    """
    iterations = [each for each in raw.get("iterations") or () if isinstance(each, Mapping)]
    others = any(each.get("type") != "message" or each.get("model") not in (None, model) for each in iterations)
    return iterations if others else []


ITERATION_TYPES = frozenset({"message", "fallback_message", "advisor_message", "compaction"})


def _iteration_usage(iteration: Counts, model: str) -> ModelUsage:
    kind, its_model = iteration.get("type"), iteration.get("model") or model
    if kind not in ITERATION_TYPES:
        raise UnclearUsageError(f"its usage has an iteration of the unknown type {kind!r}")
    usage = anthropic_usage(iteration)
    # As in `_total_usage`: a refusal without output is free.
    refused = kind == "message" and its_model != model and not usage["output_tokens"]
    return ModelUsage(its_model, usage["input_tokens"], token_units(usage, by_ttl=True), billed=not refused)


# --- tokens -----------------------------------------------------------------------------------------------------------

WRITES_BY_TTL = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def token_units(usage: Counts, *, by_ttl: bool) -> dict[str, int]:
    """The tokens of `usage_metadata` by kind. No token is counted twice, and kinds without tokens are left out.

    `by_ttl`: whether cache writes are priced by their TTL, as Claude's are. Writes without a TTL in the usage count as
    `cache_write_5m`, the default. Raises `UnclearUsageError`.
    """
    into, out_of = without_tier(usage.get("input_token_details")), without_tier(usage.get("output_token_details"))
    by_ttl_details = without_tier(usage.get("cache_creation_details"))
    written = into.get("cache_creation", 0)
    if not by_ttl_details:  # langchain-anthropic has them among the details, and then 0 for the sum
        written = written or sum(into.get(name, 0) for name in WRITES_BY_TTL)
    split = {**into, **by_ttl_details}
    read, audio_in, audio_out = into.get("cache_read", 0), into.get("audio", 0), out_of.get("audio", 0)
    if read and audio_in:
        raise UnclearUsageError("some of its cached tokens may be audio, and the usage does not say how many")
    units = {
        "uncached": usage["input_tokens"] - read - audio_in - written,
        "cache_read": read,
        **(_claude_writes(written, split) if by_ttl else _openai_writes(written, split)),
        "audio_input": audio_in,
        "output": (usage.get("output_tokens") or 0) - audio_out,
        "audio_output": audio_out,
    }
    wrong = [kind for kind, count in units.items() if count < 0]
    if wrong:
        raise UnclearUsageError(f"its token counts do not add up: {wrong[0]} would be {units[wrong[0]]}")
    return {kind: count for kind, count in units.items() if count}


def _claude_writes(written: int, split: Mapping[str, int]) -> dict[str, int]:
    hour = min(split.get("ephemeral_1h_input_tokens", 0), written)
    return {"cache_write_5m": written - hour, "cache_write_1h": hour}


def _openai_writes(written: int, split: Mapping[str, int]) -> dict[str, int]:
    long = min(split.get("ttl_12h_tokens", 0), written)
    return {"cache_write": written - long, "cache_write_12h": long}


# --- tools ------------------------------------------------------------------------------------------------------------


def _tool_units(message: Priced, provider: str | None) -> dict[str, int]:
    counted = _mapping(message.usage_metadata).get("server_tool_details") or _raw(message).get("server_tool_use")
    if not counted and provider == "openai" and isinstance(message.content, list):
        counted = server_calls(message.content)
    return {name.removesuffix("_requests"): count for name, count in without_tier(counted).items() if count > 0}
