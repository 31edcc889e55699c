"""Addresses of OpenAI's Responses API alone: responses by id, and compaction. They pass, or are refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from tests.gateway.running import UPSTREAM_KEY, entry, gateway
from tests.gateway.test_call_budgets import AS_MASTER, MASTER, info, key
from tests.support.server import Received, Reply, Server, serve

ID = "resp_" + "1" * 48
MISSING = {"error": {"message": "Response not found.", "type": "invalid_request_error", "param": None, "code": None}}
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 40,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 140,
}


def openai_server(request: Received) -> Reply:
    """OpenAI's side, by the SDK's types: `responses.retrieve`, `delete`, `cancel`, `input_items` and `compact`."""
    about = {"id": ID, "object": "response", "created_at": 1, "model": "gpt-4o", "output": [], "status": "completed"}
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    if request.path == "/v1/responses/compact":
        item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "sealed"}
        found = {"id": "resp_c", "object": "response.compaction", "created_at": 1, "output": [item], "usage": USAGE}
        return Reply.json(found)
    if request.path == f"/v1/responses/{ID}" and request.method == "DELETE":
        return Reply(204)
    if request.path in (f"/v1/responses/{ID}", f"/v1/responses/{ID}/cancel"):
        return Reply.json({**about, **more}, headers={"x-request-id": "req_1"})
    if request.path == f"/v1/responses/{ID}/input_items":
        return Reply.json({"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False})
    return Reply.json(MISSING, 404)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Server]:
    with serve(openai_server) as found:
        yield found


@pytest.fixture(scope="module")
def url(upstream: Server) -> Iterator[str]:
    own = entry("gpt-4o", "openai/gpt-4o", f"{upstream.url}/v1")
    general = {"master_key": MASTER, "database_url": "sqlite://"}
    with gateway(entries=[own], general_settings=general) as running:
        yield running.url


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url, timeout=30) as client:
        yield client


def test_the_openai_sdk_reaches_a_kept_response(upstream: Server, url: str, http: httpx2.Client) -> None:
    who = key(http, models=["gpt-4o"])
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=who["authorization"].removeprefix("Bearer "), max_retries=0)
    assert client.responses.retrieve(ID).id == ID
    assert client.responses.cancel(ID).id == ID
    assert client.responses.input_items.list(ID, limit=5).data == []
    client.responses.delete(ID)
    with pytest.raises(openai.NotFoundError, match="Response not found"):
        client.responses.retrieve("resp_other")
    sent = [(each.method, each.path, each.query) for each in upstream.requests[-5:]]
    assert sent[2] == ("GET", f"/v1/responses/{ID}/input_items", {"limit": "5"})
    assert [method for method, _, _ in sent] == ["GET", "POST", "GET", "DELETE", "GET"]
    assert {each.headers["authorization"] for each in upstream.requests[-5:]} == {f"Bearer {UPSTREAM_KEY}"}


def test_of_several_accounts_the_model_names_one(upstream: Server, http: httpx2.Client) -> None:
    path = f"/v1/responses/{ID}"
    several = http.get(path, headers=AS_MASTER)
    assert (several.status_code, several.json()["error"]["param"]) == (400, "model")
    assert "?model=" in several.json()["error"]["message"]
    assert http.get(path, params={"model": "gpt-4o"}, headers=AS_MASTER).status_code == 200
    assert upstream.requests[-1].query == {}


@pytest.mark.parametrize("method, path", [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")])
def test_a_key_without_a_model_of_openai_is_told_so(http: httpx2.Client, method: str, path: str) -> None:
    who = key(http, models=["claude"])
    answer = http.request(method, f"/v1/responses/{ID}{path}", headers=who)
    assert answer.status_code == 400
    assert "kept by OpenAI" in answer.json()["error"]["message"]
    assert http.request(method, f"/v1/responses/{ID}{path}", params={"model": "gpt-4o"}, headers=who).status_code == 403
    assert http.request(method, f"/v1/responses/{ID}{path}").status_code == 401


@pytest.mark.parametrize("path", ["/v1/responses/a%2Fb", "/v1/responses/../models", "/v1/responses/a/b/c"])
def test_an_address_that_is_no_response_is_not_passed_on(upstream: Server, http: httpx2.Client, path: str) -> None:
    before = len(upstream.requests)
    assert http.delete(path, headers=AS_MASTER).status_code in (404, 405)
    assert len(upstream.requests) == before


def test_compaction_passes_and_is_in_the_books(upstream: Server, http: httpx2.Client) -> None:
    who = key(http, max_budget=1)
    body: dict[str, Any] = {"model": "gpt-4o", "input": [{"role": "user", "content": "hi"}]}
    answer = http.post("/v1/responses/compact", json=body, headers=who)
    assert answer.json()["output"][0]["type"] == "compaction"
    assert upstream.requests[-1].json == body
    [row] = info(http, who)["spend_by_model"]
    assert (row["input_tokens"], row["output_tokens"]) == (100, 40)
    assert row["spend"] > 0


def test_compaction_of_a_model_of_another_api_is_refused_by_name(http: httpx2.Client) -> None:
    body = {"model": "claude", "input": "hi"}
    answer = http.post("/v1/responses/compact", json=body, headers=AS_MASTER)
    assert answer.status_code == 400
    assert "/responses/compact is OpenAI's alone" in answer.json()["error"]["message"]
