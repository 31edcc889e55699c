"""What another provider's model said -> what the target can read.

Reasoning is left out, calls to a provider's own tools and their results become text, citations become lines that name
their sources, images go into a user message that follows, and what a context item says (a summary) is said. Nothing
goes out raw, and nothing that can be read disappears; the messages themselves keep everything.

Reasoning is bound to the model that produced it, so another model of the same provider is foreign as far as that. The
items that the Responses API stored after a reasoning item cannot go without it: they lose their ids, and become words
where they cannot be without one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from langchain_unified.history.words import Speech, image_in, shown
from langchain_unified.messages.assistant import standard_blocks
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.request import Adjustment, Block, JsonObject, Turn, WireName

Spoken: TypeAlias = "tuple[Turn, Turn | None]"
"""A turn in the target's terms, and the user turn that shows its images."""


def translated(turn: Turn, wire: WireName, model: str, adjustments: list[Adjustment]) -> Spoken:
    """A turn as the target reads it; the same object where nothing changes.

    `model` is the one that will be asked; an empty name stands for the one that spoke.
    """
    if not is_foreign(turn, wire, model):
        return turn, None
    if turn.role == "tool":
        return _result(turn, wire), None
    if turn.origin != wire:
        return _in_words(turn, turn.blocks, wire, adjustments)
    if wire == "openai_responses":
        return _in_words(turn, [part for block in turn.blocks for part in _unbound(block)], wire, adjustments)
    return replace(turn, blocks=tuple(block for block in turn.blocks if not is_reasoning(block))), None


def is_foreign(turn: Turn, wire: WireName, model: str) -> bool:
    """Whether there is anything in a turn that the target cannot read as it is."""
    if turn.role == "tool":
        return any(block["type"] == "unknown" and _home(block) for block in turn.blocks)
    if turn.role != "assistant":
        return False
    if turn.origin != wire:
        return _needs_words(turn)
    return not same_model(turn.model, model) and any(map(is_reasoning, turn.blocks))


# --- who said it ------------------------------------------------------------------------------------------------------

_NAMES = re.compile(r"claude-[a-z0-9.@-]+|(?<![a-z0-9])(?:gpt-|o\d|chatgpt-|codex-|computer-use-)[a-z0-9.-]*")
_SUFFIXES = re.compile(r"(-v\d+)?([-@](\d{8}|\d{4}-\d{2}-\d{2})|-latest)?(-v\d+)?$")
_ALIASES = {"gpt-5-6": "gpt-5-6-sol"}
"""Names that the provider answers with another one, as seen in recorded replies."""


def same_model(one: str | None, other: str | None) -> bool:
    """Whether two names mean one model: a snapshot is its alias. A name that tells nothing is taken to be the same."""
    if one == other or not one or not other:
        return True
    first, second = _bare(one), _bare(other)
    return first is None or second is None or first == second


def _bare(model: str) -> str | None:
    found = _NAMES.search(model.lower())
    if found is None:
        return None
    name = _SUFFIXES.sub("", found[0].replace(".", "-")).removesuffix("-0")
    return _ALIASES.get(name, name)


REASONING = frozenset({"thinking", "redacted_thinking", "reasoning"})


def is_reasoning(block: Block) -> bool:
    """Whether a block is a model's reasoning, as a standard block or a wire's own."""
    return block["type"] == "reasoning" or (block["type"] == "native" and block["value"].get("type") in REASONING)


def _unbound(block: Block) -> Iterable[Block]:
    """The blocks that a Responses turn has without the ids by which the API would miss its reasoning."""
    if block["type"] == "refusal":
        return ({"type": "refusal", "refusal": block["refusal"]},)
    if block["type"] != "native":
        return (block,)
    value = block["value"]
    if value.get("type") in ("function_call", "custom_tool_call"):
        return ({**block, "value": {key: item for key, item in value.items() if key != "id"}},)
    if value.get("type") == "message":
        return [{"type": "text", "text": str(part.get("text") or "")} for part in value.get("content") or ()]
    if value.get("type") == "refusal":
        return ({"type": "refusal", "refusal": value.get("refusal") or ""},)
    return standard_blocks(value, "openai_responses", "openai_responses")


# --- into words -------------------------------------------------------------------------------------------------------


def _needs_words(turn: Turn) -> bool:
    texts = 0
    for block in turn.blocks:
        texts += block["type"] == "text"
        if block.get("annotations") or block["type"] in NEVER_PLAIN:
            return True
        if block["type"] == "reasoning" and turn.origin is not None:
            return True
    return texts > 1 and turn.origin is not None


