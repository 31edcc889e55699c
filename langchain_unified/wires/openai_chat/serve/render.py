"""A `Completion` -> the reply or the events that the API would send for a body, with the keys that it sends.

OpenAI never shows reasoning here. Where another provider answered (`completion.upstream`), it is `reasoning_content`,
which clients of such servers read, with its proofs in `thinking_blocks`, which clients of LiteLLM send back. Calls of
server tools and their results are not rendered, only counted in the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.messages.json_text import compact_json
from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.request import JsonObject
from langchain_unified.request.blocks import (
    Block,
    ImageBlock,
    InvalidToolCallBlock,
    NativeBlock,
    ReasoningBlock,
    RefusalBlock,
    TextBlock,
    ToolCallBlock,
)
from langchain_unified.usage import FinishReason
from langchain_unified.wires._completion import Completion, json_pieces, pieces, with_own_usage
from langchain_unified.wires._custom_text import custom_text
from langchain_unified.wires._openai.tiers import service_tier
from langchain_unified.wires._shown import PART_BREAK, proof_of, reasoning_block
from langchain_unified.wires.openai_chat.decode import made_up_id
from langchain_unified.wires.openai_chat.serve.shown import WIRE

FINISH: Mapping[FinishReason, str] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "context_window": "length",
    "pause": "length",
    "error": "stop",
    "other": "stop",
}
"""The API's name of each reason. For a refusal that it can show, in `refusal`, it is `stop`."""


# --- the message ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Draft:
    """An assistant message in the making. `calls` are entries of `tool_calls`."""

    reply_id: str
    custom: frozenset[str]
    extended: bool = False
    """Whether what other providers answer, and OpenAI does not, is shown in the fields that their clients know."""
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    annotations: list[JsonObject] = field(default_factory=list)
    calls: list[JsonObject] = field(default_factory=list)
    audio: JsonObject | None = None
    thoughts: list[str] = field(default_factory=list)
    thinking: list[JsonObject] = field(default_factory=list)
    """The thoughts with their proofs."""
    images: list[JsonObject] = field(default_factory=list)
    logprobs: list[JsonObject] = field(default_factory=list)

    @property
    def content(self) -> str | None:
        """The text; `None` where the message has something else instead."""
        return "".join(self.texts) if self.texts or not (self.refusals or self.calls or self.audio) else None

    @property
    def refusal(self) -> str | None:
        return "".join(self.refusals) if self.refusals else None


def _draft_of(completion: Completion, body: JsonObject) -> Draft:
    draft = Draft(completion.id, custom_names(body), completion.upstream is not None)
    for block in completion.blocks:
        add_block(draft, block)
    return draft


def add_block(draft: Draft, block: Block) -> None:
    """Add what a block is in a message. Raises `UnsupportedContentError` for one that the API has no place for."""
    BLOCKS.get(block["type"], _refuse)(draft, block)


def custom_names(body: JsonObject) -> frozenset[str]:
    """The tools of a request that take a free-form text."""
    return frozenset(tool["custom"]["name"] for tool in body.get("tools") or () if tool.get("type") == "custom")


def _text(draft: Draft, block: TextBlock) -> None:
    offset = sum(map(len, draft.texts))
    draft.texts.append(block["text"])
    draft.annotations.extend(found for item in block.get("annotations") or () for found in annotation(item, offset))
    draft.logprobs.extend(each for each in block.get("logprobs") or () if isinstance(each, dict))


def annotation(citation: JsonObject, offset: int) -> Iterable[JsonObject]:
    """A citation of a web page in the API's form, placed in the whole text; other citations have no form."""
    if citation.get("type") == "non_standard_annotation":
        return [citation["value"]]
    if not citation.get("url"):
        return []
    start, end = citation.get("start_index") or 0, citation.get("end_index") or 0
    place = {"start_index": start + offset, "end_index": end + offset}
    found = {**place, "title": citation.get("title") or "", "url": citation["url"]}
    return [{"type": "url_citation", "url_citation": found}]


def _refusal(draft: Draft, block: RefusalBlock) -> None:
    draft.refusals.append(block["refusal"])


def _call(draft: Draft, block: ToolCallBlock) -> None:
    args = block["args"]
    if block["name"] in draft.custom and set(args) == {CUSTOM_ARGUMENT}:
        custom = {"name": block["name"], "input": str(args[CUSTOM_ARGUMENT])}
        draft.calls.append({"id": _call_id(draft, block), "type": "custom", "custom": custom})
    else:
        draft.calls.append(_function(draft, block, compact_json(args)))


