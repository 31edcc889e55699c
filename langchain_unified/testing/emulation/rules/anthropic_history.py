"""What the Anthropic Messages API refuses in a conversation: roles, blocks, tool calls and their results."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import ANTHROPIC, MESSAGES
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts

GENERATE = frozenset({MESSAGES})
TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_-]+")

BLOCK_TYPES = frozenset({"text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use",
                    "tool_result", "server_tool_use", "container_upload", "compaction", "fallback", "mcp_tool_use",
                    "mcp_tool_result", "mcp_tool_listing", "tool_addition", "tool_removal"})  # fmt: skip
RESULT_PART_TYPES = frozenset({"text", "image", "search_result", "document", "tool_reference", "browser_state"})


def _messages(call: EmulatedCall) -> list[JsonObject]:
    return dicts(call.body.get("messages"))


def _content(message: JsonObject) -> list[JsonObject]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else dicts(content)


def _blocks(call: EmulatedCall) -> Iterator[tuple[str, JsonObject, JsonObject]]:
    """Each block with its path and its message."""
    for at, message in enumerate(_messages(call)):
        for index, block in enumerate(_content(message)):
            yield f"messages.{at}.content.{index}", block, message


def turns_of(call: EmulatedCall) -> list[tuple[int, str, list[JsonObject]]]:
    """`(index of the first message, role, blocks)`: the API joins consecutive messages of one role into one turn."""
    turns: list[tuple[int, str, list[JsonObject]]] = []
    for at, message in enumerate(_messages(call)):
        role = str(message.get("role"))
        if turns and turns[-1][1] == role:
            turns[-1][2].extend(_content(message))
        else:
            turns.append((at, role, list(_content(message))))
    return turns


def is_server_use(block: JsonObject) -> bool:
    return block.get("type") in ("server_tool_use", "mcp_tool_use")


def is_server_result(block: JsonObject) -> bool:
    kind = str(block.get("type"))
    return kind.endswith("_tool_result")


def prefill_of(call: EmulatedCall) -> list[JsonObject]:
    """The blocks of an assistant turn at the end, which the model continues; empty for a paused turn and for others."""
    turns = turns_of(call)
    if not turns or turns[-1][1] != "assistant":
        return []
    blocks = turns[-1][2]
    paused = any(is_server_use(each) or is_server_result(each) or each.get("type") == "compaction" for each in blocks)
    return [] if paused else blocks


# --- roles ------------------------------------------------------------------------------------------------------------


def _no_messages(call: EmulatedCall) -> Violations:
    if call.body.get("messages") == []:
        yield {}


def _not_a_block(call: EmulatedCall) -> Violations:
    for at, message in enumerate(dicts(call.body.get("messages"))):
        content = message.get("content")
        is_blocks = isinstance(content, list) and len(dicts(content)) == len(content)
        if not (content is None or isinstance(content, str) or is_blocks):
            yield {"at": at}


def _unknown_role(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        if message.get("role") not in ("user", "assistant", "system"):
            yield {"at": at}


def _system_message(call: EmulatedCall) -> Violations:
    for at, message in enumerate(_messages(call)):
        if message.get("role") == "system" and not call.profile.system_in_messages:
            yield {"at": at}


def _not_text_in_system(call: EmulatedCall) -> Violations:
    for place, block, message in _blocks(call):
        if message.get("role") == "system" and block.get("type") not in ("text", "tool_addition", "tool_removal"):
            yield {"place": place}


def _prefill(call: EmulatedCall) -> Violations:
    blocks = prefill_of(call)
    # For a call at the end there is a rule of its own.
    if blocks and not call.profile.prefill and blocks[-1].get("type") != "tool_use":
        yield {}


def _trailing_whitespace(call: EmulatedCall) -> Violations:
    blocks = prefill_of(call)
    if blocks and _has_text(blocks[-1]):
        text = str(blocks[-1].get("text", ""))
        if text != text.rstrip():
            yield {}


# --- blocks -----------------------------------------------------------------------------------------------------------


def _empty_message(call: EmulatedCall) -> Violations:
    messages = _messages(call)
    for at, message in enumerate(messages):
        last_answer = at == len(messages) - 1 and message.get("role") == "assistant"
        # A system message may have settings in place of content.
        settings = message.get("role") == "system" and message.get("output_config")
        if message.get("content") in ("", [], None) and not last_answer and not settings:
            yield {"at": at}


def _empty_text(call: EmulatedCall) -> Violations:
    for _, block, message in _blocks(call):
        if block.get("type") == "text" and not block.get("text") and not isinstance(message.get("content"), str):
            yield {}
    for block in dicts(call.body.get("system")):
        if block.get("type") == "text" and not block.get("text"):
            yield {}


def _blank_text(call: EmulatedCall) -> Violations:
    system = dicts(call.body.get("system"))
    for block in (*(block for _, block, _ in _blocks(call)), *system):
        text = block.get("text")
        if block.get("type") == "text" and text and not str(text).strip():
            yield {}


def _unknown_block_type(call: EmulatedCall) -> Violations:
    for place, block, _ in _blocks(call):
        kind = str(block.get("type"))
        if kind not in BLOCK_TYPES and not kind.endswith("_tool_result"):
            yield {"place": place, "kind": kind}


def _unknown_result_part(call: EmulatedCall) -> Violations:
    for place, block, _ in _blocks(call):
        parts = block.get("content") if block.get("type") == "tool_result" else None
        for index, part in enumerate(dicts(parts)):
            if part.get("type") not in RESULT_PART_TYPES:
                yield {"place": f"{place}.content.{index}", "kind": part.get("type")}


def _breakpoint_in_result(call: EmulatedCall) -> Violations:
    for place, block, _ in _blocks(call):
        parts = block.get("content") if block.get("type") == "tool_result" else None
        marked = (at for at, part in enumerate(dicts(parts)) if "cache_control" in part)
        yield from ({"place": f"{place}.content.{at}"} for at in marked)


def _openai_breakpoint(call: EmulatedCall) -> Violations:
    for place, block, _ in _blocks(call):
        if "prompt_cache_breakpoint" in block:
            yield {"place": place}


def _no_signature(call: EmulatedCall) -> Violations:
    for place, block, _ in _blocks(call):
        if block.get("type") == "thinking" and not block.get("signature"):
            yield {"place": place}


def _document_from_assistant(call: EmulatedCall) -> Violations:
    if call.headers.get("anthropic-version", "") >= "2026-10-21":
        for place, block, message in _blocks(call):
            if block.get("type") == "document" and message.get("role") == "assistant":
                yield {"place": place}


def _citations_from_user(call: EmulatedCall) -> Violations:
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


def _calls_without_result(call: EmulatedCall) -> Violations:
    turns = turns_of(call)
    for at, (first, role, blocks) in enumerate(turns):
        called = _ids(blocks, "tool_use", "id") if role == "assistant" else []
        follows = turns[at + 1][2] if at + 1 < len(turns) and turns[at + 1][1] == "user" else []
        # Results count up to the first block of another type.
        results = list(itertools.takewhile(lambda block: block.get("type") == "tool_result", follows))
        answered = set(_ids(results, "tool_result", "tool_use_id"))
        open_calls = [each for each in called if each not in answered]
        if open_calls:
            yield {"at": first, "ids": ", ".join(open_calls)}


def _results_without_call(call: EmulatedCall) -> Violations:
    turns = turns_of(call)
    for at, (first, _, blocks) in enumerate(turns):
        before = turns[at - 1][2] if at and turns[at - 1][1] == "assistant" else []
        called = set(_ids(before, "tool_use", "id"))
        for index, block in enumerate(blocks):
            if block.get("type") == "tool_result" and block.get("tool_use_id") not in called:
                yield {"place": f"messages.{first}.content.{index}", "id": block.get("tool_use_id")}


def _repeated_call_id(call: EmulatedCall) -> Violations:
    """Within a turn: an id that comes again in a later turn was recorded with 200."""
    for _, _, blocks in turns_of(call):
        called = list(_ids(blocks, "tool_use", "id"))
        if len(set(called)) < len(called):
            yield {}


def _repeated_result(call: EmulatedCall) -> Violations:
    for first, _, blocks in turns_of(call):
        answered = _ids(blocks, "tool_result", "tool_use_id")
        for each in sorted({each for each in answered if answered.count(each) > 1}):
            yield {"at": first, "id": each}


def _invalid_call_id(call: EmulatedCall) -> Violations:
    for place, block, _ in _blocks(call):
        key = {"tool_use": "id", "mcp_tool_use": "id", "tool_result": "tool_use_id"}.get(str(block.get("type")))
        if key and not TOOL_USE_ID.fullmatch(str(block.get(key, ""))):
            yield {"place": place, "key": key}


def _rule(
    name: str, check: RuleCheck, message: str, source: str, endpoints: frozenset[str] = ANTHROPIC, **more: Any
) -> Rule:
    return Rule(f"anthropic.{name}", endpoints, check, message, source, **more)


HISTORY: tuple[Rule, ...] = (
    _rule("empty conversation", _no_messages, "messages: at least one message is required", "API reference"),
    _rule("content", _not_a_block, "messages.{at}.content: Input should be a valid list of blocks", "SDK types"),
    _rule("role", _unknown_role, "messages.{at}.role: Input should be 'user', 'assistant' or 'system'", "SDK types"),
    _rule(
        "system message",
        _system_message,
        "messages.{at}.role: 'system' is not supported for this model.",
        "guide to system messages in mid-conversation",
    ),
    _rule("system blocks", _not_text_in_system, "{place}: system messages hold text only", "SDK types"),
    _rule(
        "prefill",
        _prefill,
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "migration guides from 4.6 on",
        GENERATE,
    ),
    _rule(
        "trailing whitespace",
        _trailing_whitespace,
        "messages: final assistant content cannot end with trailing whitespace",
        "prefill guide",
        GENERATE,
    ),
    _rule(
        "empty message",
        _empty_message,
        "messages.{at}: all messages must have non-empty content except for the optional final assistant message",
        "reports",
    ),
    _rule("empty text", _empty_text, "messages: text content blocks must be non-empty", "reports"),
    _rule("blank text", _blank_text, "messages: text content blocks must contain non-whitespace text", "reports"),
    _rule(
        "block type",
        _unknown_block_type,
        "{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags",
        "SDK types",
    ),
    _rule(
        "result part",
        _unknown_result_part,
        "{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags",
        "SDK types",
    ),
    _rule(
        "breakpoint in result",
        _breakpoint_in_result,
        "{place}.cache_control: Extra inputs are not permitted",
        "prompt caching guide; reports",
    ),
    _rule(
        "openai breakpoint",
        _openai_breakpoint,
        "{place}.prompt_cache_breakpoint: Extra inputs are not permitted",
        "SDK types",
    ),
    _rule("unsigned thinking", _no_signature, "{place}.thinking.signature: Field required", "SDK types"),
    _rule(
        "document from assistant",
        _document_from_assistant,
        "{place}: document blocks are not permitted in assistant messages",
        "migration guide for 2026-10-21",
    ),
    _rule(
        "citations from user",
        _citations_from_user,
        "{place}.citations: citations are not permitted in user messages",
        "migration guide for 2026-10-21",
    ),
    _rule("call id", _invalid_call_id, "{place}.{key}: String should match pattern '^[a-zA-Z0-9_-]+$'", "reports"),
    _rule(
        "repeated call id",
        _repeated_call_id,
        "messages: `tool_use` ids must be unique",
        "claude-code#21317, claudegram#12",
    ),
    _rule(
        "repeated result",
        _repeated_result,
        "messages.{at}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}",
        "quoted in clients' sources",
    ),
    _rule(
        "orphan result",
        _results_without_call,
        "{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a "
        "corresponding `tool_use` block in the previous message.",
        "reports",
    ),
    _rule(
        "unanswered call",
        _calls_without_result,
        "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {ids}. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        "reports",
    ),
)
