"""Reasoning on OpenAI, decided once for both wires: which effort is sent, and whether sampling parameters may be.

Three parameters ask for an effort: `reasoning`, `reasoning_effort`, and Anthropic's `thinking` where it is off.
Sources: OpenAI's reasoning guide; the levels in `data/models.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.request import Adjustment, JsonObject, Params, Profile, Request, ToolSpec
from langchain_unified.wires._wire import ParamWriter, RequestedEffort, requested_effort

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""From least to most."""


@dataclass(frozen=True, slots=True)
class EffortDecision:
    """The effort that is sent, `None` for the model's default; by parameter, what could not be sent and why."""

    level: str | None
    notes: Mapping[str, str] = field(default_factory=dict)


def decide_effort(request: Request) -> EffortDecision:
    """The effort of a call: `reasoning` before `reasoning_effort` before `thinking`, as a level that the model has."""
    return effort_of(request.model, request.profile, request.params, searches=any(map(_is_web_search, request.tools)))


def _is_web_search(tool: ToolSpec) -> bool:
    return tool.kind == "native" and str(tool.definition.get("type")).startswith("web_search")


def effort_of(model: str, profile: Profile, params: Params, *, searches: bool = False) -> EffortDecision:
    """The same for a call that is not put together yet. `searches`: it has OpenAI's web search."""
    asked = requested_effort(params)
    thinking = params.get("thinking")
    if profile.reasoning is False:
        return _no_effort(model, asked, thinking)
    notes: dict[str, str] = {}
    level = asked.effort
    if level is not None and profile.reasoning and level not in EFFORTS:
        known = ", ".join(profile.effort_levels or EFFORTS)
        notes[asked.key] = f"{model} takes the efforts {known}: {level!r} was not sent. extra_body would send it."
        level = None
    if level is not None:
        level = available_effort(level, profile.effort_levels)
        if level != asked.effort:
            notes[asked.key] = f"{model} has no effort {asked.effort!r}: {level!r} was sent."
    if level == "minimal" and searches:
        level = "low"
        notes[asked.key] = "OpenAI's web search needs more than the effort 'minimal': 'low' was sent."
    if asked.overruled:
        notes["reasoning_effort"] = asked.overruled
    if thinking is not None and (why := _thinking_note(thinking, level, model, profile)):
        notes["thinking"] = why
    if level is None and _is_off(thinking) and "none" in profile.effort_levels:
        level = "none"
    return EffortDecision(level, notes)


def _no_effort(model: str, asked: RequestedEffort, thinking: JsonObject | None) -> EffortDecision:
    """The decision for a model that does not reason: it refuses every effort, `none` too."""
    notes = {}
    if asked.effort not in (None, "none"):
        notes[asked.key] = f"{model} does not reason: the effort {asked.effort!r} was not sent."
    if thinking is not None and not _is_off(thinking):
        notes["thinking"] = f"{model} does not reason: `thinking` was not sent."
    return EffortDecision(None, notes)


def available_effort(effort: str, levels: tuple[str, ...]) -> str:
    """The level itself where the model has it, else the next one up, else the highest. No levels: none are known."""
    if not levels or effort in levels or effort not in EFFORTS:
        return effort
    known = [level for level in EFFORTS if level in levels]
    above = [level for level in known if EFFORTS.index(level) > EFFORTS.index(effort)]
    return above[0] if above else known[-1] if known else effort


def _is_off(thinking: JsonObject | None) -> bool:
    return (thinking or {}).get("type") == "disabled"


def _thinking_note(thinking: JsonObject, level: str | None, model: str, profile: Profile) -> str | None:
    """What Anthropic's `thinking` asks for and this call does not do; `level` is the effort of the other parameters."""
    kind = thinking.get("type")
    if kind not in ("enabled", "adaptive", "disabled"):
        return f"OpenAI has no thinking of the type {kind!r}. Use reasoning_effort."
    if level is not None and _is_off(thinking) != (level == "none"):
        return f"The reasoning effort {level!r} was sent, which was given as well."
    if _is_off(thinking):
        can = level == "none" or "none" in profile.effort_levels
        return None if can else f"{model} has no reasoning effort 'none'. Use reasoning_effort."
    if "budget_tokens" in thinking:
        return "OpenAI has no thinking budget. Use reasoning_effort."
    if level is None and not profile.reasoning:
        return f"{model} is not known to reason. Use reasoning_effort."
    return None


# --- sampling ---------------------------------------------------------------------------------------------------------


def reasons(request: Request) -> bool:
    """Whether the model reasons in this call, as far as its profile tells."""
    return reasons_at(decide_effort(request).level, request.profile)


def reasons_at(level: str | None, profile: Profile) -> bool:
    """Whether a model reasons at an effort, `None`: at its default, as far as its profile tells."""
    return (level or profile.effort_default) not in (None, "none")


def sampling_refusal(request: Request) -> str | None:
    """Why the model takes no sampling parameters in this call; `None` where it does."""
    if request.profile.sampling == "never":
        return f"{request.model} takes no sampling parameters: it was not sent."
    if request.profile.sampling == "without_reasoning" and reasons(request):
        levels = request.profile.effort_levels
        if levels and "none" not in levels:
            return f"{request.model} always reasons, and takes no sampling parameters then: it was not sent."
        return f"{request.model} takes it only with reasoning_effort='none': it was not sent."
    return None


def sampled(key: str) -> ParamWriter:
    """A row for a parameter that models refuse while they reason, or always."""

    def write(body: JsonObject, value: Any, request: Request) -> Adjustment | None:
        if why := sampling_refusal(request):
            adjustment = Adjustment(what=key, why=why)
            return {**adjustment, "lossless": True} if value == DEFAULTS.get(key) else adjustment
        body[key] = value
        return None

    return write


DEFAULTS: Mapping[str, float] = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""What the API does without the parameter: nothing is lost where it is not sent."""
