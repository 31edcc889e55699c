"""The answer of any provider as the client of one API can see it.

LangChain's standard blocks become blocks that the API can answer with. What it has no place for is named in `notes`:
an answer that was paid for never raises. Whole replies and streams go through the same functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessage

from langchain_unified.messages.assistant import standard_items
from langchain_unified.messages.blocks import wire_of_type
from langchain_unified.messages.tool_calls import CALL_ID_KEYS, follow_tool_calls
from langchain_unified.request import Adjustment, JsonObject, WireName
from langchain_unified.request.blocks import Block, ReasoningBlock, TextBlock, build, changed
from langchain_unified.wires._shapes import FOREIGN

Showing: TypeAlias = "Callable[[View, JsonObject], Iterable[Block]]"
"""A standard block of one type -> the blocks that an API has for it."""


@dataclass(slots=True)
class View:
    """What the clients of one API see. `table` holds what the API shows in its own way: type -> function.

    `provider`: who answered, as `response_metadata["model_provider"]` names it.
    """

    wire: WireName
    table: Mapping[str, Showing] = field(default_factory=dict)
    provider: str = ""
    notes: list[Adjustment] = field(default_factory=list)
    joins_reasoning: bool = True
    """Whether the parts of one item of reasoning are one text."""
    calls: dict[str, str] = field(default_factory=dict)
    """The calls of another provider's tools that are shown: id -> name of the tool."""

    def blocks(self, item: JsonObject) -> Sequence[Block]:
        """The blocks of one standard block. One that cannot be read is named."""
        kind = str(item.get("type"))
        show = self.table.get(kind) or COMMON.get(kind, not_shown)
        try:
            if kind == "server_tool_call":
                item = {**item, "args": dict(item.get("args") or {})}
            return list(show(self, item))
        except FOREIGN:
            self.lose(kind, f"{kind} of the answer has not the form that its type has: it is not shown.")
            return ()

    def lose(self, what: str, why: str) -> None:
        """Name something that the client does not see. Once is enough."""
        note = Adjustment(what=what, why=why)
        if note not in self.notes:
            self.notes.append(note)


def blocks_of(message: AIMessage, view: View) -> list[Block]:
    """The blocks of a whole message, its calls as it lists them."""
    view.provider = str(message.response_metadata.get("model_provider") or "")
    items = [_with_call(item) for item in standard_items(message) if isinstance(item, dict)]
    found = [block for item in items for block in view.blocks(item)]
    found = follow_tool_calls(joined_reasoning(found) if view.joins_reasoning else found, message)
    beside = message.additional_kwargs
    if beside.get("refusal") and not any(block["type"] == "refusal" for block in found):
        found.append({"type": "refusal", "refusal": str(beside["refusal"])})
    return [*found, *_beside(beside, view), *_explained(message.response_metadata, found)]


def _with_call(item: JsonObject) -> JsonObject:
    """A call that a translator of core's wrapped, as a call."""
    value = item.get("value")
    kind = str(value.get("type")) if isinstance(value, dict) else ""
    if item.get("type") != "non_standard" or kind not in CALL_ID_KEYS or not isinstance(value, dict):
        return item
    return {"type": "tool_call", "id": value.get(CALL_ID_KEYS[kind]), "name": value.get("name") or "", "args": {}}


def ending_blocks(kwargs: Mapping[str, Any], metadata: Mapping[str, Any], view: View, refused: bool) -> list[Block]:
    """What comes with the end of a stream: what stood beside the content, and the reason of a refusal."""
    shown: list[Block] = [{"type": "refusal", "refusal": ""}] if refused else []
    return [*_beside(kwargs, view), *_explained(metadata, shown)]


def _beside(kwargs: Mapping[str, Any], view: View) -> Iterator[Block]:
    """What Chat Completions puts beside the content: sources and sound."""
    if kwargs.get("annotations"):
        yield from view.blocks({"type": "text", "text": "", "annotations": kwargs["annotations"]})
    if isinstance(kwargs.get("audio"), dict):
        yield from view.blocks({"type": "audio", **kwargs["audio"]})


def _explained(metadata: Mapping[str, Any], found: Iterable[Block]) -> Iterator[Block]:
    """The reason that Anthropic gives for a refusal."""
    details = metadata.get("stop_details")
    reason = details.get("explanation") if isinstance(details, Mapping) else None
    if metadata.get("finish_reason") == "refusal" and reason and not any(each["type"] == "refusal" for each in found):
        yield {"type": "refusal", "refusal": str(reason)}


# --- what every API has -----------------------------------------------------------------------------------------------


def _text(view: View, item: JsonObject) -> Iterator[Block]:
    """A text. One without anything in it is not shown."""
    if item.get("text") or item.get("annotations"):
        kept = {key: item[key] for key in ("annotations", "id", "phase", "status", "logprobs") if item.get(key)}
        yield build(TextBlock, type="text", text=item.get("text") or "", **kept)


