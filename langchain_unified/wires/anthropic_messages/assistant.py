"""Assistant turns: what Claude said goes back as it came, what others said is put into words Claude can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_unified.messages.json_text import json_object
from langchain_unified.request import Adjustment, Block, JsonObject, Turn
from langchain_unified.wires._wire import cannot_carry
from langchain_unified.wires.anthropic_messages import blocks
from langchain_unified.wires.anthropic_messages.blocks import WIRE, Job, Writer


def _own(turn: Turn) -> bool:
    return turn.origin == WIRE


def _words(text: str) -> JsonObject | None:
    return {"type": "text", "text": text} if text.strip() else None


def _text(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    written = _words(block["text"])
    if written is None or not _own(turn):
        return written
    found = [citation for note in block.get("annotations") or [] if (citation := _citation(note))]
    return {**written, "citations": found} if found else written


# --- citations --------------------------------------------------------------------------------------------------------

# What tells the kinds of location apart, in the order to look; the keys that each must have beside `cited_text`.
LOCATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("web_search_result_location", ("url", "encrypted_index")),
    ("search_result_location", ("source", "search_result_index", "start_block_index", "end_block_index")),
    ("char_location", ("document_index", "start_char_index", "end_char_index")),
    ("page_location", ("document_index", "start_page_number", "end_page_number")),
    ("content_block_location", ("document_index", "start_block_index", "end_block_index")),
)


def _citation(note: Mapping[str, Any]) -> JsonObject | None:
    """The citation that LangChain core made an annotation of; `None` where it has not kept enough."""
    if note.get("type") == "non_standard_annotation":
        value = note.get("value")
        return dict(value) if isinstance(value, Mapping) else None
    known = {**(note.get("extras") or {}), **{key: note[key] for key in ("url", "cited_text") if key in note}}
    for kind, keys in LOCATIONS:
        if all(key in known for key in (*keys, "cited_text")):
            title = "document_title" if "document_index" in keys else "title"
            kept = {key: known[key] for key in ("cited_text", *keys)}
            return {"type": kind, **kept, title: note.get("title")}
    return None


# --- reasoning, refusals ----------------------------------------------------------------------------------------------


def _reasoning(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    """Claude's own thinking, with the signature that makes it acceptable; anybody else's is left out."""
    signature = (block.get("extras") or {}).get("signature")
    if not _own(turn) or not signature:
        return None
    return {"type": "thinking", "thinking": block.get("reasoning") or "", "signature": signature}


def _refusal(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    return _words(block.get("refusal") or "")


# --- tool calls -------------------------------------------------------------------------------------------------------


def _tool_call(block: Block, turn: Turn, job: Job) -> JsonObject:
    call = {"type": "tool_use", "id": block.get("id"), "name": block["name"], "input": block["args"]}
    extras = (block.get("extras") or {}) if _own(turn) else {}
    kept = {key: extras[key] for key in ("caller", "toolset_name") if extras.get(key)}
    return blocks.own_call({**call, **kept}, job)


def _invalid_tool_call(block: Block, turn: Turn, job: Job) -> JsonObject:
    args = _object(block.get("args"))
    name = block.get("name") or "unknown"
    if args is None:
        why = "Its arguments are no JSON object; an empty input was sent in their place."
        job.adjustments.append(Adjustment(what=f"invalid tool call {name!r} in message {turn.position}", why=why))
    return {"type": "tool_use", "id": job.ids.of_call(block.get("id")), "name": name, "input": args or {}}


def _object(value: Any) -> JsonObject | None:
    if isinstance(value, str):
        return json_object(value)
    return value if isinstance(value, dict) else None


# --- server tools -----------------------------------------------------------------------------------------------------


def _server_tool_call(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    if not _own(turn):
        return _words(f"[{block.get('name') or 'a tool'} was called with {_shown(block.get('args') or {})}]")
    extras = dict(block.get("extras") or {})
    named = {"id": block.get("id"), "input": _object(block.get("args")) or {}}
    if block.get("name") == "remote_mcp":
        return {"type": "mcp_tool_use", **named, "name": extras.pop("tool_name", ""), **extras}
    name = "code_execution" if block.get("name") == "code_interpreter" else block.get("name")
    return {"type": "server_tool_use", **named, "name": name, **extras}


def _server_tool_result(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    extras = dict(block.get("extras") or {})
    kind = extras.pop("block_type", None)
    if not _own(turn) or kind is None:
        return _words(f"[the tool returned {_shown(block.get('output') or 'nothing')}]")
    result = {"type": kind, "tool_use_id": block.get("tool_call_id"), "content": block.get("output", []), **extras}
    # The other results say in their content that they failed.
    failed = {"is_error": block.get("status") == "error"} if kind == "mcp_tool_result" else {}
    return {**result, **failed}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


# --- media, which Claude cannot have said -----------------------------------------------------------------------------


def _medium(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    """Media in an assistant message are refused by the API: their words or their address stand for them."""
    if block.get("transcript"):
        return _words(block["transcript"])
    url = block.get("url")
    if url and not url.startswith("data:"):
        return _words(f"[{block['type']}: {url}]")
    remedy = "The API takes none in an assistant message: move it to a user message, or take it out."
    raise cannot_carry(block, turn, WIRE, remedy)


def _text_document(block: Block, turn: Turn, job: Job) -> JsonObject | None:
    elsewhere = block.get("text") is None and "base64" not in block
    return _medium(block, turn, job) if elsewhere else blocks.document_as_text(block, turn, job)


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
    "foreign": blocks.left_out,
}
