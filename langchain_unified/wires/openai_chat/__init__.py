"""OpenAI Chat Completions, and the servers that speak it."""

from langchain_unified.wires._wire import Wire
from langchain_unified.wires.openai_chat.caching import CONTROL_MARKS, MARKS, SETTINGS, segments
from langchain_unified.wires.openai_chat.decode import decode
from langchain_unified.wires.openai_chat.encode import encode
from langchain_unified.wires.openai_chat.params import NATIVE_KEYS, PARAMS
from langchain_unified.wires.openai_chat.stream import stream_decoder
from langchain_unified.wires.openai_chat.tools import CALL_IDS

WIRE = Wire(
    name="openai_chat",
    provider="openai",
    path="/chat/completions",
    encode=encode,
    decode=decode,
    stream_decoder=stream_decoder,
    params=PARAMS,
    native_keys=NATIVE_KEYS,
    call_ids=CALL_IDS,
    marks=MARKS,
    control_marks=CONTROL_MARKS,
    segments=segments,
    settings=SETTINGS,
)
