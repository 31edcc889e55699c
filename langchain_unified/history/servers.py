"""Turns of one server -> turns that another server takes: reasoning and signatures go back to their own server only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from langchain_unified.history.foreign import OTHER_SERVER, is_reasoning
from langchain_unified.messages.server_reasoning import CALL_EXTRAS
from langchain_unified.messages.tool_calls import makes_call
from langchain_unified.request import Adjustment, Dialect, JsonObject, Request, Turn, WireName
from langchain_unified.request.blocks import Block, changed, without

UNNAMED = frozenset({"generic", "custom", "proxy"})
"""Dialects of servers that have no name: their host tells them apart."""


def server_id(dialect: Dialect) -> str:
    """What a message records of the server that answered: its name, or else its host; `""` for the provider itself."""
    if dialect.name in ("openai", "anthropic"):
        return ""
    return (dialect.host or dialect.name) if dialect.name in UNNAMED else dialect.name


def for_server(turns: tuple[Turn, ...], wire: WireName, dialect: Dialect) -> tuple[Turn, ...]:
    """The turns without the reasoning and the signatures of other servers."""
    target = server_id(dialect)
    return tuple(turn if turn.server is None or _takes(turn, target, dialect) else _bare(turn, wire) for turn in turns)


def completed_calls(request: Request) -> Iterator[Adjustment]:
    """What is listed where the server refuses calls of other servers as they are: they get a placeholder."""
    asked = request.dialect.other_calls
    if asked != "as_they_are" and any(_lacks(turn, asked) for turn in request.turns if turn.role == "assistant"):
        why = "The server refuses calls without its own reasoning or signature: a placeholder was sent beside them."
        yield Adjustment(what="tool calls of other servers", why=why)


def _lacks(turn: Turn, asked: str) -> bool:
    if not any(makes_call(block) for block in turn.blocks):
        return False
    if asked == "with_reasoning":
        return not any(is_reasoning(block) for block in turn.blocks)
    extras: list[JsonObject] = [block.get("extras") or {} for block in turn.blocks]  # type: ignore[misc]
    return not any(CALL_EXTRAS in each for each in extras)


def _takes(turn: Turn, target: str, dialect: Dialect) -> bool:
    if turn.server or not target:
        return turn.server == target and bool(target)
    # Who writes reasoning into a message without naming the server wants it sent, where a server takes it.
    return dialect.reasoning_field == "reasoning_content"


def _bare(turn: Turn, wire: WireName) -> Turn:
    if wire == "openai_responses" and turn.origin == wire:
        return replace(turn, options={**turn.options, OTHER_SERVER: True})
    blocks = tuple(_without_extras(block) for block in turn.blocks if not is_reasoning(block))
    return replace(turn, blocks=blocks)


def _without_extras(block: Block) -> Block:
    extras: JsonObject = block.get("extras") or {}  # type: ignore[assignment]
    if CALL_EXTRAS not in extras:
        return block
    rest = {key: value for key, value in extras.items() if key != CALL_EXTRAS}
    return changed(block, extras=rest) if rest else without(block, "extras")
