from __future__ import annotations

import base64
import binascii
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_unified.transport.aws import AwsParser
from langchain_unified.transport.sse import SSEParser
from tests.support.server import split

CASES = [
    (b'event: ping\ndata: {"a": 1}\n\n', [b'{"a": 1}']),
    (b'data: {"a": 1}\n\ndata: {"b": 2}\n\n', [b'{"a": 1}', b'{"b": 2}']),
    (b'data: {"a": 1}\r\n\r\ndata: {"b": 2}\r\n\r\n', [b'{"a": 1}', b'{"b": 2}']),
    (b"data: 1\r\rdata: 2\r\r", [b"1", b"2"]),
    (b"data:1\n\ndata:2\n\n", [b"1", b"2"]),
    (b"data:  two spaces\n\n", [b" two spaces"]),
    (b": comment\n\ndata: 1\n\n: keep-alive\n\n", [b"1"]),
    (b": comment\ndata: 1\n\n", [b"1"]),
    (b"id: 7\nretry: 10\nevent: x\ndata: 1\nid: 8\n\n", [b"1"]),
    (b"data: one\ndata: two\n\n", [b"one\ntwo"]),
    (b"event: x\ndata: one\ndata:\ndata: two\n\n", [b"one\n\ntwo"]),
    (b"\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", [b"1", b"2"]),
    (b"\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n", [b"1", b"2"]),
    (b"data: [DONE]\n\n", [b"[DONE]"]),
    (b"event: only\n\n", []),
    (b"data:\n\ndata: 1\n\n", [b"1"]),
    (b"data: no blank line at the end", [b"no blank line at the end"]),
    (b"data: 1\n\nevent: x\ndata: 2\n", [b"1", b"2"]),
    (b"datax: 0\n\ndata: 1\n\n", [b"1"]),
    ("data: ümläut 🎈\n\n".encode(), ["ümläut 🎈".encode()]),
    (b"", []),
]


def parsed(data: bytes, size: int) -> list[bytes]:
    parser = SSEParser()
    found = [payload for chunk in split(data, size) for payload in parser.feed(chunk)]
    return found + parser.flush()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize("data,expected", CASES)
def test_events_are_the_same_however_the_bytes_are_cut(data, expected, size):
    assert parsed(data, size) == expected


def test_an_event_comes_out_with_the_chunk_that_completes_it():
    parser = SSEParser()
    assert parser.feed(b"data: 1\n") == []
    assert parser.feed(b"\ndata: 2") == [b"1"]
    assert parser.feed(b"\r\n\r") == [b"2"]
    assert parser.feed(b"\n") == []
    assert parser.flush() == []


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
events = st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=6)


@given(
    events=events,
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    head=st.sampled_from([b"", b"event: x", b": comment", b"id: 1"]),
    field=st.sampled_from([b"data: ", b"data:"]),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=30),
)
def test_generated_events_survive_any_framing(events, end, head, field, cuts):
    payloads = [json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass") for event in events]
    data = b"".join((head and head + end) + field + payload + end + end for payload in payloads)
    parser, found, at, turn = SSEParser(), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        found += parser.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert found + parser.flush() == payloads


# --- Amazon's framing -------------------------------------------------------------------------------------------------


def aws_message(headers: dict[str, str], payload: bytes) -> bytes:
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + len(value).to_bytes(2, "big") + value.encode()
        for name, value in headers.items()
    )
    prelude = (16 + len(packed) + len(payload)).to_bytes(4, "big") + len(packed).to_bytes(4, "big")
    message = prelude + binascii.crc32(prelude).to_bytes(4, "big") + packed + payload
    return message + binascii.crc32(message).to_bytes(4, "big")


def aws_chunk(event: dict[str, object]) -> bytes:
    payload = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abc"}).encode()
    return aws_message({":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}, payload)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_aws_chunks_are_unwrapped(size):
    sent = [
        {"type": "message_start"},
        {"type": "content_block_delta", "delta": {"text": "hé"}},
        {"type": "message_stop"},
    ]
    parser = AwsParser()
    found = [data for chunk in split(b"".join(map(aws_chunk, sent)), size) for data in parser.feed(chunk)]
    assert [json.loads(data) for data in found] == sent


def test_aws_exceptions_become_error_events():
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    (data,) = AwsParser().feed(aws_message(headers, b'{"message": "Too many tokens"}'))
    assert json.loads(data) == {
        "type": "error",
        "error": {"type": "throttlingException", "code": 429, "message": "Too many tokens"},
    }


def is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def test_aws_damage_is_not_taken_for_an_event():
    message = bytearray(aws_chunk({"type": "message_stop"}))
    message[-6] ^= 1
    (data,) = AwsParser().feed(bytes(message))
    assert not is_json(data)
