"""Prompt-cache marks: where Responses takes them."""

from __future__ import annotations

from langchain_unified.caching.requested import assistant_blocks_before
from langchain_unified.request import Block, Request, Turn
from langchain_unified.wires._openai.caching import openai_rules, says
from langchain_unified.wires.openai_responses.blocks import item_in
from langchain_unified.wires.openai_responses.encode import ANSWERS, RESULTS

MARKABLE = frozenset({"input_text", "input_image", "input_file"})
"""Types of the API's own parts that take `prompt_cache_breakpoint`."""

TAKES = frozenset({"text", "text-plain", "search_result", "image", "file"})


def _takes(request: Request, at: int, block: Block) -> bool:
    """Whether a block carries a breakpoint: not in what the assistant said, nor in results that are no parts."""
    turn = request.turns[at]
    if turn.role == "assistant" or not says(block) or (turn.role == "tool" and not _has_parts(request, at, turn)):
        return False
    return block["value"].get("type") in MARKABLE if block["type"] == "native" else block["type"] in TAKES


def _has_parts(request: Request, at: int, turn: Turn) -> bool:
    """Whether a result goes out as a list of parts: not where it is a whole item, or answers a call in its own form."""
    if any(item_in(block) is not None for block in turn.blocks):
        return False
    return (turn.options.get("type") or _answer_to(request, at, turn)) not in RESULTS


def _answer_to(request: Request, at: int, turn: Turn) -> str | None:
    """The type of item that answers a call to one of the provider's own tools; `None` for any other call."""
    for block in assistant_blocks_before(request, at):
        value = block["value"] if block["type"] == "native" else {}
        if value.get("type") in ANSWERS and value.get("call_id") == turn.tool_call_id:
            return ANSWERS[value["type"]]
    return None


MARKS = openai_rules(_takes, option_ttls=("30m", "12h"))
