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

from benchmarks.cache_report import markdown, plain
from benchmarks.cache_threads import MODELS, WORKLOADS, Provider
from benchmarks.thread_table import ThreadRow, lines, tables, worst

PAGE = Path(__file__).parent.parent / "docs" / "bench_cache_threads.md"
TITLES: Mapping[Provider, str] = {"anthropic": "Anthropic", "openai": "OpenAI Responses"}

HEAD = """# What prompt caching costs in threads as people have them

Programs that fork, edit, switch, pause, fall back and share: the messages were sent by the chat model with `auto`,
those of the agents by LangChain's `create_agent` with its own middleware. Every other column prices the same bodies
under other marks, by the second count of the published rules; the emulator's figures for `auto` are the same as that
count's.

The reference is the best policy without foresight: for each workload the cheapest of those in
`benchmarks/cache_policies.py`, which see a call and those before it, and no more. It is another policy in each row.
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

FOOT = """## Where `auto` does not pay, and which switch does

- A window over the last messages (sliding window), or a history that is edited before its end at each call: the end
  of a call is never read again. `PromptCache(tail="never")` writes only the system prompt and the tools. Better:
  shorten a history rarely, and by a lot.
- Conversations that are known to pause for 5 to 60 minutes: `PromptCache(ttl="1h")` from the start. `auto` needs
  one pause to notice, and remembers it in this process only. Where reading is cheap (0.05 of the input price on
  Opus 5.5 and Sonnet 5.5, 0.025 on Fable and Mythos 5.1), an hour pays a little sooner.
- Summaries and other single calls beside an agent, on OpenAI: a call in which nothing is marked stays in the
  default mode, which writes the whole prompt at 1.25. Give such calls `prompt_cache="off"`.
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
    for provider, rows in measured:
        print(f"\n{TITLES[provider]} ({MODELS[provider]}). In brackets: a multiple of the best without foresight.")
        print("\n".join(plain(list(lines(rows, provider)))))
        print("\n".join(f"  {note}" for note in worst(rows)))
    if "--write" in arguments:
        PAGE.write_text("\n".join(page(measured)), encoding="utf-8")
    print(f"\n{time.perf_counter() - start:.0f} seconds.")


def page(measured: Sequence[tuple[Provider, Sequence[ThreadRow]]]) -> Iterator[str]:
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
    yield FOOT


if __name__ == "__main__":
    main(sys.argv[1:])
