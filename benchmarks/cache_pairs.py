"""`python -m benchmarks.cache_pairs [name …]`: `explain_cache` on every pair of consecutive calls of the workloads.

Each pair is played to an empty cache of the emulator. The explanation is right if its verdict and its number of tokens
are what the second call reads. Where the API edits the prompt, the verdict is unknown without the reply, and right with
the reply's `applied_edits`.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from typing import Any

from langchain_core.messages import AIMessage

from benchmarks.cache_threads import WORKLOADS, Provider, Stage
from benchmarks.thread_table import ENDPOINT
from langchain_unified import explain_cache
from langchain_unified.profiles import profile_for
from langchain_unified.testing import emulator
from langchain_unified.testing.emulation.cache import Clock, EmulatedCache
from langchain_unified.testing.emulation.endpoints import SEGMENTS
from langchain_unified.wires._completion import Tokens
from langchain_unified.wires.anthropic_messages.serve.context_edits import edit_context


def recorded(name: str, provider: Provider) -> list[Any]:
    """The calls that a workload sends to a provider."""
    stage = Stage(provider)
    with emulator(stage.script) as server:
        stage.server = server
        WORKLOADS[name].run(stage)
        return [each for each in server.requests if each.endpoint == ENDPOINT[provider] and each.status == 200]


def read(pair: tuple[Any, Any], provider: Provider) -> tuple[Tokens, Tokens]:
    """The tokens of two calls, the first of which meets an empty cache."""
    clock = Clock(0.0)
    cache, endpoint, found = EmulatedCache(clock), ENDPOINT[provider], []
    for call in pair:
        clock.now = call.time
        profile = profile_for(provider, call.body["model"])
        prompt = edit_context(call.body)[0] if provider == "anthropic" else call.body
        lookup = cache.look_up(endpoint, call.body, profile, SEGMENTS[endpoint](prompt, profile))
        cache.commit(lookup)
        found.append(lookup.tokens)
    return found[0], found[1]


def expected(first: Tokens, second: Tokens) -> str:
    """The verdict that the tokens of two calls deserve."""
    if not second.cache_read:
        return "miss_expected"
    return "hit_expected" if second.cache_read == first.cache_write else "partial_expected"


def reply_to(call: Any, tokens: Tokens) -> AIMessage:
    """The reply to a call whose prompt the API edited: with its usage and the edits."""
    total = tokens.uncached + tokens.cache_read + tokens.cache_write
    return AIMessage(
        "Yes.",
        usage_metadata={
            "input_tokens": total,
            "output_tokens": 1,
            "total_tokens": total + 1,
            "input_token_details": {"cache_read": tokens.cache_read},
        },
        response_metadata={"context_management": {"applied_edits": edit_context(call.body)[1]}},
    )


def verdict_on(pair: tuple[Any, Any], provider: Provider) -> str:
    """Whether the explanation of a pair is `right`, `right with the reply` or `wrong`."""
    first, second = read(pair, provider)
    wanted = (expected(first, second), second.cache_read)
    found = explain_cache(*pair)
    if found.verdict != "unknown":
        return "right" if (found.verdict, found.reusable_tokens) == wanted else "wrong"
    found = explain_cache(*pair, reply=reply_to(pair[1], second))
    return "right with the reply" if (found.verdict, found.reusable_tokens) == wanted else "wrong"


def main(names: list[str]) -> None:
    """Explain and print; a wrong explanation is named and fails."""
    counts: Counter[str] = Counter()
    for provider in ENDPOINT:
        for name in names or WORKLOADS:
            if provider not in WORKLOADS[name].only:
                continue
            found = Counter(verdict_on(pair, provider) for pair in itertools.pairwise(recorded(name, provider)))
            counts += found
            if found["wrong"]:
                print(f"{provider}, {name}: {found['wrong']} wrong")
    each = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.most_common())
    print(f"{counts.total():,} pairs of consecutive calls: {each}.")
    if counts["wrong"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
