"""A body in the form of the Responses API that a client sends to `/chat/completions`, as Chat Completions has it.

Cursor's agent sends such bodies and reads answers of Chat Completions. (litellm#34029, CLIProxyAPI#658)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_unified.request import JsonObject
from langchain_unified.wires._lenient import Notes, as_text, renamed

RENAMED = {"max_output_tokens": "max_completion_tokens"}


def as_chat_body(body: JsonObject, notes: Notes) -> JsonObject:
    """The body with `messages` in place of `input`, and the other keys under their names here."""
    notes.list("input", "The body has the form of the Responses API: it was read as messages.")
    found = renamed({key: value for key, value in body.items() if key not in MOVED}, RENAMED)
    found["messages"] = [*_instructions(body), *_messages(body.get("input"), notes)]
    reasoning, text = body.get("reasoning"), body.get("text")
    if isinstance(reasoning, dict) and reasoning.get("effort") is not None:
        found.setdefault("reasoning_effort", reasoning["effort"])
    if isinstance(text, dict):
        found |= _text(text)
    return found


MOVED = frozenset({"input", "instructions", "reasoning", "text", "include", "truncation", "previous_response_id"})
"""Keys that have another place, or no meaning where the whole conversation is in the body."""


def _instructions(body: JsonObject) -> list[JsonObject]:
    text = body.get("instructions")
    return [{"role": "system", "content": text}] if isinstance(text, str) and text else []


def _text(text: JsonObject) -> JsonObject:
    found: JsonObject = {}
    if text.get("verbosity") is not None:
        found["verbosity"] = text["verbosity"]
    form = text.get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        inner = {key: value for key, value in form.items() if key != "type"}
        found["response_format"] = {"type": "json_schema", "json_schema": inner}
    elif isinstance(form, dict):
        found["response_format"] = form
    return found


# --- items ------------------------------------------------------------------------------------------------------------


def _messages(items: Any, notes: Notes) -> list[Any]:
    """A message for each item; consecutive calls belong to one assistant message."""
    if isinstance(items, str):
        return [{"role": "user", "content": items}]
    if not isinstance(items, list):
        return [items]
    messages: list[Any] = []
    for item in items:
        kind = str(item.get("type") or "message") if isinstance(item, dict) else ""
        add = ITEMS.get(kind)
        if add is not None:
            add(item, messages)
        elif isinstance(item, dict):
            notes.lose(f"input items of type {kind!r}", "Chat Completions has none: they were left out.")
        else:
            messages.append(item)
    return messages


def _message(item: JsonObject, messages: list[Any]) -> None:
    content = item.get("content")
    parts = [_part(part) for part in content] if isinstance(content, list) else content
    messages.append({"role": item.get("role"), "content": parts})


def _part(part: Any) -> Any:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text"):
        return {"type": "text", "text": part.get("text")} | (_marks(part))
    if kind == "input_image":
        image = {key: part[key] for key in ("detail",) if part.get(key)}
        return {"type": "image_url", "image_url": {"url": part.get("image_url"), **image}}
    if kind == "input_file":
        return {"type": "file", "file": {key: part[key] for key in FILE_KEYS if part.get(key)}}
    return part


FILE_KEYS = ("file_id", "file_data", "filename")
MARKS = ("cache_control", "prompt_cache_breakpoint")


def _marks(part: JsonObject) -> JsonObject:
    return {key: part[key] for key in MARKS if key in part}


def _call(item: JsonObject, messages: list[Any]) -> None:
    function = {"name": item.get("name"), "arguments": item.get("arguments")}
    _add_call({"id": item.get("call_id"), "type": "function", "function": function}, messages)


def _custom_call(item: JsonObject, messages: list[Any]) -> None:
    custom = {"name": item.get("name"), "input": as_text(item.get("input"))}
    _add_call({"id": item.get("call_id"), "type": "custom", "custom": custom}, messages)


def _add_call(call: JsonObject, messages: list[Any]) -> None:
    last = messages[-1] if messages else None
    if isinstance(last, dict) and last.get("role") == "assistant":
        last.setdefault("tool_calls", []).append(call)
    else:
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})


def _output(item: JsonObject, messages: list[Any]) -> None:
    output = item.get("output")
    content = [_part(part) for part in output] if isinstance(output, list) else as_text(output)
    messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": content})


def _left_out(item: JsonObject, messages: list[Any]) -> None:
    """Reasoning of another call: Chat Completions takes none back."""


ITEMS: Mapping[str, Callable[[JsonObject, list[Any]], None]] = {
    "message": _message,
    "function_call": _call,
    "custom_tool_call": _custom_call,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
    "reasoning": _left_out,
}