def _in_words(turn: Turn, blocks: Iterable[Block], wire: WireName, adjustments: list[Adjustment]) -> Spoken:
    blocks = list(blocks)
    speech = Speech(turn, wire, {str(block.get("id")): _name(block) for block in blocks if block["type"] in CALLS})
    speech.answered = {call_id for block in blocks if (call_id := _answers(block))}
    for block in blocks:
        WORDS.get(block["type"], _kept)(speech, block)
        if "mark" in block and speech.blocks:
            speech.blocks[-1].setdefault("mark", block["mark"])
    speech.cite()
    adjustments.extend(speech.adjustments)
    said = replace(turn, blocks=tuple(speech.blocks), origin=None, model=None)
    return said, Turn("user", tuple(speech.images), position=turn.position) if speech.images else None


CALLS = frozenset({"server_tool_call", "tool_call"})


# --- what the model said ----------------------------------------------------------------------------------------------


def _kept(speech: Speech, block: Block) -> None:
    speech.blocks.append(dict(block))


def _text(speech: Speech, block: Block) -> None:
    if block["text"].strip():
        speech.say(block["text"])
    for note in block.get("annotations") or ():
        name, quote = _source(note)
        quotes = speech.sources.setdefault(name, {}) if name else {}
        if quote:
            quotes[quote] = None


def _source(note: JsonObject) -> tuple[str, str]:
    """The name of what an annotation cites, its address included, and the words that it quotes."""
    value = note.get("value") if note.get("type") == "non_standard_annotation" else note
    known = {**(value or {}), **((value or {}).get("extras") or {}), **((value or {}).get("url_citation") or {})}
    titles = ("title", "document_title", "filename", "file_id")
    parts = [known.get("url") or known.get("source"), next((known[key] for key in titles if known.get(key)), None)]
    quote = str(known.get("cited_text") or "").strip()
    named = " ".join(str(part) for part in reversed(parts) if part)
    return (named or ("a document" if quote else "")), quote


def _reasoning(speech: Speech, block: Block) -> None:
    if speech.turn.origin is None:
        speech.blocks.append(dict(block))


def _picture(speech: Speech, block: Block) -> None:
    speech.note(speech.show(block, (block.get("extras") or {}).get("revised_prompt") or ""))


def _medium(speech: Speech, block: Block) -> None:
    words = block.get("transcript") or block.get("text") or _said_by(block)
    keys = ("filename", "title", "url", "file_id", "mime_type")
    place = next((block[key] for key in keys if block.get(key)), "")
    if not words and block.get("base64"):
        why = "an assistant message cannot carry it: its name or type stands in its place, its data is not sent."
        speech.adjustments.append(Adjustment(what=f"{block['type']} in message {speech.turn.position}", why=why))
    speech.note(words or f"[{block['type']}{f': {place}' if place else ''}]")


def _said_by(block: Block) -> str:
    """The texts that a document is made of, or its data where that is text; empty for any other medium."""
    content = block.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(item["text"]) for item in content if isinstance(item, dict) and item.get("text"))
    if str(block.get("mime_type", "")).startswith("text/") and block.get("base64"):
        return base64.b64decode(block["base64"]).decode("utf-8", errors="replace")
    return ""


# --- server tools -----------------------------------------------------------------------------------------------------


def _name(block: Block) -> str:
    extras = block.get("extras") or {}
    server = extras.get("server_name") or extras.get("server_label")
    name = extras.get("tool_name") or block.get("name") or "a tool"
    return f"{name} of {server}" if server else str(name)


KNOWN = frozenset({"type", "name", "id", "args", "extras", "index", "mark", "tool_call_id", "output", "status"})


def _server_call(speech: Speech, block: Block) -> None:
    rest = {key: item for key, item in block.items() if key not in KNOWN}
    arguments = (block.get("extras") or {}).get("arguments")
    said = "\n".join(filter(None, (shown(item, speech) for item in (block.get("args"), arguments, rest))))
    speech.note(f"[{_name(block)} was called{f' with {said}' if said else ''}]")


def _server_result(speech: Speech, block: Block) -> None:
    name = speech.names.get(str(block.get("tool_call_id")), "the tool")
    rest = {key: item for key, item in block.items() if key not in KNOWN}
    error = (block.get("extras") or {}).get("error")
    said = "\n".join(filter(None, (shown(item, speech) for item in (block.get("output"), error, rest))))
    failed = block.get("status") == "error"
    if said or failed:
        speech.note(f"[{name} {'failed' if failed else 'returned'}{f': {said}' if said else ''}]")


# --- blocks that only their provider has ------------------------------------------------------------------------------


