"""Bodies that the providers accept and refuse: what the cases in the two modules beside are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**OBJECT, "required": ["a"], "additionalProperties": False}


@dataclass(frozen=True)
class Case:
    """A rule, and two changes of an accepted body: `bad` breaks only this rule, `good` breaks none."""

    rule: str
    bad: dict[str, Any]
    good: dict[str, Any] = field(default_factory=dict)
    status: int = 400
    code: str | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    endpoint: str = ""
    unstored: frozenset[str] = frozenset()
    keys: frozenset[str] | None = None
    reasoning: dict[str, str] = field(default_factory=dict)


def drop(key: str) -> dict[str, Any]:
    return {key: ...}


HI = [{"role": "user", "content": "hi"}]
BODIES: dict[str, dict[str, Any]] = {
    "anthropic.messages": {"model": "claude-sonnet-4-5", "max_tokens": 4000, "messages": HI},
    "anthropic.count_tokens": {"model": "claude-sonnet-4-5", "messages": HI},
    "openai.chat": {"model": "gpt-4o", "messages": HI},
    "openai.responses": {"model": "gpt-4o", "input": "hi"},
    "openai.input_tokens": {"model": "gpt-4o", "input": "hi"},
}
HEADERS = {
    "anthropic": {"x-api-key": "k", "anthropic-version": "2023-06-01"},
    "openai": {"authorization": "Bearer k"},
}


def message(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def text(content: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": content, **more}


def messages(*items: dict[str, Any]) -> dict[str, Any]:
    return {"messages": list(items)}


def use(call_id: str = "t1") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "f", "input": {}}


DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
