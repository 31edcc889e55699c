"""Recorded requests as calls of a LangChain model: its messages and keywords."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

Call = tuple[list[BaseMessage], dict[str, Any]]


def call_of(endpoint: str, body: Mapping[str, Any]) -> Call:
    """The messages and the keywords of the call that sends this body."""
    keywords = {key: value for key, value in copy.deepcopy(dict(body)).items() if key not in NOT_KEYWORDS}
    return READERS[endpoint](keywords), {key: value for key, value in keywords.items() if value is not None}


NOT_KEYWORDS = frozenset({"model", "stream", "stream_options"})


def _parsed(call_id: str, name: str, arguments: Any) -> dict[str, Any]:
    args = json.loads(arguments) if isinstance(arguments, str) else arguments
    return {"type": "tool_call", "id": call_id, "name": name, "args": args or {}}


# --- Messages ---------------------------------------------------------------------------------------------------------


def _anthropic(body: dict[str, Any]) -> list[BaseMessage]:
    messages: list[BaseMessage] = []
    if body.get("system"):
        messages.append(SystemMessage(body["system"]))
    body.pop("system", None)
    for message in body.pop("messages"):
        content = message["content"]
        if message["role"] == "assistant":
            blocks = content if isinstance(content, list) else []
            calls = [_parsed(each["id"], each["name"], each["input"]) for each in blocks if each["type"] == "tool_use"]
            messages.append(AIMessage(content, tool_calls=calls, response_metadata={"model_provider": "anthropic"}))
        else:
            messages.append({"user": HumanMessage, "system": SystemMessage}[message["role"]](content))
    return messages


# --- Chat Completions -------------------------------------------------------------------------------------------------


def _chat(body: dict[str, Any]) -> list[BaseMessage]:
    return [CHAT_ROLES[message["role"]](message) for message in body.pop("messages")]


def _chat_answer(message: dict[str, Any]) -> BaseMessage:
    functions = [(call["id"], call["function"]) for call in message.get("tool_calls") or ()]
    calls = [_parsed(call_id, each["name"], each["arguments"]) for call_id, each in functions]
    return AIMessage(message.get("content") or "", tool_calls=calls, response_metadata={"model_provider": "openai"})


CHAT_ROLES: Mapping[str, Callable[[dict[str, Any]], BaseMessage]] = {
    "system": lambda message: SystemMessage(message["content"]),
    "developer": lambda message: SystemMessage(message["content"], additional_kwargs={"__openai_role__": "developer"}),
    "user": lambda message: HumanMessage(message["content"]),
    "assistant": _chat_answer,
    "tool": lambda message: ToolMessage(message["content"], tool_call_id=message["tool_call_id"]),
}


# --- Responses --------------------------------------------------------------------------------------------------------


def _responses(body: dict[str, Any]) -> list[BaseMessage]:
    given = body.pop("input")
    messages: list[BaseMessage] = []
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        role = item.get("role")
        if role in ("user", "system", "developer"):
            messages.append(CHAT_ROLES[role](item))
        elif item.get("type") == "function_call_output":
            messages.append(ToolMessage(item["output"], tool_call_id=item["call_id"]))
        else:
            _add_to_answer(item, messages)
    return messages


def _add_to_answer(item: dict[str, Any], messages: list[BaseMessage]) -> None:
    """The item as blocks of the answer that the last message is, or of a new one."""
    if not messages or not isinstance(messages[-1], AIMessage):
        messages.append(AIMessage([], response_metadata={"model_provider": "openai"}))
    answer = messages[-1]
    assert isinstance(answer, AIMessage)
    assert isinstance(answer.content, list)
    if item.get("role") == "assistant":
        parts = item["content"]
        for part in [{"text": parts, "annotations": []}] if isinstance(parts, str) else parts:
            known = {key: part[key] for key in ("text", "annotations") if key in part}
            head = {key: item[key] for key in ("id", "phase") if item.get(key)}
            answer.content.append({"type": "text", **known, **head})
        return
    answer.content.append(item)
    if item["type"] == "function_call":
        answer.tool_calls.append(_parsed(item["call_id"], item["name"], item["arguments"]))  # type: ignore[arg-type]


READERS: Mapping[str, Callable[[dict[str, Any]], list[BaseMessage]]] = {
    "anthropic.messages": _anthropic,
    "openai.chat": _chat,
    "openai.responses": _responses,
}
