"""`langchain-unified serve` as a process: signals, reloading, workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from langchain_unified.testing import Fault, emulator
from langchain_unified.testing.emulation.server import Emulator

HI = [{"role": "user", "content": "hi"}]
START_SECONDS = 120
"""A machine that is busy with other tests starts Python slowly."""

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of Unix")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def write(file: Path, upstream: Emulator, *names: str, extra: str = "") -> None:
    lines = ["model_list:"]
    for name in names:
        lines += [f"  - model_name: {name}", "    litellm_params:", "      model: anthropic/claude-opus-5"]
        lines += [f"      api_base: {upstream.anthropic_url}", "      api_key: os.environ/UPSTREAM_KEY"]
    file.write_text("\n".join(lines) + "\n" + extra, encoding="utf-8")


@contextmanager
def served(file: Path, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[bytes], Path]]:
    port, log = free_port(), file.with_suffix(".log")
    command = [
        sys.executable,
        "-m",
        "langchain_unified",
        "serve",
        "--config",
        str(file),
        "--port",
        str(port),
        *arguments,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stderr=output, env={**os.environ, "UPSTREAM_KEY": "sk-canary-upstream"})
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or answers(url), log)
        assert process.poll() is None, log.read_text()
        yield url, process, log
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def answers(url: str) -> bool:
    try:
        return httpx2.get(url + "/health/ready").status_code == 200
    except httpx2.TransportError:
        return False


def until(holds: object, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def call(url: str, model: str) -> int:
    body = {"model": model, "max_tokens": 9, "messages": HI}
    return httpx2.post(url + "/v1/messages", json=body, timeout=60).status_code


def test_a_process_reloads_all_or_nothing_and_drains(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    with emulator(lambda request: "one two three four five six seven eight") as upstream:
        write(file, upstream, "first")
        with served(file) as (url, process, log):
            assert (call(url, "first"), call(url, "second")) == (200, 404)
            write(file, upstream, "second", extra="bogus: 1\n")
            process.send_signal(signal.SIGHUP)
            until(lambda: "the configuration was not taken" in log.read_text(), log)
            assert (call(url, "first"), call(url, "second")) == (200, 404)
            write(file, upstream, "second")
            process.send_signal(signal.SIGHUP)
            until(lambda: "the configuration was read again" in log.read_text(), log)
            assert (call(url, "first"), call(url, "second")) == (404, 200)
            upstream.fail_next(Fault.drip(0.15))
            texts: list[str] = []
            body = {"model": "second", "max_tokens": 9, "messages": HI, "stream": True}
            client = threading.Thread(
                target=lambda: texts.append(httpx2.post(url + "/v1/messages", json=body, timeout=60).text)
            )
            before = len(upstream.requests)
            client.start()
            until(lambda: len(upstream.requests) > before, log)
            process.send_signal(signal.SIGTERM)
            client.join(60)
            assert "message_stop" in texts[0]
            assert process.wait(60) in (0, -signal.SIGTERM)
        written = log.read_text()
        assert "sk-canary-upstream" not in written
        assert '"message":"call"' in written


def test_workers_share_the_port_the_figures_and_the_reload(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    with emulator() as upstream:
        write(file, upstream, "first")
        with served(file, "--workers", "2") as (url, process, log):
            assert [call(url, "first") for _ in range(12)] == [200] * 12
            lines = httpx2.get(url + "/metrics").text.splitlines()
            counted = [line for line in lines if line.startswith("gateway_calls_total{") and 'status="200"' in line]
            assert sum(float(line.rpartition(" ")[2]) for line in counted) == 12
            write(file, upstream, "second")
            process.send_signal(signal.SIGHUP)
            until(lambda: log.read_text().count("the configuration was read again") >= 2, log)
            assert [call(url, "second") for _ in range(6)] == [200] * 6
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
