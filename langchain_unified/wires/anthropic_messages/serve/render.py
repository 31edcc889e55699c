"""The mirror of the codec: what a server reads and says. An emulator stands on it.

`read_request` turns a body into a `Request`; `render_reply` and `render_events` turn a `Completion` into the reply and
the events that the API would send for that body, with the keys that it sends. What Claude says goes out as the encoder
writes it into a later request; a refusal stands in `stop_details`, as the API tells it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.utils.json import parse_partial_json

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.request import Block, JsonObject
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion, json_pieces, pieces
from langchain_unified.wires.anthropic_messages.assistant import ASSISTANT
from langchain_unified.wires.anthropic_messages.blocks import Job
from langchain_unified.wires.anthropic_messages.decode import CUT_SHORT
from langchain_unified.wires.anthropic_messages.serve.read import read_request
from langchain_unified.wires.anthropic_messages.serve.turns import OWN

__all__ = ["read_request", "render_events", "render_reply"]

STOP: Mapping[FinishReason, str] = {
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
"""The API's word for each reason; `stop` at a stop sequence is `stop_sequence`."""


# --- what is said -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """A block as a whole reply has it, and the text that a stream sends as its `input`."""

    block: JsonObject
    arguments: str = ""


def _say(completion: Completion, body: JsonObject) -> list[_Said]:
    found = []
    for index, block in enumerate(completion.blocks):
        said = BLOCKS.get(block["type"], _refuse)(block, index, completion)
        if said is not None:
            found.append(said)
    return [_silenced(said) for said in found] if _hides_thinking(body) else found


def _hides_thinking(body: JsonObject) -> bool:
    return (body.get("thinking") or {}).get("display") == "omitted"


def _silenced(said: _Said) -> _Said:
    return _Said({**said.block, "thinking": ""}) if said.block.get("type") == "thinking" else said


Renderer = Callable[[Block, int, Completion], "_Said | None"]


def _as_encoded(block: Block, index: int, completion: Completion) -> _Said | None:
    """What the encoder writes of it as Claude's own words."""
    written = ASSISTANT[block["type"]](block, OWN, Job())
    return None if written is None else _own(written)


def _text(block: Block, index: int, completion: Completion) -> _Said:
    return _as_encoded(block, index, completion) or _Said({"type": "text", "text": block["text"]})


def _own(value: JsonObject) -> _Said:
    """A block of the API's: where it is a call, its `input` streams."""
    asked = value.get("input")
    return _Said(value, json.dumps(asked, ensure_ascii=False) if isinstance(asked, dict) and asked else "")


def _native(block: Block, index: int, completion: Completion) -> _Said:
    return _own(block["value"])


def _reasoning(block: Block, index: int, completion: Completion) -> _Said:
    """Thinking with its proof of origin; a proof without words is a redacted one."""
    extras, words = block.get("extras") or {}, block.get("reasoning") or ""
    sealed = extras.get("encrypted_content") or ""
    if sealed and not words and not extras.get("signature"):
        return _Said({"type": "redacted_thinking", "data": sealed})
    return _Said({"type": "thinking", "thinking": words, "signature": extras.get("signature") or sealed})


def _call(block: Block, index: int, completion: Completion) -> _Said:
    return _own(_tool_use(block, index, completion, block["args"]))


def _tool_use(block: Block, index: int, completion: Completion, args: Any) -> JsonObject:
    extras = block.get("extras") or {}
    toolset = {"toolset_name": extras["toolset_name"]} if extras.get("toolset_name") else {}
    return {
        "type": "tool_use",
        "id": block.get("id") or _made_up_id(completion, index),
        "name": block.get("name") or "",
        "input": args,
        "caller": extras.get("caller") or {"type": "direct"},
        **toolset,
    }


def _made_up_id(completion: Completion, index: int) -> str:
    return f"toolu_{hashlib.sha256(f'{completion.id} {index}'.encode()).hexdigest()[:24]}"


def _broken_call(block: Block, index: int, completion: Completion) -> _Said:
    """A call whose arguments are no object. Of one that was cut, a whole reply has what had come of its `input`."""
    args = block.get("args") or ""
    text = args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)
    cut = STOP[completion.finish_reason] in CUT_SHORT and block is completion.blocks[-1]
    return _Said(_tool_use(block, index, completion, _so_far(text) if cut else text), text)


def _so_far(text: str) -> JsonObject:
    try:
        value = parse_partial_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refusal(block: Block, index: int, completion: Completion) -> _Said | None:
    """Words, unless the answer ends as a refusal: then `stop_details` explains it."""
    refused = STOP[completion.finish_reason] == "refusal"
    return None if refused else _Said({"type": "text", "text": block.get("refusal") or ""})


