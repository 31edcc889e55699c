"""The endpoints of keys: LiteLLM's names in and out, the master key alone, and clear refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from langchain_unified.errors import UnifiedError
from langchain_unified.gateway.errors import AdminOnlyError, GatewayKeyError, KeyNotFoundError, KeyRequestError
from langchain_unified.gateway.keys import Keys, KeySettings, open_keys
from langchain_unified.gateway.keys.endpoints import ENDPOINTS, KeyCall

MASTER = "sk-master-of-the-tests"
NOW = 1_796_083_260.0  # 2026-12-01 00:01:00 UTC


@pytest.fixture
async def keys() -> AsyncIterator[Keys]:
    opened = await open_keys(KeySettings(MASTER), clock=lambda: NOW)
    yield opened
    await opened.close()


async def call(keys: Keys, path: str, body: Any = None, *, secret: str | None = MASTER, **query: str) -> dict[str, Any]:
    data = b"" if body is None else json.dumps(body).encode()
    answer = await ENDPOINTS[path].handler(keys, KeyCall(secret, query, data))
    return json.loads(json.dumps(answer))


async def test_a_key_with_every_field_of_litellm(keys: Keys) -> None:
    made = await call(
        keys,
        "/key/generate",
        {
            "models": ["gpt-5.6", "anthropic/*"],
            "aliases": {"fast": "gpt-5.6-mini"},
            "duration": "30d",
            "max_budget": 0.1,
            "budget_duration": "1mo",
            "rpm_limit": 10,
            "tpm_limit": 1000,
            "max_parallel_requests": 3,
            "metadata": {"team": "a"},
            "key_alias": "team-a",
            "user_id": "ann",
            "team_id": None,
        },
    )
    assert made["key"].startswith("sk-")
    assert made["key_name"] == f"sk-...{made['key'][-4:]}"
    shown = {**made}
    assert shown.pop("key_id") == shown.pop("token") == shown.pop("token_id")
    assert {name: shown[name] for name in shown if name not in ("key", "key_name")} == {
        "key_alias": "team-a",
        "user_id": "ann",
        "models": ["gpt-5.6", "anthropic/*"],
        "aliases": {"fast": "gpt-5.6-mini"},
        "metadata": {"team": "a"},
        "created_at": "2026-12-01T00:01:00Z",
        "expires": "2026-12-31T00:01:00Z",
        "max_budget": 0.1,
        "budget_duration": "1mo",
        "budget_reset_at": "2027-01-01T00:00:00Z",
        "rpm_limit": 10,
        "tpm_limit": 1000,
        "max_parallel_requests": 3,
        "spend": 0.0,
        "total_spend": 0.0,
        "reserved": 0.0,
        "requests_in_progress": 0,
    }
    caller = await keys.authenticate(made["key"])
    assert caller.max_budget == Decimal("0.1")


async def test_info_by_value_by_id_by_alias_and_by_the_key_itself(keys: Keys) -> None:
    made = await call(keys, "/key/generate", {"key_alias": "one"})
    caller = await keys.authenticate(made["key"])
    held = await keys.reserve(caller, "gpt-5.6", Decimal(1), 10)
    await keys.settle(held, Decimal("0.25"), 12, details={"input_tokens": 10, "output_tokens": 2})
    for named in (made["key"], made["key_id"], "one"):
        found = await call(keys, "/key/info", key=named)
        assert (found["key"], found["info"]["spend"]) == (made["key_id"], 0.25)
        assert found["info"]["model_spend"] == {"gpt-5.6": 0.25}
        assert found["info"]["spend_by_model"][0]["requests"] == 1
        assert made["key"] not in json.dumps(found)
    own = await call(keys, "/key/info", secret=made["key"])
    assert own["info"]["key_alias"] == "one"
    assert (await call(keys, "/key/info", secret=made["key"], key=made["key"]))["key"] == made["key_id"]
    with pytest.raises(AdminOnlyError):
        await call(keys, "/key/info", secret=made["key"], key="another")


async def test_delete_by_value_and_by_alias(keys: Keys) -> None:
    first = await call(keys, "/key/generate", {})
    second = await call(keys, "/key/generate", {"key_alias": "two"})
    deleted = await call(keys, "/key/delete", {"keys": [first["key"]], "key_aliases": ["two"]})
    assert deleted == {"deleted_keys": [first["key_id"], second["key_id"]]}
    with pytest.raises(KeyNotFoundError) as caught:
        await call(keys, "/key/delete", {"keys": [first["key"]]})
    assert first["key"] not in str(caught.value)


async def test_the_list_has_pages(keys: Keys) -> None:
    ids = [(await call(keys, "/key/generate", {"key_alias": f"k{number}"}))["key_id"] for number in range(12)]
    first, second = await call(keys, "/key/list"), await call(keys, "/key/list", page="2")
    assert sorted(first["keys"] + second["keys"]) == sorted(ids)
    assert {name: second[name] for name in ("total_count", "current_page", "total_pages")} == {
        "total_count": 12,
        "current_page": 2,
        "total_pages": 2,
    }
    full = await call(keys, "/key/list", return_full_object="true", size="100")
    assert {each["key_alias"] for each in full["keys"]} == {f"k{number}" for number in range(12)}
    for page in ("0", "-1", "x", "²", "9" * 50):
        with pytest.raises(KeyRequestError, match="page"):
            await call(keys, "/key/list", page=page)


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_only_the_master_key_manages_keys(keys: Keys, path: str) -> None:
    made = await call(keys, "/key/generate", {})
    for secret in (None, "sk-of-nobody-at-all-here"):
        with pytest.raises(GatewayKeyError, match=r"^invalid key$"):
            await call(keys, path, {"broken": 1}, secret=secret)
    if path != "/key/info":
        with pytest.raises(AdminOnlyError):
            await call(keys, path, {"broken": 1}, secret=made["key"])


async def test_without_a_master_key_there_are_no_virtual_keys() -> None:
    keys = await open_keys(KeySettings())
    for path in ENDPOINTS.keys() - {"/spend"}:
        with pytest.raises(KeyRequestError, match=r"general_settings\.master_key"):
            await call(keys, path, {})
    assert await call(keys, "/spend") == {"spend": 0, "spend_by_model": []}
    await keys.close()


CANARY = "sk-canary-in-a-body-that-is-refused"


@pytest.mark.parametrize(
    "fields, named",
    [
        ({"budget": 5}, "'budget' is no field"),
        ({"max_budget": -1}, "max_budget"),
        ({"max_budget": "NaN"}, "max_budget"),
        ({"max_budget": 10**9}, "max_budget"),
        ({"max_budget": True}, "max_budget"),
        ({"duration": "30 days"}, "duration"),
        ({"duration": "0d"}, "duration"),
        ({"duration": 30}, "duration"),
        ({"duration": "9999999999mo"}, "duration"),
        ({"budget_duration": "1y"}, "budget_duration"),
        ({"rpm_limit": 1.5}, "rpm_limit"),
        ({"rpm_limit": True}, "rpm_limit"),
        ({"tpm_limit": -1}, "tpm_limit"),
        ({"max_parallel_requests": "3"}, "max_parallel_requests"),
        ({"models": "gpt-5.6"}, "models"),
        ({"models": ["a", 5]}, r"models\[1\]"),
        ({"aliases": ["a"]}, "aliases"),
        ({"aliases": {"a": None}}, r"aliases\.a"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"a": "x" * 20_000}}, "metadata"),
        ({"key_alias": ""}, "key_alias"),
        ({"key_alias": "sk-looks-like-a-key"}, "key_alias"),
        ({"key_alias": "a\nb"}, "key_alias"),
        ({"key": CANARY, "budget": 5}, "'budget'"),
        ({"key": "canary"}, "key must begin"),
        ({"key": f"{CANARY} with spaces"}, "key must have"),
        ([CANARY], "JSON object"),
    ],
)
async def test_a_wrong_field_is_named(keys: Keys, fields: Any, named: str) -> None:
    with pytest.raises(KeyRequestError, match=named) as caught:
        await call(keys, "/key/generate", fields)
    assert "canary" not in str(caught.value)
    assert caught.value.status == 400


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"null", b"[]", b"5", b"{" * 1000, b"x" * 70_000])
async def test_a_body_that_is_no_object_is_refused(keys: Keys, body: bytes) -> None:
    with pytest.raises(KeyRequestError):
        await ENDPOINTS["/key/generate"].handler(keys, KeyCall(MASTER, {}, body))


@pytest.mark.parametrize("body", [{}, {"keys": []}, {"keys": "one"}, {"keys": [5]}, {"keys": [""]}, {"key": "x"}])
async def test_deleting_nothing_is_refused(keys: Keys, body: Any) -> None:
    with pytest.raises(KeyRequestError):
        await call(keys, "/key/delete", body)


async def test_a_key_of_ones_own_choice(keys: Keys) -> None:
    made = await call(keys, "/key/generate", {"key": "sk-my-own-key-of-twenty-and-more"})
    assert made["key"] == "sk-my-own-key-of-twenty-and-more"
    assert (await keys.authenticate(made["key"])).key_id == made["key_id"]


@pytest.mark.parametrize("text", ["' OR 1=1 --", "\x00", "x" * 600, "key_' UNION SELECT key_hash FROM gateway_keys --"])
async def test_odd_names_find_nothing(keys: Keys, text: str) -> None:
    with pytest.raises(UnifiedError) as caught:
        await call(keys, "/key/info", key=text)
    assert isinstance(caught.value, KeyNotFoundError)
