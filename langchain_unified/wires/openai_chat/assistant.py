"""Blocks of an assistant turn -> the fields of an assistant message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_unified.request import Block, JsonObject, Turn
from langchain_unified.wires.openai_chat.blocks import (
    RESPONSES,
    PartWriter,
    _search_result,
    _text,
    _text_plain,
    _unknown,
    compact,
    refuse,
    text_part,
)

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
