"""Every fault of the emulator on each API, in five ways to call: class, attempts, requests, and the partial message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from langchain_unified import (
    ConfigurationError,
    ConnectionFailedError,
    IncompleteStreamError,
    OverloadedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    ServerError,
    UnifiedError,
)
from langchain_unified.testing import Emulator, Fault, emulator
from langchain_unified.testing.emulation.faults import FAULT_KINDS
from langchain_unified.transport import _retries
from tests.support.models import build

QUESTION = "one two three four five six"


@dataclass(frozen=True)
class Outcome:
    """How a call ends whose first requests fail. `error=None`: in the answer.

    `repeated`: the failed request is sent again. `partial`: the error has what came before.
    """

    error: type[UnifiedError] | None = None
    repeated: bool = False
    partial: bool = False


ANSWER = Outcome()
REFUSED = Outcome(ConfigurationError)


def both(error: type[UnifiedError]) -> tuple[Outcome, Outcome]:
    """Whole and streamed, the request fails before any content, and is repeated."""
    return Outcome(error, repeated=True), Outcome(error, repeated=True)


# The fault, and the outcome of a whole and of a streamed call.
FAULTS: dict[str, tuple[Fault, tuple[Outcome, Outcome]]] = {
    "rate_limit": (Fault.rate_limit(retry_after_ms=1), both(RateLimitError)),
    "server_error": (Fault.server_error(), both(ServerError)),
    "overloaded": (Fault.overloaded(), both(OverloadedError)),
    "overloaded_mid_stream": (
        Fault.overloaded_mid_stream(after_events=6),
        (Outcome(OverloadedError, repeated=True), Outcome(OverloadedError, partial=True)),
    ),
    "overloaded_mid_stream before content": (Fault.overloaded_mid_stream(after_events=0), both(OverloadedError)),
    "cut before content": (Fault.cut(after_bytes=60), both(ConnectionFailedError)),
    "cut": (
        Fault.cut(after_bytes=1400),
        (Outcome(ConnectionFailedError, repeated=True), Outcome(ConnectionFailedError, partial=True)),
    ),
    # An answer came, though not a whole one: it is paid for, and is not asked for again.
    "clean_end_without_final": (
        Fault.clean_end_without_final(),
        (Outcome(ReplyError), Outcome(IncompleteStreamError, partial=True)),
    ),
    "malformed_json": (
        Fault.malformed_json(after_events=8),
        (Outcome(ReplyError), Outcome(ReplyError, partial=True)),
    ),
    "drip": (Fault.drip(delay=0.001, size=200), (ANSWER, ANSWER)),
    "html": (Fault.html(), both(ServerError)),
    "stays_open": (Fault.stays_open(seconds=20), (ANSWER, ANSWER)),
    "bad_close": (Fault.bad_close(), (ANSWER, ANSWER)),
    "endless": (Fault.endless(size=2**20), (Outcome(ReplyError), Outcome(IncompleteStreamError))),
    "endless error": (Fault.endless(size=2**20, status=502), both(ServerError)),
    "gzip_bomb": (Fault.gzip_bomb(size=2**20), (Outcome(ReplyError), Outcome(ReplyError))),
    "header_flood": (Fault.header_flood(size=200_000), (Outcome(ReplyError), Outcome(ReplyError))),
    "second_reply": (Fault.second_reply(seconds=20), (ANSWER, ANSWER)),
    "refuse_connection": (Fault.refuse_connection(), both(ConnectionFailedError)),
    "redirect": (Fault.redirect("http://127.0.0.1:9/v1"), (REFUSED, REFUSED)),
    "lost_answer": (Fault.lost_answer(), both(ConnectionFailedError)),
    "http": (Fault.http(500, {"error": {"message": "no"}}), both(ServerError)),
}
SILENT = {
    "stall": Fault.stall(seconds=20, after_events=6),
    "pings_only": Fault.pings_only(seconds=20, after_events=6),
    "empty_events": Fault.empty_events(seconds=20, after_events=6),
}
"""Faults that end by the timeout, so that each costs its time."""
BEFORE_THE_ANSWER = {
    "endless_continue": Fault.endless_continue(seconds=20),
    "slow_headers": Fault.slow_headers(seconds=20),
}
"""Faults that go on with bytes for ever, so that only the deadline ends them."""


async def _events(model: Any) -> Any:
    stream = await model.astream_events(QUESTION, version="v3")
    return await stream.output


async def _chunks(model: Any) -> Any:
    return [chunk async for chunk in model.astream(QUESTION)]


async def _in_thread(call: Callable[[], Any]) -> Any:
    return call()


CALLS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "invoke": lambda model: _in_thread(lambda: model.invoke(QUESTION)),
    "ainvoke": lambda model: model.ainvoke(QUESTION),
    "stream": lambda model: _in_thread(lambda: list(model.stream(QUESTION))),
    "astream": _chunks,
    "events v3": _events,
}
WIRES = ("anthropic", "chat", "responses")
CUTS = {"anthropic": 1400, "chat": 1900, "responses": 4000}
"""Bytes of a stream of each API after which some of the text was sent, and some was not."""
each_wire = pytest.mark.parametrize("name", WIRES)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Emulator]:
    with emulator() as running:
        yield running


@pytest.fixture
def server(shared_server: Emulator) -> Emulator:
    """The same emulator for all tests: to start one takes longer than a call."""
    shared_server.requests.clear()
    return shared_server


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr(_retries, "FIRST_WAIT", 0.001)


def test_every_fault_is_here() -> None:
    assert {name.split()[0] for name in (*FAULTS, *SILENT, *BEFORE_THE_ANSWER)} == {*FAULT_KINDS, "endless"}


def _played(fault: str, name: str) -> Fault:
    return Fault.cut(CUTS[name]) if fault == "cut" else FAULTS[fault][0]


def _calls(server: Emulator) -> Iterator[str]:
    """Every way to call, each with an emulator that has seen nothing yet."""
    for how in CALLS:
        server.requests.clear()
        yield how


@each_wire
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("no_waits")
async def test_the_fault_of_one_request(name: str, fault: str, server: Emulator) -> None:
    model = build(name, server, max_retries=2)
    for how in _calls(server):
        expected = FAULTS[fault][1]["invoke" not in how]
        server.fail_next(_played(fault, name))
        if expected.error is None or expected.repeated:
            assert await CALLS[how](model), how
        else:
            _check(await _error(how, model), expected, attempts=1)
        assert len(server.requests) == (2 if expected.repeated else 1), how


@each_wire
@pytest.mark.parametrize("fault", [name for name, (_, outcomes) in FAULTS.items() if any(o.repeated for o in outcomes)])
@pytest.mark.usefixtures("no_waits")
async def test_the_fault_of_every_request(name: str, fault: str, server: Emulator) -> None:
    model = build(name, server, max_retries=2)
    for how in _calls(server):
        expected = FAULTS[fault][1]["invoke" not in how]
        attempts = 3 if expected.repeated else 1
        server.fail_next(_played(fault, name), times=attempts)
        _check(await _error(how, model), expected, attempts)
        assert len(server.requests) == attempts, how


@each_wire
@pytest.mark.parametrize("fault", SILENT)
async def test_silence(name: str, fault: str, server: Emulator) -> None:
    model = build(name, server, timeout=0.5, stream_chunk_timeout=0.5)
    for how in ("ainvoke", "stream", "events v3"):
        server.fail_next(SILENT[fault])
        expected = Outcome(RequestTimeoutError, partial="invoke" not in how)
        _check(await _error(how, model), expected, attempts=1)


@each_wire
@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
@pytest.mark.parametrize("fault", BEFORE_THE_ANSWER)
async def test_bytes_before_the_answer(name: str, fault: str, backend: str, server: Emulator) -> None:
    ways = ("ainvoke", "events v3") if backend == "aiohttp" else ("invoke", "ainvoke", "stream")
    model = build(name, server, deadline=0.4, http_backend=backend)
    for how in ways:
        server.fail_next(BEFORE_THE_ANSWER[fault])
        _check(await _error(how, model), Outcome(RequestTimeoutError), attempts=1)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("no_waits")
async def test_the_faults_with_aiohttp(fault: str, server: Emulator) -> None:
    name = WIRES[list(FAULTS).index(fault) % len(WIRES)]
    model = build(name, server, max_retries=2, http_backend="aiohttp")
    for how in ("ainvoke", "astream"):
        server.requests.clear()
        expected = FAULTS[fault][1][how == "astream"]
        server.fail_next(_played(fault, name))
        if expected.error is None or expected.repeated:
            assert await CALLS[how](model), how
        else:
            _check(await _error(how, model), expected, attempts=1)
        assert len(server.requests) == (2 if expected.repeated else 1), how


@each_wire
@pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
async def test_a_second_reply_is_never_the_answer_of_the_next_call(name: str, backend: str, server: Emulator) -> None:
    model = build(name, server, http_backend=backend)
    ways = ("ainvoke", "astream") if backend == "aiohttp" else ("invoke", "ainvoke", "stream", "astream")
    for how in ways:
        server.requests.clear()
        server.fail_next(Fault.second_reply(seconds=20))
        answers = [await ASK[how](model, f"question {number}") for number in range(3)]
        assert answers == [f"You said: question {number}" for number in range(3)], how
        assert len(server.requests) == 3


async def _joined(chunks: Any) -> str:
    return "".join([chunk.text async for chunk in chunks])


async def _text(answer: Any) -> str:
    return str((await answer).text)


ASK: dict[str, Callable[[Any, str], Awaitable[str]]] = {
    "invoke": lambda model, question: _in_thread(lambda: model.invoke(question).text),
    "ainvoke": lambda model, question: _text(model.ainvoke(question)),
    "stream": lambda model, question: _in_thread(lambda: "".join(chunk.text for chunk in model.stream(question))),
    "astream": lambda model, question: _joined(model.astream(question)),
}


async def _error(how: str, model: Any) -> UnifiedError:
    with pytest.raises(UnifiedError) as caught:
        await CALLS[how](model)
    return caught.value


def _check(error: UnifiedError, expected: Outcome, attempts: int) -> None:
    assert expected.error is not None
    assert isinstance(error, expected.error)
    assert error.attempts == attempts
    assert (error.partial is not None and bool(error.partial.text)) == expected.partial
    assert error.provider in ("anthropic", "openai")
