"""Fields of an answer that code set after it was made, past LangChain's checks: in the form that LangChain has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage

from langchain_unified.messages.json_text import json_object, json_values, plain_value
from langchain_unified.request import JsonObject


def as_constructed(message: AIMessage) -> AIMessage:
    """The message with calls of LangChain's form, and without metadata of wrong types; the same object for most."""
    changes: JsonObject = {}
    if not _are_valid(message.tool_calls) or not _are_invalid(message.invalid_tool_calls):
        calls = [*_mappings(message.tool_calls), *_mappings(message.invalid_tool_calls)]
        read = [_read(call) for call in calls]
        changes["tool_calls"] = [call for call in read if call["type"] == "tool_call"]
        changes["invalid_tool_calls"] = [call for call in read if call["type"] != "tool_call"]
    if message.name is not None and not isinstance(message.name, str):
        changes["name"] = str(message.name)
    if not isinstance(message.response_metadata.get("model_name", ""), str | None):
        changes["response_metadata"] = {**message.response_metadata, "model_name": None}
    if message.usage_metadata and not isinstance(message.usage_metadata.get("output_token_details", {}), Mapping):
        changes["usage_metadata"] = None
    if not isinstance(message.additional_kwargs.get("refusal", ""), str | None):
        changes["additional_kwargs"] = {
            **message.additional_kwargs,
            "refusal": str(message.additional_kwargs["refusal"]),
        }
    return message.model_copy(update=changes) if changes else message


def _are_valid(calls: Any) -> bool:
    """Whether these are calls as `AIMessage` checks them."""
    return isinstance(calls, list) and all(
        isinstance(call, dict)
        and isinstance(call.get("name"), str)
        and isinstance(call.get("args"), dict)
        and isinstance(call.get("id", 0), str | None)
        for call in calls
    )


def _are_invalid(calls: Any) -> bool:
    """Whether these are invalid calls as `AIMessage` checks them."""
    return isinstance(calls, list) and all(
        isinstance(call, dict) and all(isinstance(call.get(key, 0), str | None) for key in ("name", "args", "id"))
        for call in calls
    )


def _mappings(calls: Any) -> list[Mapping[str, Any]]:
    return [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list | tuple) else []


def _read(call: Mapping[str, Any]) -> JsonObject:
    """A call from any of its forms, OpenAI's too: an invalid one where its arguments are no object."""
    function = call.get("function")
    inner: Mapping[str, Any] = function if isinstance(function, Mapping) else call
    name, args = inner.get("name"), inner.get("args", inner.get("arguments", {}))
    call_id = call.get("id")
    named = {"name": name if isinstance(name, str) else "", "id": None if call_id is None else str(call_id)}
    found = (
        args if isinstance(args, dict) else {} if args is None else json_object(args) if isinstance(args, str) else None
    )
    if found is not None and call.get("type") != "invalid_tool_call" and "error" not in call:
        return {"type": "tool_call", "args": json_values(found), **named}
    text = args if isinstance(args, str | None) else json.dumps(plain_value(args), ensure_ascii=False)
    return {"type": "invalid_tool_call", "args": text, "error": call.get("error"), **named}
