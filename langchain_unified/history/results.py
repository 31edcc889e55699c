"""Every tool call gets exactly one result, directly after it; a result without a call becomes a user message."""

from __future__ import annotations

from dataclasses import replace

from langchain_unified.history.moved_marks import keep_last_mark
from langchain_unified.history.pairing import ToolCallRef, in_order, pair
from langchain_unified.history.readable import ReferencedImages, readable
from langchain_unified.history.state import RepairState, Turns
from langchain_unified.messages.json_text import data_text
from langchain_unified.messages.tool_calls import has_broken_arguments
from langchain_unified.request import Turn
from langchain_unified.request.blocks import Block, TextBlock, raw_value


def with_paired_results(turns: Turns, images: dict[int, Turn], state: RepairState) -> Turns:
    """The turns with every result after its call. `images` are user turns to add.

    Their keys are the turns that they belong to: each follows that turn and the results beside it.
    """
    pairing = pair(turns)
    changed = list(turns)
    for call, at in pairing.misplaced():
        _report_move(turns[call.turn], call, turns[at], state)
    if not state.server_state:
        for at in pairing.strays:
            changed[at] = _as_user_turn(turns[at], state)
    added: dict[int, list[Turn]] = {}
    for call in pairing.unanswered():
        if call.provider_defined:
            changed[call.turn] = _with_call_in_words(changed[call.turn], call, state)
        else:
            added.setdefault(call.turn, []).append(_error_result(turns[call.turn], call, state))
    callers = {call.result: call.turn for call in pairing.calls}
    for at, turn in images.items():
        added.setdefault(callers.get(at, at), []).append(turn)
    return in_order(changed, pairing.calls, added)


def _report_move(caller: Turn, call: ToolCallRef, result: Turn, state: RepairState) -> None:
    state.report_change(
        f"tool result in message {result.position}",
        f"Message {result.position} is the result of the tool call {call.id!r} in message {caller.position}, "
        "and does not directly follow it.",
        f"Move it to directly after message {caller.position}.",
        "It was moved there.",
    )


# --- results without a call -------------------------------------------------------------------------------------------


def _as_user_turn(result: Turn, state: RepairState) -> Turn:
    state.report_change(
        f"tool result in message {result.position}",
        f"Message {result.position} is a result for the tool call {result.tool_call_id!r}, which no message makes or "
        "which has a result already.",
        "Keep the assistant message with that call, or leave the result out.",
        "Its content was sent as a user message.",
    )
    name = f"the tool {result.name}" if result.name else "a tool"
    head = f"[{'Failed result' if result.is_error else 'Result'} of an earlier call of {name}]"
    blocks = (TextBlock(type="text", text=head), *_user_blocks(result))
    return Turn("user", keep_last_mark(result, blocks), position=result.position)


def _user_blocks(result: Turn) -> tuple[Block, ...]:
    """The blocks of a result as a user message can hold them."""
    images = ReferencedImages()
    blocks: list[Block] = []
    for block in result.blocks:
        if block["type"] == "unknown":
            blocks.append(TextBlock(type="text", text=data_text(block["value"])))
        elif block["type"] == "native":
            blocks.append(TextBlock(type="text", text=readable(raw_value(block), images)))
        else:
            blocks.append(block)
    with_content = (block for block in blocks if block.get("text") is None or str(block.get("text")).strip())
    return (*with_content, *(block for block in images.blocks if block["type"] == "image"))


# --- calls without a result -------------------------------------------------------------------------------------------


def _error_result(caller: Turn, call: ToolCallRef, state: RepairState) -> Turn:
    state.report_change(
        f"tool call in message {caller.position}",
        f"Message {caller.position} calls the tool {call.name!r} (id {call.id!r}), and no message answers it.",
        "Add a ToolMessage with this tool_call_id directly after it, or remove the call from its tool_calls.",
        "An error result was added.",
    )
    text = BROKEN_ARGUMENTS if has_broken_arguments(caller.blocks[call.block]) else NO_RESULT
    block = TextBlock(type="text", text=text)
    return Turn("tool", (block,), tool_call_id=call.id or None, is_error=True, position=caller.position)


NO_RESULT = "The tool was not run: this call has no result."
BROKEN_ARGUMENTS = "The tool was not run: the arguments of this call are not valid JSON."


def _with_call_in_words(caller: Turn, call: ToolCallRef, state: RepairState) -> Turn:
    """The turn with a call to a provider-defined tool as text. Its results have no form for an error."""
    state.report_change(
        f"{call.name} in message {caller.position}",
        f"Message {caller.position} has a {call.name} (id {call.id!r}), and no message answers it.",
        "Add its result, or remove the call from the message.",
        "It was sent as text.",
    )
    value = raw_value(caller.blocks[call.block])
    details = readable(value, ReferencedImages())
    text = TextBlock(type="text", text=f"[{value['type']}, not answered{f': {details}' if details else ''}]")
    return replace(caller, blocks=(*caller.blocks[: call.block], text, *caller.blocks[call.block + 1 :]))
