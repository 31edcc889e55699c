"""The answer of another provider's model, as text that every model reads.

Texts stay, with their citations as a list of sources. Calls to server tools and their results become notes in brackets.
Images go into a user message that follows. A context item (a summary) becomes a note. Reasoning is left out. Nothing
readable is lost, and no block of another provider goes out; the messages themselves keep everything.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from langchain_unified.history.readable import ReferencedImages, readable
from langchain_unified.messages.json_text import data_text, json_object
from langchain_unified.request import Adjustment, Turn
from langchain_unified.request.blocks import (
    Block,
    ForeignBlock,
    ImageBlock,
    JsonObject,
    PlainTextBlock,
    ReasoningBlock,
    ServerToolCallBlock,
    ServerToolResultBlock,
    TextBlock,
    ToolCallBlock,
    ToolResultBlock,
    UnknownBlock,
    raw_value,
)


class Translated(NamedTuple):
    """A turn as the target reads it, and the user turn that shows its images, if it has any."""

    turn: Turn
    images: Turn | None = None


def needs_words(turn: Turn) -> bool:
    """Whether an assistant turn has a block that only its provider reads, or texts that are pieces of one."""
    texts = 0
    for block in turn.blocks:
        texts += block["type"] == "text"
        if block["type"] in ALWAYS_TRANSLATED or (block["type"] == "text" and block.get("annotations")):
            return True
        if block["type"] == "reasoning" and turn.origin is not None:
            return True
        if block["type"] == "text-plain" and "text" not in block and "base64" not in block:
            return True
    return texts > 1 and turn.origin is not None


def in_words(turn: Turn, blocks: Iterable[Block], adjustments: list[Adjustment]) -> Translated:
    """An assistant turn with `blocks` in place of its own, in words. What cannot be sent is added to `adjustments`."""
    blocks = list(blocks)
    names = {str(block.get("id")): _tool_name(block) for block in blocks if block["type"] in NAMED_CALLS}
    answered = frozenset(call_id for block in blocks if (call_id := _answered_call(block)))
    builder = TranscriptBuilder(turn, names, answered)
    for block in blocks:
        WRITERS.get(block["type"], _unchanged)(builder, block)
        if "mark" in block and builder.blocks:
            builder.blocks[-1].setdefault("mark", block["mark"])
    builder.list_sources()
    adjustments.extend(builder.adjustments)
    images = builder.images.blocks
    return Translated(
        replace(turn, blocks=tuple(builder.blocks), origin=None, model=None),
        Turn("user", tuple(images), position=turn.position) if images else None,
    )


@dataclass(slots=True)
class TranscriptBuilder:
    """An assistant turn while it is put into words.

    `names` are the tools that the turn calls, by call id. `answered` are the ids of calls whose results it holds.
    """

    turn: Turn
    names: Mapping[str, str]
    answered: frozenset[str]
    blocks: list[Block] = field(default_factory=list)
    images: ReferencedImages = field(default_factory=ReferencedImages)
    sources: dict[str, dict[str, None]] = field(default_factory=dict)
    """What the turn cites -> the quotes from it, in order."""
    adjustments: list[Adjustment] = field(default_factory=list)
    ends_with_note: bool = False

    def add_text(self, text: str) -> None:
        """The model's text. Consecutive texts of Claude are pieces of one text; others are paragraphs."""
        continues = self.turn.origin == "anthropic_messages" and not self.ends_with_note
        self._append(text, "" if continues else "\n\n")
        self.ends_with_note = False

    def add_note(self, text: str) -> None:
        """A text of ours that stands for something else."""
        self._append(text, "\n\n")
        self.ends_with_note = True

    def add_lost(self, what: str, why: str) -> None:
        self.adjustments.append(Adjustment(what=f"{what} in message {self.turn.position}", why=why))

    def readable(self, *values: Any) -> str:
        """The values as lines of text; empty ones leave none."""
        return "\n".join(filter(None, (readable(value, self.images) for value in values)))

    def list_sources(self) -> None:
        """Adds the sources to the end of the last text."""
        if not self.sources:
            return
        lines = [" ".join([f"- {name}", *(f'"{quote}"' for quote in quotes)]) for name, quotes in self.sources.items()]
        text = "\n".join(["Sources:", *lines])
        last = next((block for block in reversed(self.blocks) if block["type"] == "text"), None)
        if last is None:
            self.blocks.insert(0, {"type": "text", "text": text})
        else:
            last["text"] += f"\n\n{text}"

    def _append(self, text: str, separator: str) -> None:
        last = self.blocks[-1] if self.blocks else None
        if last is not None and last["type"] == "text" and self.turn.origin is not None:
            last["text"] += separator + text
        else:
            self.blocks.append({"type": "text", "text": text})


