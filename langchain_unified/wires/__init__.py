"""How to talk: one package per API, each with the same files. Pure functions of data; no SDK, no network."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from langchain_unified.request import WireName
from langchain_unified.wires import anthropic_messages, openai_chat, openai_responses
from langchain_unified.wires._door import Door
from langchain_unified.wires._wire import StreamDecoder, Wire

WIRES: Mapping[WireName, Wire] = {
    "anthropic_messages": anthropic_messages.WIRE,
    "openai_chat": openai_chat.WIRE,
    "openai_responses": openai_responses.WIRE,
}
DOORS: Mapping[WireName, Door]
"""The server's side of each API, loaded at first use: a chat model does not need it."""


def __getattr__(name: str) -> Any:
    if name == "DOORS":
        return importlib.import_module("langchain_unified.wires.doors").DOORS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["DOORS", "WIRES", "Door", "StreamDecoder", "Wire"]
