"""One content block -> the API's block, by the place where it stands.

A writer returns `None` for a block that is left out silently: empty text, which the API refuses, and what only another
provider can read. For what the API cannot carry it raises, naming message, block and remedy.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.history.carried import RESULT_ONLY
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import Adjustment, JsonObject, Turn, WireName
from langchain_unified.request.blocks import (
    Block,
    FileBlock,
    ForeignBlock,
    ImageBlock,
    NativeBlock,
    PlainTextBlock,
    SearchResultBlock,
    TextBlock,
)
from langchain_unified.wires._wire import WRAP_REMEDY, cannot_carry
from langchain_unified.wires.anthropic_messages.caching import cache_control
from langchain_unified.wires.anthropic_messages.native import CALLS, native_input, object_input

WIRE: WireName = "anthropic_messages"


@dataclass(slots=True)
class EncodeState:
    """What one encoding collects: adjustments, and the name of the toolset of a call by the call's id."""

    adjustments: list[Adjustment] = field(default_factory=list)
    toolsets: dict[str, str] = field(default_factory=dict)


Writer: TypeAlias = Callable[[Any, Turn, EncodeState], "JsonObject | None"]
"""Writes a block of one type."""


def write_blocks(turn: Turn, table: Mapping[str, Writer], state: EncodeState) -> list[JsonObject]:
    """The turn's blocks as the API's."""
    written: list[JsonObject] = []
    for block in turn.blocks:
        writer: Writer = table.get(block["type"], refuse)
        value = writer(block, turn, state)
        if value is not None:
            written.append({**value, "cache_control": cache_control(block["mark"])} if "mark" in block else value)
    return written


def refuse(block: Block, turn: Turn, state: EncodeState) -> JsonObject | None:
    """The writer of blocks that a place does not take."""
    remedy = WRAP_REMEDY if block["type"] == "unknown" else REMEDIES.get(block["type"], ASSISTANT_ONLY)
    raise cannot_carry(block, turn, WIRE, remedy)


ASSISTANT_ONLY = "It belongs in an assistant message: move it there, or take it out of this message."

REMEDIES: Mapping[str, str] = {
    "tool_result": "It belongs in a user message, or make it a tool message.",
    "text-plain": "Send it in a user message or a tool result, or give its text.",
    "audio": "Claude takes no audio: send a transcript as text.",
    "video": "Claude takes no video: send frames as images, or a transcript as text.",
    "image": "Send it in a user message or a tool result.",
    "file": "Send it in a user message or a tool result.",
}


# --- in any message ---------------------------------------------------------------------------------------------------


