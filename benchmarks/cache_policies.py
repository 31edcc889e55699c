"""What the bodies of a workload cost under other policies, by the second implementation of the published rules.

A policy here sees a call and the calls before it, and no more: it chooses marks by what any program knows at that time.
The cheapest of `candidates` for a workload is the reference: the best policy without foresight. It may be another one
for each workload, so that no single policy can be expected to reach it everywhere. An hour before the first pause is
not among them, but in `from_the_start`: up to the first pause the calls of a conversation with pauses are those of one
without, and which of the two it is only the future tells.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cache_calls import CacheRules, SentCall, total
from benchmarks.cache_recount import recount

SHORT, LONG = 300.0, 3600.0


@dataclass(frozen=True, slots=True)
class Placement:
    """A policy. `tail`: from which call on the end is marked; `earlier`: which earlier ends are marked, too."""

    name: str = ""
    system: str = "last"
    """`none`, `last`, or `both`: the first block, too."""
    tools: bool = False
    material: bool = False
    tail: str = "follow_up"
    """`never`, `follow_up`, `tools` (also a first call with tools) or `always`."""
    earlier: str = "last"
    """`none`, `last`, `anchor`, `near` (an anchor closer to the end), or `all`."""
    ttl: str = "short"
    """`short`, `long`, `paused` (long from the call after the first pause on) or `later` (from the one after it on)."""
    window: int = 0
    """After how many calls in a row that lost the first messages the end is not marked; 0: it always is."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The places of a call's prompt, as indexes of its blocks."""

    tools: list[int]
    system: list[int]
    first: list[int]
    """The blocks of the first messages from the caller."""
    ends: list[int]
    """The ends of the earlier calls."""
    tail: int | None


def _shape(call: SentCall) -> _Shape:
    tools, system, first, ends, end = [], [], [], list[int](), None
    for at, block in enumerate(call.blocks):
        segment = block.segment
        if not segment.role:
            tools.append(at)
        elif segment.section == "system":
            system += [at] if block.markable and segment.role != "format" else []
        elif segment.role.startswith(("user", "tool")):
            first += [] if ends else [at]
            end = at if block.markable else end
        elif end is not None:
            ends.append(end)
            end = None
    return _Shape(tools, system, first, ends, end)


def marks(placement: Placement, call: SentCall, rules: CacheRules, paused: Mapping[str, bool]) -> dict[int, float]:
    """The marks of a call: index of a block -> lifetime, the most important first."""
    shape = _shape(call)
    found: list[int] = []
    has_tail = placement.tail == "always" or (placement.tail != "never" and bool(shape.ends))
    has_tail = has_tail or (placement.tail == "tools" and bool(shape.tools))
    if has_tail and shape.tail is not None:
        found.append(shape.tail)
    if placement.system != "none":
        found += shape.system[-1:] or (shape.tools[-1:] if rules.looks_back else [])
    if placement.system == "both":
        found += shape.system[:1]
    if has_tail:
        found += EARLIER[placement.earlier](shape.ends)
    if placement.material and placement.tail != "never" and len(shape.first) > 1:
        found.append(shape.first[-2])
    if placement.tools and rules.looks_back:
        found += shape.tools[-1:]
    unique = list(dict.fromkeys(found))
    limit = 4 if rules.looks_back else 79
    long = paused.get(placement.ttl, placement.ttl == "long")
    return dict.fromkeys(unique[:limit], LONG if long and rules.looks_back else SHORT)


def _anchor(ends: Sequence[int], stays: int, distance: int) -> list[int]:
    if len(ends) <= stays:
        return list(ends[-1:])
    at = (len(ends) - distance) // stays * stays
    return [ends[at], *(ends[at - stays : at - stays + 1] if at else [])]


EARLIER: Mapping[str, Any] = {
    "none": lambda _: [],
    "last": lambda ends: list(ends[-1:]),
    "anchor": lambda ends: _anchor(ends, 6, 4),
    "near": lambda ends: _anchor(ends, 3, 3),
    "wide": lambda ends: _anchor(ends, 10, 4),
    "all": lambda ends: list(ends)[-75:],
}

