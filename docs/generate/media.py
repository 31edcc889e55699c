"""The media matrix, `docs/media.md`: how each kind of content block is sent, by place and by API.

The matrix is data. The tests run every cell, with every form of the block. An outcome is the type of the block that is
sent, or one of `OUTCOMES`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docs.generate.markdown import table
from langchain_unified.request import WireName

PLACES: Mapping[str, str] = {
    "human": "human messages",
    "system": "system messages",
    "tool": "tool results",
    "assistant": "assistant messages",
}
"""The places of a block, with their names on the page."""

WIRES: Mapping[WireName, str] = {
    "anthropic_messages": "Anthropic Messages",
    "openai_chat": "OpenAI Chat",
    "openai_responses": "OpenAI Responses",
}

REFUSED, AS_TEXT, LEFT_OUT, NOTE, NEXT = "refused", "as text", "left out", "note", "next "

OUTCOMES: Mapping[str, str] = {
    REFUSED: "`UnsupportedContentError` before anything is sent, with the message, the block, the API and a remedy.",
    AS_TEXT: "The API has no such block there. Its text or its address is sent as text.",
    NOTE: "A text with its name or type is sent in its place, without its data.",
    LEFT_OUT: "It is not sent, because only the model that wrote it can read it. The message keeps it.",
    NEXT + "…": "It is sent in the next user message. A text in its place refers to it.",
}
"""The outcomes that are not block types."""


@dataclass(frozen=True, slots=True)
class BlockKind:
    """A kind of block. `forms`: all its forms. `cells`: the outcome by place and wire."""

    name: str
    forms: tuple[Any, ...]
    cells: Mapping[str, Mapping[WireName, str]]


def _kind(name: str, *forms: Any, human: str, system: str, tool: str, assistant: str) -> BlockKind:
    """A row. Each place has three outcomes, in the order of `WIRES`, or one for all wires."""
    rows = {"human": human, "system": system, "tool": tool, "assistant": assistant}
    return BlockKind(name, forms, {place: dict(zip(WIRES, _three(row), strict=True)) for place, row in rows.items()})


def _three(row: str) -> list[str]:
    outcomes = row.split(" | ")
    return outcomes * 3 if len(outcomes) == 1 else outcomes


# --- the content of the samples: each contains "paris", in plain text or in base64 ------------------------------------


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode()


TEXT = "Paris is in France."
PIXELS, PAGES, SOUND, LETTERS = _b64("paris pixels"), _b64("paris pages"), _b64("paris sounds"), _b64(TEXT)
IMAGE_URL, PDF_URL, TEXT_URL = (f"https://example.com/paris.{ending}" for ending in ("png", "pdf", "txt"))
SOUND_URL, VIDEO_URL = "https://example.com/paris.mp3", "https://example.com/paris.mp4"
IMAGE_URI, PDF_URI = f"data:image/png;base64,{PIXELS}", f"data:application/pdf;base64,{PAGES}"
ID = "file_paris"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PART = {"type": "text", "text": TEXT}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXELS}}

IMAGES = {
    "human": "image | image_url | input_image",
    "system": "refused | refused | input_image",
    "tool": "image | next image_url | input_image",
}
FILES = {
    "human": "document | file | input_file",
    "system": "refused | refused | input_file",
    "tool": "document | next file | input_file",
}
TEXT_DOCUMENTS = {"human": "document | as text | as text", "system": AS_TEXT, "tool": "document | as text | as text"}
NOWHERE = {"human": REFUSED, "system": REFUSED, "tool": AS_TEXT}
MEDIUM = {"human": REFUSED, "system": REFUSED, "tool": NOTE, "assistant": NOTE}
SHOWN = "next image | next image_url | next input_image"

BLOCK_KINDS: tuple[BlockKind, ...] = (
    _kind(
        "text", TEXT, PART, {"type": "input_text", "text": TEXT}, {"type": "output_text", "text": TEXT},
        human="text | text | input_text", system="text | text | input_text", tool="text | text | input_text",
        assistant="text | text | output_text",
    ),
    _kind(
        "image by URL", {"type": "image", "url": IMAGE_URL},
        {"type": "image", "source_type": "url", "url": IMAGE_URL},
        {"type": "image_url", "image_url": {"url": IMAGE_URL, "detail": "high"}},
        {"type": "image_url", "image_url": IMAGE_URL}, {"type": "input_image", "image_url": IMAGE_URL},
        {"type": "image", "source": {"type": "url", "url": IMAGE_URL}},
        **IMAGES, assistant=SHOWN,
    ),
    _kind(
        "image in base64", {"type": "image", "base64": PIXELS, "mime_type": "image/png"},
        {"type": "image", "source_type": "base64", "data": PIXELS, "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": IMAGE_URI}}, {"type": "image_url", "image_url": IMAGE_URI},
        {"type": "input_image", "image_url": IMAGE_URI}, PICTURE,
        {"type": "file", "base64": PIXELS, "mime_type": "image/png"},
        {"type": "computer_screenshot", "image_url": IMAGE_URI},
        **IMAGES, assistant=SHOWN,
    ),
    _kind(
        "image by file id", {"type": "image", "file_id": ID}, {"type": "image", "source_type": "id", "id": ID},
        {"type": "input_image", "file_id": ID}, {"type": "image", "source": {"type": "file", "file_id": ID}},
        human="image | refused | input_image", system="refused | refused | input_image",
        tool="image | as text | input_image", assistant=AS_TEXT,
    ),
    _kind(
        "image of another type", {"type": "image", "base64": PIXELS, "mime_type": "image/tiff"},
        {"type": "image_url", "image_url": {"url": f"data:image/bmp;base64,{PIXELS}"}},
        human=REFUSED, system=REFUSED, tool=NOTE, assistant=NOTE,
    ),
    _kind(
        "PDF in base64", {"type": "file", "base64": PAGES, "mime_type": "application/pdf"},
        {"type": "file", "source_type": "base64", "data": PAGES, "mime_type": "application/pdf"},
        {"type": "file", "file": {"file_data": PDF_URI, "filename": "pages.pdf"}},
        {"type": "input_file", "file_data": PDF_URI, "filename": "pages.pdf"},
        {"type": "image_url", "image_url": {"url": PDF_URI}}, {"type": "image_url", "image_url": PDF_URI},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PAGES}},
        **FILES, assistant=NOTE,
    ),
    _kind(
        "PDF by URL", {"type": "file", "url": PDF_URL, "mime_type": "application/pdf"},
        {"type": "file", "source_type": "url", "url": PDF_URL}, {"type": "input_file", "file_url": PDF_URL},
        {"type": "document", "source": {"type": "url", "url": PDF_URL}},
        human="document | refused | input_file", system="refused | refused | input_file",
        tool="document | as text | input_file", assistant=AS_TEXT,
    ),
    _kind(
        "file by id", {"type": "file", "file_id": ID}, {"type": "file", "source_type": "id", "id": ID},
        {"type": "file", "file": {"file_id": ID}}, {"type": "input_file", "file_id": ID},
        {"type": "document", "source": {"type": "file", "file_id": ID}},
        **FILES, assistant=AS_TEXT,
    ),
    _kind(
        "office file in base64", {"type": "file", "base64": PAGES, "mime_type": DOCX, "filename": "pages.docx"},
        human="refused | file | input_file", system="refused | refused | input_file",
        tool="note | next file | input_file", assistant=NOTE,
    ),
    _kind(
        "text file in base64", {"type": "file", "base64": LETTERS, "mime_type": "text/csv", "filename": "a.csv"},
        {"type": "input_file", "file_data": f"data:text/plain;base64,{LETTERS}", "filename": "a.txt"},
        human="document | file | input_file", system="refused | refused | input_file",
        tool="document | as text | input_file", assistant=AS_TEXT,
    ),
    _kind(
        "text document", {"type": "text-plain", "text": TEXT}, {"type": "file", "source_type": "text", "text": TEXT},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": TEXT}},
        **TEXT_DOCUMENTS, assistant=AS_TEXT,
    ),
    _kind(
        "text document in base64", {"type": "text-plain", "base64": LETTERS, "mime_type": "text/plain"},
        human="document | as text | input_file", system="as text | as text | input_file",
        tool="document | as text | input_file", assistant=AS_TEXT,
    ),
    _kind(
        "text document by URL", {"type": "text-plain", "url": TEXT_URL, "mime_type": "text/plain"},
        human="refused | refused | input_file", system="refused | refused | input_file",
        tool="as text | as text | input_file", assistant=AS_TEXT,
    ),
    _kind(
        "text document by file id", {"type": "text-plain", "file_id": ID, "mime_type": "text/plain"},
        **FILES, assistant=AS_TEXT,
    ),
    _kind(
        "document with texts", {"type": "document", "source": {"type": "content", "content": [PART]}},
        {"type": "document", "source": {"type": "content", "content": TEXT}},
        human="document | as text | as text", system="refused | as text | as text",
        tool="document | as text | as text", assistant=AS_TEXT,
    ),
    _kind(
        "document with texts and images",
        {"type": "document", "source": {"type": "content", "content": [PART, PICTURE]}},
        human="document | refused | input_image", system="refused | refused | input_image",
        tool="document | next image_url | input_image", assistant=AS_TEXT,
    ),
    _kind(
        "search result", {"type": "search_result", "source": PDF_URL, "title": "Paris", "content": [PART]},
        human="search_result | as text | as text", system=AS_TEXT, tool="search_result | as text | as text",
        assistant=AS_TEXT,
    ),
    _kind(
        "audio, wav or mp3", {"type": "audio", "base64": SOUND, "mime_type": "audio/wav"},
        {"type": "audio", "source_type": "base64", "data": SOUND, "mime_type": "audio/mp3"},
        {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}},
        {"type": "file", "base64": SOUND, "mime_type": "audio/wav"},
        {"type": "file", "file": {"file_data": f"data:audio/wav;base64,{SOUND}", "filename": "a.wav"}},
        {"type": "input_file", "file_data": f"data:audio/mpeg;base64,{SOUND}", "filename": "a.mp3"},
        human="refused | input_audio | refused", system=REFUSED, tool=NOTE, assistant=NOTE,
    ),
    _kind(
        "audio of another type", {"type": "audio", "base64": SOUND, "mime_type": "audio/flac"},
        **MEDIUM,
    ),
    _kind(
        "audio by URL or file id", {"type": "audio", "url": SOUND_URL}, {"type": "audio", "file_id": ID},
        **NOWHERE, assistant=AS_TEXT,
    ),
    _kind("video in base64", {"type": "video", "base64": SOUND, "mime_type": "video/mp4"}, **MEDIUM),
    _kind(
        "video by URL or file id", {"type": "video", "url": VIDEO_URL}, {"type": "video", "file_id": ID},
        **NOWHERE, assistant=AS_TEXT,
    ),
    _kind(
        "tool call", {"type": "tool_call", "id": "call_1", "name": "paris", "args": {"day": "today"}},
        {"type": "tool_use", "id": "call_1", "name": "paris", "input": {"day": "today"}},
        {"type": "function_call", "call_id": "call_1", "name": "paris", "arguments": '{"day":"today"}'},
        **NOWHERE, assistant="tool_use | function | function_call",
    ),
    _kind(
        "tool call with invalid arguments",
        {"type": "invalid_tool_call", "id": "call_1", "name": "paris", "args": '{"day":', "error": None},
        **NOWHERE, assistant="tool_use | function | function_call",
    ),
    _kind(
        "tool result", {"type": "tool_result", "tool_use_id": "call_1", "content": TEXT},
        human="tool_result | tool | function_call_output", system=REFUSED, tool=AS_TEXT, assistant=AS_TEXT,
    ),
    _kind(
        "reasoning", {"type": "reasoning", "reasoning": "Of Paris."},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Of Paris."}]},
        **NOWHERE, assistant=LEFT_OUT,
    ),
    _kind(
        "Claude's thinking", {"type": "thinking", "thinking": "Of Paris.", "signature": "c2ln"},
        human=REFUSED, system=REFUSED, tool=AS_TEXT,
        assistant="thinking | left out | left out",
    ),
    _kind(
        "refusal", {"type": "refusal", "refusal": "Not Paris."},
        **NOWHERE, assistant="as text | refusal | as text",
    ),
    _kind(
        "server tool call", {"type": "server_tool_call", "id": "s_1", "name": "search", "args": {"query": "Paris"}},
        **NOWHERE, assistant=AS_TEXT,
    ),
    _kind(
        "server tool result",
        {"type": "server_tool_result", "tool_call_id": "s_1", "status": "success", "output": TEXT},
        **NOWHERE, assistant=AS_TEXT,
    ),
    _kind(
        "Anthropic's server tool call",
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Paris"}},
        human=REFUSED, system=REFUSED, tool=AS_TEXT,
        assistant="server_tool_use | as text | as text",
    ),
    _kind(
        "OpenAI's server tool call",
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": TEXT}},
        human=REFUSED, system="refused | refused | web_search_call",
        tool=AS_TEXT, assistant="as text | as text | web_search_call",
    ),
    _kind(
        "file for a container", {"type": "container_upload", "file_id": ID},
        human="container_upload | refused | refused", system=REFUSED, tool=AS_TEXT,
        assistant="container_upload | as text | as text",
    ),
    _kind(
        "tool reference from a tool search", {"type": "tool_reference", "tool_name": "paris"},
        human=REFUSED, system=REFUSED, tool="tool_reference | as text | as text",
        assistant="refused | as text | as text",
    ),
    _kind(
        "a block of the API, wrapped in `non_standard`",
        {"type": "non_standard", "value": {"type": "new_block", "text": TEXT}},
        human="new_block | new_block | refused", system="new_block", tool=AS_TEXT, assistant="new_block",
    ),
    _kind("a block of an unknown type", {"type": "new_block", "text": TEXT}, **NOWHERE, assistant=AS_TEXT),
)  # fmt: skip


# --- the page ---------------------------------------------------------------------------------------------------------

HEAD = """\
# Media

