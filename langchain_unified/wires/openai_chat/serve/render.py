"""The mirror of the codec: what a server reads and says. An emulator stands on it.

`read_request` turns a body into a `Request`; `render_reply` and `render_events` turn a `Completion` into the reply and
the events that the API would send for that body, with the keys that it sends. This API never shows reasoning, the calls
of server tools and their results: such blocks are not rendered, only counted in the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.request import Block, JsonObject
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion, json_pieces, pieces
from langchain_unified.wires.openai_chat.assistant import CUSTOM_ARGUMENT
from langchain_unified.wires.openai_chat.blocks import compact
from langchain_unified.wires.openai_chat.decode import made_up_id
from langchain_unified.wires.openai_chat.serve.read import read_request

__all__ = ["read_request", "render_events", "render_replies", "render_reply"]

FINISH: Mapping[FinishReason, str] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "context_window": "length",
    "pause": "stop",
    "error": "stop",
    "other": "stop",
}
"""The API's word for each reason. Of a refusal that it can show, in `refusal`, it says `stop`."""


# --- what is said -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Said:
    """An assistant message as the API tells it. `calls` are entries of `tool_calls`."""

    reply_id: str
    custom: frozenset[str]
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    annotations: list[JsonObject] = field(default_factory=list)
    calls: list[JsonObject] = field(default_factory=list)
    audio: JsonObject | None = None

    @property
    def content(self) -> str | None:
        """The text; `None` where the API gives something else instead of it."""
        return "".join(self.texts) if self.texts or not (self.refusals or self.calls or self.audio) else None

    @property
    def refusal(self) -> str | None:
        return "".join(self.refusals) if self.refusals else None


def _say(completion: Completion, body: JsonObject) -> _Said:
    said = _Said(completion.id, _custom_names(body))
    for block in completion.blocks:
        BLOCKS.get(block["type"], _refuse)(said, block)
    return said


def _custom_names(body: JsonObject) -> frozenset[str]:
    return frozenset(tool["custom"]["name"] for tool in body.get("tools") or () if tool.get("type") == "custom")


def _text(said: _Said, block: Block) -> None:
    offset = sum(map(len, said.texts))
    said.texts.append(block["text"])
    said.annotations.extend(found for item in block.get("annotations") or () for found in _annotation(item, offset))


def _annotation(citation: JsonObject, offset: int) -> Iterable[JsonObject]:
    """A citation of a page on the web as the API has it, in the whole text; of anything else it has none."""
    if citation.get("type") == "non_standard_annotation":
        return [citation["value"]]
    if not citation.get("url"):
        return []
    start, end = citation.get("start_index") or 0, citation.get("end_index") or 0
    place = {"start_index": start + offset, "end_index": end + offset}
    found = {**place, "title": citation.get("title") or "", "url": citation["url"]}
    return [{"type": "url_citation", "url_citation": found}]


def _refusal(said: _Said, block: Block) -> None:
    said.refusals.append(block["refusal"])


def _call(said: _Said, block: Block) -> None:
    args = block["args"]
    if block["name"] in said.custom and set(args) == {CUSTOM_ARGUMENT}:
        custom = {"name": block["name"], "input": str(args[CUSTOM_ARGUMENT])}
        said.calls.append({"id": _call_id(said, block), "type": "custom", "custom": custom})
    else:
        said.calls.append(_function(said, block, compact(args)))


def _broken_call(said: _Said, block: Block) -> None:
    said.calls.append(_function(said, block, block.get("args") or ""))


def _function(said: _Said, block: Block, arguments: str) -> JsonObject:
    function = {"name": block.get("name") or "", "arguments": arguments}
    return {"id": _call_id(said, block), "type": "function", "function": function}


def _call_id(said: _Said, block: Block) -> str:
    return str(block.get("id") or made_up_id(said.reply_id, len(said.calls)))


def _native(said: _Said, block: Block) -> None:
    value = block["value"]
    if value.get("type") in ("function", "custom"):
        said.calls.append({**value, "id": _call_id(said, value)})
    elif value.get("type") == "audio":
        said.audio = {key: item for key, item in value.items() if key != "type"}
    else:
        _refuse(said, {"type": value.get("type", "native")})


def _silent(said: _Said, block: Block) -> None:
    """The API does not show it."""


def _refuse(said: _Said, block: Block) -> None:
    raise UnsupportedContentError(
        f"Chat Completions cannot answer with a {block['type']!r} block. It has text, tool_call, refusal, and as "
        "native a tool call or {'type': 'audio', 'id', 'data', 'expires_at', 'transcript'}."
    )


BLOCKS: Mapping[str, Callable[[_Said, Block], None]] = {
    "text": _text,
    "refusal": _refusal,
    "tool_call": _call,
    "invalid_tool_call": _broken_call,
    "native": _native,
    "reasoning": _silent,
    "server_tool_call": _silent,
    "server_tool_result": _silent,
    "foreign": _silent,
}


# --- a whole reply ----------------------------------------------------------------------------------------------------


def render_reply(completion: Completion, body: JsonObject) -> JsonObject:
    """The reply to a body that asks for one answer."""
    return render_replies([completion], body)


