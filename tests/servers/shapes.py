"""What a table of reported shapes says: what a server sent, where that was reported, and what the message has to be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Api = Literal["chat", "responses", "messages"]
Calls = Sequence[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Shape:
    """One shape. `source`: issues and pull requests at GitHub, a page of documentation, or `sibling of …`.

    `events` is a stream, `"[DONE]"` in it the word itself; `reply` a whole answer. `options` are those of the test
    server's `Reply` (`stall`, `cut`). What the message has to be: `text`, `calls`, how many are `invalid`, `reasoning`,
    `tokens` in all, `finish`, and `metadata` that it has among others.
    """

    name: str
    source: str
    api: Api
    events: Sequence[Any] = ()
    reply: Mapping[str, Any] | None = None
    text: str = ""
    calls: Calls = ()
    invalid: int = 0
    reasoning: str | None = None
    tokens: int | None = None
    finish: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.api}-{self.name.replace(' ', '_')}"

    def stream(self) -> list[bytes]:
        """The stream as it goes out, one piece for each event."""
        return [event if isinstance(event, bytes) else _framed(event) for event in self.events]


def _framed(event: Any) -> bytes:
    named = f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
    return f"{named}data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()


# --- Chat Completions -------------------------------------------------------------------------------------------------

DONE = "[DONE]"


def chunk(delta: Any = None, finish: Any = None, choice: Any = None, **more: Any) -> dict[str, Any]:
    """A chunk with one choice; `choice` adds to the choice, `more` to the chunk."""
    made = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish, **(choice or {})}
    return {"id": "c9", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": [made], **more}


def says(text: str) -> dict[str, Any]:
    return chunk({"content": text})


def calls(*made: dict[str, Any]) -> dict[str, Any]:
    return chunk({"tool_calls": list(made)})


def call(args: Any = None, *, name: str | None = None, call_id: Any = None, index: Any = None) -> dict[str, Any]:
    """A fragment of a tool call with what is given, and no other key."""
    function = {key: value for key, value in (("name", name), ("arguments", args)) if value is not None}
    parts: dict[str, Any] = {"index": index, "id": call_id, "type": "function" if call_id else None}
    return {**{key: value for key, value in parts.items() if value is not None}, "function": function}


STOP = (chunk(finish="stop"), DONE)
CALLED = (chunk(finish="tool_calls"), DONE)


def completion(message: Mapping[str, Any], finish: str | None = "stop", **choice: Any) -> dict[str, Any]:
    """A whole answer."""
    made = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}, **choice}
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    return {"id": "c9", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [made], "usage": usage}


# --- Responses --------------------------------------------------------------------------------------------------------


def message_item(text: str, item_id: str | None = "msg_1") -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    item = {"type": "message", "role": "assistant", "status": "completed", "content": content}
    return item if item_id is None else {**item, "id": item_id}


def call_item(args: Any = "", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "read", "arguments": args, **more}


def response(output: Any, **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
    head = {"id": "resp_9", "object": "response", "created_at": 1, "model": "m-1", "status": "completed", "error": None}
    return {**head, "output": output, "usage": usage, **more}


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **more}


CREATED = event("created", response=response([], status="in_progress", usage=None))


def completed(*output: Any, **more: Any) -> dict[str, Any]:
    return event("completed", response=response(list(output), **more))


def added(item: Any, at: int | None = 0) -> dict[str, Any]:
    return event("output_item.added", item=item, **({} if at is None else {"output_index": at}))


def done(item: Any, at: int | None = 0) -> dict[str, Any]:
    return event("output_item.done", item=item, **({} if at is None else {"output_index": at}))


# --- Messages ---------------------------------------------------------------------------------------------------------


def answer(content: Any, stop: str | None = "end_turn", **more: Any) -> dict[str, Any]:
    head = {"id": "msg_9", "type": "message", "role": "assistant", "model": "m-1", "stop_sequence": None}
    return {**head, "content": content, "stop_reason": stop, "usage": {"input_tokens": 10, "output_tokens": 2}, **more}


def opens(**more: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": answer([], None, **more)}


def starts(block: Any, index: int | None = 0) -> dict[str, Any]:
    at = {} if index is None else {"index": index}
    return {"type": "content_block_start", **at, "content_block": block}


def grows(kind: str, index: int | None = 0, **delta: Any) -> dict[str, Any]:
    at = {} if index is None else {"index": index}
    return {"type": "content_block_delta", **at, "delta": {"type": kind, **delta}}


def stops(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def closes(stop: str = "end_turn", **usage: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    counts = {"output_tokens": 2, **usage}
    return {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": counts}, {"type": "message_stop"}


USE = {"type": "tool_use", "id": "c1", "name": "read", "input": {}}
TEXT = {"type": "text", "text": ""}
