"""How many tokens an answer has, estimated like the prompts (`caching/tokens.py`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_unified.caching.tokens import text_tokens, wire_tokens
from langchain_unified.request.blocks import Block
from langchain_unified.wires._completion import Tokens


@dataclass(slots=True)
class Totals:
    """What the emulator has answered since it was made, live and in batches: what a provider would bill.

    `answers`: of models; those whose connection broke count as well. `input_tokens`: of the prompts, with those that
    were read from a cache (`cache_read`) or written to it (`cache_write`). `output_tokens`: with the reasoning.
    """

    answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def add(self, prompt: Tokens, output: int) -> None:
        """Count one answer."""
        self.answers += 1
        self.input_tokens += prompt_total(prompt)
        self.output_tokens += output
        self.cache_read += prompt.cache_read
        self.cache_write += prompt.cache_write_short + prompt.cache_write_long


def prompt_total(tokens: Tokens) -> int:
    """All tokens of a prompt."""
    return tokens.uncached + tokens.cache_read + tokens.cache_write_short + tokens.cache_write_long


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
