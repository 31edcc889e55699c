"""What the tests of cache marks share: models of each kind, and the marks in a body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_unified import ChatUnified, cached

CLAUDE, GPT, OLD = "anthropic/claude-opus-5", "openai/gpt-5.6", "openai/gpt-4o"
EPHEMERAL = {"type": "ephemeral"}


def build(model: str, **fields: Any) -> ChatUnified:
    return ChatUnified(model, api_key="any", **fields)


def text(words: str, ttl: str | None = None, *, mark: bool = True) -> dict[str, Any]:
    block = {"type": "text", "text": words}
    return cached(block, ttl) if mark else block


def places(body: dict[str, Any]) -> list[str]:
    """Where marks stand in a body, in its order, each with its lifetime if it names one: `messages.0.1 1h`."""
    found = ["top"] * ("cache_control" in body)
    for section in ("tools", "system", "messages", "input"):
        items = body.get(section)
        for at, item in enumerate(items if isinstance(items, list) else ()):
            found += _marks(item, f"{section}.{at}")
    if found[:1] == ["top"]:
        found[0] += "".join(f" {ttl}" for ttl in [body["cache_control"].get("ttl")] if ttl)
    return found


def _marks(item: dict[str, Any], path: str) -> Iterator[str]:
    for key in ("cache_control", "prompt_cache_breakpoint"):
        if key in item:
            yield f"{path} {item[key].get('ttl', '')}".strip()
    content = item.get("content", item.get("output"))
    for at, part in enumerate(content if isinstance(content, list) else ()):
        yield from _marks(part, f"{path}.{at}")


def whats(report: Any) -> list[str]:
    return [item["what"] for item in report.adjustments]


FUNCTION = {"name": "f", "description": "F.", "input_schema": {"type": "object", "properties": {}}}

TALK = [SystemMessage("S."), HumanMessage("Q?"), AIMessage("A."), HumanMessage("R?")]
