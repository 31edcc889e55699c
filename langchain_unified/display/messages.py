"""Messages -> cards: what was said, called, returned and cited, and below it how it ended and what it took."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_unified.display.parts import (
    Card,
    Code,
    Fold,
    Link,
    Part,
    Picture,
    Prose,
    Rows,
    Tone,
    as_json,
    called,
    figures,
)

ROLES: Mapping[str, tuple[str, Tone]] = {
    "human": ("user", "user"),
    "ai": ("model", "model"),
    "AIMessageChunk": ("model", "model"),
    "tool": ("tool result", "tool"),
    "system": ("system", "plain"),
}


def message_card(message: BaseMessage) -> Card:
    """One message of any role, whole or as far as it was streamed."""
    title, tone = ROLES.get(message.type, (message.type, "plain"))
    parts = [part for block in blocks_of(message) for part in block_parts(block)]
    if isinstance(message, ToolMessage) and message.status == "error":
        title, tone = "tool result: failed", "bad"
    if isinstance(message, AIMessage):
        parts += [*_beside(message), *_adjusted(message)]
    return Card(title, tuple(parts), tone, _who(message), _foot(message) if isinstance(message, AIMessage) else "")


def _who(message: BaseMessage) -> str:
    said = message.response_metadata
    names = [said.get("model_provider"), said.get("model_name"), message.name]
    return ", ".join(str(name) for name in names if name)


def blocks_of(message: BaseMessage) -> list[Mapping[str, Any]]:
    """A message's content as standard blocks; as it is where core cannot read it."""
    content = message.content
    # core's translators take "index" out of the blocks they are given: they get copies.
    copied = content if isinstance(content, str) else [dict(b) if isinstance(b, dict) else b for b in content]
    try:
        blocks: list[Any] = list(message.model_copy(update={"content": copied}).content_blocks)
    except (AttributeError, LookupError, TypeError, ValueError):
        blocks = [content] if isinstance(content, str) else list(content)
    told = [block if isinstance(block, Mapping) else {"type": "text", "text": str(block)} for block in blocks]
    return [*told, *_calls_beside(message, told)] if isinstance(message, AIMessage) else told


