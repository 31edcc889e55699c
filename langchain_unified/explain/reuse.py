"""What one call leaves in a prompt cache, and what of that a later one finds.

Anthropic writes at marks and looks back from marks, OpenAI from gpt-5.6 on writes and reads exactly at breakpoints, and
its models before keep every step of a prompt by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from langchain_unified.caching.policy import LIFETIMES
from langchain_unified.caching.rules import (
    ANTHROPIC_LOOKBACK_BLOCKS,
    DEFAULT_MINIMUM,
    MAX_BREAKPOINTS,
    OPENAI_LEGACY_STEP,
    OPENAI_LOOKUP_BREAKPOINTS,
)
from langchain_unified.caching.segments import from_caller
from langchain_unified.caching.settings import retention
from langchain_unified.explain.changes import Cause, Difference
from langchain_unified.explain.prompt import Prompt, Where
from langchain_unified.request import JsonObject
from langchain_unified.wires import WIRES


@dataclass(frozen=True, slots=True)
class Entry:
    """A prefix in the cache. `index` is its last segment, `ttl` how long it lives."""

    index: int
    tokens: int
    ttl: str
    where: Where


@dataclass(frozen=True, slots=True)
class Reuse:
    """What came of it. `wrote` is the longest prefix that the earlier call left, `read` the longest that is found.

    `causes` are what stood in the way, in turn, each with the prefix that it took away. `dropped` are marks that the
    earlier call had beyond those that are written.
    """

    wrote: Entry | None
    read: Entry | None
    causes: tuple[tuple[Cause, Entry | None], ...] = ()
    dropped: tuple[Where, ...] = ()

    @property
    def cause(self) -> Cause:
        """The first of them; `none` where all is read."""
        return self.causes[0][0] if self.causes else "none"


@dataclass(frozen=True, slots=True)
class Marked:
    """The places of a prompt at which a cache stops: those it writes, all at which it reads, and the rest."""

    written: tuple[Entry, ...]
    read: tuple[int, ...] = ()
    dropped: tuple[Where, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to cache.

    `shared`: whether an entry is before a difference. `finds`: whether a prompt with these marks reads it; `unfound`:
    why not, where it does not.
    """

    marked: Callable[[Prompt], Marked]
    shared: Callable[[Entry, Prompt, Difference], bool]
    finds: Callable[[Marked, Entry], bool]
    unfound: Callable[[Marked, Entry], Cause]


def minimum_of(prompt: Prompt) -> int:
    """The shortest prefix that the model caches, in tokens."""
    return prompt.profile.cache_minimum or DEFAULT_MINIMUM


def reuse(previous: Prompt, following: Prompt, difference: Difference | None, elapsed: float | None) -> Reuse:
    """What the later call reads of what the earlier one left, and what stands in the way of more.

    Without `elapsed` nothing has run out.
    """
    kind = kind_of(previous)
    left, marked = kind.marked(previous), kind.marked(following)
    found = [entry for entry in left.written if entry.tokens >= minimum_of(previous)]
    if not found:
        longest = left.written[-1] if left.written else None
        return Reuse(longest, None, (("below_minimum" if longest else "no_marks", longest),), left.dropped)
    wrote, causes = found[-1], list[tuple[Cause, Entry | None]]()
    for sieve in (_readable(kind, marked), _alive(elapsed), _same(kind, previous, difference), _found(kind, marked)):
        kept = [entry for entry in found if sieve.keeps(entry)]
        if kept[-1:] != found[-1:]:
            causes.append((sieve.cause(found[-1]), found[-1]))
        found = kept
    return Reuse(wrote, found[-1] if found else None, tuple(causes), left.dropped)


@dataclass(frozen=True, slots=True)
class _Sieve:
    """One condition for an entry to be read: which it keeps, and what it means for one that it does not."""

    keeps: Callable[[Entry], bool]
    cause: Callable[[Entry], Cause]


def _readable(kind: Kind, marked: Marked) -> _Sieve:
    """The later call must have a mark at all; OpenAI's older models need none."""
    return _Sieve(lambda _: kind is STEPS or bool(marked.read), lambda _: "no_marks")


def _alive(elapsed: float | None) -> _Sieve:
    return _Sieve(lambda entry: elapsed is None or elapsed < LIFETIMES[entry.ttl], lambda _: "ttl")


def _same(kind: Kind, previous: Prompt, difference: Difference | None) -> _Sieve:
    cause: Cause = difference.cause if difference else "none"
    return _Sieve(lambda entry: difference is None or kind.shared(entry, previous, difference), lambda _: cause)


