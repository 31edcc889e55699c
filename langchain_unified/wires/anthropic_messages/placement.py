"""Where late system messages go, and how an assistant message ends.

The API takes a system message between messages only after a user message, or after an assistant message that ends in
server tools; an assistant message must follow, or nothing. (Guide to system messages in mid-conversation; the API says:
"role 'system' must precede an 'assistant' message or end the array".) No assistant message may end in thinking ("The
final block in an assistant message cannot be `thinking`").
"""

from __future__ import annotations

from typing import NamedTuple

from langchain_unified.request import Adjustment, JsonObject, Turn
from langchain_unified.wires.anthropic_messages.blocks import SYSTEM, EncodeState, write_blocks

THINKING = ("thinking", "redacted_thinking")


class Part(NamedTuple):
    """A system turn after the start, and its blocks as the API's."""

    turn: Turn
    blocks: list[JsonObject]


def append(messages: list[JsonObject], role: str, blocks: list[JsonObject]) -> None:
    """Append blocks; consecutive ones of one role are one message."""
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += blocks
    elif blocks:
        messages.append({"role": role, "content": blocks})


# --- system messages --------------------------------------------------------------------------------------------------


def moved_to_system(turn: Turn, state: EncodeState) -> list[JsonObject]:
    """The blocks of a late system message for `system`, for a model that takes none between messages."""
    blocks = write_blocks(turn, SYSTEM, state)
    report_lost_options(turn, state)
    if not blocks:
        return []
    why = (
        "This model takes system messages only at the start: the text was added to the end of `system`. "
        "This changes the cached prefix: the messages before it are not read from the cache."
    )
    state.adjustments.append(Adjustment(what=f"system message {turn.position}", why=why))
    return blocks


def append_before(messages: list[JsonObject], late: list[Part], role: str, state: EncodeState) -> list[Part]:
    """Append system messages before a message of `role`. Returns what has to wait for a place after that message."""
    if role == "assistant":
        append_at_end(messages, late, state)
        return []
    waiting = []
    for part in late:
        append(messages, "user", _in_user_message(part, state))
        changes = [block for block in part.blocks if block["type"] != "text"]
        if changes:
            waiting.append(Part(part.turn, changes))
    return waiting


def append_at_end(messages: list[JsonObject], late: list[Part], state: EncodeState) -> None:
    """Append system messages before an assistant message or at the end of the conversation."""
    in_place = bool(messages) and (messages[-1]["role"] != "assistant" or _ends_in_server_tool(messages[-1]["content"]))
    for turn, blocks in late:
        if in_place:
            append(messages, "system", blocks)
            if turn.options and messages and messages[-1]["role"] == "system":
                messages[-1].update(turn.options)
            continue
        append(messages, "user", _in_user_message(Part(turn, blocks), state))
        append(messages, "system", [block for block in blocks if block["type"] != "text"])


def report_lost_options(turn: Turn, state: EncodeState) -> None:
    """List the keys of a system message that is sent without a message for it."""
    for key in turn.options:
        why = "Claude takes it only in a system message between a user message and an answer: it was not sent."
        state.adjustments.append(Adjustment(what=f"{key} of system message {turn.position}", why=why))


HEAD = "[System instruction]"
"""What a system message begins with where it stands in a user message."""


def _in_user_message(part: Part, state: EncodeState) -> list[JsonObject]:
    """The texts of a system message as blocks of a user message."""
    texts = [block for block in part.blocks if block["type"] == "text"]
    report_lost_options(part.turn, state)
    if texts:
        why = (
            "Claude takes a system message only between a user message and an answer: it was sent at its place as a "
            f"text of the user message that begins with {HEAD}."
        )
        state.adjustments.append(Adjustment(what=f"system message {part.turn.position}", why=why, lossless=True))
    return [{**block, "text": f"{HEAD}\n{block['text']}"} for block in texts]


def _ends_in_server_tool(blocks: list[JsonObject]) -> bool:
    kind = str(blocks[-1].get("type"))
    return kind in ("server_tool_use", "mcp_tool_use") or kind.endswith("_tool_result")


# --- the end of an assistant message ----------------------------------------------------------------------------------


STOPPED = "[The answer stopped after the thinking.]"
"""The text after the thinking of a message that holds nothing else."""


def without_final_thinking(messages: list[JsonObject], state: EncodeState) -> list[JsonObject]:
    """The messages without thinking at the end of an assistant message; the same object where there is none.

    A message of thinking alone gets a text. At the end of the conversation it is left out, because the text would be
    the start of the next answer.
    """
    if not any(map(_ends_in_thinking, messages)):
        return messages
    kept: list[JsonObject] = []
    for at, message in enumerate(messages):
        blocks = message["content"]
        if _ends_in_thinking(message):
            last = next((at for at in reversed(range(len(blocks))) if blocks[at].get("type") not in THINKING), -1)
            stopped = {"type": "text", "text": STOPPED}
            blocks = [*blocks, stopped] if last < 0 and at + 1 < len(messages) else blocks[: last + 1]
        append(kept, message["role"], [*blocks])
    why = "Anthropic refuses an assistant message that ends in thinking: it was not sent, or a text was added after it."
    state.adjustments.append(Adjustment(what="thinking at the end of an answer", why=why, lossless=True))
    return kept


def _ends_in_thinking(message: JsonObject) -> bool:
    content = message["content"]
    return message["role"] == "assistant" and content[-1].get("type") in THINKING
