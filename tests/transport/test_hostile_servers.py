"""Answers that no server should give: an error of ours, quickly, without the key, and without many requests."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI, ConfigurationError, ReplyError, UnifiedError
from tests.support.server import Reply, serve

KEY = "sk-canary-0123456789abcdef"
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}

CASES: dict[str, Reply] = {
    "nothing": Reply(200, JSON, b""),
    "a number": Reply(200, JSON, b"5"),
    "null": Reply(200, JSON, b"null"),
    "another encoding": Reply(200, JSON, '{"choices": []}'.encode("utf-16")),
    "zeros": Reply(200, JSON, b"\0" * 100),
    "nested": Reply(200, JSON, b'{"a":' * 50_000),
    "a large number": Reply(200, JSON, b'{"id":' + b"9" * 5000 + b"}"),
    "not compressed": Reply(200, {**JSON, "content-encoding": "gzip"}, b"this is no gzip"),
    "an error in an error": Reply(500, JSON, b'{"error": {"error": {"error": {}}}}'),
    "lists in an error": Reply(400, JSON, b'{"error": {"code": [1], "message": {"a": 1}, "type": 5}}'),
    "the key in an error": Reply(401, JSON, f'{{"error": {{"message": "wrong key {KEY}"}}}}'.encode()),
    "no number to wait": Reply(429, {**JSON, "retry-after": "nan"}, b"{}"),
    "a wait without end": Reply(429, {**JSON, "retry-after": "inf"}, b"{}"),
    "a date of no calendar": Reply(503, {**JSON, "retry-after": "Fri, 31 Dec 99999 23:59:59 GMT"}, b"{}"),
    "a redirect to itself": Reply(307, {"location": "/again"}, b""),
    "a redirect to a script": Reply(302, {"location": "javascript:alert(1)"}, b""),
    "a redirect with a password": Reply(308, {"location": f"http://u:{KEY}@evil.example/"}, b""),
    "an event of null": Reply(200, SSE, b"data: null\n\n"),
    "an error event with the key": Reply(200, SSE, b"event: error\ndata: boom %s\n\n" % KEY.encode()),
    "a type that is an object": Reply(200, SSE, b'data: {"type": {"a": 1}}\n\n'),
    "a type that is a list": Reply(200, SSE, b'data: {"type": ["x"]}\n\n'),
    "nested events": Reply(200, SSE, b"data: " + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n\n"),
    "a start without a message": Reply(200, SSE, b'data: {"type": "message_start", "message": null}\n\n'),
    "choices as an object": Reply(200, SSE, b'data: {"choices": {"a": 1}}\n\n'),
}
NOT_REPEATED = {"not compressed": ReplyError, "a redirect to itself": ConfigurationError}


def models(url: str) -> list[Any]:
    common: dict[str, Any] = {"api_key": KEY, "max_retries": 1, "max_retry_wait": 0.01, "timeout": 5}
    return [
        ChatAnthropic("claude-opus-5", base_url=url, **common),
        ChatOpenAI("m", base_url=f"{url}/v1", dialect="generic", use_responses_api=False, **common),
        ChatOpenAI("m", base_url=f"{url}/v1", use_responses_api=True, **common),
    ]


def failure(way: Any, model: Any) -> UnifiedError | None:
    try:
        way(model)
    except UnifiedError as error:
        return error
    return None


async def everything(chunks: Any) -> list[Any]:
    return [chunk async for chunk in chunks]


@pytest.mark.parametrize("name", CASES)
def test_an_answer_of_a_hostile_server(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_unified.transport._retries.FIRST_WAIT", 0.001)
    ways = (
        lambda model: model.invoke("q"),
        lambda model: list(model.stream("q")),
        lambda model: asyncio.run(everything(model.astream("q"))),
    )
    with serve(lambda _: CASES[name]) as server:
        for model in models(server.url):
            for way in ways:
                server.requests.clear()
                error = failure(way, model)
                if error is not None:
                    assert KEY not in "".join(traceback.format_exception(error)) + repr(vars(error))
                    assert isinstance(error, NOT_REPEATED.get(name, UnifiedError))
                assert len(server.requests) <= (6 if "itself" in name else 1 if name in NOT_REPEATED else 2)
