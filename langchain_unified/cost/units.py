"""What a message says was used: how many units of each kind, by the model that used them.

It is read from the message alone, ours or a partner package's. Kinds of tokens: `uncached`, `cache_read`, `cache_write`
(with a lifetime where the provider names one: `_5m`, `_1h`, `_12h`), `audio_input`, `output`, `audio_output`. Any other
kind is counted in uses: `web_search`, `file_search`, `code_interpreter`, …, and `request`, a fee for the call itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.usage import anthropic_usage, server_calls

CACHE_KINDS = ("cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "cache_write_12h")
TOKEN_KINDS = frozenset({"uncached", *CACHE_KINDS, "audio_input", "output", "audio_output"})

STANDARD = "standard"
"""The tier of a call that was given no other."""

Counts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Share:
    """What one model did for a message.

    `prompt` is all that it read, in tokens: long prompts may have other prices. `billed` is whether it is charged.
    """

    model: str
    prompt: int
    units: Mapping[str, int]
    billed: bool = True


@dataclass(frozen=True, slots=True)
class Used:
    """A message as a price list sees it. `problem` says why it cannot be priced, whatever the prices are.

    `tier` is the provider's word for the service tier, `region` where it ran if that is said, and `at` when.
    """

    provider: str | None
    model: str | None
    tier: str = STANDARD
    region: str | None = None
    at: datetime | None = None
    shares: tuple[Share, ...] = ()
    problem: str | None = None


class UnclearError(ValueError):
    """The counts of a message cannot be priced; the text says why."""


def used(message: AIMessage) -> Used:
    """What the message says was used. Never raises: what is odd about it stands in `problem`."""
    metadata = message.response_metadata
    model = metadata.get("model_name") or metadata.get("model")
    about: dict[str, Any] = {
        "provider": _text(metadata.get("model_provider")),
        "model": _text(model),
        "tier": _tier(message),
        "region": _text(_raw(message).get("inference_geo")),
        "at": _time(metadata),
    }
    try:
        return Used(**about, shares=tuple(_shares(message, about["model"], about["provider"])))
    except UnclearError as exc:
        return Used(**about, problem=str(exc))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _raw(message: AIMessage) -> Counts:
    """The provider's own usage object, where the message keeps it."""
    return _mapping(message.response_metadata.get("usage"))


def _mapping(value: Any) -> Counts:
    return value if isinstance(value, Mapping) else {}


def _time(metadata: Counts) -> datetime | None:
    """When the reply says that it was made. Some servers fill the field with 0."""
    said = metadata.get("created_at", metadata.get("created"))
    if isinstance(said, bool) or not isinstance(said, int | float) or not 1e9 < said < 1e10:
        return None
    return datetime.fromtimestamp(said, UTC)


# --- the tier ---------------------------------------------------------------------------------------------------------

PREFIXES = ("priority", "flex")
"""The tiers that LangChain puts before the names of the details."""


def _tier(message: AIMessage) -> str:
    raw = _raw(message)
    details = _mapping(_mapping(message.usage_metadata).get("input_token_details"))
    prefixed = next((tier for tier in PREFIXES if tier in details), None)
    said = message.response_metadata.get("service_tier") or raw.get("service_tier") or prefixed
    tier = STANDARD if said in (None, "default") else str(said)
    if raw.get("speed") != "fast":
        return tier
    return "fast" if tier == STANDARD else f"{tier}, fast"


# --- who did what -----------------------------------------------------------------------------------------------------


def _shares(message: AIMessage, model: str | None, provider: str | None) -> Iterable[Share]:
    if not isinstance(_mapping(message.usage_metadata).get("input_tokens"), int):
        cut = isinstance(message, AIMessageChunk) and message.chunk_position != "last"
        raise UnclearError("the stream ended before its usage came" if cut else "the message reports no token usage")
    if model is None:
        raise UnclearError("the message does not name its model")
    if _mapping(_mapping(_raw(message).get("fallback_credit")).get("status")).get("type") == "redeemed":
        raise UnclearError("a fallback credit was redeemed, and what it took off is not reported")
    entries = _entries(_raw(message), model)
    yield from (_entry_share(entry, model) for entry in entries)
    if not entries:
        yield _whole_share(message, model, provider)
    tools = _tool_units(message, provider)
    if tools:
        yield Share(model, 0, tools)


SEARCHES_EACH_TIME = ("-search-preview", "-search-api")
"""In the name of a model that searches in every call, for a fee that no reply reports."""


