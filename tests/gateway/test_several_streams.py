"""`n` of a stream of Chat Completions whose model speaks another API: as many streams, whose choices go out mixed."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from langchain_unified.testing import Fault
from tests.gateway.running import Running, gateway, until
from tests.gateway.test_call_budgets import AS_MASTER, MASTER, info, key

HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    answers = iter(range(1000))
    general = {"master_key": MASTER, "database_url": "sqlite://"}
    with gateway(lambda request: f"one two three {next(answers)}", general_settings=general) as found:
        yield found


@pytest.fixture(scope="module")
def http(running: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url, timeout=30) as client:
        yield client


def events_in(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_each_choice_has_its_text_and_the_usage_is_of_all(running: Running, http: httpx2.Client) -> None:
    who = key(http, max_budget=10)
    client = openai.OpenAI(base_url=f"{running.url}/v1", api_key=who["authorization"].removeprefix("Bearer "))
    before = len(running.sent)
    stream = client.chat.completions.create(
        model="claude",
        messages=[{"role": "user", "content": "hi"}],
        n=3,
        max_completion_tokens=50,
        stream=True,
        stream_options={"include_usage": True},
    )
    texts: dict[int, str] = defaultdict(str)
    finished, usages, ids = [], [], set()
    for chunk in stream:
        ids.add(chunk.id)
        usages += [chunk.usage] if chunk.usage else []
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            finished += [choice.index] if choice.finish_reason else []
    assert len(running.sent) - before == 3
    assert len(ids) == 1
    assert sorted(texts) == sorted(finished) == [0, 1, 2]
    assert len(set(texts.values())) == 3
    assert all(text.startswith("one two three ") for text in texts.values())
    [usage] = usages
    [row] = info(http, who)["spend_by_model"]
    assert (row["requests"], row["incomplete_requests"]) == (1, 0)
    assert (row["output_tokens"], row["input_tokens"]) == (usage.completion_tokens, 3 * usage.prompt_tokens)


def test_more_answers_than_run_at_once(http: httpx2.Client) -> None:
    body = {"model": "claude", "messages": HI, "n": 11, "stream": True}
    answer = http.post("/v1/chat/completions", json=body, headers=AS_MASTER)
    *events, done = events_in(answer.text)
    assert done == "[DONE]"
    finished = [choice["index"] for event in events for choice in event["choices"] if choice["finish_reason"]]
    assert sorted(finished) == list(range(11))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("count", [0, -1, 129, 100_000])
def test_more_answers_than_openai_gives_are_refused(
    running: Running, http: httpx2.Client, count: int, stream: bool
) -> None:
    before = len(running.sent)
    body = {"model": "claude", "messages": HI, "n": count, "stream": stream}
    answer = http.post("/v1/chat/completions", json=body, headers=AS_MASTER)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "n")
    assert answer.json()["error"]["message"] == "n must be from 1 to 128."
    assert len(running.sent) == before


def test_an_error_before_the_first_content_is_an_answer_with_its_status(running: Running, http: httpx2.Client) -> None:
    running.upstream.fail_next("overloaded")
    body = {"model": "claude", "messages": HI, "n": 2, "stream": True}
    answer = http.post("/v1/chat/completions", json=body, headers=AS_MASTER)
    assert answer.status_code >= 500
    assert "error" in answer.json()


def test_an_error_in_the_middle_of_one_ends_all(running: Running, http: httpx2.Client) -> None:
    who = key(http, max_budget=10)
    running.upstream.fail_next(Fault.overloaded_mid_stream(after_events=5))
    body = {"model": "claude", "messages": HI, "n": 2, "stream": True}
    events = events_in(http.post("/v1/chat/completions", json=body, headers=who).text)
    assert "error" in events[-1]
    assert "[DONE]" not in events
    [row] = info(http, who)["spend_by_model"]
    assert row["incomplete_requests"] == 1
    assert row["output_tokens"] > 0


def test_one_client_that_leaves_closes_all(running: Running, http: httpx2.Client) -> None:
    who = key(http, max_budget=10)
    running.upstream.fail_next(Fault.drip(0.1), times=3)
    before = len(running.sent)
    body = {"model": "claude", "messages": HI, "n": 3, "stream": True}
    with (
        httpx2.Client(base_url=running.url, timeout=30) as leaving,
        leaving.stream("POST", "/v1/chat/completions", json=body, headers=who) as answer,
    ):
        for part in answer.iter_raw():
            if b"two" in part:
                break
    [row] = info(http, who)["spend_by_model"]
    assert row["incomplete_requests"] == 1
    asyncio.run(until(lambda: all(sent.disconnected for sent in running.sent[before:])))
    assert len(running.sent) - before == 3
