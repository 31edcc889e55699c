"""Deadlines, sizes and redirects with HTTP clients that the caller gave, SDK clients, and aiohttp."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from langchain_unified import errors
from langchain_unified.transport import TransportConfig
from langchain_unified.transport.config import Network
from tests.support.server import Reply, serve
from tests.transport.faces import BASES, KEY, Async, Sync, call, to
from tests.transport.test_retries import endless_continue, endless_head, raw_server

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
SMALL = {"max_reply_bytes": 100_000, "max_event_bytes": 100_000, "max_error_bytes": 10_000}
SDK_CLIENTS = {
    ("anthropic", "sync"): anthropic.Anthropic,
    ("anthropic", "async"): anthropic.AsyncAnthropic,
    ("openai", "sync"): openai.OpenAI,
    ("openai", "async"): openai.AsyncOpenAI,
}


def _http(face: Sync | Async, provider: str, url: str) -> dict[str, Any]:
    if face.name == "sync":
        return {"http_client": httpx2.Client()}
    return {"http_async_client": httpx2.AsyncClient()}


def _sdk(face: Sync | Async, provider: str, url: str) -> dict[str, Any]:
    client = SDK_CLIENTS[provider, face.name](api_key=KEY, base_url=url)
    return {"client" if face.name == "sync" else "async_client": client}


def _aiohttp(face: Sync | Async, provider: str, url: str) -> dict[str, Any]:
    return {"network": Network(backend="aiohttp", **SMALL)}


WAYS = [(face, given) for face in (Sync(), Async()) for given in (_http, _sdk)] + [(Async(), _aiohttp)]


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0].name} {way[1].__name__.strip('_')}")
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def face(way: Any) -> Any:
    return way[0]


@pytest.fixture
def target(way: Any, provider: str) -> Callable[..., Any]:
    """Makes a transport to an address, whose HTTP client is not ours."""

    def build(server: Any, **options: Any) -> Any:
        face, given = way
        url = (server if isinstance(server, str) else server.url) + BASES[provider]
        clients = given(face, provider, url)
        return to(provider, server, **{"timeout": 30.0, "network": Network(**SMALL), **clients, **options})

    return build


def fails(face: Sync | Async, target: Any, provider: str, how: str, **options: Any) -> errors.UnifiedError:
    if how == "stream":
        error = face.stream(target, call(provider, **options)).error
    else:
        with pytest.raises(errors.UnifiedError) as caught:
            face.send(target, call(provider, **options))
        error = caught.value
    assert isinstance(error, errors.UnifiedError), error
    return error


# --- deadlines --------------------------------------------------------------------------------------------------------

LATE = {
    "slow headers": ("send", Reply.json({"ok": 1}, wait=20)),
    "a dripping body": ("send", Reply(200, JSON, [b" "] * 400, delay=0.05)),
    "a dripping error": ("send", Reply(500, JSON, [b" "] * 400, delay=0.05)),
    "a stream of comments": ("stream", Reply(200, SSE, [b": ping\n\n"] * 400, delay=0.05)),
    "a stream of content": ("stream", Reply(200, SSE, [b'data: {"type": "x"}\n\n'] * 400, delay=0.05)),
}


@pytest.mark.parametrize("name", LATE)
def test_the_deadline_ends_a_call(face: Any, provider: str, target: Any, name: str) -> None:
    how, reply = LATE[name]
    with serve(lambda _: reply) as server:
        began = time.monotonic()
        error = fails(face, target(server), provider, how, deadline=0.2)
        assert time.monotonic() - began < 10
    assert isinstance(error, errors.RequestTimeoutError)
    assert "deadline of 0.2 s" in str(error)
    assert error.attempts == len(server.requests) == 1


@pytest.mark.parametrize("write", [endless_continue, endless_head])
def test_the_deadline_ends_an_endless_head(face: Any, provider: str, target: Any, write: Any) -> None:
    with raw_server(write) as url:
        error = fails(face, target(url), provider, "send", deadline=0.2)
    assert isinstance(error, errors.RequestTimeoutError)


def test_a_connection_that_was_open_before_the_first_call_has_deadlines(provider: str) -> None:
    """Its reads cannot be limited any more: the pieces of the body are checked."""
    with serve(
        lambda request: Reply(200, JSON, [b" "] * (400 if request.method == "POST" else 1), delay=0.05)
    ) as server:
        with httpx2.Client() as mine:
            mine.get(server.url)
            error = fails(Sync(), to(provider, server, http_client=mine), provider, "send", deadline=0.2)
        assert server.connections == 1
    assert "deadline of 0.2 s" in str(error)


# --- sizes ------------------------------------------------------------------------------------------------------------


def bomb(first: bytes) -> list[bytes]:
    made = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return [made.compress(first + b" " * 4_000_000) + made.flush()]


PIECES = [b"x" * 50_000] * 40
LARGE = {
    "reply": ("send", lambda: Reply(200, JSON, [b'{"a": "', *PIECES]), errors.ReplyError, "max_reply_bytes"),
    "bomb": (
        "send", lambda: Reply(200, {**JSON, "content-encoding": "gzip"}, bomb(b"{")), errors.ReplyError,
        "max_reply_bytes",
    ),
    "error": ("send", lambda: Reply(500, JSON, PIECES), errors.ServerError, "500"),
    "page": ("stream", lambda: Reply(200, {"content-type": "text/html"}, PIECES), errors.ReplyError, "text/html"),
    "event": ("stream", lambda: Reply(200, SSE, [b"data: ", *PIECES]), errors.ReplyError, "max_event_bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_what_is_read_has_a_limit(face: Any, provider: str, target: Any, name: str) -> None:
    how, reply, kind, words = LARGE[name]
    with serve(lambda _: reply()) as server:
        error = fails(face, target(server), provider, how)
    assert isinstance(error, kind)
    assert words in str(error)


# --- redirects, and the caller's own use ------------------------------------------------------------------------------


def test_a_redirect_to_another_server_is_refused(face: Any, provider: str, target: Any) -> None:
    with serve(lambda _: Reply.json({})) as other:
        with serve(lambda _: Reply(307, {"location": f"{other.url}/v1?key=secret"})) as server:
            error = fails(face, target(server), provider, "send")
        assert other.requests == []
    assert isinstance(error, errors.ConfigurationError)
    assert "another server" in str(error)
    assert "secret" not in str(error)


def test_the_callers_own_requests_stay_as_they_are(provider: str) -> None:
    seen: list[int] = []
    mine = httpx2.Client(follow_redirects=True, event_hooks={"response": [lambda got: seen.append(got.status_code)]})
    with serve(lambda _: Reply(200, JSON, json.dumps({"a": "x" * 300_000}).encode())) as other:

        def answer(request: Any) -> Reply:
            return Reply.json({"ok": 1}) if request.method == "POST" else Reply(302, {"location": other.url})

        with serve(answer) as server:
            transport = to(provider, server, http_client=mine, network=Network(**SMALL))
            for _ in range(2):
                assert transport.send(call(provider)).data == {"ok": 1}
            assert len(mine.get(server.url).content) > 300_000
    assert seen == [200, 200, 302, 200]
    assert len(mine.event_hooks["response"]) == 2
    assert not mine.is_closed
    mine.close()


def test_a_client_with_a_network_of_its_own_is_used_as_it_is(provider: str) -> None:
    network = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"ok": 1}))
    transport = to(provider, "http://fake", http_client=httpx2.Client(transport=network))
    assert transport.send(call(provider, deadline=5)).data == {"ok": 1}
    assert isinstance(transport.config, TransportConfig)
