"""Which content blocks an API takes in a tool result, by their type and by what they hold.

A result is data from outside, so each field is checked that the API would refuse.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.history.readable import IMAGE_TYPES, image_type_of
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import WireName
from langchain_unified.request.blocks import Block


def is_carried(block: Block, wire: WireName) -> bool:
    """Whether the wire takes a block in a tool result as it is."""
    if block["type"] == "text":
        return True
    rule = CARRIED[wire].get(block["type"])
    return rule is not None and rule(block) and _has_valid_fields(block)


TEXT_FIELDS = ("url", "base64", "mime_type", "file_id", "filename", "title", "context", "text", "source")
DETAILS = (None, "auto", "low", "high", "original")


def _has_valid_fields(block: Mapping[str, Any]) -> bool:
    """Whether the fields of a normalised block have the types that every API requires."""
    citations = block.get("citations")
    return (
        all(isinstance(block.get(key, ""), str) for key in TEXT_FIELDS)
        and block.get("detail") in DETAILS
        and (citations is None or isinstance(citations, bool | dict))
    )


def _always(block: Mapping[str, Any]) -> bool:
    return True


def is_web_address(url: Any) -> bool:
    """Whether a URL is one that the APIs fetch."""
    return isinstance(url, str) and url.lower().startswith(("http://", "https://"))


SOUND_ENDING = re.compile(r"\.(mp3|wav|mp4|ogg|flac)(\?|$)", re.IGNORECASE)
"""The end of an address of sound or video, which the Responses API refuses as a file. (A recorded 400.)"""


def _is_base64(data: Any) -> bool:
    """Whether a value can be base64, by its length and its start: a result may hold megabytes of it."""
    if not isinstance(data, str) or not data or len(data) % 4 or not data.isascii():
        return False
    try:
        return bool(b64decode(data[:64], validate=True))
    except binascii.Error:
        return False


def _is_readable_image(block: Mapping[str, Any]) -> bool:
    """Whether a block holds an image in base64 of a type that models read, labelled as what it is."""
    data, kind = block.get("base64"), str(block.get("mime_type") or "").lower().replace("image/jpg", "image/jpeg")
    return kind in IMAGE_TYPES and _is_base64(data) and image_type_of(str(data)) in (None, kind)


def _takes_image(block: Mapping[str, Any]) -> bool:
    if "base64" in block:
        return _is_readable_image(block)
    return bool(block.get("file_id")) or is_web_address(block.get("url"))


def decoded_text(block: Mapping[str, Any]) -> str | None:
    """The text in the base64 of a block, by its type; `None` where there is none."""
    kind = str(block.get("mime_type") or "").partition(";")[0].lower()
    if not kind.startswith("text/") and not kind.endswith(("json", "xml", "yaml", "javascript")):
        return None
    try:
        return b64decode(block["base64"], validate=True).decode()
    except (ValueError, TypeError, KeyError):
        return None


def _is_pdf(block: Mapping[str, Any]) -> bool:
    return _is_base64(block.get("base64")) and block.get("mime_type") in (None, "", "application/pdf")


def _takes_claude_file(block: Mapping[str, Any]) -> bool:
    if "content" in block:
        return _is_document(block["content"])
    if str(block.get("mime_type")).startswith("image/"):
        return _takes_image(block)
    if "base64" not in block:
        return bool(block.get("file_id")) or is_web_address(block.get("url"))
    is_text = str(block.get("mime_type")).startswith("text/") and decoded_text(block) is not None
    return is_text or _is_pdf(block)


def _is_document(content: Any) -> bool:
    """Whether Claude takes the content of a document: a text, or texts and images."""
    return isinstance(content, str) or (isinstance(content, list) and all(map(_is_document_part, content)))


def _is_document_part(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    is_image = item.get("type") == "image" and isinstance(item.get("source"), dict)
    return is_image or (item.get("type") == "text" and isinstance(item.get("text"), str))


def _takes_claude_text(block: Mapping[str, Any]) -> bool:
    return block.get("text") is not None or decoded_text({"mime_type": "text/", **block}) is not None or _has_id(block)


def _has_id(block: Mapping[str, Any]) -> bool:
    return bool(block.get("file_id")) and "url" not in block


def _is_search_result(block: Mapping[str, Any]) -> bool:
    content = block.get("content")
    items = content if isinstance(content, list) else [content]
    texts = (item.get("text") if isinstance(item, dict) else item for item in items)
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(block.get("source"), str)
        and isinstance(block.get("title"), str)
    )


RESULT_ONLY = frozenset({"tool_reference", "browser_state"})
"""Anthropic's blocks that only tool results take."""

CLAUDE_PARTS = frozenset({"text", "image", "document", "search_result", *RESULT_ONLY})


def _is_claude_part(block: Mapping[str, Any]) -> bool:
    return block["value"].get("type") in CLAUDE_PARTS


def _is_chat_part(block: Mapping[str, Any]) -> bool:
    return bool(block["value"].get("type") == "text")


def _is_responses_item(block: Mapping[str, Any]) -> bool:
    """Whether a block may be an item of the API's: its encoder knows which of them answer the call."""
    kind = block["value"].get("type")
    return not isinstance(kind, str) or wire_of_type(kind) in (None, "openai_responses")


def _takes_chat_file(block: Mapping[str, Any]) -> bool:
    return isinstance(block.get("content"), str)


def _takes_chat_text(block: Mapping[str, Any]) -> bool:
    return "text" in block or decoded_text({"mime_type": "text/", **block}) is not None


def _takes_responses_file(block: Mapping[str, Any]) -> bool:
    if "content" in block:
        return isinstance(block["content"], str)
    if "base64" in block:
        return _is_base64(block["base64"]) and not str(block.get("mime_type")).startswith(("audio/", "video/"))
    return bool(block.get("file_id")) or (is_web_address(block.get("url")) and not SOUND_ENDING.search(block["url"]))


def _takes_responses_text(block: Mapping[str, Any]) -> bool:
    return "text" in block or _takes_responses_file(block)


CARRIED: Mapping[WireName, Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "anthropic_messages": {
        "image": _takes_image,
        "file": _takes_claude_file,
        "text-plain": _takes_claude_text,
        "search_result": _is_search_result,
        "native": _is_claude_part,
        "foreign": _always,
    },
    "openai_chat": {
        "file": _takes_chat_file,
        "text-plain": _takes_chat_text,
        "search_result": _is_search_result,
        "native": _is_chat_part,
    },
    "openai_responses": {
        "image": _takes_image,
        "file": _takes_responses_file,
        "text-plain": _takes_responses_text,
        "search_result": _is_search_result,
        "native": _is_responses_item,
    },
}
"""Type of a block -> whether a tool result can hold it, by wire. Other types never can, texts always."""


def is_taken_from_user(block: Block) -> bool:
    """Whether a user message on Chat Completions takes the medium. Audio is left out: most models refuse it."""
    if not _has_valid_fields(block):
        return False
    if block["type"] == "image":
        return "file_id" not in block and _takes_image(block)
    if block["type"] not in ("file", "text-plain") or "content" in block:
        return False
    kind = str(block.get("mime_type") or "")
    is_file = bool(kind) and not kind.startswith(("audio/", "video/", "image/")) and decoded_text(block) is None
    return bool(block.get("file_id")) or (is_file and _is_base64(block.get("base64")))
