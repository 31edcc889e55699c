"""`python -m benchmarks.bench_speed`: CPU time per call beside SDKs, partner packages and LangChain core alone.

Clients talk to a server of ready bytes in a process of its own. Contenders run by turns in one process, and what counts
is the ratio. `--quick` (`make bench-quick`) runs the short jobs and fails where a ratio is far above its target.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.speed_jobs import all_jobs
from benchmarks.speed_measure import Effort, Row, measure
from benchmarks.speed_page import as_json, line, write
from benchmarks.speed_server import running
from benchmarks.speed_starts import starts

FULL, QUICK = Effort(rounds=9, seconds=0.06), Effort(rounds=3, seconds=0.01)
LOOSE = 2.5
"""By how much a ratio of the quick run may be above its target: other programs may run on the machine."""


def rows(arguments: argparse.Namespace) -> Iterator[Row]:
    """Measure, one job after the other."""
    effort = QUICK if arguments.quick else FULL
    loop = asyncio.new_event_loop()
    with running() as address:
        for job in all_jobs(address):
            if any(part in job.name for part in arguments.only.split(",")) and (job.quick or not arguments.quick):
                yield measure(job, effort, loop)
        if not arguments.only:
            yield from starts(address, 1 if arguments.quick else 7)
    loop.close()


def too_high(row: Row) -> bool:
    return any(row.ratios[peer] > target * LOOSE for peer, target in row.targets.items())


def allow_many_connections() -> None:
    """A thousand streams at once need as many sockets, here and in the server, which inherits the limit."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the short jobs; fails far above a target")
    parser.add_argument("--only", default="", help="the jobs whose name has one of these texts, with commas")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    parser.add_argument("--write", action="store_true", help="write docs/bench_speed.md, its figures and its plot")
    arguments = parser.parse_args(given)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # the server is on loopback
    allow_many_connections()
    measured = []
    for row in rows(arguments):
        measured.append(row)
        print(line(row), flush=True)
    if arguments.json:
        arguments.json.write_text(as_json(measured), encoding="utf-8")
    if arguments.write:
        write(measured)
    if arguments.quick and (failed := [row for row in measured if too_high(row)]):
        listed = "\n".join(line(row) for row in failed)
        raise SystemExit(f"Above {LOOSE} times its target:\n{listed}")


if __name__ == "__main__":
    main()
