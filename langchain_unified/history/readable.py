"""Any JSON value as lines of text that a model reads, and the images in it as blocks of a user message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.request.blocks import Block, ImageBlock

# --- text -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ReferencedImages:
    """Images that a text refers to by number. `blocks` is what a user message after the text holds."""

    blocks: list[Block] = field(default_factory=list)

    def add(self, image: Mapping[str, Any], caption: str = "") -> str:
        """The text that stands for an image. An image that no user message can hold is only named there."""
        about = f": {caption}" if caption else ""
        block = image_in(image)
        if block is None:
            place = image.get("file_id") or image.get("url") or image.get("mime_type")
            return f"[image{about}{f' ({place})' if place else ''}]"
        number = sum(each["type"] == "image" for each in self.blocks) + 1
        self.blocks.append({"type": "text", "text": f"[image {number} of the assistant's message above]"})
        self.blocks.append(block)
        return f"[image {number}{about}]"


def readable(value: Any, images: ReferencedImages) -> str:
    """A JSON value as lines of text, without what only its provider reads. Its images are added to `images`."""
    if isinstance(value, str):
        return images.add({"url": value}) if value.startswith("data:image/") else value
    if isinstance(value, Mapping):
        return _readable_object(value, images)
    if isinstance(value, list | tuple):
        items = [text for item in value if (text := readable(item, images))]
        return items[0] if len(items) == 1 else "\n".join(f"- {item}" for item in items)
    return "" if value is None else json.dumps(value)


def _readable_object(value: Mapping[str, Any], images: ReferencedImages) -> str:
    kind = value.get("media_type") or value.get("mime_type") or ""
    if image_in(value) is not None:
        return images.add(value)
    if value.get("type") == "base64" and kind:
        return f"[{kind}]"
    hidden = HIDDEN | DEFINITION_KEYS if "name" in value and DEFINITION_KEYS & value.keys() else HIDDEN
    texts = {
        key: text
        for key, item in value.items()
        if key not in hidden and not key.startswith("encrypted") and (text := readable(item, images))
    }
    return next(iter(texts.values())) if len(texts) == 1 else "\n".join(f"{key}: {text}" for key, text in texts.items())


HIDDEN = frozenset({"type", "id", "call_id", "tool_use_id", "status", "caller", "signature", "index"})
DEFINITION_KEYS = frozenset({"input_schema", "parameters", "output_schema", "strict", "defer_loading", "annotations"})
"""Keys of a tool's definition that are left out: only the tool's own provider can call it."""


# --- images -----------------------------------------------------------------------------------------------------------

MAGIC = {"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lG": "image/gif", "UklG": "image/webp"}
"""The first characters of an image's base64 -> its type."""

IMAGE_TYPES = frozenset(MAGIC.values())


def image_type_of(data: str) -> str | None:
    """The type of an image by the start of its base64; `None` for anything else."""
    found = next((kind for start, kind in MAGIC.items() if data.startswith(start)), None)
    is_sound = found == "image/webp" and len(data) >= 16 and data[12:16] != WEBP
    return None if is_sound else found


WEBP = "RUJQ"
"""In the base64 of a RIFF file after 12 characters: it holds an image (`WEBP`), and no sound."""


def image_in(value: Mapping[str, Any]) -> ImageBlock | None:
    """An image in any provider's form, as a block that every wire takes in a user message; `None` for anything else."""
    source = value.get("source") if value.get("type") == "image" else None
    if isinstance(source, Mapping):
        return image_in({**source, "type": "image"} | ({"base64": source["data"]} if source.get("data") else {}))
    url = str(value.get("image_url") or value.get("url") or "")
    if url.startswith("data:image/"):
        head, _, data = url[5:].partition(",")
        return _base64_image(data, head.partition(";")[0])
    kind = str(value.get("mime_type") or value.get("media_type") or "")
    if value.get("base64") or (value.get("data") and kind.startswith("image/")):
        return _base64_image(str(value.get("base64") or value["data"]), kind)
    if value.get("type") in ("image", "input_image", "computer_screenshot") and url.startswith(("http:", "https:")):
        return {"type": "image", "url": url}
    return None


def _base64_image(data: str, kind: str) -> ImageBlock | None:
    kind = kind.lower().replace("image/jpg", "image/jpeg")
    if kind not in IMAGE_TYPES:
        kind = next((name for start, name in MAGIC.items() if data.startswith(start)), "")
    return {"type": "image", "base64": data, "mime_type": kind} if kind else None
