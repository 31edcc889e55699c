"""Multipart bodies in a form that is the same for equal uploads.

A client makes a random boundary for each upload. Here the boundary is always the same, and the parts stand in the order
of their names, so that bodies can be compared and read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

BOUNDARY = "cassette-part"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"

_BOUNDARY = re.compile(r'boundary="?([^";\s]+)', re.IGNORECASE)
_NAME = re.compile(r'\bname="([^"]*)"')
_FILENAME = re.compile(r'\bfilename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Part:
    """One field or file of a form. Header names are lower case."""

    headers: tuple[tuple[str, str], ...]
    data: bytes

    @property
    def name(self) -> str:
        """The name of the field; empty without one."""
        found = _NAME.search(dict(self.headers).get("content-disposition", ""))
        return found[1] if found else ""

    @property
    def filename(self) -> str | None:
        """The name of the file; `None` for a field."""
        found = _FILENAME.search(dict(self.headers).get("content-disposition", ""))
        return found[1] if found else None


def parts_of(body: bytes, content_type: str) -> list[Part] | None:
    """The parts of a body; `None` if it is no complete multipart body of this content type."""
    boundary = _BOUNDARY.search(content_type) if "multipart/form-data" in content_type.lower() else None
    if boundary is None:
        return None
    opening, *pieces = (b"\r\n" + body).split(f"\r\n--{boundary[1]}".encode())
    if opening or not pieces or not pieces[-1].startswith(b"--"):
        return None
    parts = [_part(piece) for piece in pieces[:-1]]
    return None if None in parts else [part for part in parts if part is not None]


def _part(piece: bytes) -> Part | None:
    head, blank, data = piece.partition(b"\r\n\r\n")
    try:
        lines = [line.partition(":") for line in head.decode().split("\r\n") if line.strip()]
    except UnicodeDecodeError:
        return None
    if not blank or not all(colon for _, colon, _ in lines):
        return None
    return Part(tuple(sorted((name.strip().lower(), value.strip()) for name, _, value in lines)), data)


def body_of(parts: Iterable[Part]) -> bytes:
    """The body of the parts, with the content type `CONTENT_TYPE`."""
    pieces = []
    for part in sorted(parts, key=lambda part: part.name):
        head = "".join(f"{name}: {value}\r\n" for name, value in part.headers)
        pieces += [f"--{BOUNDARY}\r\n{head}\r\n".encode(), part.data, b"\r\n"]
    return b"".join([*pieces, f"--{BOUNDARY}--\r\n".encode()])
