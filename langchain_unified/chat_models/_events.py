"""The chunks of a stream -> LangChain's v3 events, which `stream_events(version="v3")` and LangGraph read.

The assembled message is the invoked one in standard blocks: each block of a reply is collected from the chunks and
finishes as core's translator gives it whole, so nothing is replaced by what comes later. Blocks take their places in
the order in which they begin. A block finishes when another begins; what could still change stays open: a call whose
arguments are not whole yet, and every call after it, so that the calls keep their order too.

Core keeps only some types when a block finishes. A refusal is none of them: it is a `non_standard` block here.
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

from langchain_unified.chat_models._event_parts import CALLS, Call, Key, Part, settled, standard
from langchain_unified.chat_models._stream import CallMetadata, aread, read
from langchain_unified.request import Block, JsonObject

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData

    from langchain_unified.chat_models._plan import Plan

Events: TypeAlias = "Iterator[MessagesData]"


def read_events(plan: Plan, about: CallMetadata, run_manager: CallbackManagerForLLMRun | None) -> Events:
    """Make the call; the events of its stream. Its errors come as they are: core would not know them from an event."""
    writer = EventWriter(plan.route.model, _run_id(run_manager))
    with closing(read(_in_blocks(plan), about, run_manager)) as chunks:
        for chunk in chunks:
            yield from writer.feed(cast("AIMessageChunk", chunk.message))
    yield from writer.close()


async def aread_events(
    plan: Plan, about: CallMetadata, run_manager: AsyncCallbackManagerForLLMRun | None
) -> AsyncIterator[MessagesData]:
    """Async twin of `read_events`."""
    writer = EventWriter(plan.route.model, _run_id(run_manager))
    async with aclosing(aread(_in_blocks(plan), about, run_manager)) as chunks:
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
        self.parts: dict[Key, Part] = {}
        self.open: dict[Key, Part] = {}
        self.places = 0
        """How many places are taken."""
        self.metadata: JsonObject = {}
        self.usage: UsageMetadata | None = None
        self.beside: list[AIMessageChunk] = []
        """The chunks with `additional_kwargs`."""

    def feed(self, chunk: AIMessageChunk) -> Events:
        """The events of one chunk. The stream's last chunk holds back what it adds to calls until `close`."""
        if not self.begun:
            yield self._begin_message(chunk)
        self.metadata.update(chunk.response_metadata)
        self.usage = chunk.usage_metadata or self.usage
        if chunk.additional_kwargs:
            self.beside.append(chunk)
        for key, piece in _pieces(chunk):
            yield from self._piece(key, piece)
        for call in chunk.tool_call_chunks:
            key = call["index"] if isinstance(chunk.content, list) else ("call", call["index"])
            # Only the last chunk says more of the reply than who it is from, however the stream ends.
            yield from self._call(key, call, last=chunk.response_metadata.keys() != {"model_provider"})

    def close(self) -> Events:
        """The end of all that is open, and of the message. Nothing where no chunk came."""
        if not self.begun:
            return
        for part in list(self.open.values()):
            yield from self._finish(part)
        finish: JsonObject = {"event": "message-finish", "metadata": dict(self.metadata)}
        if self.usage:
            finish["usage"] = self.usage
        if self.beside:
            finish["additional_kwargs"] = add_ai_message_chunks(*self.beside).additional_kwargs
        yield cast("MessagesData", finish)

    def _begin_message(self, chunk: AIMessageChunk) -> MessagesData:
        self.begun = True
        self.provider = chunk.response_metadata.get("model_provider", "")
        about = {"provider": self.provider, "model": self.model}
        start = {"event": "message-start", "role": "ai", "id": chunk.id or self.fallback_id, "metadata": about}
        return cast("MessagesData", start)

    # --- blocks ---

    def _piece(self, key: Key, piece: Block) -> Events:
        part = self.parts.get(key)
        if part is None:
            part = yield from self._begin(key, piece)
        elif key not in self.open:
            if part.call is not None:
                return  # it has been offered as it was
            self.open[key] = part  # more of it came after all: it will finish again, whole
        part.add(piece)
        yield from DELTAS.get(piece.get("type", ""), EventWriter._nothing)(self, part, piece)

    def _begin(self, key: Key, piece: Block | None) -> Generator[MessagesData, None, Part]:
        """A new block. `piece` is what came of it first; `None` for a call that is in no block."""
        yield from self._finish_ended((piece or {}).get("id"))
        part = Part(key, (piece or {}).get("type", ""), self.provider)
        self.parts[key] = self.open[key] = part
        first = settled(piece) if piece else {}
        blocks = [block for block in standard(first, self.provider) if block["type"] not in CALLS]
        part.form = blocks[0]["type"] if blocks else ""
        for block in blocks:
            yield self._start(part, _skeleton(block, first))
        return part

    def _place(self) -> int:
        self.places += 1
        return self.places - 1

    def _start(self, part: Part, block: Block) -> MessagesData:
        part.places.append(self._place())
        return _event("start", part.places[-1], content=block)

    def _finish_ended(self, item: str | None) -> Events:
        """What has ended now that another block begins. `item`: the id of that block, which its item's parts share."""
        waiting = False
        for part in list(self.open.values()):
            ended = part.has_ended() and (item is None or part.id != item)
            if part.call is not None:
                ended = ended and not waiting
                waiting = not ended
            if ended:
                yield from self._finish(part)

    def _finish(self, part: Part) -> Events:
        del self.open[part.key]
        whole = part.whole()
        call = part.call and part.call.finished(whole.get("input") if part.kind == "custom_tool_call" else None)
        blocks = standard(whole, part.provider, [call] if call else ())
        for number, block in enumerate(block for block in blocks if block["type"] not in CALLS):
            if number == len(part.places):
                yield self._start(part, _skeleton(block, {}))
            yield _event("finish", part.places[number], content=block)
        if part.call and call:
            extras = next((block["extras"] for block in blocks if block["type"] in CALLS and "extras" in block), None)
            yield from self._finish_call(part.call, {**call, "extras": extras} if extras else call)

    def _finish_call(self, call: Call, block: Block) -> Events:
        if not call.started:
            yield from self._start_call(call)
        if call.tail and block["type"] == "tool_call":
            yield _event("delta", call.place, delta={"type": "tool-call-delta", "args": call.tail})
        yield _event("finish", call.place, content=block)

    # --- deltas ---

    def _nothing(self, part: Part, piece: Block) -> Events:
        return iter(())

    def _text(self, part: Part, piece: Block) -> Events:
        if piece.get("text"):
            yield _event("delta", part.places[0], delta={"type": "text-delta", "text": piece["text"]})

    def _thinking(self, part: Part, piece: Block) -> Events:
        if piece.get("thinking"):
            yield _event("delta", part.places[0], delta={"type": "reasoning-delta", "reasoning": piece["thinking"]})

    def _summary(self, part: Part, piece: Block) -> Events:
        """Each part of a summary is a standard block by itself; they finish together, for the first has the seal."""
        for said in piece.get("summary") or ():
            number = said.get("index", 0)
            while number >= len(part.places):
                yield self._start(part, _skeleton({"type": "reasoning", "id": part.pieces[0].get("id")}, {}))
            if said.get("text"):
                yield _event("delta", part.places[number], delta={"type": "reasoning-delta", "reasoning": said["text"]})

    def _arguments(self, part: Part, piece: Block) -> Events:
        """The arguments of a provider's own tool; those of the caller's tools come beside the content."""
        if part.form == "server_tool_call":
            yield _event("delta", part.places[0], delta={"type": "tool-call-delta", "args": piece["partial_json"]})

    # --- calls ---

    def _call(self, key: Key, chunk: ToolCallChunk, *, last: bool) -> Events:
        part = self.parts.get(key)
        if part is None:
            part = yield from self._begin(key, None)
        if key not in self.open:
            return
        if part.call is None:
            part.call = Call(chunk["index"], self._place())
        call = part.call
        call.id, call.name = call.id or chunk["id"], call.name or chunk["name"]
        args = chunk["args"] or ""
        if last:
            call.tail += args
            return
        call.pieces += [args] if args else []
        if call.started and args:
            yield _event("delta", call.place, delta={"type": "tool-call-delta", "args": args})
        elif call.name and not call.started:
            yield from self._start_call(call)

    def _start_call(self, call: Call) -> Events:
        """The start of a call, which must tell its name, and the arguments that came before that was known."""
        call.started = True
        start: Block = {"type": "tool_call_chunk", "id": call.id, "name": call.name, "args": ""}
        yield _event("start", call.place, content=start if call.index is None else {**start, "index": call.index})
        if call.pieces:
            yield _event("delta", call.place, delta={"type": "tool-call-delta", "args": "".join(call.pieces)})


