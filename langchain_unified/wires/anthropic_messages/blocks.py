"""One content block -> the API's block, by the place where it stands.

A writer returns `None` for what is left out silently: empty text, which the API refuses, and what only another provider
can read. What the API cannot carry raises, naming message, block and remedy.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import Adjustment, Block, JsonObject, Turn, WireName
from langchain_unified.wires._wire import WRAP_REMEDY, cannot_carry
from langchain_unified.wires.anthropic_messages.caching import cache_control
from langchain_unified.wires.anthropic_messages.ids import CallIds

WIRE: WireName = "anthropic_messages"


@dataclass(slots=True)
class Job:
    """What one encoding gathers on its way. `toolsets` names the toolset of a call, by the call's id."""

    adjustments: list[Adjustment] = field(default_factory=list)
    ids: CallIds = field(default_factory=CallIds)
    toolsets: dict[str, str] = field(default_factory=dict)


Writer: TypeAlias = Callable[[Block, Turn, Job], "JsonObject | None"]


def write_blocks(turn: Turn, table: Mapping[str, Writer], job: Job) -> list[JsonObject]:
    """The turn's blocks as the API's."""
    written: list[JsonObject] = []
    for block in turn.blocks:
        value = _write(block, turn, table, job)
        if value is not None:
            written.append({**value, "cache_control": cache_control(block["mark"])} if "mark" in block else value)
    return written


def _write(block: Block, turn: Turn, table: Mapping[str, Writer], job: Job) -> JsonObject | None:
    return table.get(block["type"], refused)(block, turn, job)


