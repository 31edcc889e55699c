from __future__ import annotations

import asyncio
import time

import anthropic
import openai
import pytest

from langchain_unified import errors
from tests.support.corpus import needs_corpus, sse_events, streams
from tests.support.server import Reply, serve
from tests.transport.faces import KEY, call, text_of, to

SDKS = {"anthropic": anthropic, "openai": openai}
EVENTS = {
    "anthropic": [
        {"type": "message_start", "message": {"id": "msg_1", "content": []}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "grüezi 🎈"}},
        {"type": "message_stop"},
    ],
    "openai": [
        {"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "grüezi 🎈"}}]},
        {"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "finish_reason": "stop"}]},
    ],
}
IN_STREAM = {
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    "openai": {"error": {"code": "server_overloaded", "message": "Overloaded", "type": "server_error"}},
}
REQUEST_ID = {"anthropic": {"request-id": "req_1"}, "openai": {"x-request-id": "req_1"}}


@pytest.mark.parametrize("size", [1, 7, None])
def test_events_come_out_whatever_the_chunks(face, provider, size):
    with serve(
        lambda _: Reply.sse(EVENTS[provider], REQUEST_ID[provider], size=size, done=provider == "openai")
    ) as server:
        got = face.stream(to(provider, server), call(provider))
    assert (got.events, got.error, got.request_id) == (EVENTS[provider], None, "req_1")
    assert server.requests[0].json["stream"] is True


def test_pings_and_comments_are_no_events(face):
    body = [b": hello\n\n", b'event: ping\ndata: {"type": "ping"}\n\n', b'data: {"type": "message_stop"}\n\n']
    with serve(lambda _: Reply(200, {"content-type": "text/event-stream; charset=utf-8"}, body)) as server:
        assert face.stream(to("anthropic", server), call("anthropic")).events == [{"type": "message_stop"}]


def test_the_request_body_is_left_alone(face, provider):
    body = {"model": "m", "messages": []}
    with serve(lambda _: Reply.sse(EVENTS[provider])) as server:
        face.stream(to(provider, server), call(provider, body=body))
    assert body == {"model": "m", "messages": []}


def test_a_compressed_stream_is_unpacked(face, provider):
    import gzip

    data = gzip.compress(b'data: {"type": "message_stop"}\n\n')
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    with serve(lambda _: Reply(200, headers, [data[:9], data[9:]])) as server:
        assert face.stream(to(provider, server), call(provider)).events == [{"type": "message_stop"}]


# --- errors on the way ------------------------------------------------------------------------------------------------


def test_an_error_event_is_raised_after_the_events_before_it(face, provider):
    first = EVENTS[provider][0]
    with serve(lambda _: Reply.sse([first, IN_STREAM[provider]], REQUEST_ID[provider])) as server:
        got = face.stream(to(provider, server), call(provider))
    assert got.events == [first]
    error = got.error
    assert isinstance(error, errors.OverloadedError)
    assert isinstance(error, SDKS[provider].APIError)
    code = IN_STREAM[provider]["error"].get("code") or "overloaded_error"
    assert str(error) == f"{provider} 200 {code}: Overloaded (request id req_1)"
    assert (error.status, error.status_code, error.code, error.request_id) == (200, 200, code, "req_1")
    assert error.is_retryable
    assert error.response.status_code == 200


@pytest.mark.parametrize(
    "event,expected",
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow"}, errors.RateLimitError),
        ({"type": "error", "code": "context_length_exceeded", "message": "long"}, errors.ContextOverflowError),
        ({"type": "error", "code": "some_new_code", "message": "?"}, errors.ServerError),
        (
            {"type": "response.failed", "response": {"error": {"code": "insufficient_quota", "message": "pay"}}},
            errors.BillingError,
        ),
        ({"type": "response.failed", "response": {"error": None}}, errors.ServerError),
        ({"error": {"code": 429, "message": "from a gateway"}, "choices": []}, errors.RateLimitError),
        (
            {"error": {"type": "invalid_request_error", "code": "unsupported_value", "message": "no"}},
            errors.InvalidRequestError,
        ),
    ],
)
def test_openai_error_events_are_classified(face, event, expected):
    with serve(lambda _: Reply.sse([event])) as server:
        got = face.stream(to("openai", server), call("openai"))
    assert type(got.error).__mro__[1] is expected
    assert isinstance(got.error, openai.APIError)


