"""A request as a wire takes it: what every call needs before it is encoded, whoever made the request.

Chat models make a request of messages, fields and keywords, the gateway of a client's body. From there on both go
through the same steps: names of tools, the history's repair, the server's limits, cache marks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from langchain_unified.caching.pauses import NO_PAUSES, PauseLog
from langchain_unified.caching.placement import NO_MARKS, PlacedMarks, place_breakpoints
from langchain_unified.caching.policy import policy_of
from langchain_unified.caching.rules import MarkRules
from langchain_unified.errors import UnsupportedParameterError
from langchain_unified.history.repair import repair
from langchain_unified.history.servers import completed_calls
from langchain_unified.history.state import Policy
from langchain_unified.request import Adjustment, Encoded, Request, ToolSpec
from langchain_unified.servers.fit import fit
from langchain_unified.tools.names import choice_of_sent_names, names_adjustment, with_sent_names
from langchain_unified.transport._json import valid_text, written
from langchain_unified.wires import Wire

SERVER_STATE = ("previous_response_id", "conversation", "thread")
"""Keys with which the server holds earlier turns: a result may answer a call that is not in the messages."""


def as_taken(
    request: Request, wire: Wire, adjustments: list[Adjustment], *, policy: Policy = "fix"
) -> tuple[Request, tuple[Adjustment, ...]]:
    """The request with names, a history and options that its server takes, and the repairs of the history.

    What else changes goes into `adjustments`. Raises `InvalidHistoryError` where `policy` is "raise" and a repair would
    change the meaning.
    """
    choice = request.tool_choice
    if request.tools and (sent := with_sent_names(request.tools, wire.call_ids)) is not request.tools:
        choice = choice_of_sent_names(choice, sent)
        request = replace(request, tools=sent, tool_choice=choice)
        adjustments.append(names_adjustment(sent, wire.call_ids))
    turns, repairs = repair(
        request.turns,
        wire=wire.name,
        ids=wire.ids_for(request.dialect),
        profile=request.profile,
        model=request.model,
        policy=policy,
        server_state=any(request.native.get(key) for key in SERVER_STATE),
        has_answer_form=request.output is not None or (choice is not None and choice.mode in ("any", "tool")),
        tools=request.tools,
        own_limits=request.dialect.own_limits,
    )
    if turns is not request.turns:
        request = replace(request, turns=turns)
    if request.dialect.name == wire.provider:
        return request, repairs
    request, left_out = fit(request)
    adjustments.extend(left_out)
    return request, (*repairs, *completed_calls(request))


def with_cache_marks(
    request: Request,
    wire: Wire,
    adjustments: list[Adjustment],
    prompt_cache: Any,
    *,
    unless_marked: bool = False,
    pauses: PauseLog | None = None,
    dry: bool = False,
) -> tuple[Request, PlacedMarks]:
    """The request with its prompt-cache marks where the API takes them. What changes goes into `adjustments`.

    `prompt_cache` is the policy of the call in any form, `None`: there is none. `unless_marked`: the policy is for
    requests without marks of their own, unless it switches caching off. `pauses`: when conversations were continued,
    for the policy's rule of that name; a `dry` call is not written into it.
    """
    policy = None if prompt_cache is None else policy_of(prompt_cache)
    marked = has_marks(request)
    if policy is None and not marked:
        return request, NO_MARKS
    if policy is not None and policy.enabled and marked and unless_marked:
        policy = None
    rules = wire.marks_for(request.dialect)
    log = pauses if policy is not None and policy.remembers and rules.refusal(request) is None else None
    placed, marks, found = place_breakpoints(request, rules, policy, NO_PAUSES if log is None else log.pauses(request))
    if log is not None and not dry:
        log.called(request, long=_keeps_long(rules, marks), marked=bool(marks.sent))
    adjustments.extend(found)
    return placed, marks


def has_marks(request: Request) -> bool:
    """Whether the caller asks for prompt caching in the request itself."""
    return (
        "cache_control" in request.native
        or "prompt_cache_options" in request.params
        or any("mark" in block for turn in request.turns for block in turn.blocks)
        or any(tool.mark is not None for tool in request.tools)
    )


def _keeps_long(rules: MarkRules, marks: PlacedMarks) -> bool:
    """Whether a mark of a call asks for the long TTL."""
    return rules.long_ttl is not None and any(mark.ttl == rules.long_ttl for mark in marks.sent)


def with_valid_text(encoded: Encoded) -> Encoded:
    """The body in texts that JSON can hold, and as JSON."""
    content = written(encoded.body)
    if content is not None:
        return replace(encoded, content=content)
    body = valid_text(encoded.body)
    if body is encoded.body:
        return encoded
    why = "The text has half of a surrogate pair, which no JSON can hold: U+FFFD was sent in its place."
    return replace(
        encoded, body=body, adjustments=(*encoded.adjustments, Adjustment(what="text", why=why, lossless=True))
    )


def caller_names_of(tools: tuple[ToolSpec, ...]) -> dict[str, str]:
    """Names of tools as they are sent -> the caller's names, where these differ."""
    return {tool.name: tool.caller_name for tool in tools if tool.caller_name is not None}


def losses_of(adjustments: Iterable[Adjustment], policy: str) -> list[str]:
    """What was not sent as it was written, in words. Under "ignore" none, under "raise" an error."""
    losses = [f"{item['what']}: {item['why']}" for item in adjustments if not item.get("lossless")]
    if losses and policy == "raise":
        raise UnsupportedParameterError("; ".join(losses))
    return [] if policy == "ignore" else losses