Written by `make tables` from the table in `docs/generate/media.py`. Do not edit this page by hand. Tests run each cell.

Write a content block in LangChain's standard form, in OpenAI's or in Anthropic's, for any API. Nothing is downloaded or
converted: a URL stays a URL. The tables show how a block is sent, by the message in which it is. A name in `code` is
the type of the block that is sent. Whether the model can read it depends on the model: Chat takes `input_audio`, but
only audio models understand it. Assistant messages here are messages that you write. A reply is sent back unchanged to
the API that it came from.
"""


def page() -> str:
    """The text of `docs/media.md`."""
    outcomes = [f"- **{outcome}**: {text}" for outcome, text in OUTCOMES.items()]
    tables = [line for place in PLACES for line in ("", f"## In {PLACES[place]}", "", *_matrix(place))]
    forms = [line for kind in BLOCK_KINDS for line in ("", f"### {kind.name}", "", *_forms(kind))]
    return "\n".join([HEAD, *outcomes, *tables, "", "## The forms of each block", *forms, ""])


def _matrix(place: str) -> Iterator[str]:
    rows = ([kind.name, *(_shown(kind.cells[place][wire]) for wire in WIRES)] for kind in BLOCK_KINDS)
    return table(["block", *WIRES.values()], rows)


def _shown(outcome: str) -> str:
    if outcome.startswith(NEXT):
        return f"next `{outcome.removeprefix(NEXT)}`"
    return outcome if outcome in OUTCOMES else f"`{outcome}`"


def _forms(kind: BlockKind) -> Iterator[str]:
    yield "```json"
    yield from (json.dumps(form) for form in kind.forms)
    yield "```"
