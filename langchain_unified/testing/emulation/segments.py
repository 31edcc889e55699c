"""By endpoint, how a body falls into the segments that a prompt cache sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from langchain_unified.caching.segments import Segment
from langchain_unified.request import JsonObject, Profile
from langchain_unified.wires import WIRES

SEGMENTS: Mapping[str, Callable[[JsonObject, Profile], list[Segment]]] = {
    "anthropic.messages": WIRES["anthropic_messages"].segments,
    "anthropic.count_tokens": WIRES["anthropic_messages"].segments,
    "openai.chat": WIRES["openai_chat"].segments,
    "openai.responses": WIRES["openai_responses"].segments,
    "openai.input_tokens": WIRES["openai_responses"].segments,
}


def total(segments: Iterable[Segment]) -> int:
    """Tokens of a whole prompt."""
    return sum(segment.tokens for segment in segments)


__all__ = ["SEGMENTS", "Segment", "total"]
