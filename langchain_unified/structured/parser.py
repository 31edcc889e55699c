"""The parser of structured answers, the last step of `with_structured_output`. It parses streams, too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from typing_extensions import override

from langchain_unified.errors import RefusalError, StructuredOutputError
from langchain_unified.request import JsonObject
from langchain_unified.structured.answer import Target, parse_answer
from langchain_unified.structured.partial import Memo
from langchain_unified.structured.partial_json import MISSING, PartialJson


class _StreamedAnswer:
    """An answer that is still received: the JSON of its text, or of the call that answers."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.chunks: list[BaseMessage] = []
        self.call_names: dict[Any, str | None] = {}
        """By the index of a tool call."""
        self.memo = Memo()
        self.text = PartialJson(self.memo.open_ids)
        self.arguments = PartialJson(self.memo.open_ids)
        self.last: Any = MISSING

    def feed(self, chunk: BaseMessage) -> Any:
        """The answer so far; `MISSING` where `chunk` does not change it."""
        self.chunks.append(chunk)
        value = self._value_after(chunk)
        if value is MISSING:
            return MISSING
        try:
            found = self.target.load_partial(value, self.memo)
        except Exception:  # noqa: BLE001 - the validators of a class may raise anything; the complete answer raises it
            return MISSING
        if found is MISSING or not _changed(self.last, found):
            return MISSING
        self.last = found
        return found

    def _value_after(self, chunk: BaseMessage) -> Any:
        arguments = ""
        for call in getattr(chunk, "tool_call_chunks", ()):
            name = self.call_names.setdefault(call.get("index"), call.get("name"))
            if name == self.target.name:
                arguments += call.get("args") or ""
        if self.call_names:
            return self.arguments.feed(arguments) if arguments else MISSING
        return self.text.feed(str(chunk.text))

    @property
    def message(self) -> AIMessage:
        """All chunks as one message."""
        chunks = [chunk for chunk in self.chunks if isinstance(chunk, AIMessageChunk)]
        if not chunks:
            return next(chunk for chunk in self.chunks if isinstance(chunk, AIMessage))
        return add_ai_message_chunks(chunks[0], *chunks[1:])


def _changed(before: Any, after: Any) -> bool:
    """`before != after`. Streamed values differ at their end, so that is compared first: it is much faster."""
    return bool(_last_leaf(before) != _last_leaf(after) or before != after)


def _last_leaf(value: Any) -> Any:
    while inner := value if isinstance(value, list | dict) else getattr(value, "__dict__", None):
        value = inner[-1] if isinstance(inner, list) else next(reversed(inner.values()))
    return value


class RawChunk(dict[str, Any]):
    """A chunk of a stream with `include_raw`. In a sum messages are added; of any other key the later value counts."""

    def __add__(self, other: Mapping[str, Any]) -> RawChunk:
        both = {"raw": self["raw"] + other["raw"]} if "raw" in self and "raw" in other else {}
        return RawChunk({**self, **other, **both})


ParserInput: TypeAlias = "str | BaseMessage"


class StructuredParser(BaseTransformOutputParser[Any]):
    """A message -> the requested type.

    With `include_raw` it returns `{"raw", "parsed", "parsing_error"}` and raises nothing; `parsed` is `None` where the
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
            return parse_answer(message, self.target)
        return {"raw": message, **self._outcome(message)}

    @override
    def parse(self, text: str) -> Any:
        return self.parse_result([Generation(text=text)])

    def _outcome(self, message: AIMessage) -> JsonObject:
        try:
            found = parse_answer(message, self.target)
        except (RefusalError, StructuredOutputError) as error:
            return {"parsed": None, "parsing_error": error}
        return {"parsed": None if isinstance(found, AIMessage) else found, "parsing_error": None}

    @override
    def _transform(self, input: Iterator[ParserInput]) -> Iterator[Any]:
        answer = _StreamedAnswer(self.target)
        for piece in input:
            yield from self._after(answer, piece)
        yield from self._at_end(answer)

    @override
    async def _atransform(self, input: AsyncIterator[ParserInput]) -> AsyncIterator[Any]:
        answer = _StreamedAnswer(self.target)
        async for piece in input:
            for found in self._after(answer, piece):
                yield found
        for found in self._at_end(answer):
            yield found

    def _after(self, answer: _StreamedAnswer, piece: ParserInput) -> Iterator[Any]:
        chunk = piece if isinstance(piece, BaseMessage) else AIMessageChunk(content=piece)
        if self.include_raw:
            yield RawChunk(raw=chunk)
        found = answer.feed(chunk)
        if found is not MISSING:
            yield RawChunk(parsed=found) if self.include_raw else found

    def _at_end(self, answer: _StreamedAnswer) -> Iterator[Any]:
        """The validated answer, unless it was the last one yielded."""
        if not answer.chunks:
            return
        if self.include_raw:
            yield RawChunk(self._outcome(answer.message))
            return
        found = parse_answer(answer.message, self.target)
        if answer.last is MISSING or type(found) is not type(answer.last) or found != answer.last:
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
