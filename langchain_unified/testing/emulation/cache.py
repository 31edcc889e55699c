"""The prompt caches of the providers: what a request reads, what it writes, and for how long.

- Anthropic writes prefixes at breakpoints, and reads them at a breakpoint or up to 20 positions before it.
- OpenAI from gpt-5.6 on writes and reads prefixes at breakpoints only.
- OpenAI before gpt-5.6 reads the longest known prefix, in steps of 128 tokens.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from langchain_unified.caching.policy import LIFETIMES
from langchain_unified.caching.rules import (
    ANTHROPIC_LOOKBACK_POSITIONS,
    DEFAULT_MINIMUM,
    MAX_BREAKPOINTS,
    OPENAI_LEGACY_STEP,
    OPENAI_LOOKUP_BREAKPOINTS,
)
from langchain_unified.caching.segments import SECTIONS, Segment, from_caller, positions, printed, unmarked
from langchain_unified.caching.settings import retention, settings_of
from langchain_unified.caching.tokens import CHARACTERS
from langchain_unified.messages.json_text import compact_json
from langchain_unified.request import JsonObject, Profile, WireName
from langchain_unified.testing.emulation.endpoints import ANTHROPIC, CHAT, total_tokens
from langchain_unified.wires import WIRES
from langchain_unified.wires._completion import Tokens
from langchain_unified.wires.anthropic_messages.caching import prompt_tools

LONG_TTLS = frozenset({"1h", "12h"})
"""The TTLs whose writes are counted apart, as they have another price."""


class Clock:
    """The time of the emulator, in seconds of Unix time. `speed`: its seconds for each real second, 0 for none."""

    def __init__(self, now: float = 1_793_491_200.0, *, speed: float = 0.0) -> None:
        self._base, self._speed, self._started = now, speed, time.monotonic()

    @property
    def now(self) -> float:
        """The time."""
        return self._base + self._speed * (time.monotonic() - self._started) if self._speed else self._base

    @now.setter
    def now(self, now: float) -> None:
        self._base, self._started = now, time.monotonic()

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self._base += seconds


@dataclass(frozen=True, slots=True)
class CacheLookup:
    """What a request reads from the cache and writes to it. `EmulatedCache.commit` carries the writes out.

    `tokens`: the input tokens; output tokens are 0. `writes`: `(key, TTL in seconds)`, with the entry that was read,
    whose lifetime starts again. `started`: the time of the request.
    """

    tokens: Tokens
    writes: tuple[tuple[bytes, float], ...] = ()
    started: float = 0.0


@dataclass(slots=True)
class _Entry:
    seconds: float
    expires: float


@dataclass(frozen=True, slots=True)
class _Breakpoint:
    """The index of the segment that has the breakpoint, and its TTL."""

    index: int
    ttl: str


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A prefix of the prompt: its key in the cache and its length in tokens."""

    key: bytes
    tokens: int


