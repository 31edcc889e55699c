"""What a request about a batch or a file is answered with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

JSON, JSONL, BYTES = "application/json", "application/x-jsonl", "application/octet-stream"


@dataclass(frozen=True, slots=True)
class ManagedReply:
    """An answer without a model. `body`: an object that is sent as JSON, or bytes."""

    body: object
    content_type: str = JSON
    status: int = 200


class ManagedRefusalError(Exception):
    """A request about a batch or a file is refused. `kind` is the type of the provider's error object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.kind, self.code, self.param = message, status, kind, code, param


Row = TypeVar("Row")


def limit_of(given: str | None, default: int, maximum: int) -> int:
    """The size of a page. Raises `ManagedRefusalError` for what is no number from 1 to `maximum`."""
    if given is None:
        return default
    if given.isdecimal() and 1 <= int(given) <= maximum:
        return int(given)
    raise ManagedRefusalError(f"limit: must be a number from 1 to {maximum}, not {given[:20]!r}.", param="limit")


def page_after(rows: Sequence[Row], ids: Sequence[str], after: str | None, limit: int) -> tuple[Sequence[Row], bool]:
    """The rows after an id, and whether there are more. An id that is not in the list has no rows after it."""
    start = 0 if after is None else ids.index(after) + 1 if after in ids else len(ids)
    return rows[start : start + limit], start + limit < len(ids)


def page_before(rows: Sequence[Row], ids: Sequence[str], before: str, limit: int) -> tuple[Sequence[Row], bool]:
    """The rows before an id, and whether there are more before them."""
    end = ids.index(before) if before in ids else 0
    start = max(0, end - limit)
    return rows[start:end], start > 0
