"""LangChain's v3 events of an answer, one block after the other, as every API streams them.

v3 may have several blocks open at a time, and finishes the parts of one item of reasoning together. Here a block is
rendered until it is finished; events of later ones wait. The renderers of the wires derive from `BlockStream`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from langchain_unified.errors import ServerError, UnifiedError
from langchain_unified.request import Adjustment, JsonObject
from langchain_unified.request.blocks import Block, ReasoningBlock
from langchain_unified.wires._completion import Completion, completed
from langchain_unified.wires._door import StreamSettings
from langchain_unified.wires._shown import View, ending_blocks

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData

Events = list[JsonObject]
STREAMED: Mapping[str, str] = {"text": "text", "reasoning": "reasoning", "tool_call_chunk": "call"}
"""Types of blocks whose content is rendered as it comes. Any other is rendered when it is complete."""


class BlockStream:
    """The order of one stream. A wire's renderer says what each step is in its API; each step returns events."""

    def __init__(self, body: JsonObject, settings: StreamSettings, view: View) -> None:
        """`body` is the client's."""
        self.body = body
        self.settings = settings
        self.view = view
        self.begun = self.ended = self.failed = False
        self.index = -1
        """The block that is rendered."""
        self.kind = ""
        """What it is; empty where nothing is rendered, or a block of another kind."""
        self.unfinished: set[int] = set()
        """The blocks that are rendered: one, or the parts of one item of reasoning."""
        self.item: str | None = None
        """The id of the reasoning that is rendered."""
        self.parts: list[ReasoningBlock] = []
        """Its finished parts."""
        self.held: dict[int, list[Any]] = {}
        """By block, the events that wait, from its start on."""
        self.starts: dict[int, Any] = {}
        self.again: dict[int, list[str]] = {}
        """What came of blocks after they had finished."""
        self.refused = False
        self.completion = Completion("", "", ())

    @property
    def notes(self) -> list[Adjustment]:
        """What the client does not see."""
        return self.view.notes

    # --- what a wire renders ------------------------------------------------------------------------------------------

    def begin(self) -> Events:
        """The start of the stream."""
        raise NotImplementedError

    def open(self, kind: str, content: Any) -> Events:
        """A block begins: `text`, `reasoning` or `call`."""
        raise NotImplementedError

    def next_part(self) -> Events:
        """The next part of the reasoning that is open."""
        raise NotImplementedError

    def text(self, piece: str) -> Events:
        """A piece of the open text."""
        raise NotImplementedError

    def reasoning(self, piece: str) -> Events:
        """A piece of the open part of reasoning."""
        raise NotImplementedError

    def arguments(self, piece: str) -> Events:
        """A piece of the arguments of the open call."""
        raise NotImplementedError

    def finish(self, block: Block) -> Events:
        """A complete block: the end of the open one, or one that was not opened."""
        raise NotImplementedError

    def finish_reasoning(self, parts: list[ReasoningBlock]) -> Events:
        """All parts of one item of reasoning, which may have been opened."""
        raise NotImplementedError

    def end(self, completion: Completion) -> Events:
        """The end of a complete answer. `completion` has no blocks."""
        raise NotImplementedError

    def error(self, error: UnifiedError) -> Events:
        """An error after the first byte."""
        raise NotImplementedError

    # --- events -------------------------------------------------------------------------------------------------------

    def feed(self, event: MessagesData) -> Events:
        """The events that one event makes."""
        return HANDLERS[event["event"]](self, event)

    def close(self) -> Events:
        """What ends the stream; of an answer without any event, a whole empty stream."""
        if self.ended:
            return []
        self.ended = True
        found = [] if self.begun else self._message_start({})
        if self.completion.finish_reason == "error":
            return found + self.fail(ServerError("the answer ended in an error"))
        return [*found, *self._close_reasoning(), *self.end(self.completion)]

    def fail(self, error: UnifiedError) -> Events:
        """An error, also where another program has begun the stream. Nothing follows it."""
        self.ended = self.failed = True
        return self.error(error)

    def _message_start(self, event: Any) -> Events:
        self.begun = True
        self.view.provider = str((event.get("metadata") or {}).get("provider") or "")
        return self.begin()

    def _start(self, event: Any) -> Events:
        index, content = event["index"], event["content"]
        self.starts[index] = event
        kind = STREAMED.get(content["type"], "")
        if kind == "reasoning" and self.kind == kind and self.item and content.get("id") == self.item:
            self.unfinished.add(index)
            self.index = index
            return self.next_part()
        if self.unfinished:
            self.held[index] = [event]
            return []
        found = self._close_reasoning()
        self.index, self.kind, self.unfinished = index, kind, {index}
        self.item = content.get("id") if kind == "reasoning" else None
        return found + self.open(kind, content) if kind else found

    def _delta(self, event: Any) -> Events:
        index = event["index"]
        if index != self.index and index not in self.unfinished:
            return self._later(event)
        delta, kind = event["delta"], self.kind
        piece = delta.get("text") or delta.get("reasoning") or delta.get("args")
        if not kind or not piece:
            return []
        if index in self.again:
            self.again[index].append(piece)
        if kind == "text":
            return self.text(piece)
        return self.reasoning(piece) if kind == "reasoning" else self.arguments(piece)

    def _later(self, event: Any) -> Events:
        """An event of a block that waits, or that had finished: what still comes of it is a block of its own."""
        index = event["index"]
        if index in self.held:
            self.held[index].append(event)
            return []
        start = self.starts.get(index)
        if start is None or "delta" not in event or start["content"]["type"] not in ("text", "reasoning"):
            return []
        self.again[index] = []
        self.held[index] = [start, event]
        return self._next_held()

    def _finish(self, event: Any) -> Events:
        index = event["index"]
        if index not in self.unfinished:
            return self._later(event)
        self.unfinished.discard(index)
        if index in self.again:
            kind = event["content"]["type"]
            event = {**event, "content": {"type": kind, kind: "".join(self.again.pop(index))}}
        blocks = self.view.blocks(event["content"])
        if self.kind == "reasoning":
            self.parts += [block for block in blocks if block["type"] == "reasoning"]
            if self.item or self.unfinished:
                return self._next_held()  # another part may still begin
            return self._close_reasoning() + self._next_held()
        found = [made for block in blocks for made in self._finished(block)]
        self.index, self.kind = -1, ""
        return found + self._next_held()

    def _finished(self, block: Block) -> Events:
        if block["type"] == "reasoning":
            return self.finish_reasoning([block])
        self.refused = self.refused or block["type"] == "refusal"
        return self.finish(block)

    def _close_reasoning(self) -> Events:
        """The end of reasoning whose parts have all finished."""
        if self.kind != "reasoning":
            return []
        parts, self.parts = self.parts, []
        self.index, self.kind, self.item = -1, "", None
        return self.finish_reasoning(parts)

    def _next_held(self) -> Events:
        """The events of the blocks that waited, up to the first one that is not finished."""
        found: Events = []
        while self.held and not self.unfinished:
            index = next(iter(self.held))
            for event in self.held.pop(index):
                found += self.feed(event)
        return found

    def _message_finish(self, event: Any) -> Events:
        found = self._close_reasoning() + self._next_held()
        self.completion = completed(event["metadata"], event.get("usage"))
        beside = event.get("additional_kwargs") or {}
        for block in ending_blocks(beside, event["metadata"], self.view, self.refused):
            found += self.finish(block)
        return found


HANDLERS: Mapping[str, Callable[[BlockStream, Any], Events]] = {
    "message-start": BlockStream._message_start,
    "content-block-start": BlockStream._start,
    "content-block-delta": BlockStream._delta,
    "content-block-finish": BlockStream._finish,
    "message-finish": BlockStream._message_finish,
}
