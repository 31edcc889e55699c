"""Servers that send without end. Each is called from a process of its own, whose memory is measured."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Iterator

import pytest

from langchain_unified import errors
from tests.support.server import Reply, serve
from tests.transport.faces import BASES

MB = 1_000_000
CHILD = textwrap.dedent(
    """
    import asyncio, json, os, resource, sys
    from langchain_unified import ChatAnthropic, ChatOpenAI, UnifiedError
    provider, base, cases, options = sys.argv[1], sys.argv[2], *map(json.loads, sys.argv[3:])
    kind, name = {"anthropic": (ChatAnthropic, "claude-opus-5"), "openai": (ChatOpenAI, "gpt-4o")}[provider]
    def memory(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    def call(url, way, **options):
        model = kind(model=name, api_key="k", base_url=url, max_retries=0, **options)
        async def astream():
            async for chunk in model.astream("hi"): pass
        ways = {"invoke": lambda: model.invoke("hi"), "stream": lambda: list(model.stream("hi")),
                "ainvoke": lambda: asyncio.run(model.ainvoke("hi")), "astream": lambda: asyncio.run(astream())}
        try:
            ways[way]()
            return "no error", ""
        except UnifiedError as error:
            return type(error).__name__, str(error)[:300]
    call("http://127.0.0.1:9", "stream")  # everything is imported
    asyncio.run(asyncio.sleep(0))
    for case, way in cases:
        if pid := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if code:
                print(json.dumps([case, way, "the process ended with", str(code), 0]), flush=True)
            continue
        before = memory()
        found = call(base.replace("CASE", case), way, **options)
        print(json.dumps([case, way, *found, memory() - before]), flush=True)
        os._exit(0)
    """
)


def endless(piece: bytes, first: bytes = b"") -> Iterator[bytes]:
    return itertools.chain([first], itertools.repeat(piece, 4000))


def bomb(first: bytes) -> Iterator[bytes]:
    """Zeros as gzip: a megabyte in a kilobyte."""
    made = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    yield made.compress(first) + made.flush(zlib.Z_SYNC_FLUSH)
    for _ in range(4000):
        yield made.compress(b" " * MB) + made.flush(zlib.Z_SYNC_FLUSH)


PIECE = b"x" * MB
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
SSE = {"content-type": "text/event-stream"}
HOSTILE = {
    "reply": (lambda: Reply(200, JSON, endless(PIECE, b'{"a": "')), "invoke", "ReplyError", "max_reply_bytes"),
    "bomb": (lambda: Reply(200, {**JSON, **GZIP}, bomb(b'{"a": "')), "invoke", "ReplyError", "max_reply_bytes"),
    "page": (lambda: Reply(200, {"content-type": "text/html"}, endless(PIECE)), "stream", "ReplyError", "text/html"),
    "error": (lambda: Reply(500, JSON, endless(PIECE)), "invoke", "ServerError", "500"),
    "error_bomb": (lambda: Reply(500, {**JSON, **GZIP}, bomb(b"")), "stream", "ServerError", "500"),
    "line": (lambda: Reply(200, SSE, endless(PIECE, b"data: ")), "stream", "ReplyError", "max_event_bytes"),
    "lines": (lambda: Reply(200, SSE, endless(b"data: x\n" * 100_000)), "stream", "ReplyError", "max_event_bytes"),
    "stream_bomb": (lambda: Reply(200, {**SSE, **GZIP}, bomb(b"data: ")), "stream", "ReplyError", "max_event_bytes"),
}
LIMITS = {"max_reply_bytes": 20 * MB, "max_event_bytes": 20 * MB}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forks of one that has imported everything")
@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_memory_has_a_limit(provider: str) -> None:
    cases = [(name, asynchronous + way) for name, (_, way, _, _) in HOSTILE.items() for asynchronous in ("", "a")]
    with serve(lambda request: HOSTILE[request.path.split("/")[1]][0]()) as server:
        arguments = [provider, f"{server.url}/CASE{BASES[provider]}", *map(json.dumps, (cases, LIMITS))]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stderr[-2000:]
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(name, way) for name, way, *_ in measured] == cases
    for name, way, found, message, grown in measured:
        _, _, error, words = HOSTILE[name]
        assert (found, words in message) == (error, True), (name, way, message)
        assert grown < 90, f"{name}, {way}: {grown} MB"


def test_the_defaults_are_documented() -> None:
    from langchain_unified.chat_models._fields import Connection

    for name in ("max_reply_bytes", "max_event_bytes", "max_error_bytes"):
        assert Connection.model_fields[name].default is None


def test_a_reply_within_the_limit_is_read(face, provider) -> None:
    from tests.transport.faces import call, to

    made = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    data = made.compress(json.dumps({"a": "x" * MB}).encode()) + made.flush()
    with serve(lambda _: Reply(200, {**JSON, **GZIP}, data)) as server:
        assert len(face.send(to(provider, server), call(provider)).data["a"]) == MB
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"
    broken = Reply(200, {**JSON, **GZIP}, b"this is no gzip" * 10)
    with serve(lambda _: broken) as server, pytest.raises(errors.UnifiedError):
        face.send(to(provider, server), call(provider))
