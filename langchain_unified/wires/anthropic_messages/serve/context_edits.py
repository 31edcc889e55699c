"""`context_management` as the API plays it: the edits that a prompt gets before the model and the cache see it.

The conversation stays as the client sends it; the edited prompt is what is counted and cached. Sources: the SDK's types
of the edits, Anthropic's guide to context editing (results are cleared oldest first, beyond those that `keep` names,
once the prompt is longer than `trigger`; by default 3 are kept and 100,000 input tokens trigger). The text that takes a
result's place is not documented: the one here is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_unified.caching.tokens import wire_tokens
from langchain_unified.request import JsonObject

CLEARED = "[This tool result was cleared.]"

DEFAULT_TRIGGER = {"type": "input_tokens", "value": 100_000}
DEFAULT_KEEP, DEFAULT_THINKING_TURNS = 3, 1

Edited = tuple[JsonObject, JsonObject | None]


def edit_context(body: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """The body as the model sees it, and the `applied_edits` of the reply. Without edits, the same body."""
    edits = (body.get("context_management") or {}).get("edits") or []
    applied = []
    for edit in edits:
        play = EDITS.get(str(edit.get("type")))
        if play is None:
            continue
        body, done = play(body, edit)
        if done is not None:
            applied.append(done)
    return body, applied


def _clear_tool_uses(body: JsonObject, edit: Mapping[str, Any]) -> Edited:
    excluded = set(edit.get("exclude_tools") or ())
    calls = [block for _, block in _blocks(body, "tool_use")]
    names = {block.get("id"): block.get("name") for block in calls}
    if not _triggered(body, edit.get("trigger") or DEFAULT_TRIGGER, len(calls)):
        return body, None
    keep = int((edit.get("keep") or {}).get("value", DEFAULT_KEEP))
    old = calls[: len(calls) - keep] if keep else calls
    ids = {block.get("id") for block in old if names.get(block.get("id")) not in excluded}
    inputs = edit.get("clear_tool_inputs") or False
    cleared = _without_results(body, ids, inputs)
    saved = _tokens(body) - _tokens(cleared)
    if saved <= 0 or saved < int((edit.get("clear_at_least") or {}).get("value", 0)):
        return body, None
    return cleared, {"type": edit["type"], "cleared_tool_uses": len(ids), "cleared_input_tokens": saved}


def _triggered(body: JsonObject, trigger: Mapping[str, Any], calls: int) -> bool:
    size = calls if trigger.get("type") == "tool_uses" else _tokens(body)
    return size > int(trigger.get("value", 0))


def _without_results(body: JsonObject, ids: set[object], inputs: bool | Sequence[str]) -> JsonObject:
    def edit(_: int, block: JsonObject) -> JsonObject:
        if block.get("type") == "tool_result" and block.get("tool_use_id") in ids:
            return {**block, "content": CLEARED}
        clears = inputs is True or (not isinstance(inputs, bool) and block.get("name") in inputs)
        if clears and block.get("type") == "tool_use" and block.get("id") in ids:
            return {**block, "input": {}}
        return block

    return _with_blocks(body, edit)


def _clear_thinking(body: JsonObject, edit: Mapping[str, Any]) -> Edited:
    keep = edit.get("keep") or DEFAULT_THINKING_TURNS
    if keep == "all" or (isinstance(keep, Mapping) and keep.get("type") == "all"):
        return body, None
    count = int(keep["value"]) if isinstance(keep, Mapping) else int(keep)
    turns = sorted({at for kind in THINKING for at, _ in _blocks(body, kind)})
    old = set(turns[: len(turns) - count])
    cleared = _with_blocks(body, lambda at, block: None if at in old and block.get("type") in THINKING else block)
    saved = _tokens(body) - _tokens(cleared)
    if not old:
        return body, None
    return cleared, {"type": edit["type"], "cleared_thinking_turns": len(old), "cleared_input_tokens": saved}


THINKING = ("thinking", "redacted_thinking")

EDITS: Mapping[str, Callable[[JsonObject, Mapping[str, Any]], Edited]] = {
    "clear_tool_uses_20250919": _clear_tool_uses,
    "clear_thinking_20251015": _clear_thinking,
}
"""By type. An edit of another type changes nothing here."""


# --- messages ---------------------------------------------------------------------------------------------------------


def _blocks(body: JsonObject, kind: str) -> Iterator[tuple[int, JsonObject]]:
    """The blocks of a type, each with the index of its message."""
    for at, message in enumerate(body.get("messages") or []):
        content = message.get("content")
        yield from ((at, block) for block in content if block.get("type") == kind) if isinstance(content, list) else ()


def _with_blocks(body: JsonObject, edit: Callable[[int, JsonObject], JsonObject | None]) -> JsonObject:
    """The body with each block edited; a block that becomes `None` is left out."""
    messages = []
    for at, message in enumerate(body.get("messages") or []):
        content = message.get("content")
        if isinstance(content, list):
            edited = [new for block in content if (new := edit(at, block)) is not None]
            message = {**message, "content": edited}  # noqa: PLW2901  # the same message, edited
        messages.append(message)
    return {**body, "messages": messages}


def _tokens(body: JsonObject) -> int:
    """The tokens of a whole prompt, by estimate."""
    system = body.get("system") or []
    blocks = [*(body.get("tools") or []), *([system] if isinstance(system, str) else system)]
    for message in body.get("messages") or []:
        content = message.get("content") or []
        blocks += [content] if isinstance(content, str) else content
    return sum(map(wire_tokens, blocks))
