"""The vocabulary of the rules: a call, a rule, a refusal, and the error object that the provider answers with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.caching.segments import Segment
from langchain_unified.profiles import profile_for
from langchain_unified.request import JsonObject, Profile, Provider
from langchain_unified.testing.emulation.endpoints import ANTHROPIC, SEGMENTS
from langchain_unified.wires._openai.errors import error_body as openai_body
from langchain_unified.wires.anthropic_messages.serve.context_edits import edit_context
from langchain_unified.wires.anthropic_messages.serve.errors import error_body as anthropic_body


@dataclass(frozen=True)
class EmulatedCall:
    """One request to the emulator, as the rules see it. Header names are lower case.

    `valid_keys`: the API keys that are accepted; `None` accepts any. `unstored_items`: ids of items that were answered
    with `store: false`. `stored_responses`: ids of responses that a request may continue.
    `reasoning_before`: by the id of a stored item, the id of the reasoning item that stands before it in its response.
    """

    endpoint: str
    body: JsonObject
    headers: Mapping[str, str] = field(default_factory=dict)
    valid_keys: frozenset[str] | None = None
    unstored_items: AbstractSet[str] = frozenset()
    stored_responses: AbstractSet[str] = frozenset()
    reasoning_before: Mapping[str, str] = field(default_factory=dict)

    @property
    def provider(self) -> Provider:
        """The provider whose API is called."""
        return "anthropic" if self.endpoint in ANTHROPIC else "openai"

    @property
    def model(self) -> str:
        """The model's id; empty if the body names none."""
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
    def api_key(self) -> str:
        """The API key, from any header that the provider accepts; empty without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        return bearer or (self.headers.get("x-api-key", "") if self.provider == "anthropic" else "")


def prompt_segments(call: EmulatedCall) -> list[Segment]:
    """The prompt as the model and the cache see it: after the edits that `context_management` asks for."""
    if call.provider != "anthropic" or not call.body.get("context_management"):
        return call.segments
    edited, applied = edit_context(call.body)
    return SEGMENTS[call.endpoint](edited, call.profile) if applied else call.segments


Violations: TypeAlias = Iterator[Mapping[str, Any]]
"""One mapping for each violation of a rule: the fields of the rule's message."""

RuleCheck: TypeAlias = Callable[[EmulatedCall], Iterable[Mapping[str, Any]]]
"""Yields the violations of one rule by a call; nothing if the call keeps the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse a call. `message` and `param` are templates, filled with the fields that `check` yields.

    `source` is the evidence for the rule: a recorded answer, the SDK's types or docstrings, a guide, or reports that
    quote the error.
    """

    name: str
    endpoints: frozenset[str]
    check: RuleCheck
    message: str
    source: str
    status: int = 400
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One violation of a rule, with its message."""

    rule: Rule
    message: str
    param: str | None

    def body(self, provider: Provider, request_id: str) -> JsonObject:
        """The error object in the provider's shape."""
        rule = self.rule
        return error_body(provider, request_id, rule.type, self.message, code=rule.code, param=self.param)


def error_body(
    provider: Provider, request_id: str, kind: str, message: str, *, code: str | None = None, param: str | None = None
) -> JsonObject:
    """An error object in the provider's shape. `kind` is its `type`."""
    if provider == "anthropic":
        return anthropic_body(kind, message, request_id)
    return openai_body(kind, message, code=code, param=param)