def _whole_share(message: AIMessage, model: str, provider: str | None) -> Share:
    usage = _mapping(message.usage_metadata)
    units = token_units(usage, lifetimes=provider == "anthropic" or "claude" in model)
    if any(mark in model for mark in SEARCHES_EACH_TIME):
        units["request"] = 1
    # https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback: without output it is free.
    refused = provider == "anthropic" and message.response_metadata.get("stop_reason") == "refusal"
    return Share(model, usage["input_tokens"], units, billed=not refused or bool(usage.get("output_tokens")))


def _entries(raw: Counts, model: str) -> list[Counts]:
    """Anthropic's list of what ran for one reply, where it says more than the totals, which leave parts of it out.

    Each entry has its own model: an advisor, a model that declined before a fallback answered. Source: the SDK's
    `BetaIterationsUsage`, and recorded replies, whose totals hold the entries of type `message` only.
    """
    entries = [entry for entry in raw.get("iterations") or () if isinstance(entry, Mapping)]
    other = any(entry.get("type") != "message" or entry.get("model") not in (None, model) for entry in entries)
    return entries if other else []


ENTRIES = frozenset({"message", "fallback_message", "advisor_message", "compaction"})


def _entry_share(entry: Counts, model: str) -> Share:
    kind, own = entry.get("type"), entry.get("model") or model
    if kind not in ENTRIES:
        raise UnclearError(f"its usage lists an iteration of a kind that is not known here: {kind!r}")
    usage = anthropic_usage(entry)
    # As in `_whole_share`: an attempt without output is free.
    declined = kind == "message" and own != model and not usage["output_tokens"]
    return Share(own, usage["input_tokens"], token_units(usage, lifetimes=True), billed=not declined)


# --- tokens -----------------------------------------------------------------------------------------------------------

SPLIT = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def token_units(usage: Counts, *, lifetimes: bool) -> dict[str, int]:
    """The tokens of `usage_metadata` by kind, none counted twice; kinds without any are left out.

    `lifetimes`: whether what was written to the cache is priced by its lifetime, as Claude's is. What the split leaves
    open counts as `cache_write_5m`, the lifetime of a mark that names none. Raises `UnclearError`.
    """
    into, out_of = plain_details(usage.get("input_token_details")), plain_details(usage.get("output_token_details"))
    beside = plain_details(usage.get("cache_creation_details"))
    written = into.get("cache_creation", 0)
    if not beside:  # langchain-anthropic has the split among the details, and then 0 for the whole
        written = written or sum(into.get(name, 0) for name in SPLIT)
    split = {**into, **beside}
    read, heard, said = into.get("cache_read", 0), into.get("audio", 0), out_of.get("audio", 0)
    if read and heard:
        raise UnclearError("of its cached tokens some may be audio, which the message does not tell apart")
    units = {
        "uncached": usage["input_tokens"] - read - heard - written,
        "cache_read": read,
        **(_claude_writes(written, split) if lifetimes else _openai_writes(written, split)),
        "audio_input": heard,
        "output": (usage.get("output_tokens") or 0) - said,
        "audio_output": said,
    }
    wrong = [kind for kind, count in units.items() if count < 0]
    if wrong:
        raise UnclearError(f"its token counts do not add up: {wrong[0]} would be {units[wrong[0]]}")
    return {kind: count for kind, count in units.items() if count}


def plain_details(details: Any) -> dict[str, int]:
    """Details under their plain names, without the tier's prefix and without the tier's own count."""
    found: dict[str, int] = {}
    for name, count in _mapping(details).items():
        prefix, _, rest = str(name).partition("_")
        if isinstance(count, int) and name not in PREFIXES:
            found[rest if prefix in PREFIXES else name] = count
    return found


def _claude_writes(written: int, split: Mapping[str, int]) -> dict[str, int]:
    hour = min(split.get("ephemeral_1h_input_tokens", 0), written)
    return {"cache_write_5m": written - hour, "cache_write_1h": hour}


def _openai_writes(written: int, split: Mapping[str, int]) -> dict[str, int]:
    long = min(split.get("ttl_12h_tokens", 0), written)
    return {"cache_write": written - long, "cache_write_12h": long}


# --- tools ------------------------------------------------------------------------------------------------------------


def _tool_units(message: AIMessage, provider: str | None) -> dict[str, int]:
    counted = _mapping(message.usage_metadata).get("server_tool_details") or _raw(message).get("server_tool_use")
    if not counted and provider == "openai" and isinstance(message.content, list):
        counted = server_calls(message.content)
    return {name.removesuffix("_requests"): count for name, count in plain_details(counted).items() if count > 0}
