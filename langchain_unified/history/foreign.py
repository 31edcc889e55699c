"""Turns of another provider or another model -> turns that the target reads.

An answer of another provider is put into words (`words.py`), and its results become blocks that the target takes.
Reasoning is bound to the model that produced it, so a turn of another model of the same provider loses its reasoning.
On the Responses API, items that were stored after a reasoning item cannot be sent without it: they lose their ids, and
are put into words where they need one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from langchain_unified.history.readable import ReferencedImages, image_in, readable
from langchain_unified.history.words import Translated, in_words, needs_words
from langchain_unified.messages.assistant import standard_blocks
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.messages.cache_marks import marked
from langchain_unified.messages.json_text import data_text
from langchain_unified.request import Adjustment, Turn, WireName
from langchain_unified.request.blocks import Block, TextBlock, UnknownBlock, changed, raw_value, without


def is_foreign(turn: Turn, wire: WireName, model: str) -> bool:
    """Whether a turn has anything that the target cannot read as it is."""
    if turn.role == "tool":
        return any(block["type"] not in RESULT_BLOCKS and _is_data(block, wire) for block in turn.blocks)
    if turn.role != "assistant":
        return False
    if turn.origin != wire:
        return needs_words(turn)
    return not same_model(turn.model, model) and any(map(is_reasoning, turn.blocks))


def translated(turn: Turn, wire: WireName, model: str, adjustments: list[Adjustment]) -> Translated:
    """A turn as the target reads it; the same object where nothing changes.

    `model` is the target model; an empty name stands for the model that produced the turn.
    """
    if not is_foreign(turn, wire, model):
        return Translated(turn)
    if turn.role == "tool":
        return Translated(_translated_result(turn, wire, adjustments))
    if turn.origin != wire:
        return in_words(turn, turn.blocks, adjustments)
    if wire == "openai_responses":
        return in_words(turn, [part for block in turn.blocks for part in _without_reasoning_id(block)], adjustments)
    return Translated(replace(turn, blocks=tuple(block for block in turn.blocks if not is_reasoning(block))))


# --- models -----------------------------------------------------------------------------------------------------------

_NAMES = re.compile(r"claude-[a-z0-9.@-]+|(?<![a-z0-9])(?:gpt-|o\d|chatgpt-|codex-|computer-use-)[a-z0-9.-]*")
_SUFFIXES = re.compile(r"(-v\d+)?([-@](\d{8}|\d{4}-\d{2}-\d{2})|-latest)?(-v\d+)?$")
_ALIASES = {"gpt-5-6": "gpt-5-6-sol"}
"""Names that the provider answers with another name, as recorded replies show."""


def same_model(one: str | None, other: str | None) -> bool:
    """Whether two names mean one model: a snapshot is its alias. A name that is not recognised counts as the same."""
    if one == other or not one or not other:
        return True
    first, second = _family(one), _family(other)
    return first is None or second is None or first == second


def _family(model: str) -> str | None:
    """A model's name without provider, date and version; `None` where it is not recognised."""
    found = _NAMES.search(model.lower())
    if found is None:
        return None
    name = _SUFFIXES.sub("", found[0].replace(".", "-")).removesuffix("-0")
    return _ALIASES.get(name, name)


# --- reasoning --------------------------------------------------------------------------------------------------------

REASONING = frozenset({"thinking", "redacted_thinking", "reasoning"})


def is_reasoning(block: Block) -> bool:
    """Whether a block is a model's reasoning, as a standard block or a provider's own."""
    return block["type"] == "reasoning" or (block["type"] == "native" and block["value"].get("type") in REASONING)


def _without_reasoning_id(block: Block) -> Iterable[Block]:
    """A block of a Responses turn without the id by which the API would ask for the reasoning before it."""
    if block["type"] == "refusal":
        return ({"type": "refusal", "refusal": block["refusal"]},)
    if block["type"] != "native":
        return (block,)
    value = block["value"]
    if value.get("type") in ("function_call", "custom_tool_call"):
        return (changed(block, value={key: item for key, item in value.items() if key != "id"}),)
    if value.get("type") == "message":
        return [TextBlock(type="text", text=str(part.get("text") or "")) for part in value.get("content") or ()]
    if value.get("type") == "refusal":
        return ({"type": "refusal", "refusal": value.get("refusal") or ""},)
    return standard_blocks(value, "openai_responses", "openai_responses")


# --- tool results -----------------------------------------------------------------------------------------------------

RESULT_TYPES = frozenset({"computer_screenshot", "tool_search_output"})

RESULT_BLOCKS = frozenset({"text", "image", "file", "text-plain", "search_result", "audio", "video", "foreign"})
"""The blocks that a tool result may hold. Any other is data: it becomes text."""


def _is_data(block: Block, wire: WireName) -> bool:
    """Whether a block of a tool result is no content of the target's."""
    kind = raw_value(block).get("type")
    if wire == "openai_responses":  # whose encoder knows which items answer the call
        return block["type"] != "native" or (isinstance(kind, str) and wire_of_type(kind) not in (None, wire))
    return block["type"] != "native" or kind not in RESULT_PARTS[wire]


RESULT_PARTS: Mapping[WireName, frozenset[str]] = {
    "anthropic_messages": frozenset({"text", "image", "document", "search_result", "tool_reference", "browser_state"}),
    "openai_chat": frozenset({"text"}),
}
"""The API's own blocks that a tool result may hold."""


def _has_home(block: UnknownBlock) -> bool:
    """Whether a block that the target does not know is one of another provider's."""
    kind = raw_value(block).get("type")
    return isinstance(kind, str) and (kind in RESULT_TYPES or wire_of_type(kind) is not None)


def _translated_result(turn: Turn, wire: WireName, adjustments: list[Adjustment]) -> Turn:
    """A result that holds blocks of another provider, or what is no block at all."""
    blocks: list[Block] = []
    for block in turn.blocks:
        if block["type"] in RESULT_BLOCKS or not _is_data(block, wire):
            blocks.append(block)
        elif block["type"] != "unknown" or not _has_home(block):
            blocks.append(_as_json_text(block, turn, adjustments))
        elif part := _translated_part(block):
            blocks.append(part)
    return replace(turn, blocks=tuple(blocks))


def _as_json_text(block: Block, turn: Turn, adjustments: list[Adjustment]) -> Block:
    value = block["value"] if block["type"] in ("unknown", "native") else without(block, "mark")
    kind = value.get("type", "without a type") if isinstance(value, Mapping) else type(value).__name__
    why = "A tool result has no such block: it is data, and was sent as JSON text."
    what = f"block {kind!r} in message {turn.position} (tool)"
    adjustments.append(Adjustment(what=what, why=why, lossless=True))
    return marked(TextBlock(type="text", text=data_text(value)), block.get("mark"))


def _translated_part(block: UnknownBlock) -> Block | None:
    value = block["value"]
    image = image_in(value)
    if image is not None:
        return image
    text = readable(value, ReferencedImages())
    return {"type": "text", "text": f"[{value['type']}: {text}]"} if text else None
