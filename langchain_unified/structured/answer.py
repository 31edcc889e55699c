"""A complete answer -> the requested type.

An answer is parsed the same whichever method asked for it: from the arguments of the tool call that stands for the
schema, else from the JSON in the text. It is validated here against the whole schema, also against what the provider
does not enforce. An answer that is no such value is, in this order:

- a refusal of the model: `RefusalError`;
- calls of other tools, or a turn that the provider paused: the `AIMessage` itself, for the caller to continue with;
- cut: `TruncatedOutputError` with the text; invalid: `StructuredOutputError`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage, message_chunk_to_message
from pydantic import ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

from langchain_unified.errors import RefusalError, StructuredOutputError, TruncatedOutputError, UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.schemas.subset import DEFINITIONS, is_object, without_root_reference
from langchain_unified.schemas.wellformed import check_schema
from langchain_unified.structured.partial import Memo
from langchain_unified.structured.partial_json import MISSING
from langchain_unified.structured.types import Form, form_of, unchanged
from langchain_unified.tools.output_format import format_name

WRAPPER_KEY = "value"
"""The key of an answer that is not an object: the providers take only schemas of objects."""

CUT = ("length", "context_window")
"""The finish reasons of an answer that was cut."""


class Target:
    """What an answer is parsed into. `schema` is always an object's; `name` is valid as the name of a tool."""

    def __init__(self, asked: Any) -> None:
        """`asked` as `with_structured_output` takes it; `None` for any JSON object."""
        self.asked = asked
        self.form = ANY_OBJECT if asked is None else form_of(asked)
        check_schema(self.form.schema, repr(self.form.name))
        self.name = format_name(self.form.name)
        schema = without_root_reference(self.form.schema)
        self.wrapped = not is_object(schema)
        self.schema: JsonObject = _wrapped(schema, self.name) if self.wrapped else schema

    def __reduce__(self) -> tuple[Any, ...]:
        return (Target, (self.asked,))

    def load(self, value: Any) -> Any:
        """A complete answer as the requested type. Raises `ValueError`."""
        if not isinstance(value, dict):
            raise ValueError(f"a JSON object was asked for, not {type(value).__name__}")  # noqa: TRY004 - one kind
        if not self.wrapped:
            return self.form.load(value)
        if WRAPPER_KEY not in value:
            raise ValueError(f"the answer has no {WRAPPER_KEY!r}")
        return self.form.load(value[WRAPPER_KEY])

    def load_partial(self, value: Any, memo: Memo | None = None) -> Any:
        """An incomplete answer as the requested type, as far as possible; else `MISSING`. One `memo` per stream."""
        if not isinstance(value, dict) or not value:
            return MISSING
        if not self.wrapped:
            return self.form.load_partial(value, memo)
        return self.form.load_partial(value[WRAPPER_KEY], memo) if WRAPPER_KEY in value else MISSING


ANY_OBJECT = Form("response", {"type": "object"}, unchanged, unchanged)


def _wrapped(schema: Mapping[str, Any], name: str) -> JsonObject:
    definitions = {key: schema[key] for key in DEFINITIONS if key in schema}
    inner = {key: value for key, value in schema.items() if key not in DEFINITIONS}
    return {
        "title": name,
        "type": "object",
        "properties": {WRAPPER_KEY: inner},
        "required": [WRAPPER_KEY],
        **definitions,
    }


# --- a complete answer ------------------------------------------------------------------------------------------------


def parse_answer(message: AIMessage, target: Target) -> Any:
    """The answer as the requested type, or the message itself where the model wants something else first.

    Raises `RefusalError`, `TruncatedOutputError` or `StructuredOutputError`.
    """
    refusal = refusal_in(message)
    if refusal is not None:
        raise _with_call_details(RefusalError(refusal, raw_message=message), message)
    arguments = _arguments(message, target.name)
    if arguments is None and (message.tool_calls or message.response_metadata.get("finish_reason") == "pause"):
        return message_chunk_to_message(message)
    text = str(message.text) if arguments is None else arguments
    try:
        value = _json_in_text(message) if arguments is None else _json_of_call(arguments, message, target)
        return target.load(value)
    except Exception as exc:  # the validators of a class may raise anything
        raise _with_call_details(_answer_error(exc, text, message, target), message) from exc


def refusal_in(message: AIMessage) -> str | None:
    """Why the model refused to answer; `None` where it did not refuse."""
    metadata = message.response_metadata
    blocks = message.content if isinstance(message.content, list) else []
    refusals = [
        str(block.get("refusal") or "")
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "refusal"
    ]
    why = str(message.additional_kwargs.get("refusal") or "") or " ".join(filter(None, refusals))
    # Answers of the partner packages, from a cache or a test, have the provider's reason alone.
    found = metadata.get("finish_reason"), metadata.get("stop_reason"), _incomplete_reason(metadata)
    reason = next((each for each in found if each in ("refusal", "content_filter")), None)
    if not (refusals or why or reason):
        return None
    details = metadata.get("stop_details") or {}
    category = f" (category {details['category']!r})" if details.get("category") else ""
    why = why or details.get("explanation") or ("a content filter stopped it" if reason == "content_filter" else "")
    return f"The model refused to answer{category}" + (f": {why}" if why else ".")


