"""Requests that are made again without the SDK are the SDK's requests: its headers, address, errors."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from pydantic import SecretStr

from langchain_unified import errors
from langchain_unified.transport import HttpCall, Transport, TransportConfig
from langchain_unified.transport._templates import MAX_TEMPLATES, Templates
from tests.support.server import Received, Reply, serve
from tests.transport.faces import DONE, KEY, PATHS, call, handler, to

pytestmark = pytest.mark.usefixtures("fresh_pools")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that were made of templates, by the address."""
    found: list[str] = []
    find = Templates.find

    def seen(self, call, attempts, *, stream):
        template = find(self, call, attempts, stream=stream)
        if template is not None:
            found.append(str(template.url))
        return template

    monkeypatch.setattr(Templates, "find", seen)
    return found


class Caller:
    """Sends calls one after the other; async ones in one event loop."""

    def __init__(self, kind: str) -> None:
        self.is_async = kind == "async"

    def all(self, target: Transport, calls: list[HttpCall], *, stream: bool = False) -> list[Any]:
        """The data of each answer, the events of each stream, or the error."""
        if self.is_async:
            return asyncio.run(self._all(target, calls, stream=stream))
        return [self._one(target, each, stream=stream) for each in calls]

    def _one(self, target: Transport, each: HttpCall, *, stream: bool) -> Any:
        try:
            if not stream:
                return target.send(each)
            with target.stream(each) as events:
                return list(events)
        except errors.UnifiedError as error:
            return error

    async def _all(self, target: Transport, calls: list[HttpCall], *, stream: bool) -> list[Any]:
        return [await self._aone(target, each, stream=stream) for each in calls]

    async def _aone(self, target: Transport, each: HttpCall, *, stream: bool) -> Any:
        try:
            if not stream:
                return await target.asend(each)
            async with await target.astream(each) as events:
                return [event async for event in events]
        except errors.UnifiedError as error:
            return error


@pytest.fixture(params=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)


def sent(request: Received) -> dict[str, str]:
    """The headers without the length of the body."""
    return {name: value for name, value in request.headers.items() if name.lower() != "content-length"}


def test_the_third_request_has_the_headers_of_the_first(provider, caller, made) -> None:
    with serve(handler) as server:
        target = to(provider, server, default_headers=(("x-mine", "1"),), default_query=(("q", "1"),))
        caller.all(target, [HttpCall(PATHS[provider], {"model": "m", "n": "x" * number}) for number in range(4)])
    assert len(made) == 2
    first, _, third, fourth = server.requests
    assert sent(third) == sent(first)
    assert (third.path, third.method) == (first.path, first.method)
    assert third.json == {"model": "m", "n": "xx"}
    assert fourth.json == {"model": "m", "n": "xxx"}
    assert int(fourth.headers["content-length"]) == int(third.headers["content-length"]) + 1


class Token(httpx2.Auth):
    """As the SDK's credentials do it: a token that is the same for a while."""

    def __init__(self) -> None:
        self.number = 0

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:
        self.number += 1
        request.headers["authorization"] = f"Bearer token-{1 if self.number < 4 else 2}"
        yield request


def test_a_token_that_expires_is_not_copied(caller, made, monkeypatch) -> None:
    # anthropic 2.14, `_client.py`: with `credentials`, `custom_auth` sets the header at each request.
    token = Token()
    for kind in (anthropic.Anthropic, anthropic.AsyncAnthropic):
        monkeypatch.setattr(kind, "custom_auth", property(lambda client: token))
    with serve(handler) as server:
        caller.all(to("anthropic", server), [call("anthropic")] * 4)
    assert made == []
    tokens = [request.headers["authorization"] for request in server.requests]
    assert tokens == ["Bearer token-1"] * 3 + ["Bearer token-2"]


def test_streams_have_templates_of_their_own(provider, caller, made) -> None:
    with serve(handler) as server:
        target = to(provider, server)
        caller.all(target, [call(provider)] * 3)
        assert len(made) == 1
        assert caller.all(target, [call(provider)] * 3, stream=True) == [DONE[provider]] * 3
    assert len(made) == 2
    assert [sent(request) for request in server.requests] == [sent(server.requests[0])] * 3 + [
        sent(server.requests[3])
    ] * 3


def test_other_headers_of_a_call_make_another_template(provider, caller, made) -> None:
    numbers = "0001011"
    with serve(handler) as server:
        calls = [HttpCall(PATHS[provider], {"model": "m"}, headers={"x-number": number}) for number in numbers]
        caller.all(to(provider, server), calls)
    assert [request.headers["x-number"] for request in server.requests] == list(numbers)
    assert len(made) == 3


def test_a_key_of_the_call_is_sent_with_that_call(provider, caller, made) -> None:
    keys = ["sk-one"] * 3 + [KEY] * 3 + ["sk-two"] * 3
    with serve(handler) as server:
        calls = [call(provider, api_key=None if key == KEY else SecretStr(key)) for key in keys]
        caller.all(to(provider, server), calls)
    found = [str(request.headers) for request in server.requests]
    assert [next(key for key in ("sk-one", "sk-two", KEY) if key in text) for text in found] == keys
    assert len(made) == 3