def render_replies(completions: Sequence[Completion], body: JsonObject) -> JsonObject:
    """The reply to a body that asks for several answers (`n`): a choice for each completion.

    Id, model, time and input are those of the first one.
    """
    return {
        **_head("chat.completion", completions[0], body),
        "choices": [_choice(position, completion, body) for position, completion in enumerate(completions)],
        "usage": _usage(completions),
    }


def _head(kind: str, completion: Completion, body: JsonObject) -> JsonObject:
    tier = body.get("service_tier") or "auto"
    return {
        "id": completion.id,
        "object": kind,
        "created": completion.created,
        "model": completion.model,
        "service_tier": "default" if tier == "auto" else tier,
        "system_fingerprint": None,
    }


def _choice(position: int, completion: Completion, body: JsonObject) -> JsonObject:
    said = _say(completion, body)
    message: JsonObject = {"role": "assistant", "content": said.content, "refusal": said.refusal}
    if said.calls:
        message["tool_calls"] = said.calls
    if said.audio is not None:
        message["audio"] = said.audio
    message["annotations"] = said.annotations
    return {"index": position, "message": message, "finish_reason": _finish(completion, said)}


def _finish(completion: Completion, said: _Said) -> str:
    if completion.finish_reason == "refusal" and said.refusals:
        return "stop"
    return FINISH[completion.finish_reason]


def _usage(completions: Sequence[Completion]) -> JsonObject:
    tokens = completions[0].tokens
    output = sum(completion.tokens.output for completion in completions)
    received = {"cached_tokens": tokens.cache_read, "audio_tokens": 0}
    # Recorded only from models that charge for it.
    written = {"cache_write_tokens": tokens.cache_write} if tokens.cache_write else {}
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": output,
        "total_tokens": tokens.input + output,
        "prompt_tokens_details": {**received, **written},
        "completion_tokens_details": {
            "reasoning_tokens": sum(completion.tokens.reasoning for completion in completions),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


# --- a stream ---------------------------------------------------------------------------------------------------------


def render_events(completion: Completion, body: JsonObject) -> Iterator[JsonObject]:
    """The events of one answer in their order, without the closing `[DONE]`, which is not JSON."""
    options = body.get("stream_options") or {}
    said = _say(completion, body)
    head = _head("chat.completion.chunk", completion, body)
    tail: JsonObject = {"usage": None} if options.get("include_usage") else {}
    padded = options.get("include_obfuscation") is not False

    def event(choices: list[JsonObject], size: int = 0, **more: Any) -> JsonObject:
        padding = {"obfuscation": _padding(size)} if padded else {}
        return {**head, "choices": choices, **tail, **more, **padding}

    for delta in _deltas(said):
        yield event([_part(delta, None)], _size(delta))
    yield event([_part({}, _finish(completion, said))])
    if tail:
        yield event([], usage=_usage([completion]))


def _part(delta: JsonObject, finish: str | None) -> JsonObject:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _deltas(said: _Said) -> Iterator[JsonObject]:
    first: JsonObject = {"role": "assistant", "content": "" if said.content is not None else None, "refusal": None}
    starts = [_opened(index, call) for index, call in enumerate(said.calls)]
    # A single call opens with the message; of several, each opens by itself.
    together = len(said.calls) == 1 and said.content is None
    yield {**first, "tool_calls": starts} if together else first
    yield from ({"content": piece} for piece in pieces(said.content or ""))
    yield from ({"refusal": piece} for piece in pieces(said.refusal or ""))
    yield from _spoken(said.audio or {})
    for index, call in enumerate(said.calls):
        if not together:
            yield {"tool_calls": [starts[index]]}
        yield from ({"tool_calls": [fragment]} for fragment in _fragments(index, call))
    if said.annotations:
        yield {"annotations": said.annotations}


# Under which key the arguments of a call of each type stand.
ARGUMENTS = {"function": "arguments", "custom": "input"}


def _opened(index: int, call: JsonObject) -> JsonObject:
    """A call's first piece: its identity, and no arguments yet."""
    kind = call["type"]
    return {"index": index, "id": call["id"], "type": kind, kind: {"name": call[kind]["name"], ARGUMENTS[kind]: ""}}


def _fragments(index: int, call: JsonObject) -> Iterator[JsonObject]:
    kind = call["type"]
    key = ARGUMENTS[kind]
    yield from ({"index": index, kind: {key: piece}} for piece in json_pieces(call[kind][key]))


def _spoken(audio: JsonObject) -> Iterator[JsonObject]:
    """An audio in the order of a stream: id, transcript, data, and at the end its expiry."""
    flowing = {"transcript": pieces, "data": json_pieces}
    if "id" in audio:
        yield {"audio": {"id": audio["id"]}}
    for key, cut in flowing.items():
        yield from ({"audio": {key: piece}} for piece in cut(audio.get(key) or ""))
    if "expires_at" in audio:
        yield {"audio": {"expires_at": audio["expires_at"]}}


PADDED = 16
PADDING = "kT4vQm9ZxB2rLw7N"


def _size(delta: JsonObject) -> int:
    text = delta.get("content") or delta.get("refusal") or ""
    return len(text)


def _padding(size: int) -> str:
    """What hides a piece's size: the API fills up with random characters, we always with the same."""
    return PADDING[: -size % PADDED]
