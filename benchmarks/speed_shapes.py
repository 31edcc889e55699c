"""The replies that the speed is measured on, with the keys of recorded ones: whole, as a text stream, as a call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

PATHS: Mapping[str, str] = {
    "Messages": "/v1/messages",
    "Chat": "/v1/chat/completions",
    "Responses": "/v1/responses",
}
"""The APIs, by name, and where each is served."""

TOOL = "write_file"
HEADERS: Mapping[str, str] = {
    "Messages": "request-id: req_011CXyJJH9se5RpHxdPKX3L1\r\n"
    "anthropic-ratelimit-requests-limit: 4000\r\nanthropic-ratelimit-requests-remaining: 3999\r\n"
    "anthropic-ratelimit-tokens-limit: 2400000\r\nanthropic-ratelimit-tokens-remaining: 2399000\r\n",
    "Chat": "x-request-id: req_e7d5c4f3146d46af97b4859821f042b4\r\n"
    "x-ratelimit-limit-requests: 5000\r\nx-ratelimit-remaining-requests: 4999\r\n"
    "x-ratelimit-limit-tokens: 800000\r\nx-ratelimit-remaining-tokens: 799945\r\n",
    "Responses": "x-request-id: req_b3529b4dab0f4fbcba69a30825e70ea0\r\n",
}


def words(count: int) -> list[str]:
    """A text in pieces: one word each."""
    return [f"word{number} " for number in range(count)]


def pieces_of(text: str, size: int) -> list[str]:
    """A text in pieces of so many characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def record(kilobytes: int) -> str:
    """A JSON object of about so many kilobytes: a list of flat objects, and a text."""
    rows = [
        {"name": f"name {number}", "price": number * 1.5, "in_stock": number % 2 == 0, "note": "A short note. " * 4}
        for number in range(kilobytes * 8)
    ]
    return json.dumps({"title": "A report", "rows": rows, "summary": "It went well. " * kilobytes})


def arguments(kilobytes: int) -> str:
    """The arguments of a call that writes a file of so many kilobytes."""
    return json.dumps({"path": "/tmp/a.py", "text": "    print('a line of a program')\n" * (kilobytes * 31)})


# --- Messages ---------------------------------------------------------------------------------------------------------

USAGE = {
    "input_tokens": 968,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 16,
    "service_tier": "standard",
    "inference_geo": "not_available",
}
MESSAGE = {"model": "claude-sonnet-4-6", "id": "msg_01WjhhHUHGFDza7BEZEb7q1x", "type": "message", "role": "assistant"}


def typed(event: Json) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def messages_whole(text: str) -> Json:
    content = [{"type": "text", "text": text}]
    return {**MESSAGE, "content": content, "stop_reason": "end_turn", "stop_sequence": None, "usage": USAGE}


def messages_stream(pieces: list[str], call: bool) -> list[bytes]:
    start = {**MESSAGE, "content": [], "stop_reason": None, "stop_sequence": None, "usage": USAGE}
    block = {"type": "text", "text": ""}
    kind, key = "text_delta", "text"
    if call:
        block = {"type": "tool_use", "id": "toolu_01LvrC6yRDPryaKvbD6WTKky", "name": TOOL, "input": {}}
        kind, key = "input_json_delta", "partial_json"
    reason = "tool_use" if call else "end_turn"
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": kind, key: piece}} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": USAGE},
        {"type": "message_stop"},
    ]
    return [typed(event) for event in events]


# --- Chat -------------------------------------------------------------------------------------------------------------

CHAT = {
    "id": "chatcmpl-CyCU1Yta9Ll1XT6dAm4yFqhCP93Bq",
    "created": 1768463701,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "system_fingerprint": "fp_deacdd5f6f",
}
CHAT_USAGE = {
    "prompt_tokens": 154,
    "completion_tokens": 22,
    "total_tokens": 176,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def chat_whole(text: str) -> Json:
    message = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**CHAT, "object": "chat.completion", "choices": [choice], "usage": CHAT_USAGE}


