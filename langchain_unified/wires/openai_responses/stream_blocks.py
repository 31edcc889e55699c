"""The items of a streamed reply -> chunks: where each goes in the content, its pieces, and what is left at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.messages.chunks import message_chunk
from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import ArgumentText
from langchain_unified.wires.openai_responses.decode import ARGUMENTS, PROVIDER, part_block, raw_arguments
from langchain_unified.wires.openai_responses.stream_items import (
    Item,
    Part,
    came_as_text,
    custom_start,
    inside_string,
    invalid_end,
    unsent_parts,
)


class ItemStream:
    """The items of one stream. With `plain`, a text without anything beside it that comes first streams as `str`."""

    def __init__(self, plain: bool) -> None:
        self._plain = plain
        self._annotated = False
        self._next_index = 0
        self._has_blocks = False
        self._items: dict[str, Item] = {}
        self._places: dict[int, Item] = {}
        self._order: list[Item] = []
        self._reserved: list[JsonObject] = []
        """The first chunks of items that are not done yet, to be sent with the next blocks."""
        self._texts: dict[tuple[str, int | None], Part] = {}
        """The texts that are not complete, by their item's id and their place in it."""

    def annotate(self) -> None:
        """Stream in the form `responses/v1`: blocks only, each text with its annotations, empty or not."""
        self._annotated = self._has_blocks = True

    def _find(self, item_id: str | None, place: int | None, kind: str, *, new: bool = False) -> Item:
        item = self._items.get(item_id or "")
        if item is not None and not (new and item.final is not None):
            return item
        item = None if place is None or new else self._places.get(place)
        if item is None and place is None and not new:
            # Neither id nor place: it belongs to the item that is open.
            item = next((found for found in reversed(self._order) if found.kind == kind and not found.final), None)
        if item is None or item.kind != kind:
            item = Item(kind, item_id)
            self._order.append(item)
            if place is not None:
                self._places[place] = item
        if item_id:
            self._items[item_id] = item
        return item

    def _part(self, item: Item, place: int, *, alone: bool) -> Part:
        part = item.parts.get(place)
        if part is None:
            self._reserve_places(item)
            first = self._plain and alone and item.phase is None and self._next_index == 0
            part = item.parts[place] = Part(self._next_index, plain=first)
            self._next_index += 1
        return part

    def _reserve_places(self, item: Item) -> None:
        """Sends a first chunk for earlier items that are not done: the sum of chunks has the order of the first ones.

        Recorded streams have items that are never done; their content came with the last event.
        """
        for earlier in self._order[: self._order.index(item)]:
            if earlier.id and earlier.kind not in STREAMED and not earlier.parts and not earlier.reserved:
                earlier.reserved = True
                earlier.parts[0] = Part(self._next_index)
                self._reserved.append({"type": earlier.kind, "id": earlier.id, "index": self._next_index})
                self._next_index += 1

    def _reasoning_head(self, item: Item) -> JsonObject:
        part = self._part(item, 0, alone=False)
        part.sent_keys |= {"id", "summary"}
        return {"index": part.index} if item.id is None else {"id": item.id, "index": part.index}

    def _with_identity(self, block: JsonObject, item: Item, part: Part) -> JsonObject:
        """The block with its message's id and phase, where no chunk has had them."""
        if part.sent_keys:
            return block
        identity = {"id": item.id, "phase": item.phase}
        identity = {key: value for key, value in identity.items() if value is not None}
        part.sent_keys |= {"type", *identity}
        if self._annotated and block["type"] == "text":
            identity.setdefault("annotations", block.get("annotations", []))
        return {**block, **identity}

    def _text_chunk(self, event: JsonObject, key: str, *, alone: bool) -> Iterable[AIMessageChunk]:
        delta = event.get("delta")
        if not delta:
            return ()
        item = self._find(event.get("item_id"), event.get("output_index"), "message")
        part = self._part(item, event.get("content_index") or 0, alone=alone)
        part.sent_length += len(delta)
        if key == "text" and item.id:
            self._texts[item.id, event.get("content_index")] = part
        if part.plain:
            return (self._chunk(delta),)
        block = self._with_identity({"type": key, key: delta, "index": part.index}, item, part)
        part.sent_keys.add(key)
        return (self._chunk([block]),)

    def _reasoning_chunk(self, event: JsonObject, key: str, kind: str, place: int) -> Iterable[AIMessageChunk]:
        item = self._find(event.get("item_id"), event.get("output_index"), "reasoning")
        delta = event.get("delta") or ""
        head = self._reasoning_head(item)
        lengths = item.parts[0].sent_lengths
        lengths[key, place] = lengths.get((key, place), 0) + len(delta)
        piece = {key: [{"index": place, "type": kind, "text": delta}]}
        return (self._chunk([{"type": "reasoning", "summary": [], **piece, **head}]),)

    def _open_call(self, item: Item, raw: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, alone=False)
        key = ARGUMENTS[item.kind]
        head = {name: value for name, value in raw.items() if value is not None and name not in ("status", key)}
        part.sent_keys |= head.keys() | {key}
        text = raw_arguments(raw)
        part.sent_length = len(text)
        item.head = raw
        block = {**head, key: text, "index": part.index}
        args = item.arguments.add(text) if key == "arguments" else custom_start(text)
        call = tool_call_chunk(name=raw.get("name"), args=args, id=raw.get("call_id"), index=part.index)
        return (self._chunk([block], [call]),)

    def _arguments_chunk(self, item: Item, delta: str) -> AIMessageChunk:
        part, kind = item.parts[0], item.kind
        part.sent_length += len(delta)
        block = {"type": kind, ARGUMENTS[kind]: delta, "index": part.index}
        args = item.arguments.add(delta)
        if kind != "function_call":
            args = inside_string(delta)
        return self._chunk([block], [tool_call_chunk(args=args, index=part.index)])

    # --- the end of an item -------------------------------------------------------------------------------------------

    def _finish(self, item: Item, final: JsonObject) -> Iterable[AIMessageChunk]:
        """What no chunk has had yet of an item that is done."""
        if item.final is not None:
            return ()
        item.final = final
        if item.kind in ARGUMENTS:
            return self._finish_call(item, final)
        return FINISH.get(item.kind, ItemStream.finish_other)(self, item, final)

    def finish_other(self, item: Item, final: JsonObject) -> Iterable[AIMessageChunk]:
        if item.kind.endswith("_output"):
            yield from self._answered(final.get("call_id"))
        part = self._part(item, 0, alone=False)
        if item.reserved:
            # Its first chunk had the type. A second type would repeat the rest in LangChain's standard form.
            final = {key: value for key, value in final.items() if key != "type"}
        yield self._chunk([{**final, "index": part.index}])

    def _answered(self, call_id: Any) -> Iterable[AIMessageChunk]:
        """What keeps a call that the reply itself answers from being run: it was streamed as a call of the caller's."""
        for item in self._order:
            if item.kind in ARGUMENTS and item.parts and call_id and (item.final or {}).get("call_id") == call_id:
                yield self._chunk([], [invalid_end(item)])

    def finish_message(self, item: Item, final: JsonObject) -> Iterable[AIMessageChunk]:
        item.phase = item.phase or final.get("phase")
        return [
            chunk
            for place, content in enumerate(final.get("content") or ())
            for chunk in self._finish_part(item, place, part_block(content, final))
        ]

    def _finish_part(self, item: Item, place: int, block: JsonObject) -> Iterable[AIMessageChunk]:
        """What no chunk has had yet of a message's part; nothing when it is called again with the same."""
        part = self._part(item, place, alone=not block.keys() - {"type", "text", "id", "status"})
        key, annotations = block["type"], block.get("annotations", [])[part.sent_annotations :]
        sent = {"type", key, "annotations", *part.sent_keys}
        rest = {name: value for name, value in block.items() if name not in sent}
        tail = block[key][part.sent_length :] if key in block else ""
        if part.plain and tail:
            yield self._chunk(tail)
        elif key in block and (tail or key not in part.sent_keys) and not (part.plain and part.sent_length):
            rest[key] = tail
        if annotations:
            rest["annotations"] = annotations
        # A plain text stays a `str` as long as it has nothing but its id and status beside it.
        if self._annotated and key == "text" and not part.sent_keys:
            rest.setdefault("annotations", [])
        if rest.keys() - ({key, "id", "status"} if part.plain and not part.sent_keys else set()):
            part.sent_keys |= {"type", *rest}
            yield self._chunk([{"type": key, **rest, "index": part.index}])
        part.sent_length += len(tail)
        part.sent_annotations += len(annotations)

    def finish_reasoning(self, item: Item, final: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, alone=False)
        sent = {*part.sent_keys, "type", "summary", "content"}
        rest = {key: value for key, value in final.items() if key not in sent}
        for key in ("summary", "content"):
            tails = unsent_parts(final.get(key) or (), key, part.sent_lengths)
            if tails or (key in final and not final[key] and key not in part.sent_keys):
                rest[key] = tails
        if not rest:
            return ()
        return (self._chunk([{"type": "reasoning", "summary": [], **rest, "index": part.index}]),)

    def _finish_call(self, item: Item, final: JsonObject) -> Iterable[AIMessageChunk]:
        if not item.parts:
            item.arguments = ArgumentText()
            yield from self._open_call(item, final)
        part, key = item.parts[0], ARGUMENTS[item.kind]
        tail = raw_arguments(final)[part.sent_length :]
        if tail:
            yield self._arguments_chunk(item, tail)
        rest = {name: value for name, value in final.items() if name not in part.sent_keys and name != key}
        closing = [tool_call_chunk(args='"}', index=part.index)] if came_as_text(final) else []
        if rest or closing:
            content: list[JsonObject] = [{"type": item.kind, **rest, "index": part.index}] if rest else []
            yield self._chunk(content, closing)

    def _chunk(self, content: str | list[Any], calls: list[ToolCallChunk] | None = None) -> AIMessageChunk:
        if not isinstance(content, str):
            self._has_blocks = True
            content, self._reserved = [*self._reserved, *content], []
        return message_chunk(content, PROVIDER, calls)


STREAMED = frozenset({"", "message", "reasoning", *ARGUMENTS})

FINISH: Mapping[str, Callable[[ItemStream, Item, JsonObject], Iterable[AIMessageChunk]]] = {
    "message": ItemStream.finish_message,
    "reasoning": ItemStream.finish_reasoning,
}
