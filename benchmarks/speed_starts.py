"""What a fresh interpreter costs: CPU time to import and build a model, and memory after a call and a stream."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from benchmarks.speed_measure import Row, ratios
from benchmarks.speed_peers import KEY, MODELS
from benchmarks.speed_shapes import PATHS

CORE = "from langchain_core.language_models.chat_models import BaseChatModel"
PACKAGES: Mapping[str, Mapping[str, str]] = {
    "ours": dict.fromkeys(PATHS, "langchain_unified"),
    "partner": {api: "langchain_anthropic" if api == "Messages" else "langchain_openai" for api in PATHS},
}
RESIDENT = "import os; print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6)"


def build(package: str, api: str, address: str = "http://127.0.0.1:9") -> str:
    """A program that imports a package and builds a model."""
    name = "ChatAnthropic" if api == "Messages" else "ChatOpenAI"
    more = "max_tokens=64" if api == "Messages" else f"use_responses_api={api == 'Responses'}"
    url = f"{address}/words-100" + ("" if api == "Messages" else "/v1")
    model = f"{name}(model={MODELS[api]!r}, api_key={KEY!r}, base_url={url!r}, {more})"
    return f"from {package} import {name}; model = {model}"


def cpu(program: str) -> float:
    """CPU seconds of a fresh interpreter that runs a program."""
    before = os.times()
    subprocess.run([sys.executable, "-c", program], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def memory(program: str) -> float:
    """Megabytes in use once a program has run."""
    command = [sys.executable, "-c", f"{program}\n{RESIDENT}"]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def by_turns(row: Row, programs: Mapping[str, str], measure: Callable[[str], float], rounds: int) -> Row:
    """A row with its figures: of each program, by turns."""
    found: dict[str, list[float]] = {peer: [] for peer in programs}
    for _ in range(rounds):
        for peer, program in programs.items():
            found[peer].append(measure(program))
    figures = {peer: statistics.median(each) for peer, each in found.items()}
    return replace(row, figures=figures, ratios=ratios(found))


def starts(address: str, rounds: int) -> Iterator[Row]:
    """The rows of fresh interpreters. Memory is read from /proc: other systems than Linux have no row of it."""
    for api in PATHS:
        programs = {peer: build(names[api], api) for peer, names in PACKAGES.items()}
        row = Row("import and build", api, "s", {}, {}, {"core": 1.1})
        yield by_turns(row, {**programs, "core": CORE}, cpu, rounds)
    if not os.path.exists("/proc/self/statm"):
        return
    for api in PATHS:
        use = "model.invoke('Hello'); [chunk for chunk in model.stream('Hello')]"
        programs = {peer: f"{build(names[api], api, address)}; {use}" for peer, names in PACKAGES.items()}
        yield by_turns(
            Row("memory after a call and a stream", api, "MB", {}, {}, {"partner": 1.0}), programs, memory, 1
        )
