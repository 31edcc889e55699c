"""The threads of `make bench-cache`: agents with LangChain's middleware and others, at the emulator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.cache_held_out import plan
from benchmarks.cache_threads import WORKLOADS
from benchmarks.thread_table import lines, measure_thread, worst
from langchain_unified import PromptCache

QUICK = ("short agents", "user blocks, single", "retrieved", "formats", "flapping", "pauses, chats")
AGENTS = ("cleared by middleware", "summarised")


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
@pytest.mark.parametrize("name", QUICK)
def test_auto_is_near_the_best_policy_without_foresight(name, provider):
    """Each row also compares the emulator's cache with a second implementation of the published rules."""
    row = measure_thread(name, provider)
    assert row.times <= 1.05
    assert row.auto < row.others["no marks"]


@pytest.mark.parametrize("name", AGENTS)
def test_agents_with_langchains_middleware(name):
    pytest.importorskip("langchain.agents", reason="langchain is not installed")
    row = measure_thread(name, "anthropic")
    assert row.calls > 30
    assert row.times <= 1.05


def test_the_api_clears_results_and_auto_still_reads():
    row = measure_thread("cleared by the API", "anthropic")
    assert row.times <= 1.05
    assert row.others["LangChain's, deepagents' middleware"] / row.best > 1.2


def test_a_table_names_the_rows_over_the_target():
    row = replace(measure_thread("sliding window", "openai"), auto=70_000.0)
    head, cells = lines([row], "openai")
    assert (head[4], cells[0], cells[1]) == ("auto", "sliding window", "16")
    first, note = worst([row])
    assert first.endswith("in 1 of 1 workloads.")
    assert WORKLOADS["sliding window"].title in note


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_window_over_the_last_messages_is_noticed(provider):
    row = measure_thread("sliding window", provider)
    assert row.times <= 1.05
    assert measure_thread("sliding window", provider, PromptCache(windows=False)).times > 1.05


def test_summaries_beside_an_agent_are_not_written_again_and_again():
    pytest.importorskip("langchain.agents", reason="langchain is not installed")
    assert measure_thread("summarised", "openai").times <= 1.05
    assert measure_thread("summarised", "openai", PromptCache(single_calls=False)).times > 1.05


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_generated_threads_are_the_same_in_every_run(provider):
    row = measure_thread("held out 5", provider)
    assert (row.calls, plan(5).title()) == (8, "2 x chat of 4, system (3619,), 0 tools, pauses 90%")
    assert row.times <= 1.05
