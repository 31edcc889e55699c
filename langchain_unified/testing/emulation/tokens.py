"""How many tokens an answer has, estimated like the prompts (`caching/tokens.py`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_unified.caching.tokens import text_tokens, wire_tokens
from langchain_unified.request.blocks import Block


def output_tokens(blocks: Iterable[Block]) -> tuple[int, int]:
    """`(output, reasoning)` tokens of an answer. The output includes the reasoning."""
    counted = [(block["type"], block_tokens(block)) for block in blocks]
    return sum(count for _, count in counted), sum(count for kind, count in counted if kind == "reasoning")


def block_tokens(block: Block) -> int:
    """The tokens of one block."""
    if block["type"] == "tool_call" or block["type"] == "invalid_tool_call":
        return text_tokens(str(block["name"]) + arguments_text(block))
    if block["type"] == "native":
        return wire_tokens(block["value"])
    return text_tokens(str(block.get({"reasoning": "reasoning", "refusal": "refusal"}.get(block["type"], "text"), "")))


def arguments_text(block: Mapping[str, Any]) -> str:
    """The arguments of a tool call as the text that the model writes."""
    args = block.get("args")
    return args if isinstance(args, str) else json.dumps(args or {}, ensure_ascii=False)
