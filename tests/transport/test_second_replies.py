"""Bytes behind a reply: they are never the next call's answer, whatever opened the connection."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from langchain_unified import errors
from langchain_unified.testing import Emulator, Fault, emulator
from langchain_unified.transport._reuse import _has_unread_bytes
from tests.support.models import build
from tests.transport.faces import call, to


@pytest.fixture(scope="module")
def server() -> Any:
    with emulator() as running:
        yield running


def given(name: str, server: Emulator) -> Any:
    return build(name, server, http_client=httpx2.Client())


@pytest.mark.parametrize("name", ["anthropic", "chat"])
@pytest.mark.parametrize("make", [build, given], ids=["ours", "given"])
def test_the_next_call_gets_its_own_answer(name: str, make: Callable[..., Any], server: Emulator) -> None:
    model = make(name, server)
    server.requests.clear()
    server.fail_next(Fault.second_reply(seconds=20))
    assert [model.invoke(f"question {number}").text for number in range(3)] == [
        f"You said: question {number}" for number in range(3)
    ]
    assert len(server.requests) == 3


@contextlib.contextmanager
def answering_twice() -> Iterator[str]:
    """A server, also a proxy, that answers each request two times, with its number."""
    numbers = itertools.count()

    def serve(connection: socket.socket) -> None:
        while head := connection.recv(65536):
            head, _, body = head.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
            data = json.dumps({"number": next(numbers)}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(data), data) * 2)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), connection:
                    serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_proxy_that_answers_twice(face: Any, provider: str) -> None:
    with answering_twice() as proxy:
        target = to(provider, "http://elsewhere.invalid", proxy=proxy)
        first, *others = (face.send(target, call(provider)).data["number"] for _ in range(3))
    assert others == [first + 1, first + 2]


def test_a_connection_without_such_bytes_is_used_again(server: Emulator) -> None:
    client = httpx2.Client()
    model = build("anthropic", server, http_client=client)
    for number in range(3):
        model.invoke(f"question {number}")
    pool: Any = client._transport._pool  # type: ignore[attr-defined]
    (connection,) = pool.connections
    assert "Request Count: 3" in repr(connection)
    assert not _has_unread_bytes(connection)


def test_more_headers_than_a_client_takes_are_named(server: Emulator) -> None:
    server.fail_next(Fault.header_flood())
    with pytest.raises(
        errors.ReplyError, match=r"headers of the reply from http://127\.0\.0\.1:\d+/v1/messages are larger"
    ):
        build("anthropic", server, max_retries=2).invoke("Hi")
