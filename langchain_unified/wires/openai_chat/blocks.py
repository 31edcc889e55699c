"""One content block -> the parts of a Chat Completions message.

A writer takes a block and the turn that it is in, and gives parts: one, none, or two. It raises where the API has no
form. Each place (system, user, tool) has its own table, because the API takes different parts there.
"""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import JsonObject, Turn
from langchain_unified.request.blocks import (
    AudioBlock,
    Block,
    FileBlock,
    ImageBlock,
    NativeBlock,
    PlainTextBlock,
    SearchResultBlock,
    TextBlock,
    UnknownBlock,
    VideoBlock,
)
from langchain_unified.request.dialect import OPENAI_PARTS, ContentPart
from langchain_unified.wires._wire import WRAP_REMEDY, cannot_carry

PartWriter: TypeAlias = Callable[[Any, Turn], list[JsonObject]]
"""Takes the kind of block that its row names, and the turn that it is in."""

RESPONSES_REMEDY = "Use the Responses API (use_responses_api=True)"
FILES_REMEDY = f"Chat Completions takes files only in user messages. {RESPONSES_REMEDY}, or put it into a user message."


def encode_parts(table: Mapping[str, PartWriter], block: Block, turn: Turn, remedy: str) -> list[JsonObject]:
    """The parts of a block by its row in `table`; a type without a row is refused with `remedy`."""
    writer = table.get(block["type"])
    return writer(block, turn) if writer else refuse(block, turn, remedy)


def refuse(block: Mapping[str, Any], turn: Turn, remedy: str) -> NoReturn:
    """Raises `UnsupportedContentError` for a block."""
    raise cannot_carry(block, turn, "openai_chat", remedy)


# --- text -------------------------------------------------------------------------------------------------------------


