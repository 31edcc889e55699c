"""What the tests of the Messages wire share: requests, their bodies, replies and streams."""

from __future__ import annotations

import copy
import functools
import json
from types import ModuleType
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_unified.messages.turns import turns
from langchain_unified.request import Profile, Request, ToolSpec, Turn
from langchain_unified.wires.anthropic_messages import WIRE
from tests.support.streams import chunks_of

EPHEMERAL = {"type": "ephemeral"}
TOOL = ToolSpec("f", parameters={"type": "object", "properties": {}})
ADAPTIVE = Profile(
    thinking="adaptive",
    sampling="never",
    effort_levels=("low", "medium", "high", "max"),
    prefill=False,
    system_in_messages=True,
)


def problems(oracle: ModuleType, body: dict[str, Any]) -> list[str]:
    found = oracle.validate("anthropic-beta", body, allow_legacy_sampling=True)
    # The API gives this key with the results of code, and the SDK's types do not know it.
    return [problem for problem in found if ".code_execution_result.abort_reason:" not in problem]


def request(*messages: BaseMessage | Turn, **fields: Any) -> Request:
    found = messages if messages and isinstance(messages[0], Turn) else turns(messages, "anthropic_messages")
    return Request(**{"model": "claude-test", "turns": tuple(found), **fields})


def encode(*messages: BaseMessage | Turn, **fields: Any) -> Any:
    return WIRE.encode(request(*messages, **fields))


def sent(*messages: BaseMessage | Turn, **fields: Any) -> list[dict[str, Any]]:
    return encode(*messages, **fields).body["messages"]


def user(*blocks: Any) -> list[dict[str, Any]]:
    """The blocks of one human message as they go out."""
    return sent(HumanMessage(list(blocks)))[0]["content"]


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def whats(encoded: Any) -> list[str]:
    return [item["what"] for item in encoded.adjustments]


HI = {"model": "claude-test", "max_tokens": 4096, "messages": [{"role": "user", "content": [text("hi")]}]}

REPLY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-test",
    "content": [text("hello")],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5, "service_tier": "standard"},
}

USE = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}


run = functools.partial(chunks_of, WIRE)


def reply_blocks(message: AIMessage) -> list[dict[str, Any]]:
    """A message's blocks without what summing chunks leaves in them."""
    if isinstance(message.content, str):
        return [text(message.content)] if message.content else []
    return [_reply_block({"type": "text", "text": b} if isinstance(b, str) else b) for b in message.content]


def _reply_block(block: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in block.items() if key not in ("index", "partial_json")}
    if block.get("partial_json"):
        kept["input"] = json.loads(block["partial_json"])
    return kept


def as_v1(message: AIMessage) -> AIMessage:
    """The message as LangChain core keeps it with `output_version="v1"`."""
    metadata = {**message.response_metadata, "output_version": "v1"}
    content = copy.deepcopy(message).content_blocks
    return message.model_copy(update={"content": content, "response_metadata": metadata})
