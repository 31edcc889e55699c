"""Content blocks as encoders take them: one dialect, whatever a caller or a provider wrote.

`messages.blocks` reads any content block and gives one of these. Each may carry `mark`, a prompt-cache mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, TypeVar, cast

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as Python holds it: the one place where values are open."""


class Mark(TypedDict, total=False):
    """A prompt-cache mark on a block or a tool.

    `ttl`: how long the prefix should live, as the user wrote it (`"5m"`, `"1h"`, `"30m"`, `"12h"`); absent means
    the provider's default.
    """

    ttl: str


class _Markable(TypedDict):
    mark: NotRequired[Mark]


class _Located(_Markable, total=False):
    """Where the data of a medium is: `url`, `base64` with its `mime_type`, or the provider's `file_id`."""

    url: str
    base64: str
    mime_type: str
    file_id: str


class _Titled(_Located, total=False):
    filename: str
    title: str
    context: str
    citations: Any
    """Whether and how Claude cites it: a `bool` or Anthropic's object."""


class _OfReply(_Markable, total=False):
    """What only the wire that produced a block reads: its item's id, and the keys that LangChain keeps in `extras`."""

    id: str
    extras: JsonObject


class TextBlock(_OfReply):
    """A text. `annotations` are citations in LangChain's form or a provider's."""

    type: Literal["text"]
    text: str
    annotations: NotRequired[list[JsonObject]]
    phase: NotRequired[str]
    status: NotRequired[str]
    logprobs: NotRequired[Any]


class ImageBlock(_Located, _OfReply):
    type: Literal["image"]
    detail: NotRequired[str]
    transformations: NotRequired[JsonObject]
    """What Anthropic does to the image before the model sees it."""
    status: NotRequired[str]


class FileBlock(_Titled):
    """A file. `content` is the text, or the blocks, of which an Anthropic document is made."""

    type: Literal["file"]
    content: NotRequired[Any]
    detail: NotRequired[str]


class PlainTextBlock(_Titled):
    """A document of plain text: `text`, or where its data is."""

    type: Literal["text-plain"]
    text: NotRequired[str]


class AudioBlock(_Located):
    type: Literal["audio"]
    transcript: NotRequired[str]


class VideoBlock(_Located):
    type: Literal["video"]


class SearchResultBlock(_Markable):
    """A search result of the caller's, which Claude can cite. `content` is a text or text blocks."""

    type: Literal["search_result"]
    source: NotRequired[str]
    title: NotRequired[str]
    content: NotRequired[Any]
    citations: NotRequired[Any]


class ToolCallBlock(_Markable):
    """A call to one of the caller's tools."""

    type: Literal["tool_call"]
    id: str | None
    name: str
    args: JsonObject
    extras: NotRequired[JsonObject]


class InvalidToolCallBlock(_Markable):
    """A call whose arguments are no JSON object: `args` is their text."""

    type: Literal["invalid_tool_call"]
    id: str | None
    name: str | None
    args: str | None
    extras: NotRequired[JsonObject]


class ToolResultBlock(_Markable):
    """A tool result among the blocks of a user message. `messages.turns` makes a turn of it: no encoder meets it."""

    type: Literal["tool_result"]
    tool_call_id: str
    content: tuple[Block, ...]
    is_error: bool
    options: NotRequired[JsonObject]


class ReasoningBlock(_OfReply):
    type: Literal["reasoning"]
    reasoning: NotRequired[str]
    summary: NotRequired[list[JsonObject]]
    content: NotRequired[list[JsonObject]]
    encrypted_content: NotRequired[str]
    status: NotRequired[str]


class RefusalBlock(_OfReply):
    type: Literal["refusal"]
    refusal: str


class ServerToolCallBlock(_Markable):
    """A call to a tool that the provider runs."""

    type: Literal["server_tool_call"]
    id: str
    name: str
    args: JsonObject
    extras: NotRequired[JsonObject]


class ServerToolResultBlock(_Markable):
    type: Literal["server_tool_result"]
    tool_call_id: str
    output: NotRequired[Any]
    status: NotRequired[str]
    extras: NotRequired[JsonObject]


class NativeBlock(_Markable):
    """A block of the target wire, sent as it is."""

    type: Literal["native"]
    value: JsonObject


class ForeignBlock(_Markable):
    """A block that only another provider reads: left out, or put into words."""

    type: Literal["foreign"]
    value: Any


class UnknownBlock(_Markable):
    """Anything else: the encoder refuses it by name."""

    type: Literal["unknown"]
    value: Any


Block: TypeAlias = (
    TextBlock
    | ImageBlock
    | FileBlock
    | PlainTextBlock
    | AudioBlock
    | VideoBlock
    | SearchResultBlock
    | ToolCallBlock
    | InvalidToolCallBlock
    | ToolResultBlock
    | ReasoningBlock
    | RefusalBlock
    | ServerToolCallBlock
    | ServerToolResultBlock
    | NativeBlock
    | ForeignBlock
    | UnknownBlock
)
"""A normalised content block: the one dialect that encoders take."""


_Block = TypeVar("_Block", bound=Block)


def build(kind: type[_Block], /, **fields: Any) -> _Block:
    """A block of `kind` whose fields are only known at run time."""
    return cast(_Block, fields)


def changed(block: _Block, /, **fields: Any) -> _Block:
    """A copy of the block with other or more fields."""
    return cast(_Block, {**block, **fields})


def without(block: _Block, *keys: str) -> _Block:
    """A copy of the block without these fields."""
    return cast(_Block, {key: value for key, value in block.items() if key not in keys})


def raw_value(block: Block) -> Mapping[str, Any]:
    """The provider's block inside a `native`, `foreign` or `unknown` block; empty for any other block."""
    value = block.get("value")
    return value if isinstance(value, Mapping) else {}
