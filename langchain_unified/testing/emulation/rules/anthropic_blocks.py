"""What the Anthropic Messages API refuses in a content block: keys, values, places, images and documents."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.testing.emulation.endpoints import ANTHROPIC
from langchain_unified.testing.emulation.rules.rule import EmulatedCall, Rule, RuleCheck, Violations
from langchain_unified.testing.emulation.rules.shared import dicts

_CACHED = frozenset({"type", "cache_control"})
_SERVER_RESULT = _CACHED | {"content", "tool_use_id"}

BLOCK_KEYS: Mapping[str, frozenset[str]] = {
    "text": _CACHED | {"citations", "text"},
    "image": _CACHED | {"source", "transformations"},
    "document": _CACHED | {"citations", "context", "source", "title"},
    "search_result": _CACHED | {"citations", "content", "source", "title"},
    "thinking": frozenset({"type", "signature", "thinking"}),
    "redacted_thinking": frozenset({"type", "data"}),
    "tool_use": _CACHED | {"caller", "id", "input", "name", "toolset_name"},
    "tool_result": _CACHED | {"content", "is_error", "tool_use_id", "toolset_name"},
    "server_tool_use": _CACHED | {"caller", "id", "input", "name"},
    "mcp_tool_use": _CACHED | {"id", "input", "name", "server_name"},
    "mcp_tool_result": _SERVER_RESULT | {"is_error"},
    "web_search_tool_result": _SERVER_RESULT | {"caller"},
    "web_fetch_tool_result": _SERVER_RESULT | {"caller"},
    "advisor_tool_result": _SERVER_RESULT,
    "code_execution_tool_result": _SERVER_RESULT,
    "bash_code_execution_tool_result": _SERVER_RESULT,
    "text_editor_code_execution_tool_result": _SERVER_RESULT,
    "tool_search_tool_result": _SERVER_RESULT,
    "container_upload": _CACHED | {"file_id"},
    "compaction": _CACHED | {"content", "encrypted_content", "signature", "tool_changes"},
    "tool_addition": _CACHED | {"tool"},
    "tool_removal": _CACHED | {"tool"},
    "mcp_tool_listing": frozenset({"type", "mcp_server_name", "tools"}),
    "fallback": frozenset({"type", "from", "to", "trigger"}),
}
"""By block type, the keys that the SDK's input types have."""

ROLE_OF_TYPE: Mapping[str, str] = {
    "tool_use": "assistant",
    "server_tool_use": "assistant",
    "mcp_tool_use": "assistant",
    "thinking": "assistant",
    "redacted_thinking": "assistant",
    "tool_result": "user",
}
"""Block types that stand in messages of one role only."""

IMAGE_BEGINNINGS: Mapping[str, bytes] = {
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
"""By media type that the API takes, the first bytes of such an image."""

SOURCE_TYPES: Mapping[str, frozenset[str]] = {
    "image": frozenset({"base64", "url", "file"}),
    "document": frozenset({"base64", "text", "content", "url", "file"}),
}

CALL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,200}")
SERVER_CALL_ID = re.compile(r"srvtoolu_[a-zA-Z0-9_]+")


