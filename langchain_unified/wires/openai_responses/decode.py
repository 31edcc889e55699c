"""A Responses reply -> a message. A streamed reply goes through the same functions, item by item.

Content follows the reply's `output`: a `message` item gives one block per part (`text` with the item's `id` and
`phase`, or `refusal`), any other item is one block, unchanged. One exception: an annotation's `index` is `file_index`
here, because LangChain merges the elements of streamed lists that have an `index`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call

from langchain_unified.errors import ReplyError
from langchain_unified.messages.json_text import arguments_object, object_error
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.request import JsonObject
from langchain_unified.usage import RESPONSES_INCOMPLETE, FinishReason, common_finish_reason, openai_usage
from langchain_unified.wires._shapes import FOREIGN, list_left_out, not_readable
from langchain_unified.wires._wire import plain_content
from langchain_unified.wires.openai_responses.shapes import REPLY

PROVIDER = "openai"

# What a reply repeats of its request, and what has another place in the message.
ECHOES = frozenset(
    {
        "context_management", "frequency_penalty", "image", "include", "input", "instructions", "max_output_tokens",
        "max_tool_calls", "metadata", "model", "output", "parallel_tool_calls", "presence_penalty",
        "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        "reasoning", "safety_identifier", "store", "stream", "temperature", "text", "tool_choice", "tools",
        "top_logprobs", "top_p", "truncation", "user",
    }
)  # fmt: skip

# Items that the caller must run or answer before the model can go on.
CLIENT_CALLS = frozenset(
    {
        "function_call", "custom_tool_call", "computer_call", "shell_call", "local_shell_call", "apply_patch_call",
        "mcp_approval_request",
    }
)  # fmt: skip


def decode(reply: JsonObject) -> list[AIMessage]:
    """The message of a reply. Raises `ReplyError` where the reply is no Responses object."""
    reply, left_out = (reply, []) if REPLY.fits(reply) else REPLY.readable(reply)
    output = output_of(reply)
    try:
        reason = finish_reason(reply, output)
        calls, invalid = calls_of(output, incomplete=reason == "length")
        message = AIMessage(
            content=reply_content([block for item in output for block in item_blocks(item)]),
            tool_calls=calls,
            invalid_tool_calls=invalid,
            response_metadata=metadata(reply, reason),
            usage_metadata=usage_of(reply, output),
        )
    except FOREIGN as exc:
        raise not_readable("The reply", exc) from exc
    if left_out:
        list_left_out(message, left_out)
    return [message]


def output_of(reply: Any) -> list[JsonObject]:
    """The reply's output items. Checks what the decoder relies on, and raises `ReplyError`."""
    if not isinstance(reply, Mapping):
        raise ReplyError(f"The answer is a {type(reply).__name__}, not a Responses object.")
    output = _objects(reply.get("output"), "The answer has no list `output`: it is not a Responses object.")
    output = [complete_item(item, at) for at, item in enumerate(output)]
    for item in output:
        if item.get("type") == "message":
            _objects(item.get("content"), "A message in the answer's `output` has no list `content`.")
    if not isinstance(reply.get("usage") or {}, Mapping):
        raise ReplyError("The answer's `usage` is not an object.")
    return output


def complete_item(item: JsonObject, at: int) -> JsonObject:
    """An output item as the API writes it; `at` is its place. Others leave out the id of a call, or parts."""
    if item.get("type") == "message" and isinstance(item.get("content"), str):
        return {**item, "content": [{"type": "output_text", "text": item["content"], "annotations": []}]}
    if item.get("type") in ARGUMENTS and not item.get("call_id"):
        return {**item, "call_id": item.get("id") or f"call_{at}"}
    return item


def _objects(value: Any, error: str) -> list[JsonObject]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ReplyError(error)
    return value


# --- content ----------------------------------------------------------------------------------------------------------


def item_blocks(item: JsonObject) -> list[JsonObject]:
    """The content blocks of one output item."""
    if item.get("type") == "message":
        return [part_block(part, item) for part in item["content"]]
    return [dict(item)]