def _incomplete_reason(metadata: Mapping[str, Any]) -> Any:
    details = metadata.get("incomplete_details")
    return details.get("reason") if isinstance(details, dict) else None


def _arguments(message: AIMessage, name: str) -> str | None:
    """The arguments of the call that answers, as the model wrote them; `None` without such a call."""
    calls: list[Any] = [*getattr(message, "tool_call_chunks", ())] or [*message.tool_calls, *message.invalid_tool_calls]
    found = next((call["args"] or {} for call in calls if call.get("name") == name), None)
    return json.dumps(found, ensure_ascii=False) if isinstance(found, dict) else found


def _json_of_call(arguments: str, message: AIMessage, target: Target) -> Any:
    """The arguments of the call that answers. Claude's look complete when they were cut: they are an object."""
    broken = any(call.get("name") == target.name for call in message.invalid_tool_calls)
    if broken and message.response_metadata.get("finish_reason") in CUT:
        raise ValueError("it was cut")
    return _parse_json(arguments)


def _json_in_text(message: AIMessage) -> Any:
    """The JSON in the text of a message. Raises the `ValueError` of the whole text where there is none."""
    first = None
    for text in _json_candidates(message):
        try:
            return _parse_json(text)
        except ValueError as exc:
            first = first or exc
    raise first or ValueError("there is no text")


_CODE_BLOCK = re.compile(r"```(?:json)?\s*\n(.*?)\n\s*```", re.DOTALL)


def _json_candidates(message: AIMessage) -> Iterator[str]:
    """Where JSON may stand: the whole text, its only Markdown code block, the last block, or after some words."""
    text = str(message.text)
    yield text
    code_blocks = _CODE_BLOCK.findall(text)
    if len(code_blocks) == 1:
        yield code_blocks[0]
    blocks = message.content if isinstance(message.content, list) else []
    yield from [block["text"] for block in blocks if isinstance(block, dict) and block.get("type") == "text"][-1:]
    # Models that are held to no format think or explain before the answer, some in the text itself.
    after_thought = text.rpartition("</think>")[2]
    start, end = after_thought.find("{"), after_thought.rfind("}")
    if 0 <= start < end and (start, end + 1) != (0, len(text)):
        yield after_thought[start : end + 1]


def _parse_json(text: str) -> Any:
    """The value of a JSON text. Models break lines inside strings, and write an answer several times."""
    rest = text.strip()
    values: list[Any] = []
    while rest or not values:
        value, end = DECODER.raw_decode(rest)
        values.append(value)
        rest = rest[end:].lstrip()
    if any(value != values[0] for value in values):
        raise ValueError(f"it is {len(values)} different values")
    return values[0]


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant, strict=False)


# --- errors -----------------------------------------------------------------------------------------------------------


def _answer_error(exc: Exception, text: str, message: AIMessage, target: Target) -> StructuredOutputError:
    reason = message.response_metadata.get("finish_reason")
    if reason in CUT:
        where = "the end of the context window" if reason == "context_window" else "`max_tokens`"
        why = f"The answer for {target.name!r} was cut at {where}; `partial_text` is what was received."
        return TruncatedOutputError(why, llm_output=text, raw_message=message)
    if not isinstance(exc, json.JSONDecodeError):
        why = f"The answer does not fit {target.name!r}: {_validation_errors(exc)}"
    elif text:
        why = f"The answer for {target.name!r} is not JSON: {text[:200]!r}"
    else:
        why = f"The model answered with no text and no call of {target.name!r}."
    return StructuredOutputError(why, llm_output=text, raw_message=message)


def _validation_errors(exc: Exception) -> str:
    """What is wrong, and where; pydantic's errors in one line."""
    if not isinstance(exc, ValidationError | ValidationErrorV1):
        return str(exc) if isinstance(exc, ValueError) else f"{type(exc).__name__}: {exc}"
    found = [(".".join(map(str, error["loc"])), error["msg"]) for error in exc.errors()]
    return "; ".join(f"{place}: {why}" if place else why for place, why in found)


def _with_call_details(error: UnifiedError, message: AIMessage) -> UnifiedError:
    error.provider = message.response_metadata.get("model_provider")
    error.model = message.response_metadata.get("model_name")
    error.request_id = message.response_metadata.get("request_id")
    return error
