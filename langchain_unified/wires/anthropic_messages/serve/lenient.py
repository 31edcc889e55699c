"""Bodies of `POST /v1/messages` as clients write them, beyond what the API takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from langchain_unified.messages.json_text import json_object
from langchain_unified.request import JsonObject, Params
from langchain_unified.wires._door import Reading
from langchain_unified.wires._lenient import NESTED, Notes, each, flat_tool, keep_keys, or_refused, renamed
from langchain_unified.wires.anthropic_messages.serve.read import TIERS, read_request


def _read(body: JsonObject, headers: Mapping[str, str]) -> Reading:
    if not isinstance(body, dict):
        return Reading(read_request(body, headers))
    notes = Notes()
    beside: JsonObject = {}
    body = dict(body)
    if body.get("max_tokens") is None:
        body["max_tokens"] = 1
        beside["max_tokens"] = None
    session = next((value for name, value in headers.items() if name.lower() == SESSION), None)
    if session:
        beside["prompt_cache_key"] = session
    if isinstance(body.get("service_tier"), str) and body["service_tier"] not in TIERS:
        beside["service_tier"] = body.pop("service_tier")
    if isinstance(body.get("stop_sequences"), str):
        body["stop_sequences"] = [body["stop_sequences"]]
    if isinstance(body.get("tool_choice"), str):
        body["tool_choice"] = {"type": CHOICES.get(body["tool_choice"], body["tool_choice"])}
    body["messages"] = each(body.get("messages"), _message, notes)
    if "tools" in body:
        body["tools"] = each(body["tools"], _tool, notes)
    request = read_request(body, headers)
    params = {**request.params, **beside}
    given = {key: value for key, value in params.items() if value is not None}
    return Reading(replace(request, params=cast(Params, given)) if beside else request, tuple(notes.items))


SESSION = "x-claude-code-session-id"
"""Claude Code's header: the calls of one session share most of their prompt, which is what OpenAI's key tells."""

CHOICES: Mapping[str, str] = {"required": "any"}
"""A word of OpenAI's for a choice -> Anthropic's."""


def _message(message: JsonObject, notes: Notes) -> JsonObject:
    found = keep_keys(message, MESSAGE_KEYS, "a message", notes)
    if found.get("role") == "developer":
        found = {**found, "role": "system"}
    content = found.get("content")
    if content is None:
        return {**found, "content": ""}
    return {**found, "content": each(content, _block, notes)} if isinstance(content, list) else found


MESSAGE_KEYS = frozenset({"role", "content"})


def _block(block: JsonObject, notes: Notes) -> JsonObject:
    kind = block.get("type")
    if kind == "thinking" and not isinstance(block.get("signature"), str):
        return {**block, "signature": "", "thinking": block.get("thinking") or ""}
    if kind == "tool_use" and not isinstance(block.get("input"), dict):
        args = json_object(block["input"]) if isinstance(block.get("input"), str) else None
        if block.get("input") and args is None:
            notes.lose("input of a tool_use", "It is no JSON object: an empty one was read.")
        return {**block, "input": args or {}}
    if kind == "tool_result" and isinstance(block.get("content"), list):
        return {**block, "content": each(block["content"], _block, notes)}
    return block


def _tool(tool: JsonObject, notes: Notes) -> JsonObject:
    """A function of OpenAI's as a tool of Anthropic's; any other tool as it is."""
    kind = tool.get("type")
    if kind not in NESTED or "input_schema" in tool or (kind == "custom" and "custom" not in tool):
        return tool
    notes.list("tools in OpenAI's form", "They were read as functions with an `input_schema`.")
    flat = renamed(flat_tool(tool), {"parameters": "input_schema"})
    found = {key: value for key, value in flat.items() if key != "type"}
    return {"input_schema": {"type": "object", "properties": {}}, **found}


read_lenient = or_refused(_read, read_request)
"""The request of a body, and what of it was read otherwise than it was written.

Raises `RequestError` for what cannot be a request.
"""
