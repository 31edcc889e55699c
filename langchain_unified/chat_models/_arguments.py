"""Keywords of one call -> what each of them is for.

A call's keywords come from the model's fields, from `model_kwargs`, from `bind` and from the call itself; the later one
wins. `parse_arguments` puts each where it belongs. An unknown keyword raises with the closest known name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict, get_origin, get_type_hints

from pydantic import SecretStr

from langchain_unified.chat_models._fields import OnUnsupported, Repair
from langchain_unified.chat_models._unknown import unknown_keyword
from langchain_unified.errors import ConfigurationError, UnsupportedParameterError
from langchain_unified.request import Adjustment, JsonObject, Params, Provider
from langchain_unified.transport.config import Timeout

if TYPE_CHECKING:
    from langchain_unified.structured.answer import Target


class CallOptions(TypedDict, total=False):
    """What a call's keywords say beside the parameters: its model, tools and output, and how it is sent."""

    model: str
    tools: Sequence[Any]
    tool_choice: Any
    response_format: Any
    strict: bool
    timeout: Timeout
    extra_headers: Mapping[str, str]
    extra_query: Mapping[str, Any]
    extra_body: Mapping[str, Any]
    max_retries: int
    max_retry_wait: float
    deadline: float
    api_key: SecretStr | str
    betas: Sequence[str]
    stream: bool
    stream_usage: bool
    on_unsupported: OnUnsupported
    repair: Repair
    prompt_cache: Any


PARAM_KEYS = frozenset(Params.__annotations__)
CALL_KEYS = frozenset(CallOptions.__annotations__)


@functools.cache
def native_keys(provider: Provider | None) -> frozenset[str]:
    """The keys of a provider's own bodies that are no neutral parameters; of both for `None`."""
    from langchain_unified.wires import WIRES  # what calls need alone

    wires = (wire for wire in WIRES.values() if provider in (None, wire.provider))
    return frozenset().union(*(wire.native_keys for wire in wires))


OPTION_FIELDS = frozenset({
    "betas", "extra_body", "extra_headers", "extra_query", "prompt_cache", "response_format", "stream_usage",
    "tool_choice",
})  # fmt: skip


@functools.cache
def call_fields() -> frozenset[str]:
    """The neutral names of the constructor's arguments that go into every call."""
    return PARAM_KEYS | native_keys(None) | OPTION_FIELDS


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


@dataclass(slots=True)
class Arguments:
    """One call's keywords: neutral parameters, keys of a provider's own body, and the options of the call.

    No value is `None`. `adjustments` were made to the keywords themselves.
    """

    params: Params = field(default_factory=Params)
    native: JsonObject = field(default_factory=dict)
    call: CallOptions = field(default_factory=CallOptions)
    adjustments: list[Adjustment] = field(default_factory=list)
    target: Target | None = None
    """What the answer is parsed into, where `response_format` is a type."""


def canonical(keywords: Mapping[str, Any]) -> JsonObject:
    """The keywords under their neutral names. A keyword given under two names with different values raises."""
    result: JsonObject = {}
    for key, value in keywords.items():
        name = SYNONYMS.get(key, key)
        if name in result and value is not None and result[name] not in (None, value):
            raise ConfigurationError(f"{key!r} and {name!r} are one parameter, given twice with different values.")
        if value is not None or name not in result:
            result[name] = value
    return result


METADATA_KEYS = ("metadata", "request_metadata")


def rename_metadata(keywords: JsonObject) -> JsonObject:
    """The keywords with the API's `metadata` as `request_metadata`: core takes `metadata` for that of traces."""
    metadata = canonical({key: keywords[key] for key in METADATA_KEYS if key in keywords})["metadata"]
    others = {key: value for key, value in keywords.items() if key not in METADATA_KEYS}
    return {**others, "request_metadata": metadata}


def parse_arguments(keywords: Mapping[str, Any]) -> Arguments:
    """Canonical keywords -> `Arguments`. Values that mean "not given" are left out. Raises for an unknown keyword."""
    arguments, native = Arguments(), native_keys(None)
    for key, value in keywords.items():
        if value is None or (key in ABSENT and ABSENT[key](value)):
            continue
        if key in PARAM_KEYS:
            arguments.params[key] = VALIDATORS[key](key, value) if key in VALIDATORS else value  # type: ignore[literal-required]
        elif key in CALL_KEYS:
            arguments.call[key] = value  # type: ignore[literal-required]
        elif key in native:
            arguments.native[key] = value
        else:
            raise ConfigurationError(unknown_keyword(key, PARAM_KEYS | CALL_KEYS | native, "this call"))
    return arguments


# --- values -----------------------------------------------------------------------------------------------------------


def _no_stops(value: Any) -> bool:
    return not value


def _no_timeout(value: Any) -> bool:
    """A timeout of 0 or less means the default, as in langchain-anthropic."""
    return isinstance(value, int | float) and value <= 0


ABSENT: Mapping[str, Callable[[Any], bool]] = {"stop": _no_stops, "timeout": _no_timeout}
"""Values other than `None` that mean "not given"."""


def _stop(key: str, value: Any) -> list[str]:
    stops = list(value) if isinstance(value, list | tuple) else [value]
    if not all(isinstance(stop, str) for stop in stops):
        raise UnsupportedParameterError(f"`stop` takes a string or a list of strings, not {value!r}.")
    return stops


def _integer(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnsupportedParameterError(f"`{key}` takes a whole number, not {value!r}.")
    return value


def _limit(key: str, value: Any) -> int:
    limit = _integer(key, value)
    if limit < 0:
        raise UnsupportedParameterError(f"`{key}` cannot be negative, as {value} is. Leave it out for the default.")
    return int(limit)


def _count(key: str, value: Any) -> int:
    count = _integer(key, value)
    if count < 1:
        raise UnsupportedParameterError(f"`{key}` must be 1 or more, not {value}.")
    return int(count)


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsupportedParameterError(f"`{key}` takes a number, not {value!r}.")
    return value


def _strings(key: str, value: Any) -> list[str]:
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise UnsupportedParameterError(f"`{key}` takes a list of strings, not {value!r}.")
    return list(value)


def _object(key: str, value: Any) -> JsonObject:
    if not isinstance(value, Mapping):
        raise UnsupportedParameterError(f"`{key}` takes an object, not {value!r}.")
    return dict(value)


def _bias(key: str, value: Any) -> dict[str, float]:
    return {str(token): bias for token, bias in _object(key, value).items()}


VALIDATORS_BY_TYPE: Mapping[Any, Callable[[str, Any], Any]] = {
    int: _integer,
    float: _number,
    dict: _object,
    list: _strings,
}

VALIDATORS: Mapping[str, Callable[[str, Any], Any]] = {
    **{
        key: VALIDATORS_BY_TYPE[kind]
        for key, hint in get_type_hints(Params).items()
        if (kind := get_origin(hint) or hint) in VALIDATORS_BY_TYPE
    },
    "stop": _stop,
    "max_tokens": _limit,
    "n": _count,
    "logit_bias": _bias,
}
"""Parameters whose values are checked here, or brought into one form: by their type in `Params`, or by name."""
