"""Processes that share one key at its limit, one of them killed in between: spend stays below it, and is exact."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from langchain_unified.gateway.errors import BudgetSpentError
from langchain_unified.gateway.keys import Caller, Keys, KeySettings, NewKey, open_keys
from tests.gateway.conftest import DATABASES
from tests.gateway.load_worker import AMOUNT, COST

MASTER = "sk-master-of-the-tests"
ROOT = Path(__file__).parents[2]
CALL_TIMEOUT = 600.0


class Worker:
    """A process of `load_worker`, and what it printed."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def follow(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().strip())

    def count(self, word: str) -> int:
        return self.lines.count(word)


async def started(url: str, secret: str, calls: int, pause: float) -> Worker:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.load_worker", stdin=PIPE, stdout=PIPE, stderr=STDOUT, cwd=ROOT
    )
    settings = {"database_url": url, "master_key": MASTER, "key": secret, "calls": calls, "pause": pause}
    assert process.stdin is not None
    process.stdin.write(json.dumps({**settings, "call_timeout": CALL_TIMEOUT}).encode() + b"\n")
    return Worker(process)


async def run(workers: list[Worker], kill_after: int, look: Callable) -> list[Worker]:
    """Let all begin at once, kill the first after some settlements, and wait for the others."""
    following = [asyncio.create_task(worker.follow()) for worker in workers]
    try:
        async with asyncio.timeout(60):
            while not all(worker.count("ready") for worker in workers):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.02)
            for worker in workers:
                assert worker.process.stdin is not None
                worker.process.stdin.write(b"go\n")
            while workers[0].count("settled") < kill_after:
                await look()
                await asyncio.sleep(0.005)
            workers[0].process.kill()
            while not all(task.done() for task in following):
                await look()
                await asyncio.sleep(0.02)
            codes = [await worker.process.wait() for worker in workers]
            assert codes == [-9, *[0] * (len(workers) - 1)], [worker.lines[-3:] for worker in workers]
    finally:
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
            await worker.process.wait()
    return workers


async def settled_until_refused(keys: Keys, caller: Caller) -> int:
    """Calls that the key can still make, one after the other."""
    for number in range(10_000):
        try:
            held = await keys.reserve(caller, "m", AMOUNT, 10)
        except BudgetSpentError:
            return number
        await keys.settle(held, COST, 12)
    raise AssertionError


async def prove(url: str, *, workers: int, calls: int, limit: Decimal, kill_after: int, pause: float) -> None:
    keys = await open_keys(KeySettings(MASTER, url))
    made = await keys.generate(NewKey(max_budget=limit))
    samples = []

    async def look() -> None:
        record = (await keys.info(made.record.key_id)).record
        samples.append(record.spend)
        assert record.spend + record.reserved <= limit

    ran = [await started(url, made.secret, calls, pause) for _ in range(workers)]
    await run(ran, kill_after, look)
    dead, *others = ran
    assert dead.count("settled") + dead.count("refused") < calls  # it died in the middle
    assert all(worker.count("settled") + worker.count("refused") == calls for worker in others)

    await keys.close()
    keys = await open_keys(KeySettings(MASTER, url), clock=lambda: time.time() + CALL_TIMEOUT)
    info = await keys.info(made.record.key_id)
    record, rows = info.record, info.spend_by_model
    assert (record.reserved, record.in_flight) == (0, 0)  # what the dead process held is given back
    certain = sum(worker.count("settled") for worker in ran)
    assert certain <= rows[0].requests <= certain + dead.count("settling") - dead.count("settled")
    assert record.spend == rows[0].cost == COST * rows[0].requests
    assert samples == sorted(samples)

    caller = await keys.authenticate(made.secret)
    more = await settled_until_refused(keys, caller)
    final = (await keys.info(made.record.key_id)).record.spend
    assert final == COST * (rows[0].requests + more)
    assert limit - AMOUNT < final <= limit
    await keys.close()


@pytest.mark.parametrize("kind", DATABASES)
async def test_two_processes_at_the_limit_and_one_is_killed(kind: str, new_database: Callable[[str], str]) -> None:
    await prove(new_database(kind), workers=2, calls=60, limit=Decimal("0.05"), kill_after=5, pause=0.2)


@pytest.mark.gateway_load
@pytest.mark.parametrize("kind", DATABASES)
async def test_a_thousand_calls_of_four_processes(kind: str, new_database: Callable[[str], str]) -> None:
    for _ in range(3):
        await prove(new_database(kind), workers=4, calls=250, limit=Decimal("0.5"), kill_after=20, pause=0.5)
