"""The chunks of a stream -> LangChain's v3 events, which `stream_events(version="v3")` and LangGraph read.

The message that core assembles from them is the invoked one in standard blocks: each block of a reply is collected from
the chunks, and finishes as core's translator gives the complete block. Blocks get their positions in the order in which
they begin. A block finishes when another begins. What could still change stays open: a call whose arguments are not
complete, and every call after it, so that the calls keep their order.

Core takes only some types from the event that finishes a block. A refusal is none of them: it is `non_standard` here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, BaseRunManager, CallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata, add_ai_message_chunks
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.utils.utils import LC_ID_PREFIX

from langchain_unified.chat_models._event_parts import (
    CALLS,
    Key,
    StreamedBlock,
    StreamedCall,
    standard_blocks,
    without_indexes,
)
from langchain_unified.chat_models._finish import FINISH_KEYS
from langchain_unified.chat_models._plan import Plan
from langchain_unified.chat_models._stream import AsyncChunks, read
from langchain_unified.messages.server_reasoning import TEXT
from langchain_unified.request import JsonObject
from langchain_unified.transport import Transport

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData

Events: TypeAlias = "Iterator[MessagesData]"


def read_events(transport: Transport, plan: Plan, run_manager: CallbackManagerForLLMRun | None) -> Events:
    """Make the call; the events of its stream. Errors are raised: an error event does not carry their class."""
    writer = EventWriter(plan.route.model, _run_id(run_manager))
    with closing(read(transport, _in_blocks(plan), run_manager)) as chunks:
        for chunk in chunks:
            yield from writer.feed(cast("AIMessageChunk", chunk.message))
    yield from writer.close()


async def aread_events(
    transport: Transport, plan: Plan, run_manager: AsyncCallbackManagerForLLMRun | None
) -> AsyncIterator[MessagesData]:
    """Async twin of `read_events`."""
    writer = EventWriter(plan.route.model, _run_id(run_manager))
    async with aclosing(AsyncChunks(transport, _in_blocks(plan), run_manager)) as chunks:
        async for chunk in chunks:
            for event in writer.feed(cast("AIMessageChunk", chunk.message)):
                yield event
    for event in writer.close():
        yield event


def _in_blocks(plan: Plan) -> Plan:
    """The plan with every block under its index, a lone text too."""
    return replace(plan, output_version="v1")


def _run_id(run_manager: BaseRunManager | None) -> str:
    """The id that core gives a message whose provider gave none."""
    return f"{LC_ID_PREFIX}-{run_manager.run_id}" if run_manager else ""


# --- the writer -------------------------------------------------------------------------------------------------------


class EventWriter:
    """The events of one stream: `feed` it the chunks, then `close` it. The chunks' blocks must carry their index."""

    def __init__(self, model: str, fallback_id: str = "") -> None:
        """`model`: who was asked, until the reply says who answered. `fallback_id`: for a reply without an id."""
        self.model = model
        self.fallback_id = fallback_id
        self.provider = ""
        self.begun = False
        self.blocks: dict[Key, StreamedBlock] = {}
        self.open: dict[Key, StreamedBlock] = {}
        self.next_position = 0
        self.metadata: JsonObject = {}
        self.usage: UsageMetadata | None = None
        self.with_kwargs: list[AIMessageChunk] = []
        """The chunks with `additional_kwargs`."""

    def feed(self, chunk: AIMessageChunk) -> Events:
        """The events of one chunk. What the stream's last chunk adds to calls is held back until `close`."""
        if not self.begun:
            yield self._begin_message(chunk)
        self.metadata.update(chunk.response_metadata)
        self.usage = chunk.usage_metadata or self.usage
        if chunk.additional_kwargs:
            self.with_kwargs.append(chunk)
        for key, piece in _pieces(chunk):
            yield from self._piece(key, piece)
        for call in chunk.tool_call_chunks:
            key = call["index"] if isinstance(chunk.content, list) else ("call", call["index"])
            # Only the last chunk has more metadata than the provider's name, however the stream ends.
            yield from self._call(key, call, last=chunk.response_metadata.keys() != {"model_provider"})

    def close(self) -> Events:
        """The end of all that is open, and of the message. Nothing where no chunk came."""
        if not self.begun:
            return
        for block in list(self.open.values()):
            yield from self._finish(block)
        finish: JsonObject = {"event": "message-finish", "metadata": dict(self.metadata)}
        finish |= {key: self.metadata[key] for key in FINISH_KEYS if key in self.metadata}
        if self.usage:
            finish["usage"] = self.usage
        if self.with_kwargs:
            finish["additional_kwargs"] = add_ai_message_chunks(*self.with_kwargs).additional_kwargs
        yield cast("MessagesData", finish)

    def _begin_message(self, chunk: AIMessageChunk) -> MessagesData:
        self.begun = True
        self.provider = chunk.response_metadata.get("model_provider", "")
        metadata = {"provider": self.provider, "model": self.model}
        start = {"event": "message-start", "role": "ai", "id": chunk.id or self.fallback_id, "metadata": metadata}
        return cast("MessagesData", start)

    # --- blocks ---

    def _piece(self, key: Key, piece: JsonObject) -> Events:
        block = self.blocks.get(key)
        if block is None:
            block = yield from self._begin(key, piece)
        elif key not in self.open:
            if block.call is not None:
                return  # a finished call may have been run already
            self.open[key] = block  # more of it came after all: it will finish again, complete
        block.add(piece)
        if piece.get("type") in DELTAS:
            yield from DELTAS[piece["type"]](self, block, piece)

    def _begin(self, key: Key, piece: JsonObject | None) -> Generator[MessagesData, None, StreamedBlock]:
        """A new block. `piece` is the first that came of it; `None` for a call that is in no block."""
        yield from self._finish_ended((piece or {}).get("id"))
        block = StreamedBlock(key, (piece or {}).get("type", ""), self.provider)
        self.blocks[key] = self.open[key] = block
        first = without_indexes(piece) if piece else {}
        standard = [found for found in standard_blocks(first, self.provider) if found["type"] not in CALLS]
        block.standard_type = standard[0]["type"] if standard else ""
        for found in standard:
            yield self._start(block, _skeleton(found, first))
        return block

    def _take_position(self) -> int:
        self.next_position += 1
        return self.next_position - 1

    def _start(self, block: StreamedBlock, content: JsonObject) -> MessagesData:
        block.positions.append(self._take_position())
        return _event("start", block.positions[-1], content=content)

    def _finish_ended(self, item: str | None) -> Events:
        """Finish what has ended when another block begins. `item`: that block's id, which parts of an item share."""
        waiting = False
        for block in list(self.open.values()):
            ended = block.has_ended() and (item is None or block.id != item)
            if block.call is not None:
                ended = ended and not waiting
                waiting = not ended
            if ended:
                yield from self._finish(block)

    def _finish(self, block: StreamedBlock) -> Events:
        del self.open[block.key]
        assembled = block.assembled()
        raw = assembled.get("input") if block.type == "custom_tool_call" else None
        call = block.call.finished(raw) if block.call else None
        standard = standard_blocks(assembled, block.provider, [call] if call else ())
        for number, found in enumerate(found for found in standard if found["type"] not in CALLS):
            if number == len(block.positions):
                yield self._start(block, _skeleton(found, {}))
            yield _event("finish", block.positions[number], content=found)
        if block.call and call:
            extras = next((found["extras"] for found in standard if found["type"] in CALLS and "extras" in found), None)
            yield from self._finish_call(block.call, {**call, "extras": extras} if extras else call)

    def _finish_call(self, call: StreamedCall, block: JsonObject) -> Events:
        if not call.started:
            yield from self._start_call(call)
        rest = call.tail if block["type"] == "tool_call" else "" if call.pieces else block["args"]
        if rest:
            yield _event("delta", call.position, delta={"type": "tool-call-delta", "args": rest})
        yield _event("finish", call.position, content=block)

    # --- deltas ---

    def _text(self, block: StreamedBlock, piece: JsonObject) -> Events:
        if piece.get("text"):
            yield _event("delta", block.positions[0], delta={"type": "text-delta", "text": piece["text"]})

    def _thinking(self, block: StreamedBlock, piece: JsonObject) -> Events:
        if piece.get("thinking"):
            yield _event("delta", block.positions[0], delta={"type": "reasoning-delta", "reasoning": piece["thinking"]})

    def _summary(self, block: StreamedBlock, piece: JsonObject) -> Events:
        """Each part of a summary is a standard block. They finish together: the first has the encrypted content."""
        if text := piece.get("reasoning"):
            yield _event("delta", block.positions[0], delta={"type": "reasoning-delta", "reasoning": text})
        for part in piece.get("summary") or ():
            number = part.get("index", 0)
            while number >= len(block.positions):
                yield self._start(block, _skeleton({"type": "reasoning", "id": block.pieces[0].get("id")}, {}))
            if part.get("text"):
                delta: JsonObject = {"type": "reasoning-delta", "reasoning": part["text"]}
                yield _event("delta", block.positions[number], delta=delta)

    def _arguments(self, block: StreamedBlock, piece: JsonObject) -> Events:
        """The arguments of a provider's own tool; those of the caller's tools come beside the content."""
        if block.standard_type == "server_tool_call":
            yield _event("delta", block.positions[0], delta={"type": "tool-call-delta", "args": piece["partial_json"]})

    # --- calls ---

    def _call(self, key: Key, chunk: ToolCallChunk, *, last: bool) -> Events:
        block = self.blocks.get(key)
        if block is None:
            block = yield from self._begin(key, None)
        if key not in self.open:
            return
        if block.call is None:
            block.call = StreamedCall(chunk["index"], self._take_position())
        call = block.call
        call.id, call.name = call.id or chunk["id"], call.name or chunk["name"]
        args = chunk["args"] or ""
        if last:
            call.tail += args
            return
        call.pieces += [args] if args else []
        if call.started and args:
            yield _event("delta", call.position, delta={"type": "tool-call-delta", "args": args})
        elif call.name and not call.started:
            yield from self._start_call(call)

    def _start_call(self, call: StreamedCall) -> Events:
        """The start of a call, which must have its name, and the arguments that came before the name."""
        call.started = True
        start: JsonObject = {"type": "tool_call_chunk", "id": call.id, "name": call.name, "args": ""}
        yield _event("start", call.position, content=start if call.index is None else {**start, "index": call.index})
        if call.pieces:
            yield _event("delta", call.position, delta={"type": "tool-call-delta", "args": "".join(call.pieces)})


