"""The tables as text, in the terminal and as the page `docs/bench_cache.md`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.cache_runs import Api
from benchmarks.cache_table import TARGET, Row, misses

UNITS = """Each figure is the cost of the input tokens, as a share of the cost of the same calls without a cache. In
brackets it is a multiple of the optimum: the lowest cost that any placement of marks could reach."""

HEAD = """# What prompt caching saves

`prompt_cache="auto"` compared with other ways to place cache marks.
{units}

- Prices are multiples of the uncached input price. {claude} and {gpt}: reading 0.1, writing 1.25 (for an hour: 2).
  {older}, which caches without marks: reading 0.25, writing 1.
- The figures come from the emulator, which implements the providers' published rules, not from the providers. Each
  conversation was sent through the chat model and over HTTP, with the emulator's clock set forward between the calls.
  The `usage_metadata` of the answers was checked by a second count of the bodies.
- The optimum is a lower bound, explained in `benchmarks/cache_optimum.py`. It knows in advance which prompt occurs
  again, and when. No policy does. The best without foresight is the cheapest, for this conversation, of the policies in
  `benchmarks/cache_policies.py`, which see a call and those before it. It is another one in each row.
- "auto, 1h" is `PromptCache(ttl="1h")`, "auto, 24h" is `PromptCache(ttl="24h")`. "top-level automatic" is Anthropic's
  own `cache_control` in the body, without other marks. The middleware is `AnthropicPromptCachingMiddleware` of
  {peer} with the model of that package.

Written by `make bench-cache ARGS=--write` on {date}, with Python {python} on {cores} cores.

## Conversations
"""

FOOT = """## When `auto` does not pay

A mark pays when the prompt occurs again within the ttl: a prefix that is written once and read once costs 1.35 instead
of 2. If nothing occurs again, `auto` costs more than no caching: single calls with their own large system prompt (e1),
or a prompt whose beginning changes each time (e3). The extra cost is a quarter of the price of everything before the
last mark: tools, system prompt, and in a first call the document before the question. A prompt below the model's
minimum (e2) is neither cached nor charged for it. For single calls, use `prompt_cache="off"`. In prompts that occur
again, put what changes at the end.

Without tools, a first message with a single text (b3) is written in the second call, not in the first: a call without
a follow-up does not pay for writing it, but a longer conversation pays for it twice. If a follow-up is certain,
`PromptCache(tail="always")` writes it in the first call. With tools (a2) it is written at once.

Of the rows above 1.02, f1 and f2, and e3 on Anthropic, are within 1.01 of the best policy without foresight: only
the optimum knows that a pause comes, or which of the tools' prompts is the last. In the others each policy gains in one
row what it loses in another:

- e1, and e3 on OpenAI: the best is no mark at all. Its first call looks like the first call of b, a or d1: a long
  system prompt and a question. Who writes it pays 1.25 where nothing follows. Who writes it only when it is seen a
  second time pays (1 + 1.25) for two calls instead of (1.25 + 0.1): 1.67 times as much in a conversation of two calls,
  1.22 in one of thirty (b). To write pays as soon as more than one prompt in five occurs again: 0.25 < share x 1.15.
- b3: the best marks the end of a first call. The same mark costs 1.25 instead of 1 for each text that is sent once, to
  be summarised or sorted.
- Over the whole table no policy of `benchmarks/cache_policies.py` has a lower worst row than `auto` by more than 0.01:
  the lowest worst row of all is 1.24 on Anthropic (e1) and 1.25 on OpenAI (e3).

No policy can predict a pause. A prefix is still cached after one (f1) only if it was written for an hour, at twice its
price. That costs 0.75 more per written token, and it saves 1.15 per token of the prefix at each pause between 5 minutes
and an hour (1.20 where reading costs 0.05, 1.225 where it costs 0.025). `auto` does so once pauses are frequent enough,
and `PromptCache(ttl="1h")` from the start. [bench_cache_threads.md](bench_cache_threads.md) has conversations with
pauses, forks, edits, fallbacks and many users.

