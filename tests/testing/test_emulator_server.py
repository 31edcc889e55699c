"""The emulator over real sockets: addresses, keys, headers, records, stored responses, start and end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import httpx2
import pytest

from langchain_unified.request import Request
from langchain_unified.testing.emulation.faults import Fault
from langchain_unified.testing.emulation.server import MISSING_EXTRA, Emulator, emulator, emulator_app
from langchain_unified.wires._completion import Completion, Tokens
from tests.testing.emulator_stub import stubbed

ANTHROPIC = {"x-api-key": "secret-a", "anthropic-version": "2023-06-01"}
OPENAI = {"authorization": "Bearer secret-o"}
HI = [{"role": "user", "content": "hi"}]
MESSAGES = {"model": "claude-sonnet-4-5", "max_tokens": 1000, "messages": HI}
CHAT = {"model": "gpt-4o", "messages": HI}
RESPONSES = {"model": "gpt-4o", "input": "hi"}

CALLS = [
    ("/v1/messages", ANTHROPIC, MESSAGES),
    ("/v1/messages?beta=true", ANTHROPIC, MESSAGES),
    ("/v1/chat/completions", OPENAI, CHAT),
    ("/v1/responses", OPENAI, RESPONSES),
]


def post(server: Emulator, path: str, headers: dict[str, str], body: Any, **more: Any) -> httpx2.Response:
    return httpx2.post(f"{server.url}{path}", headers={**headers, **more}, json=body, timeout=5)


@pytest.mark.parametrize("path,headers,body", CALLS)
def test_an_answer(path, headers, body):
    with stubbed() as server:
        answer = post(server, path, headers, body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["text"] == "You said: hi"
    assert answer.json()["tokens"] == {"uncached": 1, "cache_read": 0, "cache_write_short": 0, "cache_write_long": 0,
                                       "output": 3, "reasoning": 0}  # fmt: skip


def test_addresses():
    with stubbed() as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert (server.anthropic_url, server.openai_url) == (server.url, f"{server.url}/v1")


def test_requests_are_recorded_without_credentials():
    with stubbed() as server:
        more = {"Authorization": "Bearer secret-b", "X-More": "1"}
        post(server, "/v1/messages?beta=true", ANTHROPIC, MESSAGES, **more)
        post(server, "/v1/responses", OPENAI, {"model": "gpt-4o"})
    first, second = server.requests
    assert (first.method, first.path, first.query) == ("POST", "/v1/messages", {"beta": "true"})
    assert (first.provider, first.endpoint, first.status) == ("anthropic", "anthropic.messages", 200)
    assert (first.body, first.headers["x-more"]) == (MESSAGES, "1")
    assert (second.endpoint, second.status) == ("openai.responses", 400)
    assert "secret" not in repr(server.requests)


def test_request_ids_count():
    with stubbed() as server:
        theirs = post(server, "/v1/messages", ANTHROPIC, MESSAGES)
        ours = post(server, "/v1/chat/completions", OPENAI, CHAT)
    assert theirs.headers["request-id"] == "req_000000000000000000000001"
    assert ours.headers["x-request-id"] == "req_000000000000000000000002"
    assert theirs.headers["anthropic-ratelimit-input-tokens-remaining"] == "2000000"
    assert ours.headers["x-ratelimit-remaining-requests"] == "4999"
    assert (theirs.json()["id"], ours.json()["id"]) == (f"msg_{1:024d}", f"chatcmpl-{2:024d}")


def test_keys():
    with stubbed(keys=frozenset({"good"})) as server:
        assert post(server, "/v1/messages", {**ANTHROPIC, "x-api-key": "good"}, MESSAGES).status_code == 200
        assert post(server, "/v1/messages", {"anthropic-version": "2026-10-21", "authorization": "Bearer good"},
                    MESSAGES).status_code == 200  # fmt: skip
        theirs = post(server, "/v1/messages", ANTHROPIC, MESSAGES)
        ours = post(server, "/v1/chat/completions", OPENAI, CHAT)
        models = httpx2.get(f"{server.openai_url}/models", headers=OPENAI)
    assert (theirs.status_code, theirs.json()["error"]["type"]) == (401, "authentication_error")
    assert theirs.json()["request_id"] == theirs.headers["request-id"]
    assert (ours.status_code, ours.json()["error"]["code"]) == (401, "invalid_api_key")
    assert models.status_code == 401


def test_tokens_are_counted_as_they_are_charged():
    body = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "x" * 4000}], "system": "y" * 40}
    with stubbed() as server:
        counted = post(server, "/v1/messages/count_tokens", ANTHROPIC, body).json()
        charged = post(server, "/v1/messages", ANTHROPIC, {**body, "max_tokens": 5}).json()["tokens"]["uncached"]
        ours = post(server, "/v1/responses/input_tokens", OPENAI, {"model": "gpt-4o", "input": "x" * 40}).json()
    assert counted == {"input_tokens": 1010} == {"input_tokens": charged}
    assert ours == {"object": "response.input_tokens", "input_tokens": 10}


def test_models_in_the_callers_shape():
    with emulator() as server:
        ours = httpx2.get(f"{server.openai_url}/models", headers=OPENAI).json()
        theirs = httpx2.get(f"{server.url}/v1/models", headers=ANTHROPIC).json()
        one = httpx2.get(f"{server.url}/v1/models/claude-opus-5", headers=ANTHROPIC).json()
        none = httpx2.get(f"{server.url}/v1/models/claude-nothing", headers=ANTHROPIC)
    assert ours["object"] == "list"
    assert {"id": "gpt-4o", "object": "model", "created": 0, "owned_by": "openai"} in ours["data"]
    assert (theirs["first_id"], theirs["last_id"]) == (theirs["data"][0]["id"], theirs["data"][-1]["id"])
    assert (one["type"], one["max_input_tokens"], one["max_tokens"]) == ("model", 1000000, 128000)
    assert (none.status_code, none.json()["error"]["type"]) == (404, "not_found_error")


def test_an_unknown_address_and_a_broken_body():
    with stubbed() as server:
        lost = post(server, "/v1/embeddings", OPENAI, {})
        broken = httpx2.post(f"{server.url}/v1/messages", headers=ANTHROPIC, content=b"{")
    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "unknown_url")
    assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")
    assert [found.status for found in server.requests] == [404, 400]


@pytest.mark.parametrize(
    "path,headers,body",
    [
        ("/v1/messages", ANTHROPIC, {**MESSAGES, "messages": ["hi"]}),
        ("/v1/messages", ANTHROPIC, {**MESSAGES, "tool_choice": "any"}),
        ("/v1/chat/completions", OPENAI, {**CHAT, "metadata": [1]}),
        ("/v1/responses", OPENAI, {**RESPONSES, "input": [{"role": "user", "content": 3}]}),
    ],
)
def test_a_body_of_another_shape_is_refused(path, headers, body):
    with stubbed() as server:
        assert post(server, path, headers, body).status_code == 400


def test_a_refused_request_uses_up_no_answer():
    with stubbed(["only"]) as server:
        assert post(server, "/v1/messages", ANTHROPIC, {**MESSAGES, "max_tokens": None}).status_code == 400
        assert server.script_left == 1
        assert post(server, "/v1/messages", ANTHROPIC, MESSAGES).json()["text"] == "only"
        over = post(server, "/v1/messages", ANTHROPIC, MESSAGES)
    assert over.status_code == 400
    assert over.headers["x-should-retry"] == "false"
    assert "all 1 answers are used" in over.json()["error"]["message"]


def test_a_completion_may_bring_its_own_tokens():
    scripted = Completion(
        "msg_own", "claude-own", ({"type": "text", "text": "x"},), tokens=Tokens(uncached=7, output=9)
    )
    with stubbed([scripted]) as server:
        answer = post(server, "/v1/messages", ANTHROPIC, MESSAGES).json()
    assert (answer["id"], answer["model"]) == ("msg_own", "claude-own")
    assert (answer["tokens"]["uncached"], answer["tokens"]["output"]) == (7, 9)


def test_what_a_script_raises_is_raised_at_the_end():
    def broken(request: Request) -> str:
        raise LookupError("no idea")

    with pytest.raises(LookupError, match="no idea"), stubbed(broken) as server:
        assert post(server, "/v1/messages", ANTHROPIC, MESSAGES).status_code == 400


def test_parallel_requests_miss_until_the_first_answer_begins():
    both = threading.Barrier(2, timeout=5)

    def wait(request: Request) -> str:
        both.wait()
        return "ok"

    body = {**MESSAGES, "cache_control": {"type": "ephemeral"}, "messages": [{"role": "user", "content": "x" * 8000}]}
    answers: list[dict[str, int]] = []
    with stubbed(wait) as server:
        asking = [threading.Thread(target=lambda: answers.append(
            post(server, "/v1/messages", ANTHROPIC, body).json()["tokens"])) for _ in range(2)]  # fmt: skip
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        both.reset()
        later = threading.Thread(target=lambda: post(server, "/v1/messages", ANTHROPIC, MESSAGES))
        later.start()
        read = post(server, "/v1/messages", ANTHROPIC, body).json()["tokens"]
        later.join()
    assert [tokens["cache_write_short"] for tokens in answers] == [2000, 2000]
    assert (read["cache_read"], read["cache_write_short"]) == (2000, 0)


def test_the_clock_is_the_tests():
    body = {**MESSAGES, "cache_control": {"type": "ephemeral"}, "messages": [{"role": "user", "content": "x" * 8000}]}
    with stubbed() as server:
        reads = []
        for seconds in (0, 299, 300):
            server.clock.advance(seconds)
            reads.append(post(server, "/v1/messages", ANTHROPIC, body).json()["tokens"]["cache_read"])
    assert reads == [0, 2000, 0]


# --- what OpenAI stores -----------------------------------------------------------------------------------------------


def test_a_response_goes_on_from_another():
    turns: list[list[str]] = []

    def count(request: Request) -> str:
        turns.append([turn.role for turn in request.turns])
        return "fine"

    with stubbed(count) as server:
        first = post(server, "/v1/responses", OPENAI, RESPONSES).json()["id"]
        more = {"model": "gpt-4o", "input": "and?", "previous_response_id": first}
        second = post(server, "/v1/responses", OPENAI, more).json()
        lost = post(server, "/v1/responses", OPENAI, {**more, "previous_response_id": "resp_lost"})
    assert turns == [["user"], ["user", "assistant", "user"]]
    assert second["tokens"]["uncached"] == 3
    assert lost.json()["error"]["code"] == "previous_response_not_found"


def test_an_unstored_response_is_not_found():
    with stubbed() as server:
        first = post(server, "/v1/responses", OPENAI, {**RESPONSES, "store": False}).json()["id"]
        again = post(server, "/v1/responses", OPENAI, {**RESPONSES, "previous_response_id": first})
    assert again.status_code == 400


# --- start and end ----------------------------------------------------------------------------------------------------


def test_it_answers_until_it_stops():
    with stubbed() as server:
        url = server.url
        assert post(server, "/v1/messages", ANTHROPIC, MESSAGES).status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)


def test_it_stops_in_the_middle_of_a_stall():
    with stubbed() as server, httpx2.Client() as client:
        server.fail_next(Fault.stall(60))
        with client.stream("POST", f"{server.url}/v1/messages", headers=ANTHROPIC, json={**MESSAGES, "stream": True}):
            began = time.perf_counter()
            server.stop()
            assert time.perf_counter() - began < 30  # half of the stall, also on a busy machine


def test_several_at_once():
    with stubbed(["a"]) as one, stubbed(["b"]) as two:
        texts = [post(server, "/v1/messages", ANTHROPIC, MESSAGES).json()["text"] for server in (one, two)]
    assert texts == ["a", "b"]


async def test_it_serves_async_code():
    async with stubbed() as server, httpx2.AsyncClient(base_url=server.url, headers=ANTHROPIC) as client:
        answers = await asyncio.gather(*(client.post("/v1/messages", json=MESSAGES) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(server.requests) == 8


def test_connections_are_kept():
    with stubbed() as server, httpx2.Client(base_url=server.url, headers=ANTHROPIC) as client:
        streams = []
        for _ in range(3):
            answer = client.post("/v1/messages", json={**MESSAGES, "stream": True})
            streams.append(answer.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(set(streams)) == 1


def test_an_emulator_that_does_not_run_is_an_error():
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator().url


async def test_the_application_alone():
    transport = httpx2.ASGITransport(app=emulator_app(["x"]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://emulator") as client:
        answer = await client.get("/v1/models", headers=OPENAI)
    assert json.loads(answer.content)["object"] == "list"


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "langchain_unified.testing.emulation.app", None)
    monkeypatch.delitem(__import__("sys").modules, "langchain_unified.testing.emulation.app")
    monkeypatch.setitem(__import__("sys").modules, "starlette", None)
    monkeypatch.setitem(__import__("sys").modules, "starlette.applications", None)
    with pytest.raises(ImportError, match=r"\[emulator\]"):
        emulator_app()
    assert "uvicorn" in MISSING_EXTRA
