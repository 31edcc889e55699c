"""A Responses reply -> a message. The streamed reply goes through the same functions, item by item.

Content follows the reply's `output`: a `message` item gives one block per part (`text` with the item's `id` and
`phase`, or `refusal`), any other item is a block by itself, kept whole. The one change: an annotation's `index` is
`file_index` here, because LangChain merges the streamed list elements that have an `index`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call

from langchain_unified.errors import ReplyError
from langchain_unified.messages.json_text import json_object
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import AnyBlock as Block
from langchain_unified.usage import RESPONSES_INCOMPLETE, FinishReason, common_finish_reason, openai_usage
from langchain_unified.wires._wire import plain_content

PROVIDER = "openai"

# What a reply repeats of its request, and what has a place of its own in the message.
ECHOES = frozenset(
    {
        "context_management", "frequency_penalty", "image", "include", "input", "instructions", "max_output_tokens",
        "max_tool_calls", "metadata", "model", "output", "parallel_tool_calls", "presence_penalty",
        "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "reasoning", "safety_identifier", "store", "stream", "temperature", "text", "tool_choice", "tools",
        "top_logprobs", "top_p", "truncation", "user",
    }
)  # fmt: skip

# Items that the caller has to run or answer before the model can go on.
CLIENT_CALLS = frozenset(
    {
        "function_call", "custom_tool_call", "computer_call", "shell_call", "local_shell_call", "apply_patch_call",
        "mcp_approval_request",
    }
)  # fmt: skip


def decode(reply: JsonObject) -> list[AIMessage]:
    """The one message of a reply. Raises `ReplyError` where the reply is no Responses object."""
    output = output_of(reply)
    reason = finish_reason(reply, output)
    calls, broken = calls_of(output, cut=reason == "length")
    message = AIMessage(
        content=settled([block for item in output for block in item_blocks(item)]),
        id=reply.get("id"),
        tool_calls=calls,
        invalid_tool_calls=broken,
        response_metadata=metadata(reply, reason),
        usage_metadata=usage_of(reply, output),
    )
    return [message]


def output_of(reply: Any) -> list[JsonObject]:
    """The reply's output items, their shape checked as far as the decoder relies on it."""
    if not isinstance(reply, Mapping):
        raise ReplyError(f"The answer is a {type(reply).__name__}, not a Responses object.")
    output = _objects(reply.get("output"), "The answer has no list `output`: it is not a Responses object.")
    for item in output:
        if item.get("type") == "message":
            _objects(item.get("content"), "A message in the answer's `output` has no list `content`.")
    if not isinstance(reply.get("usage") or {}, Mapping):
        raise ReplyError("The answer's `usage` is not an object.")
    return output


def _objects(value: Any, complaint: str) -> list[JsonObject]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ReplyError(complaint)
    return value


# --- content ----------------------------------------------------------------------------------------------------------


def item_blocks(item: JsonObject) -> list[Block]:
    """The content blocks of one output item."""
    if item.get("type") == "message":
        return [part_block(part, item) for part in item["content"]]
    return [dict(item)]


def part_block(part: JsonObject, item: JsonObject) -> Block:
    """The block of one part of a message item. A part of a type not known here keeps a message around it."""
    kind = PART_TYPES.get(part.get("type", ""))
    if kind is None:
        head = {key: item[key] for key in ("id", "phase") if item.get(key) is not None}
        return {"type": "message", "role": "assistant", **head, "content": [dict(part)]}
    said = {**part, kind: part.get(kind) or "", "annotations": [streamable(n) for n in part.get("annotations") or ()]}
    block: Block = {key: value for key, value in said.items() if key == kind or value not in ([], None)}
    block = {**block, "type": kind}
    for key in ("id", "phase"):
        if item.get(key) is not None:
            block[key] = item[key]
    if item.get("status") not in (None, "completed"):
        block["status"] = item["status"]
    return block


PART_TYPES: Mapping[str, str] = {"output_text": "text", "refusal": "refusal"}


def streamable(annotation: JsonObject) -> JsonObject:
    """An annotation without the key `index`, by which LangChain would merge it with another one."""
    if "index" not in annotation:
        return annotation
    return {("file_index" if key == "index" else key): value for key, value in annotation.items()}


