"""One content block -> the parts of a Chat Completions message.

A writer takes a block and the turn it stands in and gives parts: one, none (a block that nobody else can read), or
two. It raises where the API has no form. Each place (user, system, tool, assistant) has its own table, because the API
takes different parts in each.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from langchain_unified.request import Block, JsonObject, Turn
from langchain_unified.wires._wire import RAW_REMEDY, cannot_carry

PartWriter: TypeAlias = Callable[[Block, Turn], list[JsonObject]]

RESPONSES = "Use the Responses API (use_responses_api=True)"
FILES_REMEDY = f"Chat Completions takes files only in user messages. {RESPONSES}, or put it into a user message."


def compact(value: Any) -> str:
    """JSON without spaces, keys in the order they have: the same value gives the same text in any process."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def refuse(block: Block, turn: Turn, remedy: str) -> NoReturn:
    raise cannot_carry(block, turn, "openai_chat", remedy)


def writer_for(table: Mapping[str, PartWriter], block: Block, turn: Turn, remedy: str) -> list[JsonObject]:
    """The parts of a block by its row in `table`; a type without a row is refused with `remedy`."""
    writer = table.get(block["type"])
    return writer(block, turn) if writer else refuse(block, turn, remedy)


# --- text -------------------------------------------------------------------------------------------------------------


def text_part(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _text(block: Block, turn: Turn) -> list[JsonObject]:
    return [text_part(block["text"])]


def _under(heads: Sequence[str | None], text: str) -> str:
    """A text below what it is called; without heads, the text alone."""
    named = "\n".join(head for head in heads if head)
    return f"{named}\n\n{text}" if named else text


def _text_plain(block: Block, turn: Turn) -> list[JsonObject]:
    if "file_id" in block:
        refuse(block, turn, FILES_REMEDY)
    text = block["text"] if "text" in block else _decoded(block, turn)
    return [text_part(_under((block.get("title"), block.get("context")), text))]


def _decoded(block: Block, turn: Turn) -> str:
    if "base64" not in block:
        refuse(block, turn, f"Chat Completions takes no text by URL. Send the text itself. {RESPONSES} for URLs.")
    try:
        return base64.b64decode(block["base64"], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        refuse(block, turn, "Its base64 is not UTF-8 text. Send the text itself, or a file with its mime_type.")


def _search_result(block: Block, turn: Turn) -> list[JsonObject]:
    heads = (block.get("title"), block.get("source"))
    return [text_part(_under(heads, _joined(block.get("content") or [], block, turn)))]


def _joined(content: Any, block: Block, turn: Turn) -> str:
    """The text of content that is a `str` or a list of text blocks; other blocks inside are refused."""
    if isinstance(content, str):
        return content
    texts = [item if isinstance(item, str) else item.get("text") for item in content]
    if None in texts:
        refuse(block, turn, "Chat Completions takes only text in it. Send its images beside it.")
    return "\n\n".join(texts)


def _text_document(block: Block, turn: Turn) -> list[JsonObject]:
    """A document that is made of texts, where only text may stand; other files are refused."""
    if "content" not in block:
        refuse(block, turn, FILES_REMEDY)
    heads = (block.get("title"), block.get("context"))
    return [text_part(_under(heads, _joined(block["content"], block, turn)))]


def _native(block: Block, turn: Turn) -> list[JsonObject]:
    return [dict(block["value"])]


def _nothing(block: Block, turn: Turn) -> list[JsonObject]:
    return []


def _unknown(block: Block, turn: Turn) -> list[JsonObject]:
    remedy = "Send it to the provider whose block it is, or say it as text, image, file or audio."
    refuse(block, turn, f"{remedy} {RAW_REMEDY}")


# --- media ------------------------------------------------------------------------------------------------------------


def _data_uri(block: Block, turn: Turn) -> str:
    if not block.get("mime_type"):
        refuse(block, turn, 'Say what it is: "mime_type".')
    return f"data:{block['mime_type']};base64,{block['base64']}"


def _image(block: Block, turn: Turn) -> list[JsonObject]:
    if "url" not in block and "base64" not in block:
        refuse(block, turn, f"Chat Completions takes no image by id. Send a URL or base64. {RESPONSES} for file ids.")
    inner = {"url": block["url"] if "url" in block else _data_uri(block, turn)}
    if "detail" in block:
        inner["detail"] = block["detail"]
    return [{"type": "image_url", "image_url": inner}]


def _file(block: Block, turn: Turn) -> list[JsonObject]:
    head = [text_part(block["context"])] if block.get("context") else []
    if "content" in block:
        return [*head, text_part(_under((block.get("title"),), _joined(block["content"], block, turn)))]
    if "file_id" in block:
        return [*head, {"type": "file", "file": {"file_id": block["file_id"]}}]
    if "base64" not in block:
        refuse(block, turn, f"Chat Completions takes no file by URL. Send base64 or a file id. {RESPONSES} for URLs.")
    data = _data_uri(block, turn)
    return [*head, {"type": "file", "file": {"file_data": data, "filename": _filename(block)}}]


def _text_plain_or_file(block: Block, turn: Turn) -> list[JsonObject]:
    return _file(block, turn) if "file_id" in block else _text_plain(block, turn)


# The API asks for a file's name. The table is ours because the machine's own differ.
EXTENSIONS = {
    "application/pdf": "pdf",
    "application/json": "json",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
}


def _filename(block: Block) -> str:
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


def _audio(block: Block, turn: Turn) -> list[JsonObject]:
    form = AUDIO_FORMATS.get(block.get("mime_type", ""))
    if "base64" not in block or form is None:
        refuse(block, turn, "Chat Completions takes audio only as base64 wav or mp3. Convert it, with its mime_type.")
    return [{"type": "input_audio", "input_audio": {"data": block["base64"], "format": form}}]


def _video(block: Block, turn: Turn) -> list[JsonObject]:
    refuse(block, turn, "No OpenAI chat model takes video. Send frames of it as images, or its transcript as text.")


TEXTS: Mapping[str, PartWriter] = {
    "text": _text,
    "text-plain": _text_plain,
    "file": _text_document,
    "search_result": _search_result,
    "native": _native,
    "unknown": _unknown,
    "foreign": _nothing,
}

SYSTEM = TEXTS
SYSTEM_REMEDY = "A system message holds only text. Put the block in a user message."

TOOL = TEXTS
TOOL_REMEDY = f"Chat Completions takes only text in a tool result. {RESPONSES}, or put the block in a user message."

USER: Mapping[str, PartWriter] = {
    **TEXTS,
    "text-plain": _text_plain_or_file,
    "image": _image,
    "file": _file,
    "audio": _audio,
    "video": _video,
}
USER_REMEDY = "It belongs in an assistant message: move it there, or take it out."
