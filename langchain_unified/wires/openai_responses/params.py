"""Parameters: the neutral ones through `PARAMS`, the API's own keys as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.request import Adjustment, JsonObject, OutputFormat, Request
from langchain_unified.schemas.openai import format_schema
from langchain_unified.wires._openai.caching import lifetime_said, refusal
from langchain_unified.wires._wire import ParamWriter, Unsupported, answer_limit, under

# Keys of the API's own body that `Params` does not have.
NATIVE_KEYS = frozenset(
    {
        "access_programs", "background", "context_management", "conversation", "image", "include", "instructions",
        "max_output_tokens", "max_tool_calls", "moderation", "personality", "previous_response_id", "prompt",
        "safety_identifier", "text", "truncation",
    }
)  # fmt: skip

# From least to most.
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def write_native(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    """The body's own keys. One that the API does not have lands in `adjustments`."""
    for key, value in request.native.items():
        if key not in NATIVE_KEYS:
            why = "the Responses API has no such key; `extra_body` sends it all the same"
            adjustments.append(Adjustment(what=key, why=why))
        elif value is not None:
            # Parameters are merged into some of them: the caller's object stays as it is.
            body[key] = _copied(value)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, list | tuple) else value


def write_output(body: JsonObject, output: OutputFormat | None, adjustments: list[Adjustment]) -> None:
    """The form of the answer: `text.format`."""
    if output is None:
        return
    form: JsonObject = {"type": output.kind}
    if output.kind == "json_schema":
        schema, strict = format_schema(output, adjustments)
        form |= {"name": output.name, "schema": schema}
        if output.description is not None:
            form["description"] = output.description
        if strict is not None:
            form["strict"] = strict
    body.setdefault("text", {})["format"] = form


def include(body: JsonObject, what: str) -> None:
    asked = body.setdefault("include", [])
    if what not in asked:
        asked.append(what)


# --- reasoning --------------------------------------------------------------------------------------------------------


def effort(request: Request) -> str | None:
    """The effort that the request asks for, in the API's words; `None` where it leaves it to the model."""
    asked = asked_effort(request)
    levels = request.profile.effort_levels
    if asked is None or not levels or asked in levels or asked not in EFFORTS:
        return asked
    rank = EFFORTS.index(asked)
    known = [level for level in EFFORTS if level in levels]
    return min(known, key=lambda level: abs(EFFORTS.index(level) - rank)) if known else asked


def asked_effort(request: Request) -> str | None:
    """The effort as it was asked for: `reasoning` says it first, then `reasoning_effort`, then `thinking`."""
    params = request.params
    said = (params.get("reasoning") or {}).get("effort") or params.get("reasoning_effort")
    if said is None and (params.get("thinking") or {}).get("type") == "disabled":
        said = "none" if "none" in request.profile.effort_levels else None
    return said


def reasons(request: Request) -> bool:
    """Whether the model reasons on this request, so that it refuses sampling parameters."""
    asked = effort(request) or request.profile.effort_default
    return asked not in (None, "none")


def may_reason(request: Request) -> bool:
    return request.profile.reasoning or reasons(request)


def _write_reasoning(body: JsonObject, request: Request) -> None:
    """`reasoning`, of everything that the request says about it: the same, whichever parameter comes first."""
    merged = dict(request.params.get("reasoning") or {})
    level = effort(request)
    if level is not None:
        merged["effort"] = level
    if (request.params.get("thinking") or {}).get("display") == "summarized":
        merged.setdefault("summary", "auto")
    if merged:
        body["reasoning"] = merged


