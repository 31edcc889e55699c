"""The official client of Anthropic drives whole Message Batches against the emulator.

Facts: the SDK's types and docstrings of `messages.batches`, and the guide to batch processing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import anthropic
import httpx2
import pytest

from langchain_unified.testing import Emulator, Fault, emulator

HOUR, DAY = 3_600, 86_400
HEADERS = {"x-api-key": "any", "anthropic-version": "2023-06-01"}


def request(custom_id: str, text: str = "hi", **params: Any) -> Any:
    body = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": [{"role": "user", "content": text}], **params}
    return {"custom_id": custom_id, "params": body}


def client(server: Emulator) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="any", base_url=server.anthropic_url, max_retries=0)


def results(of: anthropic.Anthropic, batch_id: str) -> dict[str, Any]:
    return {line.custom_id: line.result for line in of.messages.batches.results(batch_id)}


def counts(batch: Any) -> dict[str, int]:
    return {name: count for name, count in batch.request_counts.model_dump().items() if count}


def test_a_whole_batch() -> None:
    with emulator(batches={"seconds": HOUR}) as server:
        sdk = client(server)
        made = sdk.messages.batches.create(requests=[request(f"row-{at}", f"hi {at}") for at in range(20)])
        assert (made.processing_status, made.results_url, counts(made)) == ("in_progress", None, {"processing": 20})
        assert made.expires_at - made.created_at == dt.timedelta(hours=24)
        server.clock.advance(HOUR - 1)
        # No finer progress: all requests count as processing until the whole batch has ended.
        assert counts(sdk.messages.batches.retrieve(made.id)) == {"processing": 20}
        server.clock.advance(1)
        ended = sdk.messages.batches.retrieve(made.id)
        assert (ended.processing_status, counts(ended)) == ("ended", {"succeeded": 20})
        assert ended.ended_at == made.created_at + dt.timedelta(hours=1)
        lines = list(sdk.messages.batches.results(made.id))
        ids = [line.custom_id for line in lines]
        assert sorted(ids) == sorted(f"row-{at}" for at in range(20))
        assert ids != [f"row-{at}" for at in range(20)]
        for line in lines:
            assert line.result.message.content[0].text == f"You said: hi {line.custom_id.removeprefix('row-')}"
            assert line.result.message.usage.service_tier == "batch"
        assert sdk.messages.batches.delete(made.id).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            sdk.messages.batches.retrieve(made.id)
    names = [found.endpoint for found in server.requests]
    assert names[:2] == ["anthropic.batches.create", "anthropic.batches.retrieve"]


async def test_a_whole_batch_async() -> None:
    async with emulator() as server:
        sdk = anthropic.AsyncAnthropic(api_key="any", base_url=server.anthropic_url, max_retries=0)
        async with sdk:
            made = await sdk.messages.batches.create(requests=[request("a"), request("b", max_tokens=-1)])
            assert made.processing_status == "in_progress"
            ended = await sdk.messages.batches.retrieve(made.id)
            assert (ended.processing_status, counts(ended)) == ("ended", {"errored": 1, "succeeded": 1})
            found = {line.custom_id: line.result async for line in await sdk.messages.batches.results(made.id)}
            assert found["b"].error.error.type == "invalid_request_error"
            beta = await sdk.beta.messages.batches.retrieve(made.id)
            assert beta.id == made.id
            await sdk.messages.batches.delete(made.id)


def test_pages_newest_first() -> None:
    with emulator() as server:
        sdk = client(server)
        made = [sdk.messages.batches.create(requests=[request("a")]).id for _ in range(5)]
        newest = made[::-1]
        assert [batch.id for batch in sdk.messages.batches.list(limit=2)] == newest
        page = sdk.messages.batches.list(limit=2, after_id=newest[1])
        assert ([batch.id for batch in page.data], page.has_more) == (newest[2:4], True)
        before = sdk.messages.batches.list(limit=2, before_id=newest[3])
        assert ([batch.id for batch in before.data], before.has_more) == (newest[1:3], True)
        with pytest.raises(anthropic.BadRequestError, match="limit"):
            sdk.messages.batches.list(limit=1001)


@pytest.mark.parametrize("custom_id, message", [
    ("x" * 65, "requests.1.custom_id: String should have at most 64 characters"),
    ("a b", "should match pattern"),
    ("", "should match pattern"),
    ("a", "used twice"),
])  # fmt: skip
def test_ids_are_checked_at_the_creation(custom_id: str, message: str) -> None:
    with emulator() as server, pytest.raises(anthropic.BadRequestError, match=message):
        client(server).messages.batches.create(requests=[request("a"), request(custom_id)])


def test_a_batch_that_is_too_large() -> None:
    with emulator(batches={"max_bytes": 1000, "max_requests": 3}) as server:
        sdk = client(server)
        with pytest.raises(anthropic.APIStatusError) as error:
            sdk.messages.batches.create(requests=[request("a", "x" * 1000)])
        assert error.value.status_code == 413
        assert error.value.body["error"]["type"] == "request_too_large"
        with pytest.raises(anthropic.BadRequestError, match="1 to 3"):
            sdk.messages.batches.create(requests=[request(str(at)) for at in range(4)])


def test_params_are_judged_one_by_one_at_the_end() -> None:
    bad = {
        "stream": request("stream", stream=True), "zero": request("zero", max_tokens=0),
        "fast": request("fast", speed="fast"), "empty": request("empty", messages=[]),
        "model": request("model", model="gpt-4o"),
    }  # fmt: skip
    with emulator() as server:
        sdk = client(server)
        made = sdk.messages.batches.create(requests=[request("good"), *bad.values()])
        found = results(sdk, made.id)
        assert counts(sdk.messages.batches.retrieve(made.id)) == {"succeeded": 1, "errored": 5}
    assert {name for name, result in found.items() if result.type == "errored"} == set(bad)
    assert found["good"].message.content[0].text == "You said: hi"


def test_cancelling_keeps_what_is_finished() -> None:
    with emulator(batches={"seconds": HOUR, "cancel_seconds": 60}) as server:
        sdk = client(server)
        made = sdk.messages.batches.create(requests=[request(str(at)) for at in range(8)])
        server.clock.advance(HOUR / 2)
        assert sdk.messages.batches.cancel(made.id).processing_status == "canceling"
        early = httpx2.get(f"{server.url}/v1/messages/batches/{made.id}/results", headers=HEADERS)
        assert early.status_code == 400
        with pytest.raises(anthropic.BadRequestError, match="Cancel it before"):
            sdk.messages.batches.delete(made.id)
        server.clock.advance(60)
        ended = sdk.messages.batches.retrieve(made.id)
        assert (ended.processing_status, counts(ended)) == ("ended", {"succeeded": 4, "canceled": 4})
        assert ended.cancel_initiated_at == made.created_at + dt.timedelta(minutes=30)
        kinds = sorted(result.type for result in results(sdk, made.id).values())
        assert kinds == ["canceled"] * 4 + ["succeeded"] * 4
        with pytest.raises(anthropic.BadRequestError):
            sdk.messages.batches.cancel(made.id)


def test_an_expired_batch_and_an_archived_one() -> None:
    with emulator(batches={"seconds": 4 * DAY}) as server:
        sdk = client(server)
        made = sdk.messages.batches.create(requests=[request(str(at)) for at in range(8)])
        server.clock.advance(DAY)
        assert counts(sdk.messages.batches.retrieve(made.id)) == {"succeeded": 2, "expired": 6}
        assert len(results(sdk, made.id)) == 8
        server.clock.advance(28 * DAY)
        archived = sdk.messages.batches.retrieve(made.id)
        assert archived.archived_at == made.created_at + dt.timedelta(days=29)
        assert archived.results_url is None


def test_faults_of_items() -> None:
    plan: Any = {"items": {
        "over": "overloaded", "limit": Fault.rate_limit(), "gone": "missing", "none": "no_response",
        "late": "expired", "off": "canceled",
    }, "order": "given"}  # fmt: skip
    with emulator(batches=plan) as server:
        sdk = client(server)
        made = sdk.messages.batches.create(requests=[request(name) for name in ("good", *plan["items"])])
        found = results(sdk, made.id)
    assert [*found] == ["good", "over", "limit", "none", "late", "off"]
    assert found["over"].error.error.type == "overloaded_error"
    assert found["limit"].error.error.type == "rate_limit_error"
    assert (found["late"].type, found["off"].type) == ("expired", "canceled")


def test_a_full_queue_refuses() -> None:
    with emulator(batches={"seconds": HOUR, "queue": 5}) as server:
        sdk = client(server)
        sdk.messages.batches.create(requests=[request(str(at)) for at in range(4)])
        with pytest.raises(anthropic.RateLimitError):
            sdk.messages.batches.create(requests=[request("a"), request("b")])
        server.clock.advance(HOUR)
        sdk.messages.batches.create(requests=[request("a"), request("b")])


def test_an_answer_that_is_lost_leaves_the_batch() -> None:
    with emulator() as server:
        sdk = client(server)
        server.fail_next("lost_answer", endpoint="anthropic.batches.create")
        assert list(sdk.messages.batches.list()) == []
        with pytest.raises(anthropic.APIConnectionError):
            sdk.messages.batches.create(requests=[request("a")])
        assert len(list(sdk.messages.batches.list())) == 1
        assert sdk.messages.batches.create(requests=[request("a")]).processing_status == "in_progress"
    lost = next(found for found in server.requests if found.endpoint == "anthropic.batches.create")
    assert (lost.status, lost.fault) == (0, "lost_answer")


def test_keys_and_unknown_batches() -> None:
    with emulator(api_keys=["good"]) as server:
        with pytest.raises(anthropic.AuthenticationError):
            client(server).messages.batches.create(requests=[request("a")])
        good = anthropic.Anthropic(api_key="good", base_url=server.anthropic_url, max_retries=0)
        with pytest.raises(anthropic.NotFoundError):
            good.messages.batches.retrieve("msgbatch_x")


def test_a_script_answers_the_items() -> None:
    def answer(asked: Any) -> str:
        return asked.turns[0].blocks[0]["text"].upper()

    with emulator(answer) as server:
        sdk = client(server)
        made = sdk.messages.batches.create(requests=[request("a", "one"), request("b", "two")])
        found = results(sdk, made.id)
    assert {name: result.message.content[0].text for name, result in found.items()} == {"a": "ONE", "b": "TWO"}


def test_a_body_that_is_no_batch() -> None:
    with emulator() as server:
        bad: list[Any] = ["a", {"custom_id": "a"}, {"custom_id": 1, "params": {}}, {**request("a"), "more": 1}]
        for body in ({}, [], {"requests": []}, *({"requests": [each]} for each in bad)):
            answer = httpx2.post(f"{server.url}/v1/messages/batches", headers=HEADERS, json=body)
            assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error"), body


@pytest.mark.parametrize("plan, message", [
    ({"second": 1}, "has no key 'second'"),
    ({"order": "random"}, "shuffled, given, reversed"),
    ({"items": {"a": "cut"}}, "An item of a batch has no connection"),
    ({"faults": {"kinds": ["lost"]}}, "There is no fault 'lost'"),
])  # fmt: skip
def test_wrong_settings_are_named(plan: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        emulator(batches=plan)
