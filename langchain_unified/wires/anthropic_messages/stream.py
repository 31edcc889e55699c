"""The events of a stream -> LangChain's message chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.errors import ReplyError
from langchain_unified.messages.json_text import json_object
from langchain_unified.request import JsonObject
from langchain_unified.wires._body import non_null
from langchain_unified.wires._wire import break_json_tail, incomplete_stream
from langchain_unified.wires.anthropic_messages.decode import CUT_SHORT, PROVIDER, metadata, usage_metadata

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
        self.done = False

    def feed(self, event: JsonObject) -> Chunks:
        """The chunks of one event; none for unknown events. Raises `ReplyError` for an event that lacks a key."""
        kind = event.get("type", "")
        try:
            if kind == "content_block_delta":  # most events are one
                delta = event["delta"]
                return DELTAS.get(delta["type"], MessageStream._other)(self, event["index"], delta)
            return EVENTS[kind](self, event) if kind in EVENTS else []
        except (KeyError, TypeError, AttributeError) as exc:
            raise ReplyError(f"A {kind} event of the stream does not have the expected keys: {exc!r}.") from exc

    def end(self) -> Iterable[AIMessageChunk]:
        """No chunk: this decoder holds nothing back."""
        return ()

    def close(self) -> None:
        """Raise `IncompleteStreamError` if `message_stop` was not received."""
        if not self.done:
            raise incomplete_stream("message_stop")

    def _chunk(self, content: Content, calls: list[ToolCallChunk] | None = None) -> AIMessageChunk:
        return AIMessageChunk(
            content=content,
            response_metadata={"model_provider": PROVIDER},
            tool_call_chunks=calls or [],
        )

    # --- the message --------------------------------------------------------------------------------------------------

    def _message_start(self, event: JsonObject) -> Chunks:
        # No chunk: its content, `str` or list, would decide the form of the message before the first block is known.
        self.reply = {key: value for key, value in event["message"].items() if key != "content"}
        return []

    def _message_delta(self, event: JsonObject) -> Chunks:
        """The end of the reply. Its usage is cumulative, but lacks some keys of the first event's."""
        beside = {key: value for key, value in event.items() if key not in ("type", "delta", "usage")}
        self.reply |= non_null({**beside, **event["delta"]})
        usage = non_null(event.get("usage") or {})
        if usage:
            self.reply["usage"] = {**(self.reply.get("usage") or {}), **usage}
        return []

    def _message_stop(self, event: JsonObject) -> Chunks:
        self.done = True
        last = AIMessageChunk(
            content="" if self.plain else [],
            response_metadata=metadata(self.reply),
            usage_metadata=usage_metadata(self.reply),
            tool_call_chunks=self._broken_tails(),
            chunk_position="last",
        )
        return [last]

    def _broken_tails(self) -> list[ToolCallChunk]:
        """For each incomplete or broken call, a piece of arguments with which core does not take it for a valid one."""
        cut_at = max(self.blocks, default=None) if self.reply.get("stop_reason") in CUT_SHORT else None
        tails = []
        for index, pieces in self.arguments.items():
            args = "".join(pieces)
            complete = not args or json_object(args) is not None
            # Core takes an empty text for valid arguments, and so does `break_json_tail`.
            tail = "" if complete and index != cut_at else break_json_tail(args) or "]" * (not args)
            if tail:
                tails.append(tool_call_chunk(args=tail, index=index))
        return tails

    # --- blocks -------------------------------------------------------------------------------------------------------

    def _block_start(self, event: JsonObject) -> Chunks:
        index, block = event["index"], event["content_block"]
        self.blocks[index] = block
        if self.plain and block["type"] == "text" and "citations" not in block:
            self.strings.add(index)
            return [self._chunk(block["text"])] if block["text"] else []
        self.plain = False
        content: Content = [{**block, "index": index}]
        if block["type"] != "tool_use":
            return [self._chunk(content)]
        args = json.dumps(block["input"], ensure_ascii=False) if block.get("input") else ""
        self.arguments[index] = [args]
        return [self._chunk(content, [tool_call_chunk(name=block["name"], args=args, id=block["id"], index=index)])]

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
        self.arguments[index].append(piece)
        return [self._chunk(content, [tool_call_chunk(args=piece, index=index)])]

    def _other(self, index: int, delta: JsonObject) -> Chunks:
        """A compaction or an unknown delta: its strings and lists are appended to those of the block."""
        block = self.blocks[index]
        parts = {key: value for key, value in delta.items() if key != "type" and _can_append(value, block.get(key))}
        if not parts or index in self.strings:
            return []
        return [self._chunk([{"type": block["type"], **parts, "index": index}])]


def _can_append(value: object, before: object) -> bool:
    """Whether LangChain core can add `value` to `before`."""
    return isinstance(value, str | list) and (before is None or type(before) is type(value))


EVENTS: Mapping[str, Callable[[MessageStream, JsonObject], Chunks]] = {
    "message_start": MessageStream._message_start,
    "content_block_start": MessageStream._block_start,
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