Newer sources say that a run of `tool_use` or `tool_result` blocks counts as one of the 20 positions of a lookup on the
Claude API. By that reading, which the tables use, a single mark at the end finds the last call after 25 parallel calls
(c). By the older one, in which each block counts, it writes the whole conversation anew (1.25). `auto` marks the end of
the last call too, and is right by both.
"""


def head(api: Api) -> list[str]:
    """The heads of a table's columns."""
    known = [] if api.rules.automatic else ["best without foresight"]
    return ["", "calls", "input tokens", "optimum", *known, *(policy.name for policy in api.policies)]


def line(api: Api, row: Row) -> list[str]:
    """A row's cells."""
    figures = [f"{cell.share:.3f} ({cell.times:.2f})" for cell in (row.cells[policy.name] for policy in api.policies)]
    if row.no_foresight is not None:
        figures.insert(0, f"{row.no_foresight / row.uncached:.3f} ({row.no_foresight / row.optimum:.2f})")
    return [row.name, str(row.calls), f"{row.uncached:,}", f"{row.optimum / row.uncached:.3f}", *figures]


def notes(rows: Sequence[Row]) -> Iterator[str]:
    """The conversations in which `auto` costs more than the target, or more than no caching."""
    over = [note for row in rows for note in misses(row)]
    yield f"auto costs more than {TARGET} times the optimum in {len(over)} of {len(rows)} conversations."
    yield from over
    costlier = [row.name for row in rows if row.cells["auto"].share > 1]
    if costlier:
        yield f"auto costs more than no caching in {', '.join(costlier)}."


# --- terminal ---------------------------------------------------------------------------------------------------------


def begin(titles: Mapping[str, str]) -> None:
    """Print the meaning of the figures, and the conversations with their short names."""
    print(UNITS, end="\n\n")
    print("\n".join(f"{name:4}{title}" for name, title in titles.items()))


def show(api: Api, rows: Sequence[Row]) -> None:
    """Print a table: with rich if it is installed and the terminal is wide enough, else as plain text."""
    print()
    if not (sys.stdout.isatty() and _rich(api, rows)):
        print(f"{api.name} ({api.model})")
        print("\n".join(plain([head(api), *(line(api, row) for row in rows)])))
    for note in notes(rows):
        print(f"  {note}")


def _rich(api: Api, rows: Sequence[Row]) -> bool:
    try:
        from rich.console import Console
        from rich.table import Table
    except ModuleNotFoundError:
        return False
    table = Table(title=f"{api.name} ({api.model})", title_justify="left")
    for at, name in enumerate(head(api)):
        table.add_column(name, justify="left" if at == 0 else "right")
    for row in rows:
        table.add_row(*line(api, row))
    console = Console()
    fits = console.measure(table).maximum <= console.width
    if fits:
        console.print(table)
    return fits


def plain(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *rest in lines:
        padded = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *padded])


# --- page -------------------------------------------------------------------------------------------------------------


def page(titles: Mapping[str, str], measured: Iterable[tuple[Api, Sequence[Row]]], names: Mapping[str, str]) -> str:
    """The page in Markdown. `names`: those of the models and of the package that is compared."""
    made = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version(), "cores": os.cpu_count()}
    parts = [HEAD.format(units=UNITS, **made, **names)]
    parts.append("".join(f"- **{name}** {title}\n" for name, title in titles.items()))
    for api, rows in measured:
        parts += [f"## {api.name} ({api.model})\n", markdown([head(api), *(line(api, row) for row in rows)])]
        first, *rest = notes(rows)
        parts += [first + "\n", *(["".join(f"- {note}\n" for note in rest)] if rest else [])]
    return "\n".join([*parts, FOOT])


def markdown(lines: Sequence[Sequence[str]]) -> str:
    first, *rest = lines
    rule = [":--" if at == 0 else "--:" for at in range(len(first))]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (first, rule, *rest))
