"""A completion -> the reply or the events of the Messages API, with the keys that the API sends.

What Claude says is rendered as the encoder writes it into a later request. A refusal becomes `stop_details`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from langchain_core.utils.json import parse_partial_json

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import (
    Block,
    ForeignBlock,
    InvalidToolCallBlock,
    NativeBlock,
    ReasoningBlock,
    RefusalBlock,
    ServerToolCallBlock,
    ServerToolResultBlock,
    TextBlock,
    ToolCallBlock,
)
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion, json_pieces, pieces, with_own_usage
from langchain_unified.wires._shown import proof_of, reasoning_block
from langchain_unified.wires.anthropic_messages.assistant import ASSISTANT
from langchain_unified.wires.anthropic_messages.blocks import WIRE, EncodeState
from langchain_unified.wires.anthropic_messages.decode import CUT_SHORT
from langchain_unified.wires.anthropic_messages.serve.context_edits import edit_context
from langchain_unified.wires.anthropic_messages.serve.turns import CLAUDES_TURN

STOP_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
    "refusal": "refusal",
    "context_window": "model_context_window_exceeded",
    "pause": "pause_turn",
    "error": "end_turn",
    "other": "end_turn",
}
"""Finish reason -> the API's `stop_reason`. `stop` with a stop sequence is `stop_sequence`."""


# --- blocks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RenderedBlock:
    """A block as a reply has it, and the JSON text that a stream sends as its `input`."""

    block: JsonObject
    arguments: str = ""


Encodable: TypeAlias = TextBlock | ServerToolCallBlock | ServerToolResultBlock
Renderer: TypeAlias = Callable[[Any, int, Completion], RenderedBlock | None]
"""Renders a block of one type, which stands at an index of a completion."""


def rendered_blocks(completion: Completion, body: JsonObject) -> list[RenderedBlock]:
    """The blocks of a reply."""
    hidden = omits_thinking(body)
    found = []
    for index, block in enumerate(completion.blocks):
        rendered = rendered_block(block, index, completion)
        if rendered is not None:
            found.append(_without_thinking(rendered) if hidden else rendered)
    return found


def rendered_block(block: Block, index: int, completion: Completion) -> RenderedBlock | None:
    """A block as a reply has it, at its place in a completion; `None` for one that is not shown."""
    renderer: Renderer = BLOCKS.get(block["type"], _refuse)
    return renderer(block, index, completion)


def omits_thinking(body: JsonObject) -> bool:
    """Whether a request wants the signatures of thinking without its text."""
    return (body.get("thinking") or {}).get("display") == "omitted"


def _without_thinking(rendered: RenderedBlock) -> RenderedBlock:
    if rendered.block.get("type") != "thinking":
        return rendered
    return RenderedBlock({**rendered.block, "thinking": ""})


def _as_encoded(block: Encodable, index: int, completion: Completion) -> RenderedBlock | None:
    """The block that the encoder writes from it in a turn of Claude's."""
    written = ASSISTANT[block["type"]](block, CLAUDES_TURN, EncodeState())
    return None if written is None else _with_arguments(written)


def _text(block: TextBlock, index: int, completion: Completion) -> RenderedBlock:
    return _as_encoded(block, index, completion) or RenderedBlock({"type": "text", "text": block["text"]})


def _with_arguments(value: JsonObject) -> RenderedBlock:
    """A block of the API's; the `input` of a call is also what a stream sends."""
    args = value.get("input")
    return RenderedBlock(value, json.dumps(args, ensure_ascii=False) if isinstance(args, dict) and args else "")


def _native(block: NativeBlock, index: int, completion: Completion) -> RenderedBlock:
    return _with_arguments(block["value"])


def _reasoning(block: ReasoningBlock, index: int, completion: Completion) -> RenderedBlock:
    """Thinking with its signature. Encrypted content without text is redacted thinking, else it is the signature."""
    block = reasoning_block(cast(JsonObject, block))
    extras, thinking = block.get("extras") or {}, block.get("reasoning") or ""
    encrypted = extras.get("encrypted_content") or ""
    if encrypted and not thinking and not extras.get("signature"):
        return RenderedBlock({"type": "redacted_thinking", "data": encrypted})
    return RenderedBlock({"type": "thinking", "thinking": thinking, "signature": proof_of(block)})


