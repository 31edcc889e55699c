"""What the gateway costs beside LiteLLM's proxy, in front of a provider with fixed answers: `make bench-gateway`.

CPU time is that of a gateway's processes, read from /proc before and after each run; runs are interleaved, figures are
medians. An event costs what a stream costs beyond a whole reply, divided by its events. LiteLLM runs in an environment
of its own; without one (`LITELLM` names no executable), only our gateway is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.gateway_upstream import EVENTS

PAGE = Path(__file__).parent.parent / "docs" / "bench_gateway.md"
KEY = "sk-benchmark-0123456789abcdef"
START_SECONDS = 240
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

CONFIG = """
model_list:
  - model_name: claude-sonnet-5
    litellm_params: {{model: anthropic/claude-sonnet-5, api_base: "{url}", api_key: any}}
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, api_base: "{url}/v1", api_key: any}}
general_settings:
  master_key: {key}
"""


@dataclass(frozen=True)
class Route:
    """A client's API, and the model that it asks for: the provider's API follows from the model."""

    name: str
    path: str
    body: dict[str, Any]
    crosses: bool


def _chat(model: str) -> dict[str, Any]:
    return {"model": model, "max_tokens": 500, "messages": [{"role": "user", "content": "Say it."}]}


ROUTES = (
    Route("Chat -> Messages", "/v1/chat/completions", _chat("claude-sonnet-5"), crosses=True),
    Route("Responses -> Messages", "/v1/responses", {"model": "claude-sonnet-5", "input": "Say it."}, crosses=True),
    Route("Messages -> Messages", "/v1/messages", _chat("claude-sonnet-5"), crosses=False),
    Route("Chat -> Chat", "/v1/chat/completions", _chat("gpt-4o"), crosses=False),
)


# --- the servers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A gateway that runs: its name, its address and its process."""

    name: str
    url: str
    pid: int

    def processes(self) -> list[int]:
        """Its process and those below it."""
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            try:
                waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            except OSError:
                continue
        return found

    def cpu(self) -> float:
        """CPU seconds so far."""
        total = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def megabytes(self) -> float:
        """Memory in use."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes())
        return sum(pages) * PAGE_BYTES / 1e6


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(name: str, command: list[str], port: int, health: str, **env: str) -> Iterator[Server]:
    """A server in a process of its own, once it answers."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}{health}", process, name)
            yield Server(name, f"http://127.0.0.1:{port}", process.pid)
        except SystemExit:
            log.seek(0)
            sys.stderr.write(log.read()[-2000:].decode(errors="replace"))
            raise
        finally:
            process.terminate()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], name: str) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"{name} did not start.")


@contextmanager
def gateways(folder: Path) -> Iterator[list[Server]]:
    """The provider, our gateway, and LiteLLM's where it is installed."""
    port = _free_port()
    with ExitStack() as stack:
        command = [sys.executable, "-m", "benchmarks.gateway_upstream", str(port)]
        upstream = stack.enter_context(running("the provider", command, port, "/"))
        config, ours = folder / "proxy.yaml", folder / "gateway.yaml"
        config.write_text(CONFIG.format(url=upstream.url, key=KEY))
        ours.write_text(f"{config.read_text()}  database_url: sqlite:///{folder}/gateway.db\n")
        port = _free_port()
        command = [sys.executable, "-m", "langchain_unified", "serve", "--config", str(ours), "--port", str(port)]
        found = [stack.enter_context(running("langchain-unified", command, port, "/health/live"))]
        if litellm := os.environ.get("LITELLM"):
            port = _free_port()
            command = [litellm, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
            env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "PYTHONPATH": ""}
            found.append(stack.enter_context(running("LiteLLM", command, port, "/health/liveliness", **env)))
        yield found


# --- the load ---------------------------------------------------------------------------------------------------------


async def load(server: Server, route: Route, requests: int, connections: int, *, stream: bool) -> list[float]:
    """Send so many requests over so many connections; the seconds that each took."""
    body = json.dumps({**route.body, "stream": True} if stream else route.body).encode()
    headers = {
        "authorization": f"Bearer {KEY}",
        "x-api-key": KEY,
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
    }
    left = iter(range(requests))
    took: list[float] = []

    async def client(session: aiohttp.ClientSession) -> None:
        for _ in left:
            began = time.perf_counter()
            async with session.post(server.url + route.path, data=body, headers=headers) as response:
                answer = await response.read()
            if response.status != 200 or (stream and answer.count(b"word") < EVENTS):
                raise SystemExit(f"{server.name}, {route.name}: {response.status} {answer[:500]!r}")
            took.append(time.perf_counter() - began)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        await asyncio.gather(*(client(session) for _ in range(connections)))
    return took


@dataclass(frozen=True)
class Figures:
    """One run: CPU milliseconds per request, and the seconds of the requests."""

    cpu: float
    took: list[float]


def run(server: Server, route: Route, requests: int, connections: int, *, stream: bool) -> Figures:
    """Send the requests, and read the gateway's CPU time before and after."""
    before = server.cpu()
    took = asyncio.run(load(server, route, requests, connections, stream=stream))
    return Figures((server.cpu() - before) / requests * 1e3, took)


# --- the tables -------------------------------------------------------------------------------------------------------


