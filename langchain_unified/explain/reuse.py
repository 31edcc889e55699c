"""What one call leaves in a prompt cache, and how much of it a later call reads.

There are three caching schemes. Anthropic writes at breakpoints and looks back from breakpoints. OpenAI, from gpt-5.6
on, writes and reads exactly at breakpoints. Its earlier models cache every step of a prompt without breakpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from langchain_unified.caching.policy import LIFETIMES
from langchain_unified.caching.rules import (
    ANTHROPIC_LOOKBACK_POSITIONS,
    DEFAULT_MINIMUM,
    MAX_BREAKPOINTS,
    OPENAI_LEGACY_STEP,
    OPENAI_LOOKUP_BREAKPOINTS,
)
from langchain_unified.caching.segments import from_caller, positions
from langchain_unified.caching.settings import retention
from langchain_unified.explain.changes import Cause, Difference
from langchain_unified.explain.prompt import Prompt, PromptPlace
from langchain_unified.request import JsonObject
from langchain_unified.wires import WIRES


@dataclass(frozen=True, slots=True)
class CachedPrefix:
    """A prefix in the cache. `index` is its last segment, at `place`."""

    index: int
    tokens: int
    ttl: str
    place: PromptPlace


@dataclass(frozen=True, slots=True)
class Reuse:
    """What a later call reads of what an earlier one wrote.

    `written`: the longest prefix that the earlier call left. `read`: the longest one that the later call reads.
    `causes`: why longer prefixes are not read, one after the other, each with the longest prefix that it excludes.
    `dropped`: marks of the earlier call beyond those that are written.
    """

    written: CachedPrefix | None
    read: CachedPrefix | None
    causes: tuple[tuple[Cause, CachedPrefix | None], ...] = ()
    dropped: tuple[PromptPlace, ...] = ()

    @property
    def cause(self) -> Cause:
        """The first cause; `none` where all is read."""
        return self.causes[0][0] if self.causes else "none"


@dataclass(frozen=True, slots=True)
class Breakpoints:
    """The prefixes that a prompt writes, the segments at which it looks entries up, and the marks beyond the limit.

    `positions`: by segment, where Anthropic counts it when it looks back.
    """

    written: tuple[CachedPrefix, ...]
    looked_up: tuple[int, ...] = ()
    dropped: tuple[PromptPlace, ...] = ()
    positions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CachingScheme:
    """How a model caches.

    `breakpoints`: those of a prompt. `is_unchanged`: whether a prefix ends before a difference. `is_found`: whether a
    call with these breakpoints finds a prefix. `miss_cause`: why it does not.
    """

    breakpoints: Callable[[Prompt], Breakpoints]
    is_unchanged: Callable[[CachedPrefix, Prompt, Difference], bool]
    is_found: Callable[[Breakpoints, CachedPrefix], bool]
    miss_cause: Callable[[Breakpoints, CachedPrefix], Cause]


def minimum_of(prompt: Prompt) -> int:
    """The shortest prefix that the model caches, in tokens."""
    return prompt.profile.cache_minimum or DEFAULT_MINIMUM


def reuse(previous: Prompt, following: Prompt, difference: Difference | None, elapsed: float | None) -> Reuse:
    """What the later call reads of what the earlier one wrote, and why it is not more.

    `elapsed`: the seconds between the calls; `None`: nothing has expired.
    """
    scheme = scheme_of(previous)
    earlier, later = scheme.breakpoints(previous), scheme.breakpoints(following)
    found = [prefix for prefix in earlier.written if prefix.tokens >= minimum_of(previous)]
    if not found:
        longest = earlier.written[-1] if earlier.written else None
        return Reuse(longest, None, (("below_minimum" if longest else "no_marks", longest),), earlier.dropped)
    written, causes = found[-1], list[tuple[Cause, CachedPrefix | None]]()
    conditions = (
        _has_breakpoints(scheme, later),
        _not_expired(elapsed),
        _unchanged(scheme, previous, difference),
        _found(scheme, later),
    )
    for condition in conditions:
        remaining = [prefix for prefix in found if condition.holds(prefix)]
        if remaining[-1:] != found[-1:]:
            causes.append((condition.cause(found[-1]), found[-1]))
        found = remaining
    return Reuse(written, found[-1] if found else None, tuple(causes), earlier.dropped)


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition for a prefix to be read, and the cause for one that does not meet it."""

    holds: Callable[[CachedPrefix], bool]
    cause: Callable[[CachedPrefix], Cause]


def _has_breakpoints(scheme: CachingScheme, later: Breakpoints) -> _Condition:
    """The later call has a breakpoint. OpenAI's earlier models need none."""
    return _Condition(lambda _: scheme is OPENAI_LEGACY_SCHEME or bool(later.looked_up), lambda _: "no_marks")


def _not_expired(elapsed: float | None) -> _Condition:
    return _Condition(lambda prefix: elapsed is None or elapsed < LIFETIMES[prefix.ttl], lambda _: "ttl")


def _unchanged(scheme: CachingScheme, previous: Prompt, difference: Difference | None) -> _Condition:
    cause: Cause = difference.cause if difference else "none"
    return _Condition(
        lambda prefix: difference is None or scheme.is_unchanged(prefix, previous, difference), lambda _: cause
    )


def _found(scheme: CachingScheme, later: Breakpoints) -> _Condition:
    return _Condition(lambda prefix: scheme.is_found(later, prefix), lambda prefix: scheme.miss_cause(later, prefix))


