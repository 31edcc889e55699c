"""Prompt caching as the providers do it: what a request reads, what it writes, and for how long.

Anthropic: entries are written only at breakpoints and read up to 20 blocks before one. OpenAI from gpt-5.6 on: written
and read exactly at breakpoints. OpenAI before: the longest known prefix, in steps of 128 tokens.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from langchain_unified.caching.policy import LIFETIMES
from langchain_unified.caching.rules import (
    ANTHROPIC_LOOKBACK_BLOCKS,
    DEFAULT_MINIMUM,
    MAX_BREAKPOINTS,
    OPENAI_LEGACY_STEP,
    OPENAI_LOOKUP_BREAKPOINTS,
)
from langchain_unified.caching.segments import SECTIONS, Segment, from_caller, printed, unmarked
from langchain_unified.caching.settings import retention, settings_of
from langchain_unified.caching.tokens import CHARACTERS, compact
from langchain_unified.request import JsonObject, Profile, WireName
from langchain_unified.testing.emulation.segments import total
from langchain_unified.wires import WIRES
from langchain_unified.wires._completion import Tokens
from langchain_unified.wires.anthropic_messages.caching import prompt_tools

LONG = frozenset({"1h", "12h"})


class Clock:
    """The time that the caches and timestamps see, in seconds of Unix time. It stands still unless it is moved."""

    def __init__(self, now: float = 1_793_491_200.0) -> None:
        self.now = now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Hit:
    """What a request reads and writes. `writes` become readable, and what was read lives on, with `commit`.

    `tokens` has no output yet. `writes` are `(key, seconds to live)`; `started` is when the request came in.
    """

    tokens: Tokens
    writes: tuple[tuple[bytes, float], ...] = ()
    started: float = 0.0


@dataclass(slots=True)
class _Entry:
    seconds: float
    expires: float


@dataclass(frozen=True, slots=True)
class _Point:
    """A breakpoint: the index of its segment, and its time to live."""

    index: int
    ttl: str


@dataclass(frozen=True, slots=True)
class _Link:
    """The prefix that ends with a segment."""

    key: bytes
    tokens: int


@dataclass(slots=True)
class PromptCache:
    """The entries of one server."""

    clock: Clock
    _entries: dict[bytes, _Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look_up(self, endpoint: str, body: JsonObject, profile: Profile, segments: Sequence[Segment]) -> Hit:
        """What a request to `endpoint`, whose body falls into `segments`, would read and write now. Changes nothing."""
        if endpoint.startswith("anthropic."):
            return self._anthropic(segments, body, profile)
        seed = _openai_seed("openai_chat" if endpoint == "openai.chat" else "openai_responses", body, profile)
        if profile.cache_breakpoints:
            return self._openai(segments, body, profile, seed)
        return self._openai_automatic(segments, body, profile, seed)

    def commit(self, hit: Hit) -> None:
        """The answer begins: its entries become readable, and the one it read lives on."""
        with self._lock:
            for key, seconds in hit.writes:
                entry = self._entries.setdefault(key, _Entry(seconds, 0.0))
                if entry.expires <= hit.started:
                    entry.seconds = seconds
                # Lifetime counts from the start of the request.
                entry.expires = max(entry.expires, hit.started + entry.seconds)

    def _alive(self, key: bytes) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.expires > self.clock.now

    # --- Anthropic ----------------------------------------------------------------------------------------------------

    def _anthropic(self, segments: Sequence[Segment], body: JsonObject, profile: Profile) -> Hit:
        points = _anthropic_points(segments, body)
        chain = _chain(segments, _anthropic_seeds(body, profile))
        candidates = (
            index
            for point in reversed(points)
            for index in range(point.index, max(-1, point.index - ANTHROPIC_LOOKBACK_BLOCKS), -1)
        )
        return self._settle(chain, points, candidates, profile.cache_minimum or DEFAULT_MINIMUM)

    # --- OpenAI -------------------------------------------------------------------------------------------------------

    def _openai(self, segments: Sequence[Segment], body: JsonObject, profile: Profile, seed: str) -> Hit:
        marked, written = _openai_points(segments, body)
        chain = _chain(segments, {"tools": seed})
        candidates = [point.index for point in reversed(marked[-OPENAI_LOOKUP_BREAKPOINTS:])]
        return self._settle(chain, written, candidates, profile.cache_minimum or DEFAULT_MINIMUM)

    def _openai_automatic(self, segments: Sequence[Segment], body: JsonObject, profile: Profile, seed: str) -> Hit:
        links = list(_steps(segments, seed))
        whole = total(segments)
        read = next((link.tokens for link in reversed(links) if self._alive(link.key)), 0)
        seconds = LIFETIMES.get(retention(body, profile), LIFETIMES["in_memory"])
        writes = tuple((link.key, seconds) for link in links)
        return Hit(Tokens(uncached=whole - read, cache_read=read), writes, self.clock.now)

    def _settle(self, chain: Sequence[_Link], points: Sequence[_Point], candidates: Iterable[int], minimum: int) -> Hit:
        """Read the first candidate that lives; write every point that is long enough; charge what lies beyond."""
        whole = chain[-1].tokens if chain else 0
        long_enough = [point for point in points if chain[point.index].tokens >= minimum]
        hit = next((at for at in candidates if chain[at].tokens >= minimum and self._alive(chain[at].key)), -1)
        read = chain[hit].tokens if hit >= 0 else 0
        beyond = [point for point in long_enough if point.index > hit]
        end = chain[beyond[-1].index].tokens if beyond else read
        long_end = max((chain[point.index].tokens for point in beyond if point.ttl in LONG), default=read)
        tokens = Tokens(
            uncached=whole - end, cache_read=read, cache_write_short=end - long_end, cache_write_long=long_end - read
        )
        writes = [(chain[point.index].key, LIFETIMES[point.ttl]) for point in long_enough]
        if hit >= 0:
            writes.append((chain[hit].key, self._entries[chain[hit].key].seconds))
        return Hit(tokens, tuple(writes), self.clock.now)


def _chain(segments: Iterable[Segment], seeds: Mapping[str, str]) -> list[_Link]:
    """One link per segment. Before a section's first segment goes its seed: what else its prefix depends on."""
    digest, tokens, links = hashlib.sha256(), 0, []
    waiting = dict(seeds)
    for segment in segments:
        for section in SECTIONS:
            if section in waiting:
                digest.update(waiting.pop(section).encode())
            if section == segment.section:
                break
        tokens += segment.tokens
        digest.update(f"\0{segment.head}\0{segment.text}".encode(errors="surrogatepass"))
        links.append(_Link(digest.digest(), tokens))
    return links