def _tool_call(block: ToolCallBlock, index: int, completion: Completion) -> RenderedBlock:
    return _with_arguments(tool_use(block, index, completion, block["args"]))


def tool_use(
    block: ToolCallBlock | InvalidToolCallBlock, index: int, completion: Completion, args: JsonObject | str
) -> JsonObject:
    extras = block.get("extras") or {}
    toolset = {"toolset_name": extras["toolset_name"]} if extras.get("toolset_name") else {}
    return {
        "type": "tool_use",
        "id": block.get("id") or _generated_id(completion, index),
        "name": block.get("name") or "",
        "input": args,
        "caller": extras.get("caller") or {"type": "direct"},
        **toolset,
    }


def _generated_id(completion: Completion, index: int) -> str:
    return f"toolu_{hashlib.sha256(f'{completion.id} {index}'.encode()).hexdigest()[:24]}"


def _invalid_call(block: InvalidToolCallBlock, index: int, completion: Completion) -> RenderedBlock:
    """A call whose arguments are not an object. Of a cut one the API closes the brackets, so `input` is an object."""
    args = block.get("args") or ""
    text = args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)
    cut = STOP_REASONS[completion.finish_reason] in CUT_SHORT and block is completion.blocks[-1]
    return RenderedBlock(tool_use(block, index, completion, _closed(text) if cut else text), text)


def _closed(text: str) -> JsonObject:
    """What was generated of an object, `{}` for nothing."""
    try:
        value = parse_partial_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refusal(block: RefusalBlock, index: int, completion: Completion) -> RenderedBlock | None:
    """A text; nothing if the answer ends as a refusal, which `stop_details` explains."""
    refused = STOP_REASONS[completion.finish_reason] == "refusal"
    return None if refused else RenderedBlock({"type": "text", "text": block.get("refusal") or ""})


def _leave_out(block: ForeignBlock, index: int, completion: Completion) -> None:
    """Leave out what another provider's model wrote."""


def _refuse(block: Block, index: int, completion: Completion) -> RenderedBlock | None:
    raise UnsupportedContentError(
        f"The Messages API cannot answer with a {block['type']!r} block. It has text, reasoning, tool_call, "
        "server_tool_call, server_tool_result, refusal, and any block of its own as native."
    )


BLOCKS: Mapping[str, Renderer] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _tool_call,
    "invalid_tool_call": _invalid_call,
    "refusal": _refusal,
    "native": _native,
    "server_tool_call": _as_encoded,
    "server_tool_result": _as_encoded,
    "foreign": _leave_out,
}


# --- a reply ----------------------------------------------------------------------------------------------------------


def render_reply(completion: Completion, body: JsonObject) -> JsonObject:
    """The reply to a body."""
    rendered = rendered_blocks(completion, body)
    return {
        **reply_head(completion),
        "content": [each.block for each in rendered],
        **stop_of(completion),
        **context_management(completion, body),
        "usage": usage_of(completion, body, [each.block for each in rendered]),
    }


def reply_head(completion: Completion) -> JsonObject:
    return {"model": completion.model, "id": completion.id, "type": "message", "role": "assistant"}


def stop_of(completion: Completion) -> JsonObject:
    reason = STOP_REASONS[completion.finish_reason]
    at_sequence = reason == "end_turn" and completion.stop_sequence is not None
    return {
        "stop_reason": "stop_sequence" if at_sequence else reason,
        "stop_sequence": completion.stop_sequence if at_sequence else None,
        "stop_details": _details(completion) if reason == "refusal" else None,
    }


def _details(completion: Completion) -> JsonObject:
    texts = [block.get("refusal") or "" for block in completion.blocks if block["type"] == "refusal"]
    return {"type": "refusal", "category": None, "explanation": "".join(texts) or None}


def context_management(completion: Completion, body: JsonObject) -> JsonObject:
    """The edits of the context that a request asks for. Another provider makes none."""
    if not body.get("context_management"):
        return {}
    return {"context_management": {"applied_edits": [] if completion.upstream else edit_context(body)[1]}}


