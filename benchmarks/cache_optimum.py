"""The least that a conversation's input can cost, whatever marks are placed: a lower bound, and mostly the exact value.

**Caches with breakpoints** (Anthropic, OpenAI from gpt-5.6 on). Cut each prompt at every place where a mark may stand
and where the prefix has reached the model's minimum. A prefix is read or written up to such a place or not at all, so
the blocks between two of them, a *stretch*, are always charged alike: read, written (for a lifetime), or uncached. A
stretch is known by the whole prefix that it ends; it comes again in every later call that begins with that prefix.

For each stretch by itself, and knowing all the times at which it comes, the cheapest sequence of charges follows from
the last occurrence back to the first: where it is alive it is read, where it is not, it is left uncached or written for
one of the lifetimes, and it is alive at the next occurrence if that comes in time. The bound is the sum over all
stretches. What a legal sequence of marks costs is one such sequence of charges for every stretch, hence not less.

Three rules are left out, and each can only make the true least cost higher:

- there are no more than four breakpoints in a request, and Anthropic looks back 20 blocks, OpenAI not at all;
- a stretch that is read lives on for the longest lifetime. It does if a longer prefix is written for that long in the
  same call; what this costs is not counted;
- a call writes one prefix. (This costs nothing: an earlier stretch comes again no later than the ones behind it.)

**Automatic caches** (OpenAI before gpt-5.6). Nothing is chosen but the lifetime: each call reads the longest beginning
that it shares with a call that it still reaches. The figure is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from benchmarks.cache_calls import BlockSeen, Call, Rules, Spent, total

STEP, CHARACTERS = 128, 4


def optimum(calls: Sequence[Call], rules: Rules) -> list[Spent]:
    """What every call takes in when the whole conversation costs least; see the top of this file."""
    if rules.automatic:
        return automatic(calls, max(rules.lives), rules.minimum)
    plan: list[list[Spent]] = [[] for _ in calls]
    occurrences: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for at, call in enumerate(calls):
        for stretch in _stretches(call, rules.minimum):
            if stretch.prefix is None:
                plan[at].append(Spent(uncached=stretch.tokens))
                continue
            occurrences.setdefault(stretch.prefix, []).append(at)
            sizes[stretch.prefix] = stretch.tokens
    for prefix, places in occurrences.items():
        charges = _cheapest([calls[at].at for at in places], rules)
        for at, charge in zip(places, charges, strict=True):
            plan[at].append(Spent(**{charge: sizes[prefix]}))
    return [total(parts) for parts in plan]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Blocks that are always charged alike. `prefix` is `None` where no mark can reach them."""

    prefix: int | None
    tokens: int


def _stretches(call: Call, minimum: int) -> Iterator[_Stretch]:
    waiting = length = 0
    for block in call.blocks:
        waiting += block.tokens
        length += block.tokens
        if block.markable and length >= minimum:
            yield _Stretch(block.prefix, waiting)
            waiting = 0
    if waiting:
        yield _Stretch(None, waiting)


@dataclass(frozen=True, slots=True)
class _Way:
    """The cheapest way from an occurrence on: its cost for a token, the charge here, and whether the next one lives."""

    cost: float
    charge: str
    lives: bool


def _cheapest(times: Sequence[float], rules: Rules) -> list[str]:
    """The charges of a stretch that comes at these times, from the first, at which it is not cached."""
    ways: list[tuple[_Way, _Way]] = []
    dead = alive = _Way(0.0, "", lives=False)
    for at in reversed(range(len(times))):
        gap = times[at + 1] - times[at] if at + 1 < len(times) else float("inf")
        choices = [_way("uncached", 1.0, 0.0, gap, (dead, alive))]
        for charge, price, life in zip(("short", "long"), (rules.short, rules.long), rules.lives, strict=False):
            choices.append(_way(charge, price, life, gap, (dead, alive)))
        read = _way("read", rules.read, max(rules.lives), gap, (dead, alive))
        dead, alive = min(choices, key=lambda way: way.cost), read
        ways.append((dead, alive))
    return list(_walk(ways[::-1]))


def _way(charge: str, price: float, life: float, gap: float, onward: tuple[_Way, _Way]) -> _Way:
    lives = gap < life
    return _Way(price + onward[lives].cost, charge, lives)


def _walk(ways: Sequence[tuple[_Way, _Way]]) -> Iterator[str]:
    lives = False
    for pair in ways:
        way = pair[lives]
        yield way.charge
        lives = way.lives


# --- automatic caches -------------------------------------------------------------------------------------------------


def automatic(calls: Sequence[Call], life: float, minimum: int) -> list[Spent]:
    """What every call takes in where the cache keeps everything for `life` seconds from its last use."""
    return [_longest(calls[:at], call, life, minimum) for at, call in enumerate(calls)]


def _longest(earlier: Sequence[Call], call: Call, life: float, minimum: int) -> Spent:
    recent = [other for other in earlier if call.at - other.at < life]
    shared = max((_shared(call.blocks, other.blocks) for other in recent), default=0)
    read = 0 if shared < minimum else shared - (shared - minimum) % STEP
    return Spent(uncached=call.tokens - read, read=read)


def _shared(one: Sequence[BlockSeen], other: Sequence[BlockSeen]) -> int:
    """How many tokens two prompts begin with in common."""
    tokens = 0
    for a, b in zip(one, other, strict=False):
        if a.prefix != b.prefix:
            return tokens + (_alike(a.segment.text, b.segment.text) if a.segment.head == b.segment.head else 0)
        tokens += a.tokens
    return tokens


def _alike(one: str, other: str) -> int:
    """How many whole tokens two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))) // CHARACTERS
