"""A process whose memory has a limit (`ulimit -v`): it raises an error of ours where orjson would crash it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.support.server import Reply, serve
from tests.transport.faces import BASES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit of an address space is tested on Linux")

CHILD = textwrap.dedent(
    """
    import os, resource, sys
    from langchain_unified import ChatAnthropic, ChatOpenAI, UnifiedError
    provider, url, way, *extras = sys.argv[1:]
    kind, name = {"anthropic": (ChatAnthropic, "claude-opus-5"), "openai": (ChatOpenAI, "gpt-4o")}[provider]
    model = kind(name, api_key="k", base_url=url, max_retries=2)
    call = {"invoke": model.invoke, "stream": lambda text: list(model.stream(text))}[way]
    try:
        kind(name, api_key="k", base_url="http://127.0.0.1:9", max_retries=0).invoke("everything is imported")
    except UnifiedError:
        pass
    for extra in extras:
        if pid := os.fork():
            print(extra, "ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
            continue
        with open("/proc/self/statm") as pages:
            size = int(pages.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + int(extra),) * 2)
        try:
            call("Hi")
            print("no error", flush=True)
        except UnifiedError as error:
            print(type(error).__name__, error, flush=True)
        os._exit(0)
    """
)
MB = 1_000_000
NUMBERS = b"[" + b"1," * (4 * MB) + b"1]"
"""8 MB of JSON, and 40 MB of memory. orjson 3.11 ends the process with SIGSEGV where the list does not fit."""


EXTRAS = [15 * MB, 30 * MB, 45 * MB]
"""Bytes that the process may take beyond what it has."""


@pytest.mark.parametrize("provider, way", [("anthropic", "invoke"), ("openai", "stream")])
def test_a_reply_that_the_memory_does_not_hold(provider: str, way: str) -> None:
    reply = {
        "invoke": Reply(200, {"content-type": "application/json"}, NUMBERS),
        "stream": Reply(200, {"content-type": "text/event-stream"}, [b'data: {"a": ', NUMBERS, b"}\n\n"]),
    }[way]
    with serve(lambda _: reply) as server:
        arguments = [provider, server.url + BASES[provider], way, *map(str, EXTRAS)]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, timeout=300, check=False
        )
        assert len(server.requests) == len(EXTRAS)  # an answer came, so nothing is sent again
    *lines, _ = done.stdout.split("\n")
    assert lines[1::2] == [f"{extra} ended with 0" for extra in EXTRAS], (lines, done.stderr[-500:])
    assert all(line.startswith("ReplyError") and "not enough memory" in line for line in lines[::2]), lines