def _silent(block: Block, index: int, completion: Completion) -> None:
    """What another provider wrote."""


def _refuse(block: Block, index: int, completion: Completion) -> _Said | None:
    raise UnsupportedContentError(
        f"The Messages API cannot answer with a {block['type']!r} block. It has text, reasoning, tool_call, "
        "server_tool_call, server_tool_result, refusal, and as native any block of its own."
    )


BLOCKS: Mapping[str, Renderer] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _call,
    "invalid_tool_call": _broken_call,
    "refusal": _refusal,
    "native": _native,
    "server_tool_call": _as_encoded,
    "server_tool_result": _as_encoded,
    "foreign": _silent,
}


# --- a whole reply ----------------------------------------------------------------------------------------------------


def render_reply(completion: Completion, body: JsonObject) -> JsonObject:
    """The reply to a body."""
    said = _say(completion, body)
    return {
        **_head(completion),
        "content": [each.block for each in said],
        **_end(completion),
        **_context(body),
        "usage": {**_input_usage(completion), **_output_usage(completion, said), **_place(body)},
    }


def _head(completion: Completion) -> JsonObject:
    return {"model": completion.model, "id": completion.id, "type": "message", "role": "assistant"}


def _end(completion: Completion) -> JsonObject:
    reason = STOP[completion.finish_reason]
    at_sequence = reason == "end_turn" and completion.stop_sequence is not None
    return {
        "stop_reason": "stop_sequence" if at_sequence else reason,
        "stop_sequence": completion.stop_sequence if at_sequence else None,
        "stop_details": _details(completion) if reason == "refusal" else None,
    }


def _details(completion: Completion) -> JsonObject:
    words = [block.get("refusal") or "" for block in completion.blocks if block["type"] == "refusal"]
    return {"type": "refusal", "category": None, "explanation": "".join(words) or None}


def _context(body: JsonObject) -> JsonObject:
    return {"context_management": {"applied_edits": []}} if body.get("context_management") else {}


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


def _output_usage(completion: Completion, said: list[_Said]) -> JsonObject:
    names = [each.block.get("name") for each in said if each.block.get("type") == "server_tool_use"]
    requests = {f"{name}_requests": names.count(name) for name in ("web_search", "web_fetch")}
    return {
        "output_tokens": completion.tokens.output,
        "output_tokens_details": {"thinking_tokens": completion.tokens.reasoning},
        **({"server_tool_use": requests} if names else {}),
    }


def _place(body: JsonObject) -> JsonObject:
    """How and where the answer was made, as far as the request says."""
    speed = {"speed": body["speed"]} if body.get("speed") else {}
    return {"service_tier": "standard", "inference_geo": body.get("inference_geo") or "global", **speed}


# --- a stream ---------------------------------------------------------------------------------------------------------


def render_events(completion: Completion, body: JsonObject) -> Iterator[JsonObject]:
    """The events of an answer in their order. A `ping` stands after the first block's start."""
    said = _say(completion, body)
    yield {"type": "message_start", "message": _started(completion, body)}
    if not said:
        yield {"type": "ping"}
    for index, each in enumerate(said):
        start, deltas = _parts(each)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    totals = {key: value for key, value in _input_usage(completion).items() if key != "cache_creation"}
    usage = {**totals, **_output_usage(completion, said)}
    yield {"type": "message_delta", "delta": _end(completion), "usage": usage, **_context(body)}
    yield {"type": "message_stop"}


def _started(completion: Completion, body: JsonObject) -> JsonObject:
    """The message before its first block: all of the input is counted, and the first token of the output."""
    nothing: JsonObject = {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    counted = {**_input_usage(completion), "output_tokens": min(1, completion.tokens.output)}
    return {**_head(completion), **nothing, "usage": {**counted, **_place(body)}}


def _parts(said: _Said) -> tuple[JsonObject, Iterator[JsonObject]]:
    """A block as it starts, and what is added to it. A block that is not said word by word starts whole."""
    kind = said.block.get("type")
    if "input" in said.block:
        return {**said.block, "input": {}}, _input_deltas(said.arguments)
    if kind == "thinking":
        return {**said.block, "thinking": "", "signature": ""}, _thinking_deltas(said.block)
    if kind == "text":
        cited: JsonObject = {"citations": []} if said.block.get("citations") else {}
        return {**said.block, "text": "", **cited}, _text_deltas(said.block)
    return said.block, iter(())


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
    """The citations come before the words that they stand for."""
    for citation in block.get("citations") or ():
        yield {"type": "citations_delta", "citation": citation}
    for piece in pieces(block["text"]):
        yield {"type": "text_delta", "text": piece}
