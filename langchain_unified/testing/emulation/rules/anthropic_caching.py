"""What the Anthropic Messages API refuses in cache breakpoints."""

from __future__ import annotations

import itertools
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import ANTHROPIC
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts
from langchain_unified.wires.anthropic_messages.caching import NO_MARK


def _breakpoints(call: EmulatedCall) -> list[JsonObject]:
    """The values of `cache_control` in the order of the prompt, without the automatic one at the top level."""
    return [segment.mark for segment in call.segments if segment.mark is not None]


def _too_many_breakpoints(call: EmulatedCall) -> Violations:
    found = len(_breakpoints(call)) + bool(call.body.get("cache_control"))
    if found > 4:
        yield {"found": found}


def _ttl_out_of_order(call: EmulatedCall) -> Violations:
    ttls = [mark.get("ttl") or "5m" for mark in _breakpoints(call)]
    top = call.body.get("cache_control")
    ttls += [top.get("ttl") or "5m"] if top else []
    if any(earlier == "5m" and later == "1h" for earlier, later in itertools.pairwise(ttls)):
        yield {}


def _automatic_ttl_conflict(call: EmulatedCall) -> Violations:
    top, segments = call.body.get("cache_control"), call.segments
    last = segments[-1].mark if segments else None
    if top and last is not None and (last.get("ttl") or "5m") != (top.get("ttl") or "5m"):
        yield {}


def _invalid_breakpoint(call: EmulatedCall) -> Violations:
    top = call.body.get("cache_control")
    for mark in [*_breakpoints(call), *([top] if top else [])]:
        if mark.get("type") != "ephemeral" or mark.get("ttl", "5m") not in ("5m", "1h", None):
            yield {}


def _breakpoint_on_deferred_tool(call: EmulatedCall) -> Violations:
    for tool in dicts(call.body.get("tools")):
        if tool.get("defer_loading") is True and tool.get("cache_control"):
            yield {"name": tool.get("name")}


def _breakpoint_not_allowed(call: EmulatedCall) -> Violations:
    places = [call.body.get("system"), *(message.get("content") for message in dicts(call.body.get("messages")))]
    for block in itertools.chain.from_iterable(map(dicts, places)):
        if block.get("cache_control") and (block.get("type") in NO_MARK or block.get("text") == ""):
            yield {}


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"anthropic.{name}", ANTHROPIC, check, message, source, **more)


CACHING: tuple[Rule, ...] = (
    _rule(
        "breakpoints",
        _too_many_breakpoints,
        "A maximum of 4 blocks with cache_control may be provided. Found {found}.",
        "prompt caching guide; reports",
    ),
    _rule("breakpoint value", _invalid_breakpoint, "cache_control.ttl: Input should be '5m' or '1h'", "SDK types"),
    _rule(
        "ttl order",
        _ttl_out_of_order,
        "cache_control: a block with ttl='1h' must not come after a block with ttl='5m'. "
        "Blocks are processed in the order tools, system, messages.",
        "prompt caching guide; reports",
    ),
    _rule(
        "automatic breakpoint",
        _automatic_ttl_conflict,
        "cache_control: the last block has a cache_control with a different ttl.",
        "prompt caching guide",
    ),
    _rule(
        "breakpoint on deferred tool",
        _breakpoint_on_deferred_tool,
        "Tool '{name}' cannot have both defer_loading=true and cache_control set.",
        "CLIProxyAPI#4561",
    ),
    _rule(
        "breakpoint not allowed",
        _breakpoint_not_allowed,
        "cache_control cannot be set for thinking blocks or empty text blocks",
        "prompt caching guide",
    ),
)
