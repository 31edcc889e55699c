"""One conversation and its exact body on each API, without marks."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified import ChatUnified, cached

EPHEMERAL = {"type": "ephemeral"}
MARK = {"cache_control": EPHEMERAL}
POINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}

PHOTO = "https://x.test/a.png"
IMAGE: dict[str, Any] = {"type": "image", "url": PHOTO}
NOTE: dict[str, Any] = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Notes."}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


CALLS: list[Any] = [{"name": "look_up", "args": {"order": 1}, "id": "call_1"}]
USE: dict[str, Any] = {"type": "tool_use", "id": "call_1", "name": "look_up", "input": {"order": 1}}
RESULT: dict[str, Any] = {"type": "tool_result", "tool_use_id": "call_1"}

SYSTEM = SystemMessage("Be brief.")
ASKED = HumanMessage([IMAGE, NOTE, text("What is it?")])
CALLED = AIMessage("I look it up.", tool_calls=CALLS)
FOUND = ToolMessage("42", tool_call_id="call_1")
THANKS = HumanMessage("Thanks.")
CONVERSATION: list[BaseMessage] = [SYSTEM, ASKED, CALLED, FOUND, THANKS]

SCHEMA = {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}
FUNCTION = {"name": "look_up", "description": "Look it up.", "parameters": SCHEMA}
OF_ANTHROPIC = {"name": "look_up", "description": "Look it up.", "input_schema": SCHEMA}
CHAT_TOOL: dict[str, Any] = {"type": "function", "function": FUNCTION}

ANTHROPIC = {
    "model": "claude-opus-5",
    "max_tokens": 100,
    "system": "Be brief.",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "url", "url": PHOTO}}, NOTE, text("What is it?")],
        },
        {"role": "assistant", "content": [text("I look it up."), USE]},
        {"role": "user", "content": [{**RESULT, "content": "42"}, text("Thanks.")]},
    ],
    "tools": [OF_ANTHROPIC],
}
PICTURE = {"type": "image_url", "image_url": {"url": PHOTO}}
CHAT = {
    "model": "gpt-5.6",
    "max_completion_tokens": 100,
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [PICTURE, text("Notes."), text("What is it?")]},
        {
            "role": "assistant",
            "content": "I look it up.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"order":1}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
        {"role": "user", "content": "Thanks."},
    ],
    "tools": [CHAT_TOOL],
}


def said(words: str) -> dict[str, Any]:
    return {"type": "input_text", "text": words}


RESPONSES = {
    "model": "gpt-5.6",
    "max_output_tokens": 100,
    "input": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_image", "detail": "auto", "image_url": PHOTO},
                said("Notes."),
                said("What is it?"),
            ],
        },
        {"role": "assistant", "content": "I look it up."},
        {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": '{"order":1}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
        {"role": "user", "content": "Thanks."},
    ],
    "tools": [{"type": "function", **FUNCTION}],
}
BODIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "anthropic": ("anthropic/claude-opus-5", {}, ANTHROPIC),
    "chat": ("openai/gpt-5.6", {"use_responses_api": False}, CHAT),
    "responses": ("openai/gpt-5.6", {"use_responses_api": True}, RESPONSES),
}


def at(index: int, *instead: BaseMessage) -> list[BaseMessage]:
    return [*CONVERSATION[:index], *instead, *CONVERSATION[index + 1 :]]


def in_extras(block: dict[str, Any]) -> dict[str, Any]:
    return {**block, "extras": MARK}


def marked(message: BaseMessage) -> BaseMessage:
    return message.model_copy(update={"additional_kwargs": MARK})


QUESTION = text("What is it?")
SPELLINGS: dict[str, tuple[str, list[BaseMessage]]] = {
    # a system prompt
    "cached(system)": ("system", at(0, cached(SYSTEM))),
    "additional_kwargs of the system": ("system", at(0, marked(SYSTEM))),
    "cached(str) in the system": ("system", at(0, SystemMessage([cached("Be brief.")]))),
    "a breakpoint in the system": ("system", at(0, SystemMessage([{**text("Be brief."), **POINT}]))),
    # what the user says
    "cached(image)": ("image", at(1, HumanMessage([cached(IMAGE), NOTE, QUESTION]))),
    "an image": ("image", at(1, HumanMessage([{**IMAGE, **MARK}, NOTE, QUESTION]))),
    "an image, v0": (
        "image", at(1, HumanMessage([{"type": "image", "source_type": "url", "url": PHOTO, **MARK}, NOTE, QUESTION]))
    ),
    "an image_url": ("image", at(1, HumanMessage([{**PICTURE, **MARK}, NOTE, QUESTION]))),
    "an image_url with a breakpoint": ("image", at(1, HumanMessage([{**PICTURE, **POINT}, NOTE, QUESTION]))),
    "extras of an image": ("image", at(1, HumanMessage([in_extras(IMAGE), NOTE, QUESTION]))),
    "a document": ("document", at(1, HumanMessage([IMAGE, {**NOTE, **MARK}, QUESTION]))),
    "extras of a document": ("document", at(1, HumanMessage([IMAGE, in_extras(NOTE), QUESTION]))),
    "a plain text document": (
        "document", at(1, HumanMessage([IMAGE, {"type": "text-plain", "text": "Notes.", **MARK}, QUESTION]))
    ),
    "cached(block)": ("question", at(1, HumanMessage([IMAGE, NOTE, cached(QUESTION)]))),
    "a text": ("question", at(1, HumanMessage([IMAGE, NOTE, {**QUESTION, **MARK}]))),
    "an input_text": ("question", at(1, HumanMessage([IMAGE, NOTE, {**said("What is it?"), **POINT}]))),
    "cached(human)": ("question", at(1, cached(ASKED))),
    "an empty text after it": ("question", at(1, HumanMessage([IMAGE, NOTE, QUESTION, {**text(" "), **MARK}]))),
    "an empty message after it": ("question", [*CONVERSATION[:2], cached(HumanMessage("")), *CONVERSATION[2:]]),
    # what the assistant said
    "a text of the assistant": ("said", at(2, AIMessage([{**text("I look it up."), **MARK}], tool_calls=CALLS))),
    "extras of a text": ("said", at(2, AIMessage([in_extras(text("I look it up."))], tool_calls=CALLS))),
    "cached(assistant)": ("call", at(2, cached(CALLED))),
    "a tool_use": ("call", at(2, AIMessage([text("I look it up."), {**USE, **MARK}], tool_calls=CALLS))),
    "extras of a tool_use": ("call", at(2, AIMessage([text("I look it up."), in_extras(USE)], tool_calls=CALLS))),
    "a tool_call": (
        "call", at(2, AIMessage([text("I look it up."), {"type": "tool_call", **CALLS[0], **MARK}], tool_calls=CALLS))
    ),
    "a reply of Claude's": (
        "call",
        at(
            2,
            AIMessage(
                [text("I look it up."), {**USE, **MARK}],
                tool_calls=CALLS,
                response_metadata={"model_provider": "anthropic", "model_name": "claude-opus-5"},
            ),
        ),
    ),
    # results
    "cached(tool message)": ("result", at(3, cached(FOUND))),
    "additional_kwargs of a result": ("result", at(3, marked(FOUND))),
    "a text in a result": ("result", at(3, ToolMessage([{**text("42"), **MARK}], tool_call_id="call_1"))),
    "extras in a result": ("result", at(3, ToolMessage([in_extras(text("42"))], tool_call_id="call_1"))),
    "a tool_result": ("result", at(3, HumanMessage([{**RESULT, "content": "42", **MARK}]))),
    "a text in a tool_result": ("result", at(3, HumanMessage([{**RESULT, "content": [{**text("42"), **MARK}]}]))),
    "cached(human with a tool_result)": ("result", at(3, cached(HumanMessage([{**RESULT, "content": "42"}])))),
    # the end
    "cached(last)": ("end", at(4, cached(THANKS))),
    "cached(str)": ("end", at(4, HumanMessage([cached("Thanks.")]))),
    "additional_kwargs": ("end", at(4, marked(THANKS))),
}  # fmt: skip


def build(name: str, **fields: Any) -> ChatUnified:
    model, options, _ = BODIES[name]
    return ChatUnified(model, api_key="any", max_tokens=100, **{**options, **fields})


def lists(name: str) -> dict[str, Any]:
    """The unmarked body with every text of the caller's in a list, as OpenAI wants it for marks."""
    body: dict[str, Any] = copy.deepcopy(BODIES[name][2])
    if name == "anthropic":
        return body
    for item in body.get("messages", body.get("input")):
        key = "output" if "output" in item else "content"
        if isinstance(item.get(key), str) and item.get("role") != "assistant":
            item[key] = [text(item[key]) if name == "chat" else said(item[key])]
    return body


def golden(name: str, places: list[str]) -> dict[str, Any]:
    """The body with marks at these places."""
    body = lists(name)
    mark = MARK if name == "anthropic" else POINT
    for place in places:
        section, *path = place.split(".")
        if body[section] == "Be brief.":
            body[section] = [text("Be brief.")]
        holder = body[section][int(path[0])]
        if len(path) == 2:
            holder = holder.get("content", holder.get("output"))[int(path[1])]
        holder.update(copy.deepcopy(mark))
    return body


def keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from keys_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys_in(item)


OF_CACHING = {"cache_control", "prompt_cache_breakpoint", "prompt_cache_options", "prompt_cache_key", "extras"}