def _broken_call(draft: Draft, block: InvalidToolCallBlock) -> None:
    if draft.extended and block.get("name") in draft.custom:
        custom = {"name": block.get("name"), "input": custom_text(block.get("args") or "")}
        draft.calls.append({"id": _call_id(draft, block), "type": "custom", "custom": custom})
    else:
        draft.calls.append(_function(draft, block, block.get("args") or ""))


def _function(draft: Draft, block: ToolCallBlock | InvalidToolCallBlock, arguments: str) -> JsonObject:
    function = {"name": block.get("name") or "", "arguments": arguments}
    return {"id": _call_id(draft, block), "type": "function", "function": function}


def _call_id(draft: Draft, block: Mapping[str, Any]) -> str:
    return str(block.get("id") or made_up_id(draft.reply_id, len(draft.calls)))


def _native(draft: Draft, block: NativeBlock) -> None:
    value = block["value"]
    if value.get("type") in ("function", "custom"):
        draft.calls.append({**value, "id": _call_id(draft, value)})
    elif value.get("type") == "audio":
        draft.audio = {key: item for key, item in value.items() if key != "type"}
    else:
        _refuse(draft, {"type": value.get("type", "native")})


def _reasoning(draft: Draft, block: ReasoningBlock) -> None:
    if not draft.extended:
        return
    if block.get("reasoning"):
        draft.thoughts.append(block["reasoning"])
    draft.thinking.extend(thinking_block(block))


def thinking_block(block: ReasoningBlock) -> Iterable[JsonObject]:
    """A thought with its proof, in Anthropic's form; nothing for a thought without one."""
    block = reasoning_block(cast(JsonObject, block))
    proof, text = proof_of(block), block.get("reasoning") or ""
    if proof and not text and not (block.get("extras") or {}).get("signature"):
        yield {"type": "redacted_thinking", "data": proof}
    elif proof:
        yield {"type": "thinking", "thinking": text, "signature": proof}


def image_part(block: ImageBlock) -> JsonObject:
    """An image of an answer, in the form of the routers that give one (OpenRouter: `images` of a message)."""
    data = f"data:{block.get('mime_type') or 'image/png'};base64,{block.get('base64')}"
    return {"type": "image_url", "image_url": {"url": data if block.get("base64") else block.get("url") or ""}}


def _image(draft: Draft, block: ImageBlock) -> None:
    if not draft.extended:
        _refuse(draft, block)
    draft.images.append(image_part(block))


def _not_shown(draft: Draft, block: Any) -> None:
    """The API does not show it."""


def _refuse(draft: Draft, block: Any) -> None:
    raise UnsupportedContentError(
        f"Chat Completions cannot answer with a {block['type']!r} block. It has text, tool_call, refusal, and as "
        "native a tool call or {'type': 'audio', 'id', 'data', 'expires_at', 'transcript'}."
    )


BLOCKS: Mapping[str, Callable[[Draft, Any], None]] = {
    "text": _text,
    "refusal": _refusal,
    "tool_call": _call,
    "invalid_tool_call": _broken_call,
    "native": _native,
    "reasoning": _reasoning,
    "image": _image,
    "server_tool_call": _not_shown,
    "server_tool_result": _not_shown,
    "foreign": _not_shown,
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
        **reply_head("chat.completion", completions[0], body),
        "choices": [_choice(position, completion, body) for position, completion in enumerate(completions)],
        "usage": usage_of(completions),
    }


def reply_head(kind: str, completion: Completion, body: JsonObject) -> JsonObject:
    """What a reply and each event of a stream begin with."""
    return {
        "id": completion.id,
        "object": kind,
        "created": completion.created,
        "model": completion.model,
        "service_tier": service_tier(completion, body),
        "system_fingerprint": completion.upstream.system_fingerprint if completion.upstream else None,
    }


def _choice(position: int, completion: Completion, body: JsonObject) -> JsonObject:
    draft = _draft_of(completion, body)
    message: JsonObject = {"role": "assistant", "content": draft.content, "refusal": draft.refusal}
    if draft.calls:
        message["tool_calls"] = draft.calls
    if draft.audio is not None:
        message["audio"] = draft.audio
    message["annotations"] = draft.annotations
    message |= {key: value for key, value in _beside(draft).items() if value}
    choice = {"index": position, "message": message, "finish_reason": finish_of(completion, bool(draft.refusals))}
    logprobs = logprobs_of(completion, draft.logprobs)
    return {**choice, "logprobs": logprobs} if logprobs else choice