DELTAS: Mapping[str, Callable[[EventWriter, StreamedBlock, JsonObject], Events]] = {
    "text": EventWriter._text,
    "thinking": EventWriter._thinking,
    "reasoning": EventWriter._summary,
    "input_json_delta": EventWriter._arguments,
}


def _event(kind: str, position: int, **more: JsonObject) -> MessagesData:
    return cast("MessagesData", {"event": f"content-block-{kind}", "index": position, **more})


def _pieces(chunk: AIMessageChunk) -> Iterator[tuple[Key, JsonObject]]:
    """The parts of a chunk's content, with their keys. A text or a refusal that is in no block becomes one."""
    if isinstance(chunk.content, list):
        for block in cast("list[JsonObject]", chunk.content):
            yield block.get("index"), block
        return
    if chunk.additional_kwargs.get(TEXT):
        yield "reasoning", {"type": "reasoning", "reasoning": chunk.additional_kwargs[TEXT]}
    if chunk.content:
        yield "text", {"type": "text", "text": chunk.content}
    if chunk.additional_kwargs.get("refusal"):
        yield "refusal", {"type": "refusal", "refusal": chunk.additional_kwargs["refusal"]}


CONTENT_KEYS = frozenset({"text", "annotations", "reasoning", "args", "output", "base64", "value"})
"""What comes with the deltas, or when the block finishes."""

EMPTY: Mapping[str, JsonObject] = {
    "text": {"text": ""},
    "reasoning": {"reasoning": ""},
    "server_tool_call": {"args": {}},
    "non_standard": {"value": {}},
}


def _skeleton(block: JsonObject, first: JsonObject) -> JsonObject:
    """The start of a standard block: its type and ids without its content. `first`: the first piece of it."""
    head = {key: value for key, value in block.items() if key not in CONTENT_KEYS and value is not None}
    if block["type"] == "server_tool_call" and "input" in first:
        return {**head, "type": "server_tool_call_chunk", "args": ""}
    return {**head, **EMPTY.get(block["type"], {})}
