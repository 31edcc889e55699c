"""Budgets of keys, over HTTP: what each path reserves and settles, whichever way an answer ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from langchain_unified.testing import Fault, emulator
from tests.gateway.running import Running, entry, gateway

MASTER = "sk-master-of-the-tests"
AS_MASTER = {"authorization": f"Bearer {MASTER}"}
HI = [{"role": "user", "content": "hi"}]
WORDS = " ".join(["word"] * 30)

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "messages": ("/v1/messages", {"max_tokens": 20, "messages": HI}),
    "chat": ("/v1/chat/completions", {"max_completion_tokens": 20, "messages": HI}),
    "responses": ("/v1/responses", {"max_output_tokens": 20, "input": "hi"}),
}
each_cell = pytest.mark.parametrize("api, model", [(api, model) for api in CALLS for model in ("claude", "gpt")])


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with gateway(lambda request: WORDS, general_settings={"master_key": MASTER, "database_url": "sqlite://"}) as found:
        yield found


@pytest.fixture(scope="module")
def http(running: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url, timeout=30) as client:
        yield client


def key(http: httpx2.Client, **fields: Any) -> dict[str, str]:
    made = http.post("/key/generate", json=fields, headers=AS_MASTER)
    assert made.status_code == 200, made.text
    return {"authorization": f"Bearer {made.json()['key']}"}


def info(http: httpx2.Client, who: dict[str, str]) -> dict[str, Any]:
    """What the key itself sees, once nothing of it is in progress."""
    for _ in range(100):
        found: dict[str, Any] = http.get("/key/info", headers=who).json()["info"]
        if not found["requests_in_progress"]:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def send(http: httpx2.Client, who: dict[str, str], api: str, model: str, **more: Any) -> httpx2.Response:
    path, body = CALLS[api]
    return http.post(path, json={"model": model, **body, **more}, headers=who)


# USD per million tokens, of the published table: the providers' pages of prices.
PRICES = {"claude": (Decimal(5), Decimal(25)), "gpt": None}


@each_cell
@pytest.mark.parametrize("stream", [False, True])
def test_every_path_is_in_the_books(running: Running, http: httpx2.Client, api: str, model: str, stream: bool) -> None:
    who = key(http, max_budget=1)
    answer = send(http, who, api, model, stream=stream)
    assert answer.status_code == 200, answer.text
    found = info(http, who)
    (row,) = found["spend_by_model"]
    assert (row["model"], row["requests"], row["incomplete_requests"], row["unpriced_requests"]) == (model, 1, 0, 0)
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0
    assert found["spend"] == row["spend"] > 0
    assert found["reserved"] == 0
    if model == "claude":
        per_input, per_output = PRICES["claude"]
        cost = (per_input * row["input_tokens"] + per_output * row["output_tokens"]) / 1_000_000
        assert Decimal(str(found["spend"])) == cost


@each_cell
def test_a_spent_budget_refuses_in_the_clients_protocol(http: httpx2.Client, api: str, model: str) -> None:
    who = key(http, max_budget=0.0000001)
    answer = send(http, who, api, model)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (429, "false")
    error = answer.json()["error"]
    assert "Budget exceeded" in error["message"]
    assert error["type"] == ("billing_error" if api == "messages" else "insufficient_quota")
    assert info(http, who)["spend"] == 0


@each_cell
def test_a_rate_limit_says_when_to_come_again(http: httpx2.Client, api: str, model: str) -> None:
    who = key(http, rpm_limit=1)
    assert send(http, who, api, model).status_code == 200
    answer = send(http, who, api, model)
    if answer.status_code == 200:  # a minute began between the two
        answer = send(http, who, api, model)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60


@each_cell
def test_what_was_not_answered_costs_nothing(running: Running, http: httpx2.Client, api: str, model: str) -> None:
    who = key(http, max_budget=1)
    running.upstream.fail_next("http; status=400")
    assert send(http, who, api, model).status_code == 400
    found = info(http, who)
    assert (found["spend"], found["reserved"], found["spend_by_model"]) == (0, 0, [])


@each_cell
def test_a_cut_stream_is_charged_by_what_came(running: Running, http: httpx2.Client, api: str, model: str) -> None:
    who = key(http, max_budget=1)
    running.upstream.fail_next("clean_end_without_final")
    send(http, who, api, model, stream=True)
    (row,) = info(http, who)["spend_by_model"]
    assert (row["requests"], row["incomplete_requests"]) == (1, 1)
    assert row["spend"] > 0
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0


@each_cell
def test_a_client_that_leaves_is_charged_by_what_came(
    running: Running, http: httpx2.Client, api: str, model: str
) -> None:
    who = key(http, max_budget=1)
    running.upstream.fail_next(Fault.drip(0.1))
    path, body = CALLS[api]
    asked = {"model": model, **body, "stream": True}
    with (
        httpx2.Client(base_url=running.url, timeout=30) as leaving,
        leaving.stream("POST", path, json=asked, headers=who) as answer,
    ):
        for part in answer.iter_raw():
            if b"word" in part:
                break
    (row,) = info(http, who)["spend_by_model"]
    assert row["incomplete_requests"] == 1
    assert 0 < row["output_tokens"] <= 20
    assert row["spend"] > 0


def test_a_key_for_other_models_and_an_alias(http: httpx2.Client) -> None:
    who = key(http, models=["claude"], aliases={"fast": "gpt"})
    assert send(http, who, "chat", "gpt").status_code == 403
    assert send(http, who, "chat", "fast").status_code == 200
    assert info(http, who)["spend_by_model"][0]["model"] == "gpt"


@pytest.mark.parametrize("fields", [{}, {"max_budget": 1}])
def test_a_model_without_a_price_is_refused_once_there_are_keys(fields: dict[str, Any]) -> None:
    nobody = entry("nobody", "openai/llama-of-nobody", "http://127.0.0.1:9")
    general = {"master_key": MASTER, "database_url": "sqlite://"}
    with (
        gateway(entries=[nobody], general_settings=general) as running,
        httpx2.Client(base_url=running.url, timeout=30) as http,
    ):
        for who in (key(http, **fields), AS_MASTER):
            answer = send(http, who, "chat", "nobody")
            assert answer.status_code == 400
            assert "The price of llama-of-nobody is not known" in answer.json()["error"]["message"]
    with gateway(entries=[nobody]) as running, httpx2.Client(base_url=running.url, timeout=30) as http:
        assert send(http, {}, "chat", "nobody").status_code == 502  # it is sent: nobody listens there


def test_the_limit_of_a_deployment_counts_for_calls_without_one() -> None:
    general = {"master_key": MASTER, "database_url": "sqlite://"}
    with emulator(lambda request: WORDS) as server:
        short = entry("short", "openai/gpt-5.6", server.openai_url, max_completion_tokens=20)
        with (
            gateway(entries=[short], general_settings=general) as running,
            httpx2.Client(base_url=running.url, timeout=30) as http,
        ):
            who = key(http, max_budget=0.002)
            body = {"messages": HI}
            for name, status in (("gpt", 429), ("short", 200)):
                answer = http.post("/v1/chat/completions", json={"model": name, **body}, headers=who)
                assert answer.status_code == status, answer.text


def test_a_dearer_fallback_reserves_what_it_may_cost() -> None:
    cheap = {"input_cost_per_token": 1e-9, "output_cost_per_token": 1e-9}
    with (
        gateway(
            lambda request: WORDS,
            router_settings={"num_retries": 0, "fallbacks": [{"cheap": ["claude"]}]},
            general_settings={"master_key": MASTER, "database_url": "sqlite://"},
            entries=[{**entry("cheap", "openai/gpt-5.6", "http://127.0.0.1:9"), "model_info": cheap}],
        ) as running,
        httpx2.Client(base_url=running.url, timeout=30) as http,
    ):
        who = key(http, max_budget=0.0004)  # 20 output tokens of Claude alone may cost 0.0005
        refused = send(http, who, "messages", "cheap")
        assert (refused.status_code, refused.headers.get("x-should-retry")) == (429, "false")
        assert running.sent == []
        who = key(http, max_budget=0.01)
        assert send(http, who, "messages", "cheap").status_code == 200
        assert 0 < info(http, who)["spend"] < 0.01
        assert info(http, who)["reserved"] == 0


def test_a_key_that_is_not_there_has_a_code_of_its_own(http: httpx2.Client) -> None:
    answer = http.get("/key/info", params={"key": "nobody"}, headers=AS_MASTER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "key_not_found")
    missing = http.post("/v1/chat/completions", json={"model": "nothing", "messages": HI}, headers=AS_MASTER)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_a_response_in_the_background_is_charged_with_all_that_it_may_write(http: httpx2.Client) -> None:
    """Its usage is known only later, when the budget must have been charged: else its output would be free."""
    who = key(http, max_budget=1)
    made = send(http, who, "responses", "gpt", background=True, max_output_tokens=1000).json()
    assert (made["status"], made.get("usage")) == ("queued", None)
    spent = info(http, who)
    [row] = spent["spend_by_model"]
    assert (row["output_tokens"], row["input_tokens"] > 0) == (1000, True)
    assert http.get(f"/v1/responses/{made['id']}", headers=who).status_code == 200
    assert info(http, who)["spend"] == spent["spend"] > 0


def test_a_streamed_response_in_the_background_is_charged_by_its_usage(http: httpx2.Client) -> None:
    who = key(http, max_budget=1)
    send(http, who, "responses", "gpt", background=True, stream=True, max_output_tokens=1000)
    [row] = info(http, who)["spend_by_model"]
    assert 0 < row["output_tokens"] < 100