def _top_blocks(call: EmulatedCall) -> Iterator[tuple[str, JsonObject, str]]:
    """The blocks of the messages, each with its path and its message's role."""
    for at, message in enumerate(dicts(call.body.get("messages"))):
        content = message.get("content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            if isinstance(block, dict):
                yield f"messages.{at}.content.{index}", block, str(message.get("role"))


def _all_blocks(call: EmulatedCall) -> Iterator[tuple[str, JsonObject]]:
    """The blocks of the messages and those in tool results, each with its path."""
    for place, block, _ in _top_blocks(call):
        yield place, block
        if block.get("type") == "tool_result":
            yield from ((f"{place}.content.{at}", part) for at, part in enumerate(dicts(block.get("content"))))


def _of_type(call: EmulatedCall, *kinds: str) -> Iterator[tuple[str, JsonObject]]:
    return ((place, block) for place, block, _ in _top_blocks(call) if block.get("type") in kinds)


# --- keys and places --------------------------------------------------------------------------------------------------


def _unknown_block_key(call: EmulatedCall) -> Violations:
    for place, block in _all_blocks(call):
        known = BLOCK_KEYS.get(str(block.get("type")))
        for key in sorted(block.keys() - known) if known else ():
            yield {"place": place, "key": key}


def _block_of_other_role(call: EmulatedCall) -> Violations:
    for place, block, role in _top_blocks(call):
        kind = str(block.get("type"))
        if ROLE_OF_TYPE.get(kind, role) != role:
            yield {"place": place, "kind": kind, "role": ROLE_OF_TYPE[kind]}


# --- values -----------------------------------------------------------------------------------------------------------


def _invalid_call_name(call: EmulatedCall) -> Violations:
    for place, block in _of_type(call, "tool_use"):
        if not CALL_NAME.fullmatch(str(block.get("name") or "")):
            yield {"place": place}


def _invalid_server_call_id(call: EmulatedCall) -> Violations:
    for place, block in _of_type(call, "server_tool_use"):
        if not SERVER_CALL_ID.fullmatch(str(block.get("id") or "")):
            yield {"place": place}


def _input_not_an_object(call: EmulatedCall) -> Violations:
    for place, block in _of_type(call, "tool_use", "server_tool_use", "mcp_tool_use"):
        if not isinstance(block.get("input"), dict):
            yield {"place": f"{place}.{block['type']}"}


def _empty_error_result(call: EmulatedCall) -> Violations:
    for place, block in _of_type(call, "tool_result"):
        if block.get("is_error") and not block.get("content"):
            yield {"place": place}


def _invalid_result_content(call: EmulatedCall) -> Violations:
    for place, block in _of_type(call, "tool_result"):
        content = block.get("content")
        is_blocks = isinstance(content, list) and len(dicts(content)) == len(content)
        if not (content is None or isinstance(content, str) or is_blocks):
            yield {"place": place}


def _no_thinking_text(call: EmulatedCall) -> Violations:
    for place, block in _of_type(call, "thinking", "redacted_thinking"):
        if block["type"] == "thinking" and not isinstance(block.get("thinking"), str):
            yield {"place": f"{place}.thinking.thinking"}
        if block["type"] == "redacted_thinking" and not block.get("data"):
            yield {"place": f"{place}.redacted_thinking.data"}


# --- images and documents ---------------------------------------------------------------------------------------------


def _sources(call: EmulatedCall) -> Iterator[tuple[str, str, JsonObject]]:
    """The sources of images and documents, each with its path and the type of its block."""
    for place, block in _all_blocks(call):
        if block.get("type") in SOURCE_TYPES:
            source = block.get("source")
            yield f"{place}.{block['type']}.source", block["type"], source if isinstance(source, dict) else {}


def _unknown_source(call: EmulatedCall) -> Violations:
    for place, kind, source in _sources(call):
        if source.get("type") not in SOURCE_TYPES[kind]:
            yield {"place": place, "kind": source.get("type")}


def _invalid_url(call: EmulatedCall) -> Violations:
    for place, _, source in _sources(call):
        if source.get("type") == "url" and not re.match(r"https?://", str(source.get("url"))):
            yield {"place": place}


def _image_media_type(call: EmulatedCall) -> Violations:
    for place, kind, source in _sources(call):
        if kind == "image" and source.get("type") == "base64" and source.get("media_type") not in IMAGE_BEGINNINGS:
            yield {"place": place}


def _document_media_type(call: EmulatedCall) -> Violations:
    wanted = {"base64": "application/pdf", "text": "text/plain"}
    for place, kind, source in _sources(call):
        media_type = wanted.get(str(source.get("type"))) if kind == "document" else None
        if media_type is not None and source.get("media_type") != media_type:
            yield {"place": f"{place}.{source['type']}", "media_type": media_type}


def _text_source_without_text(call: EmulatedCall) -> Violations:
    for place, _, source in _sources(call):
        if source.get("type") == "text" and not isinstance(source.get("data"), str):
            yield {"place": place}


def _decoded(source: JsonObject, length: int | None = None) -> bytes:
    """The bytes of a base64 source, or of its first `length` characters. Raises `ValueError` for other text."""
    data = "".join(str(source.get("data") or "").split())
    try:
        return base64.b64decode(data[:length], validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _invalid_base64(call: EmulatedCall) -> Violations:
    for place, _, source in _sources(call):
        if source.get("type") == "base64":
            try:
                empty = not _decoded(source)
            except ValueError:
                empty = True
            if empty:
                yield {"place": place}


def _image_of_other_type(call: EmulatedCall) -> Violations:
    for _, kind, source in _sources(call):
        beginning = IMAGE_BEGINNINGS.get(str(source.get("media_type"))) if kind == "image" else None
        if beginning is None or source.get("type") != "base64":
            continue
        try:
            data = _decoded(source, 64)
        except ValueError:
            continue
        # Bytes that are no known image at all are refused elsewhere, in words that no source quotes.
        if any(map(data.startswith, IMAGE_BEGINNINGS.values())) and not data.startswith(beginning):
            yield {"media_type": source["media_type"]}


def _cited(call: EmulatedCall) -> list[tuple[str, bool]]:
    """The documents and search results, each with its path and whether its citations are enabled."""
    return [
        (place, bool((block.get("citations") or {}).get("enabled")))
        for place, block in _all_blocks(call)
        if block.get("type") in ("document", "search_result")
    ]


def _citations_of_some(call: EmulatedCall) -> Violations:
    found = _cited(call)
    if len({enabled for _, enabled in found}) > 1:
        yield {"place": next(place for place, enabled in found if not enabled)}


def _citations_with_format(call: EmulatedCall) -> Violations:
    output_format = (call.body.get("output_config") or {}).get("format") or call.body.get("output_format")
    if output_format and any(enabled for _, enabled in _cited(call)):
        yield {}


def _rule(name: str, check: RuleCheck, message: str, source: str, **more: Any) -> Rule:
    return Rule(f"anthropic.{name}", ANTHROPIC, check, message, source, **more)


BLOCKS: tuple[Rule, ...] = (
    _rule(
        "block key",
        _unknown_block_key,
        "{place}.{key}: Extra inputs are not permitted",
        "keys of the SDK's types; langchain#40483, langchain-mcp-adapters#397 quote the error",
    ),
    _rule(
        "block of other role",
        _block_of_other_role,
        "{place}: `{kind}` blocks can only be in `{role}` messages",
        "dsh-plugin-subscriptions#22 quotes the error for tool_use and tool_result; SDK types",
    ),
    _rule(
        "call name",
        _invalid_call_name,
        "{place}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{{1,200}}$'",
        "home-assistant/core#140005",
    ),
    _rule(
        "server call id",
        _invalid_server_call_id,
        "{place}.server_tool_use.id: String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'",
        "API reference; quoted in clients' sources",
    ),
    _rule(
        "call input",
        _input_not_an_object,
        "{place}.input: Input should be a valid dictionary",
        "VoltAgent/voltagent#1135",
    ),
    _rule(
        "empty error",
        _empty_error_result,
        "{place}.tool_result: content cannot be empty if `is_error` is true",
        "quoted in clients' sources",
    ),
    _rule(
        "result content",
        _invalid_result_content,
        "{place}.tool_result.content: Input should be a valid string or a list of blocks",
        "SDK types",
    ),
    _rule("thinking text", _no_thinking_text, "{place}: Field required", "langchain#38638; SDK types"),
    _rule(
        "source type",
        _unknown_source,
        "{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags",
        "SDK types",
    ),
    _rule("source url", _invalid_url, "{place}.url.url: Only HTTP(S) URLs are supported", "SDK types; vision guide"),
    _rule(
        "image type",
        _image_media_type,
        "{place}.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
        "claude-code#8184",
    ),
    _rule("document type", _document_media_type, "{place}.media_type: Input should be '{media_type}'", "SDK types"),
    _rule("text source", _text_source_without_text, "{place}.text.data: Input should be a valid string", "SDK types"),
    _rule("base64", _invalid_base64, "{place}.base64.data: the data is not valid base64", "SDK types"),
    _rule(
        "image of other type",
        _image_of_other_type,
        "Image does not match the provided media type {media_type}",
        "claude-code#15746, home-assistant/core#167208",
    ),
    _rule(
        "citations of some",
        _citations_of_some,
        "{place}: citations must be enabled for all documents of a request or for none",
        "citations guide",
    ),
    _rule(
        "citations with format",
        _citations_with_format,
        "Citations and an output format cannot be used together.",
        "agno#7513",
    ),
)
