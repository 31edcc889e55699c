"""`python -m benchmarks.bench_threads [--write] [name …]`: what prompt caching costs in threads as people have them.

With names of workloads (`forks`, `"pauses, chat"`), only those are measured. `--write` also writes
`docs/bench_cache_threads.md`.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.cache_gate import gate_table
from benchmarks.cache_held_out import SEEDS, held_out
from benchmarks.cache_report import markdown, plain
from benchmarks.cache_threads import MODELS, WORKLOADS, Provider
from benchmarks.thread_table import ThreadRow, distribution, late, lines, tables, worst

PAGE = Path(__file__).parent.parent / "docs" / "bench_cache_threads.md"
TITLES: Mapping[Provider, str] = {"anthropic": "Anthropic", "openai": "OpenAI Responses"}

HEAD = """# What prompt caching costs in threads as people have them

Programs that fork, edit, switch, pause, fall back and share: the messages were sent by the chat model with `auto`,
those of the agents by LangChain's `create_agent` with its own middleware. Every other column prices the same bodies
under other marks, by the second count of the published rules; the emulator's figures for `auto` are the same as that
count's.

The reference is the best policy without foresight: for each workload the cheapest of those in
`benchmarks/cache_policies.py`, which see a call and those before it, and no more. It is another policy in each row,
chosen after the row was seen, so that no single policy can be expected to reach it everywhere.
"end of every call" is Anthropic's automatic mode (the top-level `cache_control`) and OpenAI's implicit default. The
middleware of langchain-anthropic, which deepagents adds, marks the end of the system prompt, the last tool and the
end of every call. "system prompt and tools" is what pydantic-ai's settings for instructions and tool definitions
mark. "an hour for all" has the middleware's marks with `ttl="1h"`.

On the look-back there are two readings: newer sources say that a run of `tool_use` or `tool_result` blocks counts as
one of the 20 positions on the Claude API, older ones and Amazon Bedrock count each block. The tables use the first.
`auto` sets its marks so that both readings find them; by the second one the middleware loses the conversation from 10
parallel calls on.

An agent of deepagents with two sub-agents is measured where that package is installed, in the environment of
`make test-ecosystem`: 25 calls, 1.00 times the best on both providers. With the middleware's marks it is 1.00 on
Anthropic.

Written by `make bench-cache ARGS=--write` on {date}, with Python {python} and langchain {langchain}.

## Workloads

"""

FOOT = """## Parallel calls on a cold cache

Many prompts over one system prompt of 3,000 tokens, all sent before the first answer begins, with `batch`
(`max_concurrency` as high as their number) and `abatch`. What a call writes can be read once its answer begins: without
`PromptCache(gate=True)` each call writes the prefix. Measured at the emulator (`emulator(latency=…)`), by the
`usage_metadata` of the answers.

{gate}
## An hour before the first pause

The reference keeps nothing for an hour before it has seen a pause. A policy that does so from the first call on needs
no foresight either, but it is a bet: in "steady" it costs 1.27, in "pauses, chat" it saves. Beside it `auto` is at
{late}. No rule closes these rows: the first calls of "steady" and of
"pauses, chat" are alike. Whoever keeps what the first call writes for an hour with a chance of x pays 0.087 x more in
"steady" (0.75 for each of the 3,000 tokens of the system prompt, of 25,800 in all), and 0.167 (1 - x) more in
"pauses, chat". The best x is 0.66, where both are at 1.06. `auto` chooses 0: it is at 1.00 where there are no pauses.

## Threads on which no rule was chosen

The rules and their constants were found on the workloads above. These are the figures on {seeds} generated threads
(`benchmarks/cache_held_out.py`): chats and agents of 1 to 24 turns, 1 to 8 conversations over one prompt, other sizes,
tools, edits, pauses, and models with other prices and minimums. The reference is again the cheapest of all policies for
each thread.

{held_out}
What is left over in them: first questions that are not written although the chat goes on (up to 1.09), ends of threads
whose documents or results are taken away (up to 1.17), a rare pause of an agent (1.24).

