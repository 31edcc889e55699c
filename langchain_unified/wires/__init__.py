"""How to talk: one package per API, each with the same files. Pure functions of data; no SDK, no network."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.request import WireName
from langchain_unified.wires import anthropic_messages, openai_chat, openai_responses
from langchain_unified.wires._wire import StreamDecoder, Wire

WIRES: Mapping[WireName, Wire] = {
    "anthropic_messages": anthropic_messages.WIRE,
    "openai_chat": openai_chat.WIRE,
    "openai_responses": openai_responses.WIRE,
}

__all__ = ["WIRES", "StreamDecoder", "Wire"]
