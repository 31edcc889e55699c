"""What the tests of the server side of the Responses wire share."""

from __future__ import annotations

from typing import Any

from langchain_unified.wires._completion import Completion
from tests.support.completions import TOKENS, text

ENDPOINT = "openai.responses"
HELLO = {"model": "gpt-test", "input": "Hi"}
STREAMED = {**HELLO, "stream": True}


def native(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "native", "value": value}


def plain(holder: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if value is not None}


CLOSED = {"type": "object", "additionalProperties": False}
ADD = {"type": "function", "name": "add", "parameters": {**CLOSED, "properties": {}, "required": []}, "strict": True}
WIKI = {"type": "mcp", "server_label": "wiki", "server_url": "https://a"}

SQL = {"type": "custom", "name": "sql"}
ASKED = {**STREAMED, "tools": [SQL]}

HI = Completion("resp_1", "gpt-test-1", (text("Hi there"),), tokens=TOKENS, created=7)
