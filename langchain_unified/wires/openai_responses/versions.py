"""A Responses message in the forms that langchain-openai calls `output_version`: `v0` and `responses/v1`.

`responses/v1`: content is a list of blocks, each text with its `annotations` and the `id` of its item. `v0`: content
has the texts; `additional_kwargs` has `reasoning`, `refusal`, the items of the provider's tools (`tool_outputs`), and
the item ids of function calls by call id. `messages/output_v0.py` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.messages.output_v0 import FUNCTION_CALL_IDS
from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import StreamDecoder
from langchain_unified.wires.openai_responses.decode import item_blocks, output_of
from langchain_unified.wires.openai_responses.stream import ResponsesStream

Message = TypeVar("Message", bound=AIMessage)


def in_version(message: AIMessage, reply: JsonObject, version: str | None) -> AIMessage:
    """The message of a reply in an output version; in the neutral form where that is `None`.

    `v1` is `responses/v1` here: core makes standard blocks of it.
    """
    if version is None:
        return message
    if isinstance(message.content, str):
        message.content = [block for item in output_of(reply) for block in item_blocks(item)]
    for block in message.content:
        if isinstance(block, dict) and block.get("type") == "text":
            block.setdefault("annotations", [])
    return as_v0(message) if version == "v0" else message


def decoder_in_version(decoder: StreamDecoder, version: str | None) -> StreamDecoder:
    """The decoder of a stream whose chunks are in an output version."""
    if version is None or not isinstance(decoder, ResponsesStream):
        return decoder
    decoder.annotate()
    return V0Decoder(decoder) if version == "v0" else decoder


TOOL_OUTPUTS = frozenset({"web_search_call", "file_search_call", "computer_call", "code_interpreter_call", "mcp_call",
                          "mcp_list_tools", "mcp_approval_request", "image_generation_call", "tool_search_call",
                          "tool_search_output", "apply_patch_call", "apply_patch_call_output"})  # fmt: skip
"""What langchain-openai moves out of the content. Other items stay in it, in both packages."""


def as_v0(message: Message) -> Message:
    """The message, or a chunk of one, without reasoning, refusals and tool items in its content."""
    if isinstance(message.content, str):
        return message
    kwargs = message.additional_kwargs
    texts: list[str | JsonObject] = []
    for block in message.content:
        kind = block.get("type") if isinstance(block, dict) else "text"
        if not isinstance(block, dict):
            texts.append(block)
        elif kind == "reasoning":
            kwargs["reasoning"] = {key: value for key, value in block.items() if key != "index"}
        elif kind == "refusal":
            kwargs["refusal"] = kwargs.get("refusal", "") + (block.get("refusal") or "")
        elif kind == "function_call":
            if block.get("id") and block.get("call_id"):
                kwargs.setdefault(FUNCTION_CALL_IDS, {})[block["call_id"]] = block["id"]
        elif kind in TOOL_OUTPUTS:
            kwargs.setdefault("tool_outputs", []).append(block)
        else:
            texts.append(block)
    message.content = texts
    return message


class V0Decoder(StreamDecoder):
    """A stream decoder whose chunks are in the form `v0`."""

    def __init__(self, decoder: StreamDecoder) -> None:
        self.decoder = decoder
        self.has_reasoning = False
        self.reserved: dict[int, str] = {}
        """The place of an item whose first chunk had its type alone -> the type. The second chunk has the rest."""

    def feed(self, event: JsonObject) -> Iterable[AIMessageChunk]:
        return map(self._converted, self.decoder.feed(event))

    def end(self, *, ended: bool = False) -> Iterable[AIMessageChunk]:
        return map(self._converted, self.decoder.end(ended=ended))

    def close(self) -> None:
        self.decoder.close()

    def has_finished(self) -> bool:
        return self.decoder.has_finished()

    def _converted(self, chunk: AIMessageChunk) -> AIMessageChunk:
        if isinstance(chunk.content, list):
            chunk.content = [complete for block in chunk.content if (complete := self._complete(block)) is not None]
        chunk = as_v0(chunk)
        reasoning: dict[str, Any] | None = chunk.additional_kwargs.get("reasoning")
        if reasoning is not None and self.has_reasoning:
            # LangChain joins the texts of merged objects, of these two as well.
            for key in ("id", "type"):
                reasoning.pop(key, None)
        self.has_reasoning = self.has_reasoning or reasoning is not None
        return chunk

    def _complete(self, block: Any) -> Any:
        """An item in one piece, because lists in `additional_kwargs` are not merged by type; `None` before it."""
        if block.get("type") in TOOL_OUTPUTS and block.keys() == {"type", "id", "index"}:
            self.reserved[block["index"]] = block["type"]
            return None
        kind = None if "type" in block else self.reserved.get(block.get("index"))
        return {"type": kind, **block} if kind else block
