"""Rate limits that run out, recording that is bounded, and clients that hang up."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from langchain_unified.testing import Emulator, emulator
from langchain_unified.testing.emulation.quota import duration

HI: Any = [{"role": "user", "content": "hi"}]
LONG: Any = [{"role": "user", "content": "x" * 4000}]  # 1,000 tokens as the emulator counts


def ask_openai(server: Emulator, messages: Any = HI, **more: Any) -> httpx2.Response:
    body = {"model": "gpt-5-mini", "messages": messages, **more}
    return httpx2.post(f"{server.openai_url}/chat/completions", headers={"authorization": "Bearer a"}, json=body)


def ask_anthropic(server: Emulator, messages: Any = HI, **more: Any) -> httpx2.Response:
    body = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": messages, **more}
    headers = {"x-api-key": "a", "anthropic-version": "2023-06-01"}
    return httpx2.post(f"{server.anthropic_url}/v1/messages", headers=headers, json=body)


# --- rate limits ------------------------------------------------------------------------------------------------------


def test_the_requests_of_openai_run_out_and_come_back() -> None:
    with emulator(quota={"requests": 60, "seconds": 3}) as server:
        answers = [ask_openai(server) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["59", "58", "57", "57"]
        assert answers[0].headers["x-ratelimit-limit-requests"] == "60"
        assert [answer.headers["x-ratelimit-reset-requests"] for answer in answers] == ["1s", "2s", "3s", "3s"]
        error, headers = answers[3].json()["error"], answers[3].headers
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
        assert error["message"].endswith("(RPM): Limit 60, Used 3, Requested 1. Please try again in 1s.")
        assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "1000")
        server.clock.advance(1)
        assert [ask_openai(server).status_code for _ in range(2)] == [200, 429]
        # Refused requests count as well: hammering leaves the bucket empty.
        server.clock.advance(0.5)
        assert ask_openai(server).status_code == 429
        server.clock.advance(0.5)
        assert ask_openai(server).status_code == 429
        server.clock.advance(1)
        assert ask_openai(server).status_code == 200
        client = openai.OpenAI(api_key="a", base_url=server.openai_url, max_retries=0)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="gpt-5-mini", messages=HI)


@pytest.mark.parametrize("limit, used", [(5000, 1), (800, 37), (60, 20)])
def test_the_headers_of_openai_give_the_rate(limit: int, used: int) -> None:
    with emulator(quota={"requests": limit}) as server:
        for _ in range(used):
            answer = ask_openai(server)
    left, reset = (answer.headers[f"x-ratelimit-{name}-requests"] for name in ("remaining", "reset"))
    seconds = float(reset[:-2]) / 1000 if reset.endswith("ms") else float(reset[:-1])
    assert (limit - int(left)) / seconds == pytest.approx(limit / 60, rel=0.01)


def test_the_input_of_anthropic_runs_out() -> None:
    with emulator(quota={"requests": 100, "input_tokens": 6000, "output_tokens": 600_000}) as server:
        answers = [ask_anthropic(server, LONG) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 6 + [429]
        names = [f"anthropic-ratelimit-{what}-remaining" for what in ("requests", "input-tokens", "tokens")]
        assert [answers[1].headers[name] for name in names] == ["98", "4000", "604000"]
        assert answers[6].headers["retry-after"] == "10"
        assert answers[6].json()["error"] == {
            "type": "rate_limit_error",
            "message": "This request would exceed your organization's rate limit of 6,000 input tokens per minute "
            "(model: claude-sonnet-5).",
        }
        full = datetime.fromisoformat(answers[6].headers["anthropic-ratelimit-input-tokens-reset"])
        assert full == datetime.fromtimestamp(server.clock.now + 60, UTC)
        server.clock.advance(10)
        assert ask_anthropic(server, LONG).status_code == 200
        with pytest.raises(anthropic.RateLimitError):
            anthropic.Anthropic(api_key="a", base_url=server.anthropic_url, max_retries=0).messages.create(
                model="claude-sonnet-5", max_tokens=100, messages=LONG
            )


def test_what_is_read_from_the_cache_does_not_count_at_anthropic() -> None:
    block = {"type": "text", "text": "x" * 16_000, "cache_control": {"type": "ephemeral"}}
    messages = [{"role": "user", "content": [block]}]
    with emulator(quota={"input_tokens": 4100}) as server:
        assert [ask_anthropic(server, messages).status_code for _ in range(5)] == [200] * 5
        assert ask_anthropic(server, LONG).status_code == 429


def test_output_counts_when_it_is_made() -> None:
    with emulator(["word " * 100, "more"], quota={"output_tokens": 60}) as server:
        assert ask_anthropic(server).status_code == 200
        refused = ask_anthropic(server)
        assert (refused.status_code, "60 output tokens" in refused.json()["error"]["message"]) == (429, True)
        server.clock.advance(int(refused.headers["retry-after"]))
        assert ask_anthropic(server).status_code == 200


def test_a_request_above_the_limit_is_never_taken() -> None:
    with emulator(quota={"tokens": 900}) as server:
        refused = ask_openai(server, LONG)
        large = ask_openai(server, max_completion_tokens=1000)
        assert (refused.status_code, large.status_code) == (429, 429)
        assert "Request too large for gpt-5-mini" in refused.json()["error"]["message"]
        assert refused.json()["error"]["type"] == "tokens"
        assert "retry-after" not in refused.headers


def test_batches_and_bad_requests_do_not_count() -> None:
    with emulator(quota={"requests": 2}) as server:
        sdk = anthropic.Anthropic(api_key="a", base_url=server.anthropic_url, max_retries=0)
        body: Any = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": HI}
        made = sdk.messages.batches.create(requests=[{"custom_id": str(at), "params": body} for at in range(10)])
        assert sdk.messages.batches.retrieve(made.id).request_counts.succeeded == 10
        assert ask_anthropic(server, []).status_code == 400
        assert [ask_anthropic(server).status_code for _ in range(3)] == [200, 200, 429]
        # The two providers have a quota each.
        assert ask_openai(server).status_code == 200


def test_a_running_clock_refills() -> None:
    with emulator(quota={"requests": 60, "seconds": 1}, clock_speed=1000) as server:
        assert {ask_openai(server).status_code for _ in range(10)} == {200}


@pytest.mark.parametrize("plan, message", [
    ({"request": 1}, "has no key 'request'"), ({"requests": 0}, "must be a positive number, not 0"),
])  # fmt: skip
def test_wrong_quotas_are_named(plan: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        emulator(quota=plan)


@pytest.mark.parametrize("seconds, text", [
    (0.012, "12ms"), (0, "0ms"), (1.5, "1.5s"), (360, "6m0s"), (61.25, "1m1.25s"),
])  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# --- recording --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record, left", [(None, 5), (2, 2), (0, 0)])
def test_recording_is_bounded_and_counts_are_right(record: int | None, left: int) -> None:
    with emulator(record=record) as server:
        for at in range(4):
            ask_openai(server, [{"role": "user", "content": f"{at}"}])
        ask_anthropic(server, [])
    assert len(server.requests) == left
    assert [found.endpoint for found in server.requests] == (["openai.chat"] * 4 + ["anthropic.messages"])[5 - left :]
    assert server.request_counts == {"openai.chat": 4, "anthropic.messages": 1}
    assert server.request_counts.total() == 5
    assert server.status_counts == {200: 4, 400: 1}


def test_totals_are_what_the_replies_say() -> None:
    with emulator(record=0) as server:
        used = [ask_openai(server, LONG, n=2).json()["usage"], ask_openai(server).json()["usage"]]
        theirs = ask_anthropic(server).json()["usage"]
        server.fail_next("cut")
        with pytest.raises(httpx2.RemoteProtocolError):
            ask_anthropic(server)
    assert server.totals.answers == 4
    assert server.totals.input_tokens == sum(each["prompt_tokens"] for each in used) + 2 * theirs["input_tokens"]
    output = sum(each["completion_tokens"] for each in used)
    assert server.totals.output_tokens == output + 2 * theirs["output_tokens"]


def test_stored_responses_are_bounded_with_the_recording() -> None:
    with emulator(record=2) as server:
        client = openai.OpenAI(api_key="a", base_url=server.openai_url, max_retries=0)
        made = [client.responses.create(model="gpt-5-mini", input="hi").id for _ in range(3)]
        assert client.responses.retrieve(made[2]).id == made[2]
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(made[0])


# --- clients that hang up ---------------------------------------------------------------------------------------------

HEAD = "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a\r\ncontent-type: {}\r\ncontent-length: 1000\r\n\r\n"


@pytest.mark.parametrize("sent, endpoint", [
    (HEAD.format("/v1/chat/completions", "application/json") + '{"model": "gp', "openai.chat"),
    (HEAD.format("/v1/files", "multipart/form-data; boundary=b") + "--b\r\nContent-Dispos", "openai.files.create"),
    (HEAD.format("/v1/messages/batches", "application/json") + '{"requests": [', "anthropic.batches.create"),
])  # fmt: skip
def test_a_client_that_hangs_up_leaves_no_traceback(
    sent: str, endpoint: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with emulator() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(sent.encode())
        for _ in range(500):
            if server.requests:
                break
            time.sleep(0.01)
        assert ask_openai(server).status_code == 200
    first = server.requests[0]
    assert (first.endpoint, first.status, first.disconnected, first.body) == (endpoint, 0, True, None)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
