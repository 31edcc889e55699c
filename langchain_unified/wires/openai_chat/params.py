"""Parameters -> keys of a Chat Completions body: the neutral ones by `PARAMS`, the API's own keys unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.request import Adjustment, JsonObject, Request
from langchain_unified.wires._openai import limits
from langchain_unified.wires._openai.caching import cache_key, cache_options, cache_retention
from langchain_unified.wires._openai.limits import Limit, Limited
from langchain_unified.wires._openai.params import answer_limit
from langchain_unified.wires._openai.reasoning import decide_effort, sampled
from langchain_unified.wires._wire import ParamWriter, SendAs, UnlessTaken
from langchain_unified.wires.openai_chat.caching import OPTION_TTLS

NATIVE_KEYS = frozenset(
    {
        "function_call",
        "functions",
        "max_completion_tokens",
        "moderation",
        "response_format",
        "safety_identifier",
        "web_search_options",
    }
)
"""The body keys of this API that `Params` does not have."""


def write_native(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    """Writes the API's own keys; a key that it does not have goes into `adjustments`."""
    for key, value in request.native.items():
        if key not in NATIVE_KEYS:
            why = "Chat Completions has no such key: it was not sent. extra_body would send it."
            adjustments.append(Adjustment(what=key, why=why))
        elif value is not None:
            body[key] = value


# --- limits and names -------------------------------------------------------------------------------------------------

MAX_STOPS = 4


def _max_tokens(body: JsonObject, value: int, request: Request) -> Adjustment | None:
    key = request.dialect.max_tokens_key if request.profile.legacy_max_tokens else "max_completion_tokens"
    body[key], adjustment = answer_limit(value, request)
    return adjustment


def _stop(body: JsonObject, value: list[str], request: Request) -> Adjustment | None:
    if not request.profile.stop:
        return Adjustment(what="stop", why=f"{request.model} takes no stop sequences: none was sent.")
    if value:
        body["stop"] = list(value[:MAX_STOPS])
    if len(value) > MAX_STOPS:
        return Adjustment(what="stop", why=f"The API takes {MAX_STOPS} stop sequences: only the first were sent.")
    return None


def _n(body: JsonObject, value: int, request: Request) -> Adjustment | None:
    if request.stream and value > 1:
        return Adjustment(what="n", why="A stream is one message: one answer was asked for.")
    body["n"] = value
    return None


def _user(body: JsonObject, value: str, request: Request) -> None:
    hashed = request.profile.reasoning and request.dialect.safety_identifier
    body["safety_identifier" if hashed else "user"] = value


