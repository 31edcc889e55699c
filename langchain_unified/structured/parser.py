"""Answers of a given form: what is asked for, and how an answer is read.

An answer is read the same way whichever method asked for it: the call of the tool that stands for the form, else the
JSON of its text. It is checked here against everything that the form says, also what the provider does not enforce.

What else may come, in this order:
- the model refused: `RefusalError`;
- the model calls other tools, or the provider paused its turn: the `AIMessage` itself, for the caller to go on with;
- the answer was cut: `TruncatedOutputError` with the text; it does not fit the form: `StructuredOutputError`.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.utils.json import parse_partial_json
from pydantic import ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1
from typing_extensions import override

from langchain_unified.errors import RefusalError, StructuredOutputError, TruncatedOutputError, UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.schemas.subset import DEFINITIONS, is_object, rooted
from langchain_unified.schemas.wellformed import check_schema
from langchain_unified.structured.partial import MISSING
from langchain_unified.structured.types import Form, form_of
from langchain_unified.tools.output_format import format_name

WRAP = "value"
"""The key of an answer that is no object by itself: the providers take only objects."""

CUT = ("length", "context_window")


class Target:
    """What is asked for. `schema` is an object's, with everything the form says; `name` is fit for a tool."""

    def __init__(self, asked: Any) -> None:
        """`asked` as `with_structured_output` takes it; `None` for any JSON object."""
        self.asked = asked
        self.form = ANY_OBJECT if asked is None else form_of(asked)
        check_schema(self.form.schema, repr(self.form.name))
        self.name = format_name(self.form.name)
        whole = rooted(self.form.schema)
        self.wrapped = not is_object(whole)
        self.schema: JsonObject = _wrapped(whole, self.name) if self.wrapped else whole

    def __reduce__(self) -> tuple[Any, ...]:
        return (Target, (self.asked,))

    def load(self, value: Any) -> Any:
        """A whole answer as what was asked for. Raises `ValueError`."""
        if not isinstance(value, dict):
            raise ValueError(f"a JSON object was asked for, not {type(value).__name__}")  # noqa: TRY004 - one kind
        if not self.wrapped:
            return self.form.load(value)
        if WRAP not in value:
            raise ValueError(f"the answer has no {WRAP!r}")
        return self.form.load(value[WRAP])

    def grow(self, value: Any) -> Any:
        """An incomplete answer as what was asked for, as far as it can be; else `MISSING`."""
        if not isinstance(value, dict) or not value:
            return MISSING
        if not self.wrapped:
            return self.form.grow(value)
        return self.form.grow(value[WRAP]) if WRAP in value else MISSING


ANY_OBJECT = Form("response", {"type": "object"}, lambda value: value, lambda value: value)


def _wrapped(schema: Mapping[str, Any], name: str) -> JsonObject:
    definitions = {key: schema[key] for key in DEFINITIONS if key in schema}
    inner = {key: value for key, value in schema.items() if key not in DEFINITIONS}
    return {"title": name, "type": "object", "properties": {WRAP: inner}, "required": [WRAP], **definitions}


# --- reading ----------------------------------------------------------------------------------------------------------


def read(message: AIMessage, target: Target) -> Any:
    """The answer as what was asked for, or the message itself where the model wants something first. Else raises."""
    refusal = refusal_in(message)
    if refusal is not None:
        raise _told(RefusalError(refusal, raw_message=message), message)
    arguments = _arguments(message, target.name)
    if arguments is None and (message.tool_calls or message.response_metadata.get("finish_reason") == "pause"):
        return message_chunk_to_message(message)
    text = str(message.text) if arguments is None else arguments
    try:
        return target.load(_parsed(message) if arguments is None else _whole(arguments, message, target))
    except Exception as exc:  # the validators of a class may raise anything
        raise _told(_error(exc, text, message, target), message) from exc


def refusal_in(message: AIMessage) -> str | None:
    """Why the model declined to answer, as far as it said; `None` where it did not decline."""
    metadata = message.response_metadata
    blocks = message.content if isinstance(message.content, list) else []
    said = [str(block.get("refusal") or "") for block in blocks if isinstance(block, dict) and _is_refusal(block)]
    words = str(message.additional_kwargs.get("refusal") or "") or " ".join(filter(None, said))
    reason = metadata.get("finish_reason")
    if not (said or words or reason in ("refusal", "content_filter")):
        return None
    details = metadata.get("stop_details") or {}
    category = f" (category {details['category']!r})" if details.get("category") else ""
    words = words or details.get("explanation") or ("a content filter stopped it" if reason == "content_filter" else "")
    return f"The model refused to answer{category}" + (f": {words}" if words else ".")


