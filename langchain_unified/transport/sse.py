"""Event streams as bytes come in: no I/O, no JSON, only where an event's data begins and ends."""

from __future__ import annotations

from typing import Protocol

BOM = b"\xef\xbb\xbf"


class Parser(Protocol):
    """Bytes in, the data of the events they complete out."""

    def feed(self, chunk: bytes) -> list[bytes]: ...

    def flush(self) -> list[bytes]: ...


class SSEParser:
    """Server-sent events. `feed` takes chunks cut anywhere, and gives the data of each event that is complete.

    Lines may end in LF, CRLF or CR. Comments and the fields `event`, `id` and `retry` are skipped: both providers name
    the event in its data as well. `flush` gives the data of a last event that no blank line ended.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._ended_in_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[bytes]:
        if self._ended_in_cr or b"\r" in chunk:
            chunk = self._unix(chunk)
        parts = self._parts
        parts.append(chunk)
        # A long event comes in many chunks without any line end: they are joined once, not at each chunk.
        if b"\n" not in chunk:
            return []
        if len(parts) > 1:
            chunk = b"".join(parts)
        parts.clear()
        end = chunk.rfind(b"\n\n")
        if end < 0:
            parts.append(chunk)
            return []
        if end + 2 < len(chunk):
            parts.append(chunk[end + 2 :])
        return self._data(chunk[:end])

    def flush(self) -> list[bytes]:
        rest = b"".join(self._parts)
        self._parts.clear()
        return self._data(rest)

    def _unix(self, chunk: bytes) -> bytes:
        """The chunk with LF line ends. A CR at its end counts at once, and the LF that may follow it is dropped."""
        if self._ended_in_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            if not chunk:
                self._ended_in_cr = False
                return chunk
        self._ended_in_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _data(self, events: bytes) -> list[bytes]:
        if self._at_start:
            self._at_start = False
            events = events.removeprefix(BOM)
        return [data for event in events.split(b"\n\n") if (data := _data_of(event))]


def _data_of(event: bytes) -> bytes:
    """The data of one event; empty where it has none. Usually one line, first or after `event:`."""
    at = 5 if event.startswith(b"data:") else event.find(b"\ndata:") + 6
    if at < 6 and not event.startswith(b"data:"):
        return b""
    if event.find(b"\n", at) >= 0:
        return b"\n".join(_value(line) for line in event.split(b"\n") if line.startswith(b"data:"))
    return event[at + 1 :] if event[at : at + 1] == b" " else event[at:]


def _value(line: bytes) -> bytes:
    return line[6:] if line.startswith(b"data: ") else line[5:]