@dataclass(slots=True)
class EmulatedCache:
    """The prompt cache of one emulator."""

    clock: Clock
    _entries: dict[bytes, _Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look_up(self, endpoint: str, body: JsonObject, profile: Profile, segments: Sequence[Segment]) -> CacheLookup:
        """What a request to `endpoint` would read and write now. `segments`: the parts of `body`. Changes nothing."""
        if endpoint in ANTHROPIC:
            return self._anthropic(segments, body, profile)
        seed = _openai_seed("openai_chat" if endpoint == CHAT else "openai_responses", body, profile)
        if profile.cache_breakpoints:
            return self._openai(segments, body, profile, seed)
        return self._openai_automatic(segments, body, profile, seed)

    def commit(self, lookup: CacheLookup) -> None:
        """The answer begins: what the request wrote can be read now, and the lifetime of what it read starts again."""
        with self._lock:
            for key, seconds in lookup.writes:
                entry = self._entries.setdefault(key, _Entry(seconds, 0.0))
                if entry.expires <= lookup.started:
                    entry.seconds = seconds
                # The lifetime counts from the start of the request.
                entry.expires = max(entry.expires, lookup.started + entry.seconds)

    def _is_alive(self, key: bytes) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.expires > self.clock.now

    # --- Anthropic ----------------------------------------------------------------------------------------------------

    def _anthropic(self, segments: Sequence[Segment], body: JsonObject, profile: Profile) -> CacheLookup:
        breakpoints = _anthropic_breakpoints(segments, body)
        prefixes = _prefixes(segments, _anthropic_seeds(body, profile))
        at = positions(segments, runs=True)
        candidates = (
            index
            for each in reversed(breakpoints)
            for index in range(each.index, -1, -1)
            if at[index] > at[each.index] - ANTHROPIC_LOOKBACK_POSITIONS
        )
        return self._read_and_write(prefixes, breakpoints, candidates, profile.cache_minimum or DEFAULT_MINIMUM)

    # --- OpenAI -------------------------------------------------------------------------------------------------------

    def _openai(self, segments: Sequence[Segment], body: JsonObject, profile: Profile, seed: str) -> CacheLookup:
        breakpoints, written = _openai_breakpoints(segments, body)
        prefixes = _prefixes(segments, {"tools": seed})
        candidates = [each.index for each in reversed(breakpoints[-OPENAI_LOOKUP_BREAKPOINTS:])]
        return self._read_and_write(prefixes, written, candidates, profile.cache_minimum or DEFAULT_MINIMUM)

    def _openai_automatic(
        self, segments: Sequence[Segment], body: JsonObject, profile: Profile, seed: str
    ) -> CacheLookup:
        prefixes = list(_automatic_prefixes(segments, seed))
        read = next((prefix.tokens for prefix in reversed(prefixes) if self._is_alive(prefix.key)), 0)
        seconds = LIFETIMES.get(retention(body, profile), LIFETIMES["in_memory"])
        writes = tuple((prefix.key, seconds) for prefix in prefixes)
        tokens = Tokens(uncached=total_tokens(segments) - read, cache_read=read)
        return CacheLookup(tokens, writes, self.clock.now)

    def _read_and_write(
        self, prefixes: Sequence[_Prefix], written: Sequence[_Breakpoint], candidates: Iterable[int], minimum: int
    ) -> CacheLookup:
        """Read the first candidate in the cache, and write the prefix of each breakpoint of `written`.

        `candidates` are indexes of segments. Prefixes below `minimum` tokens are neither read nor written.
        """
        total = prefixes[-1].tokens if prefixes else 0
        long_enough = [each for each in written if prefixes[each.index].tokens >= minimum]
        in_cache = (at for at in candidates if prefixes[at].tokens >= minimum and self._is_alive(prefixes[at].key))
        read_at = next(in_cache, -1)
        read = prefixes[read_at].tokens if read_at >= 0 else 0
        new = [each for each in long_enough if each.index > read_at]
        end = prefixes[new[-1].index].tokens if new else read
        long_end = max((prefixes[each.index].tokens for each in new if each.ttl in LONG_TTLS), default=read)
        tokens = Tokens(
            uncached=total - end, cache_read=read, cache_write_short=end - long_end, cache_write_long=long_end - read
        )
        writes = [(prefixes[each.index].key, LIFETIMES[each.ttl]) for each in long_enough]
        if read_at >= 0:
            key = prefixes[read_at].key
            writes.append((key, self._entries[key].seconds))
        return CacheLookup(tokens, tuple(writes), self.clock.now)


def _prefixes(segments: Iterable[Segment], seeds: Mapping[str, str]) -> list[_Prefix]:
    """For each segment, the prefix that ends with it.

    `seeds`: by section, what its prefixes depend on apart from their text. It is hashed before the section.
    """
    digest, tokens, prefixes = hashlib.sha256(), 0, []
    waiting = dict(seeds)
    for segment in segments:
        for section in SECTIONS:
            if section in waiting:
                digest.update(waiting.pop(section).encode())
            if section == segment.section:
                break
        tokens += segment.tokens
        digest.update(f"\0{segment.head}\0{segment.text}".encode(errors="surrogatepass"))
        prefixes.append(_Prefix(digest.digest(), tokens))
    return prefixes


# --- Anthropic's breakpoints ------------------------------------------------------------------------------------------


def _anthropic_breakpoints(segments: Sequence[Segment], body: JsonObject) -> list[_Breakpoint]:
    """The breakpoints in order; the automatic one stands on the last block that can have one."""
    ttls = {at: _ttl(segment.mark, "5m") for at, segment in enumerate(segments) if segment.mark is not None}
    if body.get("cache_control"):
        last = max((at for at, segment in enumerate(segments) if segment.markable), default=None)
        if last is not None:
            ttls.setdefault(last, _ttl(body["cache_control"], "5m"))
    return [_Breakpoint(at, ttls[at]) for at in sorted(ttls)]


def _ttl(mark: JsonObject | None, default: str) -> str:
    ttl = str((mark or {}).get("ttl") or default)
    return ttl if ttl in LIFETIMES else default


def _anthropic_seeds(body: JsonObject, profile: Profile) -> dict[str, str]:
    """By section, what its prefixes depend on apart from their text."""
    settings = WIRES["anthropic_messages"].settings
    seeds: dict[str, str] = {
        section: compact_json(settings_of(settings, body, profile, section), sort_keys=True) for section in SECTIONS
    }
    # A change of one tool invalidates all prefixes, wherever the breakpoints stand.
    seeds["tools"] += printed(["anthropic", body.get("model"), unmarked(prompt_tools(body))])
    return seeds


# --- OpenAI's breakpoints ---------------------------------------------------------------------------------------------


def _openai_seed(wire: WireName, body: JsonObject, profile: Profile) -> str:
    """What all prefixes depend on apart from their text."""
    settings = settings_of(WIRES[wire].settings, body, profile, "tools")
    return compact_json(["openai", body.get("model"), *settings], sort_keys=True)


def _openai_breakpoints(segments: Sequence[Segment], body: JsonObject) -> tuple[list[_Breakpoint], list[_Breakpoint]]:
    """All breakpoints of the request, and those of them that are written; both in order."""
    options = body.get("prompt_cache_options") or {}
    default = _ttl(options, "30m")
    explicit = [_Breakpoint(at, _ttl(item.mark, default)) for at, item in enumerate(segments) if item.mark is not None]
    if options.get("mode") == "explicit":
        return explicit, explicit[-MAX_BREAKPOINTS:]
    latest = max((at for at, segment in enumerate(segments) if from_caller(segment)), default=None)
    implicit = [] if latest is None else [_Breakpoint(latest, default)]
    others = [each for each in explicit if each.index != latest]
    return _in_order(others + implicit), _in_order(others[1 - MAX_BREAKPOINTS :] + implicit)


def _in_order(breakpoints: Iterable[_Breakpoint]) -> list[_Breakpoint]:
    return sorted(breakpoints, key=attrgetter("index"))


def _automatic_prefixes(segments: Iterable[Segment], seed: str) -> Iterator[_Prefix]:
    """The prefixes of 1,024, 1,152, … tokens, shortest first."""
    digest, done, length = hashlib.sha256(seed.encode()), 0, DEFAULT_MINIMUM
    for segment in segments:
        digest.update(f"\0{segment.head}\0".encode(errors="surrogatepass"))
        while done + segment.tokens >= length:
            part = digest.copy()
            inside = length - done
            part.update(f"{inside}".encode() if not segment.text else b"")
            part.update(segment.text[: inside * CHARACTERS].encode(errors="surrogatepass"))
            yield _Prefix(part.digest(), length)
            length += OPENAI_LEGACY_STEP
        digest.update(segment.text.encode(errors="surrogatepass"))
        done += segment.tokens
