"""The batch API of each wire. Loaded with the first batch."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_unified.request import WireName
from langchain_unified.wires._batch import BatchApi
from langchain_unified.wires.anthropic_messages.batch import BATCHES as MESSAGES
from langchain_unified.wires.openai_chat.batch import BATCHES as CHAT
from langchain_unified.wires.openai_responses.batch import BATCHES as RESPONSES

BATCH_APIS: Mapping[WireName, BatchApi] = {
    "anthropic_messages": MESSAGES,
    "openai_chat": CHAT,
    "openai_responses": RESPONSES,
}
