"""Responses events -> message chunks, whose sum is what `decode` makes of the whole reply.

Texts, refusals, reasoning and calls to the caller's tools go out as they come; every other item goes out whole when it
is done. Each scalar goes out once, because summed strings concatenate. Items are found by their id, then by their place
in the output: `output_index` may differ between the events of one item. What the events left out comes from the whole
item in `output_item.done`, and what never was done from the last event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.request import Block, JsonObject
from langchain_unified.usage import openai_usage
from langchain_unified.wires._wire import StreamDecoder, cut, seal
from langchain_unified.wires.openai_responses.decode import (
    ARGUMENTS,
    PROVIDER,
    arguments,
    finish_reason,
    item_blocks,
    metadata,
    part_block,
    raw_arguments,
    streamable,
)


@dataclass(slots=True)
class _Part:
    """A content block that is on its way: how much of it the chunks have said."""

    index: int
    plain: bool = False
    """It goes out as `str` content, without id."""
    told: set[str] = field(default_factory=set)
    length: int = 0
    """Characters of its text, refusal, arguments or input."""
    notes: int = 0
    lengths: dict[tuple[str, int], int] = field(default_factory=dict)
    """Characters of each part of a reasoning item, by key (`summary`, `content`) and place."""


@dataclass(slots=True)
class _Item:
    kind: str
    id: str | None
    phase: str | None = None
    parts: dict[int, _Part] = field(default_factory=dict)
    whole: JsonObject | None = None
    """The finished item; `None` while it is on its way."""


class ResponsesStream(StreamDecoder):
    """The state of one stream. With `plain`, a bare text that comes first streams as `str`."""

    def __init__(self, plain: bool) -> None:
        self._plain = plain
        self._id: str | None = None
        self._next_index = 0
        self._blocks = False
        self._items: dict[str, _Item] = {}
        self._places: dict[int, _Item] = {}
        self._order: list[_Item] = []
        self._ended = False

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        reader = EVENTS.get(event.get("type", ""))
        return () if reader is None else reader(self, event)

    def end(self) -> list[AIMessageChunk]:
        return []

    def close(self) -> None:
        if not self._ended:
            raise cut("response.completed")

    # --- events -------------------------------------------------------------------------------------------------------

    def on_response(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        self._id = self._id or (event.get("response") or {}).get("id")
        return ()

    def on_added(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        whole = event.get("item") or {}
        item = self._find(whole.get("id"), event.get("output_index"), whole.get("type", ""), new=True)
        item.phase = whole.get("phase")
        if item.kind in ARGUMENTS:
            return self._open_call(item, whole)
        if item.kind == "reasoning":
            return (self._chunk([{"type": "reasoning", "summary": [], **self._head(item)}]),)
        return ()

    def on_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        whole = event.get("item")
        if not whole:
            return ()
        item = self._find(whole.get("id"), event.get("output_index"), whole.get("type", ""))
        return self._finish(item, whole)

    def on_text(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._say(event, "text", bare=not event.get("logprobs"))

    def on_refusal(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._say(event, "refusal", bare=False)

    def on_annotation(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        if not isinstance(event.get("annotation"), dict):
            return ()
        item = self._find(event.get("item_id"), event.get("output_index"), "message")
        part = self._part(item, event.get("content_index") or 0, bare=False)
        part.notes += 1
        block = {"type": "text", "annotations": [streamable(event["annotation"])], "index": part.index}
        return (self._chunk([self._named(block, item, part)]),)

    def on_arguments(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        kind = "custom_tool_call" if event["type"].startswith("response.custom") else "function_call"
        item = self._find(event.get("item_id"), event.get("output_index"), kind)
        delta = event.get("delta")
        # Without its first event a call has no name yet: it goes out when it is done.
        return (self._argue(item.parts[0], item.kind, delta),) if delta and item.parts else ()

    def on_summary(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._think(event, "summary", "summary_text", event.get("summary_index") or 0)

    def on_reasoning_text(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._think(event, "content", "reasoning_text", event.get("content_index") or 0)

    def on_final(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        response = event.get("response") or {}
        self.on_response(event)
        self._ended = True
        chunks: list[AIMessageChunk] = []
        for place, whole in enumerate(response.get("output") or ()):
            item = self._find(whole.get("id"), place, whole.get("type", ""))
            chunks.extend(self._finish(item, whole))
        output = [item.whole for item in self._order if item.whole is not None]
        reason = finish_reason(response, output)
        usage = response.get("usage")
        last = AIMessageChunk(
            content=[] if self._blocks else "",
            tool_call_chunks=[call for item in self._order for call in _seal(item, cut=reason == "length")],
            id=self._id,
            response_metadata=metadata(response, reason),
            usage_metadata=openai_usage(usage, response.get("service_tier")) if usage else None,
            chunk_position="last",
        )
        return [*chunks, last]

    # --- items and blocks ---------------------------------------------------------------------------------------------

    def _find(self, item_id: str | None, place: int | None, kind: str, *, new: bool = False) -> _Item:
        item = self._items.get(item_id or "")
        if item is not None:
            return item
        item = None if place is None or new else self._places.get(place)
        if item is None or item.kind != kind:
            item = _Item(kind, item_id)
            self._order.append(item)
            if place is not None:
                self._places[place] = item
        if item_id:
            self._items[item_id] = item
        return item

    def _part(self, item: _Item, place: int, *, bare: bool) -> _Part:
        part = item.parts.get(place)
        if part is None:
            first = self._plain and bare and item.phase is None and self._next_index == 0
            part = item.parts[place] = _Part(self._next_index, plain=first)
            self._next_index += 1
        return part

    def _head(self, item: _Item) -> JsonObject:
        part = self._part(item, 0, bare=False)
        part.told |= {"id", "summary"}
        return {"index": part.index} if item.id is None else {"id": item.id, "index": part.index}

    def _named(self, block: Block, item: _Item, part: _Part) -> Block:
        """The block with its message's id and phase, where no chunk has said them yet."""
        if part.told:
            return block
        names = {"id": item.id, "phase": item.phase}
        names = {key: value for key, value in names.items() if value is not None}
        part.told |= {"type", *names}
        return {**block, **names}

    def _say(self, event: JsonObject, key: str, *, bare: bool) -> Iterable[AIMessageChunk]:
        delta = event.get("delta")
        if not delta:
            return ()
        item = self._find(event.get("item_id"), event.get("output_index"), "message")
        part = self._part(item, event.get("content_index") or 0, bare=bare)
        part.length += len(delta)
        if part.plain:
            return (self._chunk(delta),)
        return (self._chunk([self._named({"type": key, key: delta, "index": part.index}, item, part)]),)

    def _think(self, event: JsonObject, key: str, kind: str, place: int) -> Iterable[AIMessageChunk]:
        item = self._find(event.get("item_id"), event.get("output_index"), "reasoning")
        delta = event.get("delta")
        if not delta:
            return ()
        head = self._head(item)
        lengths = item.parts[0].lengths
        lengths[key, place] = lengths.get((key, place), 0) + len(delta)
        said = {key: [{"index": place, "type": kind, "text": delta}]}
        return (self._chunk([{"type": "reasoning", "summary": [], **said, **head}]),)

    def _open_call(self, item: _Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, bare=False)
        key = ARGUMENTS[item.kind]
        head = {name: value for name, value in whole.items() if value is not None and name not in ("status", key)}
        part.told |= head.keys() | {key}
        said = raw_arguments(whole)
        part.length = len(said)
        block = {**head, key: said, "index": part.index}
        args = said if key == "arguments" else '{"__arg1": "' + _inside_string(said)
        call = tool_call_chunk(name=whole.get("name"), args=args, id=whole.get("call_id"), index=part.index)
        return (self._chunk([block], [call]),)

    def _argue(self, part: _Part, kind: str, delta: str) -> AIMessageChunk:
        part.length += len(delta)
        block = {"type": kind, ARGUMENTS[kind]: delta, "index": part.index}
        args = delta if kind == "function_call" else _inside_string(delta)
        return self._chunk([block], [tool_call_chunk(args=args, index=part.index)])

    # --- the end of an item -------------------------------------------------------------------------------------------

    def _finish(self, item: _Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        """What the chunks have not said yet of an item that is now known whole."""
        if item.whole is not None:
            return ()
        item.whole = whole
        if item.kind in ARGUMENTS:
            return self._finish_call(item, whole)
        return FINISH.get(item.kind, ResponsesStream.finish_other)(self, item, whole)

    def finish_other(self, item: _Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, bare=False)
        return [self._chunk([{**block, "index": part.index}]) for block in item_blocks(whole)]

    def finish_message(self, item: _Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        item.phase = item.phase or whole.get("phase")
        chunks: list[AIMessageChunk] = []
        for place, content in enumerate(whole.get("content") or ()):
            block = part_block(content, whole)
            part = self._part(item, place, bare=not block.keys() - {"type", "text", "id", "status"})
            chunks.extend(self._finish_part(part, block))
        return chunks

    def _finish_part(self, part: _Part, block: Block) -> Iterable[AIMessageChunk]:
        key = block["type"]
        rest = {name: value for name, value in block.items() if name not in {"type", key, "annotations", *part.told}}
        tail = block[key][part.length :] if isinstance(block.get(key), str) else ""
        if part.plain and tail:
            yield self._chunk(tail)
        elif key in block and not part.plain and (tail or part.length == 0):
            rest[key] = tail
        notes = block.get("annotations", [])[part.notes :]
        if notes:
            rest["annotations"] = notes
        # A plain text stays a `str` as long as there is nothing to say of it but its id and status.
        if rest.keys() - ({"id", "status"} if part.plain else set()):
            yield self._chunk([{"type": key, **rest, "index": part.index}])

    def finish_reasoning(self, item: _Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, bare=False)
        rest = {key: value for key, value in whole.items() if key not in {*part.told, "type", "summary", "content"}}
        for key in ("summary", "content"):
            tails = _tails(whole.get(key) or (), key, part.lengths)
            if tails or (key in whole and not whole[key] and key not in part.told):
                rest[key] = tails
        if not rest:
            return ()
        return (self._chunk([{"type": "reasoning", "summary": [], **rest, "index": part.index}]),)

    def _finish_call(self, item: _Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        if not item.parts:
            yield from self._open_call(item, whole)
        part, key = item.parts[0], ARGUMENTS[item.kind]
        tail = raw_arguments(whole)[part.length :]
        if tail:
            yield self._argue(part, item.kind, tail)
        rest = {name: value for name, value in whole.items() if name not in part.told and name != key}
        closing = [tool_call_chunk(args='"}', index=part.index)] if _closes(whole) else []
        if rest or closing:
            content: list[Block] = [{"type": item.kind, **rest, "index": part.index}] if rest else []
            yield self._chunk(content, closing)

    def _chunk(self, content: str | list[Any], calls: list[ToolCallChunk] | None = None) -> AIMessageChunk:
        if not isinstance(content, str):
            self._blocks = True
        return AIMessageChunk(
            content=content,
            tool_call_chunks=calls or [],
            id=self._id,
            response_metadata={"model_provider": PROVIDER},
        )


def _closes(call: JsonObject) -> bool:
    """Whether a call's streamed arguments end with a bracket of our own: a free-form text that came whole."""
    return call.get("type") == "custom_tool_call" and arguments(call, cut=False) is not None


def _inside_string(text: str) -> str:
    return json.dumps(text)[1:-1]


def _tails(parts: Iterable[JsonObject], key: str, lengths: Mapping[tuple[str, int], int]) -> list[JsonObject]:
    """What no delta said of the parts of a reasoning item."""
    tails: list[JsonObject] = []
    for place, part in enumerate(parts):
        said = lengths.get((key, place))
        if said is None:
            tails.append({"index": place, **part})
        elif len(part.get("text") or "") > said:
            tails.append({"index": place, "text": part["text"][said:]})
    return tails


def _seal(item: _Item, *, cut: bool) -> Iterable[ToolCallChunk]:
    """What keeps a call without complete arguments from passing for a whole one in the sum of the chunks."""
    if item.whole is None or item.kind not in ARGUMENTS or arguments(item.whole, cut=cut) is not None:
        return
    said = raw_arguments(item.whole)
    tail = seal(said if item.kind == "function_call" else '{"__arg1": "' + _inside_string(said))
    if tail:
        yield tool_call_chunk(args=tail, index=item.parts[0].index)


Reader = Callable[[ResponsesStream, JsonObject], Iterable[AIMessageChunk]]

EVENTS: Mapping[str, Reader] = {
    "response.created": ResponsesStream.on_response,
    "response.queued": ResponsesStream.on_response,
    "response.in_progress": ResponsesStream.on_response,
    "response.output_item.added": ResponsesStream.on_added,
    "response.output_item.done": ResponsesStream.on_done,
    "response.output_text.delta": ResponsesStream.on_text,
    "response.output_text.annotation.added": ResponsesStream.on_annotation,
    "response.refusal.delta": ResponsesStream.on_refusal,
    "response.function_call_arguments.delta": ResponsesStream.on_arguments,
    "response.custom_tool_call_input.delta": ResponsesStream.on_arguments,
    "response.reasoning_summary_text.delta": ResponsesStream.on_summary,
    "response.reasoning_text.delta": ResponsesStream.on_reasoning_text,
    "response.completed": ResponsesStream.on_final,
    "response.incomplete": ResponsesStream.on_final,
    "response.cancelled": ResponsesStream.on_final,
    "response.failed": ResponsesStream.on_final,
}

FINISH: Mapping[str, Callable[[ResponsesStream, _Item, JsonObject], Iterable[AIMessageChunk]]] = {
    "message": ResponsesStream.finish_message,
    "reasoning": ResponsesStream.finish_reasoning,
}


def stream_decoder(plain: bool) -> ResponsesStream:
    return ResponsesStream(plain)
