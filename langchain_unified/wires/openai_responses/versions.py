"""A Responses message in the forms that langchain-openai calls `output_version`: `v0` and `responses/v1`.

`responses/v1`: content is a list of blocks, each text with its `annotations` and the `id` of its item. `v0`: content
has the text alone; `additional_kwargs` has `reasoning`, `refusal`, the items of the provider's tools (`tool_outputs`),
and the item ids of function calls by call id. `messages/output_v0.py` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.messages.output_v0 import FUNCTION_CALL_IDS
from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import StreamDecoder
from langchain_unified.wires.openai_responses.decode import item_blocks, output_of

Message = TypeVar("Message", bound=AIMessage)


def as_responses_v1(message: AIMessage, reply: JsonObject) -> AIMessage:
    """The message with its content as a list of blocks."""
    if isinstance(message.content, str):
        message.content = [block for item in output_of(reply) for block in item_blocks(item)]
    for block in message.content:
        if isinstance(block, dict) and block.get("type") == "text":
            block.setdefault("annotations", [])
    return message


def as_v0(message: Message) -> Message:
    """The message, or a chunk of one, with text alone in its content."""
    if isinstance(message.content, str):
        return message
    kwargs, texts = message.additional_kwargs, []
    for block in message.content:
        kind = block.get("type") if isinstance(block, dict) else "text"
        if not isinstance(block, dict) or kind in ("text", None):
            texts.append(block)
        elif kind == "reasoning":
            kwargs["reasoning"] = {key: value for key, value in block.items() if key != "index"}
        elif kind == "refusal":
            kwargs["refusal"] = kwargs.get("refusal", "") + (block.get("refusal") or "")
        elif kind == "function_call":
            if block.get("id") and block.get("call_id"):
                kwargs.setdefault(FUNCTION_CALL_IDS, {})[block["call_id"]] = block["id"]
        else:
            kwargs.setdefault("tool_outputs", []).append(block)
    message.content = texts
    return message


class V0Decoder:
    """A stream decoder whose chunks are in the form `v0`."""

    def __init__(self, decoder: StreamDecoder) -> None:
        self.decoder = decoder
        self.close = decoder.close
        self.has_finished = decoder.has_finished
        self.has_reasoning = False

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        """The chunks of one event."""
        return [self._converted(chunk) for chunk in self.decoder.feed(event)]

    def end(self, *, ended: bool = False) -> Iterable[AIMessageChunk]:
        """The chunks that were held back."""
        return [self._converted(chunk) for chunk in self.decoder.end(ended=ended)]

    def _converted(self, chunk: AIMessageChunk) -> AIMessageChunk:
        chunk = as_v0(chunk)
        reasoning: dict[str, Any] | None = chunk.additional_kwargs.get("reasoning")
        if reasoning is not None and self.has_reasoning:
            # LangChain joins the texts of merged objects, of these two as well.
            for key in ("id", "type"):
                reasoning.pop(key, None)
        self.has_reasoning = self.has_reasoning or reasoning is not None
        return chunk
