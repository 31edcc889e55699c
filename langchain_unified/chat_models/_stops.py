"""Stop sequences that could not be sent: the answer is cut here instead.

The cut falls where a model that knew the stops would have ended: at the first place where one of them is complete, and
of those that are complete there, the longest goes. So it does not depend on how the text is cut into chunks. Each block
of text is searched by itself. What came before the cut stays whole; what comes after it, calls included, would not have
been generated and is left out. Usage and log probabilities tell of all that was generated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.request import Block, JsonObject

BARE = frozenset({"type", "text", "index"})
"""The keys of a streamed text block that says nothing but its text."""


def cut_text(text: str, stops: Sequence[str]) -> tuple[str, str | None]:
    """The text before the first stop, and that stop; the whole text and `None` where there is none."""
    ends = [(at + len(stop), -len(stop), stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not ends:
        return text, None
    end, length, stop = min(ends)
    return text[: end + length], stop


# --- whole replies ----------------------------------------------------------------------------------------------------


def cut_message(message: AIMessage, stops: Sequence[str]) -> AIMessage:
    """The message as far as the first stop; the same object where there is none."""
    content, found = _cut_content(message.content, stops)
    if found is None:
        return message
    ids = {block.get("call_id") or block.get("id") for block in content if isinstance(block, dict)}
    return message.model_copy(
        update={
            "content": content,
            "tool_calls": [call for call in message.tool_calls if call["id"] in ids],
            "invalid_tool_calls": [call for call in message.invalid_tool_calls if call["id"] in ids],
            "response_metadata": _ended(message.response_metadata, found),
        }
    )


def _ended(metadata: JsonObject, stop: str) -> JsonObject:
    return {**metadata, "finish_reason": "stop", "stop_sequence": stop}


def _cut_content(content: str | list[Any], stops: Sequence[str]) -> tuple[Any, str | None]:
    if isinstance(content, str):
        return cut_text(content, stops)
    for position, block in enumerate(content):
        text, found = cut_text(block.get("text") or "", stops) if _is_text(block) else ("", None)
        if found is not None:
            return [*content[:position], _shortened(block, text)], found
    return content, None


def _is_text(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "text"


def _shortened(block: Block, text: str) -> Block:
    """The block with less text, and without the notes on what is gone."""
    kept = [note for note in block.get("annotations", ()) if (note.get("end_index") or 0) <= len(text)]
    rest = {key: value for key, value in block.items() if key != "annotations"}
    return {**rest, "text": text, **({"annotations": kept} if kept else {})}


# --- streams ----------------------------------------------------------------------------------------------------------


class TextCutter:
    """One text that comes in pieces. What may be the beginning of a stop is held back until that is known."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(stop for stop in stops if stop)
        self.held = ""
        self.found: str | None = None

    def feed(self, piece: str) -> str:
        """What may be shown now. After the first stop: nothing."""
        if self.found is not None:
            return ""
        text, self.found = cut_text(self.held + piece, self.stops)
        unsure = 0 if self.found is not None else self._unsure(text)
        shown = len(text) - unsure
        self.held = text[shown:]
        return text[:shown]

    def flush(self) -> str:
        """What was held back, when the text goes on with no stop."""
        held, self.held = self.held, ""
        return held

    def _unsure(self, text: str) -> int:
        """The length of the longest end of the text with which a stop begins."""
        longest = min(len(text), max(map(len, self.stops), default=1) - 1)
        ends = (text[-length:] for length in range(longest, 0, -1))
        return next((len(end) for end in ends if any(stop.startswith(end) for stop in self.stops)), 0)


Key: TypeAlias = Any
"""The index of a block; `None` for content that is a `str`."""