def _found(kind: Kind, marked: Marked) -> _Sieve:
    return _Sieve(lambda entry: kind.finds(marked, entry), lambda entry: kind.unfound(marked, entry))


def kind_of(prompt: Prompt) -> Kind:
    """How the model of a prompt caches."""
    if prompt.wire == "anthropic_messages":
        return BLOCKS
    own = prompt.profile.cache_breakpoints and prompt.request.dialect.cache_marks
    return BREAKPOINTS if own else STEPS


# --- Anthropic --------------------------------------------------------------------------------------------------------


def _before(entry: Entry, prompt: Prompt, difference: Difference) -> bool:
    return entry.index < difference.index


def _blocks(prompt: Prompt) -> Marked:
    default = WIRES[prompt.wire].marks.default
    points = {at: _ttl(segment.mark, default) for at, segment in enumerate(prompt.segments) if segment.mark is not None}
    whole = prompt.body.get("cache_control")
    markable = [at for at, segment in enumerate(prompt.segments) if segment.markable]
    if whole and markable:
        points.setdefault(markable[-1], _ttl(whole, default))
    entries = tuple(_entry(prompt, at, points[at]) for at in sorted(points))
    return Marked(entries, tuple(sorted(points)))


def _looks_back(marked: Marked, entry: Entry) -> bool:
    return any(point - ANTHROPIC_LOOKBACK_BLOCKS < entry.index <= point for point in marked.read)


def _out_of_sight(marked: Marked, entry: Entry) -> Cause:
    return "look_back" if marked.read[-1] >= entry.index else "no_matching_breakpoint"


def _ttl(mark: JsonObject | None, default: str) -> str:
    ttl = str((mark or {}).get("ttl") or default)
    return ttl if ttl in LIFETIMES else default


def _entry(prompt: Prompt, index: int, ttl: str) -> Entry:
    return Entry(index, prompt.ends[index], ttl, prompt.places[index])


# --- OpenAI from gpt-5.6 on -------------------------------------------------------------------------------------------


def _breakpoints(prompt: Prompt) -> Marked:
    options = prompt.body.get("prompt_cache_options") or {}
    default = _ttl(options, WIRES[prompt.wire].marks.default)
    points = {at: _ttl(segment.mark, default) for at, segment in enumerate(prompt.segments) if segment.mark is not None}
    room, latest = MAX_BREAKPOINTS, None
    if options.get("mode") != "explicit":
        callers = [at for at, segment in enumerate(prompt.segments) if from_caller(segment)]
        latest = callers[-1] if callers else None
        room -= 1
    explicit = [at for at in sorted(points) if at != latest]
    written = sorted([*explicit[-room:], *([] if latest is None else [latest])])
    return Marked(
        tuple(_entry(prompt, at, default if at == latest else points[at]) for at in written),
        tuple(sorted({*explicit, *written})[-OPENAI_LOOKUP_BREAKPOINTS:]),
        tuple(prompt.places[at] for at in explicit[:-room]),
    )


def _stands_there(marked: Marked, entry: Entry) -> bool:
    return entry.index in marked.read


def _nothing_there(marked: Marked, entry: Entry) -> Cause:
    return "no_matching_breakpoint"


# --- OpenAI before ----------------------------------------------------------------------------------------------------


def _steps(prompt: Prompt) -> Marked:
    ttl, entries, index = _ttl({"ttl": retention(prompt.body, prompt.profile)}, "in_memory"), [], 0
    for tokens in _stops(prompt.tokens):
        while prompt.ends[index] < tokens:
            index += 1
        entries.append(Entry(index, tokens, ttl, prompt.places[index]))
    short = Entry(len(prompt.ends) - 1, prompt.tokens, ttl, prompt.places[-1]) if prompt.ends and not entries else None
    return Marked((short,) if short else tuple(entries))


def _stops(tokens: int) -> Iterable[int]:
    return range(DEFAULT_MINIMUM, tokens + 1, OPENAI_LEGACY_STEP)


def _within(entry: Entry, prompt: Prompt, difference: Difference) -> bool:
    return entry.tokens <= prompt.before(difference.index) + round(difference.inside * prompt.scale)


def _by_itself(marked: Marked, entry: Entry) -> bool:
    return True


def _never(marked: Marked, entry: Entry) -> Cause:
    return "none"


BLOCKS = Kind(_blocks, _before, _looks_back, _out_of_sight)
BREAKPOINTS = Kind(_breakpoints, _before, _stands_there, _nothing_there)
STEPS = Kind(_steps, _within, _by_itself, _never)
