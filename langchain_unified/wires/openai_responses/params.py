"""Parameters -> keys of a Responses body: the neutral ones by `PARAMS`, the API's own keys unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import Adjustment, JsonObject, OutputFormat, Request
from langchain_unified.schemas.openai import output_schema
from langchain_unified.wires._openai import limits
from langchain_unified.wires._openai.caching import cache_key, cache_options, cache_retention
from langchain_unified.wires._openai.limits import Limit, Limited
from langchain_unified.wires._openai.params import answer_limit
from langchain_unified.wires._openai.reasoning import decide_effort, reasons, sampled, sampling_refusal
from langchain_unified.wires._wire import ParamWriter, SendAs, Unsupported
from langchain_unified.wires.openai_responses.caching import OPTION_TTLS

NATIVE_KEYS = frozenset(
    {
        "access_programs", "background", "background_options", "context_management", "conversation", "image", "include",
        "instructions", "max_output_tokens", "max_tool_calls", "moderation", "personality", "previous_response_id",
        "prompt", "safety_identifier", "text", "truncation",
    }
)  # fmt: skip
"""The body keys of this API that `Params` does not have."""


def write_native(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    """Writes the API's own keys; a key that it does not have goes into `adjustments`."""
    for key, value in request.native.items():
        if key not in NATIVE_KEYS:
            why = "The Responses API has no such key: it was not sent. extra_body would send it."
            adjustments.append(Adjustment(what=key, why=why))
        elif key == "context_management" and isinstance(value, Mapping):
            why = "An object with `edits` is Anthropic's: it was not sent. OpenAI takes a list."
            adjustments.append(Adjustment(what=key, why=why))
        elif value is not None:
            # Parameters are merged into some of them. The caller's object must not change.
            body[key] = _copied(value)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, list | tuple) else value


def write_output(body: JsonObject, output: OutputFormat | None, adjustments: list[Adjustment]) -> None:
    """Writes the format of the answer, `text.format`."""
    if output is None:
        return
    form: JsonObject = {"type": output.kind}
    if output.kind == "json_schema":
        schema, strict = output_schema(output, adjustments)
        form |= {"name": output.name, "schema": schema}
        if output.description is not None:
            form["description"] = output.description
        if strict is not None:
            form["strict"] = strict
    body.setdefault("text", {})["format"] = form


def include(body: JsonObject, what: str) -> None:
    """Adds to what the reply includes."""
    included = body.setdefault("include", [])
    if what not in included:
        included.append(what)


# --- reasoning and sampling -------------------------------------------------------------------------------------------


def may_reason(request: Request) -> bool:
    """Whether a reply to this call may hold reasoning."""
    return bool(request.profile.reasoning) or reasons(request)