# --- Anthropic's breakpoints ------------------------------------------------------------------------------------------


def _anthropic_points(segments: Sequence[Segment], body: JsonObject) -> list[_Point]:
    points = {at: _ttl(segment.mark, "5m") for at, segment in enumerate(segments) if segment.mark is not None}
    if body.get("cache_control"):
        last = max((at for at, segment in enumerate(segments) if segment.markable), default=None)
        if last is not None:
            points.setdefault(last, _ttl(body["cache_control"], "5m"))
    return [_Point(at, points[at]) for at in sorted(points)]


def _ttl(mark: JsonObject | None, default: str) -> str:
    ttl = str((mark or {}).get("ttl") or default)
    return ttl if ttl in LIFETIMES else default


def _anthropic_seeds(body: JsonObject, profile: Profile) -> dict[str, str]:
    """What else than its own text a section's cache depends on."""
    settings = WIRES["anthropic_messages"].settings
    seeds: dict[str, str] = {
        section: compact(settings_of(settings, body, profile, section)) for section in SECTIONS
    }
    # A change of one tool loses them all, wherever the marks stand.
    seeds["tools"] += printed(["anthropic", body.get("model"), unmarked(prompt_tools(body))])
    return seeds


# --- OpenAI's breakpoints ---------------------------------------------------------------------------------------------


def _openai_seed(wire: WireName, body: JsonObject, profile: Profile) -> str:
    return compact(["openai", body.get("model"), *settings_of(WIRES[wire].settings, body, profile, "tools")])


def _openai_points(segments: Sequence[Segment], body: JsonObject) -> tuple[list[_Point], list[_Point]]:
    """All breakpoints of the request, and those of them that are written, both in order."""
    options = body.get("prompt_cache_options") or {}
    default = _ttl(options, "30m")
    explicit = [_Point(at, _ttl(item.mark, default)) for at, item in enumerate(segments) if item.mark is not None]
    if options.get("mode") == "explicit":
        return explicit, explicit[-MAX_BREAKPOINTS:]
    latest = max((at for at, segment in enumerate(segments) if from_caller(segment)), default=None)
    implicit = [] if latest is None else [_Point(latest, default)]
    others = [point for point in explicit if point.index != latest]
    return _ordered(others + implicit), _ordered(others[1 - MAX_BREAKPOINTS :] + implicit)


def _ordered(points: Iterable[_Point]) -> list[_Point]:
    return sorted(points, key=attrgetter("index"))


def _steps(segments: Iterable[Segment], seed: str) -> Iterator[_Link]:
    """The prefixes of 1,024, 1,152, … tokens, shortest first."""
    digest, done, wanted = hashlib.sha256(seed.encode()), 0, DEFAULT_MINIMUM
    for segment in segments:
        digest.update(f"\0{segment.head}\0".encode(errors="surrogatepass"))
        while done + segment.tokens >= wanted:
            part = digest.copy()
            inside = wanted - done
            part.update(f"{inside}".encode() if not segment.text else b"")
            part.update(segment.text[: inside * CHARACTERS].encode(errors="surrogatepass"))
            yield _Link(part.digest(), wanted)
            wanted += OPENAI_LEGACY_STEP
        digest.update(segment.text.encode(errors="surrogatepass"))
        done += segment.tokens
