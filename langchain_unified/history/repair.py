"""What a conversation must be before it is encoded, and what is done where it is not.

Repairs are pure and deterministic, and a history that needs none comes back as the same object. Where a repair changes
what is said to whom (calls without results, results without calls or in the wrong place), `policy="raise"` refuses the
history instead; formalities (ids, empty texts, names) are always settled. Every repair is told as an adjustment. What
the wires settle themselves is not repeated here: turns of one role in a row, and system messages in the middle.

A longer conversation keeps the shorter one's repaired turns, with two exceptions at the place where it was cut: the
error result of a call that is answered later, and the user turn that asks a model to go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from langchain_unified.errors import InvalidHistoryError
from langchain_unified.history.foreign import closed, in_user_words, is_foreign, translated
from langchain_unified.history.moved_marks import is_blank, kept_mark, with_marks
from langchain_unified.history.pairing import Call, Calls, IdRules, in_order, is_own, matched, misplaced, with_ids
from langchain_unified.messages.tool_calls import call_id_of, has_broken_arguments, makes_call
from langchain_unified.request import Adjustment, Block, Profile, Turn, WireName

Policy: TypeAlias = Literal["fix", "raise"]
Turns: TypeAlias = tuple[Turn, ...]

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
) -> tuple[Turns, tuple[Adjustment, ...]]:
    """The turns as `wire` takes them, and what was changed. The same object comes back where nothing is.

    `ids` are the call ids that the wire takes. `model` is the one that will be asked: reasoning of another one is left
    out. With `server_state` the server holds earlier turns, and a result may answer a call that is not here. Raises
    `InvalidHistoryError`.
    """
    if not turns and not server_state:
        raise InvalidHistoryError("There are no messages to send. Give at least one.")
    if _is_sound(turns, wire, ids, model):
        return turns, ()
    job = _Job(wire, ids, profile, model, policy, server_state)
    repaired = turns
    for step in STEPS:
        repaired = step(repaired, job)
    unchanged = len(repaired) == len(turns) and all(map(_same, repaired, turns))
    return turns if unchanged else repaired, tuple(job.adjustments)


def _same(one: Turn, other: Turn) -> bool:
    return one is other


@dataclass(slots=True)
class _Job:
    """What the steps of one repair share."""

    wire: WireName
    ids: IdRules
    profile: Profile
    model: str
    policy: Policy
    server_state: bool
    adjustments: list[Adjustment] = field(default_factory=list)

    def report(self, what: str, why: str) -> None:
        self.adjustments.append(Adjustment(what=what, why=why))

    def change(self, what: str, wrong: str, remedy: str, why: str) -> None:
        """A repair that changes what is said: refused under the policy "raise"."""
        if self.policy == "raise":
            raise InvalidHistoryError(f"{wrong} {remedy}")
        self.report(what, f"{wrong} {why}")


# --- nothing to do ----------------------------------------------------------------------------------------------------


def _is_sound(turns: Turns, wire: WireName, ids: IdRules, model: str) -> bool:
    """One look at each turn: whether every step would leave everything as it is."""
    used: set[str] = set()
    waiting: set[str] = set()
    for turn in turns:
        if is_foreign(turn, wire, model):
            return False
        if turn.role == "tool":
            if turn.tool_call_id not in waiting:
                return False
            waiting.remove(turn.tool_call_id)
        elif waiting or _misnamed(turn, wire) or not _is_clean(turn, wire):
            return False
        elif turn.role == "assistant":
            made = _legal_calls(turn, ids)
            if made is None or not used.isdisjoint(made):
                return False
            used |= made
            waiting = set(made)
    return not waiting and bool(turns) and turns[-1].role in ("user", "tool")


def _legal_calls(turn: Turn, ids: IdRules) -> set[str] | None:
    """The ids of a turn's calls; `None` where one has to be changed, or answered in a form of its own."""
    found: set[str] = set()
    for block in turn.blocks:
        if makes_call(block):
            call_id = call_id_of(block)
            if not call_id or call_id in found or not ids.accepts(call_id):
                return None
            found.add(call_id)
        elif block["type"] == "native" and is_own(block["value"]):
            return None
    return found


def _marked(turns: Turns, job: _Job) -> Turns:
    return with_marks(turns, job.adjustments)