def scheme_of(prompt: Prompt) -> CachingScheme:
    """The caching scheme of a prompt's model."""
    if prompt.wire == "anthropic_messages":
        return ANTHROPIC_SCHEME
    takes_breakpoints = prompt.profile.cache_breakpoints and prompt.request.dialect.cache_marks == "native"
    return OPENAI_SCHEME if takes_breakpoints else OPENAI_LEGACY_SCHEME


# --- Anthropic --------------------------------------------------------------------------------------------------------


def _ends_before(prefix: CachedPrefix, prompt: Prompt, difference: Difference) -> bool:
    return prefix.index < difference.index


def _anthropic_breakpoints(prompt: Prompt) -> Breakpoints:
    default = WIRES[prompt.wire].marks.default
    ttls = _marked_segments(prompt, default)
    top_level = prompt.body.get("cache_control")
    markable = [at for at, segment in enumerate(prompt.segments) if segment.markable]
    if top_level and markable:
        ttls.setdefault(markable[-1], _ttl(top_level, default))
    counted = positions(prompt.segments, runs=prompt.request.dialect.name not in EVERY_BLOCK)
    written = tuple(_prefix(prompt, at, ttls[at]) for at in sorted(ttls))
    return Breakpoints(written, tuple(sorted(ttls)), positions=tuple(counted))


EVERY_BLOCK = ("bedrock",)
"""Servers on which each block counts in the look-back."""


def _marked_segments(prompt: Prompt, default: str) -> dict[int, str]:
    """The TTL of each segment with a mark."""
    return {at: _ttl(segment.mark, default) for at, segment in enumerate(prompt.segments) if segment.mark is not None}


def _within_lookback(later: Breakpoints, prefix: CachedPrefix) -> bool:
    at = later.positions
    return any(
        prefix.index <= mark and at[prefix.index] > at[mark] - ANTHROPIC_LOOKBACK_POSITIONS for mark in later.looked_up
    )


def _beyond_lookback(later: Breakpoints, prefix: CachedPrefix) -> Cause:
    return "look_back" if later.looked_up[-1] >= prefix.index else "no_matching_breakpoint"


def _ttl(mark: JsonObject | None, default: str) -> str:
    ttl = str((mark or {}).get("ttl") or default)
    return ttl if ttl in LIFETIMES else default


def _prefix(prompt: Prompt, index: int, ttl: str) -> CachedPrefix:
    return CachedPrefix(index, prompt.ends[index], ttl, prompt.places[index])


# --- OpenAI, from gpt-5.6 on ------------------------------------------------------------------------------------------


def _openai_breakpoints(prompt: Prompt) -> Breakpoints:
    options = prompt.body.get("prompt_cache_options") or {}
    default = _ttl(options, WIRES[prompt.wire].marks.default)
    ttls = _marked_segments(prompt, default)
    limit, implicit = MAX_BREAKPOINTS, None
    if options.get("mode") != "explicit":
        from_callers = [at for at, segment in enumerate(prompt.segments) if from_caller(segment)]
        implicit = from_callers[-1] if from_callers else None
        limit -= 1
    explicit = [at for at in sorted(ttls) if at != implicit]
    written = sorted([*explicit[-limit:], *([] if implicit is None else [implicit])])
    return Breakpoints(
        tuple(_prefix(prompt, at, default if at == implicit else ttls[at]) for at in written),
        tuple(sorted({*explicit, *written})[-OPENAI_LOOKUP_BREAKPOINTS:]),
        tuple(prompt.places[at] for at in explicit[:-limit]),
    )


def _is_looked_up(later: Breakpoints, prefix: CachedPrefix) -> bool:
    return prefix.index in later.looked_up


def _no_matching_breakpoint(later: Breakpoints, prefix: CachedPrefix) -> Cause:
    return "no_matching_breakpoint"


# --- OpenAI, before gpt-5.6 -------------------------------------------------------------------------------------------


def _openai_steps(prompt: Prompt) -> Breakpoints:
    ttl, prefixes, index = _ttl({"ttl": retention(prompt.body, prompt.profile)}, "in_memory"), [], 0
    for tokens in _step_ends(prompt.tokens):
        while prompt.ends[index] < tokens:
            index += 1
        prefixes.append(CachedPrefix(index, tokens, ttl, prompt.places[index]))
    if prompt.ends and not prefixes:
        prefixes = [_prefix(prompt, len(prompt.ends) - 1, ttl)]
    return Breakpoints(tuple(prefixes))


def _step_ends(tokens: int) -> Iterable[int]:
    return range(DEFAULT_MINIMUM, tokens + 1, OPENAI_LEGACY_STEP)


def _ends_within(prefix: CachedPrefix, prompt: Prompt, difference: Difference) -> bool:
    shared = prompt.tokens_before(difference.index) + round(difference.tokens_within * prompt.scale)
    return prefix.tokens <= shared


def _always_found(later: Breakpoints, prefix: CachedPrefix) -> bool:
    return True


def _no_cause(later: Breakpoints, prefix: CachedPrefix) -> Cause:
    return "none"


ANTHROPIC_SCHEME = CachingScheme(_anthropic_breakpoints, _ends_before, _within_lookback, _beyond_lookback)
OPENAI_SCHEME = CachingScheme(_openai_breakpoints, _ends_before, _is_looked_up, _no_matching_breakpoint)
OPENAI_LEGACY_SCHEME = CachingScheme(_openai_steps, _ends_within, _always_found, _no_cause)
