"""Amazon's event stream framing, in which Bedrock sends the events of the Messages API.

A message is: total length, length of the headers, checksum of these two (4 bytes each); headers; payload; checksum
(4 bytes). The payload of a chunk is `{"bytes": <base64 of one event>}`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

CONTENT_TYPE = "application/vnd.amazon.eventstream"

# HTTP status of what Bedrock reports inside a stream (API reference, `ResponseStream`).
EXCEPTIONS: Mapping[str, int] = {
    "internalServerException": 500,
    "modelStreamErrorException": 500,  # documented as 424, "retry your request"
    "modelTimeoutException": 408,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}
STRING = 7
FIXED_SIZES: Mapping[int, int] = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value by its type; types 6 and 7 (bytes and strings) carry their length."""


class AwsParser:
    """Bytes in, the events' JSON out. An exception becomes an `error` event."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        buffer = self._buffer + chunk
        found: list[bytes] = []
        at = 0
        while len(buffer) - at >= 16:
            size = int.from_bytes(buffer[at : at + 4], "big")
            if size < 16:
                # Not this framing, or out of step: what came goes on as it is, and fails as JSON.
                found.append(buffer[at:])
                at = len(buffer)
                break
            if len(buffer) - at < size:
                break
            found.extend(_event(buffer[at : at + size]))
            at += size
        self._buffer = buffer[at:]
        return found

    def flush(self) -> list[bytes]:
        return []


def _event(message: bytes) -> Iterator[bytes]:
    end_of_headers = 12 + int.from_bytes(message[4:8], "big")
    headers = dict(_headers(message[12:end_of_headers]))
    payload = message[end_of_headers:-4]
    if binascii.crc32(message[:-4]) != int.from_bytes(message[-4:], "big"):
        yield message  # damaged on its way: fails as JSON
    elif headers.get(":message-type", "event") != "event":
        yield _exception(headers, payload)
    elif headers.get(":event-type", "chunk") == "chunk":
        yield base64.b64decode(orjson.loads(payload)["bytes"])


def _headers(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        name, kind = data[at + 1 : name_end].decode(), data[name_end]
        at = name_end + 1
        size = FIXED_SIZES.get(kind)
        if size is None:
            size, at = int.from_bytes(data[at : at + 2], "big"), at + 2
        if kind == STRING:
            yield name, data[at : at + size].decode()
        at += size


def _exception(headers: Mapping[str, str], payload: bytes) -> bytes:
    name = headers.get(":exception-type") or headers.get(":error-code") or "error"
    try:
        told: Any = orjson.loads(payload)
    except orjson.JSONDecodeError:
        told = {}
    message = told.get("message") if isinstance(told, dict) else None
    message = message or headers.get(":error-message") or payload.decode(errors="replace")
    error = {"type": name, "code": EXCEPTIONS.get(name, 500), "message": message}
    return orjson.dumps({"type": "error", "error": error})
