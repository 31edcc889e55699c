"""`cached`: a prompt-cache mark on a text, block, message or tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool

from langchain_unified.caching.policy import REQUESTABLE_TTLS, TTL_REMEDY
from langchain_unified.errors import ConfigurationError
from langchain_unified.request import JsonObject
from langchain_unified.tools.specs import tool_dict, tool_specs

M = TypeVar("M", bound=BaseMessage)
T = TypeVar("T", bound=BaseTool)


@overload
def cached(x: str, ttl: str | None = ...) -> JsonObject: ...
@overload
def cached(x: M, ttl: str | None = ...) -> M: ...
@overload
def cached(x: T, ttl: str | None = ...) -> T: ...
@overload
def cached(x: Mapping[str, Any], ttl: str | None = ...) -> JsonObject: ...
@overload
def cached(x: Callable[..., Any], ttl: str | None = ...) -> JsonObject: ...
def cached(x: Any, ttl: str | None = None) -> Any:
    """Return a copy of `x` with a prompt-cache mark. The prompt up to its end is cached for later calls.

    `x`: one of

    - a text: the result is a text block
    - a content block
    - a message of any role: the mark is at its end
    - a tool, or a tool's dict
    - a function or a class that is used as a tool: the result is a tool's dict

    `ttl`: how long the prefix is kept, `5m` or `1h` (Anthropic), `30m` or `12h` (OpenAI); absent, the provider's
    default.

    The same mark works with every provider. Anthropic gets `cache_control`. OpenAI's models from gpt-5.6 on get a
    `prompt_cache_breakpoint`, on the nearest block at or before the mark that can carry one. Earlier models of OpenAI
    get nothing: they cache without marks.

    Raises `ConfigurationError` for an unknown ttl, and for an `x` of another type.
    """
    if ttl is not None and ttl not in REQUESTABLE_TTLS:
        raise ConfigurationError(f"cached() has no ttl {ttl!r}. {TTL_REMEDY}")
    mark = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    for kind, with_mark in MARKED_BY_TYPE:
        if isinstance(x, kind):
            return with_mark(x, mark)
    if callable(x):
        return _marked_function(x, mark)
    raise ConfigurationError(
        f"cached() cannot mark a value of type {type(x).__name__}. Give a text, a content block, a message, a tool or "
        "a tool's dict."
    )


def _marked_text(x: str, mark: JsonObject) -> JsonObject:
    return {"type": "text", "text": x, "cache_control": mark}


def _marked_message(x: BaseMessage, mark: JsonObject) -> BaseMessage:
    return x.model_copy(update={"additional_kwargs": {**x.additional_kwargs, "cache_control": mark}})


def _marked_tool(x: BaseTool, mark: JsonObject) -> BaseTool:
    return x.model_copy(update={"extras": {**(x.extras or {}), "cache_control": mark}})


def _marked_dict(x: Mapping[str, Any], mark: JsonObject) -> JsonObject:
    return {**x, "cache_control": mark}


def _marked_function(x: Any, mark: JsonObject) -> JsonObject:
    return {**tool_dict(tool_specs([x])[0]), "cache_control": mark}


MARKED_BY_TYPE: tuple[tuple[type, Callable[[Any, JsonObject], Any]], ...] = (
    (str, _marked_text),
    (BaseMessage, _marked_message),
    (BaseTool, _marked_tool),
    (Mapping, _marked_dict),
)