def text(block: TextBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    """A text without citations, which the API refuses in user messages."""
    return as_text(block["text"])


def as_text(value: str) -> JsonObject | None:
    return {"type": "text", "text": value} if value.strip() else None


def leave_out(block: ForeignBlock, turn: Turn, state: EncodeState) -> None:
    """Leave out what only another provider can read; the message keeps it."""


def native(block: NativeBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    """A block of the API's own as it is, where the API takes it back so; else changed or left out, and listed."""
    value = native_input(block["value"], f"message {turn.position}", state.adjustments)
    if value is not None and value.get("toolset_name"):
        state.toolsets[str(value.get("id"))] = value["toolset_name"]
    return value


def call_input(args: object, what: str, state: EncodeState) -> JsonObject:
    """The arguments of a call as the object that the API requires. Broken ones become `{}` and an adjustment."""
    return object_input(args, what, state.adjustments)


def client_call(value: JsonObject, state: EncodeState) -> JsonObject:
    """A `tool_use` without nulls. Its toolset is remembered, because the result must name it."""
    if value.get("toolset_name"):
        state.toolsets[str(value.get("id"))] = value["toolset_name"]
    return {key: item for key, item in value.items() if item is not None}


def native_if(takes: Callable[[str], bool], remedy: str) -> Writer:
    """A writer for a place that takes some types of the API's own blocks. Types not known here go out as they are."""

    def write(block: NativeBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
        kind = str(block["value"].get("type"))
        home = wire_of_type(kind)
        if home not in (None, WIRE) or ((home == WIRE or kind in CALLS) and not takes(kind)):
            raise cannot_carry({"type": kind}, turn, WIRE, remedy)
        return native(block, turn, state)

    return write


SYSTEM_ONLY = frozenset({"tool_addition", "tool_definition", "tool_removal"})
"""The API's own blocks that only system messages take: they change the tools."""

native_in_message = native_if(
    lambda kind: kind not in RESULT_ONLY | SYSTEM_ONLY, "An assistant message does not take it: move it to another one."
)

native_of_user = native_if(
    {"container_upload"}.__contains__, "A user message does not take it: move it, or send its content as text."
)


# --- user messages and tool results -----------------------------------------------------------------------------------

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def image(block: ImageBlock | FileBlock, turn: Turn, state: EncodeState) -> JsonObject:
    """An image. Its `detail` is not sent: the API has no such setting."""
    more: JsonObject = {}
    if block["type"] == "image" and block.get("transformations"):
        more["transformations"] = block["transformations"]
    if "base64" in block:
        kind = (block.get("mime_type") or "").lower().replace("image/jpg", "image/jpeg")
        if kind not in IMAGE_TYPES:
            known = ", ".join(sorted(IMAGE_TYPES))
            remedy = f"Its mime_type is {kind or 'missing'}: convert it to one of {known}."
            raise cannot_carry(block, turn, WIRE, remedy)
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": block["base64"]}, **more}
    return {"type": "image", "source": _remote_source(block, turn), **more}


def _remote_source(block: ImageBlock | FileBlock | PlainTextBlock, turn: Turn) -> JsonObject:
    """The source of a block whose data is not in it: an upload or an address."""
    if block.get("file_id"):
        return {"type": "file", "file_id": block["file_id"]}
    url = block.get("url")
    if not url or url.startswith("data:"):
        raise cannot_carry(block, turn, WIRE, "Give it a https `url`, `base64` with a `mime_type`, or a `file_id`.")
    if turn.role != "tool" and not url.lower().startswith(("http://", "https://")):
        raise cannot_carry(block, turn, WIRE, "The API fetches only http(s) addresses: send the data as `base64`.")
    return {"type": "url", "url": url}


def file(block: FileBlock, turn: Turn, state: EncodeState) -> JsonObject:
    """A document, or an image in a file block. Without a title the file's name becomes the title."""
    if "content" in block:
        return _document(block, {"type": "content", "content": block["content"]})
    kind = block.get("mime_type") or "application/pdf"
    if kind.startswith("image/"):
        return image(block, turn, state)
    if "base64" not in block:
        return _document(block, _remote_source(block, turn))
    if kind.startswith("text/"):
        return _document(block, _text_source(_base64_text(block, turn)))
    if kind != "application/pdf":
        remedy = f"Claude reads PDF, text and images, not {kind}: convert it, or upload it and give its `file_id`."
        raise cannot_carry(block, turn, WIRE, remedy)
    return _document(block, {"type": "base64", "media_type": kind, "data": block["base64"]})


def text_plain(block: PlainTextBlock, turn: Turn, state: EncodeState) -> JsonObject:
    """A text document."""
    if block.get("text") is not None:
        return _document(block, _text_source(block["text"]))
    if "base64" in block:
        return _document(block, _text_source(_base64_text(block, turn)))
    if block.get("file_id"):
        return _document(block, _remote_source(block, turn))
    raise cannot_carry(block, turn, WIRE, "Claude opens only PDFs by URL: give the text itself.")


def _base64_text(block: FileBlock | PlainTextBlock, turn: Turn) -> str:
    try:
        return b64decode(block["base64"], validate=True).decode()
    except ValueError as exc:
        raise cannot_carry(block, turn, WIRE, "Its base64 data is not UTF-8 text: send the text itself.") from exc


def _text_source(data: str) -> JsonObject:
    return {"type": "text", "media_type": "text/plain", "data": data}


def _document(block: FileBlock | PlainTextBlock, source: JsonObject) -> JsonObject:
    named = {"title": block.get("title") or block.get("filename"), "context": block.get("context")}
    given = {key: value for key, value in named.items() if value}
    return {"type": "document", "source": source, **given, **_citations(block)}


def _citations(block: FileBlock | PlainTextBlock | SearchResultBlock) -> JsonObject:
    """The `citations` of a document or search result. `True` is short for `{"enabled": True}`."""
    value = block.get("citations")
    if value is None:
        return {}
    return {"citations": {"enabled": value} if isinstance(value, bool) else value}


def search_result(block: SearchResultBlock, turn: Turn, state: EncodeState) -> JsonObject:
    """A search result. The API refuses citations on the texts in it."""
    given: JsonObject = {key: block[key] for key in ("source", "title") if key in block}
    return {"type": "search_result", **given, "content": _without_citations(block.get("content")), **_citations(block)}


def _without_citations(content: str | list[JsonObject] | None) -> list[JsonObject]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [{key: value for key, value in item.items() if key != "citations"} for item in content or []]


# --- where only text may stand ----------------------------------------------------------------------------------------


def document_as_text(block: PlainTextBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    """A text document as text: title and context, then the content."""
    if block.get("text") is None and "base64" not in block:
        return refuse(block, turn, state)
    content = block["text"] if block.get("text") is not None else _base64_text(block, turn)
    return _joined(block.get("title"), block.get("context"), content)


def search_result_as_text(block: SearchResultBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    """A search result as text: title and source, then the content."""
    texts = (str(item.get("text") or "") for item in _without_citations(block.get("content")))
    return _joined(block.get("title"), block.get("source"), "\n".join(texts))


def _joined(title: str | None, about: str | None, content: str) -> JsonObject | None:
    head = "\n".join(filter(None, (title, about)))
    return as_text("\n\n".join(filter(None, (head, content))))


# --- places -----------------------------------------------------------------------------------------------------------

SYSTEM: Mapping[str, Writer] = {
    "text": text,
    "text-plain": document_as_text,
    "search_result": search_result_as_text,
    "native": native_if(SYSTEM_ONLY.__contains__, "System messages take only text: move it to another message."),
    "foreign": leave_out,
}

USER: Mapping[str, Writer] = {
    "text": text,
    "image": image,
    "file": file,
    "text-plain": text_plain,
    "search_result": search_result,
    "native": native_of_user,
    "foreign": leave_out,
}

TOOL_RESULT: Mapping[str, Writer] = {
    **USER,
    "native": native_if(RESULT_ONLY.__contains__, "Tool results do not take it: move it to another message."),
}


def write_result(turn: Turn, state: EncodeState) -> JsonObject:
    """A tool turn as a `tool_result` block. Its content is a `str` for one text, absent for none, else blocks.

    The API refuses marks in the content, so the last one stands on the result itself.
    """
    content = [_unmarked(block) for block in write_blocks(turn, TOOL_RESULT, state)]
    call_id = turn.tool_call_id or ""
    result: JsonObject = {"type": "tool_result", "tool_use_id": call_id}
    if content:
        result["content"] = content[0]["text"] if _is_one_text(content) else content
    elif turn.is_error:
        result["content"] = NO_ERROR_TEXT
    if turn.is_error:
        result["is_error"] = True
    if call_id in state.toolsets:
        result["toolset_name"] = state.toolsets[call_id]
    marks = [block["mark"] for block in turn.blocks if "mark" in block]
    if marks:
        result["cache_control"] = cache_control(marks[-1])
    return result


NO_ERROR_TEXT = "The tool failed without a message."
"""The content of an empty error result. The API says: "content cannot be empty if `is_error` is true"."""


def _unmarked(block: JsonObject) -> JsonObject:
    return {key: value for key, value in block.items() if key != "cache_control"}


def _is_one_text(content: list[JsonObject]) -> bool:
    return len(content) == 1 and content[0].keys() == {"type", "text"}
