"""Pieces of completions, which the server side of a wire renders."""

from __future__ import annotations

from typing import Any

from langchain_unified.wires._completion import Completion, Tokens

TOKENS = Tokens(uncached=10, cache_read=5, output=3, reasoning=1)


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def call(name: str, args: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {"type": "tool_call", "id": f"call_{number}", "name": name, "args": args}


def of_type(completion: Completion, *kinds: str) -> list[dict[str, Any]]:
    return [block for block in completion.blocks if block["type"] in kinds]
