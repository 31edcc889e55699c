"""Thousands of calls at one quota, beside `abatch` of the partner package and Ray's HTTP processor: `make bench-scale`.

A server on loopback answers `RATE` requests a second and refuses what is over it. Each way of calling is a process of
its own, whose CPU time and memory are its own figures. Ray needs an environment of its own: `RAY_PYTHON` names its
Python; without it, its rows are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.support.quota_server import quota_server

PAGE = Path(__file__).parent.parent / "docs" / "bench_scale.md"
ROWS, RATE, BURST, DELAY = 1500, 100.0, 100.0, 0.05
IN_FLIGHT = 150
"""Of those that are told how many: what the caller of a quota that he does not know may well choose."""
RAY_ROWS = 256
"""Ray's HTTP processor sends one request at a time for each actor."""

PRELUDE = """
import asyncio, json, resource, sys, time
url, rows, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def report(answered, began):
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"answered": answered, "seconds": time.monotonic() - began, "cpu": usage.ru_utime + usage.ru_stime,
                      "memory": usage.ru_maxrss / 1024}))
"""
ABATCH = """
async def main():
    began = time.monotonic()
    asked = [f"q{number}" for number in range(rows)]
    found = await model.abatch(asked, {"max_concurrency": IN_FLIGHT}, return_exceptions=True)
    report(sum(not isinstance(each, Exception) for each in found), began)
asyncio.run(main())
"""
WAYS: dict[str, str] = {
    "`bulk`": """
from langchain_unified import ChatUnified, bulk
model = ChatUnified("openai/gpt-5.6", base_url=url, api_key="k", use_responses_api=False)
began = time.monotonic()
done = bulk(model, ({"id": number, "prompt": f"q{number}"} for number in range(rows)), out=folder, progress=False)
report(done.answered, began)
""",
    "`abatch`, this package": """
from langchain_unified import ChatUnified
model = ChatUnified("openai/gpt-5.6", base_url=url, api_key="k", use_responses_api=False)
""" + ABATCH,
    "`abatch`, langchain-openai": """
from langchain_openai import ChatOpenAI
model = ChatOpenAI(model="gpt-5.6", base_url=url, api_key="k")
""" + ABATCH,
}  # fmt: skip
RAY_WAY = """
import os
os.environ["OPENAI_API_KEY"] = "k"
import ray
from ray.data.llm import HttpRequestProcessorConfig, build_processor
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
config = HttpRequestProcessorConfig(url=f"{url}/chat/completions", qps=None, max_retries=3, concurrency=1)
processor = build_processor(
    config,
    preprocess=lambda row: {
        "payload": {"model": "gpt-5.6", "messages": [{"role": "user", "content": row["prompt"]}]}
    },
    postprocess=lambda row: {"text": str(row["http_response"].get("choices"))},
)
began = time.monotonic()
data = processor(ray.data.from_items([{"prompt": f"q{number}"} for number in range(rows)]))
report(sum(row["text"] != "None" for row in data.take_all()), began)
"""


def measure(code: str, rows: int, python: str = sys.executable) -> dict[str, float]:
    """The figures of one way."""
    with quota_server(rate=RATE, burst=BURST, delay=DELAY) as server, tempfile.TemporaryDirectory() as folder:
        program = PRELUDE + code.replace("IN_FLIGHT", str(IN_FLIGHT))
        command = [python, "-W", "ignore", "-c", program, server.base_url, str(rows), f"{folder}/answers"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        found |= {"rows": rows, "requests": server.asked.total(), "refused": server.refused}
        found |= {"connections": server.connections, "peak": server.peak}
    return found


def all_ways(rows: int) -> Iterator[tuple[str, dict[str, float]]]:
    for name, code in WAYS.items():
        yield name, measure(code, rows)
    if python := os.environ.get("RAY_PYTHON"):
        yield "Ray's HTTP processor, one actor", measure(RAY_WAY, min(rows, RAY_ROWS), python)


HEAD = """\
# Thousands of calls, measured

A server on loopback that answers {rate:.0f} requests a second and refuses the others with 429 gets {rows:,} short calls
(Ray's processor {ray:,}). `bulk` is told nothing and begins with 8 in flight; `abatch` has {most} in flight and retries
each call twice. The machine is small and other programs run on it: the counts are firm, the times are not.

Written by `make bench-scale ARGS=--write` on {date}: {machine}.

| way | rows lost | refused of all requests | rows/s | CPU, ms a row | rows/s and core | memory, MB | connections |
| :-- | --: | --: | --: | --: | --: | --: | --: |
"""
TAIL = """
CPU is that of the process with its start and imports; of Ray it is the driver alone. A row that is lost is one whose
call failed after its retries. What a killed run repeats is tested by `make scale` and `make test-ray`.
"""


def line(name: str, found: dict[str, float]) -> str:
    cells = [
        name,
        f"{found['rows'] - found['answered']:,.0f}",
        f"{found['refused']:,} of {found['requests']:,}",
        f"{found['rows'] / found['seconds']:.0f}",
        f"{1000 * found['cpu'] / found['rows']:.1f}",
        f"{found['rows'] / found['cpu']:.0f}",
        f"{found['memory']:.0f}",
        f"{found['connections']:,}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/bench_scale.md, too")
    parser.add_argument("--rows", type=int, default=ROWS)
    given: Any = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("langchain-core", "langchain-openai", "httpx2"))
    head = HEAD.format(
        rate=RATE, rows=given.rows, ray=min(given.rows, RAY_ROWS), most=IN_FLIGHT, date=datetime.now(UTC).date(),
        machine=f"{os.cpu_count()} cores, Python {platform.python_version()}, {packages}",
    )  # fmt: skip
    lines = []
    for name, found in all_ways(given.rows):
        lines.append(line(name, found))
        print(lines[-1], flush=True)
    if given.write:
        PAGE.write_text(head + "\n".join(lines) + "\n" + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main()
