"""The events of a stream -> LangChain's message chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.messages.chunks import message_chunk
from langchain_unified.messages.json_text import json_object
from langchain_unified.request import JsonObject
from langchain_unified.wires._body import non_null
from langchain_unified.wires._shapes import FOREIGN, not_readable
from langchain_unified.wires._wire import DepthGuard, break_json_tail, incomplete_stream
from langchain_unified.wires.anthropic_messages.decode import (
    CUT_SHORT,
    PROVIDER,
    input_text,
    metadata,
    usage_metadata,
    with_call_id,
)
from langchain_unified.wires.anthropic_messages.shapes import EVENT

Chunks: TypeAlias = list[AIMessageChunk]
Content: TypeAlias = "str | list[str | JsonObject]"


class MessageStream:
    """The decoder of one stream.

    With `plain`, text streams as `str` until the first block that is not a text without citations. From there on, and
    without `plain` from the start, content streams as blocks with an index. Core's `content_blocks` overlooks `str`
    text beside blocks, so `plain` is for answers without tools.
    """

    def __init__(self, plain: bool) -> None:
        self.plain = plain
        self.reply: JsonObject = {}
        """The reply without its content, as far as received."""
        self.blocks: dict[int, JsonObject] = {}
        """The blocks as they started, by index."""
        self.strings: set[int] = set()
        """The indexes of the text blocks that stream as `str`."""
        self.arguments: dict[int, list[str]] = {}
        """The arguments of the calls of the caller's tools, in pieces, by index."""
        self.guards: dict[int, DepthGuard] = {}
        self.inputs: dict[int, str] = {}
        """Arguments that came at the start of a call: they count if no pieces follow."""
        self.moved: dict[int | None, int] = {}
        """Indexes that another block had before -> the index of the block here."""
        self.odd = False
        """Whether the server starts blocks under an index twice, or not at all."""
        self.done = False

    def feed(self, event: JsonObject) -> Chunks:
        """The chunks of one event; none for unknown events. Raises `ReplyError` for an event that lacks a key."""
        if not EVENT.fits(event):
            event = EVENT.event(event)
        kind = event.get("type", "")
        try:
            if kind == "content_block_delta":  # most events are one
                index, delta = event.get("index"), event["delta"]
                if self.odd or index not in self.blocks:
                    return self._odd_delta(index, delta)
                return DELTAS.get(delta["type"], MessageStream._other)(self, index, delta)
            return EVENTS[kind](self, event) if kind in EVENTS else []
        except FOREIGN as exc:
            raise not_readable(f"A {kind} event of the stream", exc) from exc

    def end(self, *, ended: bool = False) -> Chunks:
        """The last chunk of a stream without `message_stop`. None if that came, or nothing at all."""
        return [] if self.done or not (self.reply or self.blocks) else [self._last(ended or self.has_finished())]

    def has_finished(self) -> bool:
        return self.done or bool(self.reply.get("stop_reason"))

    def close(self) -> None:
        """Raise `IncompleteStreamError` if `message_stop` was not received."""
        if not self.done:
            raise incomplete_stream("message_stop")

    def _chunk(self, content: Content, calls: list[ToolCallChunk] | None = None) -> AIMessageChunk:
        return message_chunk(content, PROVIDER, calls)

    # --- the message --------------------------------------------------------------------------------------------------

    def _message_start(self, event: JsonObject) -> Chunks:
        # No chunk: its content, `str` or list, would decide the form of the message before the first block is known.
        self.reply |= {key: value for key, value in (event["message"] or {}).items() if key != "content"}
        return []

    def _message_delta(self, event: JsonObject) -> Chunks:
        """The end of the reply. Its usage is cumulative, but lacks some keys of the first event's.

        Other servers have zeros in place of what the first event said.
        """
        beside = {key: value for key, value in event.items() if key not in ("type", "delta", "usage")}
        self.reply |= non_null({**beside, **(event.get("delta") or {})})
        usage, known = non_null(event.get("usage") or {}), self.reply.get("usage") or {}
        if usage:
            self.reply["usage"] = {**known, **{key: value for key, value in usage.items() if value or key not in known}}
        return []

    def _message_stop(self, event: JsonObject) -> Chunks:
        self.done = True
        return [self._last(complete=True)]

    def _last(self, complete: bool) -> AIMessageChunk:
        rest = [chunk for index in list(self.inputs) for chunk in self._whole_input(index)]
        calls = [call for chunk in rest for call in chunk.tool_call_chunks]
        content = [block for chunk in rest for block in chunk.content]
        return AIMessageChunk(
            content="" if self.plain and not content else content,
            response_metadata=metadata(self.reply),
            usage_metadata=usage_metadata(self.reply),
            tool_call_chunks=[*calls, *self._broken_tails(complete)],
            chunk_position="last" if complete else None,
        )

    def _broken_tails(self, complete: bool) -> list[ToolCallChunk]:
        """For each incomplete or broken call, a piece of arguments with which core does not take it for a valid one."""
        was_cut = not complete or self.reply.get("stop_reason") in CUT_SHORT
        cut_at = max(self.blocks, default=None) if was_cut else None
        tails = []
        for index, pieces in self.arguments.items():
            args = "".join(pieces)
            nameless = not self.blocks[index].get("name")
            is_valid = (not args or json_object(args) is not None) and not nameless
            # Core takes an empty text for valid arguments, and so does `break_json_tail`.
            tail = "" if is_valid and index != cut_at else break_json_tail(args) or "]" * (not args)
            if tail:
                tails.append(tool_call_chunk(args=tail, index=index))
        return tails

    # --- blocks -------------------------------------------------------------------------------------------------------

    def _block_start(self, event: JsonObject) -> Chunks:
        index, block = event.get("index"), event["content_block"]
        if index is None or index in self.blocks:
            index = self._another(index)
        return self._start(index, block)

    def _start(self, index: int, block: JsonObject) -> Chunks:
        if block["type"] == "tool_use":
            block = with_call_id(block, self.reply, index)
        elif block["type"] == "text" and "text" not in block:
            block = {**block, "text": ""}
        self.blocks[index] = block
        if self.plain and block["type"] == "text" and "citations" not in block:
            self.strings.add(index)
            return [self._chunk(block["text"])] if block.get("text") else []
        self.plain = False
        if block["type"] != "tool_use":
            return [self._chunk([{**block, "index": index}])]
        self.arguments[index] = []
        self.guards[index] = DepthGuard()
        if given := input_text(block):
            self.inputs[index] = given
            block = {**block, "input": {}}
        call = tool_call_chunk(name=block.get("name") or "", args="", id=block["id"], index=index)
        return [self._chunk([{**block, "index": index}], [call])]

    def _block_stop(self, event: JsonObject) -> Chunks:
        index = event.get("index")
        return self._whole_input(self.moved.get(index, index)) if self.inputs else []

    def _whole_input(self, index: int | None) -> Chunks:
        """The arguments that came at the start of a call, in one piece, as no others have come."""
        if index not in self.inputs:
            return []
        return self._input_json(index, {"partial_json": self.inputs.pop(index)})

    # --- blocks that other servers do not announce as the API does ---

    def _another(self, index: int | None) -> int:
        """The index of a block whose own is missing or has been used."""
        self.odd = True
        found = max(self.blocks, default=-1) + 1
        if index is not None:
            self.moved[index] = found
        return found

    def _odd_delta(self, index: int | None, delta: JsonObject) -> Chunks:
        """A delta whose block did not start, or under another index. Its type tells which block it starts."""
        at = max(self.blocks, default=None) if index is None else self.moved.get(index, index)
        kind = delta["type"]
        read, expected = DELTAS.get(kind, MessageStream._other), STARTS.get(kind)
        block = None if at is None else self.blocks.get(at)
        if at is not None and block and not (expected and block["type"] in STARTED - {expected["type"]}):
            return read(self, at, delta)
        if expected is None:
            raise KeyError(f"content_block_start of index {index}")
        at = self._another(index) if at is None or block else at
        self.odd = True
        return [*self._start(at, expected), *read(self, at, delta)]

    # --- deltas ---

    def _text(self, index: int, delta: JsonObject) -> Chunks:
        if index in self.strings:
            return [self._chunk(delta["text"])]
        return [self._chunk([{"type": "text", "text": delta["text"], "index": index}])]

    def _thinking(self, index: int, delta: JsonObject) -> Chunks:
        return [self._chunk([{"type": "thinking", "thinking": delta["thinking"], "index": index}])]

    def _signature(self, index: int, delta: JsonObject) -> Chunks:
        return [self._chunk([{"type": "thinking", "signature": delta["signature"], "index": index}])]

    def _citation(self, index: int, delta: JsonObject) -> Chunks:
        self.plain = False
        return [self._chunk([{"type": "text", "text": "", "citations": [delta["citation"]], "index": index}])]

    def _input_json(self, index: int, delta: JsonObject) -> Chunks:
        piece = delta["partial_json"]
        if not piece:
            return []
        content: Content = [{"type": "input_json_delta", "partial_json": piece, "index": index}]
        if index not in self.arguments:
            return [self._chunk(content)]
        if self.inputs:
            self.inputs.pop(index, None)
        self.arguments[index].append(piece)
        return [self._chunk(content, [tool_call_chunk(args=self.guards[index].checked(piece), index=index)])]

    def _other(self, index: int, delta: JsonObject) -> Chunks:
        """A compaction or an unknown delta: its strings and lists are appended to those of the block."""
        block = self.blocks[index]
        parts = {key: value for key, value in delta.items() if key != "type" and _can_append(value, block.get(key))}
        if not parts:
            return []
        if index in self.strings:  # the rest of the text streams in a block, beside what is not known
            self.plain = False
            self.strings.discard(index)
            parts = {"text": "", **parts}
        return [self._chunk([{"type": block["type"], **parts, "index": index}])]


