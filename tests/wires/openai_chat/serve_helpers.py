"""What the tests of the server side of the Chat Completions wire share."""

from __future__ import annotations

from typing import Any

from langchain_unified.wires._completion import Tokens

HELLO = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]}
WITH_USAGE = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def call(name: str, args: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"type": "tool_call", "id": f"call_{number}", "name": name, "args": args}


TOKENS = Tokens(uncached=10, cache_read=5, output=3, reasoning=1)
