"""Small replies and streams of all three APIs, for tests of the requests.

What providers really answer is in the recordings; these are the least that the SDKs accept.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.support.server import Received, Reply


def answer(request: Received, text: str = "hello", calls: tuple[tuple[str, dict[str, Any]], ...] = ()) -> Reply:
    """`text` and tool `calls` as the API that was asked answers, streamed when the body asks for it."""
    if request.method == "GET":  # a stored response
        asked = replace(request, body=b'{"model": "gpt-5.6"}')
        return _responses(asked, text, calls)
    kind = next(name for name in BUILDERS if request.path.endswith(name))
    return BUILDERS[kind](request, text, calls)


def _messages(request: Received, text: str, calls: Any) -> Reply:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    blocks += [
        {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": args} for n, (name, args) in enumerate(calls)
    ]
    usage = {"input_tokens": 5, "output_tokens": 2}
    stop = "tool_use" if calls else "end_turn"
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": request.json["model"],
        "content": blocks, "stop_reason": stop, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    if not request.json.get("stream"):
        return Reply.json(message, headers={"request-id": "req_1"})
    events: list[Any] = [{"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}]
    for index, block in enumerate(blocks):
        events += _block_events(index, block)
    events.append({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage})
    events.append({"type": "message_stop"})
    return Reply.sse(events, {"request-id": "req_1"})


def _block_events(index: int, block: dict[str, Any]) -> list[Any]:
    if block["type"] == "text":
        empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        empty, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    return [
        {"type": "content_block_start", "index": index, "content_block": empty},
        {"type": "content_block_delta", "index": index, "delta": delta},
        {"type": "content_block_stop", "index": index},
    ]


def _chat(request: Received, text: str, calls: Any) -> Reply:
    tool_calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
        for n, (name, args) in enumerate(calls)
    ]
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    finish = "tool_calls" if calls else "stop"
    base = {"id": "chatcmpl-1", "created": 1, "model": request.json["model"]}
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = tool_calls
    if not request.json.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": finish}
        body = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
        return Reply.json(body, headers={"x-request-id": "req_1"})
    delta = {**message, "tool_calls": [{"index": n, **call} for n, call in enumerate(tool_calls)]}
    chunk = {**base, "object": "chat.completion.chunk"}
    events = [
        {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        {**chunk, "choices": [], "usage": usage},
    ]
    return Reply.sse(events, {"x-request-id": "req_1"}, done=True)


def _responses(request: Received, text: str, calls: Any) -> Reply:
    output: list[dict[str, Any]] = []
    if text:
        part = {"type": "output_text", "text": text, "annotations": []}
        output.append({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]})
    for n, (name, args) in enumerate(calls):
        call = {"type": "function_call", "id": f"fc_{n}", "call_id": f"call_{n}", "name": name}
        output.append({**call, "arguments": json.dumps(args), "status": "completed"})
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    response = {
        "id": "resp_1", "object": "response", "created_at": 1, "model": request.json["model"], "status": "completed",
        "error": None, "incomplete_details": None, "output": output, "usage": usage,
    }  # fmt: skip
    if not request.json.get("stream"):
        return Reply.json(response, headers={"x-request-id": "req_1"})
    started = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[Any] = [{"type": "response.created", "response": started}]
    for index, item in enumerate(output):
        events += _item_events(index, item)
    events.append({"type": "response.completed", "response": response})
    return Reply.sse(events, {"x-request-id": "req_1"})


def _item_events(index: int, item: dict[str, Any]) -> list[Any]:
    place = {"output_index": index, "item_id": item["id"]}
    if item["type"] == "message":
        part = item["content"][0]
        middle = [
            {"type": "response.content_part.added", **place, "content_index": 0, "part": {**part, "text": ""}},
            {"type": "response.output_text.delta", **place, "content_index": 0, "delta": part["text"]},
            {"type": "response.output_text.done", **place, "content_index": 0, "text": part["text"]},
            {"type": "response.content_part.done", **place, "content_index": 0, "part": part},
        ]
        empty: dict[str, Any] = {**item, "content": [], "status": "in_progress"}
    else:
        arguments = item["arguments"]
        middle = [
            {"type": "response.function_call_arguments.delta", **place, "delta": arguments},
            {"type": "response.function_call_arguments.done", **place, "arguments": arguments},
        ]
        empty = {**item, "arguments": "", "status": "in_progress"}
    added = {"type": "response.output_item.added", "output_index": index, "item": empty}
    return [added, *middle, {"type": "response.output_item.done", "output_index": index, "item": item}]


def _counted(request: Received, text: str, calls: Any) -> Reply:
    return Reply.json({"input_tokens": 11})


BUILDERS = {
    "/v1/messages": _messages,
    "/chat/completions": _chat,
    "/responses": _responses,
    "/count_tokens": _counted,
    "/input_tokens": _counted,
}


NO_DETAILS: dict[str, dict[str, int]] = {"input_token_details": {}, "output_token_details": {}}
"""What `usage_metadata` holds beside the totals where the server reports no details."""
