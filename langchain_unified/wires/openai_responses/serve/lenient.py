"""Bodies of `POST /responses` as clients write them, beyond what the API takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.wires._door import Reading
from langchain_unified.wires._lenient import NESTED, Notes, as_text, each, flat_tool, keep_keys, or_refused, renamed
from langchain_unified.wires.openai_responses.serve.read import read_request
from langchain_unified.wires.openai_responses.serve.turns import MESSAGE_KEYS

LIMITS = {"max_completion_tokens": "max_output_tokens", "max_tokens": "max_output_tokens"}


def _read(body: JsonObject, headers: Mapping[str, str]) -> Reading:
    if not isinstance(body, dict):
        return Reading(read_request(body, headers))
    notes = Notes()
    body = renamed(body, LIMITS)
    if isinstance(body.get("input"), list):
        body["input"] = each(body["input"], _item, notes)
    if isinstance(body.get("tools"), list):
        body["tools"] = each(body["tools"], _tool, notes)
    if isinstance(body.get("tool_choice"), dict):
        body["tool_choice"] = _choice(body["tool_choice"])
    return Reading(read_request(body, headers), tuple(notes.items))


def _tool(tool: JsonObject, notes: Notes) -> JsonObject:
    kind = tool.get("type")
    is_flat = kind not in (None, *NESTED) or (kind is not None and kind not in tool and "input_schema" not in tool)
    if is_flat:
        return tool
    notes.list("nested tools", "They were read in the flat form of this API.")
    return flat_tool(tool)


def _choice(choice: JsonObject) -> Any:
    """A choice in the form of Chat Completions or of Anthropic's API."""
    kind = str(choice.get("type"))
    inner = choice.get(kind)
    if kind in NESTED and isinstance(inner, dict):
        return {**{key: value for key, value in choice.items() if key != kind}, **inner}
    if kind == "tool":
        return {"type": "function", "name": choice.get("name")}
    return CHOICES.get(kind, choice) if choice.keys() == {"type"} else choice


CHOICES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none", "required": "required"}

# --- items ------------------------------------------------------------------------------------------------------------


def _item(item: JsonObject, notes: Notes) -> JsonObject:
    kind = str(item.get("type") or "message")
    if item.get("role") == "tool":
        return {"type": "function_call_output", "call_id": item.get("tool_call_id"), "output": as_text(item["content"])}
    rewrite = ITEMS.get(kind)
    return item if rewrite is None else rewrite(item, notes)


def _message(item: JsonObject, notes: Notes) -> JsonObject:
    found = keep_keys(item, MESSAGE_KEYS, "a message", notes)
    content, role = found.get("content"), found.get("role")
    if content is None:
        return {**found, "content": ""}
    if not isinstance(content, list):
        return found
    names = OUTPUT_PARTS if role == "assistant" else INPUT_PARTS
    return {**found, "content": [_part(part, names) if isinstance(part, dict) else part for part in content]}


OUTPUT_PARTS: Mapping[str, str] = {"text": "output_text", "input_text": "output_text"}
INPUT_PARTS: Mapping[str, str] = {"text": "input_text", "output_text": "input_text", "image_url": "input_image"}
"""Type of a part in the other role or on Chat Completions -> its type here."""


def _part(part: JsonObject, names: Mapping[str, str]) -> JsonObject:
    kind = str(part.get("type"))
    if kind not in names:
        return part
    found = {**part, "type": names[kind]}
    if names[kind] == "input_text":
        return {key: value for key, value in found.items() if key not in REPLY_KEYS}
    image = part.get("image_url")
    if names[kind] == "input_image" and isinstance(image, dict):
        return {**found, "image_url": image.get("url"), **{key: image[key] for key in ("detail",) if key in image}}
    return found


REPLY_KEYS = frozenset({"annotations", "logprobs"})
"""Keys of a part of an answer that a part of a question has not."""


def _reasoning(item: JsonObject, notes: Notes) -> JsonObject:
    return item if isinstance(item.get("summary"), list) else {**item, "summary": []}


def _call(item: JsonObject, notes: Notes) -> JsonObject:
    arguments = item.get("arguments")
    return item if isinstance(arguments, str) else {**item, "arguments": as_text(arguments or {})}


def _output(item: JsonObject, notes: Notes) -> JsonObject:
    output = item.get("output")
    if isinstance(output, list):
        return {**item, "output": [_part(part, INPUT_PARTS) if isinstance(part, dict) else part for part in output]}
    return item if isinstance(output, str) else {**item, "output": as_text(output)}


ITEMS = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _call,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
}


read_lenient = or_refused(_read, read_request)
"""The request of a body, and what of it was read otherwise than it was written.

Raises `RequestError` for what cannot be a request.
"""