def test_a_key_that_rotates_is_the_newest(provider, caller, made) -> None:
    keys = iter([f"sk-{number}" for number in range(6)])
    with serve(handler) as server:
        caller.all(to(provider, server, api_key=lambda: next(keys)), [call(provider)] * 6)
    assert all(f"sk-{number}" in str(request.headers) for number, request in enumerate(server.requests))
    assert made == []  # each key has a client of its own


STATUSES = {
    429: errors.RateLimitError,
    500: errors.ServerError,
    401: errors.AuthenticationError,
    400: errors.InvalidRequestError,
}


def test_errors_are_those_of_the_sdk(provider, caller, made) -> None:
    """The same refusals, before and after there is a template."""
    statuses = iter([*STATUSES, 200, 200, *STATUSES])

    def answer(request: Received) -> Reply:
        status = next(statuses)
        body = {"ok": 1} if status == 200 else {"type": "error", "error": {"type": "x", "message": f"no {status}"}}
        return Reply.json(body, status=status, headers={"request-id": "r1", "x-request-id": "r1"})

    with serve(answer) as server:
        target = to(provider, server)
        found = caller.all(target, [call(provider)] * 10)
    assert len(made) == 4
    for status, before, after in zip(STATUSES, found[:4], found[6:], strict=True):
        assert isinstance(after, STATUSES[status])
        assert isinstance(after, target._sdk.status_error)
        assert (type(after), str(after), after.request_id) == (type(before), str(before), "r1")


def test_errors_of_streams_are_those_of_the_sdk(provider, caller, made) -> None:
    statuses = iter([200, 200, 529])

    def answer(request: Received) -> Reply:
        status = next(statuses)
        return handler(request) if status == 200 else Reply.json({"error": {"message": "busy"}}, status=status)

    with serve(answer) as server:
        *_, last = caller.all(to(provider, server), [call(provider)] * 3, stream=True)
    assert len(made) == 1
    assert isinstance(last, errors.UnifiedError)
    assert "busy" in str(last)


def test_a_refused_request_is_repeated_by_the_sdk(provider, caller, made) -> None:
    statuses = iter([200, 200, 503, 200])
    with serve(lambda request: Reply.json({"ok": 1}, status=next(statuses))) as server:
        answers = caller.all(to(provider, server, max_retries=1), [call(provider)] * 3)
    assert [answer.attempts for answer in answers] == [1, 1, 2]
    assert [request.headers["x-stainless-retry-count"] for request in server.requests] == ["0", "0", "0", "1"]
    assert len(made) == 1


def test_a_broken_connection_is_our_error_and_the_sdks(provider, caller, made) -> None:
    numbers = iter(range(9))
    with serve(lambda request: Reply.json({"ok": 1}) if next(numbers) < 2 else Reply(body=b"{", cut=True)) as server:
        target = to(provider, server)
        *_, last = caller.all(target, [call(provider)] * 3)
    assert len(made) == 1
    assert isinstance(last, errors.ConnectionFailedError)
    assert isinstance(last, target._sdk.connection_error)


def test_requests_that_differ_are_never_copied(provider, caller, made, monkeypatch) -> None:
    numbers = iter(range(10))
    sdk = to(provider, "http://localhost")._sdk
    for base in {type(build(TransportConfig(provider), KEY, None)) for build in (sdk.client, sdk.async_client)}:

        def numbered(self, *args, build=base._build_request, **kwargs):
            request = build(self, *args, **kwargs)
            request.headers["idempotency-key"] = str(next(numbers))
            return request

        monkeypatch.setattr(base, "_build_request", numbered)
    with serve(handler) as server:
        caller.all(to(provider, server), [call(provider)] * 4)
    assert [request.headers["idempotency-key"] for request in server.requests] == list("0123")
    assert made == []


def test_deadlines_queries_and_debug_logs_go_by_the_sdk(provider, caller, made, caplog) -> None:
    with serve(handler) as server:
        target = to(provider, server)
        caller.all(target, [call(provider, deadline=30.0), call(provider, query={"a": "1"})] * 3)
        assert made == []
        with caplog.at_level(logging.DEBUG, logger=f"{provider}._base_client"):
            caller.all(target, [call(provider)] * 3)
    assert made == []
    assert "Sending HTTP Request" in caplog.text


def test_no_more_than_so_many_templates_are_kept(provider) -> None:
    with serve(handler) as server:
        target = to(provider, server)
        for number in range(MAX_TEMPLATES + 5):
            target.send(HttpCall(PATHS[provider], {"model": "m"}, headers={"x-number": str(number)}))
        (connected,) = target._connected.values()
    assert connected.sender.templates is not None
    assert len(connected.sender.templates._found) <= MAX_TEMPLATES


def test_threads_send_their_own_bodies(provider, made) -> None:
    wrong: list[dict[str, Any]] = []
    with serve(lambda request: Reply.json({"echo": request.json})) as server:
        target = to(provider, server)

        def send(number: int) -> None:
            for step in range(10):
                body = {"model": "m", "n": [number, step]}
                if target.send(HttpCall(PATHS[provider], body)).data != {"echo": body}:
                    wrong.append(body)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong
    assert made
