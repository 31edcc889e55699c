"""What many calls cost together, and budgets: every way of calling, on all APIs, against the emulator."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from langchain_unified import (
    Budget,
    BudgetExceededError,
    ChatAnthropic,
    ChatOpenAI,
    ChatUnified,
    ConfigurationError,
    CostTracker,
    RateLimitError,
    UnifiedError,
    cost_callback,
)
from langchain_unified.request import Request
from langchain_unified.testing import Emulator, Fault, emulator
from langchain_unified.wires._completion import Completion, Tokens

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")

USED = Tokens(uncached=600, cache_read=400, output=100)
DAY = 1_795_132_800  # 2026-11-20
EACH = {
    "anthropic": Decimal("0.0057"),  # claude-opus-5: 600 at 5, 400 at 0.50, 100 at 25
    "chat": Decimal("0.003"),  # gpt-4o: 600 at 2.50, 400 at 1.25, 100 at 10
    "responses": Decimal("0.00456"),  # gpt-5.6: 600 at 4, 400 at 0.40, 100 at 20
}
MODELS = {"anthropic": "anthropic/claude-opus-5", "chat": "openai/gpt-4o", "responses": "openai/gpt-5.6"}
each_api = pytest.mark.parametrize("api", EACH)


def said(request: Request) -> Completion:
    return Completion("", "", ({"type": "text", "text": "Hello, all three."},), tokens=USED, created=DAY)


@pytest.fixture
def server() -> Iterator[Emulator]:
    with emulator(said) as running:
        yield running


def chat_model(server: Emulator, api: str, **fields: Any) -> ChatUnified:
    url = server.anthropic_url if api == "anthropic" else server.openai_url
    return ChatUnified(MODELS[api], api_key="any", base_url=url, max_retries=0, **fields)


# --- the ways to call -------------------------------------------------------------------------------------------------


def in_loop(call: Callable[[BaseChatModel, dict[str, Any]], Any]) -> Callable[[BaseChatModel, dict[str, Any]], Any]:
    return lambda model, config: asyncio.run(call(model, config))


async def _astream(model: BaseChatModel, config: dict[str, Any]) -> None:
    async for _ in model.astream("Hi", config):
        pass


async def _astream_v3(model: BaseChatModel, config: dict[str, Any]) -> None:
    stream = await model.astream_events("Hi", config, version="v3")
    async for _ in stream:
        pass


WAYS: dict[str, Callable[[BaseChatModel, dict[str, Any]], Any]] = {
    "invoke": lambda model, config: model.invoke("Hi", config),
    "ainvoke": in_loop(lambda model, config: model.ainvoke("Hi", config)),
    "stream": lambda model, config: list(model.stream("Hi", config)),
    "astream": in_loop(_astream),
    "batch": lambda model, config: model.batch(["Hi"], config),
    "abatch": in_loop(lambda model, config: model.abatch(["Hi"], config)),
    "generate": lambda model, config: model.generate([[HumanMessage("Hi")]], **config),
    "v3": lambda model, config: list(model.stream_events("Hi", config, version="v3")),
    "async v3": in_loop(_astream_v3),
    "in a chain": lambda model, config: (RunnableLambda(str.upper) | model).invoke("Hi", config),
}
each_way = pytest.mark.parametrize("way", WAYS)


@each_api
@each_way
def test_every_way_of_calling_counts_once(server: Emulator, api: str, way: str) -> None:
    with cost_callback() as costs:
        WAYS[way](chat_model(server, api), {})
    assert (costs.calls, costs.total, costs.unpriced) == (1, EACH[api], [])
    assert costs.tokens == {"uncached": 600, "cache_read": 400, "output": 100}


@each_api
@each_way
def test_a_spent_budget_refuses_before_the_network(server: Emulator, api: str, way: str) -> None:
    budget = Budget(usd="0.001")
    model = chat_model(server, api, callbacks=[budget])
    WAYS[way](model, {})
    assert budget.spent == EACH[api]
    assert budget.remaining == 0
    with pytest.raises(BudgetExceededError) as caught:
        WAYS[way](model, {})
    assert len(server.requests) == 1
    assert (caught.value.spent, caught.value.limit) == (EACH[api], Decimal("0.001"))


@each_way
def test_a_budget_in_the_config_or_the_block_refuses_too(server: Emulator, way: str) -> None:
    model, budget = chat_model(server, "chat"), Budget(usd=0)
    with pytest.raises(BudgetExceededError):
        WAYS[way](model, {"callbacks": [budget]})
    with cost_callback(budget=budget), pytest.raises(BudgetExceededError):
        WAYS[way](model, {})
    assert server.requests == []


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


def test_a_thread_of_one_s_own_needs_the_tracker_in_its_config(server: Emulator) -> None:
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


def test_own_prices_hold_in_nested_blocks(server: Emulator) -> None:
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


def test_what_has_no_price_is_told_and_not_counted_as_nothing(server: Emulator) -> None:
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


@each_api
def test_a_stream_that_is_left_is_told(server: Emulator, api: str) -> None:
    with cost_callback() as costs:
        stream = chat_model(server, api).stream("Hi")
        next(stream)
        stream.close()
    assert (costs.calls, costs.total) == (1, 0)
    (gap,) = costs.unpriced
    assert gap.model == MODELS[api].partition("/")[2]
    assert gap.reason == "the stream ended before its usage came"


@each_api
@pytest.mark.parametrize("way", ["stream", "v3"])
def test_a_stream_that_breaks_is_told(server: Emulator, api: str, way: str) -> None:
    server.fail_next(Fault.overloaded_mid_stream(after_events=6))
    with cost_callback() as costs, pytest.raises(UnifiedError):
        WAYS[way](chat_model(server, api), {})
    assert [gap.reason for gap in costs.unpriced] == ["the stream ended before its usage came"]


def test_a_task_that_is_cancelled_is_told(server: Emulator) -> None:
    async def left() -> None:
        stream = chat_model(server, "chat").astream("Hi")
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]

    with cost_callback() as costs:
        asyncio.run(left())
    assert [gap.model for gap in costs.unpriced] == ["gpt-4o"]


def test_a_call_that_was_given_up_is_told_and_a_failed_one_is_not() -> None:
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
    monkeypatch.setattr("langchain_unified.cost.meter.MOST_RUNS", 5)
    tracker = CostTracker()
    for _ in range(20):
        tracker.on_chat_model_start({}, [], run_id=uuid4())  # never ends
        tracker.on_llm_end(LLMResult(generations=[]), run_id=uuid4())
    assert tracker.calls == 20
    assert len(tracker._runs._known) == 5


def test_an_answer_without_a_message_is_told() -> None:
    tracker, run_id = CostTracker(), uuid4()
    tracker.on_llm_start({}, ["Hi"], run_id=run_id, metadata={"ls_model_name": "davinci"})
    tracker.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)
    assert [(gap.model, gap.calls) for gap in tracker.unpriced] == [("davinci", 1)]
    tracker.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("Hi"))]]), run_id=run_id)
    assert tracker.calls == 1  # the run has been counted
    tracker.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("Hi"))]]), run_id=uuid4())
    assert tracker.unpriced[1].model == "an unnamed model"  # a run whose start it has not seen


# --- budgets ----------------------------------------------------------------------------------------------------------


def test_a_budget_is_shared_by_models_threads_and_tasks(server: Emulator) -> None:
    budget = Budget(usd=1)
    models = [chat_model(server, api, callbacks=[budget]) for api in EACH]

    async def tasks() -> None:
        await asyncio.gather(*(model.ainvoke("Hi") for model in models for _ in range(3)))

    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda model: model.invoke("Hi"), models * 3))
    asyncio.run(tasks())
    assert budget.spent == 6 * sum(EACH.values())
    assert budget.remaining == 1 - budget.spent


def test_a_budget_counts_once_wherever_it_hangs(server: Emulator) -> None:
    budget = Budget(usd=1)
    model = chat_model(server, "chat", callbacks=[budget])
    with cost_callback(budget=budget) as costs:
        model.invoke("Hi", {"callbacks": [budget]})
    assert budget.spent == costs.total == EACH["chat"]


def test_calls_under_way_are_not_stopped(server: Emulator) -> None:
    budget = Budget(usd="0.001")
    model = chat_model(server, "chat", callbacks=[budget])
    asyncio.run(model.abatch(["Hi"] * 4))
    assert len(server.requests) == 4
    answers = model.batch(["Hi"] * 4, return_exceptions=True)
    assert all(isinstance(answer, BudgetExceededError) for answer in answers)
    assert len(server.requests) == 4


def test_the_error_says_what_was_spent(server: Emulator) -> None:
    model = chat_model(server, "chat", callbacks=[Budget(usd="0.002")])
    model.invoke("Hi")
    with pytest.raises(BudgetExceededError) as caught:
        model.invoke("Hi")
    assert str(caught.value) == "The budget of $0.002 is spent: the calls so far cost $0.003."
    assert isinstance(caught.value, ModelError)
    assert caught.value.is_retryable is False
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (copied.spent, copied.limit, str(copied)) == (Decimal("0.003"), Decimal("0.002"), str(caught.value))


def test_a_budget_can_be_reset(server: Emulator) -> None:
    budget = Budget(usd="0.001")
    model = chat_model(server, "chat", callbacks=[budget])
    model.invoke("Hi")
    budget.reset()
    assert (budget.spent, budget.remaining) == (0, Decimal("0.001"))
    model.invoke("Hi")
    assert repr(budget) == "<Budget of $0.001, $0.003 spent>"


def test_a_fallback_spends_nothing_either_when_the_budget_is_for_both(server: Emulator) -> None:
    first, second = chat_model(server, "anthropic"), chat_model(server, "chat")
    with pytest.raises(BudgetExceededError):
        first.with_fallbacks([second]).invoke("Hi", {"callbacks": [Budget(usd=0)]})
    assert server.requests == []
    # A budget of the first model alone is no limit for the second.
    own = chat_model(server, "anthropic", callbacks=[Budget(usd=0)])
    assert own.with_fallbacks([second]).invoke("Hi").text == "Hello, all three."
    assert [request.endpoint for request in server.requests] == ["openai.chat"]


def test_a_retrying_runnable_gives_up_without_the_network(server: Emulator) -> None:
    model = chat_model(server, "chat", callbacks=[Budget(usd=0)])
    with pytest.raises(BudgetExceededError):
        model.with_retry(stop_after_attempt=2, wait_exponential_jitter=False).invoke("Hi")
    assert server.requests == []


def test_a_budget_ends_an_agent() -> None:
    agents = pytest.importorskip("langchain.agents", reason="langchain is not installed")

    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return "sun"

    def calls_again(request: Request) -> Completion:
        call = {"type": "tool_call", "id": f"call_{len(request.turns)}", "name": "weather", "args": {"city": "Rome"}}
        return Completion("", "", (call,), "tool_calls", tokens=USED, created=DAY)

    for api, price in EACH.items():
        with emulator(calls_again) as server, cost_callback(budget=Budget(usd=3 * price)) as costs:
            agent = agents.create_agent(chat_model(server, api), [weather])
            with pytest.raises(BudgetExceededError):
                agent.invoke({"messages": [("user", "Weather?")]}, {"recursion_limit": 50})
            assert (costs.calls, len(server.requests)) == (3, 3)
            with pytest.raises(BudgetExceededError):
                asyncio.run(agent.ainvoke({"messages": [("user", "Weather?")]}))
            assert len(server.requests) == 3


@each_api
@pytest.mark.parametrize("mode", ["messages", "values"])
def test_an_agent_s_streams_count(server: Emulator, api: str, mode: str) -> None:
    agents = pytest.importorskip("langchain.agents", reason="langchain is not installed")
    agent = agents.create_agent(chat_model(server, api), [])
    with cost_callback() as costs:
        list(agent.stream({"messages": [("user", "Hi")]}, stream_mode=mode))
    assert (costs.calls, costs.total, costs.unpriced) == (1, EACH[api], [])


@pytest.mark.parametrize("limit", [1, 0.5, "2.50", Decimal("0.1"), 0])
def test_what_is_a_limit(limit: Any) -> None:
    assert Budget(usd=limit).limit == Decimal(str(limit))


@pytest.mark.parametrize(
    "build, words",
    [
        (Budget, "Budget() names no limit in USD. Write Budget(usd=5)."),
        (lambda: Budget(5), "Budget(5) names no limit in USD"),
        (lambda: Budget(eur=5), "Budget(eur=5) names no limit in USD"),
        (lambda: Budget(usd=5, eur=5), "Budget(eur=5) names no limit in USD"),
        (lambda: Budget(usd="5 EUR"), "Budget(usd='5 EUR') is no amount"),
        (lambda: Budget(usd=-1), "Budget(usd=-1) is no amount"),
        (lambda: Budget(usd=float("nan")), "Budget(usd=nan) is no amount"),
        (lambda: Budget(usd=float("inf")), "Budget(usd=inf) is no amount"),
        (lambda: Budget(usd=True), "Budget(usd=True) is no amount"),
        (lambda: Budget(usd=[1]), "Budget(usd=[1]) is no amount"),
        (lambda: Budget(usd=1, on_unknown="panic"), "on_unknown is 'panic'"),
        (lambda: Budget(usd=1, prices={"gpt-4o": 3}), "prices['gpt-4o'] must be a dict"),
        (lambda: CostTracker(budget=5), "budget must be a Budget, such as Budget(usd=1), not 5"),
        (lambda: CostTracker(prices={"gpt-4o": {"input": "x", "output": 1}}), "['input'] is 'x'"),
    ],
)
def test_a_wrong_limit_is_refused(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build()
    assert words in str(caught.value)


# --- what a budget does about unknown prices --------------------------------------------------------------------------


def unknown_model(server: Emulator, budget: Budget) -> ChatOpenAI:
    return ChatOpenAI("gpt-7-house", api_key="any", base_url=server.openai_url, callbacks=[budget])


def test_an_unknown_price_is_warned_of_once(server: Emulator) -> None:
    budget = Budget(usd=1)
    model = unknown_model(server, budget)
    with pytest.warns(UserWarning, match="cannot count the cost of gpt-7-house \\(genai-prices") as caught:
        model.batch(["Hi"] * 3)
    assert len(caught) == 1
    assert budget.spent == 0
    assert list(budget.unknown) == ["gpt-7-house"]


def test_an_unknown_price_can_be_ignored(server: Emulator) -> None:
    budget = Budget(usd=1, on_unknown="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unknown_model(server, budget).invoke("Hi")
    assert list(budget.unknown) == ["gpt-7-house"]


def test_an_unknown_price_can_be_refused(server: Emulator) -> None:
    budget = Budget(usd=1, on_unknown="raise")
    with pytest.raises(BudgetExceededError, match="What a call to gpt-7-house costs is not known"):
        unknown_model(server, budget).invoke("Hi")
    assert server.requests == []
    known = Budget(usd=1, on_unknown="raise", prices={"gpt-7-*": {"input": 1, "output": 1, "cache_read": 1}})
    unknown_model(server, known).invoke("Hi")
    assert known.spent == Decimal("0.0011")
    with cost_callback(budget=known) as costs:  # which has no prices of its own
        unknown_model(server, known).invoke("Hi")
    assert (known.spent, costs.total) == (Decimal("0.0022"), 0)
    given = Budget(usd=1, on_unknown="raise")
    with cost_callback(prices={"gpt-7-*": {"input": 1, "output": 1, "cache_read": 1}}, budget=given):
        ChatOpenAI("gpt-7-house", api_key="any", base_url=server.openai_url).invoke("Hi")
    assert given.spent == Decimal("0.0011")


def test_after_an_unknown_cost_every_call_is_refused(server: Emulator) -> None:
    budget = Budget(usd=1, on_unknown="raise")
    model = chat_model(server, "chat", callbacks=[budget])
    stream = model.stream("Hi")
    next(stream)
    stream.close()
    with pytest.raises(BudgetExceededError, match="A call to gpt-4o cost an unknown amount"):
        model.invoke("Hi")
    budget.reset()
    model.invoke("Hi")
    assert budget.spent == EACH["chat"]


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


def test_without_the_extra_own_prices_are_needed(monkeypatch: pytest.MonkeyPatch, server: Emulator) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    for build in (CostTracker, lambda: Budget(usd=1), lambda: cost_callback().__enter__()):
        with pytest.raises(ConfigurationError, match=r"pip install 'langchain-unified\[cost\]', or give prices="):
            build()
    own = {"gpt-4o": {"input": 1, "output": 1, "cache_read": 1}}
    with cost_callback(prices=own) as costs:
        chat_model(server, "chat").invoke("Hi")
        ChatAnthropic("claude-opus-5", api_key="any", base_url=server.anthropic_url).invoke("Hi")
    assert costs.total == Decimal("0.0011")
    assert [gap.model for gap in costs.unpriced] == ["claude-opus-5"]


# --- the page ---------------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs/cost.md"
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