def test_a_payload_that_is_not_json_is_a_reply_error(face, provider):
    body = [b'data: {"ok": 1}\n\n', b"data: <html>oops\n\n"]
    with serve(lambda _: Reply(200, {"content-type": "text/event-stream"}, body)) as server:
        got = face.stream(to(provider, server), call(provider))
    assert got.events == [{"ok": 1}]
    assert isinstance(got.error, errors.ReplyError)
    assert "oops" in str(got.error)


def test_nothing_goes_out_after_a_broken_payload(face, provider):
    body = [b'data: {"n": 1}\n\ndata: {broken}\n\ndata: {"n": 3}\n\n']
    with serve(lambda _: Reply(200, {"content-type": "text/event-stream"}, body)) as server:
        got = face.stream(to(provider, server), call(provider))
    assert got.events == [{"n": 1}]
    assert isinstance(got.error, errors.ReplyError)


def test_numbers_that_strict_json_does_not_have_are_read_in_events(face, provider):
    body = [b'data: {"logprob": -Infinity}\n\ndata: [DONE]\n\n']
    with serve(lambda _: Reply(200, {"content-type": "text/event-stream"}, body)) as server:
        assert face.stream(to(provider, server), call(provider)).events == [{"logprob": float("-inf")}]


def test_a_cut_connection_is_a_connection_error(face, provider):
    with serve(lambda _: Reply.sse(EVENTS[provider][:1], cut=True)) as server:
        got = face.stream(to(provider, server), call(provider))
    assert got.events == EVENTS[provider][:1]
    assert isinstance(got.error, errors.ConnectionFailedError)
    assert isinstance(got.error, SDKS[provider].APIConnectionError)
    assert got.error.is_retryable
    assert "peer closed connection" in str(got.error)
    assert KEY not in text_of(got.error)


def test_a_clean_end_in_half_an_event_is_left_to_the_decoder(face, provider):
    body = [b'data: {"ok": 1}\n\n', b'data: {"half": ']
    with serve(lambda _: Reply(200, {"content-type": "text/event-stream"}, body)) as server:
        got = face.stream(to(provider, server), call(provider))
    assert (got.events, got.error) == ([{"ok": 1}], None)


@pytest.mark.parametrize(
    "reply,expected,words",
    [
        (Reply.json({"id": "c1", "choices": []}), errors.ReplyError, "did not stream"),
        (Reply.json({"error": {"message": "no", "code": "invalid_api_key"}}), errors.AuthenticationError, "no"),
        (Reply(200, {"content-type": "text/html"}, b"<html><body>Sign in</body></html>"), errors.ReplyError, "Sign in"),
    ],
)
def test_a_whole_answer_to_a_stream_request_says_so(face, provider, reply, expected, words):
    with serve(lambda _: reply) as server:
        got = face.stream(to(provider, server), call(provider))
    assert isinstance(got.error, expected)
    assert words in str(got.error)
    assert "<" not in str(got.error)


# --- time -------------------------------------------------------------------------------------------------------------


def test_pings_alone_end_at_the_idle_timeout(face, provider):
    pings = [b'event: ping\ndata: {"type": "ping"}\n\n', b": keep-alive\n\n"] * 50
    body = [b'data: {"type": "message_start"}\n\n', *pings]
    with serve(lambda _: Reply(200, {"content-type": "text/event-stream"}, body, delay=0.04)) as server:
        began = time.monotonic()
        got = face.stream(to(provider, server), call(provider, idle_timeout=0.2))
        took = time.monotonic() - began
        assert server.wait_disconnects()
    assert got.events == [{"type": "message_start"}]
    assert isinstance(got.error, errors.RequestTimeoutError)
    assert isinstance(got.error, SDKS[provider].APITimeoutError)
    assert "no content came for 0.2 s" in str(got.error)
    assert 0.15 < took < 3.5  # the pings go on for 4 s


def test_silence_ends_at_the_idle_timeout(face, provider):
    with serve(lambda _: Reply.sse(EVENTS[provider][:1], stall=5)) as server:
        began = time.monotonic()
        got = face.stream(to(provider, server), call(provider, idle_timeout=0.2))
        assert time.monotonic() - began < 4.5
        assert server.wait_disconnects()
    assert got.events == EVENTS[provider][:1]
    assert isinstance(got.error, errors.RequestTimeoutError)
    assert isinstance(got.error, SDKS[provider].APITimeoutError)
    assert "nothing came within 0.2 s" in str(got.error)


def test_content_resets_the_idle_timeout(face, provider):
    sent = [{"n": n} for n in range(8)]
    with serve(lambda _: Reply.sse(sent, delay=0.06)) as server:
        got = face.stream(to(provider, server), call(provider, idle_timeout=0.3))
    assert (got.events, got.error) == (sent, None)