class StreamCutter:
    """The chunks of one stream. After the cut only the metadata, and what had begun before it, still come through."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(stops)
        self.text = TextCutter(self.stops)
        self.key: Key = None
        """The block whose text is under way."""
        self.texts: set[Key] = set()
        self.others: set[Key] = set()
        """Blocks that are no text, and calls, that have begun."""

    @property
    def found(self) -> str | None:
        """The stop at which the stream was cut."""
        return self.text.found

    def feed(self, chunk: AIMessageChunk) -> Iterator[AIMessageChunk]:
        """The chunks to be shown for one that came."""
        if isinstance(chunk.content, list):
            for block in chunk.content[:-1]:
                yield from self._one(_bare(chunk, [block]))
            chunk = chunk if len(chunk.content) < 2 else chunk.model_copy(update={"content": chunk.content[-1:]})
        yield from self._one(chunk)

    def flush(self, like: AIMessageChunk) -> list[AIMessageChunk]:
        """What is held back, as a chunk of the same message as `like`."""
        held = self.text.flush()
        if not held:
            return []
        return [_bare(like, held if self.key is None else [{"type": "text", "text": held, "index": self.key}])]

    def _one(self, chunk: AIMessageChunk) -> Iterator[AIMessageChunk]:
        """A chunk of at most one block."""
        block = chunk.content[0] if isinstance(chunk.content, list) and chunk.content else None
        text = bool(chunk.content) and (block is None or _is_text(block))
        key = block.get("index") if isinstance(block, dict) else None
        if self.found is not None:
            yield from self._after(chunk, None if text else block)
        elif text:
            if key != self.key:
                yield from self.flush(chunk)
            yield from self._text(chunk, block, key)
        else:
            if block is not None or _ends_text(chunk):
                yield from self.flush(chunk)
            self._remember(block, chunk)
            yield chunk

    def _text(self, chunk: AIMessageChunk, block: Any, key: Key) -> Iterator[AIMessageChunk]:
        self.key = key
        said = chunk.content if block is None else block.get("text") or ""
        shown = self.text.feed(str(said))
        if _ends_text(chunk):
            shown += self.text.flush()
        content: Any = shown
        if block is not None:
            new = key not in self.texts or not block.keys() <= BARE or not said
            content = [{**block, "text": shown} if "text" in block else block] if shown or new else []
            self.texts.add(key)
        calls = [] if self.found is not None else chunk.tool_call_chunks
        self._remember(None, chunk)
        yield from self._shown(chunk, content, calls)

    def _after(self, chunk: AIMessageChunk, block: Any) -> Iterator[AIMessageChunk]:
        goes_on = block is not None and block.get("index") in self.others
        content: Any = [block] if goes_on else "" if isinstance(chunk.content, str) else []
        yield from self._shown(chunk, content, [c for c in chunk.tool_call_chunks if c.get("index") in self.others])

    def _shown(self, chunk: AIMessageChunk, content: Any, calls: list[Any]) -> Iterator[AIMessageChunk]:
        """The chunk with other content and calls, unless it then says nothing at all."""
        last = chunk.chunk_position == "last"
        metadata = _ended(chunk.response_metadata, self.found) if last and self.found else chunk.response_metadata
        if not (content or calls or last or chunk.additional_kwargs or chunk.usage_metadata):
            return
        yield AIMessageChunk(
            content=content,
            additional_kwargs=chunk.additional_kwargs,
            response_metadata=metadata,
            id=chunk.id,
            tool_call_chunks=calls,
            usage_metadata=chunk.usage_metadata,
            chunk_position=chunk.chunk_position,
        )

    def _remember(self, block: Any, chunk: AIMessageChunk) -> None:
        if block is not None:
            self.others.add(block.get("index"))
        if self.found is None:
            self.others.update(call.get("index") for call in chunk.tool_call_chunks)


def _ends_text(chunk: AIMessageChunk) -> bool:
    return bool(chunk.tool_call_chunks) or chunk.chunk_position == "last"


def _bare(chunk: AIMessageChunk, content: Any) -> AIMessageChunk:
    """A chunk of the same message that holds nothing but content."""
    provider = {key: value for key, value in chunk.response_metadata.items() if key == "model_provider"}
    return AIMessageChunk(content=content, id=chunk.id, response_metadata=provider)
