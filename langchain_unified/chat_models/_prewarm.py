"""Calls that write the prompt cache and generate nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_unified.caching.policy import AUTO, policy_of
from langchain_unified.chat_models import _plan
from langchain_unified.chat_models._model import ModelBase
from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import JsonObject


@dataclass(frozen=True, slots=True)
class PrewarmCall:
    """A call that writes the cache: on what model, with which messages and keywords."""

    model: ModelBase
    messages: list[BaseMessage]
    keywords: JsonObject


ANSWER_KEYWORDS = ("thinking", "tool_choice", "response_format", "n", "stop", "streaming")
"""What is about an answer alone. Anthropic refuses thinking, a forced tool and a format where nothing is generated."""

PLACEHOLDER = HumanMessage("-")
"""Anthropic wants a message beside the system prompt. No mark stands on it, so it is not part of the cached prefix."""


def prewarm_call(model: ModelBase, messages: Sequence[BaseMessage], keywords: Mapping[str, Any]) -> PrewarmCall:
    """The call that writes the prefix of `messages` to the cache and generates nothing.

    Without a policy for this call all of it is marked, with the model's own `ttl` and `key`: under another key the
    later calls would not find it. Raises `UnsupportedParameterError` where the API cannot do it.
    """
    system_only = all(isinstance(message, SystemMessage) for message in messages)
    policy = policy_of(model.prompt_cache) or AUTO
    mark_all = replace(policy, tail="never" if system_only else "always", enabled=True)
    keywords = {**keywords, "prompt_cache": keywords.get("prompt_cache") or mark_all}
    if model._route(keywords.get("model")).provider == "anthropic":
        return _anthropic(model, messages, keywords, system_only=system_only)
    return _openai(model, messages, keywords)


def _anthropic(
    model: ModelBase, messages: Sequence[BaseMessage], keywords: JsonObject, *, system_only: bool
) -> PrewarmCall:
    unset = {name: None for name in ANSWER_KEYWORDS if name in type(model).model_fields}
    others = {key: value for key, value in keywords.items() if key not in ANSWER_KEYWORDS}
    added = [PLACEHOLDER] if system_only else []
    copied = model._copy_for_call("anthropic", **unset)
    return PrewarmCall(copied, [*messages, *added], {**others, "max_tokens": 0})


def _openai(model: ModelBase, messages: Sequence[BaseMessage], keywords: JsonObject) -> PrewarmCall:
    plan = _plan.make(model, messages, {**keywords, "on_unsupported": "ignore"}, stream=False, dry=True)
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
    return PrewarmCall(model, list(messages), {**keywords, "prompt_cache_options": options})
