"""LangChain's v3 events of an answer -> the events of the Messages API, as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from langchain_unified.errors import UnifiedError
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import Block, ReasoningBlock
from langchain_unified.wires._block_stream import BlockStream, Events
from langchain_unified.wires._completion import Completion, Tokens, Upstream
from langchain_unified.wires._door import StreamSettings
from langchain_unified.wires._shown import PART_BREAK, joined_parts
from langchain_unified.wires.anthropic_messages.serve.errors import error_event
from langchain_unified.wires.anthropic_messages.serve.render import (
    RenderedBlock,
    context_management,
    omits_thinking,
    rendered_block,
    start_and_deltas,
    started,
    stop_of,
    tool_use,
    usage_of,
)
from langchain_unified.wires.anthropic_messages.serve.shown import PROVIDER, asks_no_thinking, lose_reasoning, view_of

PING: JsonObject = {"type": "ping"}


class MessagesStream(BlockStream):
    """The events of one stream. Texts and thinking start with their first piece: those without one are not shown."""

    def __init__(self, body: JsonObject, settings: StreamSettings) -> None:
        """`body` is the client's request."""
        super().__init__(body, settings, view_of(body))
        self.at = 0
        """The index of the block that is open, or of the next one."""
        self.opened = ""
        """Its type."""
        self.break_before = False
        self.silent = omits_thinking(body)
        """Whether the text of thinking is not shown."""
        self.unasked = False
        """Whether reasoning is for the tool calls only: it waits in `needed` for the next one."""
        self.needed: list[Block] = []
        self.rendered: list[JsonObject] = []
        self.refusals: list[Block] = []
        self.so_far = Completion(settings.reply_id, settings.model, (), upstream=Upstream())

    # --- the message --------------------------------------------------------------------------------------------------

    def begin(self) -> Events:
        self.unasked = self.view.provider != PROVIDER and asks_no_thinking(self.body)
        estimated = Tokens(uncached=self.settings.input_tokens, output=1)
        return [
            {"type": "message_start", "message": started(replace(self.so_far, tokens=estimated), self.body)},
            PING,
        ]

    def end(self, completion: Completion) -> Events:
        found: Events = []
        if self.needed:
            lose_reasoning(self.view)
        if completion.finish_reason != "refusal":
            found = [event for block in self.refusals for event in self._whole(block)]
        if completion.tokens == Tokens():
            completion = replace(completion, tokens=Tokens(uncached=self.settings.input_tokens))
        completion = replace(completion, blocks=tuple(self.refusals))
        usage = usage_of(completion, self.body, self.rendered)
        usage = {key: usage[key] for key in usage if key not in ("service_tier", "inference_geo")}
        if not usage.get("cache_creation_input_tokens"):
            usage.pop("cache_creation", None)  # the start of the stream has said so
        last = {"delta": stop_of(completion), "usage": usage, **context_management(completion, self.body)}
        return [*found, {"type": "message_delta", **last}, {"type": "message_stop"}]

    def error(self, error: UnifiedError) -> Events:
        return [error_event(error)]

    # --- pieces -------------------------------------------------------------------------------------------------------

    def open(self, kind: str, content: Any) -> Events:
        self.break_before = False
        if kind != "call":
            return []
        needed, self.needed = self.needed, []
        found = [event for block in needed for event in self._whole(block)]
        return found + self._begin_block(tool_use(content, self.at, self.so_far, {}))

    def _begin_block(self, block: JsonObject) -> Events:
        self.opened = block["type"]
        return [{"type": "content_block_start", "index": self.at, "content_block": block}]

    def _end_block(self, block: JsonObject) -> Events:
        self.rendered.append(block)
        self.opened = ""
        self.at += 1
        return [{"type": "content_block_stop", "index": self.at - 1}]

    def _piece(self, delta: JsonObject) -> JsonObject:
        return {"type": "content_block_delta", "index": self.at, "delta": delta}

    def text(self, piece: str) -> Events:
        event = self._piece({"type": "text_delta", "text": piece})
        return [event] if self.opened else [*self._begin_block({"type": "text", "text": ""}), event]

    def next_part(self) -> Events:
        self.break_before = True
        return []

    def reasoning(self, piece: str) -> Events:
        if self.silent or self.unasked:
            return []
        found = [] if self.opened else self._begin_block({"type": "thinking", "thinking": "", "signature": ""})
        if self.break_before and not found:
            found.append(self._piece({"type": "thinking_delta", "thinking": PART_BREAK}))
        self.break_before = False
        return [*found, self._piece({"type": "thinking_delta", "thinking": piece})]

    def arguments(self, piece: str) -> Events:
        return [self._piece({"type": "input_json_delta", "partial_json": piece})]

    # --- complete blocks ----------------------------------------------------------------------------------------------

    def finish(self, block: Block) -> Events:
        if block["type"] == "refusal":
            self.refusals.append(block)
            return []
        if not self.opened:
            return self._whole(block)
        rendered = rendered_block(block, self.at, self.so_far)
        shown = rendered.block if rendered else {}
        return ENDINGS.get(self.opened, _nothing)(self, shown) + self._end_block(shown)

    def finish_reasoning(self, parts: list[ReasoningBlock]) -> Events:
        block = joined_parts(parts)
        if block is None:
            return []
        if self.unasked:
            self.needed.append(block)
            return []
        return self.finish(block)

    def _whole(self, block: Block) -> Events:
        """A block of which nothing came before."""
        shown = rendered_block(block, self.at, self.so_far)
        if shown is None:
            return []
        if self.silent and shown.block["type"] == "thinking":
            shown = RenderedBlock({**shown.block, "thinking": ""})
        start, deltas = start_and_deltas(shown)
        return [*self._begin_block(start), *map(self._piece, deltas), *self._end_block(shown.block)]


def _nothing(stream: MessagesStream, block: JsonObject) -> Events:
    return []


def _citations(stream: MessagesStream, block: JsonObject) -> Events:
    return [stream._piece({"type": "citations_delta", "citation": each}) for each in block.get("citations") or ()]


def _signature(stream: MessagesStream, block: JsonObject) -> Events:
    signature = block.get("signature")
    return [stream._piece({"type": "signature_delta", "signature": signature})] if signature else []


ENDINGS: Mapping[str, Callable[[MessagesStream, Any], Events]] = {"text": _citations, "thinking": _signature}
"""By type of the open block, what comes at its end."""
