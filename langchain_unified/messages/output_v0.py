"""Messages stored as `output_version="v0"`: the items of a Responses reply are beside its text."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import JsonObject

FUNCTION_CALL_IDS = "__openai_function_call_ids__"
"""Key in `additional_kwargs`: call id -> the id of its item."""

AFTER_TEXT = frozenset({"computer_call", "apply_patch_call", "shell_call", "local_shell_call", "mcp_approval_request",
                        "custom_tool_call"})  # fmt: skip
"""Items that the caller answers: they end a reply."""


def with_stored_items(message: AIMessage) -> AIMessage:
    """The message with its items in its content, in the order of a reply; the same object where it stores none."""
    kwargs = message.additional_kwargs
    reasoning, outputs, ids = (kwargs.get(key) for key in ("reasoning", "tool_outputs", FUNCTION_CALL_IDS))
    reasoning = reasoning if isinstance(reasoning, dict) else None
    outputs = [dict(item) for item in outputs if isinstance(item, dict)] if isinstance(outputs, list) else []
    ids = ids if isinstance(ids, dict) else {}
    if not (reasoning or outputs or ids) or message.response_metadata.get("model_provider", "openai") != "openai":
        return message
    content: list[Any] = [{**reasoning, "type": "reasoning"}] if reasoning else []
    content += [item for item in outputs if item.get("type") not in AFTER_TEXT]
    content += _texts(message)
    content += [_function_call(call, ids[call["id"]]) for call in message.tool_calls if call["id"] in ids]
    content += [item for item in outputs if item.get("type") in AFTER_TEXT]
    rest = {key: value for key, value in kwargs.items() if key not in ("reasoning", "tool_outputs", FUNCTION_CALL_IDS)}
    metadata = {**message.response_metadata, "model_provider": "openai"}
    return message.model_copy(
        update={"content": content, "additional_kwargs": rest, "response_metadata": metadata}
    )  # fmt: skip


def _texts(message: AIMessage) -> list[Any]:
    """The text blocks, with the id of the message item, which this form keeps as the message's own id."""
    items = [message.content] if isinstance(message.content, str) else message.content
    blocks = [{"type": "text", "text": item} if isinstance(item, str) else item for item in items if item]
    item_id = message.id if str(message.id).startswith("msg_") else None
    return [{"id": item_id, **block} if item_id and block.get("type") == "text" else block for block in blocks]


def _function_call(call: Any, item_id: str) -> JsonObject:
    arguments = compact_json(call["args"])
    return {"type": "function_call", "id": item_id, "call_id": call["id"], "name": call["name"], "arguments": arguments}