def text_part(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def text_parts(block: TextBlock, turn: Turn) -> list[JsonObject]:
    return [text_part(block["text"])]


def document_parts(block: PlainTextBlock, turn: Turn) -> list[JsonObject]:
    """A plain-text document as text: its title and context, then its content."""
    if "file_id" in block:
        refuse(block, turn, FILES_REMEDY)
    text = block["text"] if "text" in block else _decoded(block, turn)
    return [text_part(_with_heading((block.get("title"), block.get("context")), text))]


def search_result_parts(block: SearchResultBlock, turn: Turn) -> list[JsonObject]:
    heading = (block.get("title"), block.get("source"))
    return [text_part(_with_heading(heading, _joined(block.get("content") or [], block, turn)))]


def unknown_parts(block: UnknownBlock, turn: Turn) -> list[JsonObject]:
    remedy = "Send it to the provider that has this block, or send its content as text, image, file or audio."
    refuse(block, turn, f"{remedy} {WRAP_REMEDY}")


def _with_heading(lines: Sequence[str | None], text: str) -> str:
    """A text below the lines of its heading; without any, the text alone."""
    heading = "\n".join(line for line in lines if line)
    return f"{heading}\n\n{text}" if heading else text


def _decoded(block: PlainTextBlock, turn: Turn) -> str:
    if "base64" not in block:
        remedy = f"Chat Completions takes no text by URL. Send the text itself. {RESPONSES_REMEDY} for URLs."
        refuse(block, turn, remedy)
    try:
        return base64.b64decode(block["base64"], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        refuse(block, turn, "Its base64 is not UTF-8 text. Send the text itself, or a file with its mime_type.")


def _joined(content: Any, block: Mapping[str, Any], turn: Turn) -> str:
    """The text of content that is a `str` or a list of text blocks; other blocks in it are refused."""
    if isinstance(content, str):
        return content
    texts = [item if isinstance(item, str) else item.get("text") for item in content]
    if None in texts:
        refuse(block, turn, "Chat Completions takes only text in it. Send its images beside it.")
    return "\n\n".join(texts)


def _document_of_texts(block: FileBlock, turn: Turn) -> list[JsonObject]:
    """A document that consists of texts, where only text is taken; other files are refused."""
    if "content" not in block:
        refuse(block, turn, FILES_REMEDY)
    heading = (block.get("title"), block.get("context"))
    return [text_part(_with_heading(heading, _joined(block["content"], block, turn)))]


def native_parts(block: NativeBlock, turn: Turn) -> list[JsonObject]:
    """A part of the API's own. One that only another API has is refused."""
    kind = str(block["value"].get("type"))
    if wire_of_type(kind) is not None or kind in ("tool_use", "tool_result"):
        refuse({"type": kind}, turn, "Only another API has this block: send its content as text.")
    return [dict(block["value"])]


# --- media ------------------------------------------------------------------------------------------------------------


def _data_uri(block: ImageBlock | FileBlock | PlainTextBlock, turn: Turn) -> str:
    if not block.get("mime_type"):
        refuse(block, turn, 'Give its type: "mime_type".')
    return f"data:{block['mime_type']};base64,{block['base64']}"


def _image(block: ImageBlock, turn: Turn) -> list[JsonObject]:
    if "url" not in block and "base64" not in block:
        remedy = f"Chat Completions takes no image by id. Send a URL or base64. {RESPONSES_REMEDY} for file ids."
        refuse(block, turn, remedy)
    inner = {"url": block["url"] if "url" in block else _data_uri(block, turn)}
    if "detail" in block:
        inner["detail"] = block["detail"]
    return [{"type": "image_url", "image_url": inner}]


def _file(block: FileBlock | PlainTextBlock, turn: Turn) -> list[JsonObject]:
    context = [text_part(block["context"])] if block.get("context") else []
    if block["type"] == "file" and "content" in block:
        return [*context, text_part(_with_heading((block.get("title"),), _joined(block["content"], block, turn)))]
    if "file_id" in block:
        return [*context, {"type": "file", "file": {"file_id": block["file_id"]}}]
    if "base64" not in block:
        remedy = f"Chat Completions takes no file by URL. Send base64 or a file id. {RESPONSES_REMEDY} for URLs."
        refuse(block, turn, remedy)
    data = _data_uri(block, turn)
    return [*context, {"type": "file", "file": {"file_data": data, "filename": _filename(block)}}]


def _document_or_file(block: PlainTextBlock, turn: Turn) -> list[JsonObject]:
    return _file(block, turn) if "file_id" in block else document_parts(block, turn)


# The API requires a file's name. `mimetypes` of the standard library differs between machines.
EXTENSIONS = {
    "application/pdf": "pdf",
    "application/json": "json",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
}


def _filename(block: FileBlock | PlainTextBlock) -> str:
    if block.get("filename"):
        return str(block["filename"])
    extension = "." + EXTENSIONS.get(block["mime_type"], "bin")
    title = str(block.get("title") or "file")
    return title if title.endswith(extension) else title + extension


AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/vnd.wave": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}


def _audio(block: AudioBlock, turn: Turn) -> list[JsonObject]:
    audio_format = AUDIO_FORMATS.get(block.get("mime_type", ""))
    if "base64" not in block or audio_format is None:
        refuse(block, turn, "Chat Completions takes audio only as base64 wav or mp3. Convert it, with its mime_type.")
    return [{"type": "input_audio", "input_audio": {"data": block["base64"], "format": audio_format}}]


def _video(block: VideoBlock, turn: Turn) -> list[JsonObject]:
    refuse(block, turn, "No OpenAI chat model takes video. Send frames of it as images, or its transcript as text.")


# --- tables -----------------------------------------------------------------------------------------------------------

TEXTS: Mapping[str, PartWriter] = {
    "text": text_parts,
    "text-plain": document_parts,
    "file": _document_of_texts,
    "search_result": search_result_parts,
    "native": native_parts,
    "unknown": unknown_parts,
}

SYSTEM = TEXTS
SYSTEM_REMEDY = "A system message holds only text. Put the block into a user message."

TOOL = TEXTS
TOOL_REMEDY = (
    f"Chat Completions takes only text in a tool result. {RESPONSES_REMEDY}, or put the block into a user message."
)

USER: Mapping[str, PartWriter] = {
    **TEXTS,
    "text-plain": _document_or_file,
    "image": _image,
    "file": _file,
    "audio": _audio,
    "video": _video,
}


@functools.cache
def user_writers(parts: frozenset[ContentPart]) -> Mapping[str, PartWriter]:
    """The table for user messages at a server that takes these parts."""
    table, added = dict(USER), parts - OPENAI_PARTS
    for part in added & BY_URL.keys():
        kind, writer = BY_URL[part]
        table[kind] = _by_url(writer, USER[kind])
    if "other" in added:
        table["unknown"] = _as_written
    return table


def _by_url(by_url: PartWriter, other: PartWriter) -> PartWriter:
    """A row for a server that takes an address, and base64 as the address of its data."""

    def write(block: Any, turn: Turn) -> list[JsonObject]:
        return by_url(block, turn) if "url" in block else other(block, turn)

    return write


def _file_by_url(block: FileBlock, turn: Turn) -> list[JsonObject]:
    return [{"type": "file", "file": {"file_data": block["url"], "filename": block.get("filename") or "file"}}]


def _audio_by_url(block: AudioBlock, turn: Turn) -> list[JsonObject]:
    return [{"type": "audio_url", "audio_url": {"url": block["url"]}}]


def _video_by_url(block: VideoBlock, turn: Turn) -> list[JsonObject]:
    return [{"type": "video_url", "video_url": {"url": block["url"]}}]


def _as_written(block: UnknownBlock, turn: Turn) -> list[JsonObject]:
    return [dict(block["value"])]


BY_URL: Mapping[ContentPart, tuple[str, PartWriter]] = {
    "file_url": ("file", _file_by_url),
    "audio_url": ("audio", _audio_by_url),
    "video": ("video", _video_by_url),
}
"""A part -> the type of block, and what writes it where the block has a URL."""

USER_REMEDY = "It belongs in an assistant message: move it there, or remove it."
