"""What a tool returned, as the target takes it.

A result is data from outside: MCP servers return links to local files, audio, or objects of any shape. What the API
takes in a result stays. On Chat Completions, images and files follow in a user message. Everything else becomes text,
JSON where it has no better form. Each change is an adjustment. An address that is not http(s) is never sent as one to
fetch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_unified.history.carried import decoded_text, is_carried, is_taken_from_user
from langchain_unified.history.readable import ReferencedImages, image_type_of, readable
from langchain_unified.history.words import Translated
from langchain_unified.messages.blocks import normalise_result, wire_of_type
from langchain_unified.messages.cache_marks import mark_last
from langchain_unified.messages.json_text import data_text
from langchain_unified.request import Adjustment, Turn, WireName
from langchain_unified.request.blocks import Block, TextBlock, raw_value, without


def result_as_taken(turn: Turn, wire: WireName, adjustments: list[Adjustment]) -> Translated:
    """The turn of a tool result as the wire takes it, and the user turn with its media, if there are any."""
    result = _Result(turn, wire, adjustments)
    for block in turn.blocks:
        result.blocks += mark_last(list(result.converted(block)), block.get("mark"))
    shown = Turn("user", tuple(result.media), position=turn.position) if result.media else None
    return Translated(replace(turn, blocks=tuple(result.blocks)), shown)


@dataclass(slots=True)
class _Result:
    """A tool result while it is converted. `media` are the blocks of the user message after it."""

    turn: Turn
    wire: WireName
    adjustments: list[Adjustment]
    blocks: list[Block] = field(default_factory=list)
    media: list[Block] = field(default_factory=list)

    def converted(self, block: Block) -> Iterator[Block]:
        if is_carried(block, self.wire):
            yield block
            return
        corrected = _with_its_type(block)
        if corrected is not block and is_carried(corrected, self.wire):
            self._report(block, f"Its data is {corrected.get('mime_type')}: this type was sent.")
            yield corrected
        elif block["type"] == "file" and isinstance(block.get("content"), list):
            yield from self._document(block)
        elif self.wire == "openai_chat" and is_taken_from_user(corrected):
            yield self._moved(corrected)
        else:
            self._report(block, "The API does not take it in a tool result: text was sent.")
            yield from _as_text(block)

    def _document(self, block: Mapping[str, Any]) -> Iterator[Block]:
        """A document that consists of blocks: its title and context, then each block."""
        heading = "\n".join(block[key] for key in ("title", "context") if isinstance(block.get(key), str))
        if heading:
            yield _text(heading)
        for item in block["content"]:
            yield from self.converted(normalise_result(item, self.wire))

    def _moved(self, block: Block) -> Block:
        kind = block["type"]
        number = sum(each["type"] == kind for each in self.media) + 1
        tool = f"the tool {self.turn.name}" if self.turn.name else "the tool"
        self.media.append(_text(f"[{kind} {number} of the result of {tool} above]"))
        self.media.append(without(block, "mark"))
        self._report(block, "Chat Completions takes only text in a tool result: it follows in a user message.")
        return _text(f"[{kind} {number}: see the user message after the tool results]")

    def _report(self, block: Block, why: str) -> None:
        kind = raw_value(block).get("type") or block["type"]
        self.adjustments.append(Adjustment(what=f"{kind} in message {self.turn.position} (tool)", why=why))


def _text(text: str) -> TextBlock:
    return {"type": "text", "text": text}


# --- conversion -------------------------------------------------------------------------------------------------------


def _with_its_type(block: Block) -> Block:
    """An image with the type that its data has, also where it came as a file; the same object for anything else."""
    if block["type"] != "image" and block["type"] != "file":
        return block
    data, kind = block.get("base64"), str(block.get("mime_type"))
    if not isinstance(data, str) or not (block["type"] == "image" or kind.startswith("image/")):
        return block
    return {"type": "image", "base64": data, "mime_type": image_type_of(data) or kind}


def _as_text(block: Block) -> Iterator[Block]:
    if block["type"] == "tool_result":
        for item in block["content"]:
            yield from (item,) if item["type"] == "text" else _as_text(item)
        return
    if block["type"] in ("unknown", "native", "foreign"):
        yield _text(_raw_as_text(block))
        return
    text = block.get("transcript") or block.get("text") or block.get("content") or decoded_text(block)
    if isinstance(text, str) and text:
        yield _text(text)
    elif block["type"] in MEDIA:
        place = next((block[key] for key in PLACE_KEYS if block.get(key)), "")  # type: ignore[literal-required]
        yield _text(f"[{block['type']}{f': {place}' if place else ''}]")
    else:
        yield _text(data_text(without(block, "mark")))


MEDIA = frozenset({"image", "file", "text-plain", "audio", "video"})
PLACE_KEYS = ("filename", "title", "url", "file_id", "mime_type")


def _raw_as_text(block: Block) -> str:
    """A block of another provider in words, any other value as JSON."""
    value = raw_value(block)
    kind = value.get("type")
    if isinstance(kind, str) and (kind == "tool_search_output" or wire_of_type(kind) is not None):
        text = readable(value, ReferencedImages())
        if text:
            return f"[{kind}: {text}]"
    return data_text(block.get("value"))
