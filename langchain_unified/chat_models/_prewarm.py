"""Calls that fill the prompt cache and generate nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_unified.caching.policy import AUTO, policy_of
from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import JsonObject

if TYPE_CHECKING:
    from langchain_unified.chat_models.base import ChatBase



# --- filling the cache ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Warming:
    """A call that fills the cache: on what model, with which messages and keywords."""

    model: ChatBase
    messages: list[BaseMessage]
    keywords: JsonObject


ANSWERING = ("thinking", "tool_choice", "response_format", "n", "stop", "streaming")
"""What only an answer has; Anthropic refuses thinking, a forced tool and a format where nothing is generated."""

PLACEHOLDER = HumanMessage("-")
"""Anthropic wants a message beside the system prompt. No mark stands on it, so it is no part of what is kept."""


def warming(model: ChatBase, messages: Sequence[BaseMessage], keywords: Mapping[str, Any]) -> Warming:
    """The call that writes the prefix of `messages` to the cache and generates nothing.

    Without a policy for this call all of it is marked, with the model's own `ttl` and `key`: by another key the later
    calls would not find it. Raises `UnsupportedParameterError` where the API cannot do it.
    """
    alone = all(isinstance(message, SystemMessage) for message in messages)
    own = policy_of(model.prompt_cache) or AUTO
    whole = replace(own, tail="never" if alone else "always", enabled=True)
    given = {**keywords, "prompt_cache": keywords.get("prompt_cache") or whole}
    if model._route(keywords.get("model")).provider == "anthropic":
        return _anthropic(model, messages, given, alone=alone)
    return _openai(model, messages, given)


def _anthropic(model: ChatBase, messages: Sequence[BaseMessage], keywords: JsonObject, *, alone: bool) -> Warming:
    fields = {name: None for name in ANSWERING if name in type(model).model_fields}
    kept = {key: value for key, value in keywords.items() if key not in ANSWERING}
    more = [PLACEHOLDER] if alone else []
    return Warming(model.model_copy(update=fields), [*messages, *more], {**kept, "max_tokens": 0})


def _openai(model: ChatBase, messages: Sequence[BaseMessage], keywords: JsonObject) -> Warming:
    from langchain_unified.chat_models import _plan

    plan = _plan.make(model, messages, {**keywords, "on_unsupported": "ignore"}, stream=False)
    if not plan.route.profile.cache_breakpoints:
        raise UnsupportedParameterError(
            f"{plan.route.model} caches by itself and has no call that only fills the cache: make the first call early."
        )
    if plan.wire.name != "openai_responses":
        raise UnsupportedParameterError(
            f"Only the Responses API fills the cache without an answer, and {plan.route.model} would be called by Chat "
            "Completions. Build the model with use_responses_api=True."
        )
    options = {**plan.request.params.get("prompt_cache_options", {}), "prewarm": True}
    return Warming(model, list(messages), {**keywords, "prompt_cache_options": options})
