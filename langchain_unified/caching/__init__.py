"""Prompt caching as users meet it: `cached` marks things, `PromptCache` sets marks, `report` says what came of them.

Where marks stand in a request is settled in `caching/budget.py`, what happened between two calls is told by
`explain/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from langchain_core.messages import BaseMessage
from langchain_core.tools import BaseTool

from langchain_unified.caching.budget import Marks
from langchain_unified.caching.policy import TTL_REMEDY, TTLS, PromptCache
from langchain_unified.errors import ConfigurationError
from langchain_unified.request import Block, JsonObject, Request
from langchain_unified.tools import tool_dict, tool_specs

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


# --- after the call ---------------------------------------------------------------------------------------------------


def report(request: Request, marks: Marks, usage: Mapping[str, Any] | None, *, by_itself: bool) -> JsonObject | None:
    """`response_metadata["prompt_cache"]` of a reply with this `usage_metadata`.

    `None` where caching was no matter, and where there is no usage to tell.

    `status`: `hit` (read, nothing written), `partial` (part read, part newly written), `write` (only written), `miss`
    (neither, although it could have been), `below_minimum` (neither, and the marked part is shorter than the model
    caches), `off` (nothing was asked for). `read` and `written` are tokens. `marks_sent` are `{place, ttl}`,
    `marks_dropped` `{what, why}`. `by_itself`: whether the model also caches without marks.
    """
    if usage is None:
        return None  # nothing is known
    details = usage.get("input_token_details") or {}
    read, written = _tokens(details, "cache_read"), _tokens(details, "cache_creation")
    if not (marks.asked or read or written):
        return None
    status = _STATUS.get((bool(read), bool(written)))
    if status is None:
        waiting = bool(marks.sent) or by_itself
        status = "off" if marks.off or not waiting else _unread(request, usage)
    return {
        "status": status,
        "read": read,
        "written": written,
        "marks_sent": [{"place": mark.place, **({"ttl": mark.ttl} if mark.ttl else {})} for mark in marks.sent],
        "marks_dropped": [dict(item) for item in marks.dropped],
    }


_STATUS = {(True, False): "hit", (True, True): "partial", (False, True): "write"}


def _tokens(details: Mapping[str, Any], key: str) -> int:
    """A count, whichever service tier it was counted under (`priority_cache_read`)."""
    return sum(count for name, count in details.items() if name == key or name.endswith(f"_{key}"))


def _unread(request: Request, usage: Mapping[str, Any]) -> str:
    minimum = request.profile.cache_minimum
    tokens = usage.get("input_tokens")
    if minimum is None or tokens is None:
        return "miss"
    return "below_minimum" if tokens * marked_share(request) < minimum else "miss"


def marked_share(request: Request) -> float:
    """How much of the prompt stands at or before its last mark, by the length of what is written; 1 without marks."""
    sizes = [(_size(tool.parameters) + len(tool.description or ""), tool.mark is not None) for tool in request.tools]
    sizes += [(_size(block), "mark" in block) for turn in request.turns for block in turn.blocks]
    last = max((at for at, (_, marked) in enumerate(sizes) if marked), default=len(sizes) - 1)
    whole = sum(size for size, _ in sizes)
    return sum(size for size, _ in sizes[: last + 1]) / whole if whole else 1.0


PICTURE = 6000
"""What an image counts for, in characters: its data say nothing about its tokens."""


def _size(value: Block) -> int:
    if isinstance(value.get("text"), str):
        return len(value["text"])
    size = len(repr(value))  # whatever it holds: an answer that was paid for must not be lost to its report
    return min(size, PICTURE) if "base64" in value else size


__all__ = ["PromptCache", "cached", "marked_share", "report"]
