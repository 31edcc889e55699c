"""How much Claude thinks. Three neutral parameters (`thinking`, `reasoning_effort`, `reasoning`) make one decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.request import Adjustment, JsonObject, Request
from langchain_unified.wires._wire import requested_effort

DEFAULT_MAX_TOKENS = 4096
"""`max_tokens` where neither the caller nor the profile has a value."""

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
"""The thinking budget, in tokens, for an effort on models that think within a budget; at most half of `max_tokens`."""

SMALLEST_BUDGET = 1024


@dataclass(slots=True)
class ReasoningDecision:
    """What is sent as `thinking` and as `output_config.effort`; `None`: the key is not sent.

    `notes`: parameter -> why it could not be sent as written.
    """

    thinking: JsonObject | None = None
    effort: str | None = None
    notes: dict[str, str] = field(default_factory=dict)


def max_tokens(request: Request) -> int:
    """The caller's value, else the model's limit, else 4096."""
    given = request.params.get("max_tokens")
    return given if given is not None else request.profile.max_output_tokens or DEFAULT_MAX_TOKENS


def thinks(request: Request) -> bool:
    """Whether the call asks for thinking."""
    return (decide_reasoning(request).thinking or {}).get("type") in ("enabled", "adaptive")


def decide_reasoning(request: Request) -> ReasoningDecision:
    """`thinking` decides whether and how Claude thinks, the effort decides how much."""
    decision = ReasoningDecision()
    thinking = request.params.get("thinking")
    requested = requested_effort(request.params)
    if requested.effort:
        EFFORT_FORMS[_effort_form(requested.effort, request)](decision, requested.key, str(requested.effort), request)
    if requested.overruled:
        decision.notes["reasoning_effort"] = requested.overruled
    if thinking is not None:
        if requested.effort and decision.effort is None and not _both_off(requested.effort, thinking):
            decision.notes.setdefault(requested.key, "`thinking` is given as well, and decides.")
        _apply_thinking(decision, thinking, request)
    _apply_reasoning_object(decision, request.params.get("reasoning") or {}, request)
    return decision


def _both_off(effort: str, thinking: JsonObject) -> bool:
    return effort == "none" and thinking.get("type") in ("disabled", "between_tools")


# --- effort -----------------------------------------------------------------------------------------------------------


def _effort_form(effort: str, request: Request) -> str:
    if effort == "none":
        return "off"
    return "levels" if request.profile.effort_levels else request.profile.thinking


def _off(decision: ReasoningDecision, key: str, effort: str, request: Request) -> None:
    if request.profile.thinking != "adaptive":
        return  # such models think only on request
    off = request.profile.thinking_off
    if off == "never":
        levels = request.profile.effort_levels
        decision.effort = levels[0] if levels else None
        decision.notes[key] = f"{request.model} always thinks: the lowest effort was sent."
    elif _works_too_hard(decision, request):
        highest = request.profile.thinking_off_max_effort
        decision.notes[key] = f"{request.model} can be kept from thinking up to the effort {highest!r}: it was not."
    elif off != "omitted":
        decision.thinking = {"type": off}


def _level(decision: ReasoningDecision, key: str, effort: str, request: Request) -> None:
    levels = request.profile.effort_levels
    if effort not in LEVELS and effort not in levels:
        decision.notes[key] = f"{effort!r} is none of {', '.join(levels)}: no effort was sent."
        return
    decision.effort = effort if effort in levels else _nearest(effort, levels)
    if request.profile.thinking == "adaptive":
        decision.thinking = SUMMARIZED
    if effort not in levels and effort != "minimal":
        sent = decision.effort
        decision.notes[key] = f"{request.model} takes {', '.join(levels)}; {sent!r} was sent for {effort!r}."


def _nearest(effort: str, levels: tuple[str, ...]) -> str:
    """The highest level below `effort`, else the lowest level."""
    below = [level for level in LEVELS[: LEVELS.index(effort)] if level in levels]
    return below[-1] if below else levels[0]


def _budget(decision: ReasoningDecision, key: str, effort: str, request: Request) -> None:
    limit = max_tokens(request)
    if effort not in BUDGETS:
        decision.notes[key] = f"{effort!r} is none of {', '.join(BUDGETS)}: no effort was sent."
    elif limit <= SMALLEST_BUDGET:
        decision.notes[key] = f"max_tokens={limit} leaves no room to think: it must be over {SMALLEST_BUDGET}."
    else:
        decision.thinking = {"type": "enabled", "budget_tokens": _budget_within(limit, BUDGETS[effort])}


def _adaptive(decision: ReasoningDecision, key: str, effort: str, request: Request) -> None:
    decision.thinking = SUMMARIZED
    decision.notes[key] = f"{request.model} decides itself how much to think: thinking was switched on."


def _unknown(decision: ReasoningDecision, key: str, effort: str, request: Request) -> None:
    if request.profile.reasoning is False:
        decision.notes[key] = f"{request.model} does not reason: the effort {effort!r} was not sent."
        return
    why = f"{request.model} is not known to take an effort: none was sent. `output_config` sends one, or add a profile."
    decision.notes[key] = why


EffortWriter: TypeAlias = Callable[[ReasoningDecision, str, str, Request], None]

EFFORT_FORMS: Mapping[str, EffortWriter] = {
    "off": _off,
    "levels": _level,
    "budget": _budget,
    "adaptive": _adaptive,
    "none": _unknown,
}
"""The form in which a model takes an effort: "off" for the effort "none", "levels", else `Profile.thinking`."""


# --- the providers' own objects ---------------------------------------------------------------------------------------


def _apply_thinking(decision: ReasoningDecision, thinking: JsonObject, request: Request) -> None:
    kind, profile = thinking.get("type"), request.profile
    if kind == "between_tools" and profile.reasoning is not None and profile.thinking_off != kind:
        decision.notes["thinking"] = f"{request.model} has no thinking {kind!r}: 'disabled' was meant."
        thinking, kind = {"type": "disabled"}, "disabled"
    if kind == "disabled" and profile.thinking == "adaptive":
        _apply_disabled(decision, thinking, request)
    elif kind in ("enabled", "adaptive") and profile.reasoning is False:
        decision.notes["thinking"] = f"{request.model} does not think: it was not sent."
    elif kind == "enabled" and profile.thinking == "adaptive":
        rest = {key: value for key, value in thinking.items() if key != "budget_tokens"}
        decision.thinking = {**rest, "type": "adaptive"}
        decision.notes["thinking"] = f"{request.model} takes no budget: adaptive thinking was sent."
    elif kind == "enabled" or (kind == "adaptive" and profile.thinking == "budget"):
        _apply_budget(decision, thinking, request)
    else:
        decision.thinking = dict(thinking)


def _apply_budget(decision: ReasoningDecision, thinking: JsonObject, request: Request) -> None:
    """Thinking within a budget, which has a smallest size and lies below `max_tokens`."""
    given, limit = thinking.get("budget_tokens"), max_tokens(request)
    if isinstance(given, int) and given >= limit and not _interleaved(request):
        raise UnsupportedParameterError(
            f"thinking.budget_tokens ({given}) must be below max_tokens ({limit}): raise the one or lower the other."
        )
    if limit <= SMALLEST_BUDGET and not _interleaved(request):
        decision.notes["thinking"] = f"max_tokens={limit} leaves no room to think: it must be over {SMALLEST_BUDGET}."
        return
    budget = given
    if given is None:
        budget = _budget_within(limit, BUDGETS["medium"])
        decision.notes["thinking"] = f"{request.model} thinks within a budget: {budget} tokens were sent."
    elif isinstance(given, int) and given < SMALLEST_BUDGET:
        budget = SMALLEST_BUDGET
        decision.notes["thinking"] = f"The smallest budget is {SMALLEST_BUDGET}: it was sent."
    decision.thinking = {**thinking, "type": "enabled", "budget_tokens": budget}


def _budget_within(limit: int, wanted: int) -> int:
    """A budget of at most half of `max_tokens`."""
    return max(SMALLEST_BUDGET, min(wanted, limit // 2))


def _apply_disabled(decision: ReasoningDecision, thinking: JsonObject, request: Request) -> None:
    """`{"type": "disabled"}`, or what comes nearest for a model or an effort that does not take it."""
    off, highest = request.profile.thinking_off, request.profile.thinking_off_max_effort
    if off == "between_tools":
        decision.thinking = {"type": off}
        decision.notes["thinking"] = f"{request.model} cannot be kept from thinking: 'between_tools' was sent."
    elif off == "never":
        decision.thinking = None
        decision.notes["thinking"] = f"{request.model} always thinks: 'disabled' was not sent."
    elif _works_too_hard(decision, request):
        decision.thinking = None
        decision.notes["thinking"] = f"{request.model} takes 'disabled' up to the effort {highest!r}: it was not sent."
    else:
        decision.thinking = dict(thinking)


def _works_too_hard(decision: ReasoningDecision, request: Request) -> bool:
    """Whether the effort of the call is above that with which the model's thinking can be off."""
    highest = request.profile.thinking_off_max_effort
    effort = decision.effort or (request.native.get("output_config") or {}).get("effort")
    return highest in LEVELS and effort in LEVELS and LEVELS.index(effort) > LEVELS.index(highest)