def test_the_callers_own_time_is_not_idle_time():
    body = [b'data: {"n": 1}\n\n', b": ping\n\n", b": ping\n\n", b'data: {"n": 2}\n\n']
    with serve(lambda _: Reply(200, {"content-type": "text/event-stream"}, body, delay=0.03)) as server:
        seen = []
        with to("openai", server).stream(call("openai", idle_timeout=0.25)) as events:
            for event in events:
                seen.append(event["n"])
                time.sleep(0.4)
    assert seen == [1, 2]


def test_a_read_timeout_without_idle_timeout(face, provider):
    with serve(lambda _: Reply.sse(EVENTS[provider][:1], stall=5)) as server:
        got = face.stream(to(provider, server, timeout=0.2), call(provider))
    assert isinstance(got.error, errors.RequestTimeoutError)
    assert "read timeout" in str(got.error)


# --- leaving early ----------------------------------------------------------------------------------------------------


def endless(_: object) -> Reply:
    return Reply.sse([{"n": n} for n in range(400)], delay=0.02)


def test_leaving_a_stream_hangs_up(face, provider):
    with serve(endless) as server:
        assert face.first(to(provider, server), call(provider)) == {"n": 0}
        assert server.wait_disconnects(1, timeout=1)


def test_closing_a_stream_that_was_never_read_hangs_up(provider):
    with serve(endless) as server:
        to(provider, server).stream(call(provider)).close()
        assert server.wait_disconnects(1, timeout=1)

        async def run() -> None:
            await (await to(provider, server).astream(call(provider))).aclose()
            assert await asyncio.to_thread(server.wait_disconnects, 2, 1)

        asyncio.run(run())


def test_closing_the_generator_around_a_stream_hangs_up(provider):
    def around(target):
        with target.stream(call(provider)) as events:
            yield from events

    with serve(endless) as server:
        outer = around(to(provider, server))
        next(outer)
        outer.close()
        assert server.wait_disconnects(1, timeout=1)


async def test_cancelling_the_task_hangs_up(provider):
    with serve(endless) as server:
        target, begun = to(provider, server), asyncio.Event()

        async def run() -> None:
            async with await target.astream(call(provider)) as events:
                async for _ in events:
                    begun.set()

        task = asyncio.create_task(run())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.wait_disconnects, 1, 1)


async def test_cancelling_a_whole_call_hangs_up(provider):
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()

    def handler(_):
        loop.call_soon_threadsafe(arrived.set)
        return Reply.json({"ok": 1}, wait=5)

    with serve(handler) as server:
        task = asyncio.create_task(to(provider, server).asend(call(provider)))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.wait_disconnects, 1, 1)


async def test_aclose_from_another_task_ends_the_reader():
    with serve(lambda _: Reply.sse([{"n": 0}], stall=5)) as server:
        events = await to("openai", server).astream(call("openai"))
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in events:
                begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        await asyncio.sleep(0.05)
        await events.aclose()
        with pytest.raises(errors.ConnectionFailedError):
            await asyncio.wait_for(task, 2)
        assert await asyncio.to_thread(server.wait_disconnects, 1, 1)


def test_two_streams_at_once_do_not_mix(provider):
    with serve(lambda request: Reply.sse([{"who": request.json["model"], "n": n} for n in range(5)])) as server:
        target = to(provider, server)
        first = target.stream(call(provider, body={"model": "a"}))
        second = target.stream(call(provider, body={"model": "b"}))
        pairs = list(zip(first, second, strict=True))
    assert pairs == [({"who": "a", "n": n}, {"who": "b", "n": n}) for n in range(5)]


@needs_corpus
@pytest.mark.parametrize("endpoint", ["anthropic.messages", "openai.chat", "openai.responses"])
def test_recorded_streams_come_through_as_they_are(endpoint):
    recorded = streams(endpoint)[::7]
    bodies = iter([exchange["response"]["sse"] for exchange in recorded])
    provider = endpoint.split(".")[0]
    headers = {"content-type": "text/event-stream"}
    with serve(lambda _: Reply(200, headers, [next(bodies).encode()])) as server:
        target = to(provider, server)
        for exchange in recorded:
            with target.stream(call(provider)) as events:
                expected = [event for event in sse_events(exchange["response"]["sse"]) if event.get("type") != "ping"]
                assert list(events) == expected
    assert len(recorded) > 5
    assert server.connections == 1
