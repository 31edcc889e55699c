"""Cards for messages: texts, tool calls, results and sources, and below them the finish reason and the usage."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_unified.display.parts import (
    Card,
    CardPart,
    Code,
    Fold,
    Link,
    Picture,
    Prose,
    Table,
    Tone,
    as_json,
    call_text,
    counts_text,
)
from langchain_unified.usage import without_tier

TITLES: Mapping[str, tuple[str, Tone]] = {
    "human": ("user", "user"),
    "ai": ("model", "model"),
    "AIMessageChunk": ("model", "model"),
    "tool": ("tool result", "tool"),
    "system": ("system", "plain"),
}


def message_card(message: BaseMessage) -> Card:
    """A message of any role, or the chunks of one so far."""
    title, tone = TITLES.get(message.type, (message.type, "plain"))
    parts = [part for block in blocks_of(message) for part in block_parts(block)]
    if isinstance(message, ToolMessage) and message.status == "error":
        title, tone = "tool result: failed", "bad"
    if isinstance(message, AIMessage):
        parts += [*_outside_content(message), *_adjustments(message)]
    return Card(title, tuple(parts), tone, _origin(message), _foot(message) if isinstance(message, AIMessage) else "")


def _origin(message: BaseMessage) -> str:
    metadata = message.response_metadata
    names = [metadata.get("model_provider"), metadata.get("model_name"), message.name]
    return ", ".join(str(name) for name in names if name)


def blocks_of(message: BaseMessage) -> list[Mapping[str, Any]]:
    """A message's content as standard blocks. If LangChain cannot translate it, the content as it is."""
    content = message.content
    # LangChain's translators remove "index" from the blocks that they get, so they get copies.
    copied = content if isinstance(content, str) else [dict(b) if isinstance(b, dict) else b for b in content]
    try:
        blocks: list[Any] = list(message.model_copy(update={"content": copied}).content_blocks)
    except (AttributeError, LookupError, TypeError, ValueError):
        blocks = [content] if isinstance(content, str) else list(content)
    found = [block if isinstance(block, Mapping) else {"type": "text", "text": str(block)} for block in blocks]
    return [*found, *_calls_outside_content(message, found)] if isinstance(message, AIMessage) else found


