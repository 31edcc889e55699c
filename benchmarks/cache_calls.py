"""Calls as a prompt cache sees them: blocks, each with a name for the prefix that ends with it; tokens and prices.

Sizes and the order of the blocks come from the emulator's reading of a body (`SEGMENTS`). What is made of them, in
`cache_optimum.py` and `cache_recount.py`, shares no code with the emulator's cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.caching.segments import Segment
from langchain_unified.profiles import profile_for
from langchain_unified.testing.emulation.endpoints import SEGMENTS


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call took in, in tokens: `short` and `long` were written, for the shorter and the longer lifetime."""

    uncached: int = 0
    read: int = 0
    short: int = 0
    long: int = 0

    @property
    def total(self) -> int:
        return self.uncached + self.read + self.short + self.long

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.uncached + other.uncached, self.read + other.read, self.short + other.short, self.long + other.long
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What a provider's cache costs and how long it keeps, in units of the uncached price and in seconds.

    `lives` are the lifetimes of a short and of a long write. `look_back`: how many blocks before a breakpoint, itself
    counted, an entry is looked for. `minimum`: the shortest prefix that is cached, in tokens. `automatic` caches know
    no breakpoints: the longest known prefix is read, in steps of 128 tokens, and a write costs nothing (`short` is 1).
    """

    read: float
    short: float
    long: float
    lives: tuple[float, ...]
    look_back: int = 1
    minimum: int = 1024
    automatic: bool = False

    def cost(self, spent: Spent) -> float:
        """In uncached tokens."""
        return spent.uncached + self.read * spent.read + self.short * spent.short + self.long * spent.long


ANTHROPIC = Rules(read=0.1, short=1.25, long=2.0, lives=(300, 3600), look_back=20)
"""claude-sonnet-5. Lifetimes of 5 minutes and of 1 hour; the timer starts again with every read."""

BREAKPOINTS = Rules(read=0.1, short=1.25, long=1.25, lives=(1800,))
"""gpt-5.6. 30 minutes."""

AUTOMATIC = Rules(read=0.25, short=1.0, long=1.0, lives=(600, 86400), automatic=True)
"""gpt-4.1, whose cached tokens cost a quarter (genai-prices: $0.50 and $2 for a million). It keeps them for ten idle
minutes, or for a day with `prompt_cache_retention="24h"`."""


@dataclass(frozen=True, slots=True)
class BlockSeen:
    """A block of a prompt. `prefix` names all that the prompt holds up to its end: equal prefixes, equal names."""

    prefix: int
    tokens: int
    markable: bool
    mark: Mapping[str, Any] | None
    segment: Segment


@dataclass(frozen=True, slots=True)
class Call:
    """One call: when it was made, in seconds, its blocks, and its body, for the settings beside the blocks."""

    at: float
    blocks: tuple[BlockSeen, ...]
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return sum(block.tokens for block in self.blocks)


@dataclass(slots=True)
class Reader:
    """Reads the bodies that went to one endpoint, and remembers the names of their prefixes."""

    endpoint: str
    _names: dict[tuple[int, str, str], int] = field(default_factory=dict)

    def read(self, body: Mapping[str, Any], at: float) -> Call:
        """A body as a call at `at` seconds."""
        blocks, prefix = [], 0
        profile = profile_for("anthropic" if self.endpoint.startswith("anthropic.") else "openai", body["model"])
        for segment in SEGMENTS[self.endpoint](dict(body), profile):
            key = (prefix, segment.head, segment.text)
            prefix = self._names.setdefault(key, len(self._names) + 1)
            blocks.append(BlockSeen(prefix, segment.tokens, self._markable(segment), segment.mark, segment))
        return Call(at, tuple(blocks), body)

    def _markable(self, segment: Segment) -> bool:
        if self.endpoint.startswith("anthropic."):
            return segment.markable
        return segment.role.startswith(CALLERS)


CALLERS = ("system", "developer", "user", "tool", '["tool"', '["user"')
"""How a segment's role begins that OpenAI takes a breakpoint on: not tools, nor what the assistant said."""


def total(spent: Iterable[Spent]) -> Spent:
    """The sum of calls."""
    return sum(spent, Spent())
