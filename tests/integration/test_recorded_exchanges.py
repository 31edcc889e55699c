"""Every recorded exchange, served from a local socket and read through the public classes.

A whole reply is read with `invoke` and `ainvoke`, an event stream with `stream` and `astream`; what the message says is
compared with an independent reading of the recording (`reading.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, ChatUnified, InvalidRequestError, NotFoundError, ProviderError
from tests.support.corpus import exchanges, label, needs_corpus
from tests.support.reading import Reading, read
from tests.support.server import Received, Reply, Server, serve, split

pytestmark = needs_corpus

ENDPOINTS = ("anthropic.messages", "openai.chat", "openai.responses")
ALL = {found["id"]: found for endpoint in (*ENDPOINTS, "anthropic.count_tokens", "openai.input_tokens")
       for found in exchanges(endpoint)}  # fmt: skip


def answered(status_ok: bool) -> list[Any]:
    found = [e for e in ALL.values() if e["endpoint"] in ENDPOINTS and (e["response"]["status"] == 200) is status_ok]
    return [pytest.param(exchange, id=label(exchange)) for exchange in found]


def play(request: Received) -> Reply:
    """Answer with the recording that the request's header names, streams in pieces of 100 bytes."""
    response = ALL[request.headers["x-exchange"]]["response"]
    if response["sse"] is None:
        return Reply.json(response["body"], response["status"], response["headers"])
    headers = {**response["headers"], "content-type": "text/event-stream"}
    return Reply(response["status"], headers, split(response["sse"].encode(), 1000))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(play) as running:
        yield running


def model_for(exchange: dict[str, Any], server: Server) -> ChatAnthropic | ChatOpenAI:
    common = {
        "model": exchange["request"]["body"]["model"],
        "api_key": "not-a-key",
        "default_headers": {"x-exchange": exchange["id"]},
        "max_retries": 0,
    }
    if exchange["endpoint"].startswith("anthropic"):
        return ChatAnthropic(base_url=server.url, **common)
    return ChatOpenAI(base_url=server.url + "/v1", use_responses_api=exchange["endpoint"] != "openai.chat", **common)


def kinds(message: AIMessage) -> list[str]:
    """The types of a message's blocks, whether its content is a text or a list."""
    if isinstance(message.content, str):
        return ["text"] if message.content else []
    return [block["type"] for block in message.content]  # type: ignore[index]


def signatures(message: AIMessage) -> list[str]:
    blocks = message.content if isinstance(message.content, list) else []
    keys = ("signature", "data", "encrypted_content")
    return [block[key] for block in blocks if isinstance(block, dict) for key in keys if block.get(key)]


def check(message: AIMessage, expected: Reading, exchange: dict[str, Any]) -> None:
    metadata = message.response_metadata
    assert message.text == expected.text
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == expected.calls
    assert message.invalid_tool_calls == []
    assert metadata["finish_reason"] == expected.finish
    assert metadata["id"] == expected.id != message.id
    assert metadata["model_name"] == expected.model
    assert metadata["model_provider"] == exchange["endpoint"].split(".")[0]
    assert metadata.get("request_id") == request_id(exchange)
    if expected.usage is None:
        assert message.usage_metadata is None
    else:
        incoming, outgoing = expected.usage
        usage = message.usage_metadata or {}
        assert (usage["input_tokens"], usage["output_tokens"]) == (incoming, outgoing)  # type: ignore[index]
        assert usage["total_tokens"] == incoming + outgoing  # type: ignore[index]
    if exchange["endpoint"] == "openai.chat":
        assert message.additional_kwargs.get("refusal", "") == expected.refusal
    else:
        assert kinds(message) == expected.blocks
        assert signatures(message) == expected.signatures


def request_id(exchange: dict[str, Any]) -> str | None:
    headers = exchange["response"]["headers"]
    return headers.get("request-id") or headers.get("x-request-id")


@pytest.mark.parametrize("exchange", answered(True))
def test_sync(exchange: dict[str, Any], server: Server) -> None:
    model = model_for(exchange, server)
    whole = exchange["response"]["sse"] is None
    tools = exchange["request"]["body"].get("tools")
    message = model.invoke("hi", tools=tools) if whole else reduce(add, model.stream("hi", tools=tools))
    check(message, read(exchange), exchange)


@pytest.mark.parametrize("exchange", answered(True))
async def test_async(exchange: dict[str, Any], server: Server) -> None:
    model = model_for(exchange, server)
    tools = exchange["request"]["body"].get("tools")
    if exchange["response"]["sse"] is None:
        message = await model.ainvoke("hi", tools=tools)
    else:
        message = reduce(add, [chunk async for chunk in model.astream("hi", tools=tools)])
    check(message, read(exchange), exchange)


EXPECTED_ERRORS = {
    (400, "invalid_request_error"): InvalidRequestError,
    (400, "unsupported_value"): InvalidRequestError,
    (400, "model_not_found"): NotFoundError,
    (404, "model_not_found"): NotFoundError,
    (404, "not_found_error"): NotFoundError,
}


@pytest.mark.parametrize("exchange", answered(False))
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors(exchange: dict[str, Any], server: Server, streamed: bool) -> None:
    model, response = model_for(exchange, server), exchange["response"]
    error = response["body"]["error"]
    code = error.get("code") or error["type"]

    def sync() -> Any:
        return list(model.stream("hi")) if streamed else model.invoke("hi")

    async def asynchronous() -> Any:
        return [chunk async for chunk in model.astream("hi")] if streamed else await model.ainvoke("hi")

    for call in (asyncio.to_thread(sync), asynchronous()):
        with pytest.raises(EXPECTED_ERRORS[response["status"], code]) as caught:
            await call
        assert isinstance(caught.value, ProviderError)
        assert caught.value.status == response["status"]
        assert caught.value.code == code
        assert caught.value.request_id == (request_id(exchange) or response["body"].get("request_id"))
        assert error["message"] in str(caught.value)
        assert not caught.value.is_retryable


def counts(endpoint: str) -> list[Any]:
    return [pytest.param(exchange, id=label(exchange)) for exchange in exchanges(endpoint)]


@pytest.mark.parametrize("exchange", counts("anthropic.count_tokens") + counts("openai.input_tokens"))
def test_counting(exchange: dict[str, Any], server: Server) -> None:
    model, response = model_for(exchange, server), exchange["response"]
    if response["status"] != 200:
        with pytest.raises(NotFoundError):
            model.get_num_tokens("hi")
        return
    assert model.get_num_tokens("hi") == response["body"]["input_tokens"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_prefix_reads_the_same(endpoint: str, server: Server) -> None:
    """One recording of each endpoint through `ChatUnified`, provider chosen by the model's name."""
    exchange = next(e for e in exchanges(endpoint) if e["response"]["status"] == 200 and e["response"]["body"])
    provider = endpoint.partition(".")[0]
    model = ChatUnified(
        f"{provider}/{exchange['request']['body']['model']}",
        api_key="not-a-key",
        base_url=server.url + ("/v1" if provider == "openai" else ""),
        default_headers={"x-exchange": exchange["id"]},
        use_responses_api=endpoint == "openai.responses",
    )
    check(model.invoke("hi"), read(exchange), exchange)
