"""Keys, limits and spend through the facade, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest

from langchain_unified.errors import ConfigurationError
from langchain_unified.gateway.errors import (
    BudgetSpentError,
    CallTooLargeError,
    GatewayKeyError,
    KeyNotFoundError,
    KeyRequestError,
    ModelNotAllowedError,
    TooManyRequestsError,
)
from langchain_unified.gateway.keys import Caller, Keys, KeySettings, NewKey, open_keys

MASTER = "sk-master-of-the-tests"
START = 1_796_083_260.0  # 2026-12-01 00:01:00 UTC, a Tuesday


class Clock:
    """Seconds since 1970, which a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(database_url: str, clock: Clock) -> AsyncIterator[Keys]:
    opened = await open_keys(KeySettings(MASTER, database_url, key_cache_seconds=0), clock=clock)
    yield opened
    await opened.close()


async def caller(keys: Keys, **fields) -> Caller:
    return await keys.authenticate((await keys.generate(NewKey(**fields))).secret)


async def spent(keys: Keys, who: Caller) -> Decimal:
    return (await keys.info(who.key_id)).record.spend


# --- who calls --------------------------------------------------------------------------------------------------------


async def test_without_a_master_key_everybody_may_do_everything() -> None:
    keys = await open_keys(KeySettings())
    for secret in (None, "", "sk-any", "nothing"):
        who = await keys.authenticate(secret)
        assert who.may_do_everything
        assert keys.allows(who, "any-model") == "any-model"
    reservation = await keys.reserve(who, "m", Decimal(5), 10)
    await keys.settle(reservation, Decimal("0.25"), 10)
    assert [(row.model, row.cost) for row in await keys.spend_of("anonymous")] == [("m", Decimal("0.25"))]
    await keys.close()


async def test_the_master_key_is_the_master(keys: Keys) -> None:
    assert (await keys.authenticate(MASTER)).is_master


@pytest.mark.parametrize("secret", [None, "", "sk-", "sk-key-of-nobody", "Bearer x", "k" * 600, "sk-" + "é" * 9])
async def test_every_wrong_key_gets_the_same_answer(keys: Keys, secret: str | None) -> None:
    with pytest.raises(GatewayKeyError) as caught:
        await keys.authenticate(secret)
    assert (str(caught.value), caught.value.status) == ("invalid key", 401)


async def test_a_deleted_key_and_an_expired_one_get_that_answer_too(keys: Keys, clock: Clock) -> None:
    made = await keys.generate(NewKey(duration="30s"))
    who = await keys.authenticate(made.secret)
    clock.now += 29
    await keys.authenticate(made.secret)
    clock.now += 1
    with pytest.raises(GatewayKeyError):
        await keys.authenticate(made.secret)
    with pytest.raises(GatewayKeyError):
        await keys.reserve(who, "m", Decimal(0), 0)
    other = await keys.generate(NewKey())
    who = await keys.authenticate(other.secret)
    assert await keys.delete([other.secret]) == [other.record.key_id]
    with pytest.raises(GatewayKeyError):
        await keys.authenticate(other.secret)
    with pytest.raises(GatewayKeyError):  # also by a process that still has it in its cache
        await keys.reserve(who, "m", Decimal(0), 0)
    with pytest.raises(KeyNotFoundError):
        await keys.info(other.secret)


async def test_a_key_is_read_again_after_the_cache_time(database_url: str) -> None:
    first, second = [await open_keys(KeySettings(MASTER, database_url, key_cache_seconds=0.2)) for _ in range(2)]
    made = await first.generate(NewKey())
    await second.authenticate(made.secret)
    await first.delete([made.record.key_id])
    await asyncio.sleep(0.3)
    with pytest.raises(GatewayKeyError):
        await second.authenticate(made.secret)
    await first.close()
    await second.close()


@pytest.mark.parametrize(
    "models, asked, is_allowed",
    [
        ((), "anything", True),
        (("*",), "anything", True),
        (("gpt-5.6",), "gpt-5.6", True),
        (("gpt-5.6",), "gpt-5.6-mini", False),
        (("anthropic/*",), "anthropic/claude-opus-5", True),
        (("anthropic/*",), "openai/gpt-5.6", False),
        (("claude-*", "gpt-5.6"), "claude-opus-5", True),
        (("claude-opus-5[1m]",), "claude-opus-5[1m]", True),
        (("claude-*[1m]",), "claude-opus-5[1m]", True),
        (("claude-opus-?",), "claude-opus-5", False),
        (("*-mini",), "gpt-5.6-mini", True),
        (("*-mini",), "gpt-5.6-mini-2", False),
    ],
)
async def test_models_of_a_key(keys: Keys, models: tuple[str, ...], asked: str, is_allowed: bool) -> None:
    who = await caller(keys, models=models, aliases={"fast": "gpt-5.6-mini"})
    assert keys.allows(who, "fast") == "gpt-5.6-mini"
    if is_allowed:
        assert keys.allows(who, asked) == asked
    else:
        with pytest.raises(ModelNotAllowedError) as caught:
            keys.allows(who, asked)
        assert caught.value.status == 403
        assert asked in str(caught.value)


