"""What calls cost, also of clients that leave; and that no secret and no content is shown anywhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from langchain_unified.gateway.logs import JsonFormatter
from langchain_unified.testing import Fault
from tests.gateway.running import UPSTREAM_KEY, Running, gateway

MASTER = "sk-master-canary-0123456789"
QUESTION = "a question that nobody may see"
HI = [{"role": "user", "content": QUESTION}]
ADMIN = {"authorization": f"Bearer {MASTER}"}
WORDS = 40


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books") / "gateway.db"


@pytest.fixture(scope="module")
def running(database: Path) -> Iterator[Running]:
    general = {"master_key": MASTER, "database_url": f"sqlite:///{database}"}
    text = " ".join(f"word{number}" for number in range(WORDS))
    with gateway(lambda request: text, general_settings=general) as found:
        yield found


@pytest.fixture
def key(running: Running) -> str:
    return str(httpx2.post(running.url + "/key/generate", headers=ADMIN, json={"max_budget": 1}).json()["key"])


def spent(running: Running, key: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx2.get(running.url + "/key/info", headers={"x-api-key": key}).json()["info"]
    return found


@pytest.mark.parametrize("model", ["claude", "gpt"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_in_the_books_when_its_answer_is_there(running: Running, key: str, model: str, stream: bool) -> None:
    body = {"model": model, "max_tokens": 100, "messages": HI, "stream": stream}
    assert httpx2.post(running.url + "/v1/messages", headers={"x-api-key": key}, json=body).status_code == 200
    for _ in range(100 if stream else 1):  # the end of a stream reaches its client before the books are closed
        found = spent(running, key)
        if found["spend"]:
            break
    [row] = found["spend_by_model"]
    assert (row["model"], row["requests"], row["incomplete_requests"]) == (model, 1, 0)
    assert row["spend"] == found["spend"] > 0
    assert row["output_tokens"] >= WORDS


def test_a_call_beyond_the_budget_is_refused_before_it_is_sent(running: Running, key: str) -> None:
    before = len(running.sent)
    body = {"model": "claude", "max_tokens": 128_000, "messages": HI}
    answer = httpx2.post(running.url + "/v1/messages", headers={"x-api-key": key}, json=body)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (429, "false")
    assert len(running.sent) == before


async def test_clients_that_leave_pay_for_what_came(running: Running, key: str) -> None:
    count, seen = 20, 5
    running.upstream.fail_next(Fault.drip(0.05), times=count)
    before = len(running.sent)
    limits = httpx2.Limits(max_connections=count)
    async with httpx2.AsyncClient(base_url=running.url, timeout=60, limits=limits) as client:

        async def leave(number: int) -> None:
            path = "/v1/messages" if number % 2 else "/v1/chat/completions"
            body = {"model": "claude", "max_tokens": 100, "messages": HI, "stream": True}
            async with client.stream("POST", path, headers={"x-api-key": key}, json=body) as answer:
                received = b""
                async for part in answer.aiter_raw():
                    received += part
                    if received.count(b"word") >= seen:
                        return

        await asyncio.gather(*map(leave, range(count)))
    for _ in range(100):
        found = spent(running, key)
        if found["spend_by_model"] and found["spend_by_model"][0]["requests"] == count:
            break
        await asyncio.sleep(0.05)
    [row] = found["spend_by_model"]
    assert (row["requests"], row["incomplete_requests"]) == (count, count)
    assert count * seen <= row["output_tokens"] < count * WORDS * 2
    assert all(sent.disconnected for sent in running.sent[before:])
    assert found["reserved"] == 0


def test_a_wrong_key_is_told_nothing_more(running: Running) -> None:
    before = len(running.sent)
    for headers in ({}, {"x-api-key": "sk-wrong"}, {"authorization": "Bearer x' OR 1=1 --"}, {"x-api-key": "s" * 5000}):
        for path in ("/v1/messages", "/v1/chat/completions", "/key/generate"):
            answer = httpx2.post(running.url + path, headers=headers, json={"model": "claude"})
            assert (answer.status_code, answer.json()["error"]["message"]) == (401, "invalid key")
        assert httpx2.get(running.url + "/v1/models", headers=headers).status_code == 401
        assert httpx2.get(running.url + "/metrics", headers=headers).status_code == 401
    assert len(running.sent) == before


def test_no_secret_and_no_content_is_shown(
    running: Running, key: str, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ""
    for fault in (
        None,
        "overloaded",
        "html",
        "cut; after_bytes=1",
        Fault.http(400, {"error": {"message": UPSTREAM_KEY}}),
    ):
        for path, model in (("/v1/messages", "claude"), ("/v1/messages", "gpt"), ("/v1/chat/completions", "claude")):
            if fault is not None:
                running.upstream.fail_next(fault)
            body = {"model": model, "max_tokens": 50, "messages": HI}
            answer = httpx2.post(running.url + path, headers={"x-api-key": key}, json=body)
            shown += answer.text + str(answer.headers)
    shown += httpx2.get(running.url + "/metrics", headers=ADMIN).text
    own = [record for record in caplog.records if record.name.startswith(("langchain_unified", "uvicorn", "aiohttp"))]
    assert any(record.getMessage() == "call" for record in own)
    shown += "\n".join(JsonFormatter().format(record) for record in own)
    shown += "".join(file.read_bytes().decode("latin-1") for file in database.parent.iterdir())
    for secret in (UPSTREAM_KEY, MASTER, key, QUESTION):
        assert secret not in shown