DELTAS: Mapping[str, Callable[[EventWriter, Part, Block], Events]] = {
    "text": EventWriter._text,
    "thinking": EventWriter._thinking,
    "reasoning": EventWriter._summary,
    "input_json_delta": EventWriter._arguments,
}


def _event(kind: str, place: int, **more: Block) -> MessagesData:
    return cast("MessagesData", {"event": f"content-block-{kind}", "index": place, **more})


def _pieces(chunk: AIMessageChunk) -> Iterator[tuple[Key, Block]]:
    """The parts of a chunk's content, with their keys. A text or a refusal that stands in no block becomes one."""
    if isinstance(chunk.content, list):
        for block in cast("list[Block]", chunk.content):
            yield block.get("index"), block
        return
    if chunk.content:
        yield "text", {"type": "text", "text": chunk.content}
    if chunk.additional_kwargs.get("refusal"):
        yield "refusal", {"type": "refusal", "refusal": chunk.additional_kwargs["refusal"]}


HEAVY = frozenset({"text", "annotations", "reasoning", "args", "output", "base64", "value"})
"""What a block is about: it comes with the deltas, or when the block finishes."""

EMPTY: Mapping[str, Block] = {
    "text": {"text": ""},
    "reasoning": {"reasoning": ""},
    "server_tool_call": {"args": {}},
    "non_standard": {"value": {}},
}


def _skeleton(block: Block, first: Block) -> Block:
    """The start of a standard block: what it is and which, without what it says. `first`: what came of it first."""
    head = {key: value for key, value in block.items() if key not in HEAVY and value is not None}
    if block["type"] == "server_tool_call" and "input" in first:
        return {**head, "type": "server_tool_call_chunk", "args": ""}
    return {**head, **EMPTY.get(block["type"], {})}
