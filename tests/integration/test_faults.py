"""Every fault that the emulator can play, against every class: whole and streamed, sync and async."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.exceptions import ModelError

from langchain_unified import (
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
from tests.support.models import build, each_class

# What is played, what a whole call raises, what a stream raises; `None`: nothing, the answer is right.
FAULTS: dict[str, tuple[Fault, type[UnifiedError] | None, type[UnifiedError] | None]] = {
    "rate limit": (Fault.rate_limit(retry_after=7), RateLimitError, RateLimitError),
    "500": (Fault.server_error(), ServerError, ServerError),
    "overloaded": (Fault.overloaded(), OverloadedError, OverloadedError),
    "html page": (Fault.html(502), ServerError, ServerError),
    "malformed json": (Fault.malformed_json(), ReplyError, ReplyError),
    "refused connection": (Fault.refuse_connection(), ConnectionFailedError, ConnectionFailedError),
    "cut": (Fault.cut(after_bytes=60), ConnectionFailedError, ConnectionFailedError),
    "no final event": (Fault.clean_end_without_final(), UnifiedError, IncompleteStreamError),
    "overloaded in mid-stream": (Fault.overloaded_mid_stream(after_events=3), None, OverloadedError),
    "slow drip": (Fault.drip(delay=0.001, size=50), None, None),
}


async def outcome(call: Callable[[], Any]) -> BaseException | None:
    """What a call raised; `None` when it answered."""
    try:
        result = call()
        if hasattr(result, "__await__"):
            await result
    except UnifiedError as error:
        return error
    return None


@each_class
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault(name: str, fault: str, server: Emulator) -> None:
    played, whole, streamed = FAULTS[fault]
    model = build(name, server)

    async def astream() -> list[Any]:
        return [chunk async for chunk in model.astream("one two three four")]

    calls: list[tuple[Callable[[], Any], type[UnifiedError] | None]] = [
        (lambda: model.invoke("one two three four"), whole),
        (lambda: model.ainvoke("one two three four"), whole),
        (lambda: list(model.stream("one two three four")), streamed),
        (astream, streamed),
    ]
    for call, expected in calls:
        if expected is None and fault == "overloaded in mid-stream":
            continue  # a whole reply has no middle; the emulator then refuses the request like any overload
        server.fail_next(played)
        error = await outcome(call)
        if expected is None:
            assert error is None
            continue
        assert isinstance(error, expected)
        assert isinstance(error, ModelError)
        assert error.is_retryable
        assert error.provider in ("anthropic", "openai")
    assert model.invoke("still there?").text


@each_class
def test_retry_after_is_told_in_seconds(name: str, server: Emulator) -> None:
    for fault, seconds in ((Fault.rate_limit(retry_after=7), 7), (Fault.rate_limit(retry_after_ms=1500), 1.5)):
        server.fail_next(fault)
        with pytest.raises(RateLimitError) as caught:
            build(name, server).invoke("hi")
        assert caught.value.retry_after == seconds
        assert caught.value.status == 429
        assert caught.value.request_id


@each_class
def test_a_broken_stream_keeps_what_had_come(name: str, server: Emulator) -> None:
    server.fail_next(Fault.overloaded_mid_stream(after_events=6))
    with pytest.raises(OverloadedError) as caught:
        list(build(name, server).stream("one two three four five six"))
    assert caught.value.partial is not None


@each_class
@pytest.mark.parametrize("fault", [Fault.stall(seconds=3), Fault.pings_only(seconds=3)], ids=["stall", "pings"])
def test_silence_ends(name: str, fault: Fault, server: Emulator) -> None:
    """A stream without content ends after `stream_chunk_timeout`, though pings may go on."""
    server.fail_next(fault)
    with pytest.raises((RequestTimeoutError, ConnectionFailedError)) as caught:
        list(build(name, server, stream_chunk_timeout=0.3, timeout=5).stream("hi"))
    assert caught.value.is_retryable


@each_class
def test_the_sdk_retries_before_the_first_byte(name: str, server: Emulator) -> None:
    server.fail_next(Fault.rate_limit(retry_after_ms=1), times=2)
    assert build(name, server, max_retries=2).invoke("hi").text
    assert len(server.requests) == 3


@each_class
def test_random_faults_are_repeatable(name: str) -> None:
    def run() -> list[bool]:
        with emulator(faults={"rate": 0.5, "kinds": ["overloaded"], "seed": 7}) as server:
            model = build(name, server)
            return [isinstance(_outcome(model), OverloadedError) for _ in range(8)]

    first = run()
    assert first == run()
    assert True in first
    assert False in first


def _outcome(model: Any) -> Any:
    try:
        return model.invoke("hi")
    except UnifiedError as error:
        return error
