"""A `Completion` -> the reply or the events that the API would send for a body, with the keys that it sends.

The body must have been read before: rendering does not check it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion, with_own_usage
from langchain_unified.wires._openai.tiers import service_tier
from langchain_unified.wires.openai_responses.blocks import WIRE
from langchain_unified.wires.openai_responses.serve.events import item_events
from langchain_unified.wires.openai_responses.serve.items import output_items

INCOMPLETE: Mapping[FinishReason, str] = {
    "length": "max_output_tokens",
    "context_window": "max_output_tokens",
    "content_filter": "content_filter",
    "pause": "max_messages",
}
"""Why a reply is incomplete, as the API names it. With `error` it is `failed`, with any other reason `completed`."""

FAILURE: JsonObject = {"code": "server_error", "message": "The server had an error while it made the answer."}


def render_reply(completion: Completion, body: JsonObject) -> JsonObject:
    """The reply to a body that asks for no stream."""
    # Recorded in replies without a stream only.
    return {**response_of(completion, body), "billing": {"payer": "developer"}}


def render_events(completion: Completion, body: JsonObject) -> Iterator[JsonObject]:
    """The numbered events of an answer."""
    padded = (body.get("stream_options") or {}).get("include_obfuscation") is not False
    for number, event in enumerate(_events(completion, body)):
        padding = {"obfuscation": _padding(event["delta"])} if padded and event["type"].endswith(".delta") else {}
        yield {**event, "sequence_number": number, **padding}


def _events(completion: Completion, body: JsonObject) -> Iterator[JsonObject]:
    final = response_of(completion, body)
    for event, status in BACKGROUND if body.get("background") else FOREGROUND:
        yield {"type": f"response.{event}", "response": started(final, body, status)}
    for place, item in enumerate(final["output"]):
        yield from item_events(place, item)
    yield {"type": f"response.{final['status']}", "response": final}


# The first events, and the status that the reply has in them.
FOREGROUND = (("created", "in_progress"), ("in_progress", "in_progress"))
BACKGROUND = (("created", "queued"), ("queued", "queued"), ("in_progress", "in_progress"))


def started(final: JsonObject, body: JsonObject, status: str) -> JsonObject:
    """A reply at its start: everything that it repeats of the request, and no answer yet."""
    empty: JsonObject = {"completed_at": None, "error": None, "incomplete_details": None, "output": [], "usage": None}
    return {**final, **empty, "status": status, "service_tier": body.get("service_tier") or "auto"}


PADDED = 16
PADDING = "kT4vQm9ZxB2rLw7N"


def _padding(delta: str) -> str:
    """Hides a piece's size. The API adds random characters; these are always the same."""
    return PADDING[: -len(delta) % PADDED]


# --- the reply --------------------------------------------------------------------------------------------------------


def status_of(completion: Completion) -> tuple[str, str | None]:
    """The status of a reply, and why it is incomplete."""
    reason = INCOMPLETE.get(completion.finish_reason)
    if completion.finish_reason == "refusal" and not any(block["type"] == "refusal" for block in completion.blocks):
        reason = "content_filter"
    failed = completion.finish_reason == "error"
    return "failed" if failed else "incomplete" if reason else "completed", reason


def response_of(completion: Completion, body: JsonObject, output: list[JsonObject] | None = None) -> JsonObject:
    """The reply as an object. `output`: its items, where a stream has made them already."""
    status, reason = status_of(completion)
    failed = status == "failed"
    if output is None:
        output = output_items(completion, body, incomplete=status != "completed")
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
        "service_tier": service_tier(completion, body),
        **({"store": False} if completion.upstream is not None else {}),  # another API answered: OpenAI keeps nothing
        "moderation": None,
        "tool_usage": _tool_usage(output),
        "usage": _usage(completion),
    }


def _usage(completion: Completion) -> JsonObject:
    tokens = completion.tokens
    # The API splits a write by TTL only where the longer TTL occurs.
    split = {"ttl_30m_tokens": tokens.cache_write_short, "ttl_12h_tokens": tokens.cache_write_long}
    details = {"cache_write_tokens_details": split} if tokens.cache_write_long else {}
    counted = {
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
    return with_own_usage(counted, completion, WIRE)


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
"""Keys of the request that every reply repeats, and their values where the request has none."""

ECHOED_IF_GIVEN = ("prompt_cache_options",)
"""Keys of the request that a reply repeats only where the request has them."""

LOCATION = {"type": "approximate", "city": None, "country": None, "region": None, "timezone": None}

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
"""The defaults that the API adds to the tools that it repeats."""


def _echo(body: JsonObject) -> JsonObject:
    conversation = body.get("conversation")
    with_id = {"id": conversation} if isinstance(conversation, str) else conversation
    return {
        **{key: default if body.get(key) is None else body[key] for key, default in copy.deepcopy(ECHOES).items()},
        **{key: body[key] for key in ECHOED_IF_GIVEN if body.get(key) is not None},
        **({"conversation": with_id} if with_id else {}),
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "text": _text(body.get("text") or {}),
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
    }


def _text(given: JsonObject) -> JsonObject:
    form = given.get("format") or {"type": "text"}
    if form.get("type") == "json_schema":
        form = {"description": None, "strict": False, **form}
    return {"verbosity": "medium", **given, "format": form}


def _tool(tool: JsonObject) -> JsonObject:
    echoed = {**copy.deepcopy(TOOLS.get(str(tool.get("type")), {})), **tool}
    if isinstance(echoed.get("user_location"), dict):
        echoed["user_location"] = LOCATION | echoed["user_location"]
    if echoed.get("authorization") is not None:
        # A secret is not repeated.
        echoed["authorization"] = "REDACTED"
    return echoed
