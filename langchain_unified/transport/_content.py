"""Whether an event of a stream carries a part of the answer: it decides about retries and idle timeouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.request import JsonObject

PREAMBLE = frozenset(
    {"message_start", "ping", "keepalive", "response.created", "response.queued", "response.in_progress"}
)
"""Events that say only that the server is at work."""


def has_content(event: JsonObject) -> bool:
    """Whether the event adds to the answer or ends it. Empty deltas, and blocks that begin empty, do not.

    An event of an unknown type counts.
    """
    kind = event.get("type")
    if not isinstance(kind, str):
        return _of_chat(event)
    if kind in PREAMBLE:
        return False
    if kind in BY_TYPE:
        return BY_TYPE[kind](event)
    return bool(event.get("delta")) if kind.endswith(".delta") else True


def _of_chat(event: JsonObject) -> bool:
    choices = event.get("choices")
    if event.get("usage") or not isinstance(choices, list):
        return True
    return any(_of_choice(choice) for choice in choices)


def _of_choice(choice: Any) -> bool:
    if not isinstance(choice, dict):
        return True
    delta = choice.get("delta") or choice.get("message") or {}
    if choice.get("finish_reason") or not isinstance(delta, dict):
        return True
    return any(value and key != "role" for key, value in delta.items())


def _of_block(event: JsonObject) -> bool:
    """Of a block or item that begins: whether it is more than the frame of what follows."""
    block = event.get("content_block") or event.get("part") or event.get("item")
    if not isinstance(block, dict):
        return True
    if block.get("type") not in EMPTY_AT_FIRST:
        return True
    return any(value for key, value in block.items() if key in ("text", "thinking", "content", "summary", "refusal"))


EMPTY_AT_FIRST = frozenset(
    {"text", "thinking", "message", "reasoning", "output_text", "summary_text", "reasoning_text", "refusal"}
)


def _of_delta(event: JsonObject) -> bool:
    delta = event.get("delta")
    return not isinstance(delta, dict) or any(value and key != "type" for key, value in delta.items())


BY_TYPE: Mapping[str, Callable[[JsonObject], bool]] = {
    "content_block_start": _of_block,
    "content_block_delta": _of_delta,
    "response.output_item.added": _of_block,
    "response.content_part.added": _of_block,
    "response.reasoning_summary_part.added": _of_block,
}
