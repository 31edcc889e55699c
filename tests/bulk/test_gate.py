"""The gate: how its limit grows and shrinks, what the headers of both providers say, and a real quota."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from langchain_unified import ChatUnified, bulk
from langchain_unified.bulk import gate as gates
from langchain_unified.bulk.gate import Gate, parts_left
from langchain_unified.errors import OverloadedError, RateLimitError, UnifiedError
from langchain_unified.transport.gated import Pass
from tests.support.quota_server import quota_server


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def answers(gate: Gate, count: int, headers: Mapping[str, str] | None = None) -> None:
    """So many answers, with as many requests in flight as are allowed."""
    while count > 0:
        calls = [Pass() for _ in range(min(gate.open, count))]
        for call in calls:
            await gate.enter(call)
        for call in calls:
            gate.answered(call, headers or {})
        count -= len(calls)


async def refusal(gate: Gate, error: UnifiedError, calls: int = 1) -> list[float | None]:
    """So many requests that were on their way together fail."""
    entered = [Pass() for _ in range(calls)]
    for call in entered:
        await gate.enter(call)
    return [gate.failed(call, error, may_retry=True) for call in entered]


def refused(after: float | None = None) -> RateLimitError:
    error = RateLimitError("slow down")
    error.retry_after = after
    return error


async def test_one_more_for_each_window() -> None:
    gate = Gate()
    assert gate.limit == gates.START == 8
    await answers(gate, 8)
    assert gate.limit == 9
    await answers(gate, 9 + 10 + 11)
    assert gate.limit == 12


async def test_a_limit_that_is_not_used_does_not_grow() -> None:
    gate = Gate()
    for _ in range(40):
        call = Pass()
        await gate.enter(call)
        gate.answered(call, {})
    assert gate.limit == 8


async def test_one_cut_for_a_wave_of_refusals() -> None:
    clock = Time()
    gate = Gate(clock=clock)
    gate.limit = 20
    gate._apply()
    waits = await refusal(gate, refused(2.0), calls=20)
    assert gate.limit == 14  # 0.7 of 20, once
    assert set(waits) == {0.0}
    assert gate.held() == 2.0
    clock.now += 2.0
    await refusal(gate, refused(0.0))
    assert gate.limit == 9


async def test_overload_changes_no_limit() -> None:
    gate = Gate()
    waits = await refusal(gate, OverloadedError("busy"), calls=8)
    assert gate.limit == 8
    assert gate.held() == 0.0
    assert all(wait is not None and 0 < wait <= gates.FIRST_WAIT for wait in waits)


async def test_a_request_that_is_always_refused_ends() -> None:
    clock = Time()
    gate, call = Gate(clock=clock), Pass()
    for number in range(gates.MAX_REFUSALS):
        await gate.enter(call)
        wait = gate.failed(call, refused(0.0), may_retry=True)
        assert (wait is None) == (number == gates.MAX_REFUSALS - 1)


async def test_a_wait_of_hours_is_not_waited_for() -> None:
    gate = Gate()
    assert await refusal(gate, refused(gates.LONGEST_HOLD + 1)) == [None]
    assert gate.held() == 0.0


# Recorded on OpenAI; the figures are (limit - remaining) / reset = 5,000 a minute.
OPENAI = {
    "x-ratelimit-limit-requests": "5000", "x-ratelimit-remaining-requests": "4999",
    "x-ratelimit-reset-requests": "12ms", "x-ratelimit-limit-tokens": "800000",
    "x-ratelimit-remaining-tokens": "40000", "x-ratelimit-reset-tokens": "57s",
}  # fmt: skip
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "4000", "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-input-tokens-limit": "2000000", "anthropic-ratelimit-input-tokens-remaining": "1500000",
    "retry-after": "30",
}  # fmt: skip


def test_the_headers_of_both_providers() -> None:
    assert {kind: left.part for kind, left in parts_left(OPENAI).items()} == {"requests": 0.9998, "tokens": 0.05}
    reset = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)).isoformat(timespec="seconds").replace("+00:00", "Z")
    found = parts_left({**ANTHROPIC, "anthropic-ratelimit-requests-reset": reset})
    assert {kind: left.part for kind, left in found.items()} == {"requests": 0.0, "input-tokens": 0.75}
    assert found["requests"].one_after == pytest.approx(60 / 4000, rel=0.05)
    assert parts_left({}) == parts_left({"x-ratelimit-limit-requests": "?"}) == {}
    # Names of headers match in any case.
    assert parts_left(httpx2.Headers({name.upper(): value for name, value in OPENAI.items()})).keys() == {
        "requests", "tokens",
    }  # fmt: skip


async def test_retry_after_of_an_answer_is_not_waited_for() -> None:
    gate = Gate()
    await answers(gate, 4, {"retry-after": "30"})
    assert gate.held() == 0.0


async def test_fewer_start_while_a_limit_is_scarce() -> None:
    clock = Time()
    gate = Gate(100, clock=clock)
    gate.limit = 40
    await answers(gate, 1, OPENAI)  # 5 % of the tokens are left: half of what may start below 10 %
    assert (gate.limit, gate.open) == (40, 20)
    await answers(gate, 1, {**OPENAI, "x-ratelimit-remaining-tokens": "80000"})
    assert gate.open == 40
    await answers(gate, 1, OPENAI)
    clock.now += gates.FRESH + 1
    await answers(gate, 1)
    assert gate.open == 40


async def test_what_was_answered_between_two_waves_is_the_pace() -> None:
    clock = Time()
    gate = Gate(clock=clock)
    await refusal(gate, refused(0.0))
    clock.now += 1.0
    for _ in range(20):
        call = Pass()
        await gate.enter(call)
        gate.answered(call, {})
    clock.now += 1.0
    await refusal(gate, refused(0.0))
    assert gate._pace == 10.0


async def test_never_more_in_flight_than_requests_are_left() -> None:
    gate = Gate(100)
    gate.limit = 40
    few = {"x-ratelimit-limit-requests": "20", "x-ratelimit-remaining-requests": "7"}
    await answers(gate, 1, few)
    assert (gate.limit, gate.open) == (40, 7)
    await answers(gate, 1, {**few, "x-ratelimit-remaining-requests": "0"})
    assert gate.open == 1


async def test_after_a_refusal_it_grows_by_one() -> None:
    plenty = {"x-ratelimit-limit-requests": "5000", "x-ratelimit-remaining-requests": "4900"}
    gate = Gate(100)
    await refusal(gate, refused(0.0))
    assert gate.limit == 5
    await answers(gate, 5 + 6, plenty)
    assert gate.limit == 7


async def test_plenty_lets_it_grow_fast_and_the_given_limit_holds() -> None:
    plenty = {"x-ratelimit-limit-requests": "5000", "x-ratelimit-remaining-requests": "4900"}
    gate = Gate(30)
    await answers(gate, 8 + 12 + 18, plenty)
    assert gate.limit == 27
    await answers(gate, 200, plenty)
    assert gate.limit == gate.peak == 30


async def test_a_server_without_headers_gets_a_hundred_at_most() -> None:
    gate = Gate()
    assert gate.most == gates.MOST_WITHOUT_HEADERS == 100
    await answers(gate, 1, OPENAI)
    assert gate.most == gates.MOST == 1000


@pytest.mark.parametrize("headers", [False, True])
def test_a_quota_is_used_and_rarely_exceeded(tmp_path: Path, headers: bool) -> None:
    rate, burst, count = 60.0, 20.0, 300
    with quota_server(rate=rate, burst=burst, delay=0.05, headers=headers, retry_after="0.2") as server:
        model = ChatUnified("openai/gpt-5.6", base_url=server.base_url, api_key="k", use_responses_api=False)
        rows = [{"id": number, "prompt": f"q{number}"} for number in range(count)]
        report = bulk(model, rows, out=tmp_path / "answers")
    assert report.answered == count
    assert set(server.answered.values()) == {1}
    # Each refusal is a request that the account paid for with its quota. 3 % is what a run may waste, and the first
    # wave, by which a run without headers learns that there is a quota.
    assert server.refused <= 0.03 * sum(server.asked.values()) + (0 if headers else report.peak)
    # A tenth of what the quota allows, on a machine that does other things.
    assert report.seconds < 10 * (count - burst) / rate
