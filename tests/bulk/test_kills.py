"""A run that is killed at any place: each row once, and repeated are at most the requests that were in flight."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from langchain_unified.rows.journal import entries
from tests.support.quota_server import QuotaServer, every, quota_server

MOST = 20


@contextmanager
def started(server: QuotaServer, out: Path, rows: int, most: int = MOST) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.bulk_driver", server.base_url, str(out), str(rows), str(most)]
    # A shell's background job ignores Ctrl-C, and its children inherit that.
    default = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, preexec_fn=default, **pipes) as process:  # noqa: PLW1509
        try:
            yield process
        finally:
            process.kill()


def stop_at(server: QuotaServer, process: subprocess.Popen[str], answers: int, number: int) -> None:
    """Send a signal to the process once the server has given so many answers."""
    while server.answered.total() < answers and process.poll() is None:
        time.sleep(0.002)
    if process.poll() is None:
        process.send_signal(number)
    process.wait(60)


def check(server: QuotaServer, out: Path, rows: int, allowed: int) -> None:
    found = [entry.row for entry in entries(out)]
    assert sorted(row["id"] for row in found) == sorted(f"r{number}" for number in range(rows))
    assert all(row["error"] is None and row["text"] == f"answer to q{row['id'][1:]}" for row in found)
    assert sum(row["input_tokens"] or 0 for row in found) == 3 * rows
    assert set(server.answered) == {f"q{number}" for number in range(rows)}
    assert server.answered.total() - rows <= allowed


def run_with_kills(tmp_path: Path, rows: int, kills: list[int], most: int = MOST) -> QuotaServer:
    out = tmp_path / "answers"
    with quota_server(delay=0.002, fault=every(0.05, 529)) as server:
        for answers in kills:
            with started(server, out, rows, most) as process:
                stop_at(server, process, answers, signal.SIGKILL)
        with started(server, out, rows, most) as process:
            printed, errors = process.communicate(timeout=1200)
        assert process.returncode == 0, errors
        assert f"{rows:,} of {rows:,} rows answered, 0 failed" in printed
        check(server, out, rows, allowed=most * len(kills))
    return server


def test_a_run_that_is_killed_at_random_places(tmp_path: Path) -> None:
    places = random.Random(11)
    server = run_with_kills(tmp_path, 2000, sorted(places.sample(range(50, 1900), 2)))
    assert server.peak <= MOST


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "answers"
    with quota_server(delay=0.1) as server:
        with started(server, out, 150) as process:
            stop_at(server, process, 30, signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert process.returncode != 0
        assert "KeyboardInterrupt" in errors
        assert "The same call goes on with the others." in errors
        with started(server, out, 150) as process:
            process.communicate(timeout=60)
        check(server, out, 150, allowed=MOST)


def test_the_journal_survives_a_cut_at_any_byte(tmp_path: Path) -> None:
    from langchain_unified.rows.journal import cut_torn_tail

    file = tmp_path / "rows-00000.jsonl"
    lines = [
        json.dumps({"id": str(number), "text": "x" * number, "error": None}).encode() + b"\n" for number in range(5)
    ]
    whole = b"".join(lines)
    for cut in range(len(whole) + 1):
        file.write_bytes(whole[:cut])
        cut_torn_tail(file)
        left = file.read_bytes()
        assert whole.startswith(left)
        assert len(left) == max(end for end in (sum(map(len, lines[:n])) for n in range(6)) if end <= cut)


@pytest.mark.scale
def test_100_000_rows_with_two_kills(tmp_path: Path) -> None:
    """`make scale` prints what came of it."""
    rows, most = int(os.environ.get("SCALE_ROWS", "100000")), 100
    began = time.monotonic()
    server = run_with_kills(tmp_path, rows, [rows // 3, 2 * rows // 3], most)
    seconds = time.monotonic() - began
    repeated = server.answered.total() - rows
    print(
        f"\n{rows:,} rows, 5 % faults, two kills: {seconds:,.0f} s, {server.asked.total():,} requests, "
        f"{repeated} repeated (at most {2 * most}), 0 lost, 0 twice"
    )


CODE = """
import resource, sys
from langchain_unified import ChatUnified, bulk
model = ChatUnified("openai/gpt-5.6", base_url=sys.argv[1], api_key="k", use_responses_api=False)
def rows(count):
    return ({"id": f"r{number}", "prompt": f"q{number}"} for number in range(count))
memory = []
for count in map(int, sys.argv[3:]):
    bulk(model, rows(count), out=f"{sys.argv[2]}/{count}", max_concurrency=50, progress=False)
    memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print(*memory)
"""


def memory_of(tmp_path: Path, *counts: int) -> list[int]:
    """The largest memory in MB after runs of so many rows, one after the other in one process."""
    with quota_server() as server:
        command = [sys.executable, "-c", CODE, server.base_url, str(tmp_path), *map(str, counts)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [int(number) for number in printed.split()]


@pytest.mark.scale
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    rows = int(os.environ.get("SCALE_ROWS", "100000"))
    few, many = memory_of(tmp_path, rows // 10, rows)
    print(f"\nmemory after {rows // 10:,} rows {few} MB, after {rows:,} rows {many} MB")
    assert many <= few + 16
