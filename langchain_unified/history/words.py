"""How what only one provider can say is put into words: texts, notes, images, and any JSON value as lines of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.request import Adjustment, Block, Turn, WireName


@dataclass(slots=True)
class Speech:
    """An assistant turn on its way into words. `names` are the tools that it calls, by the call's id."""

    turn: Turn
    wire: WireName
    names: Mapping[str, str]
    answered: set[str] = field(default_factory=set)
    """Ids of the calls whose results the turn itself holds."""
    blocks: list[Block] = field(default_factory=list)
    images: list[Block] = field(default_factory=list)
    sources: dict[str, dict[str, None]] = field(default_factory=dict)
    """What was cited -> the quotes from it."""
    adjustments: list[Adjustment] = field(default_factory=list)
    noted: bool = False
    """Whether the last text is a note of ours."""

    def say(self, text: str) -> None:
        """The model's own text. Claude's texts that follow each other are pieces of one; others are paragraphs."""
        pieces = self.turn.origin == "anthropic_messages" and not self.noted
        self._add(text, "" if pieces else "\n\n")
        self.noted = False

    def note(self, text: str) -> None:
        """Our text in the place of something else."""
        self._add(text, "\n\n")
        self.noted = True

    def _add(self, text: str, glue: str) -> None:
        last = self.blocks[-1] if self.blocks else {}
        if last.get("type") == "text" and self.turn.origin is not None:
            last["text"] += glue + text
        else:
            self.blocks.append({"type": "text", "text": text})

    def show(self, image: Block, caption: str = "") -> str:
        """Puts an image into the user message that follows; the words that stand for it here."""
        about = f": {caption}" if caption else ""
        settled = image_in(image)
        if settled is None:
            place = image.get("file_id") or image.get("url") or image.get("mime_type")
            return f"[image{about}{f' ({place})' if place else ''}]"
        number = sum(block["type"] == "image" for block in self.images) + 1
        self.images.append({"type": "text", "text": f"[image {number} of the assistant's message above]"})
        self.images.append(settled)
        return f"[image {number}{about}]"

    def cite(self) -> None:
        """The sources, in lines at the end of the last text."""
        if not self.sources:
            return
        lines = [" ".join([f"- {name}", *(f'"{quote}"' for quote in quotes)]) for name, quotes in self.sources.items()]
        text = "\n".join(["Sources:", *lines])
        last = max((at for at, block in enumerate(self.blocks) if block["type"] == "text"), default=None)
        if last is None:
            self.blocks.insert(0, {"type": "text", "text": text})
        else:
            self.blocks[last] = {**self.blocks[last], "text": f"{self.blocks[last]['text']}\n\n{text}"}


# --- any value, as text -----------------------------------------------------------------------------------------------

HIDDEN = frozenset({"type", "id", "call_id", "tool_use_id", "status", "caller", "signature", "index"})
SCHEMAS = frozenset({"input_schema", "parameters", "output_schema", "strict", "defer_loading", "annotations"})
"""Keys of a tool's definition. What the tool is called and does is said; how to call it only its provider knows."""


def shown(value: Any, speech: Speech) -> str:
    """A JSON value as lines of text, without what only its provider reads. Images go where `speech` puts them."""
    if isinstance(value, str):
        return speech.show({"url": value}) if value.startswith("data:image/") else value
    if isinstance(value, Mapping):
        return _shown_object(value, speech)
    if isinstance(value, list | tuple):
        items = [said for item in value if (said := shown(item, speech))]
        return items[0] if len(items) == 1 else "\n".join(f"- {item}" for item in items)
    return "" if value is None else json.dumps(value)


def _shown_object(value: Mapping[str, Any], speech: Speech) -> str:
    kind = value.get("media_type") or value.get("mime_type") or ""
    if image_in(value) is not None:
        return speech.show(dict(value))
    if value.get("type") == "base64" and kind:
        return f"[{kind}]"
    hidden = HIDDEN | SCHEMAS if "name" in value and SCHEMAS & value.keys() else HIDDEN
    kept = {
        key: said
        for key, item in value.items()
        if key not in hidden and not key.startswith("encrypted") and (said := shown(item, speech))
    }
    return next(iter(kept.values())) if len(kept) == 1 else "\n".join(f"{key}: {said}" for key, said in kept.items())


# --- images -----------------------------------------------------------------------------------------------------------

MAGIC = {"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lG": "image/gif", "UklG": "image/webp"}
IMAGES = frozenset(MAGIC.values())


def image_in(value: Mapping[str, Any]) -> Block | None:
    """An image in any provider's form as a block that every wire takes in a user message; `None` for anything else."""
    source = value.get("source") if value.get("type") == "image" else None
    if isinstance(source, Mapping):
        return image_in({**source, "type": "image"} | ({"base64": source["data"]} if source.get("data") else {}))
    url = str(value.get("image_url") or value.get("url") or "")
    if url.startswith("data:image/"):
        head, _, data = url[5:].partition(",")
        return _pixels(data, head.partition(";")[0])
    kind = str(value.get("mime_type") or value.get("media_type") or "")
    if value.get("base64") or (value.get("data") and kind.startswith("image/")):
        return _pixels(str(value.get("base64") or value["data"]), kind)
    if value.get("type") in ("image", "input_image", "computer_screenshot") and url.startswith(("http:", "https:")):
        return {"type": "image", "url": url}
    return None


def _pixels(data: str, kind: str) -> Block | None:
    kind = kind.lower().replace("image/jpg", "image/jpeg")
    if kind not in IMAGES:
        kind = next((name for start, name in MAGIC.items() if data.startswith(start)), "")
    return {"type": "image", "base64": data, "mime_type": kind} if kind else None
