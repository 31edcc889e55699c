"""Responses events -> message chunks, whose sum is what `decode` makes of the whole reply.

Texts, refusals, reasoning and calls to the caller's tools go out as they come; every other item goes out whole when it
is done. Each scalar goes out once, because summed strings concatenate. Items are found by their id, then by their place
in the output: `output_index` may differ between the events of one item. What the events left out comes from the whole
item in `output_item.done`, and what never was done from the last event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import AnyBlock as Block
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
from langchain_unified.wires.openai_responses.stream_items import Item, Part, closes, inside_string, seal_of, tails_of


class ResponsesStream(StreamDecoder):
    """The state of one stream. With `plain`, a bare text that comes first streams as `str`."""

    def __init__(self, plain: bool) -> None:
        self._plain = plain
        self._id: str | None = None
        self._next_index = 0
        self._blocks = False
        self._items: dict[str, Item] = {}
        self._places: dict[int, Item] = {}
        self._order: list[Item] = []
        self._claims: list[Block] = []
        self._texts: dict[tuple[str, int | None], Part] = {}
        """The texts under way, by their item's id and their place in it."""
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
        part = self._texts.get((event.get("item_id", ""), event.get("content_index")))
        delta = event.get("delta")
        if part is None or not delta:
            return self._say(event, "text", bare=not event.get("logprobs"))
        part.length += len(delta)
        return (self._chunk(delta if part.plain else [{"type": "text", "text": delta, "index": part.index}]),)

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
        return self._think({**event, "delta": ""}, "summary", "summary_text", event.get("summary_index") or 0)

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
        last = AIMessageChunk(
            content=[] if self._blocks else "",
            tool_call_chunks=[call for item in self._order for call in seal_of(item, cut=reason == "length")],
            id=self._id,
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

    def _part(self, item: Item, place: int, *, bare: bool) -> Part:
        part = item.parts.get(place)
        if part is None:
            self._claim_places(item)
            first = self._plain and bare and item.phase is None and self._next_index == 0
            part = item.parts[place] = Part(self._next_index, plain=first)
            self._next_index += 1
        return part

    def _claim_places(self, item: Item) -> None:
        """Keeps the places of earlier items that are not done yet: summed content has the order of the first chunks.

        The API has been seen never to finish such items; their contents came with the last event.
        """
        for earlier in self._order[: self._order.index(item)]:
            if earlier.id and earlier.kind not in STREAMED and not earlier.parts and not earlier.claimed:
                earlier.claimed = True
                earlier.parts[0] = Part(self._next_index)
                self._claims.append({"type": earlier.kind, "id": earlier.id, "index": self._next_index})
                self._next_index += 1

    def _head(self, item: Item) -> JsonObject:
        part = self._part(item, 0, bare=False)
        part.told |= {"id", "summary"}
        return {"index": part.index} if item.id is None else {"id": item.id, "index": part.index}

    def _named(self, block: Block, item: Item, part: Part) -> Block:
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
        if key == "text" and item.id:
            self._texts[item.id, event.get("content_index")] = part
        if part.plain:
            return (self._chunk(delta),)
        block = self._named({"type": key, key: delta, "index": part.index}, item, part)
        part.told.add(key)
        return (self._chunk([block]),)

    def _think(self, event: JsonObject, key: str, kind: str, place: int) -> Iterable[AIMessageChunk]:
        item = self._find(event.get("item_id"), event.get("output_index"), "reasoning")
        delta = event.get("delta") or ""
        head = self._head(item)
        lengths = item.parts[0].lengths
        lengths[key, place] = lengths.get((key, place), 0) + len(delta)
        said = {key: [{"index": place, "type": kind, "text": delta}]}
        return (self._chunk([{"type": "reasoning", "summary": [], **said, **head}]),)

    def _open_call(self, item: Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, bare=False)
        key = ARGUMENTS[item.kind]
        head = {name: value for name, value in whole.items() if value is not None and name not in ("status", key)}
        part.told |= head.keys() | {key}
        said = raw_arguments(whole)
        part.length = len(said)
        block = {**head, key: said, "index": part.index}
        args = said if key == "arguments" else '{"__arg1": "' + inside_string(said)
        call = tool_call_chunk(name=whole.get("name"), args=args, id=whole.get("call_id"), index=part.index)
        return (self._chunk([block], [call]),)

    def _argue(self, part: Part, kind: str, delta: str) -> AIMessageChunk:
        part.length += len(delta)
        block = {"type": kind, ARGUMENTS[kind]: delta, "index": part.index}
        args = delta if kind == "function_call" else inside_string(delta)
        return self._chunk([block], [tool_call_chunk(args=args, index=part.index)])

    # --- the end of an item -------------------------------------------------------------------------------------------

    def _finish(self, item: Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        """What the chunks have not said yet of an item that is now known whole."""
        if item.whole is not None:
            return ()
        item.whole = whole
        if item.kind in ARGUMENTS:
            return self._finish_call(item, whole)
        return FINISH.get(item.kind, ResponsesStream.finish_other)(self, item, whole)

    def finish_other(self, item: Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, bare=False)
        if item.claimed:
            # Without its type, which the claim has said: LangChain's standard form would repeat the rest.
            whole = {key: value for key, value in whole.items() if key != "type"}
        return (self._chunk([{**whole, "index": part.index}]),)

    def finish_message(self, item: Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        item.phase = item.phase or whole.get("phase")
        return [
            chunk
            for place, content in enumerate(whole.get("content") or ())
            for chunk in self._finish_part(item, place, part_block(content, whole))
        ]

    def _finish_part(self, item: Item, place: int, block: Block) -> Iterable[AIMessageChunk]:
        """What is left to say of a message's part; nothing when it is called again with the same."""
        part = self._part(item, place, bare=not block.keys() - {"type", "text", "id", "status"})
        key, notes = block["type"], block.get("annotations", [])[part.notes :]
        rest = {name: value for name, value in block.items() if name not in {"type", key, "annotations", *part.told}}
        tail = block[key][part.length :] if key in block else ""
        if part.plain and tail:
            yield self._chunk(tail)
        elif key in block and (tail or key not in part.told) and not (part.plain and part.length):
            rest[key] = tail
        if notes:
            rest["annotations"] = notes
        # A plain text stays a `str` as long as there is nothing to say of it but its id and status.
        if rest.keys() - ({key, "id", "status"} if part.plain and not part.told else set()):
            part.told |= {"type", *rest}
            yield self._chunk([{"type": key, **rest, "index": part.index}])
        part.length += len(tail)
        part.notes += len(notes)

    def finish_reasoning(self, item: Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._part(item, 0, bare=False)
        rest = {key: value for key, value in whole.items() if key not in {*part.told, "type", "summary", "content"}}
        for key in ("summary", "content"):
            tails = tails_of(whole.get(key) or (), key, part.lengths)
            if tails or (key in whole and not whole[key] and key not in part.told):
                rest[key] = tails
        if not rest:
            return ()
        return (self._chunk([{"type": "reasoning", "summary": [], **rest, "index": part.index}]),)

    def _finish_call(self, item: Item, whole: JsonObject) -> Iterable[AIMessageChunk]:
        if not item.parts:
            yield from self._open_call(item, whole)
        part, key = item.parts[0], ARGUMENTS[item.kind]
        tail = raw_arguments(whole)[part.length :]
        if tail:
            yield self._argue(part, item.kind, tail)
        rest = {name: value for name, value in whole.items() if name not in part.told and name != key}
        closing = [tool_call_chunk(args='"}', index=part.index)] if closes(whole) else []
        if rest or closing:
            content: list[Block] = [{"type": item.kind, **rest, "index": part.index}] if rest else []
            yield self._chunk(content, closing)

    def _chunk(self, content: str | list[Any], calls: list[ToolCallChunk] | None = None) -> AIMessageChunk:
        if not isinstance(content, str):
            self._blocks = True
            content, self._claims = [*self._claims, *content], []
        return AIMessageChunk(
            content=content,
            tool_call_chunks=calls or [],
            id=self._id,
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
