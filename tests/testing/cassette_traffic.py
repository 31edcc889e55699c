"""A made-up provider of all three wires, and what the tests of cassettes do with it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import anthropic
import httpx2
import openai

from langchain_unified.testing.cassettes import use_cassette
from tests.support.server import Received, Reply, serve

DAY = "2026-11-20"
KEY = "sk-ant-api03-0123456789abcdef"
TOOL = {"name": "weather", "description": "Weather", "input_schema": {"type": "object", "properties": {}}}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
RESPONSES_TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
USE = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ulm"}}
FUNCTION_CALL = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Ulm"}'}

MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "stop_reason": "tool_use",
    "content": [{"type": "text", "text": "Grüß dich\nhere"}, USE], "usage": {"input_tokens": 10, "output_tokens": 5},
}  # fmt: skip
MESSAGE_EVENTS: list[Any] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {**USE, "input": {}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"city":'}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ' "Köln"}'}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]
CHUNK = {"id": "chat_1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5"}
COMPLETION = {
    **CHUNK, "object": "chat.completion",
    "choices": [{"index": 0, "finish_reason": "tool_calls",
                 "message": {"role": "assistant", "content": None, "tool_calls": [CALL]}}],
}  # fmt: skip
COMPLETION_EVENTS: list[Any] = [
    {**CHUNK, "choices": [{"index": 0, "delta": delta}]}
    for delta in ({"role": "assistant", "content": ""}, {"content": "Hé"}, {"tool_calls": [{"index": 0, **CALL}]})
] + [{**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]
RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5", "status": "completed",
    "output": [{**FUNCTION_CALL, "id": "fc_1", "status": "completed"}],
}  # fmt: skip
DELTA = {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0}
RESPONSE_EVENTS: list[Any] = [
    {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "output": [], "status": "in_progress"}},
    {**DELTA, "sequence_number": 1, "delta": '{"city":'},
    {**DELTA, "sequence_number": 2, "delta": ' "Köln"}'},
    {"type": "response.completed", "sequence_number": 3, "response": RESPONSE},
]

REPLIES = {
    "/v1/messages": (MESSAGE, MESSAGE_EVENTS, False),
    "/v1/chat/completions": (COMPLETION, COMPLETION_EVENTS, True),
    "/v1/responses": (RESPONSE, RESPONSE_EVENTS, False),
}
PRIVATE = {
    "set-cookie": "session=hidden-cookie",
    "anthropic-organization-id": "hidden-organization",
    "openai-organization": "hidden-organization",
    "openai-project": "hidden-project",
    "x-ratelimit-remaining-requests": "99",
}


def provider(request: Received) -> Reply:
    whole, events, done = REPLIES[request.path]
    headers = {"request-id": "req_1", "x-request-id": "req_1", **PRIVATE}
    if request.json.get("stream"):
        return Reply.sse(events, headers, done=done)
    return Reply.json(whole, headers=headers)


@contextmanager
def no_sockets() -> Iterator[None]:
    """In the block, no socket connects to anything, not even on this machine."""

    def refuse(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"tried to connect to {address}")

    with mock.patch.object(socket.socket, "connect", refuse), mock.patch.object(socket.socket, "connect_ex", refuse):
        yield


def post(url: str, body: Any, **options: Any) -> httpx2.Response:
    with httpx2.Client(**options) as client:
        return client.post(url, json=body)


def record(path: Path, handler: Any, *bodies: Any, **settings: Any) -> None:
    settings = {"record": "all", "recorded_at": DAY, **settings}
    with serve(handler) as server, use_cassette(path, **settings):
        for body in bodies:
            post(f"{server.url}/v1/messages", body)


ASK: dict[str, Any] = {
    "messages": {"model": "claude-haiku-4-5", "max_tokens": 20, "tools": [TOOL], "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "rain\nall day"}]},
    ]},
    "chat": {"model": "gpt-5", "tools": [CHAT_TOOL], "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]},
    "responses": {"model": "gpt-5", "tools": [RESPONSES_TOOL], "input": [
        {"role": "user", "content": "Weather?"},
        FUNCTION_CALL,
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
    ]},
}  # fmt: skip


def client_for(wire: str, url: str, *, is_async: bool = False, **options: Any) -> Any:
    if wire == "messages":
        return (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(api_key=KEY, base_url=url, **options)
    return (openai.AsyncOpenAI if is_async else openai.OpenAI)(api_key=KEY, base_url=f"{url}/v1", **options)


def create(wire: str, client: Any, **extra: Any) -> Any:
    resource = {"messages": "messages", "chat": "chat.completions", "responses": "responses"}[wire]
    for name in resource.split("."):
        client = getattr(client, name)
    return client.create(**ASK[wire], **extra)
