"""What a rule is, how a refusal looks on the wire, and the rules that every endpoint shares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.profiles import profile_for, provider_of
from langchain_unified.request import JsonObject, Profile, Provider
from langchain_unified.testing.emulation.segments import SEGMENTS, Segment, total

MESSAGES, COUNT_TOKENS = "anthropic.messages", "anthropic.count_tokens"
CHAT, RESPONSES, INPUT_TOKENS = "openai.chat", "openai.responses", "openai.input_tokens"

ANTHROPIC = frozenset({MESSAGES, COUNT_TOKENS})
OPENAI = frozenset({CHAT, RESPONSES, INPUT_TOKENS})
ITEMS = frozenset({RESPONSES, INPUT_TOKENS})
"""The endpoints whose conversation is a list of items."""


@dataclass(frozen=True)
class Call:
    """One request, as the rules see it. Header names are lower case.

    `unstored` are ids of items that were answered with `store: false`; `known` the ids of responses that are kept.
    """

    endpoint: str
    body: JsonObject
    headers: Mapping[str, str] = field(default_factory=dict)
    keys: frozenset[str] | None = None
    unstored: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    @property
    def provider(self) -> Provider:
        """Whose API it is."""
        return "anthropic" if self.endpoint in ANTHROPIC else "openai"

    @property
    def model(self) -> str:
        """The model's id; empty without one."""
        return str(self.body.get("model") or "")

    @functools.cached_property
    def profile(self) -> Profile:
        """What the model can do."""
        return profile_for(self.provider, self.model)

    @functools.cached_property
    def segments(self) -> list[Segment]:
        """The body as the prompt cache sees it."""
        return SEGMENTS[self.endpoint](self.body, self.profile)

    @property
    def key(self) -> str:
        """The API key, as either provider takes it; empty without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        return bearer or (self.headers.get("x-api-key", "") if self.provider == "anthropic" else "")


Found: TypeAlias = Iterator[Mapping[str, Any]]
Finder: TypeAlias = Callable[[Call], Iterable[Mapping[str, Any]]]
"""Yields the fields of a rule's message for everything that is wrong; nothing where all is well."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse a call. `message` and `param` are filled with the fields that `find` yields.

    `source` says how it is known: a recorded answer, the SDK's types or docstrings, a guide, or reports that quote it.
    """

    name: str
    endpoints: frozenset[str]
    find: Finder
    message: str
    source: str
    status: int = 400
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a rule said about a call."""

    rule: Rule
    message: str
    param: str | None

    def body(self, provider: Provider, request_id: str) -> JsonObject:
        """The error as the provider writes it."""
        rule = self.rule
        return error_body(provider, request_id, rule.type, self.message, code=rule.code, param=self.param)


def error_body(
    provider: Provider, request_id: str, kind: str, message: str, *, code: str | None = None, param: str | None = None
) -> JsonObject:
    """An error object in the provider's shape."""
    if provider == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


# --- for every endpoint -----------------------------------------------------------------------------------------------


def no_key(call: Call) -> Found:
    if not call.key:
        yield {}


def wrong_key(call: Call) -> Found:
    if call.keys is not None and call.key not in call.keys:
        yield {}


def unknown_model(call: Call) -> Found:
    if call.model and provider_of(call.model) != call.provider:
        yield {"model": call.model}


def missing(*keys: str) -> Finder:
    """For keys without which nothing goes."""

    def find(call: Call) -> Found:
        for key in keys:
            if call.body.get(key) is None:
                yield {"key": key}

    return find


def outside(known: Iterable[str]) -> Finder:
    """For keys of the body that are not known."""
    names = frozenset(known)

    def find(call: Call) -> Found:
        for key in call.body.keys() - names:
            yield {"key": key}

    return find


def too_long(call: Call) -> Found:
    limit = call.profile.max_input_tokens
    tokens = total(call.segments) if limit else 0
    if limit and tokens > limit:
        yield {"tokens": tokens, "limit": limit}


def out_of_range(key: str, low: float, high: float) -> Finder:
    """For a number in the body that is too small or too large."""

    def find(call: Call) -> Found:
        value = call.body.get(key)
        if isinstance(value, int | float) and not low <= value <= high:
            side = "below minimum" if value < low else "above maximum"
            yield {"key": key, "value": value, "low": low, "high": high, "side": side}

    return find


def dicts(value: Any) -> list[JsonObject]:
    """The objects of a list; none of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
