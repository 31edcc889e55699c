"""Stop sequences that could not be sent: the answer is cut here instead.

The cut is where a model that got the stops would have ended: at the first place where one of them is complete. Of those
that are complete there, the longest is removed. So the cut does not depend on how the text is split into chunks. Each
block of text is searched by itself. What comes before the cut is unchanged; what comes after it, calls included, would
not have been generated and is left out. Usage and log probabilities are those of all that was generated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias, TypeGuard, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk

from langchain_unified.request import JsonObject

Content: TypeAlias = str | list[str | JsonObject]
"""The content of a message."""

TEXT_KEYS = frozenset({"type", "text", "index"})
"""The keys of a streamed text block that holds nothing but its text."""


def cut_text(text: str, stops: Sequence[str]) -> tuple[str, str | None]:
    """The text before the first stop, and that stop; the unchanged text and `None` where there is none."""
    ends = [(at + len(stop), -len(stop), stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not ends:
        return text, None
    end, length, stop = min(ends)
    return text[: end + length], stop


# --- invoked ----------------------------------------------------------------------------------------------------------


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


def _cut_content(content: Content, stops: Sequence[str]) -> tuple[Content, str | None]:
    if isinstance(content, str):
        return cut_text(content, stops)
    for position, block in enumerate(content):
        if not _is_text(block):
            continue
        text, found = cut_text(block.get("text") or "", stops)
        if found is not None:
            return [*content[:position], _shortened(block, text)], found
    return content, None


def _is_text(block: object) -> TypeGuard[JsonObject]:
    return isinstance(block, dict) and block.get("type") == "text"


def _shortened(block: JsonObject, text: str) -> JsonObject:
    """The block with less text, and without the annotations of what is cut off."""
    annotations = [note for note in block.get("annotations", ()) if (note.get("end_index") or 0) <= len(text)]
    rest = {key: value for key, value in block.items() if key != "annotations"}
    return {**rest, "text": text, **({"annotations": annotations} if annotations else {})}


# --- streams ----------------------------------------------------------------------------------------------------------


class TextCutter:
    """One text that comes in pieces. The possible beginning of a stop is held back until the next piece."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(stop for stop in stops if stop)
        self.held = ""
        self.found: str | None = None

    def feed(self, piece: str) -> str:
        """The text that can be shown now. Empty after the first stop."""
        if self.found is not None:
            return ""
        text, self.found = cut_text(self.held + piece, self.stops)
        shown = len(text) - (0 if self.found is not None else self._possible_start(text))
        self.held = text[shown:]
        return text[:shown]

    def flush(self) -> str:
        """What was held back, when no more text can come."""
        held, self.held = self.held, ""
        return held

    def _possible_start(self, text: str) -> int:
        """The length of the longest end of the text that is the beginning of a stop."""
        longest = min(len(text), max(map(len, self.stops), default=1) - 1)
        ends = (text[-length:] for length in range(longest, 0, -1))
        return next((len(end) for end in ends if any(stop.startswith(end) for stop in self.stops)), 0)


Index: TypeAlias = int | str | None
"""The index of a block; `None` for content that is a `str`."""


class StreamCutter:
    """Cuts the chunks of one stream. After the cut come only the metadata, and the rest of blocks that began before."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(stops)
        self.text = TextCutter(self.stops)
        self.index: Index = None
        """The block whose text is under way."""
        self.texts: set[Index] = set()
        """The blocks of text that have begun."""
        self.others: set[Index] = set()
        """The other blocks, and the calls, that have begun."""

    @property
    def found(self) -> str | None:
        """The stop at which the stream was cut."""
        return self.text.found

    def feed(self, chunk: AIMessageChunk) -> Iterator[AIMessageChunk]:
        """The chunks to show for one that came."""
        if isinstance(chunk.content, list):
            for block in chunk.content[:-1]:
                yield from self._one(_content_chunk(chunk, [block]))
            chunk = chunk if len(chunk.content) < 2 else chunk.model_copy(update={"content": chunk.content[-1:]})
        yield from self._one(chunk)

    def flush(self, like: AIMessageChunk) -> list[AIMessageChunk]:
        """What is held back, as a chunk of the message that `like` is a chunk of."""
        held = self.text.flush()
        if not held:
            return []
        block: JsonObject = {"type": "text", "text": held, "index": self.index}
        return [_content_chunk(like, held if self.index is None else [block])]

    def _one(self, chunk: AIMessageChunk) -> Iterator[AIMessageChunk]:
        """A chunk of at most one block."""
        block = cast("JsonObject", chunk.content[0]) if isinstance(chunk.content, list) and chunk.content else None
        text = bool(chunk.content) and (block is None or _is_text(block))
        index = None if block is None else block.get("index")
        if self.found is not None:
            yield from self._after(chunk, None if text else block)
        elif text:
            if index != self.index:
                yield from self.flush(chunk)
            yield from self._text(chunk, block, index)
        else:
            if block is not None or _ends_text(chunk):
                yield from self.flush(chunk)
            self._remember(block, chunk)
            yield chunk

    def _text(self, chunk: AIMessageChunk, block: JsonObject | None, index: Index) -> Iterator[AIMessageChunk]:
        self.index = index
        text = chunk.content if block is None else block.get("text") or ""
        shown = self.text.feed(str(text))
        if _ends_text(chunk):
            shown += self.text.flush()
        content: Content = shown
        if block is not None:
            new = index not in self.texts or not block.keys() <= TEXT_KEYS or not text
            content = [{**block, "text": shown} if "text" in block else block] if shown or new else []
            self.texts.add(index)
        calls = [] if self.found is not None else chunk.tool_call_chunks
        self._remember(None, chunk)
        yield from self._shown(chunk, content, calls)

    def _after(self, chunk: AIMessageChunk, block: JsonObject | None) -> Iterator[AIMessageChunk]:
        content: Content = "" if isinstance(chunk.content, str) else []
        if block is not None and block.get("index") in self.others:
            content = [block]
        yield from self._shown(chunk, content, [c for c in chunk.tool_call_chunks if c.get("index") in self.others])

    def _shown(self, chunk: AIMessageChunk, content: Content, calls: list[ToolCallChunk]) -> Iterator[AIMessageChunk]:
        """The chunk with other content and calls, unless nothing is left of it."""
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

    def _remember(self, block: JsonObject | None, chunk: AIMessageChunk) -> None:
        if block is not None:
            self.others.add(block.get("index"))
        if self.found is None:
            self.others.update(call.get("index") for call in chunk.tool_call_chunks)


def _ends_text(chunk: AIMessageChunk) -> bool:
    return bool(chunk.tool_call_chunks) or chunk.chunk_position == "last"


def _content_chunk(chunk: AIMessageChunk, content: Content) -> AIMessageChunk:
    """A chunk of the same message with this content and nothing else."""
    provider = {key: value for key, value in chunk.response_metadata.items() if key == "model_provider"}
    return AIMessageChunk(content=content, id=chunk.id, response_metadata=provider)
