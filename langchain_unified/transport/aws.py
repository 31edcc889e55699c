"""Amazon's event stream format, in which Bedrock sends the events of the Messages API.

A message consists of its length, the length of its headers and a checksum of both (4 bytes each), the headers, the
payload, and a checksum (4 bytes). The payload of a chunk is `{"bytes": <base64 of one event>}`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

CONTENT_TYPE = "application/vnd.amazon.eventstream"

EXCEPTIONS: Mapping[str, int] = {
    "internalServerException": 500,
    "modelStreamErrorException": 500,  # documented as 424, "retry your request"
    "modelTimeoutException": 408,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}
"""HTTP status of an exception that Bedrock sends in a stream (API reference, `ResponseStream`)."""

STRING = 7
FIXED_SIZES: Mapping[int, int] = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Size of a header's value in bytes, by its type. Types 6 and 7 (bytes and strings) begin with their size."""


class AwsParser:
    """Parses Amazon's event stream from chunks cut anywhere. An exception becomes an `error` event."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        buffer = self._buffer + chunk
        found: list[bytes] = []
        at = 0
        while len(buffer) - at >= 16:
            size = int.from_bytes(buffer[at : at + 4], "big")
            if size < 16:
                # Not this format, or out of step. The bytes go out unchanged, so that parsing them as JSON fails.
                found.append(buffer[at:])
                at = len(buffer)
                break
            if len(buffer) - at < size:
                break
            found.extend(_event(buffer[at : at + size]))
            at += size
        self._buffer = buffer[at:]
        return found

    @property
    def held(self) -> int:
        return len(self._buffer)

    def flush(self) -> list[bytes]:
        return []


def _event(message: bytes) -> Iterator[bytes]:
    end_of_headers = 12 + int.from_bytes(message[4:8], "big")
    headers = dict(_headers(message[12:end_of_headers]))
    payload = message[end_of_headers:-4]
    if binascii.crc32(message[:-4]) != int.from_bytes(message[-4:], "big"):
        yield message  # damaged: parsing it as JSON fails
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
        details: Any = orjson.loads(payload)
    except orjson.JSONDecodeError:
        details = {}
    message = details.get("message") if isinstance(details, dict) else None
    message = message or headers.get(":error-message") or payload.decode(errors="replace")
    error = {"type": name, "code": EXCEPTIONS.get(name, 500), "message": message}
    return orjson.dumps({"type": "error", "error": error})