def _is_refusal(block: JsonObject) -> bool:
    return block.get("type") == "refusal"


def _arguments(message: AIMessage, name: str) -> str | None:
    """The arguments of the call that answers, as the model wrote them; `None` where it made no such call."""
    calls: list[Any] = [*getattr(message, "tool_call_chunks", ())] or [*message.tool_calls, *message.invalid_tool_calls]
    found = next((call["args"] or {} for call in calls if call.get("name") == name), None)
    return json.dumps(found, ensure_ascii=False) if isinstance(found, dict) else found


_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n\s*```", re.DOTALL)


def _whole(arguments: str, message: AIMessage, target: Target) -> Any:
    """The arguments of the call that answers. Cut ones may look whole, for Claude's are shown as an object."""
    broken = any(call.get("name") == target.name for call in message.invalid_tool_calls)
    if broken and message.response_metadata.get("finish_reason") in CUT:
        raise ValueError("it was cut")
    return _json(arguments)


def _places_of_json(message: AIMessage) -> Iterator[str]:
    """Where an answer may stand: in the whole text, the one fenced block of it, or the last block, after a comment."""
    text = str(message.text)
    yield text
    fenced = _FENCED.findall(text)
    if len(fenced) == 1:
        yield fenced[0]
    blocks = message.content if isinstance(message.content, list) else []
    yield from [block["text"] for block in blocks if isinstance(block, dict) and block.get("type") == "text"][-1:]


def _parsed(message: AIMessage) -> Any:
    """The JSON of the first text in a message that is any. Raises the `ValueError` of the first one."""
    first = None
    for text in _places_of_json(message):
        try:
            return _json(text)
        except ValueError as exc:
            first = first or exc
    raise first or ValueError("there is no text")


def _json(text: str) -> Any:
    """The value of a JSON text. Models break lines inside of strings, and say an answer several times."""
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
    raise ValueError(f"{name} is no JSON")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant, strict=False)


def _error(exc: Exception, text: str, message: AIMessage, target: Target) -> StructuredOutputError:
    reason = message.response_metadata.get("finish_reason")
    if reason in CUT:
        where = "the end of the context window" if reason == "context_window" else "`max_tokens`"
        words = f"The answer for {target.name!r} was cut at {where}; `partial_text` is what had come."
        return TruncatedOutputError(words, llm_output=text, raw_message=message)
    if isinstance(exc, json.JSONDecodeError):
        words = f"The answer for {target.name!r} is not JSON: {text[:200]!r}" if text else _nothing(target)
    else:
        words = f"The answer does not fit {target.name!r}: {_places(exc)}"
    return StructuredOutputError(words, llm_output=text, raw_message=message)


def _places(exc: Exception) -> str:
    """What is wrong where; pydantic's errors in one line."""
    if not isinstance(exc, ValidationError | ValidationErrorV1):
        return str(exc) if isinstance(exc, ValueError) else f"{type(exc).__name__}: {exc}"
    found = [(".".join(map(str, each["loc"])), each["msg"]) for each in exc.errors()]
    return "; ".join(f"{place}: {words}" if place else words for place, words in found)


def _nothing(target: Target) -> str:
    return f"The model answered with no text and no call of {target.name!r}."


def _told(error: UnifiedError, message: AIMessage) -> UnifiedError:
    error.provider = message.response_metadata.get("model_provider")
    error.model = message.response_metadata.get("model_name")
    error.request_id = message.response_metadata.get("request_id")
    return error


# --- the runnable -----------------------------------------------------------------------------------------------------


class _Progress:
    """An answer that is still coming: the JSON so far, of the text or of the call that answers."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.chunks: list[BaseMessage] = []
        self.text = ""
        self.calls: dict[Any, str | None] = {}
        self.last: Any = MISSING

    def feed(self, chunk: BaseMessage) -> Any:
        """What the answer is so far; `MISSING` while there is nothing new to say."""
        self.chunks.append(chunk)
        before = self.text
        for call in getattr(chunk, "tool_call_chunks", ()):
            name = self.calls.setdefault(call.get("index"), call.get("name"))
            if name == self.target.name:
                self.text += call.get("args") or ""
        if not self.calls:
            self.text += str(chunk.text)
        if self.text == before or not self.text.lstrip().startswith(("{", "```")):
            return MISSING
        return self._new(self._grown())

    def _grown(self) -> Any:
        text = self.text.lstrip()
        start = text.find("{")
        try:
            return self.target.grow(parse_partial_json(text[start:].rstrip("`\n ")) if start >= 0 else None)
        except Exception:  # noqa: BLE001 - what is wrong with it is told when it is whole
            return MISSING

    def _new(self, found: Any) -> Any:
        if found is MISSING or found == self.last:
            return MISSING
        self.last = found
        return found

    @property
    def message(self) -> AIMessage:
        """All that has come, as one message."""
        chunks = [chunk for chunk in self.chunks if isinstance(chunk, AIMessageChunk)]
        if not chunks:
            return next(chunk for chunk in self.chunks if isinstance(chunk, AIMessage))
        return add_ai_message_chunks(chunks[0], *chunks[1:])