def part_block(part: JsonObject, item: JsonObject) -> JsonObject:
    """The block of one part of a message item. A part of an unknown type stays inside a message."""
    kind = PART_TYPES.get(part.get("type", ""))
    if kind is None:
        head = {key: item[key] for key in ("id", "phase") if item.get(key) is not None}
        return {"type": "message", "role": "assistant", **head, "content": [dict(part)]}
    annotations = [streamable(annotation) for annotation in part.get("annotations") or ()]
    fields = {**part, kind: part.get(kind) or "", "annotations": annotations}
    block: JsonObject = {key: value for key, value in fields.items() if key == kind or value not in ([], None)}
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


def reply_content(blocks: list[JsonObject]) -> str | list[Any]:
    """A reply's content: a `str` when it is one text without anything beside it, complete or not."""
    if len(blocks) == 1 and blocks[0].get("type") == "text" and "status" in blocks[0]:
        text = plain_content([{key: value for key, value in blocks[0].items() if key != "status"}])
        return text if isinstance(text, str) else blocks
    return plain_content(blocks)


# --- tool calls -------------------------------------------------------------------------------------------------------


def calls_of(output: Iterable[JsonObject], *, incomplete: bool) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The calls to the caller's tools, and those whose arguments are no JSON object.

    `incomplete`: the reply ended at its token limit, so that arguments that never came are missing, not empty.
    """
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    output = list(output)
    answered = answered_calls(output)
    for item in output:
        if item.get("type") not in ARGUMENTS or item.get("call_id") in answered:
            continue
        name, call_id = item.get("name") or "", item.get("call_id")
        args = arguments(item, incomplete=incomplete)
        if args is None or not name:
            text = raw_arguments(item)
            invalid.append(invalid_tool_call(name=name, args=text, id=call_id, error=_error(item, text)))
        else:
            calls.append(tool_call(name=name, args=args, id=call_id))
    return calls, invalid


def _error(item: JsonObject, text: str) -> str:
    return object_error(text) if text and item["type"] == "function_call" else "the answer ended before the arguments"


def answered_calls(output: Iterable[JsonObject]) -> set[Any]:
    """The ids of the calls that the reply itself answers: nobody has to run them."""
    found = {item.get("call_id") for item in output if str(item.get("type")).endswith("_output")}
    return found - {None}


# Type of a call -> the key of its arguments. LangChain has a free-form text as the argument `__arg1`.
ARGUMENTS: Mapping[str, str] = {"function_call": "arguments", "custom_tool_call": "input"}


def raw_arguments(item: JsonObject) -> str:
    value = item.get(ARGUMENTS[item["type"]])
    return value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def arguments(item: JsonObject, *, incomplete: bool) -> JsonObject | None:
    """A call's arguments; `None` where they are no JSON object, or never came because the reply is incomplete."""
    text, unfinished = raw_arguments(item), item.get("status") == "incomplete"
    if item["type"] == "custom_tool_call":
        return None if unfinished else {CUSTOM_ARGUMENT: text}
    if not text:
        return None if incomplete or unfinished else {}
    return arguments_object(text)


# --- metadata ---------------------------------------------------------------------------------------------------------


def usage_of(reply: JsonObject, output: Iterable[JsonObject]) -> UsageMetadata | None:
    """LangChain's token counts, and how often the items in `output` say that a server tool ran; `None` without any."""
    usage = reply.get("usage")
    return openai_usage(usage, reply.get("service_tier"), output) if usage else None


def metadata(reply: JsonObject, reason: FinishReason | None) -> JsonObject:
    """`response_metadata`: what the reply says beside its content, without what it repeats of the request."""
    rest = {key: value for key, value in reply.items() if key not in ECHOES and value is not None}
    # Under `usage`, Langfuse reads it instead of `usage_metadata`, and does not know the counts of this API.
    usage = rest.pop("usage", None)
    if not rest.get("background", True):
        del rest["background"]
    found = {
        "model_provider": PROVIDER,
        "model_name": reply.get("model"),
        "finish_reason": reason,
        "stop_reason": _incomplete_reason(reply) or reply.get("status"),
        **rest,
        "token_usage": usage,
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
    answered = answered_calls(items)
    return any(
        item.get("type") in CLIENT_CALLS and (item.get("call_id") is None or item["call_id"] not in answered)
        for item in items
    ) or any(item.get("type") == "tool_search_call" and item.get("execution") == "client" for item in items)


def _refuses(item: JsonObject) -> bool:
    return item.get("type") == "message" and any(part.get("type") == "refusal" for part in item.get("content") or ())
