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

from langchain_unified.messages.chunks import message_chunk
from langchain_unified.request import JsonObject
from langchain_unified.wires._shapes import FOREIGN, not_readable
from langchain_unified.wires._wire import StreamDecoder, incomplete_stream
from langchain_unified.wires.openai_responses.decode import (
    ARGUMENTS,
    PROVIDER,
    complete_item,
    finish_reason,
    metadata,
    part_block,
    raw_arguments,
    streamable,
    usage_of,
)
from langchain_unified.wires.openai_responses.shapes import EVENT
from langchain_unified.wires.openai_responses.stream_blocks import ItemStream
from langchain_unified.wires.openai_responses.stream_items import Item, last_arguments


class ResponsesStream(ItemStream, StreamDecoder):
    """Decodes one stream. With `plain`, a text without anything beside it that comes first streams as `str`."""

    def __init__(self, plain: bool) -> None:
        super().__init__(plain)
        self.reply_id: str | None = None
        """The id under which the API stores the reply, once an event has told it."""
        self._reply: JsonObject = {}
        """The reply as its first event gave it."""
        self._ended = False

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        if not EVENT.fits(event):
            event = EVENT.event(event)
        reader = EVENTS.get(event.get("type", ""))
        if reader is None:
            return ()
        try:
            return [*reader(self, event)]
        except FOREIGN as exc:
            raise not_readable(f"A {event['type']} event of the stream", exc) from exc

    def end(self, *, ended: bool = False) -> list[AIMessageChunk]:
        """The end of a stream without its final event."""
        if self._ended or not self._order:
            return []
        status = "completed" if ended else "in_progress"
        return self._end_with({**self._reply, "status": status}, complete=ended)

    def has_finished(self) -> bool:
        return self._ended

    def close(self) -> None:
        if not self._ended:
            raise incomplete_stream("response.completed")

    # --- events -------------------------------------------------------------------------------------------------------

    def on_response(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        self._reply = event.get("response") or {}
        self.reply_id = self._reply.get("id")
        return ()

    def on_added(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        raw = complete_item(event.get("item") or {}, len(self._order))
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
        return self._finish(item, complete_item(final, self._order.index(item)))

    def on_text(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        part = self._texts.get((event.get("item_id", ""), event.get("content_index")))
        delta = event.get("delta")
        if part is None or not delta:
            return self._text_chunk(event, "text", alone=not event.get("logprobs"))
        part.sent_length += len(delta)
        content = delta if part.plain else [{"type": "text", "text": delta, "index": part.index}]
        return (self._chunk(content) if self._reserved else message_chunk(content, PROVIDER),)

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
        if not item.parts:
            # Without its first event a call has no name: it goes out when it is done.
            item.arguments.add(delta or "")
            return ()
        return (self._arguments_chunk(item, delta),) if delta else ()

    # What the `done` events of parts give again, for servers that send it there alone.

    def on_text_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._rest_of_text(event, "text")

    def on_refusal_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._rest_of_text(event, "refusal")

    def _rest_of_text(self, event: JsonObject, key: str) -> Iterable[AIMessageChunk]:
        item = self._find(event.get("item_id"), event.get("output_index"), "message")
        part = item.parts.get(event.get("content_index") or 0)
        rest = (event.get(key) or "")[part.sent_length if part else 0 :]
        if not rest or item.final is not None:
            return ()
        return self._text_chunk({**event, "delta": rest}, key, alone=key == "text" and not event.get("logprobs"))

    def on_arguments_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        kind = "custom_tool_call" if event["type"].startswith("response.custom") else "function_call"
        item = self._find(event.get("item_id"), event.get("output_index"), kind)
        text = raw_arguments({**event, "type": kind})
        if item.final is not None:
            return ()
        item.head = {**({"name": event["name"]} if event.get("name") else {}), **item.head}
        rest = text[item.parts[0].sent_length :] if item.parts else text[len(item.arguments.args()) :]
        return self.on_arguments({**event, "delta": rest}) if rest else ()

    def on_summary_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._rest_of_reasoning(event, "summary", "summary_text", event.get("summary_index") or 0)

    def on_reasoning_done(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return self._rest_of_reasoning(event, "content", "reasoning_text", event.get("content_index") or 0)

    def _rest_of_reasoning(self, event: JsonObject, key: str, kind: str, place: int) -> Iterable[AIMessageChunk]:
        item = self._find(event.get("item_id"), event.get("output_index"), "reasoning")
        sent = item.parts[0].sent_lengths.get((key, place), 0) if item.parts else 0
        rest = (event.get("text") or "")[sent:]
        return self._reasoning_chunk({**event, "delta": rest}, key, kind, place) if rest and not item.final else ()

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
        self._ended = True
        response = event.get("response") or {}
        # Some servers repeat less of the reply at its end than they have told at its start.
        head = {key: self._reply[key] for key in REPLY_HEAD if self._reply.get(key) and not response.get(key)}
        chunks: list[AIMessageChunk] = []
        ids = {final.get("id") for final in response.get("output") or ()}
        matched: list[Item] = []
        for place, final in enumerate(response.get("output") or ()):
            item = self._final_item(final, place, ids, matched)
            matched.append(item)
            chunks.extend(self._finish(item, complete_item(final, place)))
        return [*chunks, *self._end_with({**response, **head}, complete=True)]

    def _final_item(self, final: JsonObject, place: int, ids: set[Any], matched: list[Item]) -> Item:
        """The item that one of the last event's is. Ids and places may both differ; the order does not."""
        kind, known = final.get("type", ""), self._items.get(final.get("id") or "")
        if known is None:
            candidates = [self._places.get(place), *self._order]
            for item in candidates:
                if item and item.kind == kind and item not in matched and (item.id is None or item.id not in ids):
                    return item
        return known or self._find(final.get("id"), None, kind, new=True)

    def _end_with(self, response: JsonObject, *, complete: bool) -> list[AIMessageChunk]:
        """The rest of the items that are not done, and the last chunk."""
        chunks: list[AIMessageChunk] = []
        for item in self._order:
            if item.final is None and item.kind in ARGUMENTS:
                chunks.extend(self._finish(item, item.as_final()))
        output = [item.as_final() if item.final is None else item.final for item in self._order]
        reason = finish_reason(response, output) if complete else None
        cut = not complete or reason == "length"
        tails = [chunk for item in self._order for chunk in last_arguments(item, incomplete=cut)]
        last = AIMessageChunk(
            content=[] if self._has_blocks else "",
            tool_call_chunks=tails,
            response_metadata=metadata(response, reason),
            usage_metadata=usage_of(response, output),
            chunk_position="last" if complete else None,
        )
        return [*chunks, last]


REPLY_HEAD = ("id", "object", "created_at", "model", "service_tier")

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
    "response.output_text.done": ResponsesStream.on_text_done,
    "response.refusal.done": ResponsesStream.on_refusal_done,
    "response.function_call_arguments.done": ResponsesStream.on_arguments_done,
    "response.custom_tool_call_input.done": ResponsesStream.on_arguments_done,
    "response.reasoning_summary_text.done": ResponsesStream.on_summary_done,
    "response.reasoning_text.done": ResponsesStream.on_reasoning_done,
    "response.completed": ResponsesStream.on_final,
    "response.incomplete": ResponsesStream.on_final,
    "response.cancelled": ResponsesStream.on_final,
    "response.failed": ResponsesStream.on_final,
}


def stream_decoder(plain: bool) -> ResponsesStream:
    return ResponsesStream(plain)
