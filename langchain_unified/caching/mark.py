"""`cached`: a prompt-cache mark on a text, block, message or tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool

from langchain_unified.caching.policy import TTL_REMEDY, TTLS
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
    """A copy of `x` with a prompt-cache mark: everything up to and with it may be read from the cache by later calls.

    `x`: a text (the result is a text block), a content block, a message of any role (marked at its end), a tool, a
    function or class that stands for one (the result is a tool's dict), or a tool's dict.
    The same mark works on every provider: Anthropic gets `cache_control`, OpenAI from gpt-5.6 on a
    `prompt_cache_breakpoint` on the nearest block at or before it that can carry one, earlier models nothing.
    `ttl`: `5m` or `1h` (Anthropic), `30m` or `12h` (OpenAI); absent, the provider's default.
    Raises `ConfigurationError` for another ttl or for what cannot be marked.
    """
    if ttl is not None and ttl not in TTLS:
        raise ConfigurationError(f"There is no prompt-cache ttl {ttl!r}. {TTL_REMEDY}")
    mark = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    for kind, reader in KINDS:
        if isinstance(x, kind):
            return reader(x, mark)
    if callable(x):
        return _tool(x, mark)
    raise ConfigurationError(
        f"There is no prompt-cache mark on a value of type {type(x).__name__}. Give a text, a content block, a "
        "message, a tool or a tool's dict."
    )


def _text(x: str, mark: JsonObject) -> JsonObject:
    return {"type": "text", "text": x, "cache_control": mark}


def _message(x: BaseMessage, mark: JsonObject) -> BaseMessage:
    return x.model_copy(update={"additional_kwargs": {**x.additional_kwargs, "cache_control": mark}})


def _base_tool(x: BaseTool, mark: JsonObject) -> BaseTool:
    return x.model_copy(update={"extras": {**(x.extras or {}), "cache_control": mark}})


def _dict(x: Mapping[str, Any], mark: JsonObject) -> JsonObject:
    return {**x, "cache_control": mark}


def _tool(x: Any, mark: JsonObject) -> JsonObject:
    return {**tool_dict(tool_specs([x])[0]), "cache_control": mark}


KINDS: tuple[tuple[type, Callable[[Any, JsonObject], Any]], ...] = (
    (str, _text),
    (BaseMessage, _message),
    (BaseTool, _base_tool),
    (Mapping, _dict),
)
