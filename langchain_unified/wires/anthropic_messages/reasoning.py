"""How much Claude thinks: three neutral parameters (`thinking`, `reasoning_effort`, `reasoning`) settled into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import JsonObject, Request
from langchain_unified.wires._wire import requested_effort

DEFAULT_MAX_TOKENS = 4096
"""`max_tokens` where neither the caller nor the profile says it."""

SUMMARIZED: JsonObject = {"type": "adaptive", "display": "summarized"}

LEVELS = ("minimal", "low", "medium", "high", "xhigh", "max")

BUDGETS: Mapping[str, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 24576,
    "max": 32768,
}
"""Tokens of thinking that an effort stands for on models that think within a budget; at most half of `max_tokens`."""

SMALLEST_BUDGET = 1024


@dataclass(slots=True)
class Reasoning:
    """What goes out: `thinking`, `output_config.effort`; and by parameter, what could not be said and why."""

    thinking: JsonObject | None = None
    effort: str | None = None
    notes: dict[str, str] = field(default_factory=dict)


def max_tokens(request: Request) -> int:
    """The caller's, else the most that the model may write, else 4096."""
    given = request.params.get("max_tokens")
    return given if given is not None else request.profile.max_output_tokens or DEFAULT_MAX_TOKENS


def thinks(request: Request) -> bool:
    """Whether the call asks for thinking."""
    return (reasoning(request).thinking or {}).get("type") in ("enabled", "adaptive")


def reasoning(request: Request) -> Reasoning:
    """`thinking` decides how Claude thinks, the effort how much; `requested_effort` tells which effort counts."""
    result = Reasoning()
    given = request.params.get("thinking")
    asked = requested_effort(request.params)
    if asked.effort:
        _EFFORTS[_way(asked.effort, request)](result, asked.key, str(asked.effort), request)
    if asked.overruled:
        result.notes["reasoning_effort"] = asked.overruled
    if given is not None:
        if asked.effort and result.effort is None and not _both_off(asked.effort, given):
            result.notes.setdefault(asked.key, "`thinking` is given as well, and decides.")
        _given(result, given, request)
    _asked(result, request.params.get("reasoning") or {}, request)
    return result


def _both_off(effort: str, thinking: JsonObject) -> bool:
    return effort == "none" and thinking.get("type") in ("disabled", "between_tools")


def _way(effort: str, request: Request) -> str:
    if effort == "none":
        return "off"
    return "levels" if request.profile.effort_levels else request.profile.thinking


# --- effort -----------------------------------------------------------------------------------------------------------


def _off(result: Reasoning, key: str, effort: str, request: Request) -> None:
    if request.profile.thinking != "adaptive":
        return  # Such models think only when told to.
    off = request.profile.thinking_off
    if off == "never":
        levels = request.profile.effort_levels
        result.effort = levels[0] if levels else None
        result.notes[key] = f"{request.model} always thinks; the lowest effort was asked for."
    elif off != "omitted":
        result.thinking = {"type": off}


def _levels(result: Reasoning, key: str, effort: str, request: Request) -> None:
    levels = request.profile.effort_levels
    if effort not in LEVELS and effort not in levels:
        result.notes[key] = f"{effort!r} is none of {', '.join(levels)}; the model's default holds."
        return
    result.effort = effort if effort in levels else _nearest(effort, levels)
    if request.profile.thinking == "adaptive":
        result.thinking = SUMMARIZED
    if effort not in levels and effort != "minimal":
        result.notes[key] = f"{request.model} takes {', '.join(levels)}; {result.effort!r} was sent for {effort!r}."


def _nearest(effort: str, levels: tuple[str, ...]) -> str:
    """The highest level below, else the lowest."""
    below = [level for level in LEVELS[: LEVELS.index(effort)] if level in levels]
    return below[-1] if below else levels[0]


def _budget(result: Reasoning, key: str, effort: str, request: Request) -> None:
    room = max_tokens(request)
    if effort not in BUDGETS:
        result.notes[key] = f"{effort!r} is none of {', '.join(BUDGETS)}."
    elif room <= SMALLEST_BUDGET:
        result.notes[key] = f"max_tokens={room} leaves no room to think: it must be over {SMALLEST_BUDGET}."
    else:
        budget = max(SMALLEST_BUDGET, min(BUDGETS[effort], room // 2))
        result.thinking = {"type": "enabled", "budget_tokens": budget}


def _adaptive(result: Reasoning, key: str, effort: str, request: Request) -> None:
    result.thinking = SUMMARIZED
    result.notes[key] = f"{request.model} decides itself how much to think; it was asked to think."


def _never(result: Reasoning, key: str, effort: str, request: Request) -> None:
    result.notes[key] = f"{request.model} is not known to take an effort. Give `output_config` or a profile to say so."


_EFFORTS = {"off": _off, "levels": _levels, "budget": _budget, "adaptive": _adaptive, "none": _never}


# --- thinking, reasoning ----------------------------------------------------------------------------------------------


def _given(result: Reasoning, given: JsonObject, request: Request) -> None:
    if given.get("type") == "enabled" and request.profile.thinking == "adaptive":
        kept = {key: value for key, value in given.items() if key != "budget_tokens"}
        result.thinking = {**kept, "type": "adaptive"}
        result.notes["thinking"] = f"{request.model} takes no budget: adaptive thinking was asked for."
        return
    budget = given.get("budget_tokens")
    limit = max_tokens(request)
    if budget is not None and budget >= limit and not _interleaved(request):
        raise UnsupportedParameterError(
            f"thinking.budget_tokens ({budget}) must be below max_tokens ({limit}): raise the one or lower the other."
        )
    result.thinking = dict(given)


def _interleaved(request: Request) -> bool:
    """Thinking between tool calls may spend more than one answer's tokens."""
    return any(beta.startswith("interleaved-thinking") for beta in request.betas)


def _asked(result: Reasoning, asked: JsonObject, request: Request) -> None:
    """`reasoning.summary` says whether the thinking is shown."""
    if asked.get("summary"):
        if result.thinking is None and request.profile.thinking == "adaptive":
            result.thinking = SUMMARIZED
        if (result.thinking or {}).get("type") in ("enabled", "adaptive"):
            result.thinking = {"display": "summarized", **(result.thinking or {})}
        else:
            _add(result, "`summary`: there is no thinking to show")
    foreign = [f"`{key}`" for key in asked if key not in ("effort", "summary")]
    if foreign:
        _add(result, f"{', '.join(foreign)}: Anthropic has no such setting")


def _add(result: Reasoning, why: str) -> None:
    before = result.notes.get("reasoning")
    result.notes["reasoning"] = f"{before} {why}." if before else f"{why}."