def _interleaved(request: Request) -> bool:
    """Whether Claude may think between tool calls, where the budget may exceed `max_tokens`."""
    return any(beta.startswith("interleaved-thinking") for beta in request.betas)


def _apply_reasoning_object(decision: ReasoningDecision, reasoning: JsonObject, request: Request) -> None:
    """OpenAI's `reasoning`: its `summary` shows the thinking; `requested_effort` has read its `effort`."""
    if reasoning.get("summary"):
        if decision.thinking is None and request.profile.thinking == "adaptive":
            decision.thinking = SUMMARIZED
        if (decision.thinking or {}).get("type") in ("enabled", "adaptive"):
            decision.thinking = {"display": "summarized", **(decision.thinking or {})}
        else:
            _add(decision, "`summary`: there is no thinking to show")
    others = [f"`{key}`" for key in reasoning if key not in ("effort", "summary")]
    if others:
        _add(decision, f"{', '.join(others)}: Anthropic has no such setting")


def _add(decision: ReasoningDecision, why: str) -> None:
    before = decision.notes.get("reasoning")
    decision.notes["reasoning"] = f"{before} {why}." if before else f"{why}."


def fit_effort(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    """Bring the effort that `output_config` asks for to what a known model takes."""
    given, levels = body["output_config"].get("effort"), request.profile.effort_levels
    if given is None or given in levels or request.profile.reasoning is None or not request.dialect.own_limits:
        return
    rest = {key: value for key, value in body["output_config"].items() if key != "effort"}
    sent = _nearest(given, levels) if levels and given in LEVELS else None
    body["output_config"] = {**rest, **({"effort": sent} if sent else {})}
    if not body["output_config"]:
        del body["output_config"]
    takes = f"takes the efforts {', '.join(levels)}" if levels else "takes no effort"
    why = f"{request.model} {takes}: {repr(sent) if sent else 'none'} was sent for {given!r}."
    adjustments.append(Adjustment(what="output_config.effort", why=why))


# --- a budget in an open tool loop ------------------------------------------------------------------------------------


def fit_thinking(body: JsonObject, request: Request, adjustments: list[Adjustment]) -> None:
    """Leave thinking out where a model that thinks within a budget goes on with a tool loop that began without it.

    The API says: "Expected `thinking` or `redacted_thinking`, but found `tool_use`". (claude-code#20705; newer models
    go on without thinking by themselves.)
    """
    budget = request.profile.thinking == "budget" and (body.get("thinking") or {}).get("type") == "enabled"
    if not budget or not _goes_on_without_thinking(body["messages"]):
        return
    del body["thinking"]
    why = "The open tool loop began without thinking, and Claude cannot begin to think in it: it was not sent."
    adjustments.append(Adjustment(what="thinking", why=why, lossless=True))


def _goes_on_without_thinking(messages: list[JsonObject]) -> bool:
    """Whether the messages end with results, and the assistant message that began the loop does not begin to think."""
    first: JsonObject | None = None
    for at in reversed(range(len(messages))):
        kinds = [block.get("type") for block in messages[at]["content"]]
        if messages[at]["role"] == "assistant":
            first = messages[at]
        elif "tool_result" not in kinds:
            break
    is_open = messages[-1]["role"] == "user" and first is not None
    return is_open and first is not None and first["content"][0].get("type") not in THOUGHTS


THOUGHTS = ("thinking", "redacted_thinking")


# --- thinking that is bound to its conversation -----------------------------------------------------------------------


def tolerate_changed_prefix(body: JsonObject) -> None:
    """Let the API drop thinking whose conversation has changed before it, where it would refuse the call.

    A system prompt or a list of tools that differs from turn to turn is such a change. (SDK:
    `thinking.block_binding.prefix_mismatch_behavior`; the reply's `input_transformations` lists what was dropped.)
    """
    thinking = body.get("thinking") or {"type": "adaptive"}  # these models think without being asked
    if thinking.get("type") in ("enabled", "adaptive") and "block_binding" not in thinking and _replays_thinking(body):
        body["thinking"] = {**thinking, "block_binding": {"prefix_mismatch_behavior": "drop_block"}}


def _replays_thinking(body: JsonObject) -> bool:
    return any(
        block.get("type") in THOUGHTS
        for message in body["messages"]
        if message["role"] == "assistant"
        for block in message["content"]
    )
