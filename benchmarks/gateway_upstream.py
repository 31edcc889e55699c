"""The provider that the gateways are measured in front of: fixed answers, nothing parsed.

A request whose body has `"stream": true` gets a stream of `EVENTS` pieces, one every `PACE` seconds; any other request
gets one reply. It is served by uvicorn in a process of its own: `python -m benchmarks.gateway_upstream PORT`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

EVENTS = 200
"""Pieces of text in a stream."""
PACE = 0.001
"""Seconds between two pieces."""
WORDS = [f"word{number} " for number in range(EVENTS)]
"""Each another: LiteLLM ends a stream that repeats itself."""
USAGE = {"input_tokens": 20, "output_tokens": EVENTS}


@dataclass(frozen=True)
class Answers:
    """What one API answers: the reply, and the frames of a stream."""

    reply: bytes
    before: list[bytes]
    pieces: list[bytes]
    after: list[bytes]


def _typed(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _data(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def _messages() -> Answers:
    head = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "stop_sequence": None}
    text = {"type": "text", "text": "The answer."}
    started = {**head, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    return Answers(
        json.dumps({**head, "content": [text], "stop_reason": "end_turn", "usage": USAGE}).encode(),
        [
            _typed({"type": "message_start", "message": started}),
            _typed({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ],
        [
            _typed({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}})
            for word in WORDS
        ],
        [
            _typed({"type": "content_block_stop", "index": 0}),
            _typed({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE}),
            _typed({"type": "message_stop"}),
        ],
    )


def _chat() -> Answers:
    usage = {"prompt_tokens": 20, "completion_tokens": EVENTS, "total_tokens": 20 + EVENTS}
    head = {"id": "chatcmpl-1", "created": 1_790_000_000, "model": "gpt-4o"}
    whole = {"index": 0, "message": {"role": "assistant", "content": "The answer."}, "finish_reason": "stop"}

    def chunk(delta: dict[str, str], reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _data({**head, "object": "chat.completion.chunk", "choices": [choice], **more})

    return Answers(
        json.dumps({**head, "object": "chat.completion", "choices": [whole], "usage": usage}).encode(),
        [chunk({"role": "assistant", "content": ""})],
        [chunk({"content": word}) for word in WORDS],
        [
            chunk({}, "stop"),
            _data({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage}),
            b"data: [DONE]\n\n",
        ],
    )


def _responses() -> Answers:
    usage = {**USAGE, "total_tokens": 20 + EVENTS}
    head = {"id": "resp_1", "object": "response", "created_at": 1_790_000_000, "model": "gpt-5.6", "error": None}
    part = {"type": "output_text", "text": "The answer.", "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    full = {**part, "text": "".join(WORDS)}
    done = {**item, "content": [full]}
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    opened = {**head, "status": "in_progress", "output": [], "usage": None}
    return Answers(
        json.dumps({**head, "status": "completed", "output": [item], "usage": usage}).encode(),
        [
            _typed({"type": "response.created", "response": opened}),
            _typed({"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}}),
            _typed({"type": "response.content_part.added", **at, "part": {**part, "text": ""}}),
        ],
        [_typed({"type": "response.output_text.delta", **at, "delta": word}) for word in WORDS],
        [
            _typed({"type": "response.output_text.done", **at, "text": full["text"]}),
            _typed({"type": "response.content_part.done", **at, "part": full}),
            _typed({"type": "response.output_item.done", "output_index": 0, "item": done}),
            _typed(
                {
                    "type": "response.completed",
                    "response": {**head, "status": "completed", "output": [done], "usage": usage},
                }
            ),
        ],
    )


ANSWERS: Mapping[str, Answers] = {
    "/v1/messages": _messages(),
    "/v1/chat/completions": _chat(),
    "/v1/responses": _responses(),
}

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answers = ANSWERS.get(scope["path"])
    if answers is None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})
        return
    streamed = b'"stream":true' in body.replace(b" ", b"")
    kind = b"text/event-stream" if streamed else b"application/json"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    if not streamed:
        await send({"type": "http.response.body", "body": answers.reply})
        return
    for frame in answers.before:
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    for frame in answers.pieces:
        await asyncio.sleep(PACE)
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    for frame in answers.after:
        await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
