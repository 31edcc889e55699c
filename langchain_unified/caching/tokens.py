"""A deterministic estimate of the tokens in a body of any API: one for four characters, a fixed number for media.

Each block is counted by itself: the counts of a prompt's blocks add up to that of the prompt, and a longer conversation
keeps the counts of the shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.messages.json_text import compact_json

CHARACTERS = 4
"""Characters in one token."""

IMAGE, DOCUMENT, AUDIO = 1000, 2000, 500
"""Tokens of an image, of a file that is not text, and of a piece of audio, whatever their size."""


def text_tokens(text: str) -> int:
    """Tokens of a text; 0 for none."""
    return -(-len(text) // CHARACTERS)


def wire_tokens(block: Any) -> int:
    """Tokens of one block, part, item or tool of a request's body, of any of the APIs."""
    if isinstance(block, str):
        return text_tokens(block)
    counter = COUNTERS.get(str(block.get("type")))
    return text_tokens(_text(block)) if counter is None else counter(block)


def _sum(blocks: Any) -> int:
    return sum(map(wire_tokens, blocks)) if isinstance(blocks, list) else text_tokens(str(blocks or ""))


def _document(block: Mapping[str, Any]) -> int:
    source = block.get("source") or {}
    if source.get("type") == "text":
        return text_tokens(str(source.get("data", "")))
    return _sum(source.get("content")) if source.get("type") == "content" else DOCUMENT


def _reasoning(item: Mapping[str, Any]) -> int:
    return sum(text_tokens(str(part.get("text", ""))) for part in item.get("summary") or ())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact_json(value, sort_keys=True)


def _texts(*keys: str) -> Callable[[Mapping[str, Any]], int]:
    def count(block: Mapping[str, Any]) -> int:
        return text_tokens("".join(_text(block.get(key, "")) for key in keys))

    return count


def _fixed(tokens: int) -> Callable[[Mapping[str, Any]], int]:
    def count(block: Mapping[str, Any]) -> int:
        return tokens

    return count


COUNTERS: Mapping[str, Callable[[Mapping[str, Any]], int]] = {
    "text": _texts("text"),
    "input_text": _texts("text"),
    "output_text": _texts("text"),
    "refusal": _texts("refusal"),
    "thinking": _texts("thinking"),
    "image": _fixed(IMAGE),
    "image_url": _fixed(IMAGE),
    "input_image": _fixed(IMAGE),
    "document": _document,
    "file": _fixed(DOCUMENT),
    "input_file": _fixed(DOCUMENT),
    "input_audio": _fixed(AUDIO),
    "tool_use": _texts("name", "input"),
    "tool_result": lambda block: _sum(block.get("content")),
    "function_call": _texts("name", "arguments"),
    "custom_tool_call": _texts("name", "input"),
    "function_call_output": lambda item: _sum(item.get("output")),
    "custom_tool_call_output": lambda item: _sum(item.get("output")),
    "reasoning": _reasoning,
}
