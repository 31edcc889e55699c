"""Cassettes against a real server on the loopback: recorded, the server stopped, sockets shut, replayed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from langchain_unified import ChatAnthropic, ChatOpenAI
from langchain_unified.testing.cassettes import (
    CassetteMissError,
    CassetteUnusedError,
    register,
    use_cassette,
    vcr_config,
)
from langchain_unified.testing.cassettes_format import load
from langchain_unified.testing.cassettes_miss import first_difference
from tests.support.server import Received, Reply, serve, sse_event
from tests.testing.cassette_traffic import (
    ASK,
    COMPLETION,
    DAY,
    KEY,
    MESSAGE,
    MESSAGE_EVENTS,
    client_for,
    create,
    no_sockets,
    post,
    provider,
    record,
)

# --- both SDKs --------------------------------------------------------------------------------------------------------


def raw_stream(wire: str, client: Any) -> Any:
    path = {"messages": "/v1/messages", "chat": "/chat/completions", "responses": "/responses"}[wire]
    sdk: Any = anthropic if wire == "messages" else openai
    kind = sdk.AsyncStream if "Async" in type(client).__name__ else sdk.Stream
    body = json.dumps({**ASK[wire], "stream": True}).encode()
    return client.post(path, cast_to=httpx2.Response, content=body, stream=True, stream_cls=kind[object])


def use_sync(wire: str, url: str) -> list[Any]:
    with client_for(wire, url) as client:
        whole = create(wire, client).to_dict()
        events = [event.to_dict() for event in create(wire, client, stream=True)]
        reply = raw_stream(wire, client)
        body = b"".join(reply.iter_bytes())
        reply.close()
        return [whole, events, body]


async def use_async(wire: str, url: str) -> list[Any]:
    async with client_for(wire, url, is_async=True) as client:
        whole = (await create(wire, client)).to_dict()
        events = [event.to_dict() async for event in await create(wire, client, stream=True)]
        reply = await raw_stream(wire, client)
        body = b"".join([chunk async for chunk in reply.aiter_bytes()])
        await reply.aclose()
        return [whole, events, body]


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
def test_replays_what_it_recorded(wire: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with serve(provider) as server, use_cassette(path, record="once", recorded_at=DAY):
        recorded = use_sync(wire, server.url)
    assert len(server.requests) == 3
    with no_sockets(), use_cassette(path, unused="fail"):
        assert use_sync(wire, "http://localhost:1") == recorded
    with no_sockets(), use_cassette(path, unused="fail"):
        assert asyncio.run(use_async(wire, "http://127.0.0.1:2")) == recorded


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
def test_async_recordings_replay_too(wire: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    with serve(provider) as server, use_cassette(path, record="once", recorded_at=DAY):
        recorded = asyncio.run(use_async(wire, server.url))
    with no_sockets(), use_cassette(path, unused="fail"):
        assert use_sync(wire, "http://127.0.0.1:1") == recorded


def test_streams_come_event_by_event(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    record(path, provider, {"stream": True})
    wanted = [sse_event(event) for event in MESSAGE_EVENTS]

    async def chunks() -> list[bytes]:
        ask = {"method": "POST", "url": "http://localhost/v1/messages", "json": {"stream": True}}
        async with httpx2.AsyncClient() as client, client.stream(**ask) as reply:
            return [chunk async for chunk in reply.aiter_raw()]

    with use_cassette(path), httpx2.stream("POST", "http://localhost/v1/messages", json={"stream": True}) as reply:
        assert list(reply.iter_raw()) == wanted
    with use_cassette(path):
        assert asyncio.run(chunks()) == wanted


def test_one_file_serves_httpx_and_httpx2(tmp_path: Path) -> None:
    httpx = pytest.importorskip("httpx")
    path = tmp_path / "c.yaml"
    record(path, provider, {"stream": True}, {"n": 1})
    with no_sockets(), use_cassette(path, unused="fail"):
        with httpx.stream("POST", "http://localhost/v1/messages", json={"stream": True}) as reply:
            assert list(reply.iter_raw()) == [sse_event(event) for event in MESSAGE_EVENTS]
        assert httpx.post("http://localhost/v1/messages", json={"n": 1}).json() == MESSAGE


def test_retried_and_concurrent_requests_keep_their_answers(tmp_path: Path) -> None:
    answers = [Reply.json({"error": {"message": "slow down"}}, 429, {"retry-after-ms": "1"}), Reply.json(COMPLETION)]
    path = tmp_path / "c.yaml"

    def handler(request: Received) -> Reply:
        return answers.pop(0) if "chat" in request.path else Reply.json({"echo": request.json["n"]})

    async def many(url: str) -> list[Any]:
        async with httpx2.AsyncClient() as client:
            replies = await asyncio.gather(*(client.post(f"{url}/v1/messages", json={"n": n}) for n in range(8)))
            return [reply.json()["echo"] for reply in replies]

    with serve(handler) as server, use_cassette(path, record="once", recorded_at=DAY):
        assert create("chat", client_for("chat", server.url)).id == "chat_1"
        assert asyncio.run(many(server.url)) == list(range(8))
    with no_sockets(), use_cassette(path, unused="fail"):
        assert create("chat", client_for("chat", "http://localhost")).id == "chat_1"
        assert asyncio.run(many("http://localhost")) == list(range(8))


# --- misses and leftovers ---------------------------------------------------------------------------------------------


def run(call: Any) -> Any:
    """What the call gives, of a sync client or of an async one."""
    result = call()
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


def counting(kind: Any, seen: list[Any]) -> Any:
    if kind is httpx2.Client:
        return kind(event_hooks={"request": [seen.append]})

    async def see(request: Any) -> None:
        seen.append(request)

    return kind(event_hooks={"request": [see]})


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_a_miss_fails_at_the_first_attempt(wire: str, is_async: bool, stream: bool, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    mode = {"stream": True} if stream else {}
    with serve(provider) as server, use_cassette(path, record="once", recorded_at=DAY):
        create(wire, client_for(wire, server.url), **mode)
    seen: list[Any] = []
    http = counting(httpx2.AsyncClient if is_async else httpx2.Client, seen)
    client = client_for(wire, "http://localhost", is_async=is_async, max_retries=2, http_client=http)
    with use_cassette(path), pytest.raises(CassetteMissError) as caught:
        run(lambda: create(wire, client, extra_body={"temperature": 0.5}, **mode))
    assert len(seen) == 1
    assert str(path) in str(caught.value)
    assert "Most similar: recording 1" in str(caught.value)
    assert "First difference (sent != recorded): temperature: 0.5 != nothing" in str(caught.value)


@pytest.mark.parametrize("kind,path", [(ChatAnthropic, ""), (ChatOpenAI, "/v1")])
def test_our_models_replay_and_show_the_miss(kind: Any, path: str, tmp_path: Path) -> None:
    def model(url: str) -> Any:
        return kind(model="claude-haiku-4-5" if kind is ChatAnthropic else "gpt-5", api_key=KEY, base_url=url + path)

    async def streamed(url: str, text: str) -> list[Any]:
        return [chunk.text async for chunk in model(url).astream(text)]

    def use(url: str) -> list[Any]:
        whole = model(url).invoke("hi"), asyncio.run(model(url).ainvoke("hi"))
        events = [chunk.text for chunk in model(url).stream("hi")], asyncio.run(streamed(url, "hi"))
        return [[(message.content, message.tool_calls) for message in whole], events]

    with serve(provider) as server, use_cassette(tmp_path / "c.yaml", record="once", recorded_at=DAY):
        recorded = use(server.url)
    with no_sockets(), use_cassette(tmp_path / "c.yaml", unused="fail"):
        assert use("http://localhost") == recorded

    calls: list[Any] = [
        lambda: model("http://localhost").invoke("ho"),
        lambda: model("http://localhost").with_fallbacks([model("http://localhost")]).invoke("ho"),
        lambda: model("http://localhost").batch(["ho", "ha"]),
        lambda: list(model("http://localhost").stream("ho")),
        lambda: model("http://localhost").ainvoke("ho"),
        lambda: streamed("http://localhost", "ho"),
    ]
    with use_cassette(tmp_path / "c.yaml"):
        for call in calls:
            with pytest.raises(CassetteMissError, match=r"'h[oa]' != 'hi'"):
                run(call)


def test_a_miss_shows_the_nearest_recording(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"

    def chat(*texts: str) -> dict[str, Any]:
        return {"model": "claude", "messages": [{"role": "user", "content": text} for text in texts]}

    record(path, provider, chat("x", "y", "z"), chat("hello", "a"), chat("q"))
    with use_cassette(path) as cassette:
        with pytest.raises(CassetteMissError) as caught:
            post("http://localhost/v1/messages", chat("hello", "b"))
        assert str(caught.value) == (
            "There is no recording for the request POST http://127.0.0.1/v1/messages\n"
            f"Cassette: {path} (3 recorded, 0 played)\n"
            "Most similar: recording 2, POST http://127.0.0.1/v1/messages\n"
            "First difference (sent != recorded): messages[1].content: 'b' != 'a'\n"
            "Add a recording with pytest --record=new, use_cassette(…, record='new'), or record_mode='new_episodes' of "
            "vcrpy; or record everything again with the mode 'all'."
        )
        assert caught.value.cassette is cassette
        with pytest.raises(CassetteMissError, match=r"\(path\): '/v1/other' != '/v1/messages'"):
            post("http://localhost/v1/other", chat("q"))
        with pytest.raises(CassetteMissError, match=r"\(host\): 'api.openai.com' != '127.0.0.1'"):
            post("https://api.openai.com/v1/messages", chat("q"))
        post("http://localhost/v1/messages", chat("q"))
        with pytest.raises(CassetteMissError, match="already played: the test sends it once more"):
            post("http://localhost/v1/messages", chat("q"))
        with pytest.raises(CassetteMissError) as caught:
            post("http://localhost/v1/messages", chat(f"key {KEY}"))
        assert KEY[:12] not in str(caught.value)
        assert "[an Anthropic key]" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with (
        use_cassette(path),
        pytest.raises(CassetteMissError, match=r"none.yaml does not exist\nRecord it with pytest --record=once, "),
    ):
        post("http://localhost/v1/messages", {})


@pytest.mark.parametrize(
    "sent,recorded,difference",
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1}, {"a": 2}, "a: 1 != 2"),
        ({"m": [{"c": "a"}]}, {"m": [{"c": "b"}]}, "m[0].c: 'a' != 'b'"),
        ({"a": 1, "b": 1}, {"a": 1}, "b: 1 != nothing"),
        ({}, {"b": [1]}, "b: nothing != [1]"),
        ([1], [1, 2], "body: 1 items != 2 items"),
        ({"a": "1"}, {"a": 1}, "a: '1' != 1"),
        ({"a": {}}, {"a": []}, "a: {} != []"),
        ({"t": "x" * 100 + "A"}, {"t": "x" * 100 + "B"}, f"t: …'{'x' * 20}A' != …'{'x' * 20}B'"),
    ],
)
def test_first_difference(sent: Any, recorded: Any, difference: str | None) -> None:
    assert first_difference(sent, recorded) == difference


def test_unplayed_recordings_fail_on_request(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    record(path, provider, {"n": 1}, {"n": 2})
    with use_cassette(path):
        post("http://localhost/v1/messages", {"n": 2})
    with pytest.raises(CassetteUnusedError) as caught, use_cassette(path, unused="fail"):
        post("http://localhost/v1/messages", {"n": 2})
    assert str(caught.value) == (
        f"Recordings of {path} were not played, as no request matched them:\n"
        "  recording 1: POST http://127.0.0.1/v1/messages\n"
        "Record the cassette again with pytest --record=all, use_cassette(…, record='all'), or record_mode='all' of "
        "vcrpy."
    )
    assert "recording 2" not in str(caught.value)


def test_record_modes(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"

    def ask(record: Any, *numbers: int) -> int:
        with serve(provider) as server:
            with use_cassette(path, record=record, recorded_at=DAY):
                for number in numbers:
                    post(f"{server.url}/v1/messages", {"n": number})
            return len(server.requests)

    def held() -> list[int]:
        return [exchange["request"]["json"]["n"] for exchange in load(path.read_text())["interactions"]]

    assert ask("once", 1, 2) == 2
    assert ask("once", 2, 1) == 0
    with pytest.raises(CassetteMissError):
        ask("once", 3)
    assert ask("new", 1, 3) == 1
    assert held() == [1, 2, 3]
    assert ask("all", 4) == 1
    assert held() == [4]


def test_plain_vcrpy_takes_the_settings(tmp_path: Path) -> None:
    vcr = pytest.importorskip("vcr")
    calls: list[str] = []

    def own_hook(request: Any) -> Any:
        calls.append(request.uri)
        return request

    recorder = vcr.VCR(**vcr_config(before_record_request=own_hook))
    register(recorder, recorded_at=DAY)
    path = tmp_path / "c.yaml"
    with serve(provider) as server, recorder.use_cassette(str(path)):
        post(f"{server.url}/v1/messages?a=1", {"n": 1})
    assert set(calls) == {"http://127.0.0.1/v1/messages"}
    assert load(path.read_text())["recorded_at"] == DAY
    with no_sockets(), recorder.use_cassette(str(path)):
        assert post("http://[::1]:7/v1/messages", {"n": 1}).json() == MESSAGE
        with pytest.raises(CassetteMissError):
            post("http://localhost/v1/messages", {"n": 2})
