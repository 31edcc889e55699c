"""A file as a part of a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.transport.config import Upload

FORM: Mapping[str, str] = {"Content-Type": "multipart/form-data"}
"""By this header the SDKs know a form; the HTTP client adds the boundary."""


def form_files(upload: Upload) -> list[tuple[str, Any]]:
    """What the SDKs' clients take as `files`."""
    return [("file", (upload.name, upload.data, upload.media_type))]
