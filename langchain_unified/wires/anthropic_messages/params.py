"""Parameters -> keys of a Messages body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import Adjustment, JsonObject, Request
from langchain_unified.wires._wire import ParamWriter, Unsupported
from langchain_unified.wires.anthropic_messages.reasoning import max_tokens, reasoning, thinks

HEADERS: Mapping[str, str] = {
    "user_profile_id": "anthropic-user-profile-id",
    "workspace_id": "anthropic-workspace-id",
}
"""Keys that travel as headers."""

BODY_KEYS = frozenset(
    {
        "billing_policy",
        "cache_control",
        "compaction",
        "container",
        "context_management",
        "diagnostics",
        "fallback_credit_token",
        "fallbacks",
        "inference_geo",
        "mcp_servers",
        "output_config",
        "speed",
        "stop_sequences",
        "system",
        "thread",
    }
)

NATIVE_KEYS = BODY_KEYS | HEADERS.keys() | {"output_format"}
"""The keys of this API that `Params` does not have. `output_format` is known only to say what took its place."""

SAMPLING = ("temperature", "top_p", "top_k")
SAMPLING_VERSION = "2023-06-01"
"""The `anthropic-version` that takes sampling parameters; later ones refuse them on every model."""


def write_native(body: JsonObject, headers: dict[str, str], request: Request, adjustments: list[Adjustment]) -> None:
    """The API's own keys as they are, `None` left out; a key of another API lands in `adjustments`."""
    for key, value in request.native.items():
        if key == "output_format":
            raise UnsupportedParameterError(
                "`output_format` is gone from the API. Give `response_format`, or `output_config={'format': …}`."
            )
        if key not in NATIVE_KEYS:
            why = "Anthropic has no such key: it was not sent. `extra_body` would send it."
            adjustments.append(Adjustment(what=key, why=why))
        elif value is not None and key in HEADERS:
            headers[HEADERS[key]] = str(value)
        elif value is not None:
            body[key] = value


def configure(body: JsonObject, key: str, value: Any) -> None:
    """Set one key of `output_config`, which effort and format share with the caller's own."""
    body["output_config"] = {**body.get("output_config", {}), key: value}


# --- limits and identity ----------------------------------------------------------------------------------------------


def _max_tokens(body: JsonObject, value: int, request: Request) -> None:
    if value < 0 or (value == 0 and request.stream):
        rule = "0 fills the cache and generates nothing, without a stream" if value == 0 else "it must be 1 or more"
        raise UnsupportedParameterError(f"max_tokens={value}: {rule}.")
    body["max_tokens"] = value


def _stop(body: JsonObject, value: list[str], request: Request) -> Adjustment | None:
    if not request.profile.stop:
        return Adjustment(what="stop", why=f"{request.model} takes no stop sequences: none was sent.")
    words = [item for item in value if item.strip()]
    if words:
        body["stop_sequences"] = list(dict.fromkeys([*words, *body.get("stop_sequences", [])]))
    if len(words) < len(value):
        return Adjustment(what="stop", why="Anthropic refuses stop sequences of nothing but whitespace: left out.")
    return None


def _user(body: JsonObject, value: str, request: Request) -> None:
    body["metadata"] = {"user_id": value}


def _metadata(body: JsonObject, value: Mapping[str, Any], request: Request) -> Adjustment | None:
    if value.get("user_id") and "user" not in request.params:
        body["metadata"] = {"user_id": value["user_id"]}
    others = [key for key in value if key != "user_id"]
    if others:
        return Adjustment(what="metadata", why=f"Anthropic keeps only `user_id`: not sent: {', '.join(others)}.")
    return None


TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def _service_tier(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    if value == "fast":
        body["speed"] = "fast"
    elif value in TIERS:
        body["service_tier"] = TIERS[value]
    else:
        why = f"Anthropic has no tier {value!r}: the default holds. It takes auto, default and fast."
        return Adjustment(what="service_tier", why=why)
    return None


# --- sampling ---------------------------------------------------------------------------------------------------------


def _sampled(key: str) -> ParamWriter:
    def write(body: JsonObject, value: float, request: Request) -> Adjustment | None:
        if request.profile.sampling == "never":
            return Adjustment(what=key, why=f"{request.model} refuses sampling parameters: it was not sent.")
        if request.profile.sampling == "without_reasoning" and thinks(request):
            return Adjustment(what=key, why=f"{request.model} refuses it while it thinks: it was not sent.")
        if key == "temperature" and value > 1:
            body[key] = 1.0
            return Adjustment(what=key, why=f"Anthropic's goes from 0 to 1: 1 was sent for {value}.")
        body[key] = value
        return None

    return write


# --- reasoning --------------------------------------------------------------------------------------------------------


def _reasoned(key: str) -> ParamWriter:
    """A row of the three that decide on thinking together: each writes the same, and tells what is its own."""

    def write(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        settled = reasoning(request)
        if settled.thinking is not None:
            body["thinking"] = settled.thinking
        if settled.effort is not None:
            configure(body, "effort", settled.effort)
        why = settled.notes.get(key)
        return None if why is None else Adjustment(what=key, why=why)

    return write


# --- what Anthropic does not have -------------------------------------------------------------------------------------


def _unless(harmless: Any, what: str, why: str) -> ParamWriter:
    """A row that refuses every value but the one that asks for what happens anyway."""

    def write(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        return None if value == harmless else Adjustment(what=what, why=why)

    return write


def _nothing(body: JsonObject, value: Any, request: Request) -> None:
    """Said elsewhere, or always so."""


NO_CACHE_SETTING = "Anthropic caches where marks stand; it has no such setting: it was not sent."

PARAMS: Mapping[str, ParamWriter] = {
    "max_tokens": _max_tokens,
    "temperature": _sampled("temperature"),
    "top_p": _sampled("top_p"),
    "top_k": _sampled("top_k"),
    "stop": _stop,
    "seed": Unsupported("seed", "Anthropic has no seed: answers cannot be repeated."),
    "n": _unless(1, "n", "Anthropic gives one answer per call: one was asked for. Call it n times."),
    "presence_penalty": Unsupported("presence_penalty", "Anthropic has no penalties: it was not sent."),
    "frequency_penalty": Unsupported("frequency_penalty", "Anthropic has no penalties: it was not sent."),
    "logit_bias": Unsupported("logit_bias", "Anthropic does not let tokens be weighed: it was not sent."),
    "logprobs": _unless(False, "logprobs", "Anthropic reports no probabilities."),
    "top_logprobs": _unless(0, "top_logprobs", "Anthropic reports no probabilities."),
    "user": _user,
    "metadata": _metadata,
    "service_tier": _service_tier,
    "parallel_tool_calls": _nothing,  # It stands in `tool_choice`.
    "reasoning_effort": _reasoned("reasoning_effort"),
    "reasoning": _reasoned("reasoning"),
    "thinking": _reasoned("thinking"),
    "verbosity": Unsupported("verbosity", "Anthropic has no such setting: ask for a length in the prompt."),
    "modalities": _unless(["text"], "modalities", "Claude answers in text only."),
    "audio": Unsupported("audio", "Claude does not speak: it was not sent."),
    "prediction": Unsupported("prediction", "Anthropic takes no predicted output: it was not sent."),
    "store": _unless(False, "store", "Anthropic stores no responses for later calls."),
    "stream_options": _nothing,  # Usage always comes.
    "prompt_cache_key": Unsupported("prompt_cache_key", NO_CACHE_SETTING),
    "prompt_cache_retention": Unsupported("prompt_cache_retention", NO_CACHE_SETTING),
    "prompt_cache_options": Unsupported("prompt_cache_options", NO_CACHE_SETTING),
}

__all__ = ["NATIVE_KEYS", "PARAMS", "SAMPLING", "SAMPLING_VERSION", "configure", "max_tokens", "write_native"]
