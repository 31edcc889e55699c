"""Reply of `POST /chat/completions` -> messages, one per choice.

The text is `content`, a `str`. What the API says beside it stands in `additional_kwargs` under the API's own names:
`refusal`, `annotations`, `audio`, and whatever key we do not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.content import InvalidToolCall
from langchain_core.messages.tool import ToolCall, invalid_tool_call, tool_call

from langchain_unified.errors import ReplyError, describe, error_in
from langchain_unified.messages.json_text import json_object
from langchain_unified.request import JsonObject
from langchain_unified.usage import CHAT_FINISH, FinishReason, common_finish_reason, openai_usage
from langchain_unified.wires.openai_chat.assistant import CUSTOM_ARGUMENT
from langchain_unified.wires.openai_chat.blocks import compact

# Read by name, or an echo of the transport, so that they do not go among the rest.
REPLY_KEYS = frozenset({"choices", "usage", "model", "id", "object", "obfuscation"})
CHOICE_KEYS = frozenset({"index", "message", "delta", "finish_reason", "logprobs"})
MESSAGE_KEYS = frozenset({"role", "content", "tool_calls", "function_call"})


def decode(reply: JsonObject) -> list[AIMessage]:
    """One message per choice, in the order of the reply.

    With several choices a message has no id, as they would share one, and only the first carries the usage, which is
    that of the whole reply. Raises `ReplyError` for what is not a chat completion.
    """
    choices = _choices(reply)
    alone = len(choices) == 1
    messages = []
    for position, choice in enumerate(choices):
        own = reply if position == 0 else {key: value for key, value in reply.items() if key != "usage"}
        messages.append(_message(choice, own, reply_id(reply) if alone else None))
    return messages


def _choices(reply: Any) -> list[JsonObject]:
    if not isinstance(reply, dict):
        raise ReplyError(f"The reply is not a chat completion but {_shown(reply)}.")
    if error := error_in(reply):
        code, text = describe(error)
        raise ReplyError(f"The reply is an error instead of a chat completion: {text} (code {code}).")
    choices = reply.get("choices")
    if not isinstance(choices, list):
        raise ReplyError(f"The reply is not a chat completion: it has no list of choices. It is {_shown(reply)}.")
    if not choices:
        raise ReplyError("The reply is a chat completion without choices: the server gave no answer.")
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise ReplyError(f"A choice of the reply has no message. It is {_shown(choice)}.")
    return choices


def _shown(value: Any) -> str:
    text = str(value)
    return f"{type(value).__name__} {text[:200]!r}" + ("…" if len(text) > 200 else "")


def _message(choice: JsonObject, reply: JsonObject, message_id: str | None) -> AIMessage:
    message = choice["message"]
    calls, broken = _calls(message, reply_id(reply))
    common = common_finish(choice.get("finish_reason"), bool(message.get("refusal")), bool(calls or broken))
    return AIMessage(
        content=split_content(message.get("content"))[0],
        additional_kwargs=_kwargs(message),
        tool_calls=calls,
        invalid_tool_calls=broken,
        usage_metadata=usage_of(reply),
        id=message_id,
        response_metadata=metadata(reply, choice, common),
    )


def split_content(raw: Any) -> tuple[str, list[Any]]:
    """The text, and the parts that are none: some servers send a list of parts where the API has a string."""
    if not isinstance(raw, list):
        return (raw if isinstance(raw, str) else ""), []
    texts = [part for part in raw if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(part.get("text") or "" for part in texts), [part for part in raw if part not in texts]


def _kwargs(message: JsonObject) -> JsonObject:
    kept = {key: value for key, value in message.items() if key not in MESSAGE_KEYS and value not in (None, [], "")}
    others = {
        "content_parts": split_content(message.get("content"))[1],
        "other_tool_calls": [call for call in message.get("tool_calls") or [] if not known_call(call)],
    }
    return {**kept, **{key: value for key, value in others.items() if value}}


# --- what the stream reads too ----------------------------------------------------------------------------------------


def reply_id(reply: Mapping[str, Any]) -> str | None:
    found = reply.get("id")
    return found if isinstance(found, str) and found else None


def usage_of(reply: Mapping[str, Any]) -> UsageMetadata | None:
    raw = reply.get("usage")
    return openai_usage(raw, reply.get("service_tier")) if isinstance(raw, dict) else None


def common_finish(raw: str | None, refused: bool, called: bool) -> FinishReason | None:
    """The common finish reason. The API says `stop` of a refusal, and of a tool call that it was told to make."""
    if raw == "stop" and (called or refused):
        return "tool_calls" if called else "refusal"
    return common_finish_reason(CHAT_FINISH, raw)


def metadata(reply: Mapping[str, Any], choice: Mapping[str, Any], common: FinishReason | None) -> JsonObject:
    """`response_metadata`: what the reply and the choice say beside the message, empty values left out."""
    usage = reply.get("usage")
    found = {
        **_rest(choice, CHOICE_KEYS),
        **_rest(reply, REPLY_KEYS),
        "logprobs": choice.get("logprobs"),
        "model_provider": "openai",
        "model_name": reply.get("model"),
        "id": reply_id(reply),
        "finish_reason": common,
        "stop_reason": choice.get("finish_reason"),
        "usage": usage,
        # Programs written for langchain-openai read it under this name.
        "token_usage": usage,
    }
    return {key: value for key, value in found.items() if value is not None}


def _rest(holder: Mapping[str, Any], known: Iterable[str]) -> JsonObject:
    return {key: value for key, value in holder.items() if key not in known}


# --- tool calls -------------------------------------------------------------------------------------------------------


def _calls(message: JsonObject, reply: str | None) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    calls: list[ToolCall] = []
    broken: list[InvalidToolCall] = []
    for position, raw in enumerate(_raw_calls(message)):
        name, args = named_args(raw)
        found = raw.get("id") or made_up_id(reply, position)
        whole = args_object(args)
        if whole is None:
            broken.append(invalid_tool_call(name=name, args=args, id=found, error=None))
        else:
            calls.append(tool_call(name=name, args=whole, id=found))
    return calls, broken


def _raw_calls(message: JsonObject) -> list[JsonObject]:
    found = [call for call in message.get("tool_calls") or [] if known_call(call)]
    legacy = message.get("function_call")
    return [*found, legacy_call(legacy)] if legacy else found


def known_call(call: Any) -> bool:
    return isinstance(call, dict) and any(isinstance(call.get(kind), dict) for kind in ("function", "custom"))


def legacy_call(call: JsonObject) -> JsonObject:
    """The deprecated `function_call` as a tool call. It has no id: the result is matched by the function's name."""
    return {"id": call.get("name"), "function": call}


def named_args(call: JsonObject) -> tuple[str, str]:
    """A call's name and its arguments as JSON text. The text of a custom tool stands under `__arg1`."""
    if isinstance(call.get("function"), dict):
        arguments = call["function"].get("arguments") or ""
        return call["function"].get("name") or "", arguments if isinstance(arguments, str) else compact(arguments)
    custom = call["custom"]
    return custom.get("name") or "", compact({CUSTOM_ARGUMENT: custom.get("input") or ""})


def args_object(text: str) -> JsonObject | None:
    """The arguments, `{}` for none at all; `None` when the text is not one whole JSON object."""
    return json_object(text) if text.strip() else {}


def made_up_id(reply: str | None, position: int) -> str:
    """An id for a call that a server left without one: the same from a stream, within OpenAI's 40 characters."""
    return f"call_{(reply or '')[-24:]}_{position}"