def refused(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    """No form of this block exists here."""
    remedy = WRAP_REMEDY if block["type"] == "unknown" else REMEDIES.get(block["type"], SPOKEN)
    raise cannot_carry(block, turn, WIRE, remedy)


SPOKEN = "It belongs in an assistant message: move it there, or take it out of this message."

REMEDIES: Mapping[str, str] = {
    "tool_result": "It belongs in a user message, or make it a tool message.",
    "text-plain": "Send it in a user message or a tool result, or give its text.",
    "audio": "Claude does not listen: send a transcript as text.",
    "video": "Claude does not watch videos: send frames as images, or a transcript as text.",
    "image": "Send it in a user message or a tool result.",
    "file": "Send it in a user message or a tool result.",
}


# --- everywhere -------------------------------------------------------------------------------------------------------


def text(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    """Text alone: in user messages the API refuses `citations` beside it."""
    return {"type": "text", "text": block["text"]} if block["text"].strip() else None


def left_out(block: Block, turn: Turn, job: Job) -> None:
    """What only another provider reads; the message keeps it."""


def native(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    """The wire's own block, as it is; but for empty text and for ids that the API would refuse."""
    value: JsonObject = block["value"]
    if value.get("type") == "text" and not str(value.get("text") or "").strip():
        return None
    if value.get("type") == "tool_use":
        return own_call(value, job)
    if value.get("type") == "tool_result":
        return {**value, "tool_use_id": job.ids.of_result(value.get("tool_use_id"))}
    return value


RESULT_ONLY = frozenset({"tool_reference", "browser_state"})
"""The wire's own blocks that stand only in tool results."""

SYSTEM_ONLY = frozenset({"tool_addition", "tool_removal"})


def native_where(taken: Callable[[str], bool], remedy: str) -> Writer:
    """A row for the wire's own blocks in a place that takes some of them; types not known here go out as they are."""

    def write(block: Block, turn: Turn, job: Job) -> JsonObject | None:
        kind = str(block["value"].get("type"))
        if wire_of_type(kind) == WIRE and not taken(kind):
            raise cannot_carry({"type": kind}, turn, WIRE, remedy)
        return native(block, turn, job)

    return write


native_in_message = native_where(lambda kind: kind not in RESULT_ONLY, "Only tool results take it: move it to one.")


def own_call(value: JsonObject, job: Job) -> JsonObject:
    """A `tool_use` with an id that the API takes and without nulls; its toolset is remembered for the result."""
    call_id = job.ids.of_call(value.get("id"))
    if value.get("toolset_name"):
        job.toolsets[call_id] = value["toolset_name"]
    return {key: item for key, item in value.items() if item is not None} | {"id": call_id}


# --- user messages and tool results -----------------------------------------------------------------------------------

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def image(block: Block, turn: Turn, job: Job) -> JsonObject:
    """An image. `detail` has no place: Claude sees every image in full."""
    if "base64" in block:
        kind = (block.get("mime_type") or "").lower().replace("image/jpg", "image/jpeg")
        if kind not in IMAGE_TYPES:
            known = ", ".join(sorted(IMAGE_TYPES))
            remedy = f"Its mime_type is {kind or 'missing'}: convert it to one of {known}."
            raise cannot_carry(block, turn, WIRE, remedy)
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": block["base64"]}}
    return {"type": "image", "source": _located(block, turn)}


def _located(block: Block, turn: Turn) -> JsonObject:
    """The source of a block whose data lies elsewhere."""
    if block.get("file_id"):
        return {"type": "file", "file_id": block["file_id"]}
    url = block.get("url")
    if not url or url.startswith("data:"):
        raise cannot_carry(block, turn, WIRE, "Give it a https `url`, `base64` with a `mime_type`, or a `file_id`.")
    return {"type": "url", "url": url}


def file(block: Block, turn: Turn, job: Job) -> JsonObject:
    """A document, or an image that was given as a file. A file name stands as the title where there is none."""
    if "content" in block:
        return _document(block, {"type": "content", "content": block["content"]})
    kind = block.get("mime_type") or "application/pdf"
    if kind.startswith("image/"):
        return image(block, turn, job)
    if "base64" not in block:
        return _document(block, _located(block, turn))
    if kind.startswith("text/"):
        return _document(block, _plain(_decoded(block, turn)))
    if kind != "application/pdf":
        remedy = f"Claude reads PDF, text and images, not {kind}: convert it, or upload it and give its `file_id`."
        raise cannot_carry(block, turn, WIRE, remedy)
    return _document(block, {"type": "base64", "media_type": kind, "data": block["base64"]})


def text_plain(block: Block, turn: Turn, job: Job) -> JsonObject:
    """A text document."""
    if block.get("text") is not None:
        return _document(block, _plain(block["text"]))
    if "base64" in block:
        return _document(block, _plain(_decoded(block, turn)))
    if block.get("file_id"):
        return _document(block, _located(block, turn))
    raise cannot_carry(block, turn, WIRE, "Claude opens only PDFs by URL: give the text itself.")


def _decoded(block: Block, turn: Turn) -> str:
    try:
        return b64decode(block["base64"], validate=True).decode()
    except ValueError as exc:
        raise cannot_carry(block, turn, WIRE, "Its base64 data is not UTF-8 text: send the text itself.") from exc


def _plain(data: str) -> JsonObject:
    return {"type": "text", "media_type": "text/plain", "data": data}


def _document(block: Block, source: JsonObject) -> JsonObject:
    named = {"title": block.get("title") or block.get("filename"), "context": block.get("context")}
    kept = {key: value for key, value in named.items() if value}
    return {"type": "document", "source": source, **kept, **_citations(block)}


def _citations(block: Block) -> JsonObject:
    """`citations` of a document or search result: `True` is short for `{"enabled": True}`."""
    value = block.get("citations")
    if value is None:
        return {}
    return {"citations": {"enabled": value} if isinstance(value, bool) else value}


def search_result(block: Block, turn: Turn, job: Job) -> JsonObject:
    """A search result, with its text alone inside: the API refuses citations there."""
    kept: JsonObject = {key: block[key] for key in ("source", "title") if key in block}
    return {"type": "search_result", **kept, "content": _bare(block.get("content")), **_citations(block)}


def _bare(content: Any) -> Any:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [{key: value for key, value in item.items() if key != "citations"} for item in content or []]


# --- where only text may stand ----------------------------------------------------------------------------------------


def document_as_text(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    """A text document in words: its title and context, then what it says."""
    if block.get("text") is None and "base64" not in block:
        return refused(block, turn, job)
    said = block["text"] if block.get("text") is not None else _decoded(block, turn)
    return _in_words(block.get("title"), block.get("context"), said)


def search_result_as_text(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    """A search result in words: its title and source, then what was found."""
    found = (str(item.get("text") or "") for item in _bare(block.get("content")))
    return _in_words(block.get("title"), block.get("source"), "\n".join(found))


def _in_words(title: str | None, about: str | None, said: str) -> JsonObject | None:
    head = "\n".join(filter(None, (title, about)))
    words = "\n\n".join(filter(None, (head, said)))
    return {"type": "text", "text": words} if words.strip() else None


# --- places -----------------------------------------------------------------------------------------------------------

SYSTEM: Mapping[str, Writer] = {
    "text": text,
    "text-plain": document_as_text,
    "search_result": search_result_as_text,
    "native": native_where(SYSTEM_ONLY.__contains__, "System messages take only text: move it to another message."),
    "foreign": left_out,
}

USER: Mapping[str, Writer] = {
    "text": text,
    "image": image,
    "file": file,
    "text-plain": text_plain,
    "search_result": search_result,
    "native": native_in_message,
    "foreign": left_out,
}

TOOL_RESULT: Mapping[str, Writer] = {
    **USER,
    "native": native_where(RESULT_ONLY.__contains__, "Tool results do not take it: move it to another message."),
}


def write_result(turn: Turn, job: Job) -> JsonObject:
    """A tool turn as a `tool_result` block: a `str` for one text, no `content` for nothing, else blocks.

    A mark inside stands on the result itself: the API refuses marks within.
    """
    written = [_write(block, turn, TOOL_RESULT, job) for block in turn.blocks]
    content = [{key: value for key, value in block.items() if key != "cache_control"} for block in written if block]
    call_id = job.ids.of_result(turn.tool_call_id)
    result: JsonObject = {"type": "tool_result", "tool_use_id": call_id}
    if content:
        result["content"] = content[0]["text"] if _is_one_text(content) else content
    if turn.is_error:
        result["is_error"] = True
    if call_id in job.toolsets:
        result["toolset_name"] = job.toolsets[call_id]
    marks = [block["mark"] for block in turn.blocks if "mark" in block]
    if marks:
        result["cache_control"] = cache_control(marks[-1])
    return result


def _is_one_text(content: list[JsonObject]) -> bool:
    return len(content) == 1 and content[0].keys() == {"type", "text"}
