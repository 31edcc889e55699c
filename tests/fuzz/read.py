"""One stream, read as the transport and the wires read it."""

from __future__ import annotations

import httpx2

from langchain_unified.errors import UnifiedError
from langchain_unified.request import WireName
from langchain_unified.transport._errors import ErrorMapper
from langchain_unified.transport._streams import EventReader
from langchain_unified.transport.client import load_sdk
from langchain_unified.transport.sse import SSEParser
from langchain_unified.wires import WIRES

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1")
MAPPERS = {provider: ErrorMapper(load_sdk(provider), "m") for provider in ("anthropic", "openai")}


def read(wire: WireName, data: bytes) -> None:
    """Read a stream: the first byte says how long its pieces are. An exception that is not ours goes through."""
    size = 1 + (data[0] if data else 0)
    response = httpx2.Response(200, request=REQUEST)
    reader = EventReader(SSEParser(), MAPPERS[WIRES[wire].provider], response, None)
    decoder = WIRES[wire].stream_decoder(size % 2 == 0)
    try:
        for at in range(1, len(data), size):
            for event in reader.feed(data[at : at + size]):
                list(decoder.feed(event))
            reader.check()
        for event in reader.flush():
            list(decoder.feed(event))
        reader.check()
        list(decoder.end(ended=reader.ended))
        decoder.close()
    except UnifiedError:
        pass
