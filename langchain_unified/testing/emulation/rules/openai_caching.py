"""What OpenAI's APIs refuse about prompt-cache breakpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_unified.testing.emulation.rules.rule import CHAT, OPENAI, Call, Finder, Found, Rule, dicts


def _anthropic_mark(call: Call) -> Found:
    yield from ({"place": place} for place in _places(call.body, "cache_control"))


def _places(value: Any, key: str, path: str = "") -> Iterator[str]:
    """Where `key` stands in the tools and the conversation."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from _places(item, key, f"{path}[{at}]")
    elif isinstance(value, dict):
        if key in value:
            yield f"{path}.{key}".lstrip(".")
        for name in ("messages", "input", "content", "output", "tools"):
            if isinstance(value.get(name), list):
                yield from _places(value[name], key, f"{path}.{name}".lstrip("."))


def _no_breakpoints(call: Call) -> Found:
    """From gpt-5.6 on."""
    if call.profile.cache_breakpoints:
        return
    if call.body.get("prompt_cache_options") is not None:
        yield {"place": "prompt_cache_options"}
    yield from ({"place": place} for place in _places(call.body, "prompt_cache_breakpoint"))


def _misplaced(call: Call) -> Found:
    """Not on tools, not on what the assistant said."""
    for place in _places({"tools": call.body.get("tools")}, "prompt_cache_breakpoint"):
        yield {"place": place}
    key = "messages" if call.endpoint == CHAT else "input"
    for at, item in enumerate(dicts(call.body.get(key))):
        if item.get("role") == "assistant" or "prompt_cache_breakpoint" in item:
            yield from ({"place": f"{key}[{at}]{place}"} for place in _places(item, "prompt_cache_breakpoint", "."))


def _cache_options(call: Call) -> Found:
    options = call.body.get("prompt_cache_options") or {}
    allowed = {"mode": ("implicit", "explicit"), "ttl": ("30m",) if call.endpoint == CHAT else ("30m", "12h")}
    for key, values in allowed.items():
        if options.get(key) is not None and options[key] not in values:
            yield {"key": key, "value": options[key], "values": " and ".join(f"'{value}'" for value in values)}


def _row(name: str, find: Finder, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.{name}", OPENAI, find, message, source, **more)


MARKS: tuple[Rule, ...] = (
    _row(
        "foreign mark",
        _anthropic_mark,
        "Unknown parameter: '{place}'.",
        "reports",
        code="unknown_parameter",
        param="{place}",
    ),
    _row(
        "no breakpoints",
        _no_breakpoints,
        "Unsupported parameter: '{place}' is not supported with this model.",
        "prompt caching guide",
        code="unsupported_parameter",
        param="{place}",
    ),
    _row(
        "breakpoint place",
        _misplaced,
        "Unknown parameter: '{place}'.",
        "prompt caching guide",
        code="unknown_parameter",
        param="{place}",
    ),
    _row(
        "cache options",
        _cache_options,
        "Invalid value: '{value}'. Supported values are: {values}.",
        "SDK types",
        code="invalid_value",
        param="prompt_cache_options.{key}",
    ),
)
