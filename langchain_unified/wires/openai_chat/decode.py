"""Reply of `POST /chat/completions` -> messages, one per choice.

The text is `content`, a `str`. What the API says beside it is in `additional_kwargs` under the API's own names:
`refusal`, `annotations`, `audio`, and every key that is not known here. Arguments that JSON would write in other bytes
are there, too: `raw_arguments`, by call id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from json import JSONDecoder
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.content import InvalidToolCall
from langchain_core.messages.tool import ToolCall, invalid_tool_call, tool_call

from langchain_unified.errors import ReplyError, describe, error_in
from langchain_unified.messages.json_text import arguments_object, compact_json, object_error
from langchain_unified.messages.server_reasoning import CALL_EXTRAS
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT, RAW_ARGUMENTS
from langchain_unified.request import JsonObject
from langchain_unified.usage import CHAT_FINISH, FinishReason, common_finish_reason, openai_usage
from langchain_unified.wires._shapes import FOREIGN, list_left_out, not_readable
from langchain_unified.wires.openai_chat.reasoning import REASONING_FIELDS, TEXT_FIELDS, read_reasoning
from langchain_unified.wires.openai_chat.shapes import REPLY

# Keys that are read by name or belong to the transport. All others are kept as they are.
REPLY_KEYS = frozenset({"choices", "usage", "model", "id", "object", "obfuscation"})
CHOICE_KEYS = frozenset({"index", "message", "delta", "finish_reason", "logprobs", "usage"})
MESSAGE_KEYS = frozenset(
    {"role", "content", "tool_calls", "function_call", "name", "reasoning", "reasoning_content", "reasoning_details"}
)
CALL_KEYS = frozenset({"id", "type", "index", "function", "custom", "name", "arguments", "input", "parameters"})


def decode(reply: JsonObject) -> list[AIMessage]:
    """One message per choice, in the order of the reply.

    Only the first has the usage, which is that of the whole reply.
    Raises `ReplyError` for what is not a chat completion.
    """
    given = reply
    reply, left_out = (reply, []) if REPLY.fits(reply) else REPLY.readable(reply)
    choices = _choices(reply if left_out == [] or reply.get("choices") else given)
    without_usage = {key: value for key, value in reply.items() if key != "usage"}
    try:
        found = [_message(choice, reply if at == 0 else without_usage) for at, choice in enumerate(choices)]
    except FOREIGN as exc:
        raise not_readable("The reply", exc) from exc
    if left_out:
        list_left_out(found[0], left_out)
    return found


def _choices(reply: Any) -> list[JsonObject]:
    if not isinstance(reply, dict):
        raise ReplyError(f"The reply is not a chat completion but {_abbreviated(reply)}.")
    if error := error_in(reply):
        code, text = describe(error)
        raise ReplyError(f"The reply is an error instead of a chat completion: {text} (code {code}).")
    choices = reply.get("choices")
    if not isinstance(choices, list):
        raise ReplyError(f"The reply is not a chat completion: it has no list of choices. It is {_abbreviated(reply)}.")
    if not choices:
        raise ReplyError("The reply is a chat completion without choices: the server gave no answer.")
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise ReplyError(f"A choice of the reply has no message. It is {_abbreviated(choice)}.")
    return choices


def _abbreviated(value: Any) -> str:
    text = str(value)
    return f"{type(value).__name__} {text[:200]!r}" + ("…" if len(text) > 200 else "")


def _message(choice: JsonObject, reply: JsonObject) -> AIMessage:
    message = choice["message"]
    if "usage" in choice:
        reply = with_usage(reply, choice)
    calls = _calls(message, reply_id(reply))
    has_calls = bool(calls.valid or calls.invalid)
    common = common_finish(choice.get("finish_reason"), bool(message.get("refusal")), has_calls)
    thinks = isinstance(message.get("content"), list) or not message.keys().isdisjoint(REASONING_FIELDS)
    reasoning, named = read_reasoning(message) if thinks else ({}, {})
    return AIMessage(
        content=split_content(message.get("content"))[0],
        name=message["name"] if isinstance(message.get("name"), str) else None,
        additional_kwargs={**_additional_kwargs(message, calls), **reasoning},
        tool_calls=calls.valid,
        invalid_tool_calls=calls.invalid,
        usage_metadata=usage_of(reply),
        response_metadata={**metadata(reply, choice, common), **named},
    )


def split_content(raw: Any) -> tuple[str, list[Any]]:
    """The text of a content, and its parts that are no text: some servers send a list where the API has a string."""
    if not isinstance(raw, list):
        return (raw if isinstance(raw, str) else ""), []
    texts = [part for part in raw if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(part.get("text") or "" for part in texts), [part for part in raw if part not in texts]


def _additional_kwargs(message: JsonObject, calls: ParsedCalls) -> JsonObject:
    unread = {key: value for key, value in message.items() if key not in MESSAGE_KEYS and value not in (None, [], "")}
    others = {
        "content_parts": split_content(message.get("content"))[1],
        "other_tool_calls": [call for call in message.get("tool_calls") or [] if not known_call(call)],
        RAW_ARGUMENTS: calls.raw,
        CALL_EXTRAS: calls.extras,
        # Reasoning that is no text is kept as it is.
        **{key: message.get(key) for key in TEXT_FIELDS if not isinstance(message.get(key), str)},
    }
    return {**unread, **{key: value for key, value in others.items() if value}}


# --- shared with the stream -------------------------------------------------------------------------------------------


def reply_id(reply: Mapping[str, Any]) -> str | None:
    """The reply's id; `None` where the server gives none."""
    found = reply.get("id")
    return found if isinstance(found, str) and found else None


