"""Prompt caching under deepagents: what its agents cost with `auto`, beside the best policy without foresight."""

from __future__ import annotations

import pytest

from tests.ecosystem.test_consumers import MAKE


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_deep_agent_and_its_sub_agents_read_what_they_wrote(provider):
    pytest.importorskip("deepagents", reason=MAKE)
    from benchmarks.thread_table import measure_thread

    row = measure_thread("deep agent", provider)
    assert row.calls == 25
    assert row.times <= 1.05
