"""The service tier that a reply names."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.request import JsonObject
from langchain_unified.wires._completion import Completion

TIERS: Mapping[str, str] = {"standard": "default"}
"""Anthropic's tiers that OpenAI calls by another name. `priority` is both's; Anthropic's `batch` has none."""

KNOWN = frozenset({"auto", "default", "flex", "scale", "priority"})
"""OpenAI's tiers (SDK: `ChatCompletion.service_tier`)."""


def service_tier(completion: Completion, body: JsonObject) -> str | None:
    """The tier in which the answer was made. Without an upstream: that of the request, which the API repeats."""
    if completion.upstream is None:
        tier = body.get("service_tier") or "auto"
        return "default" if tier == "auto" else str(tier)
    given = completion.upstream.service_tier or ""
    found = TIERS.get(given, given)
    return found if found in KNOWN else None
