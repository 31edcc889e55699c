"""Certificates, the size of pools and the aiohttp backend, alike on both providers."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from langchain_unified import ChatAnthropic, ChatOpenAI, ConfigurationError, ConnectionFailedError, RequestTimeoutError
from langchain_unified.testing import Fault, emulator
from langchain_unified.transport import pools
from tests.support.replies import answer
from tests.support.server import Received, Reply, serve

MODELS: dict[str, tuple[type[Any], str, str]] = {
    "anthropic": (ChatAnthropic, "claude-opus-5", ""),
    "openai": (ChatOpenAI, "gpt-4o", "/v1"),
}
REPLIES = {
    "/v1/messages": {
        "id": "m", "type": "message", "role": "assistant", "model": "claude-opus-5", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "hello"}], "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    "/v1/chat/completions": {
        "id": "c", "object": "chat.completion", "model": "gpt-4o", "created": 1,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    },
}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(REPLIES[self.path]).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(authority: trustme.CA) -> Iterator[str]:
    """The address of a server with a certificate of `authority`, which asks its clients for one as well."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, Any]:
    bundle, both, cert, key = (tmp_path / name for name in ("ca.pem", "both.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(bundle)
    client = authority.issue_cert("client@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(both)
    client.private_key_pem.write_to_path(key)
    client.cert_chain_pems[0].write_to_path(cert)
    return {"ca_bundle": str(bundle), "one": str(both), "two": (str(cert), str(key))}


def model_at(name: str, url: str, **settings: Any) -> Any:
    cls, model, path = MODELS[name]
    return cls(model=model, base_url=url + path, api_key="k", max_retries=0, **settings)


def ask(model: Any, is_async: bool) -> str:
    return str((asyncio.run(model.ainvoke("hi")) if is_async else model.invoke("hi")).text)


@pytest.mark.parametrize("how", ["sync", "async", "aiohttp"])
@pytest.mark.parametrize("cert", ["one", "two"])
@pytest.mark.parametrize("name", MODELS)
def test_own_certificates(name: str, cert: str, how: str, secure: str, files: dict[str, Any]) -> None:
    settings = {"ca_bundle": files["ca_bundle"], "client_cert": files[cert]}
    settings["http_backend"] = "aiohttp" if how == "aiohttp" else "httpx"
    assert ask(model_at(name, secure, **settings), how != "sync") == "hello"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("missing", ["ca_bundle", "client_cert"])
def test_without_one_of_the_two_there_is_no_connection(
    name: str, missing: str, secure: str, files: dict[str, Any]
) -> None:
    settings = {"ca_bundle": files["ca_bundle"], "client_cert": files["one"]}
    del settings[missing]
    with pytest.raises(ConnectionFailedError):
        model_at(name, secure, **settings).invoke("hi")


@pytest.mark.parametrize("settings", [{"ca_bundle": "/none.pem"}, {"client_cert": "/none.pem"}], ids=["ca", "client"])
def test_a_file_that_is_missing_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"/none\.pem"):
        ChatOpenAI(model="gpt-4o", base_url="https://127.0.0.1:1/v1", api_key="k", **settings).invoke("hi")


@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
@pytest.mark.parametrize("name", MODELS)
def test_a_pool_opens_no_more_connections_than_allowed(name: str, backend: str) -> None:
    most, now, guard = 0, 0, threading.Lock()

    def slow(request: Received) -> Reply:
        nonlocal most, now
        with guard:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.02)
        with guard:
            now -= 1
        return answer(request)

    async def many(model: Any) -> None:
        await asyncio.gather(*(model.ainvoke("hi") for _ in range(20)))

    with serve(slow) as server:
        asyncio.run(many(model_at(name, server.url, max_connections=3, http_backend=backend)))
        assert len(server.requests) == 20
    assert most <= 3


@pytest.mark.parametrize("name", MODELS)
async def test_aiohttp_streams_fails_and_times_out_like_httpx(name: str) -> None:
    with emulator() as server:
        model = model_at(name, server.url, http_backend="aiohttp", timeout=0.5)
        assert "".join([chunk.text async for chunk in model.astream("Say hello.")])
        server.fail_next(Fault.refuse_connection())
        with pytest.raises(ConnectionFailedError):
            await model.ainvoke("hi")
        server.fail_next(Fault.stall(seconds=3))
        with pytest.raises(RequestTimeoutError):
            await model.ainvoke("hi")
        server.fail_next(Fault.redirect("https://other.example/"))
        with pytest.raises(ConfigurationError, match="redirects to"):
            await model.ainvoke("hi")


def test_equal_settings_share_a_pool() -> None:
    with serve(answer) as server:
        first, second = (model_at("openai", server.url, max_connections=5) for _ in range(2))
        first.invoke("hi")
        before = len(pools._SYNC)
        second.invoke("hi")
        assert len(pools._SYNC) == before


@pytest.mark.parametrize("settings", [{"max_connections": 0}, {"http_backend": "requests"}], ids=["size", "backend"])
def test_bad_settings_are_named_at_construction(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        ChatOpenAI(model="gpt-4o", api_key="k", **settings)
