"""Parallel calls on a cold cache, with the gate of a policy and without: sent to an emulator whose answers take time.

At a provider, and at the emulator, what a call writes can be read once its answer begins: parallel calls that are sent
before that each write the prefix. (Anthropic's guide to prompt caching: parallel requests miss until the first answer
begins.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from benchmarks.cache_calls import ANTHROPIC, BREAKPOINTS, CacheRules, total
from benchmarks.cache_conversations import prose
from benchmarks.cache_runs import input_tokens
from benchmarks.cache_threads import Provider, Stage, rules
from langchain_unified import PromptCache
from langchain_unified.testing import emulator

PRICES: Mapping[Provider, CacheRules] = {"anthropic": ANTHROPIC, "openai": BREAKPOINTS}
PROMPTS, LATENCY = 500, 10.0
"""How many prompts over one prefix, and after how many seconds an answer begins: all are sent before the first does."""

Send = Callable[[Any, Sequence[Sequence[BaseMessage]]], Sequence[AIMessage]]


def _batch(model: Any, prompts: Sequence[Any]) -> Sequence[AIMessage]:
    found: list[AIMessage] = model.batch(list(prompts), {"max_concurrency": len(prompts)})
    return found


def _abatch(model: Any, prompts: Sequence[Any]) -> Sequence[AIMessage]:
    found: list[AIMessage] = asyncio.run(model.abatch(list(prompts)))
    return found


WAYS: Mapping[str, Send] = {"batch": _batch, "abatch": _abatch}


@dataclass(frozen=True, slots=True)
class GateRow:
    """One run. `wrote`: how many calls wrote the prefix; `cost` and `uncached` in uncached tokens."""

    provider: Provider
    way: str
    gate: bool
    calls: int
    wrote: int
    cost: float
    uncached: int


def measure_gate(
    provider: Provider, way: str, *, gate: bool, count: int = PROMPTS, seconds: float = LATENCY
) -> GateRow:
    """`count` prompts over one system prompt of 3,000 tokens, all sent at once."""
    prompts = [[rules(), HumanMessage(prose(f"{at} to sort", 80))] for at in range(count)]
    stage = Stage(provider, PromptCache(gate=gate))
    with emulator(lambda _: "Yes.", latency=seconds) as stage.server:
        answers = WAYS[way](stage.model(), prompts)
    tokens = [input_tokens(answer.usage_metadata or {}) for answer in answers]
    whole = total(tokens)
    wrote = sum(each.written > 0 for each in tokens)
    return GateRow(provider, way, gate, count, wrote, PRICES[provider].cost(whole), whole.total)


def gate_table() -> Iterator[list[str]]:
    """The cells of a table, with its head."""
    yield ["", "prompts", "wrote the prefix", "with the gate", "cost", "with the gate", "times"]
    for provider in PRICES:
        for way in WAYS:
            free, gated = (measure_gate(provider, way, gate=gate) for gate in (False, True))
            costs = [f"{row.cost / row.uncached:.3f}" for row in (free, gated)]
            yield [
                f"{provider}, {way}", str(free.calls), str(free.wrote), str(gated.wrote), *costs,
                f"{free.cost / gated.cost:.1f}",
            ]  # fmt: skip


if __name__ == "__main__":
    from benchmarks.cache_report import plain

    print("\n".join(plain(list(gate_table()))))