# --- blocks that nobody reads, and blocks that say nothing ------------------------------------------------------------


def _readable(turns: Turns, job: _Job) -> Turns:
    """Foreign blocks in words, empty ones left out; then every result beside its call."""
    kept: list[Turn] = []
    images: dict[int, Turn] = {}
    for turn in turns:
        spoken, shown = translated(turn, job.wire, job.model, job.adjustments)
        clean = _clean(spoken, job)
        if clean is None:
            continue
        if shown is not None:
            images[len(kept)] = shown
        kept.append(clean)
    if not kept and not job.server_state:
        raise InvalidHistoryError("No message has content. Give at least one message that says something.")
    if turns and turns[-1].role == "user" and kept and kept[-1].role == "assistant" and len(kept) - 1 not in images:
        kept.append(Turn("user", ({"type": "text", "text": "Continue."},), position=turns[-1].position))
    return _paired(tuple(kept), images, job)


def _clean(turn: Turn, job: _Job) -> Turn | None:
    """A turn without empty texts; `None` where nothing is left."""
    if _is_clean(turn, job.wire):
        return turn
    blocks = [block for block in turn.blocks if not is_blank(block)]
    if any(_speaks(block, turn, job.wire) for block in blocks):
        return replace(turn, blocks=tuple(blocks))
    job.report(f"message {turn.position} ({turn.role})", "There is nothing in it to send: it was left out.")
    return None


def _is_clean(turn: Turn, wire: WireName) -> bool:
    if turn.role == "tool":
        return True
    said = [_speaks(block, turn, wire) for block in turn.blocks if not is_blank(block)]
    return len(said) == len(turn.blocks) and any(said)


def _speaks(block: Block, turn: Turn, wire: WireName) -> bool:
    """Whether a wire says a block. Reasoning goes back only to its own."""
    if block["type"] == "native":
        value = block["value"]
        return bool(value.get("type") != "text" or str(value.get("text") or "").strip())
    if block["type"] != "reasoning":
        return bool(block["type"] != "foreign")
    return turn.origin == wire or (turn.origin is None and wire == "openai_responses")


# --- calls and results ------------------------------------------------------------------------------------------------


def _paired(turns: Turns, images: dict[int, Turn], job: _Job) -> Turns:
    """Every call answered once, directly after it; results without a call as a user's words."""
    calls = matched(turns)
    changed = list(turns)
    _settle_places(turns, calls, job)
    for at in calls.strays:
        if not job.server_state:
            changed[at] = _stray(turns[at], job)
    added: dict[int, list[Turn]] = {}
    for call in calls.unanswered():
        if call.own:
            changed[call.turn] = _closed(changed[call.turn], call, job)
        else:
            added.setdefault(call.turn, []).append(_error_result(turns[call.turn], call, job))
    for at, shown in images.items():
        added.setdefault(at, []).append(shown)
    return in_order(changed, calls, added)


def _settle_places(turns: Turns, calls: Calls, job: _Job) -> None:
    for call in misplaced(calls):
        if call.result is None:
            continue
        result, made = turns[call.result], turns[call.turn]
        job.change(
            f"tool result in message {result.position}",
            f"Message {result.position} is the result of the tool call {call.id!r} in message {made.position}, "
            "and does not stand directly after it.",
            f"Move it to directly after message {made.position}.",
            "It was moved there.",
        )


def _stray(turn: Turn, job: _Job) -> Turn:
    job.change(
        f"tool result in message {turn.position}",
        f"Message {turn.position} is a result for the tool call {turn.tool_call_id!r}, which no message makes or which "
        "is answered already.",
        "Keep the assistant message with that call, or leave the result out.",
        "Its content was sent as a user message.",
    )
    name = f"the tool {turn.name}" if turn.name else "a tool"
    head = f"[{'Failed result' if turn.is_error else 'Result'} of an earlier call of {name}]"
    blocks = ({"type": "text", "text": head}, *in_user_words(turn, job.wire))
    return Turn("user", kept_mark(turn, blocks), position=turn.position)


def _error_result(turn: Turn, call: Call, job: _Job) -> Turn:
    job.change(
        f"tool call in message {turn.position}",
        f"Message {turn.position} calls the tool {call.name!r} (id {call.id!r}), and no message answers it.",
        "Add a ToolMessage with this tool_call_id directly after it, or take the call out of its tool_calls.",
        "An error result was added.",
    )
    text = UNREADABLE if has_broken_arguments(turn.blocks[call.block]) else UNANSWERED
    blocks = ({"type": "text", "text": text},)
    return Turn("tool", blocks, tool_call_id=call.id or None, is_error=True, position=turn.position)