def usage_of(completion: Completion, body: JsonObject, blocks: Iterable[JsonObject]) -> JsonObject:
    """What an answer used."""
    counted = {**_input_usage(completion), **_output_usage(completion, blocks), **_service(completion, body)}
    return with_own_usage(counted, completion, WIRE)


def _input_usage(completion: Completion) -> JsonObject:
    tokens = completion.tokens
    return {
        "input_tokens": tokens.uncached,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_short,
            "ephemeral_1h_input_tokens": tokens.cache_write_long,
        },
    }


def _output_usage(completion: Completion, blocks: Iterable[JsonObject]) -> JsonObject:
    names = [block.get("name") for block in blocks if block.get("type") == "server_tool_use"]
    requests = {f"{name}_requests": names.count(name) for name in ("web_search", "web_fetch")}
    return {
        "output_tokens": completion.tokens.output,
        "output_tokens_details": {"thinking_tokens": completion.tokens.reasoning},
        **({"server_tool_use": requests} if names else {}),
    }


TIERS: Mapping[str | None, str] = {"default": "standard", "standard": "standard", "priority": "priority"}
"""OpenAI's tiers and the API's own -> the API's. It has none for the others."""


def _service(completion: Completion, body: JsonObject) -> JsonObject:
    """The tier of the answer; what the API adds to it is as the request has it."""
    if completion.upstream is not None:
        return {"service_tier": TIERS.get(completion.upstream.service_tier), "inference_geo": None}
    speed = {"speed": body["speed"]} if body.get("speed") else {}
    return {"service_tier": "standard", "inference_geo": body.get("inference_geo") or "global", **speed}


# --- a stream ---------------------------------------------------------------------------------------------------------


def render_events(completion: Completion, body: JsonObject) -> Iterator[JsonObject]:
    """The events of an answer in their order. A `ping` follows the start of the first block."""
    rendered = rendered_blocks(completion, body)
    yield {"type": "message_start", "message": started(completion, body)}
    if not rendered:
        yield {"type": "ping"}
    for index, each in enumerate(rendered):
        start, deltas = start_and_deltas(each)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    totals = {key: value for key, value in _input_usage(completion).items() if key != "cache_creation"}
    usage = {**totals, **_output_usage(completion, [each.block for each in rendered])}
    yield {
        "type": "message_delta",
        "delta": stop_of(completion),
        "usage": usage,
        **context_management(completion, body),
    }
    yield {"type": "message_stop"}


def started(completion: Completion, body: JsonObject) -> JsonObject:
    """The message before its first block. Its usage counts the whole input and one token of the output."""
    empty: JsonObject = {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    counted = {**_input_usage(completion), "output_tokens": min(1, completion.tokens.output)}
    return {**reply_head(completion), **empty, "usage": {**counted, **_service(completion, body)}}


def start_and_deltas(rendered: RenderedBlock) -> tuple[JsonObject, Iterator[JsonObject]]:
    """A block as it starts, and its deltas. Blocks other than calls, thinking and text start complete."""
    block, kind = rendered.block, rendered.block.get("type")
    if "input" in block:
        return {**block, "input": {}}, _input_deltas(rendered.arguments)
    if kind == "thinking":
        return {**block, "thinking": "", "signature": ""}, _thinking_deltas(block)
    if kind == "text":
        cited: JsonObject = {"citations": []} if block.get("citations") else {}
        return {**block, "text": "", **cited}, _text_deltas(block)
    return block, iter(())


def _input_deltas(arguments: str) -> Iterator[JsonObject]:
    yield {"type": "input_json_delta", "partial_json": ""}
    for piece in json_pieces(arguments):
        yield {"type": "input_json_delta", "partial_json": piece}


def _thinking_deltas(block: JsonObject) -> Iterator[JsonObject]:
    for piece in pieces(block.get("thinking") or ""):
        yield {"type": "thinking_delta", "thinking": piece}
    if block.get("signature"):
        yield {"type": "signature_delta", "signature": block["signature"]}


def _text_deltas(block: JsonObject) -> Iterator[JsonObject]:
    """The citations come before their text."""
    for citation in block.get("citations") or ():
        yield {"type": "citations_delta", "citation": citation}
    for piece in pieces(block["text"]):
        yield {"type": "text_delta", "text": piece}