def _beside(draft: Draft) -> JsonObject:
    """What OpenAI does not have in a message."""
    thoughts = PART_BREAK.join(draft.thoughts)
    return {"reasoning_content": thoughts, "thinking_blocks": draft.thinking, "images": draft.images}


def finish_of(completion: Completion, refused: bool) -> str:
    """Why the answer ended. `refused`: it shows a refusal."""
    return "stop" if completion.finish_reason == "refusal" and refused else FINISH[completion.finish_reason]


def logprobs_of(completion: Completion, of_texts: list[JsonObject]) -> JsonObject | None:
    """The log probabilities of an answer, which the Responses API has at its texts."""
    found = (completion.upstream.logprobs if completion.upstream else None) or of_texts
    return {"content": found, "refusal": None} if found else None


def usage_of(completions: Sequence[Completion]) -> JsonObject:
    """What the answers used together. The input is that of the first one."""
    counted = _counted(completions)
    return with_own_usage(counted, completions[0], WIRE) if len(completions) == 1 else counted


def _counted(completions: Sequence[Completion]) -> JsonObject:
    tokens = completions[0].tokens
    output = sum(completion.tokens.output for completion in completions)
    received = {"cached_tokens": tokens.cache_read, "audio_tokens": 0}
    # Recorded only for models that charge for it.
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
    """The events of one answer in their order, without the final `[DONE]`, which is not JSON."""
    options = body.get("stream_options") or {}
    draft = _draft_of(completion, body)
    head = reply_head("chat.completion.chunk", completion, body)
    tail: JsonObject = {"usage": None} if options.get("include_usage") else {}
    padded = options.get("include_obfuscation") is not False

    def event(choices: list[JsonObject], size: int = 0, **more: Any) -> JsonObject:
        padding = {"obfuscation": _padding(size)} if padded else {}
        return {**head, "choices": choices, **tail, **more, **padding}

    for delta in _deltas(draft):
        yield event([_part(delta, None)], _size(delta))
    yield event([_part({}, finish_of(completion, bool(draft.refusals)))])
    if tail:
        yield event([], usage=usage_of([completion]))


def _part(delta: JsonObject, finish: str | None) -> JsonObject:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _deltas(draft: Draft) -> Iterator[JsonObject]:
    first: JsonObject = {"role": "assistant", "content": "" if draft.content is not None else None, "refusal": None}
    starts = [call_start(index, call) for index, call in enumerate(draft.calls)]
    # A single call starts in the first delta; of several, each starts in a delta of its own.
    together = len(draft.calls) == 1 and draft.content is None
    yield {**first, "tool_calls": starts} if together else first
    yield from ({"content": piece} for piece in pieces(draft.content or ""))
    yield from ({"refusal": piece} for piece in pieces(draft.refusal or ""))
    yield from _audio_deltas(draft.audio or {})
    for index, call in enumerate(draft.calls):
        if not together:
            yield {"tool_calls": [starts[index]]}
        yield from ({"tool_calls": [fragment]} for fragment in call_fragments(index, call))
    if draft.annotations:
        yield {"annotations": draft.annotations}


# Type of a call -> the key of its arguments.
ARGUMENTS = {"function": "arguments", "custom": "input"}


def call_start(index: int, call: JsonObject) -> JsonObject:
    """A call's first piece: its identity, and no arguments yet."""
    kind = call["type"]
    return {"index": index, "id": call["id"], "type": kind, kind: {"name": call[kind]["name"], ARGUMENTS[kind]: ""}}


def call_fragments(index: int, call: JsonObject) -> Iterator[JsonObject]:
    """The pieces of a call's arguments."""
    kind = call["type"]
    key = ARGUMENTS[kind]
    yield from ({"index": index, kind: {key: piece}} for piece in json_pieces(call[kind][key]))


def _audio_deltas(audio: JsonObject) -> Iterator[JsonObject]:
    """An audio in the order of a stream: id, transcript, data, and at the end its expiry."""
    splitters = {"transcript": pieces, "data": json_pieces}
    if "id" in audio:
        yield {"audio": {"id": audio["id"]}}
    for key, split in splitters.items():
        yield from ({"audio": {key: piece}} for piece in split(audio.get(key) or ""))
    if "expires_at" in audio:
        yield {"audio": {"expires_at": audio["expires_at"]}}


PADDED = 16
PADDING = "kT4vQm9ZxB2rLw7N"


def _size(delta: JsonObject) -> int:
    text = delta.get("content") or delta.get("refusal") or ""
    return len(text)


def _padding(size: int) -> str:
    """Hides a piece's size. The API adds random characters; these are always the same."""
    return PADDING[: -size % PADDED]
