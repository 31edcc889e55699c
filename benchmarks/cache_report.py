"""The tables as text, in the terminal and as the page `docs/bench_cache.md`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.cache_runs import Api
from benchmarks.cache_table import TARGET, Row, misses

UNITS = """Each figure is the cost of the input as a share of what the same calls cost without a cache; in brackets, as
a multiple of the least that any placement of marks could reach with the future known."""

HEAD = """# What prompt caching saves

`prompt_cache="auto"` beside other ways of placing cache marks.
{units}

- Prices in units of the uncached input price. {claude} and {gpt}: reading 0.1, writing 1.25 (for an hour: 2).
  {older}, which caches by itself: reading 0.25, writing 1.
- The figures come from the emulator's implementation of the providers' published rules, not from the providers. Each
  conversation was really sent: through the chat model, over HTTP, with the emulator's clock moved on between the calls.
  What the answers' `usage_metadata` says was counted once more from the bodies.
- The least is a lower bound, explained in `benchmarks/cache_optimum.py`. It knows the future: which prompt comes again,
  and when. No policy does.
- "auto, 1h" is `PromptCache(ttl="1h")`, "auto, 24h" `PromptCache(ttl="24h")`; "top-level automatic" is Anthropic's own
  `cache_control` in the body, and nothing else; the middleware is `AnthropicPromptCachingMiddleware` of
  {peer} on the model of that package.

Written by `make bench-cache ARGS=--write` on {date}, with Python {python} on {cores} cores.

## Conversations
"""

FOOT = """## When `auto` does not pay

A mark pays when the prompt comes again within its lifetime: a prefix that is written once and read once costs 1.35
instead of 2. Where nothing comes again, `auto` costs more than no caching: one-shot calls with a large system prompt of
their own (e1), or a prompt that is edited at its start each time (e3). What it then pays is the write premium, a
quarter of what stands before the last mark: tools, system prompt, and on a first call the document that was set apart
from the question. A prompt below the model's minimum (e2) is neither cached nor charged. For calls that come once, say
`prompt_cache="off"`; in prompts that come again, put last what changes.

A first message in one text (a2, b3) is written when it is answered, not at once: a call that stays alone does not pay
for it, a longer conversation pays for it twice. Where an answer surely follows, `PromptCache(tail="always")` writes it
in the first call.

What no policy can know is a pause. A prefix that outlives one (f1) had to be written for an hour, at twice its price,
before anybody knew. That costs 0.75 more for every token that is written, and saves 1.15 for every token of the prefix
at each pause between 5 minutes and an hour: `PromptCache(ttl="1h")` pays in conversations that rest often.
"""


def head(api: Api) -> list[str]:
    """The heads of a table's columns."""
    return ["", "calls", "tokens in", "least", *(policy.name for policy in api.policies)]


def line(api: Api, row: Row) -> list[str]:
    """A row's cells."""
    figures = [f"{cell.share:.3f} ({cell.times:.2f})" for cell in (row.cells[policy.name] for policy in api.policies)]
    return [row.name, str(row.calls), f"{row.uncached:,}", f"{row.least / row.uncached:.3f}", *figures]


def notes(rows: Sequence[Row]) -> Iterator[str]:
    """Where `auto` costs more than the target, and where it costs more than no caching."""
    over = [note for row in rows for note in misses(row)]
    yield f"auto costs more than {TARGET} times the least in {len(over)} of {len(rows)} conversations."
    yield from over
    dear = [row.name for row in rows if row.cells["auto"].share > 1]
    if dear:
        yield f"auto costs more than no caching in {', '.join(dear)}."


# --- terminal ---------------------------------------------------------------------------------------------------------


def begin(titles: Mapping[str, str]) -> None:
    """Print what the figures mean, and the conversations with their short names."""
    print(UNITS, end="\n\n")
    print("\n".join(f"{name:4}{title}" for name, title in titles.items()))


def show(api: Api, rows: Sequence[Row]) -> None:
    """Print a table: by rich on a terminal that has it and is wide enough, else as plain text."""
    print()
    if not (sys.stdout.isatty() and _rich(api, rows)):
        print(f"{api.name} ({api.model})")
        print("\n".join(_plain([head(api), *(line(api, row) for row in rows)])))
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


def _plain(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *rest in lines:
        padded = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *padded])


# --- page -------------------------------------------------------------------------------------------------------------


def page(titles: Mapping[str, str], measured: Iterable[tuple[Api, Sequence[Row]]], names: Mapping[str, str]) -> str:
    """The whole page, in Markdown. `names` are those of the models and of the package that is compared with."""
    made = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version(), "cores": os.cpu_count()}
    parts = [HEAD.format(units=UNITS, **made, **names)]
    parts.append("".join(f"- **{name}** {title}\n" for name, title in titles.items()))
    for api, rows in measured:
        parts += [f"## {api.name} ({api.model})\n", _markdown([head(api), *(line(api, row) for row in rows)])]
        first, *rest = notes(rows)
        parts += [first + "\n", *(["".join(f"- {note}\n" for note in rest)] if rest else [])]
    return "\n".join([*parts, FOOT])


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    first, *rest = lines
    rule = [":--" if at == 0 else "--:" for at in range(len(first))]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (first, rule, *rest))