UNANSWERED = "The tool was not run: this call has no result."
UNREADABLE = "The tool was not run: the arguments of this call are not valid JSON."


def _closed(turn: Turn, call: Call, job: _Job) -> Turn:
    """The turn with a call to a provider's own tool in words: no error can be made up in the form of its results."""
    job.change(
        f"{call.name} in message {turn.position}",
        f"Message {turn.position} has a {call.name} (id {call.id!r}), and no message answers it.",
        "Add its result, or take the call out of the message.",
        "It was put into words.",
    )
    return replace(turn, blocks=(*turn.blocks[: call.block], closed(turn, call.block), *turn.blocks[call.block + 1 :]))


def _named_calls(turns: Turns, job: _Job) -> Turns:
    named, replaced = with_ids(turns, job.ids)
    if replaced:
        shown = ", ".join(repr(call_id) for call_id in replaced[:3]) + (", …" if len(replaced) > 3 else "")
        why = "The API would not take them, or not apart: others were sent, the same for a call and its result."
        job.report(f"tool call ids {shown}", why)
    return named


# --- where a conversation ends ----------------------------------------------------------------------------------------


def _ended(turns: Turns, job: _Job) -> Turns:
    """What Claude needs at the end: a message beside the system prompt, and a user's word where it takes no prefill."""
    if job.wire != "anthropic_messages" or job.policy == "raise" or not turns:
        return turns
    if all(turn.role in SYSTEM_ROLES for turn in turns) and not job.server_state:
        why = "Claude needs a message beside the system prompt: it was sent as a user message."
        job.report(f"system message {turns[-1].position}", why)
        return (*turns[:-1], replace(turns[-1], role="user"))
    if job.profile.prefill or not _is_started(turns, job):
        return turns
    why = f"{job.model or 'The model'} takes no started answer: a user message asks it to go on from there."
    job.report("trailing assistant message", why)
    return (*turns, Turn("user", ({"type": "text", "text": GO_ON},), position=turns[-1].position))


GO_ON = "Continue from exactly where your last message ends."


def _is_started(turns: Turns, job: _Job) -> bool:
    """Whether the conversation ends with an answer to go on from. One with server tools is a paused turn."""
    said: list[Block] = []
    for turn in reversed(turns):
        if turn.role in SYSTEM_ROLES and not job.profile.system_in_messages:
            continue
        if turn.role != "assistant":
            break
        said[:0] = [block for block in turn.blocks if _speaks(block, turn, job.wire)]
    kinds = [str(block["value"].get("type") if block["type"] == "native" else block["type"]) for block in said]
    paused = any(kind.endswith(("_tool_use", "_tool_result")) or kind.startswith("server_tool_") for kind in kinds)
    return bool(kinds) and kinds[-1] in ("text", "refusal") and not paused


# --- names of people --------------------------------------------------------------------------------------------------

LEGAL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _misnamed(turn: Turn, wire: WireName) -> bool:
    """Whether a message's name cannot go out. An agent's own name is no loss where the API has no names."""
    if not turn.name or turn.role == "tool":
        return False
    if wire == "openai_chat":
        return LEGAL_NAME.fullmatch(turn.name) is None
    return turn.role != "assistant"


def _named(turns: Turns, job: _Job) -> Turns:
    found = [turn for turn in turns if _misnamed(turn, job.wire)]
    if not found:
        return turns
    names = ", ".join(dict.fromkeys(repr(turn.name) for turn in found))
    if job.wire != "openai_chat":
        job.report(f"message names {names}", "This API has no names of speakers: they were not sent.")
        return turns
    job.report(f"message names {names}", "OpenAI takes letters, digits, _ and - (64 at most): others became _.")
    return tuple(replace(turn, name=_legal_name(turn.name)) if _misnamed(turn, job.wire) else turn for turn in turns)


def _legal_name(name: str | None) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name or "")[:64]


STEPS: Sequence[Callable[[Turns, _Job], Turns]] = (_marked, _readable, _named_calls, _ended, _named)
