"""Keywords of one call -> what each of them is for.

A call's keywords come from the model's fields, from `model_kwargs`, from `bind` and from the call itself, the later
winning. `sort` lays each where it belongs; a keyword that belongs nowhere raises with the closest known name.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from langchain_unified.errors import ConfigurationError, UnsupportedParameterError
from langchain_unified.request import Adjustment, JsonObject, Params
from langchain_unified.wires import WIRES

PARAM_KEYS = frozenset(Params.__annotations__)
NATIVE_KEYS = frozenset().union(*(wire.native_keys for wire in WIRES.values()))

SYNONYMS: Mapping[str, str] = {
    "stop_sequences": "stop",
    "max_tokens_to_sample": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "effort": "reasoning_effort",
    "request_metadata": "metadata",
    "model_name": "model",
    "request_timeout": "timeout",
    "default_request_timeout": "timeout",
}

CALL_KEYS = frozenset(
    {
        "model", "tools", "tool_choice", "response_format", "strict", "timeout", "extra_headers", "extra_query",
        "extra_body", "max_retries", "api_key", "betas", "stream", "stream_usage", "on_unsupported", "repair",
        "prompt_cache",
    }
)  # fmt: skip


@dataclass(slots=True)
class Arguments:
    """One call's keywords, sorted. `params` are neutral, `native` a provider's own, the rest has a field of its own.

    `notes` are adjustments that were made to them already.
    """

    params: Params = field(default_factory=Params)
    native: JsonObject = field(default_factory=dict)
    call: JsonObject = field(default_factory=dict)
    notes: list[Adjustment] = field(default_factory=list)

    def get(self, key: str, default: Any = None) -> Any:
        value = self.call.get(key)
        return default if value is None else value


FIELDS = PARAM_KEYS | NATIVE_KEYS | {
    "betas", "extra_body", "extra_headers", "extra_query", "prompt_cache", "response_format", "stream_usage",
    "tool_choice",
}  # fmt: skip
"""The neutral names of the constructor's arguments that go into every call."""


def canonical(keywords: Mapping[str, Any]) -> JsonObject:
    """The keywords under their neutral names. A keyword given under two names of one thing raises."""
    result: JsonObject = {}
    for key, value in keywords.items():
        name = SYNONYMS.get(key, key)
        if name in result and value is not None and result[name] not in (None, value):
            raise ConfigurationError(f"{key!r} and {name!r} are one parameter, given twice with different values.")
        if value is not None or name not in result:
            result[name] = value
    return result


def own_metadata(kwargs: JsonObject) -> JsonObject:
    """The keywords with the API's `metadata` under the name by which core does not take it for its own."""
    if "metadata" not in kwargs:
        return kwargs
    said = canonical({key: kwargs[key] for key in METADATA if key in kwargs})["metadata"]
    return {**{key: value for key, value in kwargs.items() if key not in METADATA}, "request_metadata": said}


METADATA = ("metadata", "request_metadata")


def sort(keywords: Mapping[str, Any]) -> Arguments:
    """Canonical keywords -> `Arguments`. What means that nothing was given is left out."""
    arguments = Arguments()
    for key, value in keywords.items():
        if value is None or NOTHING.get(key, _never)(value):
            continue
        if key in PARAM_KEYS:
            arguments.params[key] = _shaped(key, value)  # type: ignore[literal-required]
        elif key in CALL_KEYS:
            arguments.call[key] = value
        elif key in NATIVE_KEYS:
            arguments.native[key] = value
        else:
            raise ConfigurationError(unknown(key, PARAM_KEYS | CALL_KEYS | NATIVE_KEYS, "this call"))
    return arguments


def _never(value: Any) -> bool:
    return False


def _no_time(value: Any) -> bool:
    """A timeout of 0 or less means the default, as langchain-anthropic reads it."""
    return isinstance(value, int | float) and value <= 0


NOTHING: Mapping[str, Callable[[Any], bool]] = {"stop": operator.not_, "timeout": _no_time}
"""Values beside `None` that mean that nothing was given."""


def unknown(key: str, known: Iterable[str], place: str) -> str:
    """The sentence for a keyword that nobody knows."""
    names = sorted(known)
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{key!r} is not a parameter of {place}.{hint} A provider's new body keys go into `extra_body`."


def _shaped(key: str, value: Any) -> Any:
    check = SHAPES.get(key)
    return check(key, value) if check else value


def _stop(key: str, value: Any) -> list[str]:
    stops = [value] if isinstance(value, str) else list(value)
    if not all(isinstance(stop, str) for stop in stops):
        raise UnsupportedParameterError(f"`stop` takes a string or a list of strings, not {value!r}.")
    return stops


def _whole(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnsupportedParameterError(f"`{key}` takes a whole number, not {value!r}.")
    return value


def _limit(key: str, value: Any) -> int:
    if _whole(key, value) < 0:
        raise UnsupportedParameterError(f"`{key}` cannot be negative, as {value} is. Leave it out for the default.")
    return int(value)


def _count(key: str, value: Any) -> int:
    if _whole(key, value) < 1:
        raise UnsupportedParameterError(f"`{key}` must be 1 or more, not {value}.")
    return int(value)


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsupportedParameterError(f"`{key}` takes a number, not {value!r}.")
    return value


def _bias(key: str, value: Any) -> dict[str, float]:
    return {str(token): bias for token, bias in value.items()}


def _object(key: str, value: Any) -> JsonObject:
    if not isinstance(value, Mapping):
        raise UnsupportedParameterError(f"`{key}` takes an object, not {value!r}.")
    return dict(value)


SHAPES = {
    "prompt_cache_options": _object,
    "stop": _stop,
    "max_tokens": _limit,
    "top_k": _whole,
    "seed": _whole,
    "n": _count,
    "top_logprobs": _whole,
    "temperature": _number,
    "top_p": _number,
    "presence_penalty": _number,
    "frequency_penalty": _number,
    "logit_bias": _bias,
}


def secret(value: Any) -> SecretStr | None:
    """A per-call key, whatever it was given as."""
    return SecretStr(value) if isinstance(value, str) else value
