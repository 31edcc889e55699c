"""What a stream decoder knows of the items that are not done, and what it has yet to send of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.messages.tool_calls import CUSTOM_ARGUMENT
from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import ArgumentText, break_json_tail
from langchain_unified.wires.openai_responses.decode import ARGUMENTS, arguments, raw_arguments


@dataclass(slots=True)
class Part:
    """A content block that is not complete, and how much of it the chunks have had."""

    index: int
    plain: bool = False
    """It goes out as `str` content, without id."""
    sent_keys: set[str] = field(default_factory=set)
    sent_length: int = 0
    """Characters of its text, refusal, arguments or input."""
    sent_annotations: int = 0
    sent_lengths: dict[tuple[str, int], int] = field(default_factory=dict)
    """Characters of each part of a reasoning item, by key (`summary`, `content`) and place."""


@dataclass(slots=True)
class Item:
    """An output item, as far as its events have come."""

    kind: str
    id: str | None
    phase: str | None = None
    parts: dict[int, Part] = field(default_factory=dict)
    reserved: bool = False
    """Its place in the content is taken: a later item began first."""
    final: JsonObject | None = None
    """The finished item; `None` while it is not done."""
    answered: bool = False
    """A call whose result the reply has as well: the caller must not run it."""
    head: JsonObject = field(default_factory=dict)
    """Of a call: the item as it was added."""
    arguments: ArgumentText = field(default_factory=ArgumentText)

    def as_final(self) -> JsonObject:
        """The item as its events gave it, where none was the finished item."""
        if self.kind in ARGUMENTS:
            head = {key: value for key, value in self.head.items() if key != "status"}
            call = {**head, "type": self.kind, ARGUMENTS[self.kind]: self.arguments.args()}
            return {**call, "call_id": call.get("call_id") or self.id}
        refusals = [part for part in self.parts.values() if "refusal" in part.sent_keys]
        return {"type": self.kind, "content": [{"type": "refusal"} for _ in refusals]}


def came_as_text(call: JsonObject) -> bool:
    """Whether a call's streamed arguments end with `"}`: the input of a custom tool that is complete."""
    return call.get("type") == "custom_tool_call" and arguments(call, incomplete=False) is not None


def custom_start(text: str) -> str:
    """The start of a custom tool's input as JSON arguments, without the end of the string."""
    return f'{{"{CUSTOM_ARGUMENT}": "' + inside_string(text)


def inside_string(text: str) -> str:
    """The text as it is between the quotes of a JSON string."""
    return json.dumps(text)[1:-1]


def unsent_parts(parts: Iterable[JsonObject], key: str, lengths: Mapping[tuple[str, int], int]) -> list[JsonObject]:
    """What no delta had of the parts of a reasoning item."""
    unsent: list[JsonObject] = []
    for place, part in enumerate(parts):
        length = lengths.get((key, place))
        if length is None:
            unsent.append({"index": place, **part})
        elif len(part.get("text") or "") > length:
            unsent.append({"index": place, "text": part["text"][length:]})
    return unsent


def last_arguments(item: Item, *, incomplete: bool) -> Iterable[ToolCallChunk]:
    """What ends a call's arguments: those that waited for the end, and what keeps incomplete ones from being valid."""
    if item.final is None or item.kind not in ARGUMENTS or item.answered:
        return
    is_valid = arguments(item.final, incomplete=incomplete) is not None
    text = raw_arguments(item.final)
    if not item.final.get("name"):
        tail = ("" if item.arguments.streams else text) + break_json_tail(text)
    elif item.kind == "custom_tool_call":
        tail = "" if is_valid else break_json_tail(custom_start(text))
    elif is_valid or text.strip():
        tail = item.arguments.tail()
    else:
        tail = break_json_tail(text)
    if tail:
        yield tool_call_chunk(args=tail, index=item.parts[0].index)


def invalid_end(item: Item) -> ToolCallChunk:
    """The end of a finished call's arguments that makes it an invalid call: the reply itself has its result."""
    item.answered = True
    text = raw_arguments(item.final or {})
    if item.kind == "custom_tool_call":
        text = f'{custom_start(text)}"}}'
    elif not item.arguments.streams:
        text = ""
    return tool_call_chunk(args=break_json_tail(text), index=item.parts[0].index)