def _foreign(speech: Speech, block: Block) -> None:
    value = block["value"]
    if isinstance(value, Mapping):
        FOREIGN.get(str(value.get("type")), _described)(speech, dict(value))


def _nothing(speech: Speech, value: JsonObject) -> None:
    """Reasoning: the message keeps it."""


def _refusal(speech: Speech, value: JsonObject) -> None:
    speech.blocks.append({"type": "refusal", "refusal": value.get("refusal") or ""})


def _described(speech: Speech, value: JsonObject) -> None:
    if said := shown(value, speech):
        speech.note(f"[{value.get('type', 'block')}: {said}]")


def _summary(speech: Speech, value: JsonObject) -> None:
    if value.get("content"):
        speech.note(f"[Summary of the conversation before this point]\n{shown(value['content'], speech)}")
        return
    why = "Only its provider can read the summary in it, so it was left out: earlier messages may be missing."
    speech.adjustments.append(Adjustment(what=f"compaction in message {speech.turn.position}", why=why))


def _client_call(speech: Speech, value: JsonObject) -> None:
    """A call to a tool that the provider defines and the caller runs: a call like any other."""
    call_id = value.get("call_id") or value.get("id")
    if not value.get("call_id") or call_id in speech.answered:
        _described(speech, value)
        return
    kind = str(value["type"]).removesuffix("_call")
    kept = {key: value[key] for key in ("action", "actions", "operation", "arguments", "environment") if value.get(key)}
    inner = next(iter(kept.values())) if len(kept) == 1 else None
    args = dict(inner) if isinstance(inner, Mapping) else kept
    speech.blocks.append({"type": "tool_call", "id": call_id, "name": kind, "args": args})


def _answers(block: Block) -> str | None:
    """The id of the call whose result a provider's own block is."""
    value = block.get("value")
    if not isinstance(value, Mapping) or not str(value.get("type")).endswith("_output"):
        return None
    return value.get("call_id") or value.get("id")


FOREIGN: Mapping[str, Callable[[Speech, JsonObject], None]] = {
    "thinking": _nothing,
    "redacted_thinking": _nothing,
    "reasoning": _nothing,
    "refusal": _refusal,
    "compaction": _summary,
    "computer_call": _client_call,
    "shell_call": _client_call,
    "local_shell_call": _client_call,
    "apply_patch_call": _client_call,
    "tool_search_call": _client_call,
}

WORDS: Mapping[str, Callable[[Speech, Block], None]] = {
    "text": _text,
    "reasoning": _reasoning,
    "server_tool_call": _server_call,
    "server_tool_result": _server_result,
    "image": _picture,
    "file": _medium,
    "audio": _medium,
    "video": _medium,
    "foreign": _foreign,
}


NEVER_PLAIN = WORDS.keys() - {"text", "reasoning"}


# --- results that were written for another provider -------------------------------------------------------------------


def _result(turn: Turn, wire: WireName) -> Turn:
    speech = Speech(turn, wire, {})
    blocks = [_input(block, speech) if block["type"] == "unknown" else block for block in turn.blocks]
    return replace(turn, blocks=tuple(block for block in blocks if block is not None))


def closed(turn: Turn, at: int) -> Block:
    """A call to a provider's own tool, which nobody answered, as a text."""
    value = turn.blocks[at]["value"]
    said = shown(value, Speech(turn, "openai_responses", {}))
    return {"type": "text", "text": f"[{value['type']}, not answered{f': {said}' if said else ''}]"}


def in_user_words(turn: Turn, wire: WireName) -> tuple[Block, ...]:
    """The blocks of a result that belongs to no call, as a user message can hold them."""
    speech = Speech(turn, wire, {})
    blocks: list[Block] = []
    for block in turn.blocks:
        said = shown(block["value"], speech) if block["type"] == "native" else ""
        blocks.append({"type": "text", "text": said} if block["type"] == "native" else block)
    said_ones = (block for block in blocks if block.get("text") is None or block["text"].strip())
    return (*said_ones, *(block for block in speech.images if block["type"] == "image"))


RESULT_TYPES = frozenset({"computer_screenshot", "tool_search_output"})


def _home(block: Block) -> bool:
    kind = block["value"].get("type") if isinstance(block["value"], Mapping) else None
    return isinstance(kind, str) and (kind in RESULT_TYPES or wire_of_type(kind) is not None)


def _input(block: Block, speech: Speech) -> Block | None:
    if not _home(block):
        return block
    value = block["value"]
    picture = image_in(value)
    if picture is not None:
        return picture
    said = shown(value, speech)
    return {"type": "text", "text": f"[{value['type']}: {said}]"} if said else None
