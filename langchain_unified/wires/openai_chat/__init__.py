"""OpenAI Chat Completions, and the servers that speak it."""

from langchain_unified.wires._wire import Wire
from langchain_unified.wires.openai_chat.caching import MARKS
from langchain_unified.wires.openai_chat.decode import decode
from langchain_unified.wires.openai_chat.encode import encode
from langchain_unified.wires.openai_chat.stream import stream_decoder

WIRE = Wire(
    name="openai_chat",
    provider="openai",
    path="/chat/completions",
    encode=encode,
    decode=decode,
    stream_decoder=stream_decoder,
    marks=MARKS,
)
