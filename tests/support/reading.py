"""An independent reader of recorded answers: what the public classes must find in them.

Written against the recordings alone and sharing no code with the package, so that a mistake there shows here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.corpus import sse_events

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "stop": "stop",
    "tool_use": "tool_calls",
    "tool_calls": "tool_calls",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "length": "length",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
    "content_filter": "content_filter",
    "model_context_window_exceeded": "context_window",
}


@dataclass
class Reading:
    """What a recorded answer holds. `blocks` are the types of its content blocks, in order, text parts included."""

    id: str
    model: str
    text: str
    calls: list[tuple[str, str, Any]]
    usage: tuple[int, int] | None
    finish: str | None
    blocks: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    refusal: str = ""


def read(exchange: dict[str, Any]) -> Reading:
    """What a 200 answer of any endpoint holds, streamed or not."""
    response = exchange["response"]
    reply = response["body"] or REBUILD[exchange["endpoint"]](sse_events(response["sse"]))
    return READERS[exchange["endpoint"]](reply)


def _anthropic(body: dict[str, Any]) -> Reading:
    content, usage = body["content"], body["usage"]
    cached = (usage.get("cache_creation_input_tokens") or 0) + (usage.get("cache_read_input_tokens") or 0)
    return Reading(
        id=body["id"],
        model=body["model"],
        text="".join(block["text"] for block in content if block["type"] == "text"),
        calls=[(block["id"], block["name"], block["input"]) for block in content if block["type"] == "tool_use"],
        usage=(usage["input_tokens"] + cached, usage["output_tokens"]),
        finish=FINISH[body["stop_reason"]],
        blocks=[block["type"] for block in content],
        signatures=[block[key] for block in content for key in ("signature", "data") if key in block],
    )


def _chat(body: dict[str, Any]) -> Reading:
    choice = body["choices"][0]
    message = choice["message"]
    usage = body.get("usage")
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or []
    ]
    return Reading(
        id=body["id"],
        model=body["model"],
        text=message.get("content") or "",
        calls=calls,
        usage=(usage["prompt_tokens"], usage["completion_tokens"]) if usage else None,
        # A forced call ends with "stop" on this API; what it means is that tools are to be called.
        finish="tool_calls" if calls and choice["finish_reason"] == "stop" else FINISH[choice["finish_reason"]],
        refusal=message.get("refusal") or "",
    )


def _responses(body: dict[str, Any]) -> Reading:
    output, usage = body["output"], body.get("usage")
    parts = [part for item in output if item["type"] == "message" for part in item["content"]]
    calls = [
        (item["call_id"], item["name"], json.loads(item["arguments"]))
        for item in output
        if item["type"] == "function_call"
    ]
    return Reading(
        id=body["id"],
        model=body["model"],
        text="".join(part["text"] for part in parts if part["type"] == "output_text"),
        calls=calls,
        usage=(usage["input_tokens"], usage["output_tokens"]) if usage else None,
        finish=_responses_finish(body, bool(calls) or any(item.get("execution") == "client" for item in output)),
        blocks=[kind for item in output for kind in _kinds(item)],
        signatures=[item["encrypted_content"] for item in output if item.get("encrypted_content")],
        refusal="".join(part["refusal"] for part in parts if part["type"] == "refusal"),
    )


def _kinds(item: dict[str, Any]) -> list[str]:
    if item["type"] != "message":
        return [item["type"]]
    return ["text" if part["type"] == "output_text" else part["type"] for part in item["content"]]


def _responses_finish(body: dict[str, Any], called: bool) -> str:
    if body["status"] == "incomplete":
        return FINISH[body["incomplete_details"]["reason"]]
    if body["status"] in ("queued", "in_progress"):
        return "pause"
    return "tool_calls" if called else "stop"


def _rebuild_anthropic(events: list[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            body = json.loads(json.dumps(event["message"]))
        elif kind == "content_block_start":
            body["content"].append({**event["content_block"], "partial": ""})
        elif kind == "content_block_delta":
            _grow(body["content"][event["index"]], event["delta"])
        elif kind == "message_delta":
            body.update(event["delta"])
            body["usage"] |= {key: value for key, value in event["usage"].items() if value is not None}
    for block in body["content"]:
        partial = block.pop("partial")
        if partial:
            block["input"] = json.loads(partial)
    return body


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    kind = delta["type"]
    if kind == "input_json_delta":
        block["partial"] += delta["partial_json"]
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta["citation"]]
    elif kind == "compaction_delta":
        block["content"] = (block.get("content") or "") + (delta.get("content") or "")
    else:
        name = kind.removesuffix("_delta")
        block[name] = block.get(name, "") + delta[name]


def _rebuild_chat(events: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"content": "", "refusal": "", "tool_calls": []}
    body = {"id": events[0]["id"], "model": events[0]["model"], "usage": None}
    finish = None
    for event in events:
        body["usage"] = event.get("usage") or body["usage"]
        for choice in event["choices"][:1]:
            delta = choice["delta"]
            finish = choice.get("finish_reason") or finish
            message["content"] += delta.get("content") or ""
            message["refusal"] += delta.get("refusal") or ""
            for piece in delta.get("tool_calls") or []:
                if piece["index"] == len(message["tool_calls"]):
                    message["tool_calls"].append({"id": piece["id"], "function": {"name": "", "arguments": ""}})
                function = message["tool_calls"][piece["index"]]["function"]
                function["name"] += piece["function"].get("name") or ""
                function["arguments"] += piece["function"].get("arguments") or ""
    return {**body, "choices": [{"message": message, "finish_reason": finish}]}


def _rebuild_responses(events: list[dict[str, Any]]) -> dict[str, Any]:
    final = [event for event in events if event["type"] in ("response.completed", "response.incomplete")]
    response = (final or events)[-1]["response"]
    # The final event encrypts reasoning anew: a client that reads the items as they come holds other bytes.
    done = {event["output_index"]: event["item"] for event in events if event["type"] == "response.output_item.done"}
    return {**response, "output": [done.get(index, item) for index, item in enumerate(response["output"])]}


REBUILD: dict[str, Callable[[list[dict[str, Any]]], dict[str, Any]]] = {
    "anthropic.messages": _rebuild_anthropic,
    "openai.chat": _rebuild_chat,
    "openai.responses": _rebuild_responses,
}
READERS: dict[str, Callable[[dict[str, Any]], Reading]] = {
    "anthropic.messages": _anthropic,
    "openai.chat": _chat,
    "openai.responses": _responses,
}
