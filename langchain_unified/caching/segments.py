"""A body as the segments that a prompt cache sees: tools, then system, then messages, block by block.

The pieces with which each wire cuts up its own bodies (`Wire.segments`). The emulator's cache and `explain_cache`
compare the segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from langchain_unified.caching.tokens import text_tokens, wire_tokens
from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import JsonObject

Section: TypeAlias = Literal["tools", "system", "messages"]
SECTIONS: tuple[Section, ...] = ("tools", "system", "messages")
"""In the order of a prompt: a change in one is a change of all that follow."""

FORMAT = "format"
"""The role of the schema that an answer must match."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One block of a prompt.

    `head` and `text` are everything that must be equal for a cached prefix to match, cache marks left out; `text` can
    be cut between tokens, `head` cannot. `role` is empty for tools. `mark` is the block's own cache mark, `None`
    without one; `block` is the block as it stands in the body.
    """

    section: Section
    role: str
    head: str
    text: str
    tokens: int
    mark: JsonObject | None = None
    markable: bool = True
    block: JsonObject = field(default_factory=dict, compare=False, repr=False)


MARK_KEYS = frozenset({"cache_control", "prompt_cache_breakpoint"})
TEXT_TYPES = frozenset({"text", "input_text", "output_text"})

PRINTED_KEYS = frozenset({"input", "input_schema", "parameters", "schema"})
"""Keys of free-form JSON that the model reads as it is written: there the order of the keys counts."""


def content_segments(
    section: Section, role: str, content: Any, no_mark: frozenset[str] = frozenset()
) -> Iterator[Segment]:
    """The segments of a list of blocks, or of a single one. Empty blocks make none; `no_mark` types take no mark."""
    for block in content if isinstance(content, list) else [content]:
        if not _is_empty(block):
            yield segment_of(section, role, block, no_mark)


def segment_of(section: Section, role: str, block: Any, no_mark: frozenset[str] = frozenset()) -> Segment:
    """The segment of one block, which may be a plain string."""
    if isinstance(block, str):
        block = {"type": "text", "text": block}
    mark = block.get("cache_control") or block.get("prompt_cache_breakpoint")
    plain = unmarked(block)
    markable = block.get("type") not in no_mark and bool(block.get("text", True))
    if block.get("type") not in TEXT_TYPES:
        return Segment(section, role, printed([role, plain]), "", wire_tokens(plain), mark, markable, block)
    # A string and its one part are the same prompt, whatever the API calls the part.
    text, rest = str(plain.get("text", "")), {key: item for key, item in plain.items() if key not in ("text", "type")}
    return Segment(section, role, printed([role, "text", rest]), text, text_tokens(text), mark, markable, block)


def _is_empty(block: Any) -> bool:
    return not block or (isinstance(block, dict) and block.get("type") in TEXT_TYPES and not block.get("text"))


def unmarked(value: Any) -> Any:
    """A value without the cache marks in it."""
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items() if key not in MARK_KEYS}
    return [unmarked(item) for item in value] if isinstance(value, list) else value


def printed(value: Any) -> str:
    """A value as JSON: the same prompt gives the same text, whatever the order of the keys that only the API reads."""
    return compact_json(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: value[key] if key in PRINTED_KEYS else _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


RUNS = frozenset({"tool_use", "tool_result"})
"""Types of which consecutive blocks are one position in the look-back of the Claude API."""


def positions(segments: Iterable[Segment], *, runs: bool) -> list[int]:
    """The position of each segment as Anthropic counts back: see `ANTHROPIC_LOOKBACK_POSITIONS`.

    `runs`: whether consecutive blocks of a type in `RUNS` share one. Any of them is then reached with it.
    """
    found: list[int] = []
    at, last = -1, None
    for segment in segments:
        kind = segment.block.get("type") if segment.section == "messages" else None
        if not (runs and kind in RUNS and kind == last):
            at += 1
        found.append(at)
        last = kind
    return found


def from_caller(segment: Segment) -> bool:
    """Whether a segment belongs to a user's or a tool's message."""
    return segment.role.startswith(("user", "tool", '["tool"', '["user"'))
