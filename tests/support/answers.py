"""Answers through a door: v3 events of a message, what a client reads of the door's events, and what its SDK makes."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from anthropic._models import construct_type_unchecked
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from langchain_core.messages import AIMessage
from openai import omit
from openai._models import construct_type_unchecked as construct
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from langchain_unified.messages.assistant import standard_items
from langchain_unified.request import WireName
from langchain_unified.wires import DOORS, WIRES
from langchain_unified.wires._door import StreamSettings
from tests.support.corpus import sse_events
from tests.support.streams import chunks_of, total
from tests.support.v3 import written

SETTINGS = StreamSettings("id_1", "shown-model", input_tokens=7, created=5)
Event = dict[str, Any]


# --- upstream ---------------------------------------------------------------------------------------------------------


def recorded_answer(wire: WireName, exchange: dict[str, Any]) -> tuple[AIMessage, list[Event]]:
    """The message of a recorded exchange, and its v3 events."""
    if exchange["response"]["body"]:
        message = WIRES[wire].decode(exchange["response"]["body"])[0]
        return message, list(v3_events(message))
    events = sse_events(exchange["response"]["sse"])
    return total(chunks_of(WIRES[wire], events)), written(WIRES[wire], events)


def v3_events(message: AIMessage) -> Iterator[Event]:
    """The v3 events of a whole message: each block in pieces where blocks come in pieces."""
    yield {"event": "message-start", "id": "", "metadata": {"provider": message.response_metadata["model_provider"]}}
    calls = {call["id"]: call for call in message.tool_calls}
    items: list[Any] = [item for item in standard_items(copy.deepcopy(message)) if item["type"] != "refusal"]
    listed = ({**item, "args": calls[item["id"]]["args"]} if item["type"] == "tool_call" else item for item in items)
    for index, block in enumerate(item for item in listed if item["type"] != "invalid_tool_call"):
        at = {"index": index}
        yield {"event": "content-block-start", **at, "content": _skeleton(block)}
        for delta in _deltas(block):
            yield {"event": "content-block-delta", **at, "delta": delta}
        yield {"event": "content-block-finish", **at, "content": block}
    beside = {"usage": message.usage_metadata, "additional_kwargs": message.additional_kwargs}
    yield {"event": "message-finish", "metadata": message.response_metadata, **beside}


def _skeleton(block: Event) -> Event:
    if block["type"] == "tool_call":
        return {"type": "tool_call_chunk", "id": block["id"], "name": block["name"], "args": ""}
    return {key: block[key] for key in ("type", "id", "phase") if key in block}


def _deltas(block: Event) -> Iterator[Event]:
    if block["type"] == "text":
        half = len(block["text"]) // 2
        pieces = (block["text"][:half], block["text"][half:])
        yield from ({"type": "text-delta", "text": piece} for piece in pieces if piece)
    elif block["type"] == "reasoning" and block.get("reasoning"):
        yield {"type": "reasoning-delta", "reasoning": block["reasoning"]}
    elif block["type"] == "tool_call":
        text = json.dumps(block["args"])
        yield from ({"type": "tool-call-delta", "args": text[at : at + 5]} for at in range(0, len(text), 5))


# --- through a door ---------------------------------------------------------------------------------------------------


def rendered(client: WireName, events: Iterable[Any], body: Event, settings: StreamSettings = SETTINGS) -> list[Event]:
    """The events that a door makes, as they leave."""
    stream = DOORS[client].stream(body, settings)
    found = [copy.deepcopy(made) for event in events for made in stream.feed(event)]
    return [*found, *stream.close()]


def replied(client: WireName, message: AIMessage, body: Event) -> Event:
    """The reply that a door makes of a message."""
    door = DOORS[client]
    return door.render_reply(door.completion(copy.deepcopy(message), SETTINGS, body), body)


# --- what a client reads ----------------------------------------------------------------------------------------------


def seen(message: AIMessage) -> dict[str, Any]:
    """What a client finds in a message, whole or summed, without what only chunks have."""
    return {
        "content": _content(message.content),
        "calls": [(call["id"], call["name"], call["args"]) for call in message.tool_calls],
        "broken": [(call["id"], call["name"], call["args"]) for call in message.invalid_tool_calls],
        "usage": message.usage_metadata,
        "finish": message.response_metadata.get("finish_reason"),
        "beside": _without_index({key: message.additional_kwargs[key] for key in sorted(message.additional_kwargs)}),
    }


def _content(content: Any) -> Any:
    if isinstance(content, str):
        return content
    blocks = [_without_index(_parsed(block)) for block in content]
    if (
        len(blocks) == 1
        and blocks[0]["type"] == "text"
        and not blocks[0].get("annotations", blocks[0].get("citations"))
    ):
        return blocks[0]["text"]
    return blocks or ""


def _parsed(block: Any) -> Event:
    """A block with its arguments as an object, however their JSON was written."""
    found = {key: value for key, value in block.items() if value not in ([], None) and key != "partial_json"}
    if block.get("partial_json"):
        found["input"] = json.loads(block["partial_json"])
    if block["type"] in ("tool_use", "server_tool_use", "mcp_tool_use"):
        found.setdefault("input", {})
    if isinstance(block.get("arguments"), str):
        found["arguments"] = json.loads(block["arguments"] or "null") if block.get("status") != "incomplete" else None
    return found


def _without_index(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_index(item) for key, item in value.items() if key not in ("index", "raw_arguments")}
    return [_without_index(item) for item in value] if isinstance(value, list) else value


# --- what the client's SDK makes --------------------------------------------------------------------------------------


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _messages_sdk(events: list[Event]) -> BaseModel:
    adapter: TypeAdapter[Any] = _adapter(BetaRawMessageStreamEvent)
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in events:
        if event["type"] == "ping":
            continue
        adapter.validate_python(event)
        made = construct_type_unchecked(value=copy.deepcopy(event), type_=RawMessageStreamEvent)  # type: ignore[arg-type]
        snapshot = accumulate_event(event=made, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


def _chat_sdk(events: list[Event]) -> BaseModel:
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for event in events:
        # The SDK's type of a delta knows calls of functions only.
        free_form = "'custom'" in str(event["choices"])
        made = (
            construct(value=event, type_=ChatCompletionChunk)
            if free_form
            else ChatCompletionChunk.model_validate(event)
        )
        state.handle_chunk(made)  # type: ignore[arg-type]
    return state.current_completion_snapshot


def _responses_sdk(events: list[Event]) -> BaseModel:
    adapter: TypeAdapter[Any] = _adapter(ResponseStreamEvent)
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        # The API itself announces a search before it says what it searches (recorded).
        announced = (event.get("item") or {}).get("type") == "web_search_call" and event["type"].endswith("added")
        made = construct(value=event, type_=ResponseStreamEvent) if announced else adapter.validate_python(event)
        state.handle_event(made)
    return Response.model_validate(events[-1]["response"])


SDK_STREAMS: dict[WireName, Callable[[list[Event]], BaseModel]] = {
    "anthropic_messages": _messages_sdk,
    "openai_chat": _chat_sdk,
    "openai_responses": _responses_sdk,
}
"""The events of a stream -> what the client's SDK accumulates. Raises where an event does not have its type."""

SDK_REPLIES: dict[WireName, type[BaseModel]] = {
    "anthropic_messages": BetaMessage,
    "openai_chat": ChatCompletion,
    "openai_responses": Response,
}
