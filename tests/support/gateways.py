"""A gateway in a process of its own, as users start it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

START_SECONDS = 60


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(config: str, folder: Path, *arguments: str, **env: str) -> Iterator[str]:
    """`langchain-unified serve` with a configuration; its address, once it is ready. It logs to `gateway.log`."""
    (folder / "gateway.yaml").write_text(config)
    command = [sys.executable, "-m", "langchain_unified", "serve", "--config", str(folder / "gateway.yaml"), *arguments]
    with started(command, folder, **env) as url:
        yield url


@contextmanager
def started(command: list[str], folder: Path, **env: str) -> Iterator[str]:
    """A gateway that a command starts on a free port."""
    port = free_port()
    with (folder / "gateway.log").open("w") as log:
        full = [*command, "--port", str(port)]
        process = subprocess.Popen(full, env={**os.environ, **env}, stdout=log, stderr=log, cwd=folder)
        try:
            _wait(f"http://127.0.0.1:{port}/health/live", process, folder / "gateway.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx2.get(url, timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the gateway did not start:\n{log.read_text()[-3000:]}")