def chat_chunk(delta: Json | None, reason: str | None = None, usage: Json | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    more = {"choices": [choice] if delta is not None else [], "usage": usage, "obfuscation": "A9Nvd1e"}
    event = {**CHAT, "object": "chat.completion.chunk", **more}
    return f"data: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def chat_stream(pieces: list[str], call: bool) -> list[bytes]:
    first: Json = {"role": "assistant", "content": "", "refusal": None}
    deltas: list[Json] = [{"content": piece} for piece in pieces]
    if call:
        function = {"name": TOOL, "arguments": ""}
        started = {"index": 0, "id": "call_RUf1ERgIdTwYmLh3HX1kUjaP", "type": "function", "function": function}
        first = {"role": "assistant", "content": None, "tool_calls": [started], "refusal": None}
        deltas = [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
    end = [chat_chunk({}, "tool_calls" if call else "stop"), chat_chunk(None, usage=CHAT_USAGE), b"data: [DONE]\n\n"]
    return [chat_chunk(first), *map(chat_chunk, deltas), *end]


# --- Responses --------------------------------------------------------------------------------------------------------

RESPONSE = {
    "id": "resp_076213237ecac11c00697053eb29008190b62a6b9375a93cbc",
    "object": "response",
    "created_at": 1768969195,
    "background": False,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "model": "gpt-4o-2024-08-06",
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "metadata": {},
}
RESPONSE_USAGE = {
    "input_tokens": 80,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 14,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 94,
}
ITEM = "msg_076213237ecac11c00697053eb951c8190af3ff48e746fb2f5"


def text_item(text: str) -> Json:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    return {"id": ITEM, "type": "message", "status": "completed", "content": [part], "role": "assistant"}


def call_item(text: str) -> Json:
    known = {"id": "fc_0762", "type": "function_call", "status": "completed"}
    return {**known, "arguments": text, "call_id": "call_RUf1ERgIdTwYmLh3HX1kUjaP", "name": TOOL}


def responses_whole(text: str) -> Json:
    return {**RESPONSE, "status": "completed", "output": [text_item(text)], "usage": RESPONSE_USAGE}


def responses_stream(pieces: list[str], call: bool) -> list[bytes]:
    text = "".join(pieces)
    done = call_item(text) if call else text_item(text)
    opened = {**done, "status": "in_progress", **({"arguments": ""} if call else {"content": []})}
    at: Json = {"item_id": done["id"], "output_index": 0, **({} if call else {"content_index": 0})}
    beside = {"obfuscation": "p35pCGialGM43", **({} if call else {"logprobs": []})}
    kind = "response.function_call_arguments" if call else "response.output_text"
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    created = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    final = {**RESPONSE, "status": "completed", "output": [done], "usage": RESPONSE_USAGE}
    starts = [] if call else [{"type": "response.content_part.added", **at, "part": part}]
    ends = [] if call else [{"type": "response.content_part.done", **at, "part": {**part, "text": text}}]
    events: list[Json] = [
        {"type": "response.created", "response": created},
        {"type": "response.in_progress", "response": created},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        *starts,
        *({"type": f"{kind}.delta", "delta": piece, **at, **beside} for piece in pieces),
        {"type": f"{kind}.done", **at, **({"arguments": text} if call else {"text": text, "logprobs": []})},
        *ends,
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": final},
    ]
    return [typed({**event, "sequence_number": number}) for number, event in enumerate(events)]


WHOLE: Mapping[str, Callable[[str], Json]] = {
    "Messages": messages_whole,
    "Chat": chat_whole,
    "Responses": responses_whole,
}
STREAMED: Mapping[str, Callable[[list[str], bool], list[bytes]]] = {
    "Messages": messages_stream,
    "Chat": chat_stream,
    "Responses": responses_stream,
}
"""The events of a stream: of a text, or with `True` of a call's arguments."""

PIECES: Mapping[str, Callable[[int], list[str]]] = {
    "words": words,
    "paced": words,
    "record": lambda size: pieces_of(record(size), 10),
    "call": lambda size: pieces_of(arguments(size), 10),
}
"""What streams, by the name of the job: so many words, or so many kilobytes in pieces of ten characters."""
