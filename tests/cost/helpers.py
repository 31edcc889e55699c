"""What the tests of costs share: replies of each API with a given usage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.wires import WIRES

DAY = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
"""The day of the prices that are pinned here, of genai-prices 0.2.3; its later tables keep the prices of a day."""


def claude(usage: Mapping[str, Any], model: str = "claude-sonnet-4-5-20250929", **reply: Any) -> AIMessage:
    said = {"stop_reason": "end_turn", "created_at": DAY, **reply}
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": model,
        "usage": usage,
        **said,
    }
    return WIRES["anthropic_messages"].decode(body)[0]


def gpt(usage: Mapping[str, Any], model: str = "gpt-5.6-sol", output: Any = (), **reply: Any) -> AIMessage:
    said = {"status": "completed", "created_at": DAY, **reply}
    return WIRES["openai_responses"].decode(
        {"id": "resp_1", "model": model, "output": list(output), "usage": usage, **said}
    )[0]


def chat(usage: Mapping[str, Any], model: str = "gpt-4o-2024-08-06", **reply: Any) -> AIMessage:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    body = {"id": "chatcmpl-1", "choices": [choice], "model": model, "usage": usage, "created": DAY, **reply}
    return WIRES["openai_chat"].decode(body)[0]


USAGE = {"input_tokens": 1_000, "output_tokens": 1_000}
