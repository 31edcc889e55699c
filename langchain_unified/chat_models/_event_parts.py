"""The blocks of a stream while they are under way, and what they are once complete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessage, merge_content

from langchain_unified.messages.blocks import as_replied
from langchain_unified.messages.json_text import json_object
from langchain_unified.request import JsonObject
from langchain_unified.wires._wire import BROKEN_TAILS

Key: TypeAlias = int | str | tuple[str, int | None] | None
"""What tells a reply's blocks apart: the index that their chunks carry; for Chat Completions a name for what it is."""


@dataclass(slots=True)
class StreamedCall:
    """A call of one of the caller's tools. `index` is that of its chunks, `position` that of its events."""

    index: int | None
    position: int
    id: str | None = None
    name: str | None = None
    pieces: list[str] = field(default_factory=list)
    tail: str = ""
    """What the last chunk adds: the rest of the arguments, or what marks them as broken."""
    started: bool = False

    def args(self) -> JsonObject | None:
        """The arguments; `None` as long as they are not one complete JSON object."""
        return json_object("".join(self.pieces) + self.tail)

    def finished(self, raw: str | None) -> JsonObject:
        """The complete call. `raw` is how to show broken arguments; absent: as they came."""
        args = self.args() if self.pieces or self.tail else {}
        if args is not None:
            return {"type": "tool_call", "id": self.id, "name": self.name or "", "args": args}
        if raw is None:
            raw = "".join(self.pieces) or ("" if self.tail in BROKEN_TAILS else self.tail)
        return {"type": "invalid_tool_call", "id": self.id, "name": self.name, "args": raw, "error": BROKEN}


BROKEN = "The arguments are not one complete JSON object."

STREAMED_KEYS = ("text", "thinking", "reasoning", "refusal", "partial_json", "arguments", "input")
"""Keys whose strings come in many pieces."""


@dataclass(slots=True)
class StreamedBlock:
    """A block of the reply under way.

    It becomes one standard block per position, and a call beside them if it makes one.
    """

    key: Key
    type: str
    provider: str
    standard_type: str = ""
    """The type of its first standard block."""
    positions: list[int] = field(default_factory=list)
    call: StreamedCall | None = None
    pieces: list[JsonObject] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    @property
    def id(self) -> str | None:
        """The id of the item that it is, or is part of."""
        return self.pieces[0].get("id") if self.pieces else None

    def add(self, piece: JsonObject) -> None:
        """Add what a chunk brought."""
        texts = [key for key in STREAMED_KEYS if isinstance(piece.get(key), str)]
        for key in texts:
            self.texts.setdefault(key, []).append(piece[key])
        if not self.pieces or piece.keys() - {"type", "index", *texts}:
            self.pieces.append({key: value for key, value in piece.items() if key not in texts})

    def assembled(self) -> JsonObject:
        """The block as the API would have given it without a stream. `{}` for a call that is in no block."""
        if not self.pieces:
            return {}
        first, *rest = cast("list[list[Any]]", [[piece] for piece in self.pieces])
        merged = cast("list[JsonObject]", merge_content(first, *rest))[0]
        return without_indexes({**merged, **{key: "".join(texts) for key, texts in self.texts.items()}})

    def has_ended(self) -> bool:
        """Whether all of it is there, as far as that is known before the stream is over."""
        if self.call is not None:
            done = self.type not in ITEM_CALLS or any("status" in piece for piece in self.pieces)
            return done and self.call.args() is not None
        # A type and an id alone only announce an item.
        return bool(self.texts) or any(piece.keys() - {"type", "id", "index"} for piece in self.pieces)


ITEM_CALLS = frozenset({"function_call", "custom_tool_call"})
"""Calls that are done when they have a `status`."""


def without_indexes(block: JsonObject) -> JsonObject:
    """The block without the keys that only its chunks need."""
    block = as_replied(block)
    for key in ("summary", "content"):
        if block.get("type") == "reasoning" and isinstance(block.get(key), list):
            block[key] = [{name: value for name, value in part.items() if name != "index"} for part in block[key]]
    return block


def standard_blocks(block: JsonObject, provider: str, calls: Iterable[JsonObject] = ()) -> list[JsonObject]:
    """The standard blocks of a reply's block. `calls` are those that it makes, if any."""
    if not block:
        return []
    message = AIMessage(
        content=[block],
        tool_calls=[call for call in calls if call["type"] == "tool_call"],
        invalid_tool_calls=[call for call in calls if call["type"] != "tool_call"],
        response_metadata={"model_provider": provider},
    )
    return [_finishable(cast("JsonObject", found)) for found in message.content_blocks]


FINISHABLE = frozenset(
    {
        "text", "reasoning", "tool_call", "invalid_tool_call", "server_tool_call", "server_tool_result", "image",
        "audio", "video", "file", "non_standard",
    }
)  # fmt: skip
"""The types that core takes from the event that finishes a block."""

CALLS = frozenset({"tool_call", "invalid_tool_call"})


def _finishable(block: JsonObject) -> JsonObject:
    return block if block["type"] in FINISHABLE else {"type": "non_standard", "value": block}
