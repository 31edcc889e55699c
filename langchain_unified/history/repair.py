"""Repairs a history before it is encoded, where no provider would take it as it is.

Repairs are pure and deterministic, and a history that needs none comes back as the same object. A repair that changes
the meaning (calls without results, results without calls or in the wrong place) raises under `policy="raise"`;
formalities (ids, empty texts, names) are always repaired. Every repair is listed as an adjustment. Turns of one role in
a row and system messages in the middle are left to the encoders.

A longer conversation keeps the repaired turns of the shorter one, with two exceptions at the end of the shorter one:
the error result of a call that gets its result later, and the user turn that asks a model to continue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.history.foreign import is_foreign, is_reasoning, translated
from langchain_unified.history.media import has_media, with_correct_media
from langchain_unified.history.moved_marks import is_blank, move_marks
from langchain_unified.history.pairing import (
    IdRules,
    SentNames,
    called_name,
    is_provider_defined,
    with_valid_ids,
    with_valid_names,
)
from langchain_unified.history.results import with_paired_results
from langchain_unified.history.state import Policy, RepairState, Turns
from langchain_unified.messages.json_text import json_object
from langchain_unified.messages.tool_calls import call_id_of, makes_call
from langchain_unified.request import Adjustment, Profile, ToolSpec, Turn, WireName
from langchain_unified.request.blocks import Block

SYSTEM_ROLES = ("system", "developer")


def repair(
    turns: Turns,
    *,
    wire: WireName,
    ids: IdRules,
    profile: Profile,
    model: str = "",
    policy: Policy = "fix",
    server_state: bool = False,
    has_answer_form: bool = False,
    tools: tuple[ToolSpec, ...] = (),
    own_limits: bool = True,
) -> tuple[Turns, tuple[Adjustment, ...]]:
    """The turns as `wire` takes them, and the adjustments. The same object comes back where nothing changes.

    `ids` are the call ids that the wire takes. `model` is the target model: reasoning of another one is left out. With
    `server_state` the server holds earlier turns, and a result may answer a call that is not here.
    `has_answer_form`: the call asks for an output format or a tool call, not for a text that could be continued. Calls
    of the `tools` get the names under which these are sent. `own_limits`: as in a `Dialect`. Raises
    `InvalidHistoryError`, and `UnsupportedContentError` for media in a user's message that the API refuses.
    """
    if not turns and not server_state:
        raise InvalidHistoryError("There are no messages to send. Give at least one.")
    is_renamed = bool(tools) and any(tool.caller_name is not None for tool in tools)
    if not is_renamed and _needs_no_repair(turns, wire, ids, model):
        return turns, ()
    state = RepairState(wire, ids, profile, model, policy, server_state, has_answer_form, tools, own_limits)
    repaired = turns
    for step in STEPS:
        repaired = step(repaired, state)
    unchanged = len(repaired) == len(turns) and all(one is other for one, other in zip(repaired, turns, strict=True))
    return turns if unchanged else repaired, tuple(state.adjustments)


# --- fast path --------------------------------------------------------------------------------------------------------


def _needs_no_repair(turns: Turns, wire: WireName, ids: IdRules, model: str) -> bool:
    """Fast path: true if no repair would change anything."""
    used: set[str] = set()
    waiting: set[str] = set()
    for turn in turns:
        if _is_plain_text(turn):
            if waiting:
                return False
            continue
        if is_foreign(turn, wire, model) or has_media(turn):
            return False
        if turn.role == "tool":
            if turn.tool_call_id not in waiting:
                return False
            waiting.remove(turn.tool_call_id)
        elif waiting or _has_invalid_name(turn, wire) or not _is_sent_whole(turn, wire):
            return False
        elif turn.role == "assistant":
            made = _valid_calls(turn, ids)
            if made is None or not used.isdisjoint(made):
                return False
            used |= made
            waiting = set(made)
    return not waiting and bool(turns) and turns[-1].role in ("user", "tool")


def _is_plain_text(turn: Turn) -> bool:
    """Whether a turn is one text without a name and citations, as most turns are."""
    if len(turn.blocks) != 1 or turn.name is not None or turn.role == "tool":
        return False
    block = turn.blocks[0]
    return block["type"] == "text" and "annotations" not in block and bool(block["text"].strip())


def _valid_calls(turn: Turn, ids: IdRules) -> set[str] | None:
    """The ids of a turn's calls; `None` where an id or a name has to be replaced, and for a provider-defined call."""
    found: set[str] = set()
    for block in turn.blocks:
        if makes_call(block):
            call_id = call_id_of(block)
            if not call_id or call_id in found or not ids.accepts(call_id):
                return None
            if not ids.accepts_name(called_name(block)) or block["type"] == "invalid_tool_call":
                return None
            found.add(call_id)
        elif block["type"] == "native" and is_provider_defined(block["value"]):
            return None
    return found