def _reasoning(view: View, item: JsonObject) -> Iterator[Block]:
    yield reasoning_block(item)


def reasoning_block(item: JsonObject) -> ReasoningBlock:
    """Reasoning with its proof in `extras`, wherever core's translator put it."""
    extras = dict(item.get("extras") or {})
    extras |= {key: item[key] for key in PROOFS if item.get(key) is not None}
    text = item.get("reasoning") or "\n\n".join(_texts(extras.get("content")))
    found: ReasoningBlock = {"type": "reasoning", "reasoning": text}
    if item.get("id"):
        found["id"] = str(item["id"])
    return changed(found, extras=extras) if extras else found


PROOFS = ("signature", "encrypted_content", "content")
"""Keys of reasoning by which its provider recognises it."""


def _texts(parts: Any) -> Iterator[str]:
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]


def proof_of(block: ReasoningBlock) -> str:
    """The proof of a reasoning block, for APIs that have one place for it; empty without one."""
    extras = block.get("extras") or {}
    return str(extras.get("signature") or extras.get("encrypted_content") or "")


def joined_reasoning(blocks: Iterable[Block]) -> list[Block]:
    """The blocks with the parts of one item of reasoning as one block: only the Responses API has parts."""
    found: list[Block] = []
    for block in blocks:
        last = found[-1] if found else None
        if last is not None and last["type"] == "reasoning" and block["type"] == "reasoning" and _same(last, block):
            found[-1] = _joined(last, block)
        else:
            found.append(block)
    return found


def _same(first: ReasoningBlock, second: ReasoningBlock) -> bool:
    return bool(first.get("id")) and first.get("id") == second.get("id")


def joined_parts(parts: list[ReasoningBlock]) -> ReasoningBlock | None:
    """The parts of one item as one block; `None` where there are none."""
    return functools.reduce(_joined, parts) if parts else None


def _joined(first: ReasoningBlock, second: ReasoningBlock) -> ReasoningBlock:
    texts = [text for block in (first, second) if (text := block.get("reasoning"))]
    extras = {**(second.get("extras") or {}), **(first.get("extras") or {})}
    found = changed(first, reasoning=PART_BREAK.join(texts))
    return changed(found, extras=extras) if extras else found


PART_BREAK = "\n\n"
"""What stands between the parts of a summary where they are one text."""


def _call(view: View, item: JsonObject) -> Iterator[Block]:
    """A call. What an API adds to its calls means nothing to another one; the ids of items are made anew."""
    found = {key: item.get(key) for key in ("type", "id", "name", "args")}
    extras = item.get("extras") if PROVIDERS[view.wire] == view.provider else None
    kept = {key: value for key, value in (extras or {}).items() if key not in ("item_id", "status")}
    yield cast(Block, {**found, "extras": kept} if kept else found)


PROVIDERS: Mapping[WireName, str] = {
    "anthropic_messages": "anthropic",
    "openai_chat": "openai",
    "openai_responses": "openai",
}
"""Who answers on an API, as `model_provider` names it."""


def _as_it_is(view: View, item: JsonObject) -> Iterator[Block]:
    yield cast(Block, {key: value for key, value in item.items() if key != "index"})


def _wrapped(view: View, item: JsonObject) -> Iterable[Block]:
    """A provider's own block: as it is for the clients of its API."""
    value = item.get("value")
    kind = str(value.get("type")) if isinstance(value, dict) else ""
    if not isinstance(value, dict) or kind in CALL_ID_KEYS:
        return ()
    if kind == "refusal":
        return ({"type": "refusal", "refusal": str(value.get("refusal") or "")},)
    if kind == "redacted_thinking" and view.wire != "anthropic_messages":
        return (reasoning_block({"encrypted_content": value.get("data")}),)
    if home_of(value) == view.wire:
        return ({"type": "native", "value": value},)
    return not_shown(view, value)


def home_of(value: JsonObject) -> WireName | None:
    """The only API that has a block; `None` where several have it, or none."""
    if value.get("type") == "compaction":
        return "anthropic_messages" if "content" in value else "openai_responses"
    return wire_of_type(str(value.get("type")))


def is_block_of(wire: WireName) -> Callable[[JsonObject], bool]:
    """A test for the blocks that a reply of an API can hold: its own, and those that several APIs have."""
    return lambda value: isinstance(value.get("type"), str) and home_of(value) in (None, wire)


def not_shown(view: View, item: JsonObject) -> tuple[Block, ...]:
    """Nothing: the API has no place for it."""
    kind = str(item.get("name") or item.get("type") or "untyped")
    view.lose(kind, f"The client's API has no block for it: {kind} of the answer is not shown.")
    return ()


COMMON: Mapping[str, Showing] = {
    "text": _text,
    "reasoning": _reasoning,
    "tool_call": _call,
    "invalid_tool_call": _call,
    "refusal": _as_it_is,
    "non_standard": _wrapped,
}
"""What an API shows unless it has a row of its own."""