def _reasoned(key: str) -> ParamWriter:
    """A row of the three parameters that make `reasoning` together: each writes all of it, and names its own part."""

    def write(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        decision = decide_effort(request)
        merged = dict(request.params.get("reasoning") or {})
        if decision.level is not None:
            merged["effort"] = decision.level
        if (request.params.get("thinking") or {}).get("display") == "summarized":
            merged.setdefault("summary", "auto")
        why = decision.notes.get(key)
        if decision.level is None and merged.get("effort") is not None:
            del merged["effort"]
        if request.profile.reasoning is False:
            refused = {name: merged.pop(name, None) for name in ("effort", "summary")}
            if refused["summary"] and key == "reasoning" and not why:
                why = f"{request.model} does not reason: no summary was asked for."
        if merged:
            body["reasoning"] = merged
        return Adjustment(what=key, why=why) if why else None

    return write


def _logprobs(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    if not value:
        return None
    if why := sampling_refusal(request):
        return Adjustment(what="logprobs", why=why)
    include(body, "message.output_text.logprobs")
    return None


# --- rows -------------------------------------------------------------------------------------------------------------


MIN_OUTPUT_TOKENS = 16
"""The API's error text: "Expected a value >= 16"."""


def _max_tokens(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    limit, adjustment = answer_limit(value, request)
    body["max_output_tokens"] = max(limit, MIN_OUTPUT_TOKENS)
    if value >= MIN_OUTPUT_TOKENS:
        return adjustment
    return Adjustment(what="max_tokens", why=f"The Responses API takes at least 16, not {value}: 16 was sent.")


class TopK(Unsupported):
    """The row of `top_k`, which names the nearest parameter where the model takes that."""

    def __call__(self, body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        nearest = "" if sampling_refusal(request) else " top_p is the nearest."
        return Adjustment(what=self.what, why=self.why + nearest)


def _verbosity(body: JsonObject, value: Any, request: Request) -> None:
    body.setdefault("text", {})["verbosity"] = value


def _service_tier(body: JsonObject, value: Any, request: Request) -> None:
    body["service_tier"] = "default" if value == "standard_only" else value


def _user(body: JsonObject, value: Any, request: Request) -> None:
    body.setdefault("safety_identifier", value)


def _store(body: JsonObject, value: Any, request: Request) -> None:
    body["store"] = value
    if value is False and may_reason(request) and request.profile.encrypted_reasoning:
        # Without a stored reply, the next call must send the reasoning back, encrypted.
        include(body, "reasoning.encrypted_content")


def _stream_options(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
    known = {key: item for key, item in value.items() if key == "include_obfuscation"}
    if known and request.stream:
        body["stream_options"] = known
    # The last event always has the usage: `include_usage` has no effect.
    unknown = sorted(value.keys() - {"include_obfuscation", "include_usage"})
    if not unknown:
        return None
    return Adjustment(what=f"stream_options.{unknown[0]}", why="The Responses API has no such option: it was not sent.")


CHAT_ONLY = "Only Chat Completions has it: it was not sent."

PARAMS: Mapping[str, ParamWriter] = {
    "max_tokens": _max_tokens,
    "temperature": sampled("temperature"),
    "top_p": sampled("top_p"),
    "top_k": TopK("top_k", "OpenAI has no top_k: it was not sent."),
    "stop": Unsupported("stop", "The Responses API has no stop sequences: none was sent. Chat Completions has."),
    "seed": Unsupported("seed", CHAT_ONLY),
    "n": Unsupported("n", f"{CHAT_ONLY} Call the model several times."),
    "presence_penalty": Unsupported("presence_penalty", CHAT_ONLY),
    "frequency_penalty": Unsupported("frequency_penalty", CHAT_ONLY),
    "logit_bias": Unsupported("logit_bias", CHAT_ONLY),
    "logprobs": _logprobs,
    "top_logprobs": sampled("top_logprobs"),
    "user": _user,
    "metadata": SendAs("metadata"),
    "service_tier": _service_tier,
    "parallel_tool_calls": SendAs("parallel_tool_calls"),
    "reasoning_effort": _reasoned("reasoning_effort"),
    "reasoning": _reasoned("reasoning"),
    "thinking": _reasoned("thinking"),
    "verbosity": _verbosity,
    "modalities": Unsupported("modalities", CHAT_ONLY),
    "audio": Unsupported("audio", CHAT_ONLY),
    "prediction": Unsupported("prediction", CHAT_ONLY),
    "store": _store,
    "stream_options": _stream_options,
    "prompt_cache_key": cache_key,
    "prompt_cache_retention": cache_retention,
    "prompt_cache_options": cache_options(OPTION_TTLS),
}

# --- limits -----------------------------------------------------------------------------------------------------------

LOGPROBS, ENCRYPTED = "message.output_text.logprobs", "reasoning.encrypted_content"

INCLUDABLE = frozenset(
    {
        "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
        "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
        ENCRYPTED, LOGPROBS,
    }
)  # fmt: skip
"""What a reply can include (the SDK's `ResponseIncludable`)."""


def _include(value: Any, request: Request) -> Limited:
    refused = {item for item in value if item not in INCLUDABLE}
    if sampling_refusal(request):
        refused.add(LOGPROBS)
    if request.profile.reasoning is False or not request.profile.encrypted_reasoning:
        refused.add(ENCRYPTED)
    left_out = [str(item) for item in value if item in refused]
    if not left_out:
        return Limited(value)
    kept = [item for item in value if item not in refused]
    return Limited(kept or None, f"{request.model} does not take {', '.join(left_out)}: it was not sent.")


def _compaction(value: Any, request: Request) -> Limited:
    entries = value if isinstance(value, list | tuple) else [None]
    if all(isinstance(entry, Mapping) and entry.get("type") == "compaction" for entry in entries):
        return Limited(value)
    return Limited(None, "OpenAI takes a list of compactions; the edits are Anthropic's: it was not sent.")


def _text(value: Any, request: Request) -> Limited:
    verbosity = value.get("verbosity") if isinstance(value, Mapping) else None
    if verbosity is None or verbosity in ("low", "medium", "high"):
        return Limited(value)
    rest = {key: item for key, item in value.items() if key != "verbosity"}
    return Limited(rest or None, f"OpenAI takes low, medium and high: the verbosity {verbosity!r} was not sent.")


def _background(value: Any, request: Request) -> Limited:
    if value and request.params.get("store") is False:
        raise UnsupportedParameterError("background=True needs a stored answer: leave out store=False, or background.")
    return Limited(value)


def _one_state(value: Any, request: Request) -> Limited:
    if value and request.native.get("conversation"):
        raise UnsupportedParameterError("Give `previous_response_id` or `conversation`: both hold the earlier turns.")
    return Limited(value)


PARAM_LIMITS: Mapping[str, Limit] = {
    **limits.PARAMS,
    "user": limits.shorter_than(128),
    "service_tier": limits.one_of(*limits.TIERS, "ultrafast"),
}
NATIVE_LIMITS: Mapping[str, Limit] = {
    **limits.NATIVE,
    "include": _include,
    "context_management": _compaction,
    "text": _text,
    "truncation": limits.one_of("auto", "disabled"),
    "background": _background,
    "previous_response_id": _one_state,
}
