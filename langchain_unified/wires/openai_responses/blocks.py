"""One content block -> the parts of a message or a tool result: `input_text`, `input_image`, `input_file`."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.messages.blocks import normalise
from langchain_unified.request import JsonObject, Turn, WireName
from langchain_unified.request.blocks import (
    AudioBlock,
    Block,
    FileBlock,
    ImageBlock,
    NativeBlock,
    PlainTextBlock,
    SearchResultBlock,
    TextBlock,
    VideoBlock,
    changed,
)
from langchain_unified.wires._wire import WRAP_REMEDY, cannot_carry

WIRE: WireName = "openai_responses"

# The API refuses file data without a name, and recognises the kind of file by its extension.
EXTENSIONS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "application/json": "json",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
}


def encode_parts(block: Block, turn: Turn) -> list[JsonObject]:
    """The parts of a block. Raises `UnsupportedContentError` for a block that has no form here."""
    return WRITERS.get(block["type"], _refused)(block, turn)


def _text(block: TextBlock, turn: Turn) -> list[JsonObject]:
    return [input_text(block["text"])]


def input_text(text: str) -> JsonObject:
    return {"type": "input_text", "text": text}


def _image(block: ImageBlock, turn: Turn) -> list[JsonObject]:
    part: JsonObject = {"type": "input_image", "detail": block.get("detail") or "auto"}
    if block.get("file_id"):
        return [{**part, "file_id": block["file_id"]}]
    address = image_address(block)
    if address is None:
        raise cannot_carry(block, turn, WIRE, "Give the image a `url`, a `file_id`, or `base64` with its `mime_type`.")
    return [{**part, "image_url": address}]


def image_address(block: ImageBlock) -> str | None:
    """An image's URL, or its data as one; `None` where it has neither."""
    if block.get("base64"):
        return data_uri(block, "image/png")
    return block.get("url")


def data_uri(block: Mapping[str, Any], mime_type: str) -> str:
    return f"data:{block.get('mime_type') or mime_type};base64,{block['base64']}"


def _file(block: FileBlock | PlainTextBlock, turn: Turn) -> list[JsonObject]:
    if block["type"] == "file" and "content" in block:
        return _document(block, turn)
    part: JsonObject = {"type": "input_file"}
    context = [input_text(block["context"])] if block.get("context") else []
    if block["type"] == "file" and block.get("detail"):
        part["detail"] = block["detail"]
    if block.get("file_id"):
        return [*context, {**part, "file_id": block["file_id"]}]
    if block.get("base64"):
        mime_type = block.get("mime_type") or "application/pdf"
        name = block.get("filename") or block.get("title") or f"file.{EXTENSIONS.get(mime_type, 'bin')}"
        return [*context, {**part, "filename": name, "file_data": data_uri(block, mime_type)}]
    if block.get("url"):
        return [*context, {**part, "file_url": block["url"]}]
    raise cannot_carry(block, turn, WIRE, "Give the file a `url`, a `file_id`, or `base64` with its `mime_type`.")


def _document(block: FileBlock, turn: Turn) -> list[JsonObject]:
    """A document that consists of text and blocks: each becomes a part."""
    content = block["content"]
    items = [content] if isinstance(content, str) else list(content or ())
    parts = [part for item in items for part in encode_parts(normalise(item, WIRE), turn)]
    heading = _heading(block)
    return [input_text(heading), *parts] if heading else parts


def _heading(block: Mapping[str, Any]) -> str:
    return "\n".join(str(block[key]) for key in ("title", "context") if block.get(key))


def _text_plain(block: PlainTextBlock, turn: Turn) -> list[JsonObject]:
    if "text" not in block:
        return _file(changed(block, mime_type=block.get("mime_type", "text/plain")), turn)
    return [input_text(document_text(block))]


def decoded(block: PlainTextBlock, turn: Turn) -> str:
    """The text of a base64 document."""
    try:
        return b64decode(block["base64"], validate=True).decode()
    except ValueError as exc:
        raise cannot_carry(block, turn, WIRE, "Its base64 data is not UTF-8 text: send the text itself.") from exc


def document_text(block: PlainTextBlock) -> str:
    """A plain-text document as text: its title and context, then its content."""
    heading = _heading(block)
    return f"{heading}\n\n{block['text']}" if heading else str(block["text"])


def _search_result(block: SearchResultBlock, turn: Turn) -> list[JsonObject]:
    return [input_text(search_text(block))]


def search_text(block: SearchResultBlock) -> str:
    """A search result as text: its title and source, then its content."""
    heading = "\n".join(str(block[key]) for key in ("title", "source") if block.get(key))
    content = block.get("content")
    items = content if isinstance(content, list | tuple) else [content]
    found = "\n".join(str(item.get("text", "")) if isinstance(item, Mapping) else str(item or "") for item in items)
    return f"{heading}\n\n{found}" if heading else found


def _native(block: NativeBlock, turn: Turn) -> list[JsonObject]:
    if not is_part(block["value"]):
        raise cannot_carry({"type": block["value"].get("type")}, turn, WIRE, "It is an item, not a part of a message.")
    return [dict(block["value"])]


def _audio(block: AudioBlock, turn: Turn) -> list[JsonObject]:
    raise cannot_carry(block, turn, WIRE, "Use an audio model on Chat Completions, or send a transcript.")


def _video(block: VideoBlock, turn: Turn) -> list[JsonObject]:
    raise cannot_carry(block, turn, WIRE, "Send frames of it as images.")


def _refused(block: Any, turn: Turn) -> list[JsonObject]:
    raise cannot_carry(block, turn, WIRE, REMEDIES.get(block["type"], ASSISTANT_ONLY))


ASSISTANT_ONLY = "It belongs in an assistant message: move it there, or remove it."

REMEDIES: Mapping[str, str] = {
    "unknown": WRAP_REMEDY,
    "tool_result": "It belongs in a user message, or make it a tool message.",
}

WRITERS: Mapping[str, Callable[[Any, Turn], list[JsonObject]]] = {
    "text": _text,
    "image": _image,
    "file": _file,
    "text-plain": _text_plain,
    "search_result": _search_result,
    "audio": _audio,
    "video": _video,
    "native": _native,
}


# --- items ------------------------------------------------------------------------------------------------------------

PART_TYPES = frozenset({"input_text", "input_image", "input_file", "input_audio"})
"""The parts of a message that are known here."""


def is_part(value: Mapping[str, Any]) -> bool:
    """Whether a block of the API's own is a part of a message. One of any other type is an item."""
    return str(value.get("type")).startswith("input_")


# Items that callers put between messages, and whose type does not tell which provider has them.
CALLER_ITEMS = frozenset(
    {
        "additional_tools", "compaction", "compaction_trigger", "configuration_update", "item_reference", "program",
        "program_output", "tool_search_output",
    }
)  # fmt: skip


def item_in(block: Block) -> JsonObject | None:
    """A copy of the item that a block is; `None` for a part of a message."""
    if (block["type"] != "native" and block["type"] != "unknown") or not isinstance(block["value"], Mapping):
        return None
    value = {key: item for key, item in block["value"].items() if key != "index"}
    kind = value.get("type")
    if block["type"] == "unknown":
        return value if kind in CALLER_ITEMS else None
    return None if is_part(value) else value