# --- text and media ---------------------------------------------------------------------------------------------------


def _unchanged(builder: TranscriptBuilder, block: Any) -> None:
    builder.blocks.append(block.copy())


def _text(builder: TranscriptBuilder, block: TextBlock) -> None:
    if block["text"].strip():
        builder.add_text(block["text"])
    for annotation in block.get("annotations") or ():
        name, quote = _source(annotation)
        quotes = builder.sources.setdefault(name, {}) if name else {}
        if quote:
            quotes[quote] = None


def _source(annotation: JsonObject) -> tuple[str, str]:
    """The name of what an annotation cites, with its address, and the words that it quotes."""
    value = annotation.get("value") if annotation.get("type") == "non_standard_annotation" else annotation
    known = {**(value or {}), **((value or {}).get("extras") or {}), **((value or {}).get("url_citation") or {})}
    titles = ("title", "document_title", "filename", "file_id")
    parts = [known.get("url") or known.get("source"), next((known[key] for key in titles if known.get(key)), None)]
    quote = str(known.get("cited_text") or "").strip()
    name = " ".join(str(part) for part in reversed(parts) if part)
    return (name or ("a document" if quote else "")), quote


def _reasoning(builder: TranscriptBuilder, block: ReasoningBlock) -> None:
    if builder.turn.origin is None:
        builder.blocks.append(block.copy())


def _image(builder: TranscriptBuilder, block: ImageBlock) -> None:
    builder.add_note(builder.images.add(block, (block.get("extras") or {}).get("revised_prompt") or ""))


def _medium(builder: TranscriptBuilder, block: Mapping[str, Any]) -> None:
    text = block.get("transcript") or block.get("text") or _document_text(block)
    keys = ("filename", "title", "url", "file_id", "mime_type")
    place = next((block[key] for key in keys if block.get(key)), "")
    if not text and block.get("base64"):
        why = "An assistant message cannot hold it: its name or type was sent in its place, without the data."
        builder.add_lost(block["type"], why)
    builder.add_note(text or f"[{block['type']}{f': {place}' if place else ''}]")


def _document_text(block: Mapping[str, Any]) -> str:
    """The texts that a document is made of, or its data where that is text; empty for any other medium."""
    content = block.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(item["text"]) for item in content if isinstance(item, dict) and item.get("text"))
    if str(block.get("mime_type", "")).startswith("text/") and block.get("base64"):
        try:
            return base64.b64decode(block["base64"]).decode("utf-8", errors="replace")
        except ValueError:
            return ""
    return ""


def _document(builder: TranscriptBuilder, block: PlainTextBlock) -> None:
    """A text document stays; of one that is elsewhere, the name or the address."""
    (_unchanged if "text" in block or "base64" in block else _medium)(builder, block)


def _unknown(builder: TranscriptBuilder, block: UnknownBlock) -> None:
    """A block that no API has, as another server or program left it in the history."""
    builder.add_note(data_text(block["value"]))
    builder.add_lost(raw_value(block).get("type") or "block", "The API does not have it: its JSON was sent as text.")


def _tool_result(builder: TranscriptBuilder, block: ToolResultBlock) -> None:
    texts = [item["text"] if item["type"] == "text" else data_text(item) for item in block["content"]]
    builder.add_note("\n".join(["[Result of a tool call]", *texts]))
    builder.add_lost("tool_result", "An assistant message cannot hold it: its content was sent as text.")


# --- server tools -----------------------------------------------------------------------------------------------------


def _tool_name(block: Any) -> str:
    extras = block.get("extras") or {}
    server = extras.get("server_name") or extras.get("server_label")
    name = extras.get("tool_name") or block.get("name") or "a tool"
    return f"{name} of {server}" if server else str(name)


STANDARD_KEYS = frozenset({"type", "name", "id", "args", "extras", "index", "mark", "tool_call_id", "output", "status"})


def _other_fields(block: Mapping[str, Any]) -> JsonObject:
    return {key: item for key, item in block.items() if key not in STANDARD_KEYS}


def _server_tool_call(builder: TranscriptBuilder, block: ServerToolCallBlock) -> None:
    arguments = (block.get("extras") or {}).get("arguments")
    text = builder.readable(block.get("args"), arguments, _other_fields(block))
    builder.add_note(f"[{_tool_name(block)} was called{f' with {text}' if text else ''}]")


