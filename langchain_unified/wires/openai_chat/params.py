"""Parameters -> keys of a Chat Completions body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.request import Adjustment, JsonObject, Request
from langchain_unified.wires._openai.caching import lifetime_said, refusal
from langchain_unified.wires._wire import ParamWriter, Unsupported, answer_limit, under

STOP_LIMIT = 4

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
    """The API's own keys as they are; a key of another API lands in `adjustments`."""
    for key, value in request.native.items():
        if key not in NATIVE_KEYS:
            adjustments.append(
                Adjustment(what=key, why="Chat Completions has no such key: it was not sent. extra_body would send it.")
            )
        elif value is not None:
            body[key] = value


# --- limits and names -------------------------------------------------------------------------------------------------


def _max_tokens(body: JsonObject, value: int, request: Request) -> None:
    body[request.dialect.max_tokens_key] = answer_limit(value)


def _stop(body: JsonObject, value: list[str], request: Request) -> Adjustment | None:
    if not request.profile.stop:
        return Adjustment(what="stop", why=f"{request.model} takes no stop sequences: none was sent.")
    if value:
        body["stop"] = list(value[:STOP_LIMIT])
    if len(value) > STOP_LIMIT:
        return Adjustment(what="stop", why=f"The API takes {STOP_LIMIT} stop sequences: only the first were sent.")
    return None


def _n(body: JsonObject, value: int, request: Request) -> Adjustment | None:
    if request.stream and value > 1:
        return Adjustment(what="n", why="A stream is one message: one answer was asked for.")
    body["n"] = value
    return None


def _user(body: JsonObject, value: str, request: Request) -> None:
    body["safety_identifier" if request.profile.reasoning else "user"] = value


