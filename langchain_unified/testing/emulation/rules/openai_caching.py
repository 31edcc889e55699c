"""What both APIs of OpenAI refuse in prompt-cache breakpoints and options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_unified.profiles import model_profile
from langchain_unified.testing.emulation.endpoints import CHAT, OPENAI
from langchain_unified.testing.emulation.rules.openai_content import parts_of
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts


def _cache_control(call: EmulatedCall) -> Violations:
    yield from ({"place": place} for place in _find_key(call.body, "cache_control"))


def _find_key(value: Any, key: str, path: str = "") -> Iterator[str]:
    """The paths of `key` in the tools and the conversation."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from _find_key(item, key, f"{path}[{at}]")
    elif isinstance(value, dict):
        if key in value:
            yield f"{path}.{key}".lstrip(".")
        for name in ("messages", "input", "content", "output", "tools"):
            if isinstance(value.get(name), list):
                yield from _find_key(value[name], key, f"{path}.{name}".lstrip("."))


def _breakpoints_unsupported(call: EmulatedCall) -> Violations:
    """Models before gpt-5.6 have no breakpoints."""
    if call.profile.cache_breakpoints:
        return
    if call.body.get("prompt_cache_options") is not None:
        yield {"place": "prompt_cache_options"}
    yield from ({"place": place} for place in _find_key(call.body, "prompt_cache_breakpoint"))


def _retention_unsupported(call: EmulatedCall) -> Violations:
    """Models with breakpoints have `prompt_cache_options` instead. Nothing is known about unknown models."""
    known = model_profile("openai", call.model) is not None
    if known and call.profile.cache_breakpoints and call.body.get("prompt_cache_retention") is not None:
        yield {}


def _invalid_breakpoint(call: EmulatedCall) -> Violations:
    for place, part in parts_of(call):
        mark = part.get("prompt_cache_breakpoint")
        if "prompt_cache_breakpoint" in part and not (isinstance(mark, dict) and mark.get("mode") == "explicit"):
            yield {"place": f"{place}.prompt_cache_breakpoint.mode"}


def _breakpoint_not_allowed(call: EmulatedCall) -> Violations:
    """Breakpoints are not allowed on tools, on assistant messages and beside the content of an item."""
    for place in _find_key({"tools": call.body.get("tools")}, "prompt_cache_breakpoint"):
        yield {"place": place}
    key = "messages" if call.endpoint == CHAT else "input"
    for at, item in enumerate(dicts(call.body.get(key))):
        if item.get("role") == "assistant" or "prompt_cache_breakpoint" in item:
            yield from ({"place": f"{key}[{at}]{place}"} for place in _find_key(item, "prompt_cache_breakpoint", "."))


def _invalid_cache_option(call: EmulatedCall) -> Violations:
    options = call.body.get("prompt_cache_options") or {}
    allowed = {"mode": ("implicit", "explicit"), "ttl": ("30m",) if call.endpoint == CHAT else ("30m", "12h")}
    for key, values in allowed.items():
        if options.get(key) is not None and options[key] not in values:
            yield {"key": key, "value": options[key], "values": " and ".join(f"'{value}'" for value in values)}


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"openai.{name}", OPENAI, check, message, source, **more)


CACHING: tuple[Rule, ...] = (
    _rule(
        "cache_control",
        _cache_control,
        "Unknown parameter: '{place}'.",
        "reports",
        code="unknown_parameter",
        param="{place}",
    ),
    _rule(
        "breakpoints unsupported",
        _breakpoints_unsupported,
        "Unsupported parameter: '{place}' is not supported with this model.",
        "prompt caching guide",
        code="unsupported_parameter",
        param="{place}",
    ),
    _rule(
        "breakpoint not allowed",
        _breakpoint_not_allowed,
        "Unknown parameter: '{place}'.",
        "prompt caching guide",
        code="unknown_parameter",
        param="{place}",
    ),
    _rule(
        "breakpoint mode",
        _invalid_breakpoint,
        "Invalid value for '{place}': the supported value is 'explicit'.",
        "SDK types",
        code="invalid_value",
        param="{place}",
    ),
    _rule(
        "retention unsupported",
        _retention_unsupported,
        "Unsupported parameter: 'prompt_cache_retention' is not supported on this model.",
        "openai/codex#39442",
        code="unsupported_parameter",
        param="prompt_cache_retention",
    ),
    _rule(
        "cache options",
        _invalid_cache_option,
        "Invalid value: '{value}'. Supported values are: {values}.",
        "SDK types",
        code="invalid_value",
        param="prompt_cache_options.{key}",
    ),
)