def _calls_outside_content(message: AIMessage, blocks: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Tool calls that are not in the content: of messages that were edited, made by hand or by Chat Completions."""
    known = {block.get("id") for block in blocks if "tool_call" in str(block.get("type"))}
    for call in (*message.tool_calls, *message.invalid_tool_calls):
        if call["id"] not in known:
            yield {"type": "tool_call", **call}


def block_parts(block: Mapping[str, Any]) -> Iterator[CardPart]:
    """The parts that show one standard block."""
    yield from BY_BLOCK_TYPE.get(str(block.get("type")), _unknown)(block)


# --- blocks -----------------------------------------------------------------------------------------------------------


def _text(block: Mapping[str, Any]) -> Iterator[CardPart]:
    if block.get("text"):
        yield Prose(str(block["text"]))
    for annotation in block.get("annotations") or ():
        yield from _source(annotation)


def _source(annotation: Any) -> Iterator[CardPart]:
    if not isinstance(annotation, Mapping) or annotation.get("type") != "citation":
        yield Fold("annotation", (Code(as_json(annotation)),))
        return
    title = str(annotation.get("title") or "")
    if annotation.get("url"):
        yield Link(title, str(annotation["url"]))
    if annotation.get("cited_text"):
        yield Prose(f"“{str(annotation['cited_text']).strip()}”", title and f"from {title}", quiet=True)


def _reasoning(block: Mapping[str, Any]) -> Iterator[CardPart]:
    if block.get("reasoning"):
        yield Prose(str(block["reasoning"]), "thinking", quiet=True)


def _call(block: Mapping[str, Any]) -> Iterator[CardPart]:
    yield Code(call_text(str(block.get("name") or ""), _parsed(block.get("args"))), "calls")


def _parsed(arguments: Any) -> Any:
    """The arguments. Of a chunk they are JSON text, which cannot be parsed before it is complete."""
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments


def _invalid_call(block: Mapping[str, Any]) -> Iterator[CardPart]:
    yield Code(call_text(str(block.get("name") or ""), block.get("args")), "calls with invalid arguments")
    if block.get("error"):
        yield Prose(str(block["error"]))


def _server_call(block: Mapping[str, Any]) -> Iterator[CardPart]:
    yield Code(call_text(str(block.get("name") or ""), block.get("args")), "calls server tool")


def _server_result(block: Mapping[str, Any]) -> Iterator[CardPart]:
    output = block.get("output")
    text = output if isinstance(output, str) else as_json(output)
    yield Fold(f"server tool result ({block.get('status') or 'no status'})", (Code(text),))


def _media(block: Mapping[str, Any]) -> Iterator[CardPart]:
    kind, mime, data = str(block["type"]), str(block.get("mime_type") or ""), block.get("base64")
    if kind == "image" and isinstance(data, str) and data:
        yield Picture(mime or "image/png", data)
        return
    where = block.get("url") or block.get("file_id") or block.get("id") or ""
    size = f"{len(data) * 3 // 4:,} bytes" if isinstance(data, str) else ""
    # A URL is not loaded: its owner would see that, and when, somebody reads the message.
    yield Prose(" ".join(word for word in (f"[{kind}]", mime, size, "" if size else str(where)) if word), quiet=True)


def _plain(block: Mapping[str, Any]) -> Iterator[CardPart]:
    yield Prose(str(block.get("text") or ""), str(block.get("title") or "document"))


def _refusal(block: Mapping[str, Any]) -> Iterator[CardPart]:
    yield Prose(str(block.get("refusal") or ""), "refusal")


def _non_standard(block: Mapping[str, Any]) -> Iterator[CardPart]:
    value = block.get("value")
    kind = value.get("type") if isinstance(value, Mapping) else None
    shown = value if isinstance(value, Mapping) else block
    yield from _refusal(shown) if kind == "refusal" else _unknown(shown)


def _unknown(block: Mapping[str, Any]) -> Iterator[CardPart]:
    yield Fold(f"block of type {block.get('type') or 'unknown'}", (Code(as_json(block)),))


BY_BLOCK_TYPE: Mapping[str, Callable[[Mapping[str, Any]], Iterator[CardPart]]] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _call,
    "tool_call_chunk": _call,
    "invalid_tool_call": _invalid_call,
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


# --- outside the content ----------------------------------------------------------------------------------------------


def _outside_content(message: AIMessage) -> Iterator[CardPart]:
    """The refusal and the transcript of an audio answer, which Chat Completions sends outside the content."""
    extra = message.additional_kwargs
    if extra.get("refusal"):
        yield Prose(str(extra["refusal"]), "refusal")
    audio = extra.get("audio")
    if isinstance(audio, Mapping) and audio.get("transcript"):
        yield Prose(str(audio["transcript"]), "transcript")


def _adjustments(message: AIMessage) -> Iterator[CardPart]:
    adjustments = message.response_metadata.get("adjustments")
    if adjustments:
        yield adjustment_table(adjustments)


def adjustment_table(adjustments: Any) -> Table:
    """A table of adjustments."""
    rows = tuple((str(item.get("what", "")), str(item.get("why", ""))) for item in adjustments)
    return Table(("changed", "why"), rows)


def _foot(message: AIMessage) -> str:
    metadata = message.response_metadata
    texts = (metadata.get("finish_reason"), usage_text(message), cache_text(metadata.get("prompt_cache")))
    return " · ".join(str(text) for text in texts if text)


def usage_text(message: AIMessage) -> str:
    """`tokens: 1,204 in (1,100 from cache), 35 out`; empty without usage."""
    usage = message.usage_metadata
    if usage is None:
        return ""
    details = without_tier(usage.get("input_token_details"))
    cached = counts_text(
        [(details.get("cache_read") or None, "from cache"), (details.get("cache_creation") or None, "written to it")]
    )
    incoming = f"{usage['input_tokens']:,} in" + (f" ({cached})" if cached else "")
    thought = without_tier(usage.get("output_token_details")).get("reasoning") or None
    outgoing = f"{usage['output_tokens']:,} out" + (f" ({thought:,} thinking)" if thought else "")
    return f"tokens: {incoming}, {outgoing}"


def cache_text(report: Any) -> str:
    """`prompt cache: hit`; empty without a report."""
    return f"prompt cache: {report.get('status')}" if isinstance(report, Mapping) else ""