STARTS: Mapping[str, JsonObject] = {
    "text_delta": {"type": "text", "text": ""},
    "citations_delta": {"type": "text", "text": ""},
    "thinking_delta": {"type": "thinking", "thinking": ""},
    "signature_delta": {"type": "thinking", "thinking": ""},
    "input_json_delta": {"type": "tool_use", "name": "", "input": {}},
}
"""Type of a delta -> the block that it belongs to. A call without a start has no name: it becomes an invalid one."""

STARTED = frozenset({"text", "thinking", "tool_use"})


def _can_append(value: object, before: object) -> bool:
    """Whether LangChain core can add `value` to `before`."""
    return isinstance(value, str | list) and (before is None or type(before) is type(value))


EVENTS: Mapping[str, Callable[[MessageStream, JsonObject], Chunks]] = {
    "message_start": MessageStream._message_start,
    "content_block_start": MessageStream._block_start,
    "content_block_stop": MessageStream._block_stop,
    "message_delta": MessageStream._message_delta,
    "message_stop": MessageStream._message_stop,
}

DELTAS: Mapping[str, Callable[[MessageStream, int, JsonObject], Chunks]] = {
    "text_delta": MessageStream._text,
    "thinking_delta": MessageStream._thinking,
    "signature_delta": MessageStream._signature,
    "citations_delta": MessageStream._citation,
    "input_json_delta": MessageStream._input_json,
    "compaction_delta": MessageStream._other,
}


def stream_decoder(plain: bool) -> MessageStream:
    """A decoder for one stream."""
    return MessageStream(plain)
