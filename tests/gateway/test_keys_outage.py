"""The database goes away and comes back: no valid key gets a 401, nothing spent is lost, all recovers by itself."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from langchain_unified.gateway.errors import GatewayKeyError, StoreUnavailableError
from langchain_unified.gateway.keys import GeneratedKey, Keys, KeySettings, NewKey, open_keys
from langchain_unified.gateway.keys.store_sqlite import SqliteStore
from tests.gateway.running import gateway
from tests.support import postgres

MASTER = "sk-master-of-the-tests"
COST = Decimal("0.01")


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    """A cluster that this file may stop."""
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.cluster() as found:
        yield found


@asynccontextmanager
async def opened(url: str, **settings) -> AsyncIterator[Keys]:
    keys = await open_keys(KeySettings(MASTER, url, **settings))
    try:
        yield keys
    finally:
        await keys.close()


async def call(keys: Keys, secret: str) -> None:
    caller = await keys.authenticate(secret)
    held = await keys.reserve(caller, "m", COST, 1)
    await keys.settle(held, COST, 1)


async def within(seconds: float, work: Callable):
    """Try until it works: a client that gets 503 and comes again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await work()
        except StoreUnavailableError:
            assert time.monotonic() < deadline, "it does not recover"
            await asyncio.sleep(0.1)


async def test_postgres_stops_and_starts(server: postgres.Postgres) -> None:
    async with opened(server.url("stops"), key_cache_seconds=0) as keys:
        made = await keys.generate(NewKey(max_budget=Decimal(1)))
        caller = await keys.authenticate(made.secret)
        in_flight = await keys.reserve(caller, "m", COST, 1)
        server.stop()
        try:
            for secret in (made.secret, "sk-of-nobody-at-all-here"):  # it cannot know which one is valid
                with pytest.raises(StoreUnavailableError) as caught:
                    await keys.authenticate(secret)
                assert caught.value.status == 503
            with pytest.raises(StoreUnavailableError):
                await keys.reserve(caller, "m", COST, 1)
            assert (await keys.authenticate(MASTER)).is_master
            assert not await keys.is_ready()
            await keys.settle(in_flight, COST, 1)  # its answer came: it waits to be written
            assert keys.unwritten_calls == 1
        finally:
            server.start()
        await within(10, lambda: call(keys, made.secret))
        assert await keys.is_ready()
        await settled(keys)
        record = (await keys.info(made.record.key_id)).record
        assert (record.spend, record.reserved, record.in_flight) == (2 * COST, 0, 0)
        with pytest.raises(GatewayKeyError):
            await keys.authenticate("sk-of-nobody-at-all-here")


async def settled(keys: Keys) -> None:
    for _ in range(100):
        if not keys.unwritten_calls:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(keys.unwritten_calls)


async def test_calls_go_on_without_postgres_if_that_is_chosen(server: postgres.Postgres) -> None:
    async with opened(server.url("open"), key_cache_seconds=0, allow_requests_on_db_unavailable=True) as keys:
        made = await keys.generate(NewKey(max_budget=COST, models=("m",)))
        server.stop()
        try:
            assert await keys.is_ready()
            for _ in range(3):  # without limits: the budget is that of one call
                await call(keys, made.secret)
            known = await keys.authenticate(made.secret)
            assert known.models == ("m",)  # a key that was seen keeps its models
            assert (await keys.authenticate("sk-of-nobody-at-all-here")).name == "unverified"
            assert keys.unwritten_calls == 3
        finally:
            server.start()
        await settled(keys)
        info = await keys.info(made.record.key_id)
        assert (info.record.spend, info.record.in_flight, info.spend_by_model[0].requests) == (3 * COST, 0, 3)


async def test_postgres_is_away_at_the_start(server: postgres.Postgres, caplog: pytest.LogCaptureFixture) -> None:
    url = server.url("later")
    server.stop()
    try:
        with caplog.at_level(logging.WARNING):
            keys = await open_keys(KeySettings(MASTER, url))
        assert "canary" not in caplog.text
        with pytest.raises(StoreUnavailableError):
            await keys.generate(NewKey())
    finally:
        server.start()
    made: GeneratedKey = await within(10, lambda: keys.generate(NewKey()))  # migrated by the first call that arrives
    await call(keys, made.secret)
    await keys.close()