def _service_tier(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    if value == "ultrafast":
        return Adjustment(what="service_tier", why="Only the Responses API has 'ultrafast': the default tier was used.")
    body["service_tier"] = "default" if value == "standard_only" else value
    return None


def _parallel_tool_calls(body: JsonObject, value: bool, request: Request) -> None:
    # Refused by the API, and without meaning, where there are no tools.
    if request.tools:
        body["parallel_tool_calls"] = value


def _stream_options(body: JsonObject, value: JsonObject, request: Request) -> None:
    # Refused by the API, and without meaning, where nothing is streamed.
    if request.stream:
        body["stream_options"] = {**body.get("stream_options", {}), **value}


# --- reasoning --------------------------------------------------------------------------------------------------------

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def _nearest(effort: str, levels: tuple[str, ...]) -> str:
    """The level that the model has: the effort itself, else the next one up, else the highest. No levels: not known."""
    if not levels or effort in levels or effort not in EFFORTS:
        return effort
    ranked = sorted((level for level in levels if level in EFFORTS), key=EFFORTS.index)
    above = [level for level in ranked if EFFORTS.index(level) > EFFORTS.index(effort)]
    return above[0] if above else ranked[-1] if ranked else effort


def _asked_effort(request: Request) -> str | None:
    """The effort that the request asks for; `None` when it leaves it to the model."""
    params = request.params
    asked = params.get("reasoning_effort") or params.get("reasoning", {}).get("effort")
    if asked is None and _can_disable(request):
        return "none" if params.get("thinking", {}).get("type") == "disabled" else None
    return asked


def _can_disable(request: Request) -> bool:
    return "none" in request.profile.effort_levels


def _reasons(request: Request) -> bool:
    """Whether the model will reason in this call, as far as its profile tells."""
    asked = _asked_effort(request)
    effort = request.profile.effort_default if asked is None else _nearest(asked, request.profile.effort_levels)
    return effort not in (None, "none")


def _reasoning_effort(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    sent = _nearest(value, request.profile.effort_levels)
    body["reasoning_effort"] = sent
    if sent == value:
        return None
    return Adjustment(what="reasoning_effort", why=f"{request.model} has no effort {value!r}: {sent!r} was sent.")


def _reasoning(body: JsonObject, value: JsonObject, request: Request) -> Adjustment | None:
    """`{"effort", "summary", …}` of the Responses API, of which this one knows the effort."""
    note = None
    if value.get("effort") and "reasoning_effort" not in request.params:
        note = _reasoning_effort(body, value["effort"], request)
    rest = [f"reasoning.{key}" for key, item in value.items() if key != "effort" and item is not None]
    if not rest:
        return note
    why = "Chat Completions takes only the effort and shows no reasoning; the Responses API does both."
    return Adjustment(what=", ".join(rest), why=f"{why} {note['why']}" if note else why)


def _thinking(body: JsonObject, value: JsonObject, request: Request) -> Adjustment | None:
    """Anthropic's `{"type": …}`, of which this API can say `disabled`."""
    if "reasoning_effort" in request.params or request.params.get("reasoning", {}).get("effort"):
        return Adjustment(what="thinking", why="The reasoning effort was given beside it, and was sent instead.")
    if value.get("type") == "disabled" and _can_disable(request):
        body["reasoning_effort"] = "none"
        return None
    return Adjustment(what="thinking", why=f"{request.model} has no such setting. Use reasoning_effort.")


def _sampling(key: str) -> ParamWriter:
    """A row for a parameter that models take only while they do not reason, or never."""

    def write(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        why = _no_sampling(request)
        if why:
            return Adjustment(what=key, why=why)
        body[key] = value
        return None

    return write


def _no_sampling(request: Request) -> str | None:
    if request.profile.sampling == "never":
        return f"{request.model} takes no sampling parameters: it was not sent."
    if request.profile.sampling == "without_reasoning" and _reasons(request):
        return f"{request.model} takes it only with reasoning_effort='none': it was not sent."
    return None


def _top_logprobs(body: JsonObject, value: int, request: Request) -> Adjustment | None:
    note = _sampling("top_logprobs")(body, value, request)
    if note is None:
        # The API takes the number only beside the switch.
        body.setdefault("logprobs", True)
    return note


# --- caching ----------------------------------------------------------------------------------------------------------

CACHE_OPTIONS = frozenset({"mode", "ttl"})


def _cache_options(body: JsonObject, value: JsonObject, request: Request) -> Adjustment | None:
    if why := refusal(request):
        return Adjustment(what="prompt_cache_options", why=why)
    kept = {key: item for key, item in value.items() if key in CACHE_OPTIONS and _has_ttl(key, item)}
    if kept:
        body["prompt_cache_options"] = kept
    rest = [f"prompt_cache_options.{key}" for key in value if key not in kept]
    if not rest:
        return None
    return Adjustment(what=", ".join(rest), why="Chat Completions takes only the mode and the ttl '30m' of it.")


def _has_ttl(key: str, item: Any) -> bool:
    return key != "ttl" or item == "30m"


def _cache_retention(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    if lifetime_said(request):
        return Adjustment(what="prompt_cache_retention", why="prompt_cache_options.ttl replaces it: it was not sent.")
    body["prompt_cache_retention"] = value
    return None


PARAMS: Mapping[str, ParamWriter] = {
    "max_tokens": _max_tokens,
    "temperature": _sampling("temperature"),
    "top_p": _sampling("top_p"),
    "top_k": Unsupported("top_k", "Chat Completions has no top_k: it was not sent."),
    "stop": _stop,
    "seed": under("seed"),
    "n": _n,
    "presence_penalty": _sampling("presence_penalty"),
    "frequency_penalty": _sampling("frequency_penalty"),
    "logit_bias": _sampling("logit_bias"),
    "logprobs": _sampling("logprobs"),
    "top_logprobs": _top_logprobs,
    "user": _user,
    "metadata": under("metadata"),
    "service_tier": _service_tier,
    "parallel_tool_calls": _parallel_tool_calls,
    "reasoning_effort": _reasoning_effort,
    "reasoning": _reasoning,
    "thinking": _thinking,
    "verbosity": under("verbosity"),
    "modalities": under("modalities"),
    "audio": under("audio"),
    "prediction": under("prediction"),
    "store": under("store"),
    "stream_options": _stream_options,
    "prompt_cache_key": under("prompt_cache_key"),
    "prompt_cache_retention": _cache_retention,
    "prompt_cache_options": _cache_options,
}
