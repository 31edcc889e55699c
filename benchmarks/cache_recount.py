"""A second implementation of the prompt caches' published rules, on the bodies that were sent: it checks the emulator.

It shares no code with the emulator's cache. The next call can always read what a call writes, because the calls of a
conversation are made one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from benchmarks.cache_calls import CacheRules, InputTokens, SentCall
from benchmarks.cache_optimum import automatic

WRITES, READS = 4, 80
"""The most breakpoints of a request that are written, and that are looked up."""

SECONDS = {"5m": 300.0, "1h": 3600.0, "30m": 1800.0}
EXPIRED = (0.0, 0.0)


def recount(calls: Sequence[SentCall], rules: CacheRules) -> list[InputTokens]:
    """The input tokens that every call should have."""
    if rules.automatic:
        return _by_key(calls, rules)
    known: dict[tuple[object, int], tuple[float, float]] = {}
    return [_one(call, rules, known) for call in calls]


def _by_key(calls: Sequence[SentCall], rules: CacheRules) -> list[InputTokens]:
    """Automatic caches: calls with different `prompt_cache_key`s share nothing. All calls have the same retention."""
    lifetime = max(rules.lifetimes) if calls[0].body.get("prompt_cache_retention") == "24h" else min(rules.lifetimes)
    found: dict[int, InputTokens] = {}
    for key in {call.body.get("prompt_cache_key") for call in calls}:
        places = [at for at, call in enumerate(calls) if call.body.get("prompt_cache_key") == key]
        found |= dict(zip(places, automatic([calls[at] for at in places], lifetime, rules.minimum), strict=True))
    return [found[at] for at in range(len(calls))]


def _one(call: SentCall, rules: CacheRules, known: dict[tuple[object, int], tuple[float, float]]) -> InputTokens:
    """One call, with the known entries: `(expiry, lifetime)` by key and prefix. Its own entries are added."""
    key = call.body.get("prompt_cache_key")
    sizes = list(accumulate(block.tokens for block in call.blocks))
    marks, looked_up = _marks(call, rules)
    legal = [at for at in marks if sizes[at] >= rules.minimum]
    hit = max((at for at in looked_up if known.get((key, call.blocks[at].prefix), EXPIRED)[0] > call.at), default=-1)
    read = sizes[hit] if hit >= 0 else 0
    written = max([read, *(sizes[at] for at in legal)])
    long = max([read, *(sizes[at] for at in legal if marks[at] == 3600.0)])
    for at in {*legal, hit} - {-1}:
        entry = (key, call.blocks[at].prefix)
        end, lifetime = known.get(entry, EXPIRED)
        lifetime = lifetime if end > call.at else marks[at]
        known[entry] = (call.at + lifetime, lifetime)
    return InputTokens(uncached=sizes[-1] - written, read=read, written=written - long, written_long=long - read)


def _marks(call: SentCall, rules: CacheRules) -> tuple[dict[int, float], set[int]]:
    """The breakpoints that are written, with their lifetimes, and the blocks at which entries are looked up."""
    marked = [at for at, block in enumerate(call.blocks) if block.mark is not None]
    marked = sorted({*marked, *_unmarked_breakpoint(call, rules)})
    default = call.body.get("cache_control") or {}
    written = {at: _lifetime(call.blocks[at].mark or default, rules) for at in marked[-WRITES:]}
    counted = _positions(call)
    looked_up = {
        place
        for at in marked[-READS:]
        for place in range(at + 1)
        if counted[at] - counted[place] < rules.look_back and (rules.look_back > 1 or place == at)
    }
    return written, looked_up


def _positions(call: SentCall) -> list[int]:
    """Where each block stands for the look-back: consecutive `tool_use` or `tool_result` blocks stand together."""
    kinds = [block.segment.block.get("type") for block in call.blocks]
    joined = [at > 0 and kind == kinds[at - 1] and kind in ("tool_use", "tool_result") for at, kind in enumerate(kinds)]
    return list(accumulate(0 if together else 1 for together in joined))


def _unmarked_breakpoint(call: SentCall, rules: CacheRules) -> list[int]:
    """A breakpoint that is on no block: Anthropic's top-level one, OpenAI's implicit one."""
    if rules.looks_back:
        places = [at for at, block in enumerate(call.blocks) if block.markable]
        return places[-1:] if call.body.get("cache_control") else []
    explicit = (call.body.get("prompt_cache_options") or {}).get("mode") == "explicit"
    return [] if explicit else list(_callers(call))[-1:]


def _callers(call: SentCall) -> Iterator[int]:
    """The indices of users' and tools' blocks."""
    return (at for at, block in enumerate(call.blocks) if block.markable and block.segment.section == "messages")


def _lifetime(mark: Mapping[str, Any], rules: CacheRules) -> float:
    return SECONDS[mark["ttl"]] if mark.get("ttl") else rules.lifetimes[0]
