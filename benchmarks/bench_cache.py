"""`python -m benchmarks.bench_cache [--write] [name …]`: what prompt caching saves, in tables.

With names of conversations (`a`, `b2`, `f1`), only those are measured. `--write` also writes `docs/bench_cache.md`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

from benchmarks.cache_conversations import CONVERSATIONS
from benchmarks.cache_report import begin, page, show
from benchmarks.cache_runs import APIS, CLAUDE, GPT, OLDER, Api
from benchmarks.cache_table import Row, measure

PAGE = Path(__file__).parent.parent / "docs" / "bench_cache.md"


def main(arguments: list[str]) -> None:
    """Measure and print; with `--write`, write the page."""
    start = time.perf_counter()
    names = [name for name in arguments if name != "--write"] or list(CONVERSATIONS)
    if unknown := set(names) - CONVERSATIONS.keys():
        raise SystemExit(f"Unknown conversation {', '.join(sorted(unknown))}. Known are {', '.join(CONVERSATIONS)}.")
    titles = {name: CONVERSATIONS[name]().title for name in names}
    begin(titles)
    measured = []
    for api, rows in tables(names):
        show(api, rows)
        measured.append((api, rows))
    if "--write" in arguments:
        peer = f"langchain-anthropic {version('langchain-anthropic')}"
        known = {"claude": CLAUDE, "gpt": GPT, "older": OLDER, "peer": peer}
        PAGE.write_text(page(titles, measured, known), encoding="utf-8")
    print(f"\n{time.perf_counter() - start:.0f} seconds.")


def tables(names: Sequence[str]) -> Iterator[tuple[Api, list[Row]]]:
    """The rows of each API, in order. Many conversations are measured in several processes."""
    work = [(at, name) for at, api in enumerate(APIS) for name in names if name not in api.without]
    if len(names) < FEW:
        rows = [one(*job) for job in work]
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(4, os.cpu_count() or 1), mp_context=context) as pool:
            rows = list(pool.map(one, *zip(*work, strict=True)))
    for at, api in enumerate(APIS):
        yield api, [row for (place, _), row in zip(work, rows, strict=True) if place == at]


FEW = 4
"""The number of conversations from which starting processes is faster."""


def one(api: int, name: str) -> Row:
    """One conversation on one API, by its index in `APIS`."""
    return measure(CONVERSATIONS[name](), APIS[api])


if __name__ == "__main__":
    main(sys.argv[1:])