def settled(blocks: list[Block]) -> str | list[Any]:
    """A reply's content: a plain `str` when it is nothing but one bare text, be it cut or not."""
    if len(blocks) == 1 and blocks[0].get("type") == "text" and "status" in blocks[0]:
        text = plain_content([{key: value for key, value in blocks[0].items() if key != "status"}])
        return text if isinstance(text, str) else blocks
    return plain_content(blocks)


# --- tool calls -------------------------------------------------------------------------------------------------------


def calls_of(output: Iterable[JsonObject], *, cut: bool) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The calls to the caller's own tools, and those whose arguments are no JSON object.

    `cut`: the reply ended at its token limit, so that arguments that never came are missing, not empty.
    """
    calls: list[ToolCall] = []
    broken: list[InvalidToolCall] = []
    for item in output:
        if item.get("type") not in ARGUMENTS:
            continue
        name, call_id = item.get("name") or "", item.get("call_id")
        args = arguments(item, cut=cut)
        if args is None:
            broken.append(invalid_tool_call(name=name, args=raw_arguments(item), id=call_id, error=None))
        else:
            calls.append(tool_call(name=name, args=args, id=call_id))
    return calls, broken


# The key that holds what a call says. LangChain gives a free-form text the one argument `__arg1`.
ARGUMENTS: Mapping[str, str] = {"function_call": "arguments", "custom_tool_call": "input"}


def raw_arguments(item: JsonObject) -> str:
    value = item.get(ARGUMENTS[item["type"]])
    return value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def arguments(item: JsonObject, *, cut: bool) -> JsonObject | None:
    """A call's arguments; `None` where they are no JSON object, or never came because the reply was `cut`."""
    text, unfinished = raw_arguments(item), item.get("status") == "incomplete"
    if item["type"] == "custom_tool_call":
        return None if unfinished else {"__arg1": text}
    if not text:
        return None if cut or unfinished else {}
    return json_object(text)


# --- metadata ---------------------------------------------------------------------------------------------------------


def usage_of(reply: JsonObject, output: Iterable[JsonObject]) -> UsageMetadata | None:
    """LangChain's token counts, and how often the items in `output` say that a server tool ran; `None` without any."""
    usage = reply.get("usage")
    return openai_usage(usage, reply.get("service_tier"), output) if usage else None


def metadata(reply: JsonObject, reason: FinishReason | None) -> JsonObject:
    """`response_metadata`: what the reply says beside its content, its request's echo left out."""
    kept = {key: value for key, value in reply.items() if key not in ECHOES and value is not None}
    if not kept.get("background", True):
        del kept["background"]
    found = {
        "model_provider": PROVIDER,
        "model_name": reply.get("model"),
        "finish_reason": reason,
        "stop_reason": _incomplete_reason(reply) or reply.get("status"),
        **kept,
    }
    return {key: value for key, value in found.items() if value is not None}


def _incomplete_reason(reply: JsonObject) -> str | None:
    return (reply.get("incomplete_details") or {}).get("reason")


def finish_reason(reply: JsonObject, output: Iterable[JsonObject]) -> FinishReason | None:
    """The common finish reason. `output` are the items, which a streamed reply may lack in its last event."""
    status = reply.get("status")
    if status == "incomplete":
        return common_finish_reason(RESPONSES_INCOMPLETE, _incomplete_reason(reply) or "")
    if status not in ("completed", None):
        return UNFINISHED.get(status, "other")
    items = list(output)
    if _waits_for_caller(items):
        return "tool_calls"
    return "refusal" if any(_refuses(item) for item in items) else "stop"


UNFINISHED: Mapping[str, FinishReason] = {
    "failed": "error",
    "cancelled": "other",
    "queued": "pause",
    "in_progress": "pause",
}


def _waits_for_caller(items: list[JsonObject]) -> bool:
    answered = {item.get("call_id") for item in items if str(item.get("type")).endswith("_output")}
    return any(
        item.get("type") in CLIENT_CALLS and (item.get("call_id") is None or item["call_id"] not in answered)
        for item in items
    ) or any(item.get("type") == "tool_search_call" and item.get("execution") == "client" for item in items)


def _refuses(item: JsonObject) -> bool:
    return item.get("type") == "message" and any(part.get("type") == "refusal" for part in item.get("content") or ())
