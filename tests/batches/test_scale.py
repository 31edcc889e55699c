"""Many rows with faults, lost answers and kills: every row once, the usage is the server's, memory is flat."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_unified import Batch
from langchain_unified.testing import Emulator
from tests.batches.conftest import KEY, MODELS, model_at
from tests.batches.test_kills import Killed, batches_per_row, killing

Start = Callable[..., Emulator]


def run_with_kills(server: Emulator, api: str, rows: int, state: Path, max_requests: int) -> tuple[Batch, int]:
    """The batch of a run that is killed twice while it is sent, and how many requests its retries sent."""
    provider = "anthropic" if api == "messages" else "openai"
    inputs, places = [f"say {n}" for n in range(rows)], random.Random(7)
    for _ in range(2):
        server.fail_next("lost_answer", endpoint=f"{provider}.batches.create")
        with killing(places.randrange(5, 20), after=bool(places.randrange(2))), pytest.raises(Killed):
            model_at(server, api).batches.submit(inputs, state=state, max_requests=max_requests)
    model_at(server, api).batches.submit(inputs, state=state, max_requests=max_requests)
    batch, retried = model_at(server, api).batches.open(state, inputs=inputs), 0
    while failed := [row for row, outcome in batch.as_completed() if isinstance(outcome, Exception)]:
        retried += len(failed)
        batch.retry()
    return batch, retried


def check(server: Emulator, batch: Batch, rows: int, retried: int) -> None:
    found = {index: outcome.text for index, outcome in batch.as_completed()}
    assert found == {row: f"You said: say {row}" for row in range(rows)}
    assert sum(batches_per_row(server, batch.id).values()) == rows + retried
    usage = batch.usage
    assert usage is not None
    assert usage["output_tokens"] == server.totals.output_tokens
    assert usage["input_tokens"] == server.totals.input_tokens


FAULTS: dict[str, Any] = {"rate": 0.05, "kinds": ["rate_limit", "overloaded", "server_error", "expired"]}


def test_2000_rows_with_faults_and_two_kills(start: Start, tmp_path: Path) -> None:
    server = start(batches={"faults": FAULTS})
    batch, retried = run_with_kills(server, "chat", 2000, tmp_path / "run.json", 300)
    assert 50 < retried < 200
    check(server, batch, 2000, retried)


@pytest.mark.scale
def test_100_000_rows_with_faults_and_two_kills(start: Start, api: str, tmp_path: Path) -> None:
    """`make scale` prints what came of it."""
    rows, began = int(os.environ.get("SCALE_ROWS", "100000")), time.monotonic()
    server = start(batches={"faults": FAULTS}, record=10)
    batch, retried = run_with_kills(server, api, rows, tmp_path / "run.json", max(100, rows // 20))
    check(server, batch, rows, retried)
    print(
        f"\nbatches, {api}: {rows:,} rows, 5 % faults, two kills, two lost answers: {time.monotonic() - began:,.0f} s, "
        f"{len(batch.status().parts)} batches, {retried:,} rows failed and were sent again, 0 lost, 0 twice"
    )


PROGRAM = """
import resource, sys
from collections.abc import Sequence
from langchain_unified import ChatUnified

class Prompts(Sequence):
    def __len__(self):
        return int(sys.argv[4])
    def __getitem__(self, at):
        if at >= len(self):
            raise IndexError(at)
        return f"question {at} " * 20

model = ChatUnified(sys.argv[1], base_url=sys.argv[2], api_key=sys.argv[3], dialect=sys.argv[1].split("/")[0])
batch = model.batches.submit(Prompts(), max_requests=1000)
print(sum(1 for _ in batch.as_completed()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.scale
def test_memory_is_flat(start: Start, api: str) -> None:
    rows, used = int(os.environ.get("SCALE_ROWS", "100000")), []
    for count in (max(1000, rows // 10), rows):
        server = start(record=10)
        url = server.anthropic_url if api == "messages" else server.openai_url
        command = [sys.executable, "-c", PROGRAM, MODELS[api], url, KEY, str(count)]
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        done, megabytes = map(int, printed.split())
        assert done == count
        used.append(megabytes)
        print(f"\nbatches, {api}: {count:,} rows, {megabytes} MB")
    assert used[1] - used[0] < 40
