"""Budgets: what they refuse, count and report."""

from __future__ import annotations

import asyncio
import pickle
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.exceptions import ModelError
from langchain_core.tools import tool

from langchain_unified import Budget, BudgetExceededError, ChatOpenAI, ConfigurationError, CostTracker, cost_callback
from langchain_unified.request import Request
from langchain_unified.testing import Emulator, emulator
from langchain_unified.wires._completion import Completion
from tests.cost.tracking_helpers import DAY, EACH, USED, WAYS, chat_model, each_api, each_way

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")


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
        (Budget, "Budget() has no limit in USD. Write Budget(usd=5)."),
        (lambda: Budget(5), "Budget(5) has no limit in USD"),
        (lambda: Budget(eur=5), "Budget(eur=5) has no limit in USD"),
        (lambda: Budget(usd=5, eur=5), "Budget(eur=5) has no limit in USD"),
        (lambda: Budget(usd="5 EUR"), "Budget(usd='5 EUR') needs a finite number, 0 or more."),
        (lambda: Budget(usd=-1), "Budget(usd=-1) needs a finite number, 0 or more."),
        (lambda: Budget(usd=float("nan")), "Budget(usd=nan) needs a finite number, 0 or more."),
        (lambda: Budget(usd=float("inf")), "Budget(usd=inf) needs a finite number, 0 or more."),
        (lambda: Budget(usd=True), "Budget(usd=True) needs a finite number, 0 or more."),
        (lambda: Budget(usd=[1]), "Budget(usd=[1]) needs a finite number, 0 or more."),
        (lambda: Budget(usd=1, on_unknown="panic"), "on_unknown must be 'warn', 'raise' or 'ignore', not 'panic'."),
        (lambda: Budget(usd=1, prices={"gpt-4o": 3}), "prices['gpt-4o'] must be a dict"),
        (lambda: CostTracker(budget=5), "budget must be a Budget, such as Budget(usd=1), not 5"),
        (lambda: CostTracker(prices={"gpt-4o": {"input": "x", "output": 1}}), "['input'] is 'x'"),
    ],
)
def test_a_wrong_limit_is_refused(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build()
    assert words in str(caught.value)


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
    with pytest.raises(BudgetExceededError, match="The price of gpt-7-house is not known \\(genai-prices"):
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
    with pytest.raises(BudgetExceededError, match="The cost of a call to gpt-4o is not known \\("):
        model.invoke("Hi")
    budget.reset()
    model.invoke("Hi")
    assert budget.spent == EACH["chat"]
