"""Responses events -> message chunks, whose sum is what `decode` makes of the same reply.

Texts, refusals, reasoning and calls to the caller's tools go out as they come; any other item goes out when it is done.
Each string goes out once, because the sum of chunks concatenates strings. An item is found by its id, then by its place
in the output: `output_index` can differ between the events of one item. What the events leave out comes from the
finished item in `output_item.done`; an item that is never done comes from the last event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import StreamDecoder, incomplete_stream
from langchain_unified.wires.openai_responses.decode import (
    ARGUMENTS,
    PROVIDER,
    finish_reason,
    metadata,
    part_block,
    raw_arguments,
    streamable,
    usage_of,
)
from langchain_unified.wires.openai_responses.stream_items import (
    Item,
    Part,
    came_as_text,
    custom_start,
    inside_string,
    invalid_tail,
    unsent_parts,
)


class ResponsesStream(StreamDecoder):
    """Decodes one stream. With `plain`, a text without anything beside it that comes first streams as `str`."""

    def __init__(self, plain: bool) -> None:
        self._plain = plain
        self._next_index = 0
        self._has_blocks = False
        self._items: dict[str, Item] = {}
        self._places: dict[int, Item] = {}
        self._order: list[Item] = []
        self._reserved: list[JsonObject] = []
        """The first chunks of items that are not done yet, to be sent with the next blocks."""
        self._texts: dict[tuple[str, int | None], Part] = {}
        """The texts that are not complete, by their item's id and their place in it."""
        self._ended = False

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        reader = EVENTS.get(event.get("type", ""))
        return () if reader is None else reader(self, event)

    def end(self) -> list[AIMessageChunk]:
        return []

    def close(self) -> None:
        if not self._ended:
            raise incomplete_stream("response.completed")

    # --- events -------------------------------------------------------------------------------------------------------

    def on_response(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return ()

    def on_added(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        raw = event.get("item") or {}
        item = self._find(raw.get("id"), event.get("output_index"), raw.get("type", ""), new=True)
        item.phase = raw.get("phase")
        if item.kind in ARGUMENTS:
            return self._open_call(item, raw)
        if item.kind == "reasoning":
            return (self._chunk([{"type": "reasoning", "summary": [], **self._reasoning_head(item)}]),)
        return ()

    def on_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        final = event.get("item")
        if not final:
            return ()
        item = self._find(final.get("id"), event.get("output_index"), final.get("type", ""))
        return self._finish(item, final)

    def on_text(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._texts.get((event.get("item_id", ""), event.get("content_index")))
        delta = event.get("delta")
        if part is None or not delta:
            return self._text_chunk(event, "text", alone=not event.get("logprobs"))
        part.sent_length += len(delta)
        return (self._chunk(delta if part.plain else [{"type": "text", "text": delta, "index": part.index}]),)

    def on_refusal(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._text_chunk(event, "refusal", alone=False)

    def on_annotation(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        if not isinstance(event.get("annotation"), dict):
            return ()
        item = self._find(event.get("item_id"), event.get("output_index"), "message")
        part = self._part(item, event.get("content_index") or 0, alone=False)
        part.sent_annotations += 1
        block = {"type": "text", "annotations": [streamable(event["annotation"])], "index": part.index}
        return (self._chunk([self._with_identity(block, item, part)]),)

    def on_arguments(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        kind = "custom_tool_call" if event["type"].startswith("response.custom") else "function_call"
        item = self._find(event.get("item_id"), event.get("output_index"), kind)
        delta = event.get("delta")
        # Without its first event a call has no name: it goes out when it is done.
        return (self._arguments_chunk(item.parts[0], item.kind, delta),) if delta and item.parts else ()

    def on_part_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        item = self._find(event.get("item_id"), event.get("output_index"), "message")
        content = event.get("part")
        if item.kind != "message" or not isinstance(content, dict):
            return ()
        # The API leaves the logprobs empty here; the finished item has them.
        known = {key: value for key, value in content.items() if key != "logprobs"}
        block = part_block(known, {"id": item.id, "phase": item.phase})
        return self._finish_part(item, event.get("content_index") or 0, block)

    def on_summary_part(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._reasoning_chunk({**event, "delta": ""}, "summary", "summary_text", event.get("summary_index") or 0)

    def on_summary(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._reasoning_chunk(event, "summary", "summary_text", event.get("summary_index") or 0)

    def on_reasoning_text(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._reasoning_chunk(event, "content", "reasoning_text", event.get("content_index") or 0)

    def on_final(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        response = event.get("response") or {}
        self.on_response(event)
        self._ended = True
        chunks: list[AIMessageChunk] = []
        for place, final in enumerate(response.get("output") or ()):
            item = self._find(final.get("id"), place, final.get("type", ""))
            chunks.extend(self._finish(item, final))
        output = [item.final for item in self._order if item.final is not None]
        reason = finish_reason(response, output)
        tails = [chunk for item in self._order for chunk in invalid_tail(item, incomplete=reason == "length")]
        last = AIMessageChunk(
            content=[] if self._has_blocks else "",
            tool_call_chunks=tails,
            response_metadata=metadata(response, reason),
            usage_metadata=usage_of(response, output),
            chunk_position="last",
        )
        return [*chunks, last]

    # --- items and blocks ---------------------------------------------------------------------------------------------

    def _find(self, item_id: str | None, place: int | None, kind: str, *, new: bool = False) -> Item:
        item = self._items.get(item_id or "")
        if item is not None:
            return item
        item = None if place is None or new else self._places.get(place)
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
        block = {**head, key: text, "index": part.index}
        args = text if key == "arguments" else custom_start(text)
        call = tool_call_chunk(name=raw.get("name"), args=args, id=raw.get("call_id"), index=part.index)
        return (self._chunk([block], [call]),)

    def _arguments_chunk(self, part: Part, kind: str, delta: str) -> AIMessageChunk:
        part.sent_length += len(delta)
        block = {"type": kind, ARGUMENTS[kind]: delta, "index": part.index}
        args = delta if kind == "function_call" else inside_string(delta)
        return self._chunk([block], [tool_call_chunk(args=args, index=part.index)])

    # --- the end of an item -------------------------------------------------------------------------------------------

    def _finish(self, item: Item, final: JsonObject) -> Iterable[AIMessageChunk]:
        """What no chunk has had yet of an item that is done."""
        if item.final is not None:
            return ()
        item.final = final
        if item.kind in ARGUMENTS:
            return self._finish_call(item, final)
        return FINISH.get(item.kind, ResponsesStream.finish_other)(self, item, final)

    def finish_other(self, item: Item, final: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, alone=False)
        if item.reserved:
            # Its first chunk had the type. A second type would repeat the rest in LangChain's standard form.
            final = {key: value for key, value in final.items() if key != "type"}
        return (self._chunk([{**final, "index": part.index}]),)

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
            yield from self._open_call(item, final)
        part, key = item.parts[0], ARGUMENTS[item.kind]
        tail = raw_arguments(final)[part.sent_length :]
        if tail:
            yield self._arguments_chunk(part, item.kind, tail)
        rest = {name: value for name, value in final.items() if name not in part.sent_keys and name != key}
        closing = [tool_call_chunk(args='"}', index=part.index)] if came_as_text(final) else []
        if rest or closing:
            content: list[JsonObject] = [{"type": item.kind, **rest, "index": part.index}] if rest else []
            yield self._chunk(content, closing)

    def _chunk(self, content: str | list[Any], calls: list[ToolCallChunk] | None = None) -> AIMessageChunk:
        if not isinstance(content, str):
            self._has_blocks = True
            content, self._reserved = [*self._reserved, *content], []
        return AIMessageChunk(
            content=content,
            tool_call_chunks=calls or [],
            response_metadata={"model_provider": PROVIDER},
        )


STREAMED = frozenset({"", "message", "reasoning", *ARGUMENTS})

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
    "response.content_part.done": ResponsesStream.on_part_done,
    "response.reasoning_summary_part.added": ResponsesStream.on_summary_part,
    "response.reasoning_summary_text.delta": ResponsesStream.on_summary,
    "response.reasoning_text.delta": ResponsesStream.on_reasoning_text,
    "response.completed": ResponsesStream.on_final,
    "response.incomplete": ResponsesStream.on_final,
    "response.cancelled": ResponsesStream.on_final,
    "response.failed": ResponsesStream.on_final,
}

FINISH: Mapping[str, Callable[[ResponsesStream, Item, JsonObject], Iterable[AIMessageChunk]]] = {
    "message": ResponsesStream.finish_message,
    "reasoning": ResponsesStream.finish_reasoning,
}


def stream_decoder(plain: bool) -> ResponsesStream:
    return ResponsesStream(plain)
