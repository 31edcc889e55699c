"""An assistant turn -> an assistant message.

Answers of other providers have been put into words before (`history/words.py`): no server tool call, image or sound of
theirs comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.messages.json_text import compact_json, json_object
from langchain_unified.messages.server_reasoning import CALL_EXTRAS
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT, RAW_ARGUMENTS
from langchain_unified.request import JsonObject, Turn
from langchain_unified.request.blocks import (
    ForeignBlock,
    InvalidToolCallBlock,
    NativeBlock,
    PlainTextBlock,
    ReasoningBlock,
    RefusalBlock,
    ToolCallBlock,
)
from langchain_unified.wires.openai_chat.blocks import (
    RESPONSES_REMEDY,
    PartWriter,
    document_parts,
    native_parts,
    refuse,
    search_result_parts,
    text_part,
    text_parts,
    unknown_parts,
)


@dataclass(slots=True)
class AssistantDraft:
    """An assistant message in the making. `custom` holds the names of the tools whose calls are free-form text."""

    custom: frozenset[str] = frozenset()
    parts: list[JsonObject] = field(default_factory=list)
    tool_calls: list[JsonObject] = field(default_factory=list)
    refusal: str = ""
    audio: JsonObject | None = None
    reasoning: JsonObject = field(default_factory=dict)
    """The fields of another server's reasoning."""


def draft_of(turn: Turn, custom: frozenset[str]) -> AssistantDraft:
    """What an assistant message holds, from the blocks of its turn. Raises for a block that it has no place for."""
    draft = AssistantDraft(custom)
    for block in turn.blocks:
        WRITERS.get(block["type"], _misplaced)(draft, block, turn)
    return draft


BlockWriter: TypeAlias = Callable[[AssistantDraft, Any, Turn], None]
"""Adds a block of the kind that its row names to the draft."""


def _misplaced(draft: AssistantDraft, block: Any, turn: Turn) -> None:
    refuse(block, turn, "An assistant message has no place for it. Put it into a user message.")


def _add_parts(writer: PartWriter) -> BlockWriter:
    """A row that adds the parts of `writer`."""

    def write(draft: AssistantDraft, block: Any, turn: Turn) -> None:
        draft.parts.extend(writer(block, turn))

    return write


def _document(draft: AssistantDraft, block: PlainTextBlock, turn: Turn) -> None:
    """A text document as text; where only its address is known, the address."""
    if "text" in block or "base64" in block:
        draft.parts.extend(document_parts(block, turn))
    elif "url" in block:
        draft.parts.append(text_part(f"[{block['type']}: {block['url']}]"))
    else:
        remedy = f"An assistant message holds only text here. {RESPONSES_REMEDY}, or send it in a user message."
        refuse(block, turn, remedy)


def _refusal(draft: AssistantDraft, block: RefusalBlock, turn: Turn) -> None:
    draft.refusal += block["refusal"]


def _native(draft: AssistantDraft, block: NativeBlock, turn: Turn) -> None:
    value = block["value"]
    if value.get("type") == "audio":
        draft.audio = {"id": value.get("id", "")}
    elif value.get("type") in ("function", "custom"):
        draft.tool_calls.append(dict(value))
    else:
        draft.parts.extend(native_parts(block, turn))


def _reasoning(draft: AssistantDraft, block: ReasoningBlock, turn: Turn) -> None:
    """Sent to the server that wrote it. OpenAI's API has none; the message keeps what is not sent."""
    draft.reasoning |= (block.get("extras") or {}).get("fields") or {}


def _omitted(draft: AssistantDraft, block: ForeignBlock, turn: Turn) -> None:
    """Not sent: foreign blocks never come from this API. The message keeps them."""


# --- calls ------------------------------------------------------------------------------------------------------------


def _tool_call(draft: AssistantDraft, block: ToolCallBlock, turn: Turn) -> None:
    args = block["args"]
    if block["name"] in draft.custom and set(args) == {CUSTOM_ARGUMENT}:
        custom = {"name": block["name"], "input": str(args[CUSTOM_ARGUMENT])}
        draft.tool_calls.append({"id": block["id"] or "", "type": "custom", "custom": custom})
    else:
        draft.tool_calls.append(_function(block, _arguments(block)))


def _arguments(block: ToolCallBlock) -> str:
    """The arguments byte for byte as the API sent them, unless the caller has changed them."""
    raw = (block.get("extras") or {}).get(RAW_ARGUMENTS)
    return raw if isinstance(raw, str) and json_object(raw) == block["args"] else compact_json(block["args"])


def _invalid_tool_call(draft: AssistantDraft, block: InvalidToolCallBlock, turn: Turn) -> None:
    draft.tool_calls.append(_function(block, block.get("args") or ""))


def _function(block: ToolCallBlock | InvalidToolCallBlock, arguments: str) -> JsonObject:
    function = {"name": block.get("name") or "", "arguments": arguments}
    call = {"id": block.get("id") or "", "type": "function", "function": function}
    extras = (block.get("extras") or {}).get(CALL_EXTRAS) or {}
    return {**call, **{key: extras[key] for key in SIGNATURES if key in extras}} if extras else call


SIGNATURES = ("extra_content", "thought_signature")
"""What goes back to the server beside a call (Gemini)."""


WRITERS: Mapping[str, BlockWriter] = {
    "text": _add_parts(text_parts),
    "text-plain": _document,
    "search_result": _add_parts(search_result_parts),
    "refusal": _refusal,
    "native": _native,
    "reasoning": _reasoning,
    "foreign": _omitted,
    "tool_call": _tool_call,
    "invalid_tool_call": _invalid_tool_call,
    "unknown": _add_parts(unknown_parts),
}
