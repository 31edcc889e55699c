"""What the Anthropic Messages API refuses about a conversation: roles, blocks, and calls with their results."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.rules.rule import ANTHROPIC, MESSAGES, Call, Finder, Found, Rule, dicts

GENERATE = frozenset({MESSAGES})
CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")

BLOCKS = frozenset({"text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use",
                    "tool_result", "server_tool_use", "container_upload", "compaction", "fallback", "mcp_tool_use",
                    "mcp_tool_result", "mcp_tool_listing", "tool_addition", "tool_removal"})  # fmt: skip
RESULT_PARTS = frozenset({"text", "image", "search_result", "document", "tool_reference", "browser_state"})


def _messages(call: Call) -> list[JsonObject]:
    return dicts(call.body.get("messages"))


def _content(message: JsonObject) -> list[JsonObject]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else dicts(content)


def _blocks(call: Call) -> Iterator[tuple[str, JsonObject, JsonObject]]:
    """Each block with its place and its message."""
    for at, message in enumerate(_messages(call)):
        for index, block in enumerate(_content(message)):
            yield f"messages.{at}.content.{index}", block, message


def _turns(call: Call) -> list[tuple[int, str, list[JsonObject]]]:
    """The messages as the API reads them, those of one role in a row as one: index of the first, role, blocks."""
    turns: list[tuple[int, str, list[JsonObject]]] = []
    for at, message in enumerate(_messages(call)):
        role = str(message.get("role"))
        if turns and turns[-1][1] == role:
            turns[-1][2].extend(_content(message))
        else:
            turns.append((at, role, list(_content(message))))
    return turns


# --- roles ------------------------------------------------------------------------------------------------------------


def _none(call: Call) -> Found:
    if call.body.get("messages") == []:
        yield {}


def _roles(call: Call) -> Found:
    for at, message in enumerate(_messages(call)):
        if message.get("role") not in ("user", "assistant", "system"):
            yield {"at": at}


def _system(call: Call) -> Found:
    for at, message in enumerate(_messages(call)):
        if message.get("role") == "system" and not call.profile.system_in_messages:
            yield {"at": at}


def _system_blocks(call: Call) -> Found:
    for place, block, message in _blocks(call):
        if message.get("role") == "system" and block.get("type") not in ("text", "tool_addition", "tool_removal"):
            yield {"place": place}


def _prefill(call: Call) -> Found:
    turns = _turns(call)
    if turns and turns[-1][1] == "assistant" and not call.profile.prefill and _is_text(turns[-1][2]):
        yield {}


def _trailing(call: Call) -> Found:
    turns = _turns(call)
    if turns and turns[-1][1] == "assistant" and _is_text(turns[-1][2]):
        text = str(turns[-1][2][-1].get("text", ""))
        if text != text.rstrip():
            yield {}


def _is_text(blocks: list[JsonObject]) -> bool:
    return bool(blocks) and blocks[-1].get("type") == "text"


# --- blocks -----------------------------------------------------------------------------------------------------------


def _empty_message(call: Call) -> Found:
    messages = _messages(call)
    for at, message in enumerate(messages):
        last_answer = at == len(messages) - 1 and message.get("role") == "assistant"
        if message.get("content") in ("", [], None) and not last_answer:
            yield {"at": at}


def _empty_text(call: Call) -> Found:
    for _, block, message in _blocks(call):
        if block.get("type") == "text" and not block.get("text") and not isinstance(message.get("content"), str):
            yield {}
    for block in dicts(call.body.get("system")):
        if block.get("type") == "text" and not block.get("text"):
            yield {}


def _blank_text(call: Call) -> Found:
    for _, block, _message in _blocks(call):
        text = block.get("text")
        if block.get("type") == "text" and text and not str(text).strip():
            yield {}


def _block_type(call: Call) -> Found:
    for place, block, _ in _blocks(call):
        kind = str(block.get("type"))
        if kind not in BLOCKS and not kind.endswith("_tool_result"):
            yield {"place": place, "kind": kind}


def _result_part(call: Call) -> Found:
    for place, block, _ in _blocks(call):
        parts = block.get("content") if block.get("type") == "tool_result" else None
        for index, part in enumerate(dicts(parts)):
            if part.get("type") not in RESULT_PARTS:
                yield {"place": f"{place}.content.{index}", "kind": part.get("type")}


def _result_mark(call: Call) -> Found:
    for place, block, _ in _blocks(call):
        parts = block.get("content") if block.get("type") == "tool_result" else None
        marked = (at for at, part in enumerate(dicts(parts)) if "cache_control" in part)
        yield from ({"place": f"{place}.content.{at}"} for at in marked)


def _foreign_mark(call: Call) -> Found:
    for place, block, _ in _blocks(call):
        if "prompt_cache_breakpoint" in block:
            yield {"place": place}


def _unsigned(call: Call) -> Found:
    for place, block, _ in _blocks(call):
        if block.get("type") == "thinking" and not block.get("signature"):
            yield {"place": place}


def _document_of_assistant(call: Call) -> Found:
    if call.headers.get("anthropic-version", "") >= "2026-10-21":
        for place, block, message in _blocks(call):
            if block.get("type") == "document" and message.get("role") == "assistant":
                yield {"place": place}


def _citations_of_user(call: Call) -> Found:
    if call.headers.get("anthropic-version", "") < "2026-10-21":
        return
    for place, block, message in _blocks(call):
        inner = dicts(block.get("content")) if block.get("type") == "search_result" else []
        if message.get("role") == "user" and any(part.get("citations") for part in (block, *inner) if _has_text(part)):
            yield {"place": place}


def _has_text(block: JsonObject) -> bool:
    return block.get("type") == "text"


# --- calls and results ------------------------------------------------------------------------------------------------


def _ids(blocks: list[JsonObject], kind: str, key: str) -> list[str]:
    return [str(block.get(key)) for block in blocks if block.get("type") == kind]


def _unanswered(call: Call) -> Found:
    turns = _turns(call)
    for at, (first, role, blocks) in enumerate(turns):
        called = _ids(blocks, "tool_use", "id") if role == "assistant" else []
        follows = turns[at + 1][2] if at + 1 < len(turns) else []
        answered = set(_ids(follows, "tool_result", "tool_use_id"))
        open_calls = [each for each in called if each not in answered]
        if open_calls:
            yield {"at": first, "ids": ", ".join(open_calls)}


def _orphans(call: Call) -> Found:
    turns = _turns(call)
    for at, (first, _, blocks) in enumerate(turns):
        before = turns[at - 1][2] if at and turns[at - 1][1] == "assistant" else []
        called = set(_ids(before, "tool_use", "id"))
        for index, block in enumerate(blocks):
            if block.get("type") == "tool_result" and block.get("tool_use_id") not in called:
                yield {"place": f"messages.{first}.content.{index}", "id": block.get("tool_use_id")}


def _twice(call: Call) -> Found:
    called = [each for _, _, blocks in _turns(call) for each in _ids(blocks, "tool_use", "id")]
    if len(set(called)) < len(called):
        yield {}


def _bad_id(call: Call) -> Found:
    for place, block, _ in _blocks(call):
        key = {"tool_use": "id", "tool_result": "tool_use_id"}.get(str(block.get("type")))
        if key and not CALL_ID.fullmatch(str(block.get(key, ""))):
            yield {"place": place, "key": key}


def _row(
    name: str, find: Finder, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, find, message, source, **more)


HISTORY: tuple[Rule, ...] = (
    _row("empty conversation", _none, "messages: at least one message is required", "API reference"),
    _row("role", _roles, "messages.{at}.role: Input should be 'user', 'assistant' or 'system'", "SDK types"),
    _row(
        "system message",
        _system,
        "messages.{at}.role: 'system' is not supported for this model.",
        "guide to system messages in mid-conversation",
    ),
    _row("system blocks", _system_blocks, "{place}: system messages hold text only", "SDK types"),
    _row(
        "prefill",
        _prefill,
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "migration guides from 4.6 on",
        GENERATE,
    ),
    _row(
        "trailing whitespace",
        _trailing,
        "messages: final assistant content cannot end with trailing whitespace",
        "prefill guide",
        GENERATE,
    ),
    _row(
        "empty message",
        _empty_message,
        "messages.{at}: all messages must have non-empty content except for the optional final assistant message",
        "reports",
    ),
    _row("empty text", _empty_text, "messages: text content blocks must be non-empty", "reports"),
    _row("blank text", _blank_text, "messages: text content blocks must contain non-whitespace text", "reports"),
    _row(
        "block type",
        _block_type,
        "{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags",
        "SDK types",
    ),
    _row(
        "result part",
        _result_part,
        "{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags",
        "SDK types",
    ),
    _row(
        "mark in result",
        _result_mark,
        "{place}.cache_control: Extra inputs are not permitted",
        "prompt caching guide; reports",
    ),
    _row(
        "foreign mark",
        _foreign_mark,
        "{place}.prompt_cache_breakpoint: Extra inputs are not permitted",
        "SDK types",
    ),
    _row("unsigned thinking", _unsigned, "{place}.thinking.signature: Field required", "SDK types"),
    _row(
        "document of assistant",
        _document_of_assistant,
        "{place}: document blocks are not permitted in assistant messages",
        "migration guide for 2026-10-21",
    ),
    _row(
        "citations of user",
        _citations_of_user,
        "{place}.citations: citations are not permitted in user messages",
        "migration guide for 2026-10-21",
    ),
    _row("call id", _bad_id, "{place}.{key}: String should match pattern '^[a-zA-Z0-9_-]+$'", "reports"),
    _row("call ids", _twice, "messages: `tool_use` ids must be unique", "reports"),
    _row(
        "orphan result",
        _orphans,
        "{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a "
        "corresponding `tool_use` block in the previous message.",
        "reports",
    ),
    _row(
        "unanswered call",
        _unanswered,
        "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {ids}. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        "reports",
    ),
)
