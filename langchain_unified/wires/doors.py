"""The server's side of each API. A chat model never needs it: `wires.DOORS` loads it at first use."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.request import WireName
from langchain_unified.wires._door import Door
from langchain_unified.wires.anthropic_messages.serve.door import DOOR as MESSAGES
from langchain_unified.wires.openai_chat.serve.door import DOOR as CHAT
from langchain_unified.wires.openai_responses.serve.door import DOOR as RESPONSES

DOORS: Mapping[WireName, Door] = {door.wire: door for door in (MESSAGES, CHAT, RESPONSES)}
