"""No key, hash or password leaves the gateway: in no answer, log, metric, repr, traceback and not in the database."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from langchain_unified.errors import UnifiedError
from langchain_unified.gateway.keys import Keys, KeySettings, NewKey, open_keys
from langchain_unified.gateway.keys.endpoints import KeyCall
from tests.gateway.conftest import DATABASES
from tests.gateway.running import gateway
from tests.support import postgres

MASTER = "sk-canary-master-0123456789abcdef"
OWN = "sk-canary-virtual-0123456789abcdef"
WRONG = "sk-canary-wrong-0123456789abcdef"
PASSWORD = "canary-password"
HI = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


HASHES = tuple(map(hash_of, (MASTER, OWN, WRONG)))


def clean(text: str) -> None:
    """No secret and no hash of one is in a text."""
    for canary in ("canary", *HASHES):
        assert canary not in text


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, at every level, with what the gateway adds to a line."""
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for record in caplog.records:
        clean(f"{record.getMessage()} {record.__dict__}")


# --- through the gateway ----------------------------------------------------------------------------------------------


def test_nothing_that_a_gateway_says_or_stores_holds_a_key(
    tmp_path: Path, logged: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.db"
    general = {"master_key": MASTER, "database_url": f"sqlite:///{path}"}
    with gateway(general_settings=general) as running, httpx2.Client(base_url=running.url, timeout=30) as http:

        def ask(method: str, where: str, key: str | None, *, status: int, **more: Any) -> str:
            headers = {} if key is None else {"authorization": f"Bearer {key}"}
            answer = http.request(method, where, headers=headers, **more)
            assert answer.status_code == status, answer.text
            clean(str(dict(answer.headers)))
            return answer.text

        made = ask("POST", "/key/generate", MASTER, status=200, json={"key": OWN, "max_budget": 0.01})
        assert made.count(OWN) == 1  # the one time that it is shown
        clean(made.replace(OWN, ""))
        clean(ask("GET", "/key/info", MASTER, status=200, params={"key": OWN}))
        clean(ask("GET", "/key/info", OWN, status=200))
        clean(ask("GET", "/key/list?return_full_object=true", MASTER, status=200))
        clean(ask("GET", "/key/info", OWN, status=403, params={"key": WRONG}))
        clean(ask("POST", "/key/generate", MASTER, status=400, json={"key": OWN}))
        for field in ("max_budget", "duration", "rpm_limit", "models", "aliases", "metadata", "key_alias", WRONG):
            clean(ask("POST", "/key/generate", MASTER, status=400, json={"key": WRONG, field: WRONG}))
        clean(ask("POST", "/key/delete", MASTER, status=404, json={"keys": [WRONG]}))
        for where, body in (
            ("/v1/chat/completions", {**HI, "max_completion_tokens": 20}),
            ("/v1/messages", {**HI, "max_tokens": 20}),
            ("/v1/responses", {"model": "gpt", "input": "hi", "max_output_tokens": 20}),
        ):
            ask("POST", where, OWN, status=200, json=body)
            clean(ask("POST", where, WRONG, status=401, json=body))
            clean(ask("POST", where, None, status=401, json=body))
            clean(ask("POST", where, OWN, status=429, json={**body, **dict.fromkeys(limits(body), 10**6)}))
            clean(ask("POST", where, OWN, status=404, json={**body, "model": "nothing"}))
            assert ask("POST", where, WRONG, status=401, json=body).count("invalid key") == 1
        clean(ask("GET", "/metrics", MASTER, status=200))
        files = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
        assert hash_of(OWN).encode() in b"".join(files.values())  # only the hash of a virtual key
        for data in files.values():
            for canary in (b"canary", hash_of(MASTER).encode(), hash_of(WRONG).encode()):
                assert canary not in data
        clean(ask("POST", "/key/delete", MASTER, status=200, json={"keys": [OWN]}))
        ask("POST", "/v1/chat/completions", OWN, status=401, json=HI)
        sent = [str(request.headers) for request in running.sent]
    assert sent
    for headers in sent:
        clean(headers.replace("sk-upstream-canary-0123456789", ""))
    clean("".join(capfd.readouterr()))


def limits(body: dict[str, Any]) -> list[str]:
    return [name for name in body if name.startswith("max_")]


# --- reprs and errors -------------------------------------------------------------------------------------------------


async def test_no_repr_holds_a_secret(tmp_path: Path) -> None:
    settings = KeySettings(MASTER, f"sqlite:///{tmp_path}/keys.db")
    keys = await open_keys(settings)
    new = NewKey(secret=OWN)
    made = await keys.generate(new)
    caller = await keys.authenticate(OWN)
    held = await keys.reserve(caller, "m", Decimal(0), 1)
    for each in (settings, keys, new, made, made.record, caller, held, keys._cache, keys._store, keys._meter):
        clean(f"{each!r} {each}")
    clean(repr(KeyCall(OWN, {"key": OWN}, OWN.encode())))
    clean(str(dataclasses.asdict(made.record)))
    await keys.close()


@pytest.mark.parametrize("kind", DATABASES)
async def test_no_error_holds_a_secret(
    kind: str, new_database: Callable[[str], str], logged: pytest.LogCaptureFixture
) -> None:
    keys = await open_keys(KeySettings(MASTER, new_database(kind)))
    await keys.generate(NewKey(secret=OWN, key_alias="one"))
    attempts = [
        lambda: keys.authenticate(WRONG),
        lambda: keys.generate(NewKey(secret=OWN)),
        lambda: keys.info(WRONG),
        lambda: keys.delete([WRONG]),
    ]
    for attempt in attempts:
        with pytest.raises(UnifiedError) as caught:
            await attempt()
        clean("".join(traceback.format_exception(caught.value)))
        clean(str(caught.value.__dict__))
        assert caught.value.__cause__ is None
    await keys.close()


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://user:{PASSWORD}@no-such-host.invalid/db",
        f"postgresql://user:{PASSWORD}@[bad/db",
        f"postgresql://user:{PASSWORD}@127.0.0.1:port/db?sslmode=wrong",
        f"sqlite:////no/{PASSWORD}/folder/keys.db",
    ],
)
async def test_no_error_of_a_database_holds_its_address(url: str, logged: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnifiedError) as caught:
        await asyncio.wait_for(_use(url), 30)
    clean("".join(traceback.format_exception(caught.value)))


async def _use(url: str) -> None:
    keys: Keys | None = None
    try:
        keys = await open_keys(KeySettings(MASTER, url))
        await keys.generate(NewKey(secret=OWN))
    finally:
        if keys is not None:
            await keys.close(0.1)


async def test_a_dump_of_postgres_holds_hashes_alone(
    postgres_server: postgres.Postgres, new_database: Callable[[str], str]
) -> None:
    url = new_database("postgres")
    keys = await open_keys(KeySettings(MASTER, url))
    made = await keys.generate(NewKey(secret=OWN))
    caller = await keys.authenticate(OWN)
    await keys.settle(await keys.reserve(caller, "m", Decimal(0), 1), Decimal(1), 1)
    await keys.close()
    dump = postgres_server.dump(url)
    assert made.record.key_id in dump
    assert hash_of(OWN) in dump
    assert "canary" not in dump