PEERS = (
    Placement("end of every call", system="none", tail="always", earlier="none"),
    Placement("LangChain's, deepagents' middleware", tools=True, tail="always", earlier="none"),
    Placement("system prompt and tools", tools=True, tail="never"),
    Placement("an hour for all", tools=True, tail="always", ttl="long"),
)
"""Anthropic's automatic mode marks the end of every call, and so does OpenAI's implicit mode. The middleware of
langchain-anthropic, which deepagents adds, marks the end of the system prompt, the last tool, and the end of every
call. pydantic-ai's settings for instructions and tool definitions mark those two."""


def candidates(rules: CacheRules) -> Iterator[Placement]:
    """The policies of which the cheapest is the reference."""
    yield Placement("no marks", system="none", tail="never")
    claude = rules.looks_back
    earlier = ("last", "anchor", "near", "wide") if claude else ("last", "all")
    ttls = ("short", "paused", "later") if claude else ("short",)
    for window in (1, 2):
        yield Placement(tail="follow_up", material=True, tools=True, window=window)
    for system in ("last", "both"):
        for ttl in ttls:
            yield Placement(system=system, tail="never", ttl=ttl, tools=True)
        for tail, before, ttl in itertools.product(("follow_up", "tools", "always"), earlier, ttls):
            yield Placement(system=system, tail=tail, earlier=before, ttl=ttl, material=True, tools=True)


def from_the_start() -> Iterator[Placement]:
    """Policies that know that pauses will come: everything is kept for an hour from the first call on."""
    for earlier, tail in itertools.product(("last", "anchor", "near"), ("follow_up", "tools", "always", "never")):
        yield Placement(system="both", tail=tail, earlier=earlier, ttl="long", material=True, tools=True)


def priced(placement: Placement, calls: Sequence[SentCall], rules: CacheRules) -> float:
    """The cost of the calls under a policy, in uncached tokens."""
    return rules.cost(total(recount(list(_marked(placement, calls, rules)), rules)))


def _marked(placement: Placement, calls: Sequence[SentCall], rules: CacheRules) -> Iterator[SentCall]:
    paused, before = False, None
    moved = _moved(calls)
    for at_call, call in enumerate(calls):
        later = paused
        paused = paused or (before is not None and SHORT <= call.at - before < LONG)
        before = call.at
        slides = 0 < placement.window <= moved[at_call]
        shown = replace(placement, tail="never") if slides else placement
        placed = marks(shown, call, rules, {"paused": paused, "later": later})
        blocks = tuple(
            replace(block, mark={"ttl": "1h"} if placed.get(at) == LONG else {} if at in placed else None)
            for at, block in enumerate(call.blocks)
        )
        yield SentCall(call.at, blocks, {"model": call.body.get("model"), "prompt_cache_options": {"mode": "explicit"}})


def _moved(calls: Sequence[SentCall]) -> list[int]:
    """How many calls in a row lost the first messages of their conversation, up to each call."""
    whole: dict[int, int] = {}
    texts: dict[tuple[str, str], int] = {}
    found = []
    for call in calls:
        shape = _shape(call)
        count = 0
        if shape.ends:
            end = call.blocks[shape.ends[-1]]
            known = texts.get((end.segment.head, end.segment.text))
            count = 0 if end.prefix in whole or known is None else known + 1
        found.append(count)
        if shape.tail is not None:
            tail = call.blocks[shape.tail]
            whole[tail.prefix] = texts[tail.segment.head, tail.segment.text] = count
    return found


def best(calls: Sequence[SentCall], rules: CacheRules) -> tuple[float, Placement]:
    """The cost and the policy of the reference."""
    return min(((priced(each, calls, rules), each) for each in candidates(rules)), key=lambda found: found[0])