def _service_tier(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    if value == "ultrafast":
        return Adjustment(what="service_tier", why="Only the Responses API has 'ultrafast': the default tier was used.")
    body["service_tier"] = "default" if value == "standard_only" else value
    return None


def _parallel_tool_calls(body: JsonObject, value: bool, request: Request) -> None:
    # The API refuses it without tools, where it has no meaning.
    if request.tools:
        body["parallel_tool_calls"] = value


def _stream_options(body: JsonObject, value: JsonObject, request: Request) -> None:
    # The API refuses it without a stream, where it has no meaning.
    if request.stream:
        body["stream_options"] = {**body.get("stream_options", {}), **value}


# --- reasoning and sampling -------------------------------------------------------------------------------------------


def _write_effort(body: JsonObject, request: Request) -> Mapping[str, str]:
    """Writes the effort of the call. Returns, by parameter, what could not be sent and why."""
    decision = decide_effort(request)
    if decision.level is not None:
        EFFORT_WRITERS[request.dialect.effort](body, decision.level)
    return decision.notes


def _as_effort(body: JsonObject, level: str) -> None:
    body["reasoning_effort"] = level


def _as_reasoning(body: JsonObject, level: str) -> None:
    body["reasoning"] = {**body.get("reasoning", {}), "effort": level}


def _not_sent(body: JsonObject, level: str) -> None:
    """Nothing: the server has no key for it."""


EFFORT_WRITERS = {"reasoning_effort": _as_effort, "reasoning": _as_reasoning, "none": _not_sent}
"""How servers take an effort, by the flag of the dialect."""


def _reasoning_effort(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    why = _write_effort(body, request).get("reasoning_effort")
    if request.dialect.effort == "none":
        why = f"{request.dialect.name} takes no reasoning effort: it was not sent."
    return Adjustment(what="reasoning_effort", why=why) if why else None


def _reasoning(body: JsonObject, value: JsonObject, request: Request) -> Adjustment | None:
    """`{"effort", "summary", …}` of the Responses API, of which this one has the effort."""
    why = _write_effort(body, request).get("reasoning")
    if request.dialect.effort == "reasoning":
        body["reasoning"] = {**value, **body.get("reasoning", {})}
        return Adjustment(what="reasoning", why=why) if why else None
    rest = [f"reasoning.{key}" for key, item in value.items() if key != "effort" and item is not None]
    if not rest:
        return Adjustment(what="reasoning", why=why) if why else None
    only_effort = "Chat Completions takes only the effort and shows no reasoning; the Responses API does both."
    return Adjustment(what=", ".join(rest), why=f"{only_effort} {why}" if why else only_effort)


def _thinking(body: JsonObject, value: JsonObject, request: Request) -> Adjustment | None:
    """Anthropic's `{"type": …}`, of which this API has `disabled`."""
    if request.dialect.thinking:
        body["thinking"] = value
        return None
    why = _write_effort(body, request).get("thinking")
    if not why and value.get("display") == "summarized":
        why = "Chat Completions shows no reasoning; the Responses API does."
    return Adjustment(what="thinking", why=why) if why else None


def _logprobs(body: JsonObject, value: bool, request: Request) -> Adjustment | None:
    adjustment = sampled("logprobs")(body, value, request)
    # `False` asks for what a model that refuses the key does anyway.
    return adjustment if value else None


def _top_logprobs(body: JsonObject, value: int, request: Request) -> Adjustment | None:
    adjustment = sampled("top_logprobs")(body, value, request)
    if adjustment is None:
        # The API takes the number only beside the switch.
        body.setdefault("logprobs", True)
    return adjustment


PARAMS: Mapping[str, ParamWriter] = {
    "max_tokens": _max_tokens,
    "temperature": sampled("temperature"),
    "top_p": sampled("top_p"),
    "top_k": UnlessTaken("top_k", "Chat Completions has no top_k: it was not sent."),
    "stop": _stop,
    "seed": SendAs("seed"),
    "n": _n,
    "presence_penalty": sampled("presence_penalty"),
    "frequency_penalty": sampled("frequency_penalty"),
    "logit_bias": sampled("logit_bias"),
    "logprobs": _logprobs,
    "top_logprobs": _top_logprobs,
    "user": _user,
    "metadata": SendAs("metadata"),
    "service_tier": _service_tier,
    "parallel_tool_calls": _parallel_tool_calls,
    "reasoning_effort": _reasoning_effort,
    "reasoning": _reasoning,
    "thinking": _thinking,
    "verbosity": SendAs("verbosity"),
    "modalities": SendAs("modalities"),
    "audio": SendAs("audio"),
    "prediction": SendAs("prediction"),
    "store": SendAs("store"),
    "stream_options": _stream_options,
    "prompt_cache_key": cache_key,
    "prompt_cache_retention": cache_retention,
    "prompt_cache_options": cache_options(OPTION_TTLS, keys=frozenset({"mode", "ttl"})),
}

# --- limits -----------------------------------------------------------------------------------------------------------


def _user_length(value: Any, request: Request) -> Limited:
    is_identifier = request.profile.reasoning and request.dialect.safety_identifier
    return limits.shorter_than(128 if is_identifier else 64)(value, request)


def _reported_logprobs(value: Any, request: Request) -> Limited:
    if request.params.get("logprobs") is False:
        return Limited(None, "logprobs=False was given as well: it was not sent.")
    return limits.PARAMS["top_logprobs"](value, request)


def _web_search(value: Any, request: Request) -> Limited:
    if request.profile.web_search_options or request.profile.reasoning is None:
        return Limited(value)
    why = f"{request.model} takes no `web_search_options`: it was not sent. Bind the tool web_search."
    return Limited(None, why)


PARAM_LIMITS: Mapping[str, Limit] = {
    **limits.PARAMS,
    "n": limits.between(1, 128),
    "user": _user_length,
    "metadata": limits.metadata_of_stored,
    "service_tier": limits.one_of(*limits.TIERS, "ultrafast"),  # the row of `PARAMS` says that it is Responses' alone
    "top_logprobs": _reported_logprobs,
}
NATIVE_LIMITS: Mapping[str, Limit] = {**limits.NATIVE, "web_search_options": _web_search}