def _effort(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    _write_reasoning(body, request)
    sent = effort(request)
    if sent == asked_effort(request):
        return None
    return Adjustment(what=f"reasoning effort {asked_effort(request)!r}", why=f"{request.model} takes {sent!r} instead")


def _reasoning(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    # `reasoning_effort` has a row of its own, which tells of the level.
    if "reasoning_effort" in request.params:
        _write_reasoning(body, request)
        return None
    return _effort(body, value, request)


def _thinking(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    _write_reasoning(body, request)
    return THINKING.get(str(value.get("type")), _unknown_thinking)(value, request)


def _enabled(value: JsonObject, request: Request) -> Adjustment | None:
    if "budget_tokens" not in value:
        return None
    why = "OpenAI has no thinking budget; reasoning_effort says how much it thinks"
    return Adjustment(what="thinking.budget_tokens", why=why)


def _disabled(value: JsonObject, request: Request) -> Adjustment | None:
    if asked_effort(request) is not None:
        return None
    return Adjustment(what="thinking disabled", why=f"{request.model} has no reasoning effort 'none'")


def _unknown_thinking(value: JsonObject, request: Request) -> Adjustment | None:
    return Adjustment(what=f"thinking {value.get('type')!r}", why="OpenAI has no such kind of thinking")


THINKING = {"enabled": _enabled, "adaptive": _enabled, "disabled": _disabled}


# --- rows -------------------------------------------------------------------------------------------------------------


def _refuses_sampling(request: Request) -> bool:
    sampling = request.profile.sampling
    return sampling == "never" or (sampling == "without_reasoning" and reasons(request))


def _sampling_why(request: Request) -> str:
    when = "" if request.profile.sampling == "never" else " while it reasons; reasoning_effort='none' allows it"
    return f"{request.model} does not take it{when}"


def _sampled(key: str) -> ParamWriter:
    """A row for a parameter that models refuse while they reason."""

    def write(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        if _refuses_sampling(request):
            return Adjustment(what=key, why=_sampling_why(request))
        body[key] = value
        return None

    return write


def _logprobs(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    if not value:
        return None
    if _refuses_sampling(request):
        return Adjustment(what="logprobs", why=_sampling_why(request))
    include(body, "message.output_text.logprobs")
    return None


def _max_tokens(body: JsonObject, value: Any, request: Request) -> None:
    body["max_output_tokens"] = answer_limit(value)


def _verbosity(body: JsonObject, value: Any, request: Request) -> None:
    body.setdefault("text", {})["verbosity"] = value


def _service_tier(body: JsonObject, value: Any, request: Request) -> None:
    body["service_tier"] = "default" if value == "standard_only" else value


def _user(body: JsonObject, value: Any, request: Request) -> None:
    body.setdefault("safety_identifier", value)


def _store(body: JsonObject, value: Any, request: Request) -> None:
    body["store"] = value
    if value is False and may_reason(request):
        # What is not stored can only go on with its reasoning sent back, encrypted.
        include(body, "reasoning.encrypted_content")


def _stream_options(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    known = {key: item for key, item in value.items() if key == "include_obfuscation"}
    if known and request.stream:
        body["stream_options"] = known
    # Usage always comes with the last event: `include_usage` has nothing to ask for.
    foreign = sorted(value.keys() - {"include_obfuscation", "include_usage"})
    if not foreign:
        return None
    return Adjustment(what=f"stream_options.{foreign[0]}", why="the Responses API has no such option")


def _cache_options(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    if why := refusal(request):
        return Adjustment(what="prompt_cache_options", why=why)
    body["prompt_cache_options"] = value
    return None


def _cache_retention(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    if lifetime_said(request):
        return Adjustment(what="prompt_cache_retention", why="prompt_cache_options.ttl says it, and both are refused")
    body["prompt_cache_retention"] = value
    return None


CHAT_ONLY = "only Chat Completions has it"

PARAMS: Mapping[str, ParamWriter] = {
    "max_tokens": _max_tokens,
    "temperature": _sampled("temperature"),
    "top_p": _sampled("top_p"),
    "top_k": Unsupported("top_k", "OpenAI does not have it; top_p is the nearest"),
    "stop": Unsupported("stop", "the Responses API has no stop sequences; Chat Completions has"),
    "seed": Unsupported("seed", CHAT_ONLY),
    "n": Unsupported("n", f"{CHAT_ONLY}; call the model several times"),
    "presence_penalty": Unsupported("presence_penalty", CHAT_ONLY),
    "frequency_penalty": Unsupported("frequency_penalty", CHAT_ONLY),
    "logit_bias": Unsupported("logit_bias", CHAT_ONLY),
    "logprobs": _logprobs,
    "top_logprobs": _sampled("top_logprobs"),
    "user": _user,
    "metadata": under("metadata"),
    "service_tier": _service_tier,
    "parallel_tool_calls": under("parallel_tool_calls"),
    "reasoning_effort": _effort,
    "reasoning": _reasoning,
    "thinking": _thinking,
    "verbosity": _verbosity,
    "modalities": Unsupported("modalities", CHAT_ONLY),
    "audio": Unsupported("audio", CHAT_ONLY),
    "prediction": Unsupported("prediction", CHAT_ONLY),
    "store": _store,
    "stream_options": _stream_options,
    "prompt_cache_key": under("prompt_cache_key"),
    "prompt_cache_retention": _cache_retention,
    "prompt_cache_options": _cache_options,
}