async def test_a_closed_gateway_says_what_it_could_not_write(
    server: postgres.Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    keys = await open_keys(KeySettings(MASTER, server.url("lost")))
    held = await keys.reserve(await keys.authenticate(MASTER), "m", COST, 1)
    server.stop()
    try:
        await keys.settle(held, COST, 1)
        await keys.close(seconds=0.1)
    finally:
        server.start()
    assert "spend lost: 1 calls, 0.01 USD" in caplog.text


async def test_many_calls_wait_for_a_busy_pool_and_none_fails(server: postgres.Postgres) -> None:
    async with opened(server.url("busy"), pool_size=2) as keys:
        made = await keys.generate(NewKey())
        await asyncio.gather(*(call(keys, made.secret) for _ in range(100)))
        assert (await keys.info(made.record.key_id)).record.spend == 100 * COST


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_several_workers_start_at_once_on_an_empty_database(
    kind: str, new_database: Callable[[str], str]
) -> None:
    url = new_database(kind)
    many = await asyncio.gather(*(open_keys(KeySettings(MASTER, url)) for _ in range(6)))
    made = await many[0].generate(NewKey())
    for keys in many:
        await keys.authenticate(made.secret)
        await keys.close()


def test_through_the_gateway_it_is_503_and_never_401(server: postgres.Postgres) -> None:
    general = {"master_key": MASTER, "database_url": server.url("http")}
    messages = [{"role": "user", "content": "hi"}]
    with gateway(general_settings=general) as running, httpx2.Client(base_url=running.url, timeout=30) as http:
        made = http.post("/key/generate", json={"max_budget": 1}, headers={"x-api-key": MASTER}).json()
        who = {"x-api-key": made["key"]}

        def statuses() -> set[int]:
            found = set()
            for path, model in (("/v1/messages", "claude"), ("/v1/chat/completions", "gpt"), ("/v1/messages", "gpt")):
                body = {"model": model, "messages": messages, "max_completion_tokens": 20}
                if path == "/v1/messages":
                    body["max_tokens"] = body.pop("max_completion_tokens")
                found.add(http.post(path, json=body, headers=who).status_code)
            return found

        assert statuses() == {200}
        server.stop()
        try:
            assert statuses() == {503}
            assert http.get("/health/ready").status_code == 503
            assert http.get("/health/live").status_code == 200
        finally:
            server.start()
        ends = time.monotonic() + 15
        while (found := statuses()) != {200}:
            assert found <= {200, 503}
            assert time.monotonic() < ends
            time.sleep(0.2)
        assert http.get("/health/ready").status_code == 200


# --- SQLite -----------------------------------------------------------------------------------------------------------


async def test_a_folder_that_comes_later(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    async with opened(f"sqlite:///{folder}/keys.db") as keys:
        with pytest.raises(StoreUnavailableError):
            await keys.generate(NewKey())
        folder.mkdir()
        made = await keys.generate(NewKey())
        await call(keys, made.secret)
        assert os.stat(folder / "keys.db").st_mode & 0o077 == 0


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "keys.db").write_bytes(b"no database at all, but a text " * 100)
    async with opened(f"sqlite:///{tmp_path}/keys.db") as keys:
        with pytest.raises(StoreUnavailableError):
            await keys.authenticate("sk-of-nobody-at-all-here")


async def test_the_event_loop_goes_on_while_another_process_writes(tmp_path: Path) -> None:
    path = str(tmp_path / "keys.db")
    async with opened(f"sqlite:///{path}") as keys:
        made = await keys.generate(NewKey())
        other = SqliteStore(path)
        connection = await other._open()
        connection.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(call(keys, made.secret))
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0.005)
            turns += 1
        assert (turns, waiting.done()) == (20, False)
        connection.execute("COMMIT")
        await waiting
        await other.close()
