"""atheris on the readers of streams: any bytes in any pieces, and no exception that is not ours.

python -m tests.fuzz.readers anthropic_messages -max_total_time=600
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

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
    """Read a stream: the first byte says how long its pieces are."""
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


def main() -> None:
    atheris: Any = importlib.import_module("atheris")
    wire: Any = sys.argv.pop(1)
    for kind in (EventReader, SSEParser):
        for name, method in list(vars(kind).items()):
            if callable(method) and hasattr(method, "__code__"):
                setattr(kind, name, atheris.instrument_func(method))
    atheris.Setup(sys.argv, lambda data: read(wire, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
