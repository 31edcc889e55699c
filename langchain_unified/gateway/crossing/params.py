"""Parameters and native keys of a client's body, under the names and with the meaning of another API.

A native key belongs to one API: `context_management` is a list of compactions on one and an object with edits on
another. What the other API has in another form is translated here, what it lacks is noted, and what stands only on a
provider's server is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from langchain_unified.gateway.crossing.state import LABELS, CrossingState, NotCrossingError
from langchain_unified.request import JsonObject, Params, Request, Turn, WireName
from langchain_unified.wires.anthropic_messages.reasoning import BUDGETS, SMALLEST_BUDGET

STREAMED_OUTPUT, WHOLE_OUTPUT = 32_000, 16_000
"""`max_tokens` for Claude where the client set none, at most: what Claude Code asks for, and what Anthropic's SDK lets
answers without a stream have (its limit is the ten minutes in which 21,333 tokens are written)."""

SERVER_KEYS: Mapping[WireName, tuple[str, ...]] = {
    "anthropic_messages": ("thread",),
    "openai_chat": (),
    "openai_responses": ("previous_response_id", "conversation", "prompt", "background"),
}
"""Native keys by which a part of the call stands on the provider's server, or its answer is fetched there later."""

SHARED_KEYS = frozenset({"safety_identifier", "moderation"})
"""Native keys that both of OpenAI's APIs have with one meaning."""

PLACED_KEYS = frozenset({"cache_control", "mcp_servers", "functions", "function_call", "web_search_options"})
"""Native keys that the placement of marks and the translation of tools read."""

WITHOUT_LOSS: Mapping[str, str] = {
    "client_metadata": "It describes the client: no model reads it.",
    "include": "Reasoning and token probabilities are asked for by themselves.",
    "diagnostics": "It describes the client: no model reads it.",
}
"""Keys of which nothing is lost."""


def with_own_params(request: Request, state: CrossingState) -> Request:
    """The request for the upstream's model, with parameters and native keys of its API alone."""
    if state.client == state.upstream.name:
        params = _without_cache_key(request) if state.upstream.provider == "anthropic" else request.params
        return replace(request, model=state.model, profile=state.profile, dialect=state.dialect, params=params)
    native = dict(request.native)
    changed: dict[str, Any] = dict(request.params)
    _refuse_server_keys(native, state)
    system = _system(native)
    _drop_foreign(native, request.extra_body, state)
    if request.betas and state.to_other_provider:
        state.list("betas", "Beta headers are Anthropic's.")
    DEFAULTS[state.upstream.name](changed, request, state)
    REASONING[state.upstream.name](changed, state)
    _shorten_user(changed, state)
    return replace(
        request,
        model=state.model,
        profile=state.profile,
        dialect=state.dialect,
        turns=(*system, *request.turns),
        params=cast(Params, changed),
        native=native,
        extra_body={},
        betas=request.betas if not state.to_other_provider else (),
    )


def _without_cache_key(request: Request) -> Params:
    """The parameters without the key that a client's session is, which Claude needs not."""
    return cast(Params, {key: value for key, value in request.params.items() if key != "prompt_cache_key"})


def _refuse_server_keys(native: JsonObject, state: CrossingState) -> None:
    for key in SERVER_KEYS[state.client]:
        if native.get(key):
            raise NotCrossingError(
                f"{key}: this model is served by another API than {LABELS[state.client]}, which cannot see what "
                f"its provider keeps. Send the whole conversation, without {key!r}.",
                key,
            )


def _system(native: JsonObject) -> tuple[Turn, ...]:
    """`instructions` as a system turn: on every other API they are a part of the conversation."""
    text = native.pop("instructions", None)
    return (Turn("system", ({"type": "text", "text": text},)),) if isinstance(text, str) and text.strip() else ()


def _drop_foreign(native: JsonObject, extra: Mapping[str, Any], state: CrossingState) -> None:
    """Take out what only the client's API knows, and note it."""
    kept = PLACED_KEYS if state.to_other_provider else PLACED_KEYS | SHARED_KEYS
    for key in [key for key in native if key not in kept]:
        value = native.pop(key)
        if value is not None:
            _note_dropped(key, state)
    for key, value in extra.items():
        if value is not None:
            _note_dropped(key, state)


def _note_dropped(key: str, state: CrossingState) -> None:
    if key in WITHOUT_LOSS:
        state.list(key, WITHOUT_LOSS[key])
    else:
        state.lose(key, f"Only {LABELS[state.client]} has it: it was not sent.")


# --- reasoning --------------------------------------------------------------------------------------------------------


