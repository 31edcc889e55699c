"""Reasoning that servers give beside a Chat Completions message, as a block that carries its proof, and back.

Some of these servers refuse a tool loop whose calls come back without their reasoning (DeepSeek, Kimi).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.gateway.crossing.proofs import Proofs
from langchain_unified.messages.server_reasoning import DETAILS, TEXT
from langchain_unified.request import Dialect, JsonObject
from langchain_unified.request.blocks import ReasoningBlock
from langchain_unified.wires.openai_chat.reasoning import add_details

INDEX = "lc_reasoning"
"""The index of the block in the chunks of a stream. Core merges blocks by a text that begins like this."""


def sealed_message(message: AIMessage, proofs: Proofs) -> AIMessage:
    """The message with its reasoning as a block before its text; the same object where it has none."""
    held = _held(message.additional_kwargs)
    if not held:
        return message
    text = [{"type": "text", "text": message.content}] if message.content else []
    content = [_block(held, proofs), *(text if isinstance(message.content, str) else message.content)]
    return message.model_copy(update={"content": content, "additional_kwargs": _without(message.additional_kwargs)})


def _held(kwargs: JsonObject) -> JsonObject:
    """What is sealed: the text, and the parts of a server that gives them."""
    return {name: kwargs[key] for name, key in (("text", TEXT), ("details", DETAILS)) if kwargs.get(key)}


def _block(held: JsonObject, proofs: Proofs) -> JsonObject:
    seal = proofs.seal(held)
    return {"type": "reasoning", "reasoning": held.get("text", ""), **({"extras": {"signature": seal}} if seal else {})}


def _without(kwargs: JsonObject) -> JsonObject:
    return {key: value for key, value in kwargs.items() if key not in (TEXT, DETAILS)}


@dataclass(slots=True)
class SealedStream:
    """The chunks of one stream with their reasoning as a block, whose proof comes when the reasoning has ended."""

    proofs: Proofs
    texts: list[str] = field(default_factory=list)
    details: list[Any] = field(default_factory=list)
    ended: bool = False

    def feed(self, chunk: AIMessageChunk) -> AIMessageChunk:
        """The chunk as the client must see it. From the first reasoning on, every chunk has a list of blocks."""
        kwargs = chunk.additional_kwargs
        text, details = kwargs.get(TEXT), kwargs.get(DETAILS)
        self.texts += [text] if text else []
        add_details(self.details, details or ())
        if not self._has_reasoned():
            return chunk
        content = chunk.content if isinstance(chunk.content, list) else []
        if isinstance(chunk.content, str) and chunk.content:
            content = [{"type": "text", "text": chunk.content, "index": "text"}]
        update = {"content": [*self._pieces(chunk, str(text or "")), *content], "additional_kwargs": _without(kwargs)}
        return chunk.model_copy(update=update)

    def _pieces(self, chunk: AIMessageChunk, text: str) -> Iterator[JsonObject]:
        piece: JsonObject = {"type": "reasoning", "index": INDEX}
        if text:
            yield {**piece, "reasoning": text}
        is_last = chunk.response_metadata.keys() - {"model_provider"}
        if not self.ended and self._has_reasoned() and (chunk.content or chunk.tool_call_chunks or is_last):
            self.ended = True
            held = {"text": "".join(self.texts), "details": self.details}
            seal = self.proofs.seal({key: value for key, value in held.items() if value})
            yield {**piece, **({"extras": {"signature": seal}} if seal else {})}

    def _has_reasoned(self) -> bool:
        return bool(self.texts or self.details)


def opened_block(held: JsonObject, dialect: Dialect) -> ReasoningBlock:
    """The block of which the wire makes the fields that the server takes back."""
    text = str(held.get("text") or "")
    fields: JsonObject = {dialect.reasoning_field or TEXT: text}
    if held.get("details"):
        fields = {DETAILS: held["details"]}
    return cast(ReasoningBlock, {"type": "reasoning", "reasoning": text, "extras": {"fields": fields}})
