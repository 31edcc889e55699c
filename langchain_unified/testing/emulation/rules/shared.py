"""Checks that several endpoints share. Each endpoint's rules give them the provider's message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from langchain_unified.profiles import provider_of
from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import total_tokens
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, RuleCheck, Violations

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def no_api_key(call: EmulatedCall) -> Violations:
    if not call.api_key:
        yield {}


def wrong_api_key(call: EmulatedCall) -> Violations:
    if call.valid_keys is not None and call.api_key not in call.valid_keys:
        yield {}


def unknown_model(call: EmulatedCall) -> Violations:
    if call.model and provider_of(call.model) != call.provider:
        yield {"model": call.model}


def missing_key(key: str) -> RuleCheck:
    """A check for a body without the required `key`."""

    def check(call: EmulatedCall) -> Violations:
        if call.body.get(key) is None:
            yield {"key": key}

    return check


def unknown_keys(known: Iterable[str]) -> RuleCheck:
    """A check for body keys that are not among the `known` ones."""
    names = frozenset(known)

    def check(call: EmulatedCall) -> Violations:
        for key in call.body.keys() - names:
            yield {"key": key}

    return check


def number_out_of_range(key: str, low: float, high: float) -> RuleCheck:
    """A check for a number in the body below `low` or above `high`."""

    def check(call: EmulatedCall) -> Violations:
        value = call.body.get(key)
        if isinstance(value, int | float) and not low <= value <= high:
            side = "below minimum" if value < low else "above maximum"
            yield {"key": key, "value": value, "low": low, "high": high, "side": side}

    return check


def prompt_too_long(call: EmulatedCall) -> Violations:
    limit = call.profile.max_input_tokens
    tokens = total_tokens(call.segments) if limit else 0
    if limit and tokens > limit:
        yield {"tokens": tokens, "limit": limit}


def has_lone_surrogate(value: Any) -> bool:
    """Whether any text in a JSON value holds half of a surrogate pair, which no UTF-8 can hold."""
    if isinstance(value, str):
        return not value.isascii() and LONE_SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(map(has_lone_surrogate, value)) or any(map(has_lone_surrogate, value.values()))
    return isinstance(value, list) and any(map(has_lone_surrogate, value))


def dicts(value: Any) -> list[JsonObject]:
    """The objects in a list; an empty list for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
