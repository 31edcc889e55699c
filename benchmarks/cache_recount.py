"""The published rules of the prompt caches once more, from the bodies that were sent: a check of the emulator.

Nothing here is taken from the emulator's cache. What a call writes is readable by the next one, because the calls of a
conversation follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from benchmarks.cache_calls import ANTHROPIC, Call, Rules, Spent
from benchmarks.cache_optimum import automatic

WRITES, READS = 4, 80
"""How many breakpoints of a request are written, and looked up, at most."""

SECONDS = {"5m": 300.0, "1h": 3600.0, "30m": 1800.0}
DEAD = (0.0, 0.0)


def recount(calls: Sequence[Call], rules: Rules) -> list[Spent]:
    """What every call should have taken in."""
    if rules.automatic:
        return _by_key(calls, rules)
    known: dict[tuple[object, int], tuple[float, float]] = {}
    return [_one(call, rules, known) for call in calls]


def _by_key(calls: Sequence[Call], rules: Rules) -> list[Spent]:
    """Automatic caches: calls with another `prompt_cache_key` do not meet. One retention holds for all the calls."""
    life = max(rules.lives) if calls[0].body.get("prompt_cache_retention") == "24h" else min(rules.lives)
    found: dict[int, Spent] = {}
    for key in {call.body.get("prompt_cache_key") for call in calls}:
        places = [at for at, call in enumerate(calls) if call.body.get("prompt_cache_key") == key]
        found |= dict(zip(places, automatic([calls[at] for at in places], life, rules.minimum), strict=True))
    return [found[at] for at in range(len(calls))]


def _one(call: Call, rules: Rules, known: dict[tuple[object, int], tuple[float, float]]) -> Spent:
    """One call against the entries that are known: `(end of life, lifetime)` by key and prefix. Adds its own."""
    key = call.body.get("prompt_cache_key")
    sizes = list(accumulate(block.tokens for block in call.blocks))
    marks, looked_at = _marks(call, rules)
    legal = [at for at in marks if sizes[at] >= rules.minimum]
    hit = max((at for at in looked_at if known.get((key, call.blocks[at].prefix), DEAD)[0] > call.at), default=-1)
    read = sizes[hit] if hit >= 0 else 0
    written = max([read, *(sizes[at] for at in legal)])
    long = max([read, *(sizes[at] for at in legal if marks[at] == 3600.0)])
    for at in {*legal, hit} - {-1}:
        entry = (key, call.blocks[at].prefix)
        end, life = known.get(entry, DEAD)
        life = life if end > call.at else marks[at]
        known[entry] = (call.at + life, life)
    return Spent(uncached=sizes[-1] - written, read=read, short=written - long, long=long - read)


def _marks(call: Call, rules: Rules) -> tuple[dict[int, float], set[int]]:
    """The breakpoints that are written, with their lifetimes, and the places that are looked up."""
    marked = [at for at, block in enumerate(call.blocks) if block.mark is not None]
    marked = sorted({*marked, *_unsaid(call, rules)})
    default = call.body.get("cache_control") or {}
    written = {at: _life(call.blocks[at].mark or default, rules) for at in marked[-WRITES:]}
    return written, {place for at in marked[-READS:] for place in range(max(0, at - rules.look_back + 1), at + 1)}


def _unsaid(call: Call, rules: Rules) -> list[int]:
    """The breakpoint that no block carries: Anthropic's automatic one, OpenAI's implicit one."""
    if rules is ANTHROPIC:
        places = [at for at, block in enumerate(call.blocks) if block.markable]
        return places[-1:] if call.body.get("cache_control") else []
    explicit = (call.body.get("prompt_cache_options") or {}).get("mode") == "explicit"
    return [] if explicit else list(_callers(call))[-1:]


def _callers(call: Call) -> Iterator[int]:
    """Where a user's or a tool's blocks stand."""
    return (at for at, block in enumerate(call.blocks) if block.markable and block.segment.section == "messages")


def _life(mark: Mapping[str, Any], rules: Rules) -> float:
    return SECONDS[mark["ttl"]] if mark.get("ttl") else rules.lives[0]