# --- blocks -----------------------------------------------------------------------------------------------------------


def _move_marks(turns: Turns, state: RepairState) -> Turns:
    return move_marks(turns, state.adjustments)


def _translate(turns: Turns, state: RepairState) -> Turns:
    """Foreign blocks become readable, empty ones are left out, and every result follows its call."""
    if is_empty_prompt(turns, state.wire):
        return turns
    kept: list[Turn] = []
    images: dict[int, Turn] = {}
    for turn in turns:
        readable, shown_images = translated(turn, state.wire, state.model, state.adjustments)
        sent = _without_blanks(readable, state)
        if sent is None:
            continue
        if shown_images is not None:
            images[len(kept)] = shown_images
        kept.append(sent)
    if not kept and not state.server_state:
        raise InvalidHistoryError(NO_CONTENT)
    if turns and turns[-1].role == "user" and kept and kept[-1].role == "assistant" and len(kept) - 1 not in images:
        kept.append(Turn("user", ({"type": "text", "text": "Continue."},), position=turns[-1].position))
    return with_paired_results(tuple(kept), images, state)


def is_empty_prompt(turns: Turns, wire: WireName) -> bool:
    """Whether the conversation is an empty user message, with or without empty system messages.

    OpenAI's APIs take it and answer (recorded for `content: ""`). Claude refuses it.
    """
    roles = {turn.role for turn in turns}
    if wire == "anthropic_messages" or "user" not in roles or not roles <= {"user", *SYSTEM_ROLES}:
        return False
    return all(not turn.blocks or (len(turn.blocks) == 1 and is_blank(turn.blocks[0])) for turn in turns)


def _without_blanks(turn: Turn, state: RepairState) -> Turn | None:
    """The turn without empty texts; `None` where nothing is left."""
    if _is_sent_whole(turn, state.wire):
        return turn
    blocks = [block for block in turn.blocks if not is_blank(block)]
    if any(_is_sent(block, turn, state.wire) for block in blocks):
        return replace(turn, blocks=tuple(blocks))
    state.report(f"message {turn.position} ({turn.role})", "It has no content that can be sent: it was left out.")
    return None


def _is_sent_whole(turn: Turn, wire: WireName) -> bool:
    """Whether a turn has a block that is sent, and no empty text."""
    if turn.role == "tool":
        return True
    sent = [_is_sent(block, turn, wire) for block in turn.blocks if not is_blank(block)]
    return len(sent) == len(turn.blocks) and any(sent)


def _is_sent(block: Block, turn: Turn, wire: WireName) -> bool:
    """Whether a wire sends a block. Reasoning is sent only to the wire that produced it."""
    if block["type"] == "native":
        value = block["value"]
        return bool(value.get("type") != "text" or str(value.get("text") or "").strip())
    if block["type"] != "reasoning":
        return block["type"] != "foreign"
    return turn.origin == wire or (turn.origin is None and wire == "openai_responses")


def _leave_out_lone_reasoning(turns: Turns, state: RepairState) -> Turns:
    """Reasoning is sent only with an answer or a message after it: where there is nothing else, it is left out."""
    others = tuple(turn for turn in turns if not _only_reasons(turn))
    if state.server_state or len(others) == len(turns) or any(turn.role not in SYSTEM_ROLES for turn in others):
        return turns
    if not others:
        raise InvalidHistoryError(NO_CONTENT)
    state.report("reasoning at the end", "Nothing follows it, and the API does not take it alone: it was left out.")
    return others


def _only_reasons(turn: Turn) -> bool:
    return turn.role == "assistant" and all(map(is_reasoning, turn.blocks))


NO_CONTENT = "No message has content. Give at least one message that is not empty."

# --- call ids ---------------------------------------------------------------------------------------------------------


def _replace_ids(turns: Turns, state: RepairState) -> Turns:
    valid, replaced = with_valid_ids(turns, state.ids)
    if replaced:
        names = ", ".join(repr(call_id) for call_id in replaced[:3]) + (", …" if len(replaced) > 3 else "")
        why = "The API refuses them, or two calls share one: others were sent, in the call and in its result."
        state.report(f"tool call ids {names}", why)
    return valid


