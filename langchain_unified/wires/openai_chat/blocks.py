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
from dataclasses import dataclass, field
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


# --- what the assistant said ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Said:
    """An assistant message under way. `custom` holds the names of the tools whose calls are free-form text."""

    custom: frozenset[str] = frozenset()
    parts: list[JsonObject] = field(default_factory=list)
    tool_calls: list[JsonObject] = field(default_factory=list)
    refusal: str = ""
    audio: JsonObject | None = None


SaidWriter: TypeAlias = Callable[[Said, Block, Turn], None]

CUSTOM_ARGUMENT = "__arg1"
"""LangChain's name for the whole input of a tool that takes one text: `args={"__arg1": "…"}`."""


def _say(writer: PartWriter) -> SaidWriter:
    """A row that adds the parts of `writer`."""

    def write(said: Said, block: Block, turn: Turn) -> None:
        said.parts.extend(writer(block, turn))

    return write


def _said_refusal(said: Said, block: Block, turn: Turn) -> None:
    said.refusal += block["refusal"]


def _said_call(said: Said, block: Block, turn: Turn) -> None:
    args = block["args"]
    if block["name"] in said.custom and set(args) == {CUSTOM_ARGUMENT}:
        custom = {"name": block["name"], "input": str(args[CUSTOM_ARGUMENT])}
        said.tool_calls.append({"id": block["id"] or "", "type": "custom", "custom": custom})
        return
    said.tool_calls.append(_function(block, compact(args)))


def _said_broken_call(said: Said, block: Block, turn: Turn) -> None:
    said.tool_calls.append(_function(block, block.get("args") or ""))


def _function(block: Block, arguments: str) -> JsonObject:
    function = {"name": block.get("name") or "", "arguments": arguments}
    return {"id": block.get("id") or "", "type": "function", "function": function}


def _said_native(said: Said, block: Block, turn: Turn) -> None:
    value = block["value"]
    if value.get("type") == "audio":
        said.audio = {"id": value.get("id", "")}
    elif value.get("type") in ("function", "custom"):
        said.tool_calls.append(dict(value))
    else:
        said.parts.append(dict(value))


def _said_medium(said: Said, block: Block, turn: Turn) -> None:
    """An image, file, audio or video that a model made: its address, as text."""
    if "url" not in block:
        refuse(block, turn, f"An assistant message holds only text here. {RESPONSES}, or send it in a user message.")
    said.parts.append(text_part(f"[{block['type']}: {block['url']}]"))


def _said_document(said: Said, block: Block, turn: Turn) -> None:
    """A text document as text; of one that lies elsewhere, its address."""
    here = "text" in block or "base64" in block
    writer = _say(_text_plain) if here else _said_medium
    writer(said, block, turn)


def _said_server_call(said: Said, block: Block, turn: Turn) -> None:
    said.parts.append(text_part(f"[{block.get('name', 'tool')}({compact(_readable(block.get('args') or {}))})]"))


def _said_server_result(said: Said, block: Block, turn: Turn) -> None:
    call_id = block.get("tool_call_id")
    calls = (call for call in turn.blocks if call["type"] == "server_tool_call" and call.get("id") == call_id)
    name = next(calls, {}).get("name", "tool")
    output = _readable(block.get("output"))
    shown = output if isinstance(output, str) else block.get("status", "done") if output is None else compact(output)
    said.parts.append(text_part(f"[{name} result: {shown}]"))


SEALED = ("encrypted_content", "encrypted_index", "signature")


def _readable(value: Any) -> Any:
    """A value without empty fields and without what only its provider can read."""
    if isinstance(value, dict):
        return {key: _readable(item) for key, item in value.items() if item is not None and key not in SEALED}
    return [_readable(item) for item in value] if isinstance(value, list) else value


def _silent(said: Said, block: Block, turn: Turn) -> None:
    """Reasoning never comes from this API, so it is always another model's: the message keeps it, the body does not."""


ASSISTANT: Mapping[str, SaidWriter] = {
    "text": _say(_text),
    "text-plain": _said_document,
    "search_result": _say(_search_result),
    "image": _said_medium,
    "file": _said_medium,
    "audio": _said_medium,
    "video": _said_medium,
    "tool_call": _said_call,
    "invalid_tool_call": _said_broken_call,
    "refusal": _said_refusal,
    "server_tool_call": _said_server_call,
    "server_tool_result": _said_server_result,
    "native": _said_native,
    "unknown": _say(_unknown),
    "reasoning": _silent,
    "foreign": _silent,
}
