"""The Anthropic Messages API: `POST /v1/messages`."""

from __future__ import annotations

from langchain_unified.wires._wire import Wire
from langchain_unified.wires.anthropic_messages.caching import MARKS, SETTINGS, segments
from langchain_unified.wires.anthropic_messages.decode import decode
from langchain_unified.wires.anthropic_messages.encode import encode, encode_count
from langchain_unified.wires.anthropic_messages.params import NATIVE_KEYS, PARAMS
from langchain_unified.wires.anthropic_messages.stream import stream_decoder
from langchain_unified.wires.anthropic_messages.tools import CALL_IDS

WIRE = Wire(
    name="anthropic_messages",
    provider="anthropic",
    path="/v1/messages",
    encode=encode,
    decode=decode,
    stream_decoder=stream_decoder,
    params=PARAMS,
    native_keys=NATIVE_KEYS,
    call_ids=CALL_IDS,
    marks=MARKS,
    segments=segments,
    settings=SETTINGS,
    count_path="/v1/messages/count_tokens",
    encode_count=encode_count,
)

__all__ = ["WIRE"]