def cost_table(servers: list[Server], rounds: int, scale: float) -> list[str]:
    """CPU per request and per event, by route."""
    replies: dict[tuple[str, str], list[float]] = {}
    events: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds + 1):
        for route in ROUTES:
            for server in servers:
                whole = run(server, route, int(400 * scale), 8, stream=False)
                streamed = run(server, route, int(48 * scale), 8, stream=True)
                if turn:  # the first round warms up
                    replies.setdefault((route.name, server.name), []).append(whole.cpu)
                    per_event = (streamed.cpu - whole.cpu) / EVENTS * 1e3
                    events.setdefault((route.name, server.name), []).append(per_event)
    lines = _head("", "ms per request", "µs per event", servers)
    for route in ROUTES:
        row = [f"{route.name}{'' if route.crosses else ' (same API)'}"]
        for found in (replies, events):
            medians = [statistics.median(found[route.name, server.name]) for server in servers]
            row += [f"{value:.2f}" if found is replies else f"{value:.0f}" for value in medians]
            row += [f"{medians[1] / medians[0]:.1f}"] if len(medians) > 1 else []
        lines.append("| " + " | ".join(row) + " |")
    return lines


def connection_table(servers: list[Server], rounds: int, scale: float) -> list[str]:
    """Latency and CPU of whole replies across APIs, by the number of connections."""
    lines = ["| connections | gateway | requests per second | median, ms | 95 %, ms | CPU per request, ms |"]
    lines.append("| --: | :-- | --: | --: | --: | --: |")
    route = ROUTES[0]
    for connections in (1, 50, 500):
        found: dict[str, list[Figures]] = {server.name: [] for server in servers}
        rates: dict[str, list[float]] = {server.name: [] for server in servers}
        requests = max(connections * 2, int(300 * scale))
        for _ in range(rounds):
            for server in servers:
                began = time.perf_counter()
                found[server.name].append(run(server, route, requests, connections, stream=False))
                rates[server.name].append(requests / (time.perf_counter() - began))
        for server in servers:
            took = sorted(second for figures in found[server.name] for second in figures.took)
            middle, high = took[len(took) // 2] * 1e3, took[int(len(took) * 0.95)] * 1e3
            cpu = statistics.median(figures.cpu for figures in found[server.name])
            rate = statistics.median(rates[server.name])
            lines.append(f"| {connections} | {server.name} | {rate:,.0f} | {middle:.1f} | {high:.1f} | {cpu:.2f} |")
    return lines


MEMORY = "Memory of "
STEPS = 10


def memory_lines(server: Server, requests: int) -> list[str]:
    """Memory of our gateway after each tenth of so many requests, whole and streamed, on both paths."""
    found = []
    for step in range(STEPS + 1):
        if step:
            for route in (ROUTES[0], ROUTES[2]):
                run(server, route, requests // STEPS // 2, 32, stream=False)
                run(server, route, max(32, requests // STEPS // 100), 32, stream=True)
        found.append(f"{server.megabytes():.0f}")
        sys.stdout.write(f"{requests // STEPS * step:,} requests: {found[-1]} MB\n")
        sys.stdout.flush()
    what = f"{MEMORY}{server.name} at the start and after each tenth of {requests:,} requests"
    day = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return [f"{what}, MB: {', '.join(found)} ({day})."]


def _head(first: str, left: str, right: str, servers: list[Server]) -> list[str]:
    names = [server.name for server in servers] + (["ratio"] if len(servers) > 1 else [])
    cells = [first, *(f"{left}: {name}" for name in names), *(f"{right}: {name}" for name in names)]
    return ["| " + " | ".join(cells) + " |", "| :-- |" + " --: |" * (len(cells) - 1)]


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="how many requests a run has")
    parser.add_argument("--memory", type=int, default=0, help="requests of a memory run after the others")
    parser.add_argument("--requests", type=int, help="measure nothing but memory, over so many requests")
    parser.add_argument("--write", action="store_true", help="write docs/bench_gateway.md")
    arguments = parser.parse_args()
    if arguments.requests:
        memory_alone(arguments.requests, write=arguments.write)
        return
    with tempfile.TemporaryDirectory() as folder, gateways(Path(folder)) as servers:
        lines = cost_table(servers, arguments.rounds, arguments.scale)
        lines += ["", *connection_table(servers, arguments.rounds, arguments.scale)]
        if arguments.memory:
            lines += ["", *memory_lines(servers[0], arguments.memory)]
        for server in servers:
            sys.stdout.write(f"{server.name}: {server.megabytes():.0f} MB\n")
    sys.stdout.write("\n".join(lines) + "\n")
    if arguments.write:
        before = [line for line in PAGE.read_text().splitlines() if line.startswith(MEMORY)]
        PAGE.write_text(_page(lines if arguments.memory else [*lines, "", *before]))


def memory_alone(requests: int, *, write: bool) -> None:
    """Measure memory, and put the line in the place of the page's."""
    os.environ.pop("LITELLM", None)
    with tempfile.TemporaryDirectory() as folder, gateways(Path(folder)) as servers:
        lines = memory_lines(servers[0], requests)
    sys.stdout.write("\n".join(lines) + "\n")
    if write:
        rest = [line for line in PAGE.read_text().splitlines() if not line.startswith(MEMORY)]
        PAGE.write_text("\n".join([*rest, *lines, ""]))


def _page(lines: list[str]) -> str:
    names = ("uvicorn", "starlette", "aiohttp")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    litellm = os.environ.get("LITELLM")
    if litellm:
        code = "from importlib.metadata import version; print(version('litellm'))"
        python = str(Path(litellm).parent / "python")
        packages += f", litellm {subprocess.check_output([python, '-c', code], text=True).strip()}"
    written = (
        f"Written by `make bench-gateway ARGS=--write` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {packages}."
    )
    intro = (
        "CPU time of the gateway's processes in front of the same provider, which answers with fixed bytes. Streams\n"
        f"have {EVENTS} pieces, one every millisecond, 8 at once. Runs are interleaved and figures are medians;\n"
        "what counts is the ratio: the machine is small, and client, gateway and provider share it."
    )
    return "\n".join(["# What the gateway costs", "", intro, "", written, "", *lines, ""])


if __name__ == "__main__":
    main()
