"""OpenAI's Responses API."""

from __future__ import annotations

from langchain_unified.wires._wire import Wire
from langchain_unified.wires.openai_responses.caching import MARKS
from langchain_unified.wires.openai_responses.decode import decode
from langchain_unified.wires.openai_responses.encode import encode, encode_count
from langchain_unified.wires.openai_responses.stream import stream_decoder

WIRE = Wire(
    name="openai_responses",
    provider="openai",
    path="/responses",
    encode=encode,
    decode=decode,
    stream_decoder=stream_decoder,
    marks=MARKS,
    count_path="/responses/input_tokens",
    encode_count=encode_count,
)
