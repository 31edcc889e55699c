"""The Anthropic Messages API: `POST /v1/messages`."""

from __future__ import annotations

from langchain_unified.wires._wire import Wire
from langchain_unified.wires.anthropic_messages.caching import MARKS
from langchain_unified.wires.anthropic_messages.decode import decode
from langchain_unified.wires.anthropic_messages.encode import encode, encode_count
from langchain_unified.wires.anthropic_messages.stream import stream_decoder

WIRE = Wire(
    name="anthropic_messages",
    provider="anthropic",
    path="/v1/messages",
    encode=encode,
    decode=decode,
    stream_decoder=stream_decoder,
    marks=MARKS,
    count_path="/v1/messages/count_tokens",
    encode_count=encode_count,
)

__all__ = ["WIRE"]
