"""How much code a call runs. Functions are counted, never time: the figures are the same on every machine."""

from __future__ import annotations

import pytest

from benchmarks.call_path import OURS, CallPath, call_path, models, runs

APIS = ("Messages", "Chat", "Responses")
MAX_FUNCTIONS, MAX_FILES = 100, 30
MAX_CALLS_PER_EVENT = 8
"""Two of them are in place of the constructors of LangChain core, which take longer and are not counted."""

each_api = pytest.mark.parametrize("api", APIS)


def paths(api: str) -> dict[str, CallPath]:
    model = models()[api][0]
    return {name: call_path(run, OURS) for name, run in runs(model).items()}


def listed(path: CallPath) -> str:
    """The functions by file, for the message of a failure."""
    steps = sorted(set(path.steps))
    return "\n".join(f"{step.file}: {step.function}" for step in steps)


@each_api
def test_an_invoke_runs_a_hundred_functions_at_most(api: str) -> None:
    invoke, _, _ = paths(api).values()
    assert invoke.functions <= MAX_FUNCTIONS, listed(invoke)
    assert invoke.files <= MAX_FILES, listed(invoke)


@each_api
def test_a_streamed_event_takes_eight_calls_at_most(api: str) -> None:
    _, _, stream = paths(api).values()
    assert 1 < stream.calls_per_event <= MAX_CALLS_PER_EVENT, listed(stream)
