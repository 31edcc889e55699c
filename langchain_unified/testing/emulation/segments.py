"""By endpoint, how a body falls into the segments that a prompt cache sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from langchain_unified.caching.segments import Segment, anthropic_segments, chat_segments, responses_segments
from langchain_unified.request import JsonObject

SEGMENTS: Mapping[str, Callable[[JsonObject], list[Segment]]] = {
    "anthropic.messages": anthropic_segments,
    "anthropic.count_tokens": anthropic_segments,
    "openai.chat": chat_segments,
    "openai.responses": responses_segments,
    "openai.input_tokens": responses_segments,
}


def total(segments: Iterable[Segment]) -> int:
    """Tokens of a whole prompt."""
    return sum(segment.tokens for segment in segments)


__all__ = ["SEGMENTS", "Segment", "total"]
