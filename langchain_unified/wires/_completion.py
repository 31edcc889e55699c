"""A server's answer before a wire renders it.

`serve` of each wire is the mirror of its codec: `read_request(body, headers) -> Request`, `render_reply(completion,
body) -> reply`, `render_events(completion, body) -> events`. Emulator and gateway use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from langchain_unified.request.blocks import Block
from langchain_unified.usage import FinishReason


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call used, in tokens. The input is `uncached + cache_read + cache_write_short + cache_write_long`.

    Short and long are 5 minutes and 1 hour on Anthropic, 30 minutes and 12 hours on OpenAI. `reasoning` is part of
    `output`.
    """

    uncached: int = 0
    cache_read: int = 0
    cache_write_short: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def cache_write(self) -> int:
        """Everything written to the cache."""
        return self.cache_write_short + self.cache_write_long

    @property
    def input(self) -> int:
        """Everything that went in."""
        return self.uncached + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered: blocks of the one dialect (`text`, `reasoning`, `tool_call`, `refusal`, `native`).

    `id` is the provider's reply id as it goes out. A `text` block may hold `annotations`, LangChain's citations; a
    `reasoning` block `extras.signature` or `extras.encrypted_content`. `created` is a Unix time in seconds.
    """

    id: str
    model: str
    blocks: tuple[Block, ...]
    finish_reason: FinishReason = "stop"
    tokens: Tokens = field(default_factory=Tokens)
    stop_sequence: str | None = None
    created: int = 0


def pieces(text: str) -> Iterator[str]:
    """A text in the pieces a stream sends: a word with the space before it. Joined, they are the text."""
    yield from re.findall(r"\s*\S+|\s+$", text)


def json_pieces(text: str, size: int = 12) -> Iterator[str]:
    """Arguments in pieces of `size` characters. Streams split them anywhere."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
