"""Clients that speak the upstream's API: their bytes pass, and so do those of the answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from langchain_unified.testing import Fault
from tests.gateway.running import UPSTREAM_KEY, Running, gateway

HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with gateway() as found:
        yield found


@pytest.fixture(scope="module")
def http(running: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url) as client:
        yield client


# --- the SDKs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["", "/v1"])
def test_the_openai_sdk_talks_at_both_addresses(running: Running, base: str) -> None:
    client = openai.OpenAI(base_url=running.url + base, api_key="anything", max_retries=0)
    assert client.chat.completions.create(model="gpt", messages=HI).choices[0].message.content == "You said: hi"
    assert client.responses.create(model="gpt", input="hi").output_text == "You said: hi"
    pieces = client.chat.completions.create(model="gpt", messages=HI, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in pieces) == "You said: hi"
    events = [event.type for event in client.responses.create(model="gpt", input="hi", stream=True)]
    assert (events[0], events[-1]) == ("response.created", "response.completed")
    assert client.responses.input_tokens.count(model="gpt", input="hi there").input_tokens > 0
    assert "gpt" in [model.id for model in client.models.list()]


async def test_the_async_sdks_talk(running: Running) -> None:
    async with openai.AsyncOpenAI(base_url=running.url, api_key="x", max_retries=0) as client:
        answer = await client.chat.completions.create(model="gpt", messages=HI)
        assert answer.choices[0].message.content == "You said: hi"
    async with (
        anthropic.AsyncAnthropic(base_url=running.url, api_key="x", max_retries=0) as claude,
        claude.messages.stream(model="claude", max_tokens=20, messages=HI) as stream,
    ):
        assert "".join([text async for text in stream.text_stream]) == "You said: hi"


def test_the_anthropic_sdk_talks(running: Running) -> None:
    client = anthropic.Anthropic(base_url=running.url, api_key="anything", max_retries=0)
    answer = client.messages.create(model="claude", max_tokens=20, messages=HI)
    assert answer.content[0].text == "You said: hi"
    assert answer._request_id
    with client.messages.stream(model="claude", max_tokens=20, messages=HI) as stream:
        assert "".join(stream.text_stream) == "You said: hi"
        assert stream.get_final_message().usage.output_tokens > 0
    assert client.messages.count_tokens(model="claude", messages=HI).input_tokens > 0
    assert "claude" in [model.id for model in client.models.list()]
    assert client.models.retrieve("claude").id == "claude"


def test_the_partner_classes_talk(running: Running) -> None:
    claude: Any = ChatAnthropic(model="claude", base_url=running.url, api_key="x", max_retries=0)
    assert claude.invoke("hi").text == "You said: hi"
    assert "".join(chunk.text for chunk in claude.stream("hi")) == "You said: hi"
    assert claude.get_num_tokens_from_messages([HumanMessage("hi")]) > 0
    gpt: Any = ChatOpenAI(model="gpt", base_url=running.url, api_key="x", max_retries=0)
    assert gpt.invoke("hi").text == "You said: hi"


# --- what passes ------------------------------------------------------------------------------------------------------


def test_a_body_differs_in_its_model_alone(running: Running, http: httpx2.Client) -> None:
    body = {"max_tokens": 20, "messages": HI, "metadata": {"user_id": "u"}, "model": "claude", "system": [
        {"type": "text", "text": 'a "model": "claude" b', "cache_control": {"type": "ephemeral"}}]}  # fmt: skip
    headers = {"anthropic-beta": "a-2025-01-01,b-2025-01-01", "x-claude-code-session-id": "s1", "x-api-key": "mine"}
    answer = http.post("/v1/messages?beta=true", json=body, headers=headers)
    assert answer.status_code == 200
    sent = running.sent[-1]
    assert sent.body == {**body, "model": "claude-opus-5"}
    assert list(sent.body) == list(body)
    assert sent.query == {"beta": "true"}
    assert sent.headers["anthropic-beta"] == headers["anthropic-beta"]
    assert sent.headers["x-claude-code-session-id"] == "s1"
    assert answer.headers["request-id"]


def test_a_wildcard_sends_what_it_matched(running: Running, http: httpx2.Client) -> None:
    http.post("/v1/messages", json={"model": "anthropic/claude-sonnet-5", "max_tokens": 9, "messages": HI})
    assert running.sent[-1].body["model"] == "claude-sonnet-5"


def test_the_usage_of_a_chat_stream_is_asked_for_and_hidden(running: Running, http: httpx2.Client) -> None:
    body = {"model": "gpt", "messages": HI, "stream": True}
    hidden = http.post("/v1/chat/completions", json=body).text
    assert running.sent[-1].body["stream_options"] == {"include_usage": True}
    assert '"choices":[]' not in hidden
    assert hidden.endswith("data: [DONE]\n\n")
    shown = http.post("/v1/chat/completions", json={**body, "stream_options": {"include_usage": True}}).text
    assert '"choices":[]' in shown


def test_streams_may_not_be_held_back_or_compressed(http: httpx2.Client) -> None:
    body = {"model": "claude", "max_tokens": 20, "messages": HI, "stream": True}
    answer = http.post("/v1/messages", json=body, headers={"accept-encoding": "gzip, br"})
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_an_error_of_the_provider_passes_unchanged(running: Running, http: httpx2.Client) -> None:
    body = {"model": "claude", "max_tokens": 0, "messages": []}
    through = http.post("/v1/messages", json=body)
    direct = httpx2.post(
        running.upstream.url + "/v1/messages",
        json={**body, "model": "claude-opus-5"},
        headers={"x-api-key": "k", "anthropic-version": "2023-06-01"},
    )
    assert through.status_code == direct.status_code == 400
    ids = ("request_id",)
    assert {k: v for k, v in through.json().items() if k not in ids} == {
        k: v for k, v in direct.json().items() if k not in ids
    }


def test_no_answer_shows_the_key_of_the_provider(running: Running, http: httpx2.Client) -> None:
    running.upstream.fail_next(Fault.http(401, {"error": {"message": f"invalid {UPSTREAM_KEY}"}}))
    refused = http.post("/v1/messages", json={"model": "claude", "max_tokens": 9, "messages": HI})
    assert refused.status_code == 502
    assert refused.headers["x-should-retry"] == "false"
    assert UPSTREAM_KEY not in refused.text


# --- addresses --------------------------------------------------------------------------------------------------------


def test_the_root_and_the_health_checks_answer_without_a_model(running: Running, http: httpx2.Client) -> None:
    before = len(running.sent)
    assert http.head("/").status_code == 200
    for path in ("/health/live", "/health/ready", "/health/liveliness", "/health/readiness"):
        assert http.get(path).status_code == 200
    assert len(running.sent) == before


def test_a_websocket_is_answered_with_426(running: Running) -> None:
    # Codex falls back to HTTP at once after a 426, and only after several tries with any other status.
    host, _, port = running.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(
            b"GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert raw.recv(12) == b"HTTP/1.1 426"


@pytest.mark.parametrize(
    "path, body, expected",
    [
        ("/v1/messages", {"model": "nope", "max_tokens": 1, "messages": HI}, (404, "not_found_error")),
        ("/v1/chat/completions", {"model": "nope", "messages": HI}, (404, "invalid_request_error")),
        ("/v1/messages", {"messages": HI}, (400, "invalid_request_error")),
        ("/v1/nothing", {}, (404, "invalid_request_error")),
    ],
)
def test_refusals_speak_the_clients_protocol(
    running: Running, http: httpx2.Client, path: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    before = len(running.sent)
    answer = http.post(path, json=body)
    found = json.loads(answer.text)
    assert (answer.status_code, found["error"]["type"]) == expected
    assert ("type" in found) == ("messages" in path)
    assert len(running.sent) == before


def test_an_unknown_address_is_no_missing_model(http: httpx2.Client) -> None:
    assert http.get("/v1/vector_stores").json()["error"]["code"] == "unknown_url"
    answer = http.post("/v1/messages/batches", json={}, headers={"anthropic-version": "2023-06-01"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
