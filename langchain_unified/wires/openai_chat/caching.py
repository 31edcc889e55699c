"""Prompt-cache marks: where Chat Completions takes them."""

from __future__ import annotations

from langchain_unified.request import Block, Request
from langchain_unified.wires._openai.caching import openai_rules, says

MARKABLE = frozenset({"text", "image_url", "input_audio", "file"})
"""Types of the API's own parts that take `prompt_cache_breakpoint`."""

TAKES = frozenset({"text", "text-plain", "search_result", "image", "file", "audio"})

TEXTS = frozenset({"text", "text-plain", "search_result"})
"""What a tool message and a system message hold."""


def _takes(request: Request, at: int, block: Block) -> bool:
    """Whether a block carries a breakpoint: not in what the assistant said (OpenAI's guide), text in tool messages."""
    role = request.turns[at].role
    if role == "assistant" or not says(block):
        return False
    if block["type"] == "native":
        return block["value"].get("type") in MARKABLE
    return block["type"] in (TAKES if role == "user" else TEXTS)


MARKS = openai_rules(_takes, option_ttls=("30m",))
