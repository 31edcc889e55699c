"""Citations and an output format exclude each other: the API answers a 400 (guide to structured outputs; agno#7513)."""

from __future__ import annotations

from langchain_unified.request import Adjustment, JsonObject


def drop_citations(body: JsonObject, adjustments: list[Adjustment]) -> None:
    """Take `citations` from the documents and search results of a body that has an output format."""
    messages = [_without_citations(message) for message in body["messages"]]
    if all(new is old for new, old in zip(messages, body["messages"], strict=True)):
        return
    body["messages"] = messages
    why = "Anthropic takes no citations together with an output format: they were switched off."
    adjustments.append(Adjustment(what="citations", why=why))


def _without_citations(holder: JsonObject) -> JsonObject:
    """A message, tool result or document without `citations`; the same object where it has none that are enabled."""
    content = holder.get("content")
    if isinstance(content, list) and holder.get("type") != "search_result":
        items = [_without_citations(item) for item in content]
        if any(new is not old for new, old in zip(items, content, strict=True)):
            holder = {**holder, "content": items}
    cites = holder.get("type") in ("document", "search_result") and (holder.get("citations") or {}).get("enabled")
    return {key: value for key, value in holder.items() if key != "citations"} if cites else holder