def usage_of(reply: Mapping[str, Any]) -> UsageMetadata | None:
    """LangChain's token counts; `None` where the server gives none."""
    raw = reply.get("usage")
    return openai_usage(raw, reply.get("service_tier")) if isinstance(raw, dict) else None


def with_usage(reply: JsonObject, choice: JsonObject) -> JsonObject:
    """The reply with its usage, also where a server puts it into the choice (Moonshot) or under `x_groq` (Groq)."""
    if reply.get("usage"):
        return reply
    beside = reply.get("x_groq")
    usage = choice.get("usage") or (beside.get("usage") if isinstance(beside, dict) else None)
    return {**reply, "usage": usage} if isinstance(usage, dict) else reply


def common_finish(raw: str | None, refused: bool, called: bool) -> FinishReason | None:
    """The common finish reason. The API says `stop` for a refusal, and for a tool call that it was forced to make."""
    if raw == "stop" and (called or refused):
        return "tool_calls" if called else "refusal"
    return common_finish_reason(CHAT_FINISH, raw)


def metadata(reply: Mapping[str, Any], choice: Mapping[str, Any], common: FinishReason | None) -> JsonObject:
    """`response_metadata`: what the reply and the choice say beside the message, without empty values."""
    usage = reply.get("usage")
    found = {
        **_without(choice, CHOICE_KEYS),
        **_without(reply, REPLY_KEYS),
        "logprobs": choice.get("logprobs"),
        "model_provider": "openai",
        "model_name": reply.get("model"),
        "id": reply_id(reply),
        "finish_reason": common,
        "stop_reason": choice.get("finish_reason"),
        # langchain-openai's name. Under `usage`, Langfuse reads it instead of `usage_metadata`.
        "token_usage": usage,
    }
    return {key: value for key, value in found.items() if value is not None}


def _without(holder: Mapping[str, Any], known: Iterable[str]) -> JsonObject:
    return {key: value for key, value in holder.items() if key not in known}


# --- tool calls -------------------------------------------------------------------------------------------------------


class ParsedCalls(NamedTuple):
    """The calls of a message; `raw`: by id, the arguments that `tool_calls` does not keep byte for byte."""

    valid: list[ToolCall]
    invalid: list[InvalidToolCall]
    raw: dict[str, str]
    extras: dict[str, JsonObject]


def _calls(message: JsonObject, reply: str | None) -> ParsedCalls:
    parsed = ParsedCalls([], [], {}, {})
    for position, raw in enumerate(_raw_calls(message)):
        name, text = name_and_arguments(raw)
        call_id = raw.get("id") or made_up_id(reply, position)
        if extras := call_extras(raw):
            parsed.extras[call_id] = extras
        args = {CUSTOM_ARGUMENT: text} if raw.get("custom") else arguments_object(text)
        if args is None or not name:
            parsed.invalid.append(invalid_tool_call(name=name, args=text, id=call_id, error=object_error(text)))
            continue
        parsed.valid.append(tool_call(name=name, args=args, id=call_id))
        if not raw.get("custom") and not encodes_as(args, text):
            parsed.raw[call_id] = text
    return parsed


def _raw_calls(message: JsonObject) -> list[JsonObject]:
    found = [call for call in message.get("tool_calls") or [] if known_call(call)]
    legacy = message.get("function_call")
    return [*found, legacy_call(legacy)] if legacy else found


def call_extras(call: JsonObject) -> JsonObject:
    """What a server says beside a call."""
    if call.keys() <= CALL_KEYS:
        return {}
    return {key: value for key, value in call.items() if key not in CALL_KEYS and value is not None}


def known_call(call: Any) -> bool:
    """Whether an entry of `tool_calls` is a call of a type that is known here."""
    if not isinstance(call, dict):
        return False
    nested = any(isinstance(call.get(kind), dict) for kind in ("function", "custom"))
    return nested or (call.get("type") in (None, "function") and isinstance(call.get("name"), str))


def legacy_call(call: JsonObject) -> JsonObject:
    """The deprecated `function_call` as a tool call. It has no id: the result is matched by the function's name."""
    return {"id": call.get("name"), "function": call}


def name_and_arguments(call: JsonObject) -> tuple[str, str]:
    """The name and the arguments of a call, or of a fragment of one, as text; of a custom tool, its input.

    The API has both under `function`, and the arguments as a text. Other servers give an object, name the arguments
    `input` or `parameters`, or put them beside `function`.
    """
    inner = call.get("function") or call.get("custom") or {}
    found = next((place[key] for place in (inner, call) for key in ARGUMENT_KEYS if place.get(key)), "")
    return inner.get("name") or call.get("name") or "", found if isinstance(found, str) else compact_json(found)


ARGUMENT_KEYS = ("arguments", "input", "parameters")


def holds_more_than_one(text: str) -> bool:
    """Whether a text begins with a JSON object and has more behind it."""
    try:
        _, end = JSONDecoder(strict=False).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return False
    return bool(text.lstrip()[end:].strip())


def encodes_as(args: JsonObject, text: str) -> bool:
    """Whether the encoder writes the arguments as this text."""
    return not text.lstrip().startswith("{") or compact_json(args) == text


def made_up_id(reply: str | None, position: int) -> str:
    """An id for a call that a server left without one: the same from a stream, within OpenAI's 40 characters."""
    return f"call_{(reply or '')[-24:]}_{position}"
