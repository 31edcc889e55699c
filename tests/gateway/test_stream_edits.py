"""What changes in the bytes of a stream that passes, wherever the network cuts it."""

from __future__ import annotations

import json

import pytest

from langchain_unified.gateway.stream_edits import StreamEdits
from langchain_unified.request import WireName


def _typed(event: dict[str, object]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


TRAP = 'a "model": "m-1" in a text'
MESSAGES = [
    _typed({"type": "message_start", "message": {"id": "msg_1", "model": "m-1", "content": []}}),
    _typed({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TRAP}}),
    _typed({"type": "message_stop"}),
]
CHAT = [
    *(
        f"data: {json.dumps({'model': 'm-1', 'choices': [{'index': 0, 'delta': {'content': TRAP}}]})}\n\n".encode()
        for _ in range(2)
    ),
    f"data: {json.dumps({'model': 'm-1', 'choices': [], 'usage': {'prompt_tokens': 3}})}\n\n".encode(),
    b"data: [DONE]\n\n",
]
RESPONSES = [
    _typed({"type": "response.created", "response": {"id": "resp_1", "model": "m-1", "metadata": {"model": "m-1x"}}}),
    _typed({"type": "response.output_text.delta", "delta": TRAP}),
    _typed({"type": "response.completed", "response": {"id": "resp_1", "model": "m-1"}}),
]
STREAMS: dict[WireName, list[bytes]] = {
    "anthropic_messages": MESSAGES,
    "openai_chat": CHAT,
    "openai_responses": RESPONSES,
}


def through(edits: StreamEdits, data: bytes, size: int) -> bytes:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(edits.feed(part) if edits.wanted else part for part in parts) + edits.flush()


@pytest.mark.parametrize("wire", STREAMS)
@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_the_model_has_the_clients_name(size: int, wire: WireName) -> None:
    data = b"".join(STREAMS[wire])
    found = through(StreamEdits(wire, "my-alias"), data, size)
    assert found.count(b'"model": "my-alias"') == data.count(b'"model": "m-1"')
    assert found.replace(b'"my-alias"', b'"m-1"') == data


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_the_usage_that_was_not_asked_for_is_left_out(size: int) -> None:
    found = through(StreamEdits("openai_chat", hides_usage=True), b"".join(CHAT), size)
    assert found == b"".join([*CHAT[:2], CHAT[3]])


def test_a_stream_without_a_model_passes() -> None:
    data = b": ping\n\nevent: x\ndata: {}\n\ndata: not json\r\n\r\nrest"
    assert through(StreamEdits("openai_chat", "my-alias"), data, 5) == data
