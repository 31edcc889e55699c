"""What an API takes of prompt-cache marks: the record that each wire fills in its `caching.py`, and fixed figures.

Sources of the figures: the providers' guides to prompt caching, OpenAI's SDK (`PromptCacheOptions`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_unified.caching.policy import PromptCache
from langchain_unified.request import Adjustment, Params, Request, Turn

MAX_BREAKPOINTS = 4
"""Breakpoints of one request that are written to the cache, on every provider."""

OPENAI_LOOKUP_BREAKPOINTS = 80
"""Breakpoints of one request, the latest, that OpenAI looks up, from gpt-5.6 on."""

ANTHROPIC_LOOKBACK_POSITIONS = 20
"""Positions, that of the mark included, in which Anthropic looks for an earlier entry. A block is a position. On the
Claude API a run of consecutive `tool_use` blocks is one position, and so is a run of consecutive `tool_result` blocks;
Amazon Bedrock is not known to count so. Sources: github.com/anthropics/skills, `shared/prompt-caching.md` of the skill
claude-api ("On the Claude API a run of consecutive `tool_use` blocks counts as one position"); the prompt caching guide
as quoted from September 2026 on. Older copies of the guide count every block. Marks are placed for both readings: a
mark that is not needed costs nothing."""

DEFAULT_MINIMUM = 1024
"""Tokens of the shortest prefix that is cached, for models whose own minimum is not known."""

OPENAI_LEGACY_STEP = 128
"""Tokens by which a cached prefix grows beyond the minimum, on OpenAI's models before gpt-5.6."""


@dataclass(frozen=True, slots=True)
class MarkRules:
    """What one API takes. Each function gets the request before its marks are placed.

    `carrier`: the block that carries a mark put on a block of a turn: that block or one before it; `None` where none
    can. `max_marks`: the most marks that fit. `ttl`: the TTL to send for a requested one (`None`: the default) and,
    where it is another, why. `refusal`: why this model or server takes no marks. `params`: the parameters for the marks
    that are sent, whose TTLs it gets (`None`: the default), and adjustments; its last argument says that a call without
    a mark must not be written.
    """

    carrier: Callable[[Request, int, int], int | None]
    max_marks: Callable[[Request, PromptCache | None], int]
    ttl: Callable[[str], tuple[str | None, str | None]]
    refusal: Callable[[Request], str | None]
    params: Callable[[Request, PromptCache | None, Sequence[str | None], bool], tuple[Params, list[Adjustment]]]
    default: str
    """The TTL of a mark that names none."""
    tools: str | None = None
    """Why tools carry no mark; `None` where they do."""
    look_back: int = 0
    """How many blocks before a mark are searched for an earlier entry, by the reading that finds less."""
    earlier_turns: int = 0
    """How many marks a policy may send to have every earlier end of a turn looked up; 0 where each mark is written."""
    anchors: bool = False
    """Whether a policy marks a place in a long conversation that stays for some turns."""
    long_ttl: str | None = None
    """The TTL for conversations with pauses; `None` where a policy does not choose one."""
    ttl_must_not_grow: bool = False
    """Whether a longer TTL must come before a shorter one."""
    has_top_level_mark: bool = False
    """Whether the API has a top-level `cache_control`, which counts as a mark on the last block."""
    needs_parts: bool = False
    """Whether a text must be sent as a list of parts to carry a mark."""
    is_leading: Callable[[Request, Turn], bool] | None = None
    """Whether a turn is sent before the conversation, wherever it is; `None`: no turn is."""
