"""One layer of retries for both providers: how often, how long, until when, and what is never sent twice."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator

import anthropic
import openai
import pytest

from langchain_unified import errors
from tests.support.server import Reply, serve
from tests.transport.faces import BASES, KEY, Async, Sync, call, config, to

SLOW = {"error": {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "slow"}}
BUSY = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
OK = Reply.json({"ok": 1})
START = {"type": "message_start", "message": {}}
DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}
EMPTY = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}


def in_turn(*replies: Reply) -> Callable[[object], Reply]:
    """The replies one after another, the last one for ever."""
    rest = iter([*replies[:-1], *itertools.repeat(replies[-1], 50)])
    return lambda _: next(rest)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_unified.transport._retries.FIRST_WAIT", 0.01)


def fails(face, target, request, *, stream: bool) -> errors.UnifiedError:
    if stream:
        found = face.stream(target, request).error
        assert isinstance(found, errors.UnifiedError), found
        return found
    with pytest.raises(errors.UnifiedError) as caught:
        face.send(target, request)
    return caught.value


both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


# --- how often and how long -------------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("wait", ["3600", "4294967", "1e12", "Wed, 21 Oct 2115 07:28:00 GMT"])
def test_a_wait_beyond_the_limit_ends_the_call_at_once(face, provider, stream, wait):
    with serve(lambda _: Reply.json(SLOW, 429, {"retry-after": wait})) as server:
        began = time.monotonic()
        error = fails(face, to(provider, server, max_retries=2), call(provider), stream=stream)
        assert time.monotonic() - began < 2
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after > 3000
    assert (error.attempts, len(server.requests)) == (1, 1)


@both_ways
@pytest.mark.parametrize("limits", [{"max_retry_wait": 0.2}, {"deadline": 0.2}], ids=str)
@pytest.mark.parametrize("where", ["model", "call"])
def test_the_limit_is_the_users(face, provider, stream, limits, where):
    with serve(lambda _: Reply.json(SLOW, 429, {"retry-after": "0.5"})) as server:
        target = to(provider, server, max_retries=2, **(limits if where == "model" else {}))
        error = fails(face, target, call(provider, **(limits if where == "call" else {})), stream=stream)
    assert isinstance(error, errors.RateLimitError)
    assert (error.retry_after, error.attempts, len(server.requests)) == (0.5, 1, 1)


@both_ways
def test_a_wait_within_the_limit_is_waited(face, provider, stream):
    good = Reply.sse([DELTA]) if stream else OK
    with serve(in_turn(Reply.json(SLOW, 429, {"retry-after": "0.3"}), good)) as server:
        target = to(provider, server, max_retries=2, max_retry_wait=1.0)
        began = time.monotonic()
        if stream:
            assert face.stream(target, call(provider)).events == [DELTA]
        else:
            assert face.send(target, call(provider)).attempts == 2
        assert time.monotonic() - began >= 0.3
    assert len(server.requests) == 2
    assert [request.headers["x-stainless-retry-count"] for request in server.requests] == ["0", "1"]


@both_ways
@pytest.mark.parametrize("reply", [Reply.json(BUSY, status) for status in (408, 409, 429, 503, 529)])
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_each_failure_is_counted_once(face, provider, stream, reply, retries):
    with serve(lambda _: reply) as server:
        error = fails(face, to(provider, server, max_retries=retries), call(provider), stream=stream)
    assert (error.attempts, len(server.requests)) == (retries + 1, retries + 1)


@both_ways
@pytest.mark.parametrize(
    "body,status",
    [
        ({"error": {"code": "insufficient_quota", "message": "pay"}}, 429),
        ({"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}, 429),
        ({"error": {"type": "api_error", "message": "?"}}, 404),
        ({"error": {"code": "context_length_exceeded", "message": "?"}}, 500),
        ({"error": {"code": "image_too_large", "message": "?"}}, 500),
    ],
)
def test_a_permanent_failure_is_not_repeated(face, provider, stream, body, status):
    with serve(lambda _: Reply.json(body, status)) as server:
        error = fails(face, to(provider, server, max_retries=3), call(provider), stream=stream)
    assert not error.is_retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize("said,count", [("true", 3), ("false", 1)])
def test_the_server_may_say_whether_to_retry(face, provider, said, count):
    status = 400 if said == "true" else 503
    with serve(lambda _: Reply.json({}, status, {"x-should-retry": said})) as server:
        fails(face, to(provider, server, max_retries=2), call(provider), stream=False)
    assert len(server.requests) == count


def test_an_error_inside_a_200_is_repeated(face, provider):
    with serve(in_turn(Reply.json(BUSY), OK)) as server:
        assert face.send(to(provider, server, max_retries=2), call(provider)).attempts == 2
    assert len(server.requests) == 2


def test_an_answer_that_cannot_be_read_is_not_asked_for_again(face, provider):
    with serve(lambda _: Reply(200, {"content-type": "application/json"}, b"{")) as server:
        error = fails(face, to(provider, server, max_retries=2), call(provider), stream=False)
    assert isinstance(error, errors.ReplyError)
    assert (error.attempts, len(server.requests)) == (1, 1)


@pytest.mark.parametrize("retries", [0, 3])
@pytest.mark.parametrize("provider,kinds", [("anthropic", (anthropic.Anthropic, anthropic.AsyncAnthropic)),
                                            ("openai", (openai.OpenAI, openai.AsyncOpenAI))])  # fmt: skip
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_given_clients_retries_are_ours(provider, kinds, retries, asynchronous):
    with serve(lambda _: Reply.json(SLOW, 429)) as server:
        client = kinds[asynchronous](api_key=KEY, base_url=server.url + BASES[provider], max_retries=retries)
        given = {"async_client" if asynchronous else "client": client}
        target = to(provider, server, max_retries=None, **given)
        fails(Async() if asynchronous else Sync(), target, call(provider), stream=False)
    assert len(server.requests) == retries + 1


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [[], [START], [START, EMPTY], [START, {"type": "ping"}, EMPTY]], ids=len)
def test_a_stream_that_fails_before_its_content_is_asked_for_again(face, provider, before):
    with serve(in_turn(Reply.sse([*before, BUSY]), Reply.sse([START, DELTA]))) as server:
        got = face.stream(to(provider, server, max_retries=1), call(provider))
    assert (got.error, got.events) == (None, [START, DELTA])
    assert len(server.requests) == 2


def test_a_stream_that_fails_for_ever(face, provider):
    with serve(lambda _: Reply.sse([START, BUSY])) as server:
        got = face.stream(to(provider, server, max_retries=2), call(provider))
    assert isinstance(got.error, errors.OverloadedError)
    assert got.events == [START]
    assert (got.error.attempts, len(server.requests)) == (3, 3)


def test_a_stream_that_fails_after_its_content_is_not(face, provider):
    with serve(lambda _: Reply.sse([START, DELTA, BUSY])) as server:
        got = face.stream(to(provider, server, max_retries=2), call(provider))
    assert isinstance(got.error, errors.OverloadedError)
    assert got.events == [START, DELTA]
    assert len(server.requests) == 1


def test_a_connection_that_breaks_before_the_content(face, provider):
    broken = Reply.sse([START], cut=True)
    with serve(in_turn(broken, Reply.sse([START, DELTA]))) as server:
        got = face.stream(to(provider, server, max_retries=1), call(provider))
    assert (got.error, got.events) == (None, [START, DELTA])
    assert len(server.requests) == 2


# --- the deadline -----------------------------------------------------------------------------------------------------


def drip(events: int = 200) -> Iterator[bytes]:
    for _ in range(events):
        yield b" "


HOSTILE = {
    "slow headers": Reply.json({"ok": 1}, wait=5),
    "a dripping body": Reply(200, {"content-type": "application/json"}, [b" "] * 200, delay=0.05),
    "a dripping error": Reply(500, {"content-type": "application/json"}, [b" "] * 200, delay=0.05),
    "failures": Reply.json(SLOW, 429, {"retry-after": "0.15"}),
}


@both_ways
@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE)
def test_the_deadline_ends_a_call(face, provider, stream, reply):
    with serve(lambda _: reply) as server:
        target = to(provider, server, max_retries=20, timeout=30.0)
        began = time.monotonic()
        error = fails(face, target, call(provider, deadline=0.4), stream=stream)
        took = time.monotonic() - began
    assert took < 1.5
    assert error.is_retryable
    assert isinstance(error, errors.RateLimitError if reply is HOSTILE["failures"] else errors.RequestTimeoutError)
    assert error.attempts == len(server.requests)
    if isinstance(error, errors.RequestTimeoutError):
        assert "deadline of 0.4 s" in str(error)


@pytest.mark.parametrize("pieces", [[b": ping\n\n"], [b"data: {}\n\n"], [b"x"]], ids=["comments", "empty", "no line"])
def test_the_deadline_ends_a_stream(face, provider, pieces):
    reply = Reply(200, {"content-type": "text/event-stream"}, pieces * 200, delay=0.05)
    with serve(lambda _: reply) as server:
        began = time.monotonic()
        got = face.stream(to(provider, server, timeout=30.0, deadline=0.4), call(provider))
        took = time.monotonic() - began
    assert took < 1.5
    assert isinstance(got.error, errors.RequestTimeoutError)
    assert "deadline of 0.4 s" in str(got.error)


def test_the_deadline_counts_for_content_too(face, provider):
    with serve(lambda _: Reply.sse([DELTA] * 200, delay=0.05)) as server:
        got = face.stream(to(provider, server, deadline=0.5), call(provider))
    assert isinstance(got.error, errors.RequestTimeoutError)
    assert 0 < len(got.events) < 30


def test_a_call_in_time_knows_nothing_of_its_deadline(face, provider):
    with serve(lambda _: OK) as server:
        target = to(provider, server, deadline=5.0)
        assert face.send(target, call(provider)).data == {"ok": 1}
    with serve(lambda _: Reply.sse([DELTA] * 3)) as server:
        got = face.stream(to(provider, server, deadline=5.0), call(provider))
    assert (got.error, got.events) == (None, [DELTA] * 3)


@contextlib.contextmanager
def raw_server(write: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads a request's head and then writes what it likes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(65536)
                with contextlib.suppress(OSError), connection:
                    write(connection)

    threading.Thread(target=run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def endless_continue(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def endless_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"x-a: b\r\n")
        time.sleep(0.05)


@both_ways
@pytest.mark.parametrize("write", [endless_continue, endless_head])
def test_the_deadline_ends_an_endless_head(face, provider, stream, write):
    with raw_server(write) as url:
        began = time.monotonic()
        target = to(provider, url, timeout=30.0, deadline=0.5, max_retries=0)
        error = fails(face, target, call(provider), stream=stream)
    assert time.monotonic() - began < 1.5
    assert isinstance(error, errors.RequestTimeoutError)


def test_endless_empty_deltas_are_no_content(face, provider):
    empty = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
    chunk = {"choices": [{"index": 0, "delta": {"content": ""}}]}
    for event in (empty, chunk, {"type": "response.output_text.delta", "delta": ""}, {"type": "response.in_progress"}):
        with serve(lambda _, event=event: Reply.sse([event] * 400, delay=0.02)) as server:
            got = face.stream(to(provider, server), call(provider, idle_timeout=0.3))
        assert isinstance(got.error, errors.RequestTimeoutError), event
        assert "no content came for 0.3 s" in str(got.error)


def test_config_of_deadlines_is_checked_by_the_model():
    assert config("openai", "http://x", deadline=1.0).deadline == 1.0
