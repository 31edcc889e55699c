"""What a stream decoder knows of the items that are on their way, and what it has yet to say of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import break_json_tail
from langchain_unified.wires.openai_responses.decode import ARGUMENTS, arguments, raw_arguments


@dataclass(slots=True)
class Part:
    """A content block that is on its way: how much of it the chunks have said."""

    index: int
    plain: bool = False
    """It goes out as `str` content, without id."""
    told: set[str] = field(default_factory=set)
    length: int = 0
    """Characters of its text, refusal, arguments or input."""
    notes: int = 0
    lengths: dict[tuple[str, int], int] = field(default_factory=dict)
    """Characters of each part of a reasoning item, by key (`summary`, `content`) and place."""


@dataclass(slots=True)
class Item:
    kind: str
    id: str | None
    phase: str | None = None
    parts: dict[int, Part] = field(default_factory=dict)
    claimed: bool = False
    """Its place in the content is taken: an item after it began first."""
    whole: JsonObject | None = None
    """The finished item; `None` while it is on its way."""


def closes(call: JsonObject) -> bool:
    """Whether a call's streamed arguments end with a bracket of our own: a free-form text that came whole."""
    return call.get("type") == "custom_tool_call" and arguments(call, cut=False) is not None


def inside_string(text: str) -> str:
    """The text as it stands between the quotes of a JSON string."""
    return json.dumps(text)[1:-1]


def tails_of(parts: Iterable[JsonObject], key: str, lengths: Mapping[tuple[str, int], int]) -> list[JsonObject]:
    """What no delta said of the parts of a reasoning item."""
    tails: list[JsonObject] = []
    for place, part in enumerate(parts):
        said = lengths.get((key, place))
        if said is None:
            tails.append({"index": place, **part})
        elif len(part.get("text") or "") > said:
            tails.append({"index": place, "text": part["text"][said:]})
    return tails


def seal_of(item: Item, *, cut: bool) -> Iterable[ToolCallChunk]:
    """What keeps a call without complete arguments from passing for a whole one in the sum of the chunks."""
    if item.whole is None or item.kind not in ARGUMENTS or arguments(item.whole, cut=cut) is not None:
        return
    said = raw_arguments(item.whole)
    tail = break_json_tail(said if item.kind == "function_call" else '{"__arg1": "' + inside_string(said))
    if tail:
        yield tool_call_chunk(args=tail, index=item.parts[0].index)
