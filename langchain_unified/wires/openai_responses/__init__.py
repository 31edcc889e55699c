"""OpenAI's Responses API."""

from __future__ import annotations

from langchain_unified.wires._wire import Wire
from langchain_unified.wires.openai_responses.caching import MARKS, SETTINGS, segments
from langchain_unified.wires.openai_responses.decode import decode
from langchain_unified.wires.openai_responses.encode import encode, encode_count
from langchain_unified.wires.openai_responses.params import NATIVE_KEYS, PARAMS
from langchain_unified.wires.openai_responses.stream import stream_decoder
from langchain_unified.wires.openai_responses.tools import CALL_IDS

WIRE = Wire(
    name="openai_responses",
    provider="openai",
    path="/responses",
    encode=encode,
    decode=decode,
    stream_decoder=stream_decoder,
    params=PARAMS,
    native_keys=NATIVE_KEYS,
    call_ids=CALL_IDS,
    marks=MARKS,
    segments=segments,
    settings=SETTINGS,
    count_path="/responses/input_tokens",
    encode_count=encode_count,
)