def _reasoning_of_claude(params: JsonObject, state: CrossingState) -> None:
    """Thinking for a client that wants to see reasoning, on models that do not think by an effort alone.

    Claude's wire reads OpenAI's parameters itself; this is what it does not do by itself.
    """
    reasoning, profile = params.get("reasoning") or {}, state.profile
    effort = reasoning.get("effort") or params.get("reasoning_effort") or "medium"
    if profile.thinking != "budget" or not reasoning.get("summary") or "thinking" in params or effort not in BUDGETS:
        return
    most = params.get("max_tokens", 0) // 2
    if most >= SMALLEST_BUDGET:
        params["thinking"] = {"type": "enabled", "budget_tokens": min(BUDGETS[effort], most)}


def _reasoning_of_openai(params: JsonObject, state: CrossingState) -> None:
    """`thinking` as an effort and a summary, so that a client that shows thinking has something to show."""
    thinking = params.get("thinking") or {}
    if thinking.get("type") not in ("enabled", "adaptive") or not state.profile.reasoning or state.dialect.thinking:
        return
    del params["thinking"]
    budget = thinking.get("budget_tokens")
    if budget and "reasoning_effort" not in params:
        params["reasoning_effort"] = _effort_for(budget)
        why = f"OpenAI has efforts in its place: {params['reasoning_effort']!r} was asked for."
        state.list("thinking.budget_tokens", why)
    if state.upstream.name == "openai_responses" and thinking.get("display") != "omitted":
        params["reasoning"] = {"summary": "auto", **(params.get("reasoning") or {})}


MOST_EFFORT = "high"
"""The highest effort that a budget asks for. Clients send budgets up to their whole `max_tokens`."""


def _effort_for(budget: int) -> str:
    return next((level for level, most in BUDGETS.items() if budget <= most or level == MOST_EFFORT), MOST_EFFORT)


def _effort_alone(params: JsonObject, state: CrossingState) -> None:
    """Chat Completions has an effort and no summary."""
    _reasoning_of_openai(params, state)
    reasoning = params.get("reasoning")
    if reasoning and state.dialect.effort != "reasoning":
        rest = {key: value for key, value in reasoning.items() if key != "summary"}
        params.pop("reasoning")
        if rest:
            params["reasoning"] = rest
        state.list("reasoning.summary", "Chat Completions shows no summaries.")


REASONING = {
    "anthropic_messages": _reasoning_of_claude,
    "openai_chat": _effort_alone,
    "openai_responses": _reasoning_of_openai,
}

# --- defaults ---------------------------------------------------------------------------------------------------------

CACHE_SETTINGS = ("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options")


def _for_claude(params: JsonObject, request: Request, state: CrossingState) -> None:
    for key in ("stream_options", *CACHE_SETTINGS):
        if params.pop(key, None) is not None and key in CACHE_SETTINGS:
            state.list(key, "Claude caches up to marks.")
    if params.get("modalities") == ["text"]:
        del params["modalities"]
    most = state.profile.max_output_tokens
    if "max_tokens" not in params and most is not None:
        budget = (params.get("thinking") or {}).get("budget_tokens") or 0
        params["max_tokens"] = min(most, budget + (STREAMED_OUTPUT if request.stream else WHOLE_OUTPUT))
        state.list("max_tokens", f"Claude needs a limit: {params['max_tokens']} was sent.")


def _for_responses(params: JsonObject, request: Request, state: CrossingState) -> None:
    """Answers are not stored for clients that never asked: their reasoning comes encrypted instead."""
    params.setdefault("store", False)
    params.pop("stream_options", None)
    if params.get("modalities") == ["text"]:
        del params["modalities"]


def _for_chat(params: JsonObject, request: Request, state: CrossingState) -> None:
    params.pop("stream_options", None)
    if not params.get("store"):
        params.pop("store", None)


DEFAULTS = {
    "anthropic_messages": _for_claude,
    "openai_chat": _for_chat,
    "openai_responses": _for_responses,
}

MOST_USER: Mapping[WireName, int] = {"anthropic_messages": 256, "openai_chat": 64, "openai_responses": 128}
"""Characters of an end user's id: `metadata.user_id`, `user` and `safety_identifier`."""


def _shorten_user(params: JsonObject, state: CrossingState) -> None:
    """A hash for an id that is too long: it tells the same users apart."""
    user = params.get("user")
    if isinstance(user, str) and len(user) > MOST_USER[state.upstream.name]:
        params["user"] = hashlib.sha256(user.encode("utf-8", errors="replace")).hexdigest()
        state.list("user", "It is longer than the API takes: its SHA-256 was sent.")
