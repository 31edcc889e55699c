"""Faults over real sockets: what a client sees."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from langchain_unified.testing.emulation.faults import FAULT_KINDS, Fault, FaultSource, parse_fault
from langchain_unified.testing.emulation.server import Emulator
from tests.testing.emulator_stub import stubbed

ANTHROPIC = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
OPENAI = {"authorization": "Bearer k"}
HI = [{"role": "user", "content": "one two three four five"}]
MESSAGES = ("/v1/messages", ANTHROPIC, {"model": "claude-sonnet-4-5", "max_tokens": 1000, "messages": HI})
CHAT = ("/v1/chat/completions", OPENAI, {"model": "gpt-4o", "messages": HI})
RESPONSES = ("/v1/responses", OPENAI, {"model": "gpt-4o", "input": HI})
APIS = [MESSAGES, CHAT, RESPONSES]


def ask(server: Emulator, api: Any = MESSAGES, timeout: float = 5, header: str | None = None, **more: Any) -> Any:
    path, headers, body = api
    headers = {**headers, "x-emulator-fault": header} if header else headers
    return httpx2.post(f"{server.url}{path}", headers=headers, json={**body, **more}, timeout=timeout)


def events(answer: Any) -> list[str]:
    return [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]


@pytest.fixture
def server():
    with stubbed() as running:
        yield running


@pytest.mark.parametrize(
    "fault,header,value",
    [
        (Fault.rate_limit(), "retry-after", None),
        (Fault.rate_limit(2), "retry-after", "2"),
        (Fault.rate_limit(0.5), "retry-after", "0.5"),
        (Fault.rate_limit(datetime(2026, 11, 1, 8, tzinfo=UTC)), "retry-after", "Sun, 01 Nov 2026 08:00:00 GMT"),
        (Fault.rate_limit(retry_after_ms=20), "retry-after-ms", "20"),
    ],
)
def test_rate_limits(server, fault, header, value):
    server.fail_next(fault)
    answer = ask(server)
    assert (answer.status_code, answer.headers.get(header)) == (429, value)
    assert answer.json()["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    "api,fault,status,expected",
    [
        (CHAT, Fault.rate_limit(), 429, {"type": "requests", "code": "rate_limit_exceeded"}),
        (MESSAGES, Fault.server_error(), 500, {"type": "api_error"}),
        (CHAT, Fault.server_error(504), 504, {"type": "server_error", "code": None}),
        (MESSAGES, Fault.overloaded(), 529, {"type": "overloaded_error"}),
        (RESPONSES, Fault.overloaded(), 503, {"type": "server_error", "code": "server_overloaded"}),
        (RESPONSES, Fault.overloaded(529), 529, {"code": "server_overloaded"}),
        (MESSAGES, Fault.http(402, {"error": {"type": "billing_error"}}), 402, {"type": "billing_error"}),
    ],
)
def test_errors_in_the_providers_shape(server, api, fault, status, expected):
    server.fail_next(fault)
    answer = ask(server, api)
    assert answer.status_code == status
    assert expected.items() <= answer.json()["error"].items()
    assert (server.requests[0].status, server.requests[0].fault) == (status, fault.kind)
    assert ask(server, api).status_code == 200


def test_a_page_of_html(server):
    server.fail_next(Fault.html(503))
    answer = ask(server)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html")
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_is_closed_before_any_byte(server, api, stream):
    server.fail_next(Fault.refuse_connection())
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        ask(server, api, stream=stream)
    assert (server.requests[0].status, server.requests[0].fault) == (0, "refuse_connection")
    assert ask(server, api).status_code == 200


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_cut(server, api, stream):
    server.fail_next(Fault.cut(after_bytes=50))
    path, headers, body = api
    got: list[bytes] = []
    with httpx2.stream("POST", server.url + path, headers=headers, json={**body, "stream": stream}) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx2.RemoteProtocolError, match=r"incomplete chunked|without sending complete"):
            got.extend(answer.iter_raw())
    assert sum(map(len, got)) == 50


@pytest.mark.parametrize("after", [0, 10_000])
def test_a_cut_at_either_end_is_still_a_cut(server, after):
    for stream in (False, True):
        server.fail_next(Fault.cut(after))
        with pytest.raises(httpx2.RemoteProtocolError):
            ask(server, stream=stream)


def test_anthropic_frames_its_events(server):
    answer = ask(server, stream=True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert events(answer) == ["message_start", "ping", *["content_block_delta"] * 7, "message_stop"]
    assert answer.text.startswith('event: message_start\ndata: {"type":"message_start"}\n\nevent: ping\n')


def test_openai_frames_its_events(server):
    chat, responses = ask(server, CHAT, stream=True).text, ask(server, RESPONSES, stream=True).text
    assert chat.startswith('data: {"type":"message_start"}\n\ndata: ')
    assert chat.endswith("\n\ndata: [DONE]\n\n")
    assert responses.startswith("event: message_start\ndata: ")
    assert "[DONE]" not in responses


def test_a_clean_end_without_the_final_event(server):
    server.fail_next(Fault.clean_end_without_final(), times=2)
    assert events(ask(server, stream=True))[-1] == "content_block_delta"
    assert "[DONE]" not in ask(server, CHAT, stream=True).text


def test_an_error_in_the_middle(server):
    server.fail_next(Fault.overloaded_mid_stream(after_events=3), times=4)
    answer = ask(server, stream=True)
    assert events(answer) == ["message_start", "ping", "content_block_delta", "error"]
    assert '"overloaded_error"' in answer.text
    assert ask(server, CHAT, stream=True).text.splitlines()[-2].startswith('data: {"error":')
    assert '"type":"error"' in ask(server, RESPONSES, stream=True).text
    assert ask(server).status_code == 529


@pytest.mark.parametrize("stream", [False, True])
def test_malformed_json(server, stream):
    server.fail_next(Fault.malformed_json())
    answer = ask(server, stream=stream)
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")] if stream else [answer.text]
    broken = [each for each in data if each.count("{") != each.count("}")]
    assert len(broken) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_stall(server, stream):
    server.fail_next(Fault.stall(0.2), times=2)
    began = time.perf_counter()
    assert ask(server, stream=stream).status_code == 200
    assert time.perf_counter() - began >= 0.2
    with pytest.raises(httpx2.ReadTimeout):
        ask(server, stream=stream, timeout=0.1)


def test_pings_only_keep_a_reader_waiting(server):
    server.fail_next(Fault.pings_only(0.3))
    # No single read waits for longer than 0.1 s.
    answer = ask(server, stream=True, timeout=0.2)
    assert events(answer).count("ping") == 7
    assert events(answer)[-1] == "message_stop"


def test_a_drip(server):
    server.fail_next(Fault.drip(0.01))
    server.fail_next(Fault.drip(0.001, size=7))
    began = time.perf_counter()
    assert events(ask(server, stream=True))[-1] == "message_stop"
    assert time.perf_counter() - began >= 0.1
    assert ask(server).json()["text"] == "You said: one two three four five"


def test_a_disconnect_is_recorded(server):
    server.fail_next(Fault.stall(30))
    path, headers, body = MESSAGES
    with httpx2.stream("POST", server.url + path, headers=headers, json={**body, "stream": True}) as answer:
        next(answer.iter_raw())
    until = time.monotonic() + 15
    while not server.requests[0].disconnected and time.monotonic() < until:
        time.sleep(0.01)
    assert server.requests[0].disconnected


def test_a_complete_answer_is_no_disconnect(server):
    ask(server)
    ask(server, stream=True)
    assert [found.disconnected for found in server.requests] == [False, False]


# --- how faults are injected ------------------------------------------------------------------------------------------


def test_faults_are_injected_in_order(server):
    server.fail_next(Fault.overloaded(), times=2)
    server.fail_next("html; status=500")
    assert [ask(server).status_code for _ in range(4)] == [529, 529, 500, 200]


def test_a_header_injects_a_fault(server):
    server.fail_next(Fault.html())
    assert ask(server, header="rate_limit; retry_after=3").headers["retry-after"] == "3"
    assert [ask(server).status_code for _ in range(2)] == [502, 200]


def test_an_unknown_fault_is_refused(server):
    answer = ask(server, header="meteor")
    assert answer.status_code == 400
    assert "no fault 'meteor'" in answer.json()["error"]["message"]


def test_faults_in_a_script():
    with stubbed([Fault.rate_limit(), Fault.cut(3), "fine"]) as server:
        assert ask(server).status_code == 429
        with pytest.raises(httpx2.RemoteProtocolError):
            ask(server)
        assert ask(server).json()["text"] == "fine"


def test_random_faults_repeat():
    plan: Any = {"rate": 0.3, "kinds": ["overloaded", "html"], "seed": 7}
    one, two = FaultSource(plan), FaultSource(plan)
    drawn = [one.next() for _ in range(200)]
    assert drawn == [two.next() for _ in range(200)]
    assert 40 < sum(fault is not None for fault in drawn) < 80
    assert {fault.kind for fault in drawn if fault} == {"overloaded", "html"}


def test_random_faults_are_injected():
    with stubbed(faults={"rate": 1.0, "kinds": [Fault.server_error(503)]}) as server:
        assert ask(server).status_code == 503


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_can_be_parsed(kind):
    needed = {"http": "; status=418", "redirect": "; to=https://other.example/"}
    text = kind + needed.get(kind, "")
    assert parse_fault(text).kind == kind


def test_an_unknown_argument_is_named():
    with pytest.raises(ValueError, match=r"The fault cut has no argument seconds\. Its arguments: after_bytes\."):
        parse_fault("cut; seconds=3")
