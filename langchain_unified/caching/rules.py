"""What an API takes of prompt-cache marks: the record that each wire fills in its `marks.py`, and the caches' figures.

Sources of the figures: the providers' guides to prompt caching, OpenAI's SDK (`PromptCacheOptions`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_unified.caching.policy import PromptCache
from langchain_unified.request import Adjustment, Params, Request, Turn

WRITTEN = 4
"""Breakpoints that one request writes, on every provider."""

READ = 80
"""The latest breakpoints of a request that OpenAI looks up, from gpt-5.6 on."""

LOOK_BACK = 20
"""How many blocks, the marked one counted, Anthropic searches for an earlier entry."""

MINIMUM = 1024
"""The shortest prefix that is cached, in tokens, where a model's own is not known."""

STEP = 128
"""In how many tokens OpenAI's models before gpt-5.6 go on from there."""


@dataclass(frozen=True, slots=True)
class MarkRules:
    """What one API takes. Each function gets the request as it was before its marks were settled.

    `carrier`: which block of a turn carries a mark put on one of its blocks, at or before it; `None` where none can.
    `max_marks`: how many marks a request takes. `ttl`: the requested TTL -> what is sent (`None`: the default) and,
    where it differs, why. `refusal`: why this model or server takes no marks at all. `params`: the parameters that
    belong to the marks that are sent, whose TTLs it gets (`None`: the default), and what could not be expressed.
    """

    carrier: Callable[[Request, int, int], int | None]
    max_marks: Callable[[Request, PromptCache | None], int]
    ttl: Callable[[str], tuple[str | None, str | None]]
    refusal: Callable[[Request], str | None]
    params: Callable[[Request, PromptCache | None, Sequence[str | None]], tuple[Params, list[Adjustment]]]
    default: str
    """The lifetime of a mark that names none."""
    tools: str | None = None
    """Why tools carry no mark; `None` where they do."""
    look_back: int = 0
    """How many blocks before a mark are searched for what was written earlier."""
    ttl_must_not_grow: bool = False
    """Whether a longer lifetime must come before a shorter one."""
    has_top_level_mark: bool = False
    """Whether there is a `cache_control` of the whole call, which counts as a mark on its last block."""
    needs_parts: bool = False
    """Whether a text must be sent as a list so that it can carry a mark."""
    is_leading: Callable[[Request, Turn], bool] | None = None
    """Whether a turn is sent before the conversation, wherever it stands; `None`: none is."""
