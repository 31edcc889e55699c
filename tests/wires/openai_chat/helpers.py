"""What the tests of the Chat Completions wire share: requests, their bodies, replies and streams."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage

from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.messages.turns import turns
from langchain_unified.request import Encoded, Request, ToolSpec, Turn
from langchain_unified.wires.openai_chat import WIRE
from tests.support.streams import chunks_of


def request(*messages: BaseMessage | Turn, **fields: Any) -> Request:
    found = messages if messages and isinstance(messages[0], Turn) else turns(messages, "openai_chat")
    return Request(model="gpt-test", turns=tuple(found), **fields)


def body(*messages: BaseMessage | Turn, **fields: Any) -> dict[str, Any]:
    return WIRE.encode(request(*messages, **fields)).body


def sent(*messages: BaseMessage | Turn, **fields: Any) -> list[dict[str, Any]]:
    return body(*messages, **fields)["messages"]


run = functools.partial(chunks_of, WIRE, plain=True)


def facts(message: AIMessage) -> dict[str, Any]:
    """What a streamed and a whole message must agree on."""
    names = (
        "content",
        "additional_kwargs",
        "tool_calls",
        "invalid_tool_calls",
        "usage_metadata",
        "response_metadata",
        "id",
    )
    return {name: getattr(message, name) for name in names}


CALL = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10, "prompt_tokens_details": {"cached_tokens": 5}}


def reply(message: dict[str, Any], finish: str | None = "stop", **extra: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-test",
        "choices": [choice],
        **extra,
    }


def decode(message: dict[str, Any], finish: str | None = "stop", **extra: Any) -> AIMessage:
    return WIRE.decode(reply(message, finish, **extra))[0]


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **choice: Any) -> dict[str, Any]:
    found = [{"index": 0, "delta": delta or {}, "finish_reason": finish, **choice}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-test", "choices": found}


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
ARGS = st.dictionaries(WORDS, st.one_of(WORDS, st.integers(), st.lists(WORDS, max_size=2)), max_size=3).map(json.dumps)

PDF, WAV, PNG = "JVBERi0=", "UklGRg==", "iVBORw0="

MEDIA: list[dict[str, Any]] = [
    {"type": "image", "url": "https://x/y.png"},
    {"type": "file", "file_id": "file-1"},
    {"type": "audio", "base64": WAV, "mime_type": "audio/wav"},
    {"type": "video", "url": "https://x/y.mp4"},
]


def marked(text: str, **mark: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **mark}}


def with_marks(*messages: BaseMessage | Turn, **fields: Any) -> Encoded:
    """A request encoded with its marks placed, as a chat model does it, and the adjustments."""
    found, _, notes = place_breakpoints(request(*messages, **fields), WIRE.marks)
    encoded = WIRE.encode(found)
    return replace(encoded, adjustments=(*notes, *encoded.adjustments))


SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
SQL = ToolSpec("sql", kind="custom", description="Runs it", options={"format": {"type": "text"}})
ADD = ToolSpec("add", description="Adds", parameters=SCHEMA, strict=True)
