"""What many calls cost together: every way of calling, on all APIs, against the emulator."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from langchain_unified import (
    Budget,
    ChatAnthropic,
    ConfigurationError,
    CostTracker,
    RateLimitError,
    cost_callback,
)
from langchain_unified.testing import Emulator, Fault, emulator
from tests.cost.tracking_helpers import EACH, WAYS, chat_model, each_api, each_way
from tests.support.corpus import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")


# --- the ways to call -------------------------------------------------------------------------------------------------


@each_api
@each_way
def test_every_way_of_calling_counts_once(server: Emulator, api: str, way: str) -> None:
    with cost_callback() as costs:
        WAYS[way](chat_model(server, api), {})
    assert (costs.calls, costs.total, costs.unpriced) == (1, EACH[api], [])
    assert costs.tokens == {"uncached": 600, "cache_read": 400, "output": 100}


# --- sums -------------------------------------------------------------------------------------------------------------


def test_calls_of_all_apis_in_one_block(server: Emulator) -> None:
    with cost_callback() as costs:
        for api in EACH:
            chat_model(server, api).invoke("Hi")
    assert costs.by_model == {
        "claude-opus-5": EACH["anthropic"],
        "gpt-4o": EACH["chat"],
        "gpt-5.6": EACH["responses"],
    }
    assert costs.by_provider == {"anthropic": EACH["anthropic"], "openai": EACH["chat"] + EACH["responses"]}
    assert costs.total == sum(EACH.values())
    assert costs.saved == Decimal("0.0018") + Decimal("0.0005") + Decimal("0.00144")
    assert costs.tokens == {"uncached": 1_800, "cache_read": 1_200, "output": 300}
    assert str(costs) == (
        "$0.01326 in 3 calls, $0.00374 saved by prompt caching\n"
        "  claude-opus-5: $0.0057\n"
        "  gpt-4o: $0.003\n"
        "  gpt-5.6: $0.00456"
    )
    assert repr(costs) == "<CostTracker $0.01326 in 3 calls, $0.00374 saved by prompt caching>"
    chat_model(server, "chat").invoke("after the block")
    assert costs.calls == 3


@pytest.mark.parametrize("api, written", [("anthropic", "cache_write_5m"), ("responses", "cache_write")])
def test_a_prompt_cache_first_costs_and_then_saves(api: str, written: str) -> None:
    rules = {"type": "text", "text": "Answer briefly. " * 2_000, "cache_control": {"type": "ephemeral"}}
    messages = [HumanMessage([rules, {"type": "text", "text": "Hi"}])]
    with emulator() as server, cost_callback() as costs:
        model = chat_model(server, api)
        model.invoke(messages)
        assert costs.tokens[written] > 1_000
        assert costs.saved == -costs.tokens[written] * INPUT[api] / 4_000_000  # a write costs a quarter more
        model.invoke(messages)
        assert costs.tokens["cache_read"] == costs.tokens[written]
        assert costs.saved == costs.tokens[written] * INPUT[api] * Decimal("0.65") / 1_000_000  # a read saves 90 %


INPUT = {"anthropic": Decimal(5), "responses": Decimal(4)}


def test_executors_batches_and_tasks_count(server: Emulator) -> None:
    model = chat_model(server, "chat")

    async def gathered() -> None:
        await asyncio.gather(*(model.ainvoke("Hi") for _ in range(4)))
        await model.abatch(["Hi"] * 3)

    with cost_callback() as costs:
        model.batch(["Hi"] * 5)
        asyncio.run(gathered())
    assert costs.calls == 12
    assert costs.total == 12 * EACH["chat"]


def test_another_thread_needs_the_tracker_in_its_config(server: Emulator) -> None:
    model = chat_model(server, "chat")
    with cost_callback() as costs:
        thread = threading.Thread(target=model.invoke, args=("Hi",))
        thread.start()
        thread.join()
        assert costs.calls == 0
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda _: model.invoke("Hi", {"callbacks": [costs]}), range(4)))
    assert costs.calls == 4


def test_concurrent_blocks_do_not_mix(server: Emulator) -> None:
    model = chat_model(server, "chat")

    async def block(count: int) -> CostTracker:
        with cost_callback() as costs:
            await asyncio.gather(*(model.ainvoke("Hi") for _ in range(count)))
        return costs

    async def both() -> list[CostTracker]:
        return await asyncio.gather(block(1), block(3))

    assert [costs.calls for costs in asyncio.run(both())] == [1, 3]


def test_the_same_tracker_and_nested_blocks_count_once(server: Emulator) -> None:
    model = chat_model(server, "chat")
    with cost_callback() as outer:
        model.invoke("Hi", {"callbacks": [outer]})
        with cost_callback() as inner, get_usage_metadata_callback() as usage:
            model.invoke("Hi", {"callbacks": [inner, outer]})
        model.invoke("Hi")
    assert (outer.calls, inner.calls) == (3, 1)
    assert outer.total == 3 * EACH["chat"]
    assert usage.usage_metadata["gpt-4o"]["total_tokens"] == 1_100


def test_a_tracker_is_a_handler_by_itself(server: Emulator) -> None:
    tracker = CostTracker()
    chat_model(server, "anthropic", callbacks=[tracker]).invoke("Hi", {"callbacks": [tracker]})
    chat_model(server, "chat").invoke("Hi", {"callbacks": [tracker]})
    assert (tracker.calls, tracker.total) == (2, EACH["anthropic"] + EACH["chat"])


def test_the_callers_prices_are_used_in_nested_blocks(server: Emulator) -> None:
    own = {"gpt-4o": {"input": 1_000, "output": 0, "cache_read": 0}}
    budget = Budget(usd=1)
    with cost_callback() as outer, cost_callback(prices=own, budget=budget) as inner:
        chat_model(server, "chat").invoke("Hi")
    assert inner.total == outer.total == budget.spent == Decimal("0.6")
    assert inner.budget is budget


def test_choices_of_one_reply_share_its_usage(server: Emulator) -> None:
    with cost_callback() as costs:
        chat_model(server, "chat").generate([[HumanMessage("Hi")]], n=3)
        assert costs.total == Decimal("0.005")  # the input once, three outputs
        # Three requests, each with its own usage.
        chat_model(server, "anthropic", on_unsupported="ignore").generate([[HumanMessage("Hi")]], n=3)
    assert costs.total == Decimal("0.005") + 3 * EACH["anthropic"]
    assert (costs.calls, costs.unpriced) == (4, [])


def test_a_partner_s_models_count_the_same(server: Emulator) -> None:
    partners = pytest.importorskip("langchain_anthropic"), pytest.importorskip("langchain_openai")
    with cost_callback() as ours:
        chat_model(server, "anthropic").invoke("Hi")
        chat_model(server, "chat").invoke("Hi")
    with cost_callback() as theirs:
        partners[0].ChatAnthropic(model="claude-opus-5", api_key="any", base_url=server.anthropic_url).invoke("Hi")
        partners[1].ChatOpenAI(model="gpt-4o", api_key="any", base_url=server.openai_url).invoke("Hi")
        assert theirs.total == ours.total
        assert theirs.by_provider == ours.by_provider
        assert theirs.tokens == ours.tokens
        # Each of its choices carries the usage of the whole reply.
        several = partners[1].ChatOpenAI(model="gpt-4o", api_key="any", base_url=server.openai_url, n=3)
        several.generate([[HumanMessage("Hi")]])
    assert theirs.total == ours.total + Decimal("0.005")


# --- LangChain's own cache --------------------------------------------------------------------------------------------


@each_api
def test_what_langchain_s_cache_gives_is_free(server: Emulator, api: str) -> None:
    model = chat_model(server, api, cache=InMemoryCache())
    budget = Budget(usd=1)
    with cost_callback(budget=budget) as costs:
        for _ in range(3):
            model.invoke("Hi")
    assert len(server.requests) == 1
    assert (costs.calls, costs.cached_calls, costs.total) == (3, 2, EACH[api])
    assert budget.spent == EACH[api]
    assert "2 from LangChain's cache" in str(costs)


# --- calls without a price --------------------------------------------------------------------------------------------


def test_a_call_without_a_price_is_listed_and_not_counted_as_free(server: Emulator) -> None:
    unknown = chat_model(server, "chat").bind(model="openai/gpt-7-house")
    with cost_callback() as costs:
        unknown.invoke("Hi")
        unknown.invoke("Hi")
        chat_model(server, "chat").invoke("Hi")
    assert costs.total == EACH["chat"]
    assert list(costs.by_model) == ["gpt-4o"]
    (gap,) = costs.unpriced
    assert (gap.model, gap.calls) == ("gpt-7-house", 2)
    assert "does not know the model 'gpt-7-house'" in gap.reason
    assert str(costs).startswith("at least $0.003 in 3 calls")
    assert "unknown: 2 of gpt-7-house: genai-prices" in str(costs)
    assert costs.tokens["uncached"] == 1_800


def test_an_abandoned_call_is_listed_and_a_failed_one_is_not() -> None:
    for error, reasons in (
        (asyncio.CancelledError(), ["the call ended before its usage was reported"]),
        (GeneratorExit(), ["the call ended before its usage was reported"]),
        (ValueError("no"), []),
    ):
        tracker, run_id = CostTracker(), uuid4()
        tracker.on_chat_model_start({}, [], run_id=run_id, metadata={"ls_model_name": "gpt-4o"})
        tracker.on_llm_error(error, run_id=run_id, response=LLMResult(generations=[]))
        assert [gap.reason for gap in tracker.unpriced] == reasons


@each_api
def test_a_refused_call_costs_nothing(server: Emulator, api: str) -> None:
    server.fail_next(Fault.rate_limit())
    with cost_callback() as costs, pytest.raises(RateLimitError):
        chat_model(server, api).invoke("Hi")
    assert (costs.calls, costs.unpriced, str(costs)) == (0, [], "$0 in 0 calls")


def test_runs_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_unified.cost.handler.MAX_RUNS", 5)
    tracker = CostTracker()
    for _ in range(20):
        tracker.on_chat_model_start({}, [], run_id=uuid4())  # never ends
        tracker.on_llm_end(LLMResult(generations=[]), run_id=uuid4())
    assert tracker.calls == 20
    assert len(tracker._runs._known) == 5


def test_an_answer_without_a_message_is_listed() -> None:
    tracker, run_id = CostTracker(), uuid4()
    tracker.on_llm_start({}, ["Hi"], run_id=run_id, metadata={"ls_model_name": "davinci"})
    tracker.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)
    assert [(gap.model, gap.calls) for gap in tracker.unpriced] == [("davinci", 1)]
    tracker.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("Hi"))]]), run_id=run_id)
    assert tracker.calls == 1  # the run has been counted
    tracker.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("Hi"))]]), run_id=uuid4())
    assert tracker.unpriced[1].model == "an unnamed model"  # a run whose start it has not seen


# --- copies, pickles, and no prices at all ----------------------------------------------------------------------------


def test_a_copied_model_keeps_its_budget_and_a_pickled_one_its_state(server: Emulator) -> None:
    budget = Budget(usd=1)
    model = chat_model(server, "chat", callbacks=[budget])
    for twin in (copy.copy(model), copy.deepcopy(model), model.model_copy(deep=True)):
        twin.invoke("Hi")
    assert budget.spent == 3 * EACH["chat"]
    assert copy.deepcopy(budget) is budget
    tracker = CostTracker(budget=budget)
    there = pickle.loads(pickle.dumps(tracker))
    assert there.budget.spent == budget.spent
    chat_model(server, "chat").invoke("Hi", {"callbacks": [there]})
    assert (there.calls, tracker.calls) == (1, 0)
    assert there.budget.spent == 4 * EACH["chat"]


def test_without_the_extra_the_callers_prices_are_needed(monkeypatch: pytest.MonkeyPatch, server: Emulator) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    for build in (CostTracker, lambda: Budget(usd=1), lambda: cost_callback().__enter__()):
        with pytest.raises(ConfigurationError, match=r"pip install .*\[cost\]', or give prices="):
            build()
    own = {"gpt-4o": {"input": 1, "output": 1, "cache_read": 1}}
    with cost_callback(prices=own) as costs:
        chat_model(server, "chat").invoke("Hi")
        ChatAnthropic("claude-opus-5", api_key="any", base_url=server.anthropic_url).invoke("Hi")
    assert costs.total == Decimal("0.0011")
    assert [gap.model for gap in costs.unpriced] == ["claude-opus-5"]


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE = ROOT / "docs/cost.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_of_the_page(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with emulator() as server:
        for provider, url in (("ANTHROPIC", server.anthropic_url), ("OPENAI", server.openai_url)):
            monkeypatch.setenv(f"{provider}_API_KEY", "not-a-key")
            monkeypatch.setenv(f"{provider}_BASE_URL", url)
        exec(compile(program, "cost.md", "exec"), {"__name__": "__page__"})
    printed = capsys.readouterr().out
    assert printed.strip()
    assert "None USD" not in printed


def test_the_page_has_its_programs() -> None:
    assert len(PROGRAMS) == 5
