"""What the tests of histories of several providers share."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.messages.turns import turns
from langchain_unified.request import Profile, Request
from langchain_unified.wires import WIRES
from tests.support.corpus import WIRE_OF
from tests.support.histories import problems, repair

ALL = tuple(WIRE_OF.values())
PROVIDERS = {"anthropic_messages": "anthropic", "openai_chat": "openai", "openai_responses": "openai"}


def said(wire: str, *blocks: dict[str, Any], calls: Any = (), model: str | None = None, **fields: Any) -> AIMessage:
    metadata = {"model_provider": PROVIDERS[wire], **({"model_name": model} if model else {})}
    return AIMessage(list(blocks), tool_calls=list(calls), response_metadata=metadata, **fields)


def sent(wire: str, *messages: Any, model: str = "", policy: Any = "raise") -> dict[str, Any]:
    """The body of a conversation after its repair, checked."""
    found, _ = repair(turns(messages, wire), wire=wire, profile=Profile(), model=model, policy=policy)
    body = WIRES[wire].encode(Request(model=model or "m", turns=found)).body
    assert problems(wire, body) == []
    return body


SEARCHED = [
    {"type": "thinking", "thinking": "let me see", "signature": "sig"},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "height of K2"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
        {"type": "web_search_result", "url": "https://k2.example", "title": "K2", "encrypted_content": "SEALED",
         "page_age": "2 days"}]},
    {"type": "text", "text": "It is "},
    {"type": "text", "text": "8611 m", "citations": [
        {"type": "web_search_result_location", "url": "https://k2.example", "title": "K2", "cited_text": "8,611 metres",
         "encrypted_index": "SEALED"}]},
    {"type": "text", "text": " high."},
]  # fmt: skip

THOUGHT = [
    {"type": "thinking", "thinking": "hm", "signature": "sig"},
    {"type": "redacted_thinking", "data": "S"},
    {"type": "text", "text": "Seven."},
]
