"""The lowest cost of a conversation's input, over all placements of marks: a lower bound, and mostly the exact value.

**Caches with breakpoints** (Anthropic, OpenAI from gpt-5.6 on). Cut each prompt at every place where a mark is allowed
and where the prefix has the model's minimum length. A prefix is read or written up to such a place or not at all. So
the blocks between two places, a *stretch*, always have the same charge: read, written (with a lifetime), or uncached.
A stretch is identified by the prefix that it ends. It occurs again in every later call that begins with that prefix.

Each stretch is solved on its own, with all the times at which it occurs, from the last occurrence back to the first. If
it is in the cache, it is read. If not, it is uncached or written with one of the lifetimes. It is in the cache at the
next occurrence if that comes before the lifetime ends. The bound is the sum over all stretches. Any valid placement of
marks gives each stretch one such sequence of charges, so it cannot cost less.

Three rules are left out. Each could only make the true lowest cost higher:

- a request has at most four breakpoints, and Anthropic looks back 20 blocks, OpenAI none;
- a stretch that is read stays in the cache for the longest lifetime. That is so if a longer prefix is written with it
  in the same call, whose cost is not counted;
- a call writes one prefix. (This costs nothing: an earlier stretch occurs again no later than the ones after it.)

**Automatic caches** (OpenAI before gpt-5.6). Only the lifetime can be chosen: each call reads the longest beginning
that it shares with a call that has not expired. The value is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from benchmarks.cache_calls import CacheRules, InputTokens, PromptBlock, SentCall, total

STEP, CHARACTERS = 128, 4


def optimum(calls: Sequence[SentCall], rules: CacheRules) -> list[InputTokens]:
    """The input tokens of every call at the lowest cost of the whole conversation; see the top of this file."""
    if rules.automatic:
        return automatic(calls, max(rules.lifetimes), rules.minimum)
    plan: list[list[InputTokens]] = [[] for _ in calls]
    occurrences: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for at, call in enumerate(calls):
        for stretch in _stretches(call, rules.minimum):
            if stretch.prefix is None:
                plan[at].append(InputTokens(uncached=stretch.tokens))
                continue
            occurrences.setdefault(stretch.prefix, []).append(at)
            sizes[stretch.prefix] = stretch.tokens
    for prefix, places in occurrences.items():
        charges = _cheapest([calls[at].at for at in places], rules)
        for at, charge in zip(places, charges, strict=True):
            plan[at].append(InputTokens(**{charge: sizes[prefix]}))
    return [total(parts) for parts in plan]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Blocks that always have the same charge. `prefix` is `None` if no mark can cover them."""

    prefix: int | None
    tokens: int


def _stretches(call: SentCall, minimum: int) -> Iterator[_Stretch]:
    pending = length = 0
    for block in call.blocks:
        pending += block.tokens
        length += block.tokens
        if block.markable and length >= minimum:
            yield _Stretch(block.prefix, pending)
            pending = 0
    if pending:
        yield _Stretch(None, pending)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The cheapest charges from an occurrence on: their cost per token, the first charge, and if it is cached next."""

    cost: float
    charge: str
    cached: bool


def _cheapest(times: Sequence[float], rules: CacheRules) -> list[str]:
    """The charges of a stretch that occurs at these times. It is not cached at the first one."""
    best: list[tuple[_Choice, _Choice]] = []
    missing = cached = _Choice(0.0, "", cached=False)
    for at in reversed(range(len(times))):
        gap = times[at + 1] - times[at] if at + 1 < len(times) else float("inf")
        choices = [_choice("uncached", 1.0, 0.0, gap, (missing, cached))]
        writes = zip(("written", "written_long"), (rules.write_price, rules.long_write_price), strict=True)
        for (charge, price), lifetime in zip(writes, rules.lifetimes, strict=False):
            choices.append(_choice(charge, price, lifetime, gap, (missing, cached)))
        read = _choice("read", rules.read_price, max(rules.lifetimes), gap, (missing, cached))
        missing, cached = min(choices, key=lambda choice: choice.cost), read
        best.append((missing, cached))
    return list(_charges(best[::-1]))


def _choice(charge: str, price: float, lifetime: float, gap: float, following: tuple[_Choice, _Choice]) -> _Choice:
    cached = gap < lifetime
    return _Choice(price + following[cached].cost, charge, cached)


def _charges(best: Sequence[tuple[_Choice, _Choice]]) -> Iterator[str]:
    cached = False
    for pair in best:
        choice = pair[cached]
        yield choice.charge
        cached = choice.cached


# --- automatic caches -------------------------------------------------------------------------------------------------


def automatic(calls: Sequence[SentCall], lifetime: float, minimum: int) -> list[InputTokens]:
    """The input tokens of every call, where the cache keeps everything for `lifetime` seconds after its last use."""
    return [_longest(calls[:at], call, lifetime, minimum) for at, call in enumerate(calls)]


def _longest(earlier: Sequence[SentCall], call: SentCall, lifetime: float, minimum: int) -> InputTokens:
    recent = [other for other in earlier if call.at - other.at < lifetime]
    shared = max((_shared(call.blocks, other.blocks) for other in recent), default=0)
    read = 0 if shared < minimum else shared - (shared - minimum) % STEP
    return InputTokens(uncached=call.tokens - read, read=read)


def _shared(one: Sequence[PromptBlock], other: Sequence[PromptBlock]) -> int:
    """The tokens of the common beginning of two prompts."""
    tokens = 0
    for a, b in zip(one, other, strict=False):
        if a.prefix != b.prefix:
            return tokens + (_alike(a.segment.text, b.segment.text) if a.segment.head == b.segment.head else 0)
        tokens += a.tokens
    return tokens


def _alike(one: str, other: str) -> int:
    """The whole tokens of the common beginning of two texts."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))) // CHARACTERS