class Pieces(dict[str, Any]):
    """A piece of a stream with `include_raw`. In a sum, messages are added, and what else is later takes its place."""

    def __add__(self, other: Mapping[str, Any]) -> Pieces:
        both = {"raw": self["raw"] + other["raw"]} if "raw" in self and "raw" in other else {}
        return Pieces({**self, **other, **both})


Piece: TypeAlias = "str | BaseMessage"


class StructuredParser(BaseTransformOutputParser[Any]):
    """The last step of `with_structured_output`: a message -> what was asked for.

    With `include_raw` it gives `{"raw", "parsed", "parsing_error"}` and raises nothing; `parsed` is `None` where the
    model refused, failed, or calls other tools first.
    """

    target: Any
    include_raw: bool = False

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        generation = result[0]
        message = generation.message if isinstance(generation, ChatGeneration) else AIMessage(generation.text)
        if not isinstance(message, AIMessage):
            message = AIMessage(message.content)
        if not self.include_raw:
            return read(message, self.target)
        return {"raw": message, **self._outcome(message)}

    @override
    def parse(self, text: str) -> Any:
        return self.parse_result([Generation(text=text)])

    def _outcome(self, message: AIMessage) -> JsonObject:
        try:
            found = read(message, self.target)
        except (RefusalError, StructuredOutputError) as error:
            return {"parsed": None, "parsing_error": error}
        return {"parsed": None if isinstance(found, AIMessage) else found, "parsing_error": None}

    @override
    def _transform(self, input: Iterator[Piece]) -> Iterator[Any]:
        progress = _Progress(self.target)
        for piece in input:
            yield from self._fed(progress, piece)
        yield from self._finished(progress)

    @override
    async def _atransform(self, input: AsyncIterator[Piece]) -> AsyncIterator[Any]:
        progress = _Progress(self.target)
        async for piece in input:
            for found in self._fed(progress, piece):
                yield found
        for found in self._finished(progress):
            yield found

    def _fed(self, progress: _Progress, piece: Piece) -> Iterator[Any]:
        chunk = piece if isinstance(piece, BaseMessage) else AIMessageChunk(content=piece)
        if self.include_raw:
            yield Pieces(raw=chunk)
        found = progress.feed(chunk)
        if found is not MISSING:
            yield Pieces(parsed=found) if self.include_raw else found

    def _finished(self, progress: _Progress) -> Iterator[Any]:
        """The checked answer, where it is not what was given last."""
        if not progress.chunks:
            return
        if self.include_raw:
            yield Pieces(self._outcome(progress.message))
            return
        found = read(progress.message, self.target)
        if progress.last is MISSING or type(found) is not type(progress.last) or found != progress.last:
            yield found

    @property
    @override
    def OutputType(self) -> Any:
        """The class that was asked for, else `Any`."""
        asked = self.target.asked
        return asked if isinstance(asked, type) and not self.include_raw else Any

    @property
    def _type(self) -> str:
        return "structured_output"