The constants are in flat places. On these threads and the workloads, the mean over all rows moves by less than
0.005 when an anchor is 4, 5 or 6 turns back or the nearer one stays for 3, 4 or 5 turns. What is taken off a number of
rare pauses (0.7) trades two rows: at 0.3 an agent with rare pauses is at 1.00 instead of 1.24 and "one pause" at 1.07
instead of 1.00; at 0.9 "pauses, agent" is at 1.10. Two calls in a row as the rule of a window or of single calls is the
smallest number that a summary, which replaces the first message once, does not reach.

## Where `auto` does not pay, and which switch does

- A window over the last messages (sliding window), or a history that is edited before its end at each call: the end
  of a call is never read again. For a window `auto` notices it after two calls in this process; for others
  `PromptCache(tail="never")` writes only the system prompt and the tools. Better: shorten a history rarely, and by a
  lot.
- Conversations that are known to pause for 5 to 60 minutes: `PromptCache(ttl="1h")` from the start. `auto` needs
  one pause to notice, and remembers it in this process only. Where reading is cheap (0.05 of the input price on
  Opus 5.5 and Sonnet 5.5, 0.025 on Fable and Mythos 5.1), an hour pays a little sooner.
- Summaries and other single calls without a system prompt, on OpenAI: the first two of a model are written whole, at
  1.25. Then `auto` sends them in the mode that writes nothing. `prompt_cache="off"` does so from the first one on.
- Parallel calls on a cold cache: each writes the prefix. `PromptCache(gate=True)`, or `prewarm`.
- Agents that answer at once: their first call writes its question for nothing, 3 % of the cost.
  `PromptCache(first_call_with_tools=False)`.
- More than 15 requests a minute with one prefix on OpenAI: `PromptCache(partitions=…)`.
"""


def main(arguments: list[str]) -> None:
    """Measure and print; with `--write`, write the page."""
    start = time.perf_counter()
    names = [name for name in arguments if name != "--write"] or list(WORKLOADS)
    if unknown := set(names) - WORKLOADS.keys():
        raise SystemExit(f"Unknown workload {', '.join(sorted(unknown))}. Known are {', '.join(WORKLOADS)}.")
    measured = [(provider, rows) for provider, rows in tables(names) if rows]
    generated = [] if len(names) < len(WORKLOADS) else [*tables([name for name, _ in held_out()])]
    for provider, rows in measured:
        print(f"\n{TITLES[provider]} ({MODELS[provider]}). In brackets: a multiple of the best without foresight.")
        print("\n".join(plain(list(lines(rows, provider)))))
        print("\n".join(f"  {note}" for note in (*worst(rows), *late(rows))))
    if generated:
        print(f"\nGenerated threads ({len(SEEDS)} on each provider), as multiples of the best without foresight.")
        print("\n".join(plain(list(distribution(generated)))))
        print("\n".join(f"  {note}" for _, rows in generated for note in worst(rows)))
    if "--write" in arguments:
        PAGE.write_text("\n".join(page(measured, generated)), encoding="utf-8")
    print(f"\n{time.perf_counter() - start:.0f} seconds.")


Measured = Sequence[tuple[Provider, Sequence[ThreadRow]]]


def page(measured: Measured, generated: Measured) -> Iterator[str]:
    """The parts of the page in Markdown."""
    made = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version()}
    yield HEAD.format(langchain=version("langchain"), **made)
    yield "".join(f"- **{name}** {workload.title}\n" for name, workload in WORKLOADS.items())
    for provider, rows in measured:
        yield f"## {TITLES[provider]} ({MODELS[provider]})\n"
        yield markdown(list(lines(rows, provider)))
        first, *rest = worst(rows)
        yield first + "\n"
        yield "".join(f"- {note}\n" for note in rest)
    yield FOOT.format(
        gate=markdown(list(gate_table())),
        late=", ".join(note for _, rows in measured for note in late(rows)),
        seeds=len(SEEDS),
        held_out=markdown(list(distribution(generated))),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
