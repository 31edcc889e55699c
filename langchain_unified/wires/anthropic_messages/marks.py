"""Prompt-cache marks: where they may stand, how long they may ask for, and how many fit into one request."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_unified.request import Adjustment, JsonObject, Mark, Turn

NO_MARK = frozenset({"thinking", "redacted_thinking", "mcp_tool_listing", "fallback"})
"""Block types that refuse `cache_control`."""

TTLS = ("5m", "1h")
LIMIT = 4
"""Marks in one request, over tools, system and messages; the top-level `cache_control` takes one of them."""


def cache_control(mark: Mark, adjustments: list[Adjustment]) -> JsonObject:
    """A mark as the API writes it. A `ttl` other than 5m and 1h is left to the default, with an adjustment."""
    ttl = mark.get("ttl")
    if ttl in TTLS:
        return {"type": "ephemeral", "ttl": ttl}
    if ttl:
        why = "Anthropic keeps a prefix for 5m or 1h; the default (5m) was asked for."
        adjustments.append(Adjustment(what=f"prompt-cache ttl {ttl!r}", why=why))
    return {"type": "ephemeral"}


def set_mark(written: list[JsonObject], mark: Mark, turn: Turn, adjustments: list[Adjustment]) -> None:
    """Mark the last written block that may carry a mark: the marked one itself, else the nearest before it."""
    for index in range(len(written) - 1, -1, -1):
        block = written[index]
        if block.get("type") not in NO_MARK:
            written[index] = {**block, "cache_control": _kept(block, mark, adjustments)}
            return
    why = "No block of this message can carry it."
    adjustments.append(Adjustment(what=f"prompt-cache mark in message {turn.position} ({turn.role})", why=why))


def _kept(block: JsonObject, mark: Mark, adjustments: list[Adjustment]) -> JsonObject:
    present: JsonObject | None = block.get("cache_control")
    return present or cache_control(mark, adjustments)


def limit_marks(body: JsonObject, *, allowed: bool, adjustments: list[Adjustment]) -> None:
    """Keep the latest marks that fit, in the order tools, system, messages. Not `allowed`: keep none."""
    room = LIMIT - bool(body.get("cache_control")) if allowed else 0
    marked = list(_marked(body))
    surplus = marked[: max(0, len(marked) - room)]
    for holder, index in surplus:
        holder[index] = {key: value for key, value in holder[index].items() if key != "cache_control"}
    if surplus:
        full = f"A request takes {LIMIT}: the latest were kept." if allowed else "This server does not take them."
        adjustments.append(Adjustment(what=f"{len(surplus)} prompt-cache mark(s)", why=full))


def _marked(body: JsonObject) -> Iterator[tuple[list[JsonObject], int]]:
    system = body.get("system")
    lists = [body.get("tools") or [], system if isinstance(system, list) else []]
    lists += [message["content"] for message in body["messages"]]
    for holder in lists:
        for index, item in enumerate(holder):
            if item.get("cache_control"):
                yield holder, index
