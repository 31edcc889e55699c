"""Parameters -> keys of a Messages body, and the headers of this API."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import Adjustment, JsonObject, Request
from langchain_unified.wires._wire import ParamWriter, Unsupported
from langchain_unified.wires.anthropic_messages.reasoning import decide_reasoning, max_tokens, thinks

HEADERS: Mapping[str, str] = {
    "user_profile_id": "anthropic-user-profile-id",
    "workspace_id": "anthropic-workspace-id",
}
"""Native keys that are sent as headers."""

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
"""Native keys that are sent in the body."""

NATIVE_KEYS = BODY_KEYS | HEADERS.keys() | {"output_format"}
"""The keys of this API that `Params` does not have. `output_format` is the old name of `output_config.format`."""

SAMPLING = ("temperature", "top_p", "top_k")
SAMPLING_VERSION = "2023-06-01"
"""The last `anthropic-version` that takes sampling parameters; later ones refuse them on every model."""


def write_native(body: JsonObject, headers: dict[str, str], request: Request, adjustments: list[Adjustment]) -> None:
    """Write `request.native` into `body` and `headers`, without `None`. A key of another API becomes an adjustment."""
    for key, value in request.native.items():
        if key == "context_management" and isinstance(value, list):
            why = "A list is OpenAI's: it was not sent. Anthropic takes an object with `edits`."
            adjustments.append(Adjustment(what=key, why=why))
        elif key not in NATIVE_KEYS:
            why = "Anthropic has no such key: it was not sent. `extra_body` would send it."
            adjustments.append(Adjustment(what=key, why=why))
        elif key == "context_management" and value is not None and not isinstance(value, Mapping):
            why = "Anthropic takes {'edits': […]}; a list of compactions is OpenAI's: it was not sent."
            adjustments.append(Adjustment(what=key, why=why))
        elif value is not None and key in HEADERS:
            headers[HEADERS[key]] = str(value)
        elif value is not None and key != "output_format":
            body[key] = value
    if request.native.get("output_format") is not None:
        set_output_config(body, "format", request.native["output_format"])
        why = "It was sent as `output_config.format`, which has taken its place."
        adjustments.append(Adjustment(what="output_format", why=why, lossless=True))


def set_output_config(body: JsonObject, key: str, value: object) -> None:
    """Set one key of `output_config`, and keep the caller's other keys."""
    body["output_config"] = {**body.get("output_config", {}), key: value}


# --- limits and identity ----------------------------------------------------------------------------------------------


def _max_tokens(body: JsonObject, value: int, request: Request) -> Adjustment | None:
    if value < 0 or (value == 0 and request.stream):
        rule = "0 only fills the cache, and not with a stream" if value == 0 else "it must be 1 or more"
        raise UnsupportedParameterError(f"max_tokens={value}: {rule}.")
    most = None if any(beta.startswith("output-") for beta in request.betas) else request.profile.max_output_tokens
    body["max_tokens"] = value if most is None else min(value, most)
    if most is not None and value > most:
        return Adjustment(what="max_tokens", why=f"{request.model} writes at most {most} tokens: {most} was sent.")
    return None


def _stop(body: JsonObject, value: list[str], request: Request) -> Adjustment | None:
    if not request.profile.stop:
        return Adjustment(what="stop", why=f"{request.model} takes no stop sequences: none was sent.")
    accepted = [item for item in value if item.strip()]
    if accepted:
        body["stop_sequences"] = list(dict.fromkeys([*accepted, *body.get("stop_sequences", [])]))
    if len(accepted) < len(value):
        return Adjustment(what="stop", why="Anthropic refuses stop sequences of whitespace only: they were not sent.")
    return None


def _user(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    return _write_user_id(body, value)


def _write_user_id(body: JsonObject, value: object) -> Adjustment | None:
    if len(str(value)) > MAX_USER_ID:
        why = f"Anthropic takes at most {MAX_USER_ID} characters as `user_id`: it was not sent."
        return Adjustment(what="user", why=why)
    body["metadata"] = {"user_id": value}
    return None


MAX_USER_ID = 256
"""In characters (API reference)."""


def _metadata(body: JsonObject, value: Mapping[str, object], request: Request) -> Adjustment | None:
    others = [key for key in value if key != "user_id"]
    if value.get("user_id") and "user" not in request.params:
        too_long = _write_user_id(body, value["user_id"])
        if too_long and not others:
            return too_long
    if others:
        return Adjustment(what="metadata", why=f"Anthropic takes only `user_id`; not sent: {', '.join(others)}.")
    return None


TIERS: Mapping[str, str] = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}
"""The neutral tier -> the API's. `fast` is not a tier there but the key `speed`."""


def _service_tier(body: JsonObject, value: str, request: Request) -> Adjustment | None:
    if value == "fast":
        body["speed"] = "fast"
    elif value in TIERS:
        body["service_tier"] = TIERS[value]
    else:
        why = f"Anthropic has no tier {value!r}: none was sent. It has auto, default and fast."
        return Adjustment(what="service_tier", why=why)
    return None


