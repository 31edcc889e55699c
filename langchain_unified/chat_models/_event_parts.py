"""What is known of the blocks of a stream that are under way, and what they are when they are whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessage, merge_content

from langchain_unified.messages.blocks import as_replied
from langchain_unified.messages.json_text import json_object
from langchain_unified.request import Block, JsonObject

Key: TypeAlias = Any
"""What tells a reply's blocks apart: the index that their chunks carry; for Chat Completions a name for what it is."""


@dataclass(slots=True)
class Call:
    """A call to one of the caller's tools. `index` is that of its chunks, `place` that of its events."""

    index: int | None
    place: int
    id: str | None = None
    name: str | None = None
    pieces: list[str] = field(default_factory=list)
    tail: str = ""
    """What the last chunk adds: the rest of the arguments, or what marks them as broken."""
    started: bool = False

    def args(self) -> JsonObject | None:
        """The arguments; `None` as long as they are not one whole JSON object."""
        return json_object("".join(self.pieces) + self.tail)

    def finished(self, raw: str | None) -> Block:
        """The call, which is complete. `raw` is how to show broken arguments; absent: as they came."""
        args = self.args() if self.pieces or self.tail else {}
        if args is not None:
            return {"type": "tool_call", "id": self.id, "name": self.name or "", "args": args}
        shown = "".join(self.pieces) if raw is None else raw
        return {"type": "invalid_tool_call", "id": self.id, "name": self.name, "args": shown, "error": BROKEN}


BROKEN = "The arguments are not one whole JSON object."


STREAMED = ("text", "thinking", "refusal", "partial_json", "arguments", "input")
"""Keys whose strings come in many pieces."""


@dataclass(slots=True)
class Part:
    """A block of the reply under way. It makes one standard block for each of its `places`, beside its call if any."""

    key: Key
    kind: str
    provider: str
    form: str = ""
    """The type of its first standard block."""
    places: list[int] = field(default_factory=list)
    call: Call | None = None
    pieces: list[Block] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=dict)

    @property
    def id(self) -> str | None:
        """The id of the item that it is, or is part of."""
        return self.pieces[0].get("id") if self.pieces else None

    def add(self, piece: Block) -> None:
        """Take in a piece that a chunk brought."""
        texts = [key for key in STREAMED if isinstance(piece.get(key), str)]
        for key in texts:
            self.said.setdefault(key, []).append(piece[key])
        if not self.pieces or piece.keys() - {"type", "index", *texts}:
            self.pieces.append({key: value for key, value in piece.items() if key not in texts})

    def whole(self) -> Block:
        """The block as the API would have given it whole. `{}` for a call that is in no block."""
        if not self.pieces:
            return {}
        first, *rest = cast("list[list[Any]]", [[piece] for piece in self.pieces])
        merged = cast("list[Block]", merge_content(first, *rest))[0]
        return settled({**merged, **{key: "".join(texts) for key, texts in self.said.items()}})

    def has_ended(self) -> bool:
        """Whether all of it is there, as far as that can be told before the stream is over."""
        if self.call is not None:
            known = self.kind not in ITEM_CALLS or any("status" in piece for piece in self.pieces)
            return known and self.call.args() is not None
        # A type and an id alone keep the place of an item that has yet to come.
        return bool(self.said) or any(piece.keys() - {"type", "id", "index"} for piece in self.pieces)


ITEM_CALLS = frozenset({"function_call", "custom_tool_call"})
"""Calls that say by a `status` that they are done."""


def settled(block: Block) -> Block:
    """The block without the traces of its chunks."""
    block = as_replied(block)
    for key in ("summary", "content"):
        if block.get("type") == "reasoning" and isinstance(block.get(key), list):
            block[key] = [{name: value for name, value in part.items() if name != "index"} for part in block[key]]
    return block


def standard(block: Block, provider: str, calls: Iterable[Block] = ()) -> list[Block]:
    """The standard blocks of a reply's block. `calls` are those that it makes, if any."""
    if not block:
        return []
    valid = [call for call in calls if call["type"] == "tool_call"]
    broken = [call for call in calls if call["type"] != "tool_call"]
    message = AIMessage(
        content=[block],
        tool_calls=valid,
        invalid_tool_calls=broken,
        response_metadata={"model_provider": provider},
    )
    return [_kept(cast("Block", found)) for found in message.content_blocks]


KEPT = frozenset(
    {
        "text", "reasoning", "tool_call", "invalid_tool_call", "server_tool_call", "server_tool_result", "image",
        "audio", "video", "file", "non_standard",
    }
)  # fmt: skip
"""The types that core keeps of a block that finishes."""

CALLS = frozenset({"tool_call", "invalid_tool_call"})


def _kept(block: Block) -> Block:
    return block if block["type"] in KEPT else {"type": "non_standard", "value": block}