# --- budgets ----------------------------------------------------------------------------------------------------------


async def test_a_budget_is_never_exceeded_and_is_exact(keys: Keys) -> None:
    who = await caller(keys, max_budget=Decimal("0.3"))
    for _ in range(3):
        reservation = await keys.reserve(who, "m", Decimal("0.1"), 1)
        await keys.settle(reservation, Decimal("0.1"), 1)
    assert await spent(keys, who) == Decimal("0.3")
    with pytest.raises(BudgetSpentError, match=r"\$0\.30 of the key's budget of \$0\.30 is spent") as caught:
        await keys.reserve(who, "m", Decimal("0.000000000001"), 1)
    assert (caught.value.status, caught.value.is_retryable) == (429, False)


async def test_what_is_in_flight_counts_and_what_is_released_does_not(keys: Keys) -> None:
    who = await caller(keys, max_budget=Decimal(1))
    first = await keys.reserve(who, "m", Decimal("0.9"), 1)
    with pytest.raises(TooManyRequestsError, match=r"calls in progress hold \$0\.90"):
        await keys.reserve(who, "m", Decimal("0.2"), 1)
    await keys.release(first)
    second = await keys.reserve(who, "m", Decimal("0.2"), 1)
    await keys.settle(second, Decimal("0.05"), 1)
    assert await spent(keys, who) == Decimal("0.05")
    with pytest.raises(BudgetSpentError, match=r"this call may cost up to \$0\.96"):
        await keys.reserve(who, "m", Decimal("0.96"), 1)


async def test_settling_twice_or_after_a_release_changes_nothing(keys: Keys) -> None:
    who = await caller(keys, max_budget=Decimal(1))
    for end in (lambda held: keys.settle(held, Decimal("0.5"), 1), keys.release):
        held = await keys.reserve(who, "m", Decimal("0.5"), 1)
        await end(held)
        await keys.settle(held, Decimal("0.5"), 1)
        await keys.release(held)
    record = (await keys.info(who.key_id)).record
    assert (record.spend, record.reserved, record.in_flight) == (Decimal("0.5"), 0, 0)


async def test_amounts_are_exact_to_a_trillionth_of_a_dollar(keys: Keys) -> None:
    who = await caller(keys)
    for _ in range(7):
        held = await keys.reserve(who, "m", Decimal("0.000000123457"), 1)
        await keys.settle(held, Decimal("0.000000123457"), 1)
    assert await spent(keys, who) == Decimal("0.000000864199")
    held = await keys.reserve(who, "m", Decimal(1), 1)
    await keys.settle(held, Decimal("0.0000000000000001"), 1)  # finer: rounded up, never away
    assert await spent(keys, who) == Decimal("0.000000864200")


async def test_a_budget_starts_again_in_the_next_period(keys: Keys, clock: Clock) -> None:
    who = await caller(keys, max_budget=Decimal(1), budget_duration="1d")
    held = await keys.reserve(who, "m", Decimal(1), 1)
    await keys.settle(held, Decimal(1), 1)
    with pytest.raises(BudgetSpentError, match=r"starts again in 86340 s"):
        await keys.reserve(who, "m", Decimal(1), 1)
    clock.now += 86_340
    assert await spent(keys, who) == 0
    held = await keys.reserve(who, "m", Decimal(1), 1)
    clock.now -= 60  # a process whose clock is late does not bring yesterday back
    with pytest.raises(TooManyRequestsError):
        await keys.reserve(who, "m", Decimal("0.1"), 1)
    clock.now += 60
    await keys.settle(held, Decimal("0.25"), 1)
    record = (await keys.info(who.key_id)).record
    assert (record.spend, record.total_spend) == (Decimal("0.25"), Decimal("1.25"))


async def test_a_crashed_call_holds_its_amount_until_its_timeout_alone(keys: Keys, clock: Clock) -> None:
    who = await caller(keys, max_budget=Decimal(1), max_parallel=1)
    lost = await keys.reserve(who, "m", Decimal(1), 1, expires_in=30)
    clock.now += 29
    with pytest.raises(TooManyRequestsError):
        await keys.reserve(who, "m", Decimal(1), 1)
    clock.now += 1
    held = await keys.reserve(who, "m", Decimal("0.9"), 1)
    await keys.settle(lost, Decimal("0.05"), 1)  # it only was slow: it is billed, and holds nothing any more
    await keys.settle(held, Decimal("0.9"), 1)
    record = (await keys.info(who.key_id)).record
    assert (record.spend, record.reserved, record.in_flight) == (Decimal("0.95"), 0, 0)


# --- rates ------------------------------------------------------------------------------------------------------------