# --- sampling ---------------------------------------------------------------------------------------------------------


def _sampling(key: str) -> ParamWriter:
    """The row of a sampling parameter."""

    def write(body: JsonObject, value: float, request: Request) -> Adjustment | None:
        if request.profile.sampling == "never":
            return Adjustment(what=key, why=f"{request.model} refuses sampling parameters: it was not sent.")
        if request.profile.sampling == "without_reasoning" and thinks(request):
            return Adjustment(what=key, why=f"{request.model} refuses it together with thinking: it was not sent.")
        if key == "top_p" and "temperature" in request.params and not request.profile.temperature_with_top_p:
            return Adjustment(what=key, why=f"{request.model} takes `temperature` or `top_p`: `temperature` was sent.")
        if key != "top_k" and not 0 <= value <= 1:
            body[key] = 1.0 if value > 1 else 0.0
            return Adjustment(what=key, why=f"Anthropic's range is 0 to 1: {body[key]:g} was sent for {value}.")
        if key == "top_k" and value < 0:
            return Adjustment(what=key, why=f"Anthropic takes 0 or more, not {value}: it was not sent.")
        body[key] = value
        return None

    return write


# --- reasoning --------------------------------------------------------------------------------------------------------


def _reasoning(key: str) -> ParamWriter:
    """The row of one of the three parameters that decide on thinking together. Each row writes the whole decision."""

    def write(body: JsonObject, value: object, request: Request) -> Adjustment | None:
        decided = decide_reasoning(request)
        if decided.thinking is not None:
            body["thinking"] = decided.thinking
        if decided.effort is not None:
            set_output_config(body, "effort", decided.effort)
        why = decided.notes.get(key)
        return None if why is None else Adjustment(what=key, why=why)

    return write


# --- what Anthropic does not have -------------------------------------------------------------------------------------


def _only(accepted: object, what: str, why: str) -> ParamWriter:
    """The row of a parameter that the API does not have: it accepts the value that asks for what happens anyway."""

    def write(body: JsonObject, value: object, request: Request) -> Adjustment | None:
        return None if value == accepted else Adjustment(what=what, why=why)

    return write


def _write_nothing(body: JsonObject, value: object, request: Request) -> None:
    """The row of a parameter that is written elsewhere, or that needs no key."""


NO_CACHE_SETTING = "Anthropic caches up to each mark and has no such setting: it was not sent."

PARAMS: Mapping[str, ParamWriter] = {
    "max_tokens": _max_tokens,
    "temperature": _sampling("temperature"),
    "top_p": _sampling("top_p"),
    "top_k": _sampling("top_k"),
    "stop": _stop,
    "seed": Unsupported("seed", "Anthropic has no seed: it was not sent."),
    "n": _only(1, "n", "Anthropic gives one answer per call: one was requested. Call it n times."),
    "presence_penalty": Unsupported("presence_penalty", "Anthropic has no penalties: it was not sent."),
    "frequency_penalty": Unsupported("frequency_penalty", "Anthropic has no penalties: it was not sent."),
    "logit_bias": Unsupported("logit_bias", "Anthropic has no logit bias: it was not sent."),
    "logprobs": _only(False, "logprobs", "Anthropic reports no token probabilities: it was not sent."),
    "top_logprobs": _only(0, "top_logprobs", "Anthropic reports no token probabilities: it was not sent."),
    "user": _user,
    "metadata": _metadata,
    "service_tier": _service_tier,
    "parallel_tool_calls": _write_nothing,  # `encode_tool_choice` writes it.
    "reasoning_effort": _reasoning("reasoning_effort"),
    "reasoning": _reasoning("reasoning"),
    "thinking": _reasoning("thinking"),
    "verbosity": Unsupported("verbosity", "Anthropic has no such setting: ask for a length in the prompt."),
    "modalities": _only(["text"], "modalities", "Claude answers in text only: it was not sent."),
    "audio": Unsupported("audio", "Claude produces no audio: it was not sent."),
    "prediction": Unsupported("prediction", "Anthropic takes no predicted output: it was not sent."),
    "store": _only(False, "store", "Anthropic stores no responses: it was not sent."),
    "stream_options": _write_nothing,  # A stream always has the usage.
    "prompt_cache_key": Unsupported("prompt_cache_key", NO_CACHE_SETTING),
    "prompt_cache_retention": Unsupported("prompt_cache_retention", NO_CACHE_SETTING),
    "prompt_cache_options": Unsupported("prompt_cache_options", NO_CACHE_SETTING),
}

__all__ = ["NATIVE_KEYS", "PARAMS", "SAMPLING", "SAMPLING_VERSION", "max_tokens", "set_output_config", "write_native"]
