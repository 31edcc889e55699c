"""A provider's events as chunks, and the sum of chunks, on any wire."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_unified.wires import Wire


def chunks_of(wire: Wire, events: Iterable[Any], plain: bool = False) -> list[AIMessageChunk]:
    """The chunks of a complete stream; `plain`: texts come as `str`, not as blocks with an index."""
    decoder = wire.stream_decoder(plain)
    chunks = [chunk for event in events for chunk in decoder.feed(event)]
    chunks.extend(decoder.end())
    decoder.close()
    return chunks


def total(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    return add_ai_message_chunks(chunks[0], *chunks[1:])
