"""Calls as a prompt cache sees them: blocks, each with an id of the prefix that ends with it; tokens and prices.

Sizes and the order of the blocks come from the emulator's reading of a body (`SEGMENTS`). What is made of them, in
`cache_optimum.py` and `cache_recount.py`, shares no code with the emulator's cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_unified.caching.segments import SECTIONS, Segment, printed, unmarked
from langchain_unified.caching.settings import settings_of
from langchain_unified.profiles import profile_for
from langchain_unified.request import Profile
from langchain_unified.testing.emulation.endpoints import ENDPOINTS, SEGMENTS
from langchain_unified.wires import WIRES
from langchain_unified.wires.anthropic_messages.caching import prompt_tools
from langchain_unified.wires.anthropic_messages.serve.context_edits import edit_context


@dataclass(frozen=True, slots=True)
class InputTokens:
    """The input tokens of one call: `written` and `written_long` to the cache, for the shorter and the longer ttl."""

    uncached: int = 0
    read: int = 0
    written: int = 0
    written_long: int = 0

    @property
    def total(self) -> int:
        return self.uncached + self.read + self.written + self.written_long

    def __add__(self, other: InputTokens) -> InputTokens:
        return InputTokens(
            self.uncached + other.uncached,
            self.read + other.read,
            self.written + other.written,
            self.written_long + other.written_long,
        )


@dataclass(frozen=True, slots=True)
class CacheRules:
    """The prices of a provider's cache, as multiples of the uncached price, and its rules.

    `lifetimes`: those of a write and of a long write, in seconds. `look_back`: the number of positions, that of the
    breakpoint included, in which an entry is looked for: consecutive `tool_use` blocks are one, and so are consecutive
    `tool_result` blocks. `minimum`: the shortest prefix that is cached, in tokens. An `automatic` cache has no
    breakpoints: the longest known prefix is read, in steps of 128 tokens, and writing costs nothing extra
    (`write_price` is 1).
    """

    read_price: float
    write_price: float
    long_write_price: float
    lifetimes: tuple[float, ...]
    look_back: int = 1
    minimum: int = 1024
    automatic: bool = False

    @property
    def looks_back(self) -> bool:
        """Whether the rules are Anthropic's, which also has an hour and takes marks on tools."""
        return self.look_back > 1

    def cost(self, tokens: InputTokens) -> float:
        """In uncached tokens."""
        written = self.write_price * tokens.written + self.long_write_price * tokens.written_long
        return tokens.uncached + self.read_price * tokens.read + written


ANTHROPIC = CacheRules(0.1, 1.25, 2.0, lifetimes=(300, 3600), look_back=20)
"""claude-sonnet-5. Entries live for 5 minutes or 1 hour, counted from the last read."""

BREAKPOINTS = CacheRules(0.1, 1.25, 1.25, lifetimes=(1800,))
"""gpt-5.6. 30 minutes."""

AUTOMATIC = CacheRules(0.25, 1.0, 1.0, lifetimes=(600, 86400), automatic=True)
"""gpt-4.1, whose cached tokens cost a quarter (genai-prices: $0.50 and $2 per million). Entries live for ten minutes
without use, or for a day with `prompt_cache_retention="24h"`."""


@dataclass(frozen=True, slots=True)
class PromptBlock:
    """A block of a prompt. `prefix` is an id of the prompt up to its end: equal prefixes have equal ids."""

    prefix: int
    tokens: int
    markable: bool
    mark: Mapping[str, Any] | None
    segment: Segment


@dataclass(frozen=True, slots=True)
class SentCall:
    """One call: its time in seconds, its blocks, and its body."""

    at: float
    blocks: tuple[PromptBlock, ...]
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        return sum(block.tokens for block in self.blocks)


@dataclass(slots=True)
class BodyReader:
    """Reads the bodies that were sent to one endpoint, and keeps the ids of their prefixes."""

    endpoint: str
    _prefixes: dict[tuple[int, str, str], int] = field(default_factory=dict)

    def read(self, body: Mapping[str, Any], at: float) -> SentCall:
        """A body as a call at `at` seconds."""
        blocks, prefix = [], 0
        claude = self.endpoint.startswith("anthropic.")
        profile = profile_for("anthropic" if claude else "openai", body["model"])
        prompt = edit_context(dict(body))[0] if claude else dict(body)
        seeds = self._seeds(prompt, profile)
        for segment in SEGMENTS[self.endpoint](prompt, profile):
            head = "".join(seeds.pop(name) for name in [*seeds] if name <= SECTIONS.index(segment.section))
            key = (prefix, head + segment.head, segment.text)
            prefix = self._prefixes.setdefault(key, len(self._prefixes) + 1)
            blocks.append(PromptBlock(prefix, segment.tokens, self._markable(segment), segment.mark, segment))
        return SentCall(at, tuple(blocks), body)

    def _seeds(self, body: dict[str, Any], profile: Profile) -> dict[int, str]:
        """What the prefixes of each part of the prompt depend on beside its text: by the index of the part."""
        wire = next(each for each in ENDPOINTS.values() if each.name == self.endpoint).wire
        found = {at: f"{settings_of(WIRES[wire].settings, body, profile, name)}" for at, name in enumerate(SECTIONS)}
        # A change of one tool changes all prefixes of Anthropic's.
        tools = printed(unmarked(prompt_tools(body))) if wire == "anthropic_messages" else ""
        return {**found, 0: f"{body['model']} {found[0]} {tools}"}

    def _markable(self, segment: Segment) -> bool:
        if self.endpoint.startswith("anthropic."):
            return segment.markable
        return segment.role.startswith(CALLERS)


CALLERS = ("system", "developer", "user", "tool", '["tool"', '["user"')
"""How the roles of segments begin on which OpenAI takes a breakpoint: not on tools or the assistant's messages."""


def total(tokens: Iterable[InputTokens]) -> InputTokens:
    """The sum over calls."""
    return sum(tokens, InputTokens())
