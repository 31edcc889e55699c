"""A recorded stream gives the same message however the network cuts it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from langchain_core.messages import AIMessageChunk

from langchain_unified.transport.sse import SSEParser
from langchain_unified.wires import WIRES, Wire
from tests.support.corpus import WIRE_OF, label, needs_corpus, sse_events, streams
from tests.support.server import split
from tests.support.streams import chunks_of, total

pytestmark = needs_corpus

ALL = [pytest.param(exchange, id=label(exchange)) for endpoint in WIRE_OF for exchange in streams(endpoint)]


def message_of(wire: Wire, events: list[dict[str, Any]]) -> AIMessageChunk:
    return total(chunks_of(wire, events))


def parsed(pieces: list[bytes]) -> list[dict[str, Any]]:
    parser = SSEParser()
    payloads = [payload for piece in pieces for payload in parser.feed(piece)] + list(parser.flush())
    return [orjson.loads(payload) for payload in payloads if payload != b"[DONE]"]


@pytest.mark.parametrize("exchange", ALL)
def test_any_cut_gives_the_same_message(exchange: dict[str, Any]) -> None:
    wire, text = WIRES[WIRE_OF[exchange["endpoint"]]], exchange["response"]["sse"]
    expected = message_of(wire, sse_events(text))
    assert expected.response_metadata["finish_reason"]
    data = text.encode()
    for size in (1, 7, len(data)):
        events = [event for event in parsed(split(data, size)) if event.get("type") != "ping"]
        assert message_of(wire, events) == expected
