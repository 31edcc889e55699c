"""A cheap count of the input tokens of a body of any of the three APIs, from above rather than from below.

Text counts one token for three bytes: English prose has four or five, code and Chinese about three. Media count by the
size of their base64 text, within bounds. A provider's own count is exact, and one more request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_unified.request import JsonObject

BYTES_PER_TOKEN = 3
TOKENS_PER_PART = 4
"""For the role or the type of a message, block or tool."""

IMAGE_TOKENS = 1600
"""https://platform.claude.com/docs/en/build-with-claude/vision: an image of 1.15 megapixels."""
MEDIA_MIN_CHARACTERS = 1024
MEDIA_CHARACTERS_PER_TOKEN = 100
"""Of base64 that is no image: a page of a PDF with 200 KB counts 2,700 tokens."""

BINARY_KEYS = frozenset({"data", "url", "image_url", "file_data", "b64_json"})
UNCOUNTED_KEYS = frozenset({"model", "metadata", "signature", "cache_control", "safety_identifier", "prompt_cache_key"})
IMAGE_TYPES = frozenset({"image", "image_url", "input_image"})


@dataclass(slots=True)
class BodySize:
    """The input tokens, and whether parts are marked for the prompt cache: at all, and for an hour."""

    tokens: int = 0
    has_marks: bool = False
    has_hour_marks: bool = False


def body_size(body: JsonObject) -> BodySize:
    """The size of a request's body. Never raises, whatever is in it."""
    size = BodySize()
    waiting: list[tuple[str, Any]] = list(body.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            size.tokens += _text(key, value)
        elif isinstance(value, dict):
            size.tokens += TOKENS_PER_PART
            if "cache_control" in value:
                _mark(size, value["cache_control"])
            if value.get("type") in IMAGE_TYPES:
                size.tokens += IMAGE_TOKENS
                continue
            waiting.extend(item for item in value.items() if item[0] not in UNCOUNTED_KEYS)
        elif isinstance(value, list):
            waiting.extend((key, item) for item in value)
    return size


def _text(key: str, value: str) -> int:
    if key in UNCOUNTED_KEYS:
        return 0
    if key in BINARY_KEYS and len(value) > MEDIA_MIN_CHARACTERS and _is_base64(value):
        return len(value) // MEDIA_CHARACTERS_PER_TOKEN
    length = len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return -(-length // BYTES_PER_TOKEN)


def _is_base64(value: str) -> bool:
    """Whether it is the text of a file: one long word."""
    start = value[:512]
    return start.startswith("data:") or (" " not in start and "\n" not in start.strip())


def _mark(size: BodySize, mark: Any) -> None:
    size.has_marks = True
    size.has_hour_marks = size.has_hour_marks or (isinstance(mark, dict) and mark.get("ttl") == "1h")
