"""Assistant turns -> the blocks of an assistant message.

What Claude wrote goes back as it came. What another model wrote is text, calls and refusals here: `history` has put
the rest into words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from langchain_unified.messages.json_text import json_values
from langchain_unified.request import JsonObject, Turn
from langchain_unified.request.blocks import (
    AudioBlock,
    FileBlock,
    ImageBlock,
    InvalidToolCallBlock,
    PlainTextBlock,
    ReasoningBlock,
    RefusalBlock,
    ServerToolCallBlock,
    ServerToolResultBlock,
    TextBlock,
    ToolCallBlock,
    VideoBlock,
)
from langchain_unified.wires._wire import cannot_carry
from langchain_unified.wires.anthropic_messages import blocks
from langchain_unified.wires.anthropic_messages.blocks import WIRE, EncodeState, Writer, as_text
from langchain_unified.wires.anthropic_messages.native import native_input


def _is_claudes(turn: Turn) -> bool:
    return turn.origin == WIRE


# --- text and its citations -------------------------------------------------------------------------------------------


def _text(block: TextBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    written = as_text(block["text"])
    if written is None or not _is_claudes(turn):
        return written
    citations = [citation for note in block.get("annotations") or [] if (citation := _citation(note))]
    return {**written, "citations": citations} if citations else written


LOCATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("web_search_result_location", ("url", "encrypted_index")),
    ("search_result_location", ("source", "search_result_index", "start_block_index", "end_block_index")),
    ("char_location", ("document_index", "start_char_index", "end_char_index")),
    ("page_location", ("document_index", "start_page_number", "end_page_number")),
    ("content_block_location", ("document_index", "start_block_index", "end_block_index")),
)
"""The type of a citation -> the keys that it has beside `cited_text`. The first type whose keys are there is meant."""


def _citation(note: Mapping[str, Any]) -> JsonObject | None:
    """The citation that LangChain core turned into an annotation; `None` where the annotation lacks a key of it."""
    if note.get("type") == "non_standard_annotation":
        value = note.get("value")
        return dict(value) if isinstance(value, Mapping) else None
    known = {**(note.get("extras") or {}), **{key: note[key] for key in ("url", "cited_text") if key in note}}
    for kind, keys in LOCATIONS:
        if all(key in known for key in (*keys, "cited_text")):
            title = "document_title" if "document_index" in keys else "title"
            found = {key: known[key] for key in ("cited_text", *keys)}
            return {"type": kind, **found, title: note.get("title")}
    return None


# --- reasoning, refusals ----------------------------------------------------------------------------------------------


def _reasoning(block: ReasoningBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    """Claude's own thinking, which the API accepts only with its signature. Any other is left out."""
    signature = (block.get("extras") or {}).get("signature")
    if not _is_claudes(turn) or not signature:
        return None
    return {"type": "thinking", "thinking": block.get("reasoning") or "", "signature": signature}


def _refusal(block: RefusalBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    return as_text(block.get("refusal") or "")


# --- tool calls -------------------------------------------------------------------------------------------------------


def _tool_call(block: ToolCallBlock, turn: Turn, state: EncodeState) -> JsonObject:
    call = {"type": "tool_use", "id": block.get("id"), "name": block["name"], "input": json_values(block["args"])}
    extras = (block.get("extras") or {}) if _is_claudes(turn) else {}
    return blocks.client_call({**call, **{key: extras.get(key) for key in ("caller", "toolset_name")}}, state)


def _invalid_tool_call(block: InvalidToolCallBlock, turn: Turn, state: EncodeState) -> JsonObject:
    name = block.get("name") or "unknown"
    what = f"invalid tool call {name!r} in message {turn.position}"
    text = block.get("args") or "null"  # a call that was cut before its arguments is not one without arguments
    args = blocks.call_input(text, what, state)
    return {"type": "tool_use", "id": block.get("id"), "name": name, "input": args}


# --- server tools -----------------------------------------------------------------------------------------------------

SERVER_TOOL_NAMES: Mapping[str, str] = {"code_interpreter": "code_execution"}
"""LangChain core's name of a tool -> Anthropic's, where they differ."""


def _server_tool_call(block: ServerToolCallBlock, turn: Turn, state: EncodeState) -> JsonObject:
    name = str(block.get("name") or "")
    extras = dict(block.get("extras") or {})
    args = blocks.call_input(block.get("args"), f"call of {name!r} in message {turn.position}", state)
    called = {"id": block.get("id"), "input": args}
    if name == "remote_mcp":
        return {"type": "mcp_tool_use", **called, "name": extras.pop("tool_name", ""), **extras}
    return {"type": "server_tool_use", **called, "name": SERVER_TOOL_NAMES.get(name, name), **extras}


def _server_tool_result(block: ServerToolResultBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    extras = dict(block.get("extras") or {})
    kind = extras.pop("block_type", None)
    if kind is None:
        output = block.get("output") or "nothing"
        if not isinstance(output, str):
            output = json.dumps(output, ensure_ascii=False, sort_keys=True, default=str)
        return as_text(f"[the tool returned {output}]")
    call_id = block.get("tool_call_id")
    result = {"type": kind, "tool_use_id": call_id, "content": block.get("output", []), **extras}
    # The content of the other results says whether they failed.
    failed = {"is_error": block.get("status") == "error"} if kind == "mcp_tool_result" else {}
    return native_input({**result, **failed}, f"message {turn.position}", state.adjustments)


# --- media, of which the API takes none in an assistant message -------------------------------------------------------


Medium: TypeAlias = ImageBlock | FileBlock | AudioBlock | VideoBlock | PlainTextBlock


def _medium(block: Medium, turn: Turn, state: EncodeState) -> JsonObject | None:
    """The transcript or the address of a medium, as text."""
    if block["type"] == "audio" and block.get("transcript"):
        return as_text(block["transcript"])
    url = block.get("url")
    if url and not url.startswith("data:"):
        return as_text(f"[{block['type']}: {url}]")
    remedy = "The API takes none in an assistant message: move it to a user message, or take it out."
    raise cannot_carry(block, turn, WIRE, remedy)


def _text_document(block: PlainTextBlock, turn: Turn, state: EncodeState) -> JsonObject | None:
    has_text = block.get("text") is not None or "base64" in block
    return blocks.document_as_text(block, turn, state) if has_text else _medium(block, turn, state)


ASSISTANT: Mapping[str, Writer] = {
    "text": _text,
    "native": blocks.native_in_message,
    "reasoning": _reasoning,
    "refusal": _refusal,
    "tool_call": _tool_call,
    "invalid_tool_call": _invalid_tool_call,
    "server_tool_call": _server_tool_call,
    "server_tool_result": _server_tool_result,
    "image": _medium,
    "file": _medium,
    "text-plain": _text_document,
    "search_result": blocks.search_result_as_text,
    "audio": _medium,
    "video": _medium,
    "foreign": blocks.leave_out,
}