def _server_tool_result(builder: TranscriptBuilder, block: ServerToolResultBlock) -> None:
    name = builder.names.get(str(block.get("tool_call_id")), "the tool")
    error = (block.get("extras") or {}).get("error")
    text = builder.readable(block.get("output"), error, _other_fields(block))
    failed = block.get("status") == "error"
    if text or failed:
        builder.add_note(f"[{name} {'failed' if failed else 'returned'}{f': {text}' if text else ''}]")


NAMED_CALLS = frozenset({"server_tool_call", "tool_call", "invalid_tool_call"})


def _tool_call(builder: TranscriptBuilder, block: ToolCallBlock) -> None:
    """A call of a caller's tool. One that the same answer has a result for was run by the provider: it is a note."""
    if block.get("id") not in builder.answered:
        builder.blocks.append(block.copy())
        return
    args: Any = block["args"]
    if isinstance(args, str):
        # In the sum of a stream, the decoder has made the arguments invalid, so that nobody runs the call again.
        args = json_object(args) or json_object(args[:-1]) or args[:-1]
    builder.add_note(f"[{_tool_name(block)} was called{f' with {text}' if (text := builder.readable(args)) else ''}]")


def _output(builder: TranscriptBuilder, value: JsonObject) -> None:
    name = builder.names.get(str(value.get("call_id")))
    if name is None:
        _any_item(builder, value)
        return
    builder.add_note(f"[{name} returned: {builder.readable(value.get('output'))}]")


# --- blocks that only their provider has ------------------------------------------------------------------------------


def _foreign(builder: TranscriptBuilder, block: ForeignBlock) -> None:
    value = block["value"]
    if isinstance(value, Mapping):
        FOREIGN_WRITERS.get(str(value.get("type")), _any_item)(builder, dict(value))


def _omitted(builder: TranscriptBuilder, value: JsonObject) -> None:
    """Reasoning. The message keeps it."""


def _refusal(builder: TranscriptBuilder, value: JsonObject) -> None:
    builder.blocks.append({"type": "refusal", "refusal": value.get("refusal") or ""})


def _any_item(builder: TranscriptBuilder, value: JsonObject) -> None:
    if text := builder.readable(value):
        builder.add_note(f"[{value.get('type', 'block')}: {text}]")


def _compaction(builder: TranscriptBuilder, value: JsonObject) -> None:
    if value.get("content"):
        builder.add_note(f"[Summary of the conversation before this point]\n{builder.readable(value['content'])}")
        return
    why = "Only its provider can read the summary in it, so it was left out: earlier messages may be missing."
    builder.add_lost("compaction", why)


def _client_call(builder: TranscriptBuilder, value: JsonObject) -> None:
    """A call to a provider-defined tool that the caller runs becomes a tool call like any other."""
    call_id = value.get("call_id") or value.get("id")
    if not value.get("call_id") or call_id in builder.answered:
        _any_item(builder, value)
        return
    name = str(value["type"]).removesuffix("_call")
    given = {key: value[key] for key in CLIENT_CALL_ARGUMENTS if value.get(key)}
    only = next(iter(given.values())) if len(given) == 1 else None
    args = dict(only) if isinstance(only, Mapping) else given
    builder.blocks.append({"type": "tool_call", "id": call_id, "name": name, "args": args})


CLIENT_CALL_ARGUMENTS = ("action", "actions", "operation", "arguments", "environment")


def _answered_call(block: Block) -> str | None:
    """The id of the call that a provider's own item answers."""
    value = raw_value(block)
    if not str(value.get("type")).endswith("_output"):
        return None
    return value.get("call_id") or value.get("id")


FOREIGN_WRITERS: Mapping[str, Callable[[TranscriptBuilder, JsonObject], None]] = {
    "thinking": _omitted,
    "redacted_thinking": _omitted,
    "reasoning": _omitted,
    "refusal": _refusal,
    "compaction": _compaction,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
    "computer_call": _client_call,
    "shell_call": _client_call,
    "local_shell_call": _client_call,
    "apply_patch_call": _client_call,
    "tool_search_call": _client_call,
}

WRITERS: Mapping[str, Callable[[TranscriptBuilder, Any], None]] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _tool_call,
    "invalid_tool_call": _tool_call,
    "server_tool_call": _server_tool_call,
    "server_tool_result": _server_tool_result,
    "image": _image,
    "file": _medium,
    "audio": _medium,
    "video": _medium,
    "foreign": _foreign,
    "text-plain": _document,
    "tool_result": _tool_result,
    "unknown": _unknown,
}

ALWAYS_TRANSLATED = WRITERS.keys() - {"text", "reasoning", "text-plain", "tool_call", "invalid_tool_call"}
