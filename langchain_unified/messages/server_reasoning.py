"""What a message keeps of the server that answered: its reasoning, and signatures on its tool calls.

Only that server reads them. A turn names the server; `history/servers.py` removes what another one cannot read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.messages.tool_calls import call_id_of
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import Block, ReasoningBlock, changed

TEXT = "reasoning_content"
"""Key in `additional_kwargs` of the readable text."""
DETAILS = "reasoning_details"
"""Key in `additional_kwargs`: the parts that OpenRouter gives, with signatures and encrypted data."""
FIELD = "reasoning_field"
"""Key in `response_metadata`: the field of the text, where it was not `reasoning_content`."""
CALL_EXTRAS = "tool_call_extras"
"""Key in `additional_kwargs`: call id -> what a server said beside a call, such as `extra_content` (Gemini)."""
CONTENT = "content"
"""The field of reasoning that stands in parts of the content (Mistral); they are kept under `PARTS`."""
PARTS = "content_parts"
"""Key in `additional_kwargs` of the parts of a content that are no text."""
SIGNATURE = "extra_content"
"""Key in `additional_kwargs`, and beside a call: Gemini's signatures."""
SERVER = "server"
"""Key in `response_metadata`: the server that answered, by its name or its host; absent for the provider itself."""
COMPATIBLE = "openai_compatible"
"""`model_provider` of an answer with reasoning on Chat Completions. Of `openai`, core reads no reasoning there."""


def server_of(message: AIMessage) -> str | None:
    """The server whose reasoning or signatures a message has: `""` if it is not known, `None` if there are none."""
    metadata, kwargs = message.response_metadata, message.additional_kwargs
    if metadata.get(SERVER):
        return str(metadata[SERVER])
    if not any(kwargs.get(key) for key in (TEXT, DETAILS, CALL_EXTRAS, SIGNATURE)):
        return None
    # LangChain's classes for single servers (`langchain-deepseek`) name the server here.
    provider = metadata.get("model_provider")
    return str(provider) if provider and provider not in ("openai", "anthropic", COMPATIBLE) else ""


def with_server_reasoning(blocks: list[Block], message: AIMessage) -> list[Block]:
    """The blocks of an answer on Chat Completions with its reasoning, in `extras` as it goes back to its server."""
    kwargs = message.additional_kwargs
    text, details, extras = kwargs.get(TEXT), kwargs.get(DETAILS), kwargs.get(CALL_EXTRAS)
    if isinstance(extras, dict) and extras:
        blocks = [_with_extras(block, extras) for block in blocks]
    field = message.response_metadata.get(FIELD) or TEXT
    # The parts have all that the text has; a server that gave them takes them back.
    fields: JsonObject = {DETAILS: details} if details else {str(field): text} if text else {}
    if field == CONTENT:
        fields = {CONTENT: kwargs.get(PARTS) or []}
    if isinstance(kwargs.get(SIGNATURE), dict):
        fields[SIGNATURE] = kwargs[SIGNATURE]
    if not fields:
        return blocks
    block: ReasoningBlock = {"type": "reasoning", "reasoning": str(text or ""), "extras": {"fields": fields}}
    return [block, *(other for other in blocks if other["type"] != "reasoning")]


def _with_extras(block: Block, extras: Mapping[str, Any]) -> Block:
    found = extras.get(call_id_of(block) or "")
    known: JsonObject = block.get("extras") or {}  # type: ignore[assignment]
    return block if found is None else changed(block, extras={**known, CALL_EXTRAS: found})
