"""Rows of a Ray dataset through a model, on a local cluster: `make test-ray`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.quota_server import QuotaServer, quota_server

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed; `make test-ray` has it")
if not hasattr(ray, "init"):
    pytest.skip("the extra `ray` is not installed; `make test-ray` has it", allow_module_level=True)

from langchain_unified.errors import ConfigurationError  # noqa: E402
from langchain_unified.ray import SharedJournal  # noqa: E402
from langchain_unified.rows import Fingerprint, row_of  # noqa: E402
from tests.cluster.driver import job, start  # noqa: E402

MOST = 16


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    start()
    yield
    ray.shutdown()


def found(data: Any) -> dict[str, dict[str, Any]]:
    rows = data.take_all()
    by_id = {row["id"]: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def actor_processes() -> list[int]:
    """The processes of actors of this cluster, from Linux's list."""
    names = {
        int(path.name): (path / "cmdline").read_bytes() for path in Path("/proc").iterdir() if path.name.isdecimal()
    }
    return [number for number, name in names.items() if b"ray::" in name and b"MapBatches" in name]


def test_answers_errors_and_columns(cluster: None, tmp_path: Path) -> None:
    with quota_server(fault=lambda text, asked: 400 if text == "q3" else None) as server:
        rows = found(job(server.base_url, str(tmp_path / "journal"), 20, version="1"))
        again = found(job(server.base_url, str(tmp_path / "journal"), 20, version="1"))
        assert again == rows
        assert server.asked.total() == 20
        with pytest.raises(ConfigurationError, match="the version is '2', it was '1'"):
            job(server.base_url, str(tmp_path / "journal"), 20, version="2")
        retried = found(job(server.base_url, str(tmp_path / "journal"), 20, version="1", retry=True))
    assert rows["r3"]["error"]["status"] == 400
    assert retried["r3"]["error"]["status"] == 400
    assert server.asked["q3"] == 2
    assert (rows["r4"]["text"], rows["r4"]["kind"], rows["r4"]["input_tokens"]) == ("answer to q4", 1, 3)


def test_an_object_store(cluster: None) -> None:
    # Each process has a memory of its own: what is seen here is that the journal needs no folder.
    place = "memory://run"
    journal = SharedJournal(place, "one")
    journal.check(Fingerprint({"version": {"version": "1"}}))
    import asyncio

    async def write() -> None:
        await asyncio.gather(*(journal.append(row_of(f"r{number}", f"text {number}")) for number in range(5)))
        await journal.append(row_of("r0", "later"))

    asyncio.run(write())
    other = SharedJournal(place, "two")
    rows = other.known(["r0", "r4", "r9"])
    assert {row_id: row["text"] for row_id, row in rows.items()} == {"r0": "later", "r4": "text 4"}
    with pytest.raises(ConfigurationError, match="the version is '2'"):
        other.check(Fingerprint({"version": {"version": "2"}}))


def test_an_error_of_the_account_ends_the_job(cluster: None, tmp_path: Path) -> None:
    with quota_server(delay=0.01, fault=lambda text, asked: 401 if int(text[1:]) >= 10 else None) as server:
        with pytest.raises(Exception, match="AuthenticationError"):
            found(job(server.base_url, str(tmp_path / "journal"), 500))
        assert server.asked.total() <= 10 + 2 * MOST


def test_a_killed_worker_repeats_at_most_what_was_in_flight(cluster: None, tmp_path: Path) -> None:
    with quota_server(delay=0.02) as server:
        killed: list[int] = []

        def kill() -> None:
            while server.answered.total() < 300:
                time.sleep(0.005)
            for number in actor_processes():
                os.kill(number, signal.SIGKILL)
                killed.append(number)

        killer = threading.Thread(target=kill)
        killer.start()
        rows = found(job(server.base_url, str(tmp_path / "journal"), 800))
        killer.join(60)
        repeated = server.answered.total() - 800
        print(f"\nworker killed: {len(killed)} processes, {repeated} of 800 repeated")
    assert killed
    check(rows, server, 800)
    assert repeated <= MOST * len(killed)
    assert server.peak <= MOST * (1 + len(killed))


def test_a_killed_driver_repeats_at_most_what_was_in_flight(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.cluster.driver"]
    with quota_server(delay=0.02) as server:
        places = [server.base_url, str(tmp_path / "journal"), str(tmp_path / "out"), "800"]
        with subprocess.Popen([*command, *places], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while server.answered.total() < 300 and process.poll() is None:
                time.sleep(0.005)
            process.kill()
        # The workers outlive their driver for a moment; another run must not begin beside them.
        before = -1
        while before != (before := server.asked.total()):
            time.sleep(3)
        done = subprocess.run([*command, *places], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        repeated = server.answered.total() - 800
        print(f"\ndriver killed: {repeated} of 800 repeated")
        from pyarrow import parquet

        rows = {row["id"]: row for row in parquet.read_table(tmp_path / "out").to_pylist()}
        check(rows, server, 800)
        assert repeated <= MOST


def check(rows: dict[str, dict[str, Any]], server: QuotaServer, count: int) -> None:
    assert sorted(rows) == sorted(f"r{number}" for number in range(count))
    assert all(row["text"] == f"answer to q{row_id[1:]}" for row_id, row in rows.items())
    assert set(server.answered) == {f"q{number}" for number in range(count)}
