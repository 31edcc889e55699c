"""The files of OpenAI: those that are uploaded, and those that batches write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.batches.reply import (
    BYTES,
    ManagedRefusalError,
    ManagedReply,
    limit_of,
    page_after,
)
from langchain_unified.testing.emulation.cache import Clock

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
"""What a file may be uploaded for (SDK: `FilePurpose`)."""

MONTH = 2_592_000
HOUR = 3_600
PAGE = 10_000
"""The largest page of the list, and the one without a limit (SDK: `FileListParams`)."""

MAX_BATCH_BYTES = 200_000_000
"""Of a file of a batch (SDK: `BatchCreateParams`)."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file. `expires`: when it is gone, as Unix time; `None`: never."""

    id: str
    filename: str
    purpose: str
    data: bytes
    created: float
    expires: float | None

    def shown(self) -> JsonObject:
        """The file as the API shows it (SDK: `FileObject`)."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.data),
            "created_at": int(self.created),
            "expires_at": None if self.expires is None else int(self.expires),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


@dataclass
class Files:
    """All files by id, in order of their creation."""

    clock: Clock
    max_batch_bytes: int = MAX_BATCH_BYTES
    stored: dict[str, StoredFile] = field(default_factory=dict)
    _number: int = 0

    def add(self, filename: str, purpose: str, data: bytes, seconds: int | None) -> StoredFile:
        """Store a file for `seconds`; `None`: for ever."""
        self._number += 1
        now = self.clock.now
        expires = None if seconds is None else now + seconds
        file = StoredFile(f"file-{self._number:022d}", filename, purpose, data, now, expires)
        self.stored[file.id] = file
        return file

    def get(self, file_id: str) -> StoredFile | None:
        """A file that is there now; `None` for one that never was, is deleted or has expired."""
        file = self.stored.get(file_id)
        return None if file is None or _is_gone(file, self.clock.now) else file

    def upload(self, filename: str | None, data: bytes, form: Mapping[str, str]) -> ManagedReply:
        """`POST /v1/files`. `filename`: `None` without a file."""
        purpose = form.get("purpose")
        if purpose is None or filename is None:
            raise _missing("purpose" if purpose is None else "file")
        if purpose not in PURPOSES:
            raise ManagedRefusalError(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
        if purpose == "batch" and not filename.endswith(".jsonl"):
            # The message is quoted in BerriAI/litellm#37527.
            raise ManagedRefusalError("Invalid file format for Batch API. Must be .jsonl")
        if purpose == "batch" and len(data) > self.max_batch_bytes:
            # Source of the status: reports; the message is ours.
            raise ManagedRefusalError(f"The file has more than {self.max_batch_bytes} bytes.", status=413)
        after = {key: form[f"expires_after[{key}]"] for key in ("anchor", "seconds") if f"expires_after[{key}]" in form}
        seconds = expiry_seconds(after or None, "expires_after")
        if seconds is None and purpose == "batch":
            seconds = MONTH
        return ManagedReply(self.add(filename, purpose, data, seconds).shown())

    def retrieve(self, file_id: str) -> ManagedReply:
        """`GET /v1/files/{id}`."""
        return ManagedReply(self._found(file_id).shown())

    def content(self, file_id: str) -> ManagedReply:
        """`GET /v1/files/{id}/content`."""
        return ManagedReply(self._found(file_id).data, BYTES)

    def delete(self, file_id: str) -> ManagedReply:
        """`DELETE /v1/files/{id}`."""
        del self.stored[self._found(file_id).id]
        return ManagedReply({"id": file_id, "object": "file", "deleted": True})

    def list_page(self, query: Mapping[str, str]) -> ManagedReply:
        """`GET /v1/files`, newest first unless `order` is `asc`."""
        files = [file for file in self.stored.values() if not _is_gone(file, self.clock.now)]
        if query.get("order") != "asc":
            files.reverse()
        if (purpose := query.get("purpose")) is not None:
            files = [file for file in files if file.purpose == purpose]
        limit = limit_of(query.get("limit"), PAGE, PAGE)
        page, more = page_after(files, [file.id for file in files], query.get("after"), limit)
        return ManagedReply(listed([file.shown() for file in page], more))

    def _found(self, file_id: str) -> StoredFile:
        file = self.get(file_id)
        if file is None:
            raise ManagedRefusalError(f"No such File object: {file_id}", status=404, param="id")
        return file


def _is_gone(file: StoredFile, now: float) -> bool:
    return file.expires is not None and now >= file.expires


def listed(data: list[JsonObject], more: bool) -> JsonObject:
    """A page of a list of OpenAI's."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": more}


def expiry_seconds(policy: Mapping[str, Any] | None, param: str) -> int | None:
    """The seconds of `{"anchor": "created_at", "seconds": …}`; `None` without a policy.

    Raises `ManagedRefusalError` for another anchor, and for seconds below an hour or above 30 days.
    """
    if not policy:
        return None
    if policy.get("anchor") != "created_at":
        raise ManagedRefusalError("The anchor must be 'created_at'.", param=f"{param}.anchor")
    seconds = str(policy.get("seconds"))
    if not seconds.isdecimal() or not HOUR <= int(seconds) <= MONTH:
        message = f"The seconds must be a number from {HOUR} to {MONTH}."
        raise ManagedRefusalError(message, param=f"{param}.seconds")
    return int(seconds)


def _missing(name: str) -> ManagedRefusalError:
    message = f"Missing required parameter: '{name}'."
    return ManagedRefusalError(message, param=name, code="missing_required_parameter")
