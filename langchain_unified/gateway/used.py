"""What an answer used, as the ledger needs it, whichever path it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages.ai import UsageMetadata

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject, WireName
from langchain_unified.usage import anthropic_usage, openai_usage


@dataclass(frozen=True, slots=True)
class Used:
    """What one reply told of its usage. `raw`: the provider's own object; `output`: the items of a Responses reply.

    `is_complete`: false for a stream that was cut, of which `characters` came, about. `is_pending`: true for a response
    that its provider still makes, in the background: its usage is known only later, to who retrieves it.
    """

    usage: UsageMetadata | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    tier: str | None = None
    output: tuple[Any, ...] = ()
    characters: int = 0
    is_complete: bool = True
    is_pending: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """The part of a reply's `response_metadata` that prices depend on."""
        return {"usage": dict(self.raw), "service_tier": self.tier}


@dataclass(frozen=True, slots=True)
class Delivered:
    """How an answer ended. `used`: of each reply that it was made of. `error`: what ended it before its end."""

    used: tuple[Used, ...] = ()
    is_complete: bool = True
    error: UnifiedError | None = None


def usage_of(wire: WireName, raw: Mapping[str, Any], tier: str | None, output: list[Any]) -> UsageMetadata:
    """The usage of a reply of `wire`, from its own usage object."""
    return anthropic_usage(raw) if wire == "anthropic_messages" else openai_usage(raw, tier, output)


def used_in(wire: WireName, payload: JsonObject) -> Used:
    """What a whole reply tells of its usage."""
    raw = payload.get("usage")
    if not isinstance(raw, dict):
        return Used(is_pending=payload.get("status") in PENDING)
    tier = payload.get("service_tier") or raw.get("service_tier")
    output = payload.get("output") if isinstance(payload.get("output"), list) else []
    return Used(usage_of(wire, raw, tier, output or []), raw, tier, tuple(output or ()))


PENDING = frozenset({"queued", "in_progress"})
"""States of a response in the background (https://platform.openai.com/docs/guides/background)."""