def _calls_beside(message: AIMessage, blocks: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Calls that a message makes and its content does not hold: messages made by hand, by Chat Completions, edited."""
    held = {block.get("id") for block in blocks if "tool_call" in str(block.get("type"))}
    for call in (*message.tool_calls, *message.invalid_tool_calls):
        if call["id"] not in held:
            yield {"type": "tool_call", **call}


def block_parts(block: Mapping[str, Any]) -> Iterator[Part]:
    """What one standard block looks like."""
    yield from BLOCKS.get(str(block.get("type")), _unknown)(block)


# --- blocks -----------------------------------------------------------------------------------------------------------


def _text(block: Mapping[str, Any]) -> Iterator[Part]:
    if block.get("text"):
        yield Prose(str(block["text"]))
    for annotation in block.get("annotations") or ():
        yield from _source(annotation)


def _source(annotation: Any) -> Iterator[Part]:
    if not isinstance(annotation, Mapping) or annotation.get("type") != "citation":
        yield Fold("annotation", (Code(as_json(annotation)),))
        return
    title = str(annotation.get("title") or "")
    if annotation.get("url"):
        yield Link(title, str(annotation["url"]))
    if annotation.get("cited_text"):
        yield Prose(f"“{str(annotation['cited_text']).strip()}”", title and f"from {title}", quiet=True)


def _reasoning(block: Mapping[str, Any]) -> Iterator[Part]:
    if block.get("reasoning"):
        yield Prose(str(block["reasoning"]), "thinking", quiet=True)


def _call(block: Mapping[str, Any]) -> Iterator[Part]:
    yield Code(called(str(block.get("name") or ""), _read(block.get("args"))), "calls")


def _read(arguments: Any) -> Any:
    """Arguments that come in pieces are text: read once they are whole."""
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments


def _broken_call(block: Mapping[str, Any]) -> Iterator[Part]:
    yield Code(called(str(block.get("name") or ""), block.get("args")), "calls, with broken arguments")
    if block.get("error"):
        yield Prose(str(block["error"]))


def _server_call(block: Mapping[str, Any]) -> Iterator[Part]:
    yield Code(called(str(block.get("name") or ""), block.get("args")), "calls at the provider")


def _server_result(block: Mapping[str, Any]) -> Iterator[Part]:
    output = block.get("output")
    said = output if isinstance(output, str) else as_json(output)
    yield Fold(f"result at the provider ({block.get('status') or 'no status'})", (Code(said),))


def _media(block: Mapping[str, Any]) -> Iterator[Part]:
    kind, mime, data = str(block["type"]), str(block.get("mime_type") or ""), block.get("base64")
    if kind == "image" and isinstance(data, str) and data:
        yield Picture(mime or "image/png", data)
        return
    where = block.get("url") or block.get("file_id") or block.get("id") or ""
    size = f"{len(data) * 3 // 4:,} bytes" if isinstance(data, str) else ""
    # An address is not loaded: the one who wrote it would learn that, and when, somebody reads.
    yield Prose(" ".join(word for word in (f"[{kind}]", mime, size, "" if size else str(where)) if word), quiet=True)


def _plain(block: Mapping[str, Any]) -> Iterator[Part]:
    yield Prose(str(block.get("text") or ""), str(block.get("title") or "document"))


def _refusal(block: Mapping[str, Any]) -> Iterator[Part]:
    yield Prose(str(block.get("refusal") or ""), "refuses")


def _non_standard(block: Mapping[str, Any]) -> Iterator[Part]:
    value = block.get("value")
    kind = value.get("type") if isinstance(value, Mapping) else None
    shown = value if isinstance(value, Mapping) else block
    yield from _refusal(shown) if kind == "refusal" else _unknown(shown)


def _unknown(block: Mapping[str, Any]) -> Iterator[Part]:
    yield Fold(f"block of type {block.get('type') or 'unknown'}", (Code(as_json(block)),))


BLOCKS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Part]]] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _call,
    "tool_call_chunk": _call,
    "invalid_tool_call": _broken_call,
    "server_tool_call": _server_call,
    "server_tool_call_chunk": _server_call,
    "server_tool_result": _server_result,
    "image": _media,
    "audio": _media,
    "video": _media,
    "file": _media,
    "text-plain": _plain,
    "refusal": _refusal,
    "non_standard": _non_standard,
}


# --- what stands beside the content -----------------------------------------------------------------------------------


def _beside(message: AIMessage) -> Iterator[Part]:
    """A refusal that Chat Completions says beside its content, and a spoken answer's words."""
    extra = message.additional_kwargs
    if extra.get("refusal"):
        yield Prose(str(extra["refusal"]), "refuses")
    audio = extra.get("audio")
    if isinstance(audio, Mapping) and audio.get("transcript"):
        yield Prose(str(audio["transcript"]), "says")


def _adjusted(message: AIMessage) -> Iterator[Part]:
    adjustments = message.response_metadata.get("adjustments")
    if adjustments:
        yield adjustment_rows(adjustments)


def adjustment_rows(adjustments: Any) -> Rows:
    """What did not go out as written."""
    rows = tuple((str(item.get("what", "")), str(item.get("why", ""))) for item in adjustments)
    return Rows(("changed", "why"), rows)


def _foot(message: AIMessage) -> str:
    said = message.response_metadata
    words = (said.get("finish_reason"), usage_words(message), cache_words(said.get("prompt_cache")))
    return " · ".join(str(word) for word in words if word)


def usage_words(message: AIMessage) -> str:
    """`tokens: 1,204 in (1,100 from cache), 35 out`; empty where the provider reported nothing."""
    usage = message.usage_metadata
    if usage is None:
        return ""
    details = usage.get("input_token_details", {})
    cached = figures(
        [(details.get("cache_read") or None, "from cache"), (details.get("cache_creation") or None, "written to it")]
    )
    incoming = f"{usage['input_tokens']:,} in" + (f" ({cached})" if cached else "")
    thought = usage.get("output_token_details", {}).get("reasoning") or None
    outgoing = f"{usage['output_tokens']:,} out" + (f" ({thought:,} thinking)" if thought else "")
    return f"tokens: {incoming}, {outgoing}"


def cache_words(report: Any) -> str:
    """The outcome of prompt caching in one word; empty without a report."""
    return f"prompt cache: {report.get('status')}" if isinstance(report, Mapping) else ""
