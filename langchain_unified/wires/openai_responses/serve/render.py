"""The mirror of the codec: what a server reads and says. An emulator stands on it.

`read_request` turns a body into a `Request`; `render_reply` and `render_events` turn a `Completion` into the reply and
the events that the API would send for that body, with the keys that it sends. A body must have been read before an
answer to it is rendered: rendering does not check it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion, Tokens
from langchain_unified.wires.openai_responses.serve.events import item_events
from langchain_unified.wires.openai_responses.serve.items import output_items
from langchain_unified.wires.openai_responses.serve.read import read_request

__all__ = ["read_request", "render_events", "render_reply"]

INCOMPLETE: Mapping[FinishReason, str] = {
    "length": "max_output_tokens",
    "context_window": "max_output_tokens",
    "content_filter": "content_filter",
    "pause": "max_messages",
}
"""Why a reply ended too early, in the API's words. An `error` makes it `failed`; all others are `completed`."""

FAILURE: JsonObject = {"code": "server_error", "message": "The server had an error while it made the answer."}


def render_reply(completion: Completion, body: JsonObject) -> JsonObject:
    """The reply to a body that asks for no stream."""
    # Recorded in whole replies only.
    return {**_response(completion, body), "billing": {"payer": "developer"}}


def render_events(completion: Completion, body: JsonObject) -> Iterator[JsonObject]:
    """The events of an answer in their order, numbered."""
    padded = (body.get("stream_options") or {}).get("include_obfuscation") is not False
    for number, event in enumerate(_events(completion, body)):
        padding = {"obfuscation": _padding(event["delta"])} if padded and event["type"].endswith(".delta") else {}
        yield {**event, "sequence_number": number, **padding}


def _events(completion: Completion, body: JsonObject) -> Iterator[JsonObject]:
    final = _response(completion, body)
    for event, status in BACKGROUND if body.get("background") else FOREGROUND:
        yield {"type": f"response.{event}", "response": _begun(final, body, status)}
    for place, item in enumerate(final["output"]):
        yield from item_events(place, item)
    yield {"type": f"response.{final['status']}", "response": final}


# The first events, and the status that the reply has in them.
FOREGROUND = (("created", "in_progress"), ("in_progress", "in_progress"))
BACKGROUND = (("created", "queued"), ("queued", "queued"), ("in_progress", "in_progress"))


def _begun(final: JsonObject, body: JsonObject, status: str) -> JsonObject:
    """A reply at its begin: everything that it repeats of the request, and nothing that it says."""
    unsaid: JsonObject = {"completed_at": None, "error": None, "incomplete_details": None, "output": [], "usage": None}
    return {**final, **unsaid, "status": status, "service_tier": body.get("service_tier") or "auto"}


PADDED = 16
PADDING = "kT4vQm9ZxB2rLw7N"


def _padding(delta: str) -> str:
    """What hides a piece's size: the API fills up with random characters, we always with the same."""
    return PADDING[: -len(delta) % PADDED]


# --- the reply --------------------------------------------------------------------------------------------------------


def _response(completion: Completion, body: JsonObject) -> JsonObject:
    reason = INCOMPLETE.get(completion.finish_reason)
    if completion.finish_reason == "refusal" and not any(block["type"] == "refusal" for block in completion.blocks):
        reason = "content_filter"
    failed = completion.finish_reason == "error"
    status = "failed" if failed else "incomplete" if reason else "completed"
    output = output_items(completion, body, cut=status != "completed")
    return {
        "id": completion.id,
        "object": "response",
        "created_at": completion.created,
        "status": status,
        "completed_at": completion.created if status == "completed" else None,
        "error": {**FAILURE} if failed else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": completion.model,
        "output": output,
        **_echo(body),
        "moderation": None,
        "tool_usage": _tool_usage(output),
        "usage": _usage(completion.tokens),
    }


def _usage(tokens: Tokens) -> JsonObject:
    # The API tells the parts of a write only where it has seen the longer kind.
    split = {"ttl_30m_tokens": tokens.cache_write_short, "ttl_12h_tokens": tokens.cache_write_long}
    details = {"cache_write_tokens_details": split} if tokens.cache_write_long else {}
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {
            "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
            **details,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


def _tool_usage(output: list[JsonObject]) -> JsonObject:
    none = {"image_tokens": 0, "text_tokens": 0}
    images = {"input_tokens": 0, "input_tokens_details": none, "output_tokens": 0, "output_tokens_details": none}
    searches = sum(item["type"] == "web_search_call" for item in output)
    return {"image_gen": {**images, "total_tokens": 0}, "web_search": {"num_requests": searches}}


# --- what a reply repeats of its request ------------------------------------------------------------------------------

ECHOES: Mapping[str, Any] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Keys of the request that every reply repeats, and what the API says where the request did not."""

ASKED = ("prompt_cache_options",)
"""Keys that only the reply to a request with them repeats."""

PLACE = {"type": "approximate", "city": None, "country": None, "region": None, "timezone": None}

TOOLS: Mapping[str, JsonObject] = {
    "function": {"description": None, "output_schema": None},
    "custom": {"description": None, "format": {"type": "text"}},
    "web_search": {"filters": None, "search_context_size": "medium", "user_location": {"country": "US"}},
    "file_search": {
        "filters": None,
        "max_num_results": 20,
        "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
    },
    "image_generation": {
        "background": "auto",
        "moderation": "auto",
        "n": 1,
        "output_compression": 100,
        "output_format": "png",
        "quality": "auto",
        "size": "auto",
    },
    "tool_search": {"description": None, "parameters": None},
    "mcp": {"allowed_tools": None, "headers": None, "server_description": None, "server_url": None},
}
"""What the API adds to the tools that it repeats."""


def _echo(body: JsonObject) -> JsonObject:
    tier = body.get("service_tier") or "auto"
    conversation = body.get("conversation")
    named = {"id": conversation} if isinstance(conversation, str) else conversation
    return {
        **{key: default if body.get(key) is None else body[key] for key, default in copy.deepcopy(ECHOES).items()},
        **{key: body[key] for key in ASKED if body.get(key) is not None},
        **({"conversation": named} if named else {}),
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "service_tier": "default" if tier == "auto" else tier,
        "text": _text(body.get("text") or {}),
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
    }


def _text(asked: JsonObject) -> JsonObject:
    form = asked.get("format") or {"type": "text"}
    if form.get("type") == "json_schema":
        form = {"description": None, "strict": False, **form}
    return {"verbosity": "medium", **asked, "format": form}


def _tool(tool: JsonObject) -> JsonObject:
    whole = {**copy.deepcopy(TOOLS.get(tool["type"], {})), **tool}
    if isinstance(whole.get("user_location"), dict):
        whole["user_location"] = PLACE | whole["user_location"]
    if whole.get("authorization") is not None:
        # A secret is not repeated.
        whole["authorization"] = "REDACTED"
    return whole
