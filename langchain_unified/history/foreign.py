"""Turns of another provider or another model -> turns that the target reads.

An answer of another provider is put into words (`words.py`), tool results become what the target takes (`returned.py`).
Reasoning is bound to the model that produced it, so a turn of another model of the same provider loses its reasoning.
On the Responses API, items that were stored after a reasoning item cannot be sent without it: they lose their ids, and
are put into words where they need one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from langchain_unified.history.carried import is_carried
from langchain_unified.history.returned import result_as_taken
from langchain_unified.history.words import Translated, in_words, needs_words
from langchain_unified.messages.assistant import standard_blocks
from langchain_unified.request import Adjustment, Turn, WireName
from langchain_unified.request.blocks import Block, TextBlock, changed, raw_value, without


def is_foreign(turn: Turn, wire: WireName, model: str) -> bool:
    """Whether a turn has anything that the target cannot read as it is."""
    if turn.role == "tool":
        return not all(is_carried(block, wire) for block in turn.blocks)
    if turn.role != "assistant":
        return False
    if turn.origin != wire:
        return needs_words(turn)
    if any(block["type"] in NOT_IN_ANSWERS for block in turn.blocks):
        return True
    is_other = OTHER_SERVER in turn.options or not same_model(turn.model, model)
    return is_other and any(map(is_reasoning, turn.blocks))


OTHER_SERVER = "other_server"
"""Key in a turn's options: another server wrote it than the one that is asked."""


NOT_IN_ANSWERS = frozenset({"tool_result", "unknown"})
"""Blocks that no answer has: programs put them there."""


def translated(turn: Turn, wire: WireName, model: str, adjustments: list[Adjustment]) -> Translated:
    """A turn as the target reads it; the same object where nothing changes.

    `model` is the target model; an empty name stands for the model that produced the turn.
    """
    if not is_foreign(turn, wire, model):
        return Translated(turn)
    if turn.role == "tool":
        return result_as_taken(turn, wire, adjustments)
    if turn.origin != wire:
        return in_words(turn, turn.blocks, adjustments)
    if same_model(turn.model, model):
        found = in_words(turn, turn.blocks, adjustments)
        return found._replace(turn=replace(found.turn, origin=turn.origin, model=turn.model))
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
    if block["type"] in ("tool_call", "invalid_tool_call"):
        extras = {key: item for key, item in (block.get("extras") or {}).items() if key != "item_id"}
        return (changed(without(block, "extras"), **({"extras": extras} if extras else {})),)
    if block["type"] not in ("native", "refusal"):
        return (block,)
    value: Mapping[str, Any] = raw_value(block) if block["type"] == "native" else block
    if value.get("type") in ("function_call", "custom_tool_call"):
        return (changed(block, value={key: item for key, item in value.items() if key != "id"}),)
    if value.get("type") == "message":
        return [TextBlock(type="text", text=str(part.get("text") or "")) for part in value.get("content") or ()]
    if value.get("type") == "refusal":
        return ({"type": "refusal", "refusal": value.get("refusal") or ""},)
    return standard_blocks(value, "openai_responses", "openai_responses")
