"""What happens to a call between its first and its last byte: drips, faults, fallbacks, clients that leave."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from langchain_unified.testing import Fault
from tests.gateway.running import Running, entry, gateway, until

HI = [{"role": "user", "content": "hi"}]
LONG = " ".join(f"word{number}" for number in range(12))

CALLS = {
    "messages": ("/v1/messages", {"max_tokens": 50, "messages": HI}),
    "chat": ("/v1/chat/completions", {"messages": HI}),
    "responses": ("/v1/responses", {"input": "hi"}),
}
CELLS = [(api, model) for api in CALLS for model in ("claude", "gpt")]
each_cell = pytest.mark.parametrize("api, model", CELLS)


def body_of(api: str, model: str, **more: Any) -> tuple[str, dict[str, Any]]:
    path, body = CALLS[api]
    return path, {"model": model, **body, **more}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with gateway(lambda request: LONG, general_settings={}) as found:
        yield found


@pytest.fixture(scope="module")
def http(running: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url, timeout=30) as client:
        yield client


# --- streams ----------------------------------------------------------------------------------------------------------


@each_cell
def test_a_dripping_stream_drips(running: Running, http: httpx2.Client, api: str, model: str) -> None:
    path, body = body_of(api, model, stream=True)
    http.post(path, json=body)  # imports
    running.upstream.fail_next(Fault.drip(0.05))
    arrivals: list[float] = []
    with http.stream("POST", path, json=body) as answer:
        for part in answer.iter_raw():
            arrivals += [time.monotonic()] * part.count(b"word")
    # Twelve words, one each 50 ms: in one burst they would be together.
    assert len(arrivals) >= 12
    assert arrivals[11] - arrivals[0] > 0.3


@each_cell
def test_an_error_before_the_first_content_has_its_status(
    running: Running, http: httpx2.Client, api: str, model: str
) -> None:
    running.upstream.fail_next("overloaded_mid_stream; after_events=1")
    path, body = body_of(api, model, stream=True)
    answer = http.post(path, json=body)
    assert answer.status_code == (529 if api == "messages" else 503)


@each_cell
def test_an_error_after_the_first_content_is_an_event(
    running: Running, http: httpx2.Client, api: str, model: str
) -> None:
    path, body = body_of(api, model, stream=True)
    running.upstream.fail_next("clean_end_without_final")
    text = http.post(path, json=body).text
    last = text.rstrip().rpartition("\n\n")[2]
    assert "ended before its final event" in last
    assert "[DONE]" not in text
    assert last.startswith({"messages": "event: error", "chat": "data: ", "responses": "event: response.failed"}[api])


@each_cell
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["html", "cut; after_bytes=1", "refuse_connection"])
def test_no_fault_of_an_upstream_is_shown_as_an_answer(  # noqa: PLR0917
    running: Running, http: httpx2.Client, api: str, model: str, stream: bool, fault: str
) -> None:
    running.upstream.fail_next(fault)
    path, body = body_of(api, model, stream=stream)
    answer = http.post(path, json=body)
    assert answer.status_code == 502
    error = answer.json()["error"]
    assert error["type"] in ("api_error", "server_error")


def test_a_rate_limit_tells_when_to_try_again(running: Running, http: httpx2.Client) -> None:
    for model in ("claude", "gpt"):
        running.upstream.fail_next(Fault.rate_limit(retry_after=7))
        path, body = body_of("messages", model)
        answer = http.post(path, json=body)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_a_silent_stream_shows_signs_of_life() -> None:
    with gateway(lambda request: LONG, gateway_settings={"ping_interval": 0.2}) as running:
        for api, model in CELLS:
            path, body = body_of(api, model, stream=True)
            running.upstream.fail_next(Fault.stall(0.7, after_events=4))
            text = httpx2.post(running.url + path, json=body, timeout=30).text
            sign = "event: ping" if api == "messages" else ": keep-alive"
            assert text.count(sign) >= 1
            assert "word11" in text


# --- retries and fallbacks --------------------------------------------------------------------------------------------


def test_a_failed_call_is_repeated() -> None:
    with gateway(router_settings={"num_retries": 2}) as running:
        running.upstream.fail_next("server_error", times=2)
        path, body = body_of("messages", "claude")
        assert httpx2.post(running.url + path, json=body, timeout=30).status_code == 200
        running.upstream.fail_next("http; status=400")
        before = len(running.sent)
        assert httpx2.post(running.url + path, json=body, timeout=30).status_code == 400
        assert len(running.sent) == before + 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_fallback_answers_in_the_clients_protocol(stream: bool) -> None:
    rules = {"num_retries": 0, "fallbacks": [{"claude": ["gpt"]}]}
    with gateway(lambda request: LONG, router_settings=rules) as running:
        running.upstream.fail_next("overloaded_mid_stream; after_events=2" if stream else "overloaded")
        path, body = body_of("messages", "claude", stream=stream)
        answer = httpx2.post(running.url + path, json=body, timeout=30)
        assert answer.status_code == 200
        assert "Overloaded" not in answer.text
        assert [sent.provider for sent in running.sent] == ["anthropic", "openai"]


def test_a_prompt_that_is_too_long_goes_to_its_own_fallbacks() -> None:
    rules = {"num_retries": 0, "fallbacks": [{"claude": ["claude"]}], "context_window_fallbacks": [{"claude": ["gpt"]}]}
    too_long = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"},
    }
    with gateway(router_settings=rules) as running:
        path, body = body_of("messages", "claude")
        running.upstream.fail_next(Fault.http(400, too_long))
        assert httpx2.post(running.url + path, json=body, timeout=30).status_code == 200
        assert [sent.provider for sent in running.sent] == ["anthropic", "openai"]
        running.upstream.fail_next(
            Fault.http(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}})
        )
        assert httpx2.post(running.url + path, json=body, timeout=30).status_code == 400


def test_orders_come_one_after_the_other_and_a_failing_one_is_left_alone() -> None:
    with gateway() as outer:
        dead = "http://127.0.0.1:9"
        entries = [
            entry("both", "anthropic/claude-opus-5", dead, order=1),
            entry("both", "anthropic/claude-opus-5", outer.upstream.anthropic_url, order=2),
        ]
        with gateway(
            entries=entries, router_settings={"num_retries": 0, "allowed_fails": 0, "cooldown_time": 60}
        ) as running:
            path, body = body_of("messages", "both")
            before = failures(running.url)
            for _ in range(3):
                assert httpx2.post(running.url + path, json=body, timeout=30).status_code == 200
            assert len(outer.sent) == 3
            assert failures(running.url) == before + 1


def failures(url: str) -> float:
    """Attempts that found no connection, of all gateways of this process."""
    lines = httpx2.get(url + "/metrics").text.splitlines()
    found = [line for line in lines if "gateway_upstream_failures_total{" in line and "ConnectionFailed" in line]
    return sum(float(line.rpartition(" ")[2]) for line in found)


# --- clients that leave -----------------------------------------------------------------------------------------------


@each_cell
@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_ends_the_upstreams_work(
    running: Running, api: str, model: str, stream: bool
) -> None:
    running.upstream.fail_next(Fault.stall(8, after_events=5))
    path, body = body_of(api, model, stream=stream)
    before = len(running.sent)

    async with httpx2.AsyncClient(base_url=running.url, timeout=30) as client:
        task = asyncio.ensure_future(client.post(path, json=body))
        await until(lambda: len(running.sent) > before)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await until(lambda: running.sent[-1].disconnected)


def test_a_client_that_does_not_read_counts_as_one_that_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_unified.gateway.sending.SLOW_CLIENT_SECONDS", 0.3)
    text = "word " * 60_000  # more than the sockets' buffers hold
    with gateway(lambda request: text, gateway_settings={"ping_interval": 0.1}) as running:
        host, _, port = running.url.removeprefix("http://").partition(":")
        _, body = body_of("messages", "claude", stream=True, max_tokens=100_000)
        data = json.dumps(body).encode()
        head = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(data)
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(head + data)
            asyncio.run(until(lambda: bool(running.sent) and running.sent[-1].disconnected))