async def test_requests_per_minute(keys: Keys, clock: Clock) -> None:
    who = await caller(keys, rpm_limit=2)
    for _ in range(2):
        await keys.release(await keys.reserve(who, "m", Decimal(0), 1))
    clock.now += 20
    with pytest.raises(TooManyRequestsError, match="2 requests in a minute") as caught:
        await keys.reserve(who, "m", Decimal(0), 1)
    assert caught.value.retry_after == 40
    clock.now += 40
    await keys.reserve(who, "m", Decimal(0), 1)


async def test_tokens_per_minute_count_the_input_before_and_all_after_the_call(keys: Keys, clock: Clock) -> None:
    who = await caller(keys, tpm_limit=100)
    held = await keys.reserve(who, "m", Decimal(0), 60)
    with pytest.raises(TooManyRequestsError, match="100 tokens in a minute"):
        await keys.reserve(who, "m", Decimal(0), 60)
    await keys.settle(held, Decimal(0), 95)
    with pytest.raises(TooManyRequestsError):
        await keys.reserve(who, "m", Decimal(0), 6)
    with pytest.raises(CallTooLargeError):
        await keys.reserve(who, "m", Decimal(0), 101)
    held = await keys.reserve(who, "m", Decimal(0), 5)
    clock.now += 60
    await keys.settle(held, Decimal(0), 45)  # its output belongs to the minute in which it came
    assert (await keys.info(who.key_id)).record.minute_tokens == 40


async def test_calls_at_the_same_time(keys: Keys) -> None:
    who = await caller(keys, max_parallel=2)
    first, _ = [await keys.reserve(who, "m", Decimal(0), 1) for _ in range(2)]
    with pytest.raises(TooManyRequestsError, match="2 calls in progress"):
        await keys.reserve(who, "m", Decimal(0), 1)
    await keys.settle(first, Decimal(0), 1)
    await keys.reserve(who, "m", Decimal(0), 1)


async def test_a_cancelled_task_leaves_nothing_behind(keys: Keys) -> None:
    who = await caller(keys, max_budget=Decimal(1))
    asking = asyncio.create_task(keys.reserve(who, "m", Decimal(1), 1))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    held = await eventually(lambda: keys.reserve(who, "m", Decimal(1), 1))
    ending = asyncio.create_task(keys.settle(held, Decimal("0.5"), 1))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    await keys.release(await eventually(lambda: keys.reserve(who, "m", Decimal("0.5"), 1)))
    assert await spent(keys, who) == Decimal("0.5")


async def eventually(call: Callable):
    for _ in range(100):
        try:
            return await call()
        except TooManyRequestsError:
            await asyncio.sleep(0.01)
    return await call()


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_info_shows_the_spend_by_model(keys: Keys) -> None:
    who = await caller(keys, key_alias="team-a")
    for model, cost, complete in (("a", "0.5", True), ("a", "0.25", False), ("b", "1", True)):
        held = await keys.reserve(who, model, Decimal(1), 5)
        details = {"input_tokens": 5, "output_tokens": 2, "unpriced": int(model == "b")}
        await keys.settle(held, Decimal(cost), 7, complete=complete, details=details)
    rows = (await keys.info("team-a")).spend_by_model
    assert [(row.model, row.cost, row.requests, row.incomplete, row.unpriced) for row in rows] == [
        ("a", Decimal("0.75"), 2, 1, 0),
        ("b", Decimal(1), 1, 0, 1),
    ]
    assert (rows[0].input_tokens, rows[0].output_tokens) == (10, 4)
    await keys.delete(["team-a"])
    assert len(await keys.spend_of(who.key_id)) == 2  # spend outlives its key


async def test_an_alias_and_a_value_are_unique(keys: Keys) -> None:
    made = await keys.generate(NewKey(key_alias="one"))
    for again in (NewKey(key_alias="one"), NewKey(secret=made.secret), NewKey(secret=MASTER)):
        with pytest.raises(KeyRequestError, match="exists already") as caught:
            await keys.generate(again)
        assert made.secret not in str(caught.value)


async def test_deleting_is_for_all_keys_or_none(keys: Keys) -> None:
    made = await keys.generate(NewKey())
    with pytest.raises(KeyNotFoundError):
        await keys.delete([made.record.key_id, "key_of_nobody"])
    await keys.authenticate(made.secret)
    records, count = await keys.page(10)
    assert ([each.key_id for each in records], count) == ([made.record.key_id], 1)


@pytest.mark.parametrize("name", ["master", "anonymous", "unverified"])
async def test_the_rows_of_other_callers_are_no_keys(keys: Keys, name: str) -> None:
    with pytest.raises(KeyNotFoundError):
        await keys.delete([name])


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings, named",
    [
        (KeySettings("no-prefix-canary"), "begin with 'sk-'"),
        (KeySettings(MASTER, "mysql://user:canary@host/db"), "'mysql'"),
        (KeySettings(MASTER, "canary"), "sqlite:///"),
    ],
)
async def test_wrong_settings_are_named_without_secrets(settings: KeySettings, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await open_keys(settings)
    assert named in str(caught.value)
    assert "canary" not in str(caught.value) + repr(settings)
