"""A reply of the Messages API -> a LangChain message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call

from langchain_unified.errors import ReplyError
from langchain_unified.messages.json_text import json_object
from langchain_unified.request import JsonObject
from langchain_unified.usage import ANTHROPIC_FINISH, anthropic_usage, common_finish_reason
from langchain_unified.wires._body import non_null
from langchain_unified.wires._shapes import FOREIGN, list_left_out, not_readable
from langchain_unified.wires._wire import plain_content
from langchain_unified.wires.anthropic_messages.shapes import REPLY

PROVIDER = "anthropic"

CUT_SHORT = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
"""The stop reasons of an answer that was cut: a tool call at its end is incomplete."""

NOT_METADATA = frozenset({"type", "role", "content"})
"""The keys of a reply that `response_metadata` does not repeat."""


def decode(reply: JsonObject) -> list[AIMessage]:
    """The one message of a reply, with its blocks unchanged. Raises `ReplyError` for a reply of another shape."""
    reply, left_out = (reply, []) if REPLY.fits(reply) else REPLY.readable(reply)
    blocks = _content(reply)
    try:
        calls, invalid = tool_calls(blocks, reply.get("stop_reason"))
        message = AIMessage(
            content=plain_content(blocks),
            tool_calls=calls,
            invalid_tool_calls=invalid,
            usage_metadata=usage_metadata(reply),
            response_metadata=metadata(reply),
        )
    except FOREIGN as exc:
        raise not_readable("The reply", exc) from exc
    if left_out:
        list_left_out(message, left_out)
    return [message]


def _content(reply: object) -> list[JsonObject]:
    if not isinstance(reply, dict):
        raise ReplyError(f"The reply is not a JSON object but a {type(reply).__name__}.")
    blocks = reply.get("content")
    if isinstance(blocks, str) and reply.get("role") == "assistant":
        return [{"type": "text", "text": blocks}]
    if not isinstance(blocks, list):
        raise ReplyError(f"The reply has no list `content`: its keys are {', '.join(map(str, reply)) or 'none'}.")
    if not all(isinstance(block, dict) and isinstance(block.get("type"), str) for block in blocks):
        raise ReplyError("The reply's `content` has an item that is not a block with a `type`.")
    # Core reads the text of a text block without asking whether it is there.
    blocks = [{**block, "text": ""} if block["type"] == "text" and "text" not in block else block for block in blocks]
    return [_call(block, reply, at) if block["type"] == "tool_use" else block for at, block in enumerate(blocks)]


def _call(block: JsonObject, reply: JsonObject, at: int) -> JsonObject:
    """A call as the API writes it. Other servers leave out the id, or give its input as a text or as `null`."""
    block = with_call_id(block, reply, at)
    if isinstance(block.get("input"), dict):
        return block
    text = input_text(block)
    args = json_object(text) if text else {} if "input" in block else None
    return block if args is None else {**block, "input": args}


def with_call_id(block: JsonObject, reply: Mapping[str, Any], at: int) -> JsonObject:
    """A call with an id. Where the server gave none, it is made from the reply's and the place of the block."""
    if block.get("id"):
        return block
    return {**block, "id": f"toolu_{re.sub('[^a-zA-Z0-9_-]', '', str(reply.get('id') or ''))[-24:]}_{at}"}


def input_text(block: JsonObject) -> str:
    """The arguments of a call as JSON text; empty where it has none. Some servers name them as OpenAI does."""
    found = next((block[key] for key in ("input", "arguments") if block.get(key)), "")
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def tool_calls(blocks: Sequence[JsonObject], stop_reason: str | None) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The calls of the caller's tools: valid ones, and those with incomplete or broken arguments.

    In an answer that was cut, a call in the last block is incomplete though its `input` is an object: the API closes
    the brackets of what it generated.
    """
    valid: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for block in blocks:
        if block["type"] != "tool_use":
            continue
        name, args, call_id = block.get("name") or "", block.get("input"), block.get("id")
        cut = stop_reason in CUT_SHORT and block is blocks[-1]
        if isinstance(args, dict) and not cut:
            valid.append(tool_call(name=name, args=args, id=call_id))
            continue
        error = f"cut short: {stop_reason}" if cut else "the arguments are not a JSON object"
        text = args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)
        invalid.append(invalid_tool_call(name=name, args=text, id=call_id, error=error))
    return valid, invalid


def usage_metadata(reply: Mapping[str, Any]) -> UsageMetadata | None:
    """LangChain's token counts; `None` where the reply has none."""
    usage = reply.get("usage")
    return anthropic_usage(usage) if isinstance(usage, dict) else None


def metadata(reply: Mapping[str, Any]) -> JsonObject:
    """`response_metadata`: the keys of the reply beside its content, without `None`, and the common keys."""
    found = {key: value for key, value in reply.items() if key not in NOT_METADATA}
    usage = reply.get("usage")
    common = {
        "model_name": reply.get("model"),
        "finish_reason": common_finish_reason(ANTHROPIC_FINISH, cast("str | None", reply.get("stop_reason"))),
        "service_tier": usage.get("service_tier") if isinstance(usage, dict) else None,
    }
    return {"model_provider": PROVIDER, **non_null(found), **non_null(common)}
