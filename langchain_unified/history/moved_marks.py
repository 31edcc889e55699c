"""Prompt-cache marks on blocks that a repair leaves out: they move to the nearest block before that stays."""

from __future__ import annotations

from dataclasses import replace

from langchain_unified.history.foreign import REASONING, is_reasoning
from langchain_unified.messages.cache_marks import mark_last
from langchain_unified.request import Adjustment, Turn
from langchain_unified.request.blocks import Block, Mark, changed, raw_value, without


def move_marks(turns: tuple[Turn, ...], adjustments: list[Adjustment]) -> tuple[Turn, ...]:
    """The turns without marks on empty texts and on reasoning; the same object where there are none."""
    if not any("mark" in block and is_omittable(turn, block) for turn in turns for block in turn.blocks):
        return turns
    blocks = [[*turn.blocks] for turn in turns]
    last: tuple[int, int] | None = None
    for at, turn in enumerate(turns):
        for index, block in enumerate(turn.blocks):
            if not is_omittable(turn, block):
                last = at, index
            elif "mark" in block:
                blocks[at][index] = without(block, "mark")
                _move(blocks, block["mark"], last, turn, adjustments)
    return tuple(_with_blocks(turn, found) for turn, found in zip(turns, map(tuple, blocks), strict=True))


def _move(
    blocks: list[list[Block]],
    mark: Mark,
    last: tuple[int, int] | None,
    turn: Turn,
    adjustments: list[Adjustment],
) -> None:
    if last is None:
        what = f"the prompt-cache mark on message {turn.position} ({turn.role})"
        adjustments.append(Adjustment(what=what, why="No block at or before it can carry a mark."))
        return
    at, index = last
    if "mark" not in blocks[at][index]:
        blocks[at][index] = changed(blocks[at][index], mark=mark)


def keep_last_mark(turn: Turn, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks that replace those of a turn, with the turn's last mark at the end where they have none."""
    marks = [block["mark"] for block in turn.blocks if "mark" in block]
    if not marks or any("mark" in block for block in blocks):
        return blocks
    return tuple(mark_last(blocks, marks[-1]))


def _with_blocks(turn: Turn, blocks: tuple[Block, ...]) -> Turn:
    return turn if blocks == turn.blocks else replace(turn, blocks=blocks)


def is_omittable(turn: Turn, block: Block) -> bool:
    """Whether a block can be left out: an empty text or reasoning. A tool result stays, also an empty one."""
    if turn.role == "tool":
        return False
    foreign_reasoning = block["type"] == "foreign" and raw_value(block).get("type") in REASONING
    return foreign_reasoning or is_blank(block) or is_reasoning(block)


def is_blank(block: Block) -> bool:
    """Whether a block is a text of white space only."""
    return block["type"] == "text" and not block["text"].strip()
