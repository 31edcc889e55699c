"""What is done to bytes that pass: a body with another model, a stream without its usage, the usage read from it."""

from __future__ import annotations

import random
from typing import Any

import httpx2
import orjson
import pytest

from langchain_unified.errors import error_in
from langchain_unified.gateway.body import with_changes
from langchain_unified.gateway.stream_edits import StreamEdits
from langchain_unified.gateway.stream_usage import StreamUsage
from tests.gateway.running import entry, gateway

HI = [{"role": "user", "content": "hi"}]


def changed(text: str, **changes: Any) -> str:
    data = text.encode()
    return with_changes(data, orjson.loads(data), changes).decode()


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{ "model" :  "a", "x": 1.0 }', '{ "model" :  "b", "x": 1.0 }'),
        ('{"tools":[{"p":{"model":"a"}}],"model":"a"}', '{"tools":[{"p":{"model":"a"}}],"model":"b"}'),
        ('{"model":"a","m":[{"c":"\\"model\\": \\"a\\""}]}', '{"model":"b","m":[{"c":"\\"model\\": \\"a\\""}]}'),
        ('{"x":"\\u00e4\\ud83d\\ude00","model":"a"}', '{"x":"\\u00e4\\ud83d\\ude00","model":"b"}'),
        ('{"model":"a","big":12345678901234567890123,"e":1.0}', '{"model":"b","big":12345678901234567890123,"e":1.0}'),
    ],
)  # fmt: skip
def test_only_the_model_changes(text: str, expected: str) -> None:
    assert changed(text, model="b") == expected
    assert changed(text, model="a") == text


def test_a_model_under_an_escaped_key_is_changed_as_well() -> None:
    # Else a nested key would be changed in its place, and the upstream would get the client's name.
    assert orjson.loads(changed('{"mod\\u0065l":"a","x":{"model":"a"}}', model="b"))["model"] == "b"


def test_new_keys_come_first_and_leave_the_rest_as_it_is() -> None:
    assert changed('{"model":"a", "x" : 1}', model="a", y=2) == '{"y":2,"model":"a", "x" : 1}'
    assert changed("{}", y=2) == '{"y":2}'


# --- streams ----------------------------------------------------------------------------------------------------------


def frame(payload: dict[str, Any], name: str = "") -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(payload) + b"\n\n"


CHAT = [
    frame({"id": "c", "choices": [{"index": 0, "delta": {"content": 'say "usage": {'}}], "usage": None}),
    frame({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    frame({"id": "c", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}),
    b"data: [DONE]\n\n",
]
MESSAGES = [
    frame(
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 7, "output_tokens": 1}}},
        "message_start",
    ),
    frame(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "abcdefgh"}},
        "content_block_delta",
    ),
    frame({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 3}}, "message_delta"),
    frame({"type": "message_stop"}, "message_stop"),
]
RESPONSES = [
    frame({"type": "response.output_text.delta", "delta": "abcdefgh"}, "response.output_text.delta"),
    frame(
        {
            "type": "response.completed",
            "response": {"id": "r", "output": [], "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}},
        },
        "response.completed",
    ),
]


def split(data: bytes, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, len(data)), 12))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_usage_is_left_out_wherever_the_stream_is_cut(seed: int, newline: bytes) -> None:
    hidden = StreamEdits("openai_chat", None, hides_usage=True)
    data = b"".join(CHAT).replace(b"\n", newline)
    out = b"".join(hidden.feed(part) for part in split(data, seed)) + hidden.flush()
    assert out == b"".join([CHAT[0], CHAT[1], CHAT[3]]).replace(b"\n", newline)


@pytest.mark.parametrize(
    "wire, frames", [("openai_chat", CHAT), ("anthropic_messages", MESSAGES), ("openai_responses", RESPONSES)]
)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("held", [1, 65_536])
def test_the_usage_is_read_wherever_the_stream_is_cut(
    wire: Any, frames: list[bytes], seed: int, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_unified.gateway.stream_usage.HELD_BYTES", held)
    found = StreamUsage(wire)
    for part in split(b"".join(frames), seed):
        found.feed(part)
    found.finish()
    usage = found.used.usage
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"]) == (7, 3)
    assert found.has_ended
    assert found.error is None


def test_a_cut_stream_tells_how_much_was_written() -> None:
    found = StreamUsage("anthropic_messages")
    found.feed(b"".join(MESSAGES[:2]))
    found.finish()
    assert (found.has_ended, found.characters) == (False, 8)
    assert found.used.usage is not None
    assert found.used.usage["input_tokens"] == 7


def test_an_error_in_a_stream_is_seen() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    found = StreamUsage("anthropic_messages")
    found.feed(MESSAGES[0] + frame(error, "error"))
    found.finish()
    assert found.error == error_in(error)


# --- what a deployment and a client add -------------------------------------------------------------------------------


def test_defaults_of_a_deployment_are_overruled_by_the_client() -> None:
    with gateway() as outer:
        upstream = outer.upstream
        mine = [
            entry("mine", "anthropic/claude-sonnet-4-5", upstream.anthropic_url, temperature=0.1, max_tokens=77),
            entry("ours", "openai/gpt-4o", upstream.openai_url, max_tokens=77),
        ]
        with gateway(entries=mine) as running:
            for path, body, expected in (
                ("/v1/messages", {"messages": HI}, {"temperature": 0.1, "max_tokens": 77}),
                (
                    "/v1/messages",
                    {"messages": HI, "temperature": 0.5, "max_tokens": 5},
                    {"temperature": 0.5, "max_tokens": 5},
                ),
                ("/v1/chat/completions", {"messages": HI}, {"temperature": 0.1, "max_tokens": 77}),
                ("/v1/chat/completions", {"messages": HI, "max_completion_tokens": 5}, {"max_tokens": 5}),
            ):
                assert httpx2.post(running.url + path, json={"model": "mine", **body}, timeout=30).status_code == 200
                assert expected.items() <= upstream.requests[-1].body.items()
            httpx2.post(running.url + "/v1/responses", json={"model": "ours", "input": "hi"}, timeout=30)
            assert upstream.requests[-1].body["max_output_tokens"] == 77


def test_fallbacks_of_a_client_are_taken_only_if_that_is_allowed() -> None:
    body = {"model": "claude", "messages": HI, "fallbacks": ["gpt"]}
    with gateway() as running:
        answer = httpx2.post(running.url + "/v1/chat/completions", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "fallbacks")
    with gateway(gateway_settings={"allow_client_fallbacks": True}) as running:
        running.upstream.fail_next("overloaded")
        assert httpx2.post(running.url + "/v1/chat/completions", json=body, timeout=30).status_code == 200
        assert [sent.provider for sent in running.sent] == ["anthropic", "openai"]
        assert "fallbacks" not in running.sent[-1].body