def _refuse_broken_arguments(turns: Turns, state: RepairState) -> Turns:
    """Under the policy "raise", a call without a JSON object is an error on Claude's API, which takes nothing else.

    Under "fix" the encoder sends an empty input. OpenAI's APIs take any text.
    """
    if state.wire != "anthropic_messages" or state.policy != "raise":
        return turns
    for turn in turns:
        for block in turn.blocks:
            if block["type"] == "invalid_tool_call" and json_object(block.get("args") or "null") is None:
                problem = (
                    f"The arguments of the call {block.get('id')!r} in message {turn.position} are no JSON object."
                )
                raise InvalidHistoryError(f"{problem} Correct them, or remove the call.")
    return turns


def _replace_names(turns: Turns, state: RepairState) -> Turns:
    names = SentNames(state.ids, state.tools)
    valid = with_valid_names(turns, names)
    if names.made:
        replaced = ", ".join(map(repr, names.made))
        why = "The API takes only letters, digits, _ and - in the name of a tool: others were sent in these calls."
        state.report(f"tool names {replaced}", why)
    return valid


# --- the end of a conversation ----------------------------------------------------------------------------------------


def _complete_end(turns: Turns, state: RepairState) -> Turns:
    """Claude needs a message beside the system prompt, and a user message at the end where it takes no prefill."""
    if state.wire != "anthropic_messages" or state.policy == "raise" or not turns:
        return turns
    if all(turn.role in SYSTEM_ROLES for turn in turns) and not state.server_state:
        why = "Claude needs a message beside the system prompt: it was sent as a user message."
        state.report(f"system message {turns[-1].position}", why)
        return (*turns[:-1], replace(turns[-1], role="user"))
    if state.profile.prefill or not _ends_with_prefill(turns, state):
        return turns
    why = f"{state.model or 'The model'} takes no prefill: a user message that asks it to continue was added."
    state.report("trailing assistant message", why)
    text = ANSWER if state.has_answer_form else CONTINUE
    return (*turns, Turn("user", ({"type": "text", "text": text},), position=turns[-1].position))


CONTINUE = "Continue from exactly where your last message ends."
ANSWER = "Give the answer now, in the required form."
"""The same request where the answer is an object or a tool call, which continues no text."""


def _ends_with_prefill(turns: Turns, state: RepairState) -> bool:
    """Whether the conversation ends with a started answer. One with server tools is a paused turn, which is taken."""
    sent: list[Block] = []
    for turn in reversed(turns):
        if turn.role in SYSTEM_ROLES and not state.profile.system_in_messages:
            continue
        if turn.role != "assistant":
            break
        sent[:0] = [block for block in turn.blocks if _is_sent(block, turn, state.wire) and not is_reasoning(block)]
    kinds = [str(block["value"].get("type")) if block["type"] == "native" else block["type"] for block in sent]
    paused = any(kind.endswith(("_tool_use", "_tool_result")) or kind.startswith("server_tool_") for kind in kinds)
    return bool(kinds) and kinds[-1] in ("text", "refusal") and not paused


# --- names of messages ------------------------------------------------------------------------------------------------

VALID_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _has_invalid_name(turn: Turn, wire: WireName) -> bool:
    """Whether a message's name is lost or changed. The name of an agent is no loss where the API has no names."""
    if not turn.name or turn.role == "tool":
        return False
    if wire == "openai_chat":
        return not isinstance(turn.name, str) or VALID_NAME.fullmatch(turn.name) is None
    return turn.role != "assistant"


def _correct_names(turns: Turns, state: RepairState) -> Turns:
    found = [turn for turn in turns if _has_invalid_name(turn, state.wire)]
    if not found:
        return turns
    names = ", ".join(dict.fromkeys(repr(turn.name) for turn in found))
    if state.wire != "openai_chat":
        state.report(f"message names {names}", "This API has no message names: they were not sent.")
        return turns
    why = "OpenAI takes at most 64 letters, digits, _ and -: other characters were replaced by _."
    state.report(f"message names {names}", why)
    return tuple(_with_valid_name(turn) if _has_invalid_name(turn, state.wire) else turn for turn in turns)


def _with_valid_name(turn: Turn) -> Turn:
    return replace(turn, name=re.sub(r"[^a-zA-Z0-9_-]", "_", str(turn.name or ""))[:64])


STEPS: Sequence[Callable[[Turns, RepairState], Turns]] = (
    _move_marks,
    _translate,
    with_correct_media,
    _leave_out_lone_reasoning,
    _replace_ids,
    _replace_names,
    _refuse_broken_arguments,
    _complete_end,
    _correct_names,
)
