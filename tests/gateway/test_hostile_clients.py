"""Clients that mean harm or are broken: a clear 4xx in their protocol, nothing forwarded, nothing leaked."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from langchain_unified.gateway import protocol
from tests.gateway.running import UPSTREAM_KEY, Running, gateway

HI = [{"role": "user", "content": "hi"}]
PATHS = ("/v1/messages", "/v1/chat/completions", "/v1/responses")
JSON = {"content-type": "application/json"}
each_path = pytest.mark.parametrize("path", PATHS)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with gateway(gateway_settings={"max_body_mb": 1, "body_timeout": 1}) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_is_forwarded(running: Running) -> Iterator[None]:
    before = len(running.sent)
    yield
    assert len(running.sent) == before


def checked(answer: httpx2.Response, path: str, status: int) -> str:
    """The message of an error in the client's protocol."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert ("type" in body) == ("messages" in path)
    assert UPSTREAM_KEY not in answer.text
    assert "Traceback" not in answer.text
    return str(body["error"]["message"])


def raw(running: Running, data: bytes, *, wait: float = 5) -> bytes:
    """The answer to these bytes, until the server closes or nothing more comes."""
    host, _, port = running.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        connection.sendall(data)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except TimeoutError:
            pass
        return received


# --- bodies -----------------------------------------------------------------------------------------------------------


@each_path
@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"model": "claude", "messages": [NaN]}', "not valid JSON"),
        (b'{"model": "\xff\xfe"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "not valid JSON"),
        (b"[1, 2]", "JSON object"),
        (b'"text"', "JSON object"),
        (b"{}", "model"),
        (b'{"model": 5}', "model"),
        (b'{"model": ""}', "model"),
    ],
)
def test_a_broken_body_is_named(running: Running, path: str, data: bytes, words: str) -> None:
    message = checked(httpx2.post(running.url + path, content=data, headers=JSON), path, 400)
    assert words in message


@each_path
@pytest.mark.parametrize("key", ["api_base", "base_url", "api_key", "custom_llm_provider"])
def test_no_client_says_where_a_call_goes(running: Running, path: str, key: str) -> None:
    # LiteLLM, CVE-2024-6587: a client's api_base got the provider's key.
    body = {"model": "claude", "messages": HI, "input": "hi", "max_tokens": 5, key: "http://127.0.0.1:1/steal"}
    assert key in checked(httpx2.post(running.url + path, json=body), path, 400)


@each_path
@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"]
)
def test_other_content_types_are_refused(running: Running, path: str, media: str) -> None:
    # A page in a browser may send these to another origin without asking it.
    answer = httpx2.post(running.url + path, content=b'{"model": "claude"}', headers={"content-type": media})
    assert "application/json" in checked(answer, path, 415)


@each_path
def test_a_body_that_is_too_large_is_refused(running: Running, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    announced = f"{head}Content-Length: 1500000\r\n\r\n".encode()
    assert raw(running, announced + b"x" * 1_500_000).startswith(b"HTTP/1.1 413")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 20 + b"0\r\n\r\n"
    assert raw(running, chunked).startswith(b"HTTP/1.1 413")


@each_path
def test_a_slow_body_is_given_up(running: Running, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
    assert raw(running, head.encode()).startswith(b"HTTP/1.1 408")


# --- heads ------------------------------------------------------------------------------------------------------------


def test_a_head_that_does_not_end_is_given_up(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    begun = time.monotonic()
    answer = raw(running, b"POST /v1/messages HTTP/1.1\r\nHost: local")
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 4


def test_a_flood_of_headers_is_refused(running: Running) -> None:
    one = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n"
    many = one + b"".join(b"x-%d: a\r\n" % number for number in range(500)) + b"\r\n"
    assert raw(running, many).startswith(b"HTTP/1.1 431")
    long = one + b"x: " + b"a" * 100_000
    assert raw(running, long).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/messages HTTP/1.1\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_smuggled_head_is_refused(running: Running, head: bytes) -> None:
    assert raw(running, head, wait=2).startswith(b"HTTP/1.1 400")


def test_a_foreign_host_name_is_refused_without_a_master_key(running: Running) -> None:
    # DNS rebinding: a page's own host name, which now means this machine.
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example"):
        answer = httpx2.get(running.url + "/v1/models", headers={"host": host})
        assert answer.status_code == 421
    for host in ("localhost:4000", "0.0.0.0:4000", "127.0.0.1", "[::1]:4000"):
        assert httpx2.get(running.url + "/v1/models", headers={"host": host}).status_code == 200


def test_no_header_changes_the_address(running: Running) -> None:
    # LiteLLM, CVE-2026-49468: the path was taken from a URL that Host had a part in.
    for name in ("x-forwarded-path", "x-original-url", "x-rewrite-url", "x-forwarded-prefix"):
        answer = httpx2.get(running.url + "/v1/nothing", headers={name: "/v1/models"})
        assert answer.status_code == 404
    assert httpx2.get(running.url + "/v1/%2e%2e/v1/models").status_code == 404


def test_methods_that_an_address_does_not_take(running: Running) -> None:
    for path in PATHS[:2]:
        assert httpx2.get(running.url + path).status_code == 405
    assert httpx2.request("OPTIONS", running.url + "/v1/messages").status_code == 405


def test_a_failure_of_the_gateway_says_nothing_of_itself(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError(f"secret {UPSTREAM_KEY}")

    monkeypatch.setattr("langchain_unified.gateway.serving._attempt_name", fail)
    body = {"model": "claude", "messages": HI, "max_tokens": 5}
    message = checked(httpx2.post(running.url + "/v1/messages", json=body), "/v1/messages", 500)
    assert "secret" not in message
    from langchain_unified.gateway.logs import JsonFormatter

    lines = [JsonFormatter().format(record) for record in caplog.records if record.name == "langchain_unified.gateway"]
    assert any(json.loads(line).get("error") == "RuntimeError" for line in lines)
    assert UPSTREAM_KEY not in "".join(lines)
