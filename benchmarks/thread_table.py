"""The tables of the threads: what `auto` costs in each workload, beside the best policy without foresight."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cache_calls import ANTHROPIC, BREAKPOINTS, BodyReader, CacheRules, InputTokens, total
from benchmarks.cache_held_out import held_out
from benchmarks.cache_policies import PEERS, Placement, best, from_the_start, priced
from benchmarks.cache_recount import recount
from benchmarks.cache_threads import MODELS, WORKLOADS, Provider, Stage, Workload
from langchain_unified.profiles import profile_for
from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.cache import Clock, EmulatedCache
from langchain_unified.testing.emulation.endpoints import SEGMENTS
from langchain_unified.wires.anthropic_messages.serve.context_edits import edit_context

ENDPOINT: Mapping[Provider, str] = {"anthropic": "anthropic.messages", "openai": "openai.responses"}
PRICES: Mapping[Provider, CacheRules] = {"anthropic": ANTHROPIC, "openai": BREAKPOINTS}
TARGET = 1.05
"""The most that `auto` may cost, as a multiple of the best policy without foresight."""

NO_MARKS = Placement("no marks", system="none", tail="never")


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One workload on one provider. Costs are in uncached tokens; `others` by the name of the policy."""

    name: str
    calls: int
    uncached: int
    auto: float
    best: float
    best_policy: Placement
    others: Mapping[str, float]
    from_the_start: float
    """The cost of the best policy that knows whether pauses will come."""

    @property
    def times(self) -> float:
        """The cost of `auto` as a multiple of the best policy without foresight."""
        return self.auto / self.best


EVERY: Mapping[str, Workload] = {**WORKLOADS, **dict(held_out())}
"""The workloads by name, the generated ones too."""


def rules_for(provider: Provider, model: str) -> CacheRules:
    """The rules and prices of a model's cache."""
    profile, rules = profile_for(provider, model), PRICES[provider]
    return replace(rules, read_price=profile.cache_read_price, minimum=profile.cache_minimum or rules.minimum)


def sent(name: str, provider: Provider, policy: Any = "auto") -> list[tuple[float, dict[str, Any]]]:
    """The bodies that a workload sends to a provider, with their times."""
    stage = Stage(provider, policy)
    with emulator(stage.script) as server:
        stage.server = server
        EVERY[name].run(stage)
        return [
            (found.time or 0.0, found.body)
            for found in server.requests
            if found.endpoint == ENDPOINT[provider] and found.status == 200
        ]


def measure_thread(name: str, provider: Provider, policy: Any = "auto") -> ThreadRow:
    """A row. Raises `AssertionError` where the emulator and the second count differ."""
    bodies = sent(name, provider, policy)
    reader, rules = BodyReader(ENDPOINT[provider]), rules_for(provider, bodies[0][1]["model"])
    calls = [reader.read(body, at) for at, body in bodies]
    counted = recount(calls, rules)
    for at, (one, other) in enumerate(zip(emulated(bodies, provider), counted, strict=True)):
        if one != other:
            raise AssertionError(f"{name}, {provider}, call {at + 1}: emulator {one}, second count {other}.")
    reference, placement = best(calls, rules)
    others = {each.name: priced(each, calls, rules) for each in (NO_MARKS, *PEERS)}
    auto = rules.cost(total(counted))
    known = min([reference, *(priced(each, calls, rules) for each in from_the_start() if rules.looks_back)])
    return ThreadRow(name, len(calls), total(counted).total, auto, reference, placement, others, known)


def emulated(bodies: Sequence[tuple[float, dict[str, Any]]], provider: Provider) -> Iterator[InputTokens]:
    """The tokens of the calls by the emulator's cache."""
    clock = Clock(0.0)
    cache = EmulatedCache(clock)
    endpoint = ENDPOINT[provider]
    for at, body in bodies:
        clock.now = at
        profile = profile_for(provider, body["model"])
        prompt = edit_context(body)[0] if provider == "anthropic" else body
        found = cache.look_up(endpoint, body, profile, SEGMENTS[endpoint](prompt, profile))
        cache.commit(found)
        tokens = found.tokens
        yield InputTokens(tokens.uncached, tokens.cache_read, tokens.cache_write_short, tokens.cache_write_long)


def tables(names: Sequence[str]) -> Iterator[tuple[Provider, list[ThreadRow]]]:
    """The rows of each provider, measured in several processes where there are many."""
    work = [(name, provider) for provider in MODELS for name in names if provider in EVERY[name].only]
    if len(work) <= FEW:
        found = [measure_thread(*job) for job in work]
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(4, os.cpu_count() or 1), mp_context=context) as pool:
            found = list(pool.map(measure_thread, *zip(*work, strict=True)))
    for provider in MODELS:
        yield provider, [row for (_, at), row in zip(work, found, strict=True) if at == provider]


FEW = 4
"""The number of rows up to which one process is faster."""


def lines(found: Sequence[ThreadRow], provider: Provider) -> Iterator[list[str]]:
    """The cells of a table, with its head."""
    names = [NO_MARKS.name, *(each.name for each in PEERS if provider == "anthropic" or each.name in ON_OPENAI)]
    yield ["", "calls", "input tokens", "best without foresight", "auto", *names]
    for row in found:
        figures = [f"{row.auto / row.uncached:.3f} ({row.times:.2f})"]
        figures += [f"{row.others[name] / row.uncached:.3f} ({row.others[name] / row.best:.2f})" for name in names]
        yield [row.name, str(row.calls), f"{row.uncached:,}", f"{row.best / row.uncached:.3f}", *figures]


ON_OPENAI = ("end of every call", "system prompt and tools")
"""The policies of others that there are on OpenAI."""


def worst(found: Sequence[ThreadRow]) -> Iterator[str]:
    """The rows in which `auto` costs more than the target, the worst first."""
    over = sorted((row for row in found if row.times > TARGET), key=lambda row: -row.times)
    where = f"in {len(over)} of {len(found)} workloads"
    yield f"auto costs more than {TARGET} times the best policy without foresight {where}."
    for row in over:
        yield f"{row.name} ({EVERY[row.name].title}): {row.times:.2f}. The best there: {describe(row.best_policy)}."


def late(found: Sequence[ThreadRow]) -> Iterator[str]:
    """The rows in which knowing that pauses come saves more than the target."""
    for row in found:
        if row.auto > TARGET * row.from_the_start and row.times <= TARGET:
            yield f'{row.auto / row.from_the_start:.2f} of it in "{row.name}"'


def distribution(found: Sequence[tuple[Provider, Sequence[ThreadRow]]]) -> Iterator[list[str]]:
    """How far `auto` is from the best policy without foresight, over many threads."""
    yield ["", "threads", "mean", "median", "9 of 10 are below", "worst", f"above {TARGET}", "cheaper than no marks"]
    for provider, rows in found:
        times = sorted(row.times for row in rows)
        figures = (sum(times) / len(times), times[len(times) // 2], times[len(times) * 9 // 10], times[-1])
        over, cheaper = sum(each > TARGET for each in times), sum(row.auto < row.uncached for row in rows)
        yield [provider, str(len(times)), *(f"{each:.3f}" for each in figures), str(over), str(cheaper)]


def describe(placement: Placement) -> str:
    """A policy in words."""
    if placement.name:
        return placement.name
    parts = [f"system {placement.system}", f"end {placement.tail}", f"earlier ends {placement.earlier}"]
    return ", ".join([*parts, f"ttl {placement.ttl}"])
