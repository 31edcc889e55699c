"""Server-sent events: bytes in, the data of each event out. No I/O, no JSON."""

from __future__ import annotations

from typing import Protocol

BOM = b"\xef\xbb\xbf"


class ErrorData(bytes):
    """The data of an event that is named `error`: whatever its text is, it reports an error."""


class Parser(Protocol):
    """Takes a stream's bytes in chunks, and returns the data of the events that each chunk completes."""

    def feed(self, chunk: bytes) -> list[bytes]: ...

    def flush(self) -> list[bytes]: ...

    @property
    def held(self) -> int:
        """The bytes of an event that is not complete."""


class SSEParser:
    """Parses server-sent events from chunks cut anywhere.

    Lines may end in LF, CRLF or CR. Comments and the fields `event`, `id` and `retry` are skipped: the data names the
    event's type as well, except that of `error` events of some servers (`ErrorData`). `flush` returns the data of a
    last event that no blank line ended.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._head: bytes | None = b""
        self._ended_in_cr = False
        self._special = True
        self.held = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        if self._special or b"\r" in chunk:
            chunk = self._unix(self._without_bom(chunk))
        parts = self._parts
        if parts:
            # A long event comes in many chunks: join them once, not at each chunk.
            is_open = b"\n\n" not in chunk and not (chunk[:1] == b"\n" and parts[-1][-1:] == b"\n")
            parts.append(chunk)
            if is_open:
                self.held += len(chunk)
                return []
            chunk = b"".join(parts)
            parts.clear()
        end = chunk.rfind(b"\n\n")
        if end < 0:
            if chunk:
                parts.append(chunk)
            self.held = len(chunk)
            return []
        if end + 2 != len(chunk):
            parts.append(chunk[end + 2 :])
            self.held = len(parts[0])
        return [data for event in chunk[:end].split(b"\n\n") if (data := _data_of(event))]

    def flush(self) -> list[bytes]:
        rest = b"".join([*self._parts, self._head or b""])
        self._parts.clear()
        return [data for event in rest.split(b"\n\n") if (data := _data_of(event))]

    def _without_bom(self, chunk: bytes) -> bytes:
        """The chunk without the byte order mark that may begin a stream, also if it comes in several chunks."""
        if self._head is None:
            return chunk
        self._head += chunk
        if len(self._head) < len(BOM) and BOM.startswith(self._head):
            return b""
        chunk, self._head = self._head.removeprefix(BOM), None
        return chunk

    def _unix(self, chunk: bytes) -> bytes:
        """The chunk with LF line ends. A CR at its end is one; an LF that begins the next chunk is then dropped."""
        if self._ended_in_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._ended_in_cr = False
        self._ended_in_cr = self._ended_in_cr or chunk.endswith(b"\r")
        self._special = self._ended_in_cr or self._head is not None
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data_of(event: bytes) -> bytes:
    """The data of one event; empty if it has none. Fast path: one line, which comes first or after `event:`."""
    if event.startswith(b"data:"):
        at = 5
    elif (at := event.find(b"\ndata:") + 6) == 5:
        return b""
    if event.find(b"\n", at) >= 0:
        return _data_of_lines(event.split(b"\n"))
    data = event[at + 1 :] if event[at : at + 1] == b" " else event[at:]
    return ErrorData(data) if event.startswith(ERROR_NAMES) else data


ERROR_NAMES = (b"event: error\n", b"event:error\n")


def _data_of_lines(lines: list[bytes]) -> bytes:
    data = b"\n".join(_value(line) for line in lines if line.startswith(b"data:"))
    is_error = any(line + b"\n" in ERROR_NAMES for line in lines)
    return ErrorData(data) if is_error else data


def _value(line: bytes) -> bytes:
    return line[6:] if line.startswith(b"data: ") else line[5:]
