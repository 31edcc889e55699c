"""v3 events through the models, and streams that go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, IncompleteStreamError, OverloadedError, ProviderError
from langchain_unified.wires import WIRES
from tests.chat_models.events.helpers import anthropic_stream, citation, text_delta
from tests.support.replies import NO_DETAILS, answer
from tests.support.server import Received, Reply, Server, serve
from tests.support.v3 import Listener, assembled, check_lifecycle, written

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")


# --- through the model ------------------------------------------------------------------------------------------------

CLASSES = ("anthropic", "chat", "responses")
each_class = pytest.mark.parametrize("name", CLASSES)


def build(name: str, server: Server, **kwargs: Any) -> Any:
    kwargs = {"api_key": "not-a-key", "max_retries": 0, **kwargs}
    if name == "anthropic":
        return ChatAnthropic(model="claude-sonnet-4-5", base_url=server.url, **kwargs)
    return ChatOpenAI(model="gpt-4o", base_url=server.url + "/v1", use_responses_api=name == "responses", **kwargs)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(lambda request: answer(request, "one two three")) as running:
        yield running


@each_class
def test_the_stream_object(name: str, server: Server) -> None:
    stream = build(name, server).stream_events("hi", version="v3")
    start, *_, finish = events = list(stream)
    assert start["id"] == stream.output.id != stream.output.response_metadata["id"]
    assert start["id"].startswith("lc_run-")
    provider = "anthropic" if name == "anthropic" else "openai"
    assert start["metadata"]["provider"] == provider
    assert start["metadata"]["model"] == stream.output.response_metadata["model_name"]
    assert str(stream.text) == "one two three"
    assert finish["usage"] == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, **NO_DETAILS}
    assert finish["metadata"]["request_id"] == "req_1"
    check_lifecycle(events)


@each_class
async def test_calls_by_events(name: str, server: Server) -> None:
    """`.tool_calls` gives the pieces as they come, each with its call's name."""
    with serve(lambda request: answer(request, "", (("f", {"a": 1}), ("g", {})))) as calling:
        stream = await build(name, calling).astream_events("hi", version="v3")
        pieces = [piece async for piece in stream.tool_calls]
        message = await stream.output
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("f", {"a": 1}), ("g", {})]
    joined: dict[str, str] = {}
    for piece in pieces:
        joined[piece["name"]] = joined.get(piece["name"], "") + piece["args"]
    assert {key: json.loads(text) for key, text in joined.items()} == {"f": {"a": 1}, "g": {}}


@each_class
async def test_token_callbacks_are_told_too(name: str, server: Server) -> None:
    one, other = Listener(), Listener()
    model = build(name, server)
    await asyncio.to_thread(model.invoke, "hi", {"callbacks": [one]})
    await model.ainvoke("hi", {"callbacks": [other]})
    for listener in (one, other):
        assert "".join(listener.tokens) == "one two three"
        check_lifecycle(listener.events)


def test_a_stop_sequence_that_is_cut_here_cuts_the_events(server: Server) -> None:
    """The Responses API takes none."""
    model = build("responses", server, on_unsupported="ignore")
    stream = model.stream_events("hi", version="v3", stop=[" two"])
    assert str(stream.text) == "one"
    assert stream.output.response_metadata["stop_sequence"] == " two"
    assert [note["what"] for note in stream.output.response_metadata["adjustments"]] == ["stop"]


def test_a_text_whose_sources_come_late_is_one_block() -> None:
    """A stream of text alone would begin as `str`, and its sources as a block."""
    deltas = [text_delta("a"), {"type": "citations_delta", "citation": citation(0)}, text_delta("b")]
    with serve(lambda request: Reply.sse(anthropic_stream(({"type": "text", "text": ""}, deltas)))) as running:
        (block,) = build("anthropic", running).stream_events("hi", version="v3").output.content_blocks
    assert (block["text"], len(block["annotations"])) == ("ab", 1)


def test_a_reply_without_an_id_has_the_id_of_its_run(server: Server) -> None:
    def nameless(request: Received) -> Reply:
        event = {"choices": [{"index": 0, "delta": {"content": "hello"}, "finish_reason": "stop"}]}
        return Reply.sse([event], done=True)

    with serve(nameless) as running:
        start, *_ = stream = build("chat", running).stream_events("hi", version="v3")
    assert start["id"].startswith("lc_run--")
    assert stream.output.id == start["id"]


def test_an_answer_of_nothing() -> None:
    made = anthropic_stream()
    message = assembled(written(WIRES["anthropic_messages"], made))
    assert (message.content, message.response_metadata["id"], message.response_metadata["stop_reason"]) == (
        "", "msg_1", "end_turn",
    )  # fmt: skip


# --- when it goes wrong -----------------------------------------------------------------------------------------------

BEGUN = anthropic_stream(({"type": "text", "text": ""}, [text_delta("so far")]))[:3]
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
ENDINGS: dict[str, tuple[list[Any], type[ProviderError]]] = {
    "error": ([*BEGUN, OVERLOADED], OverloadedError),
    "cut": (BEGUN, IncompleteStreamError),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_an_error_in_the_stream_is_ours_and_has_what_had_come(ending: str) -> None:
    events, kind = ENDINGS[ending]
    with serve(lambda request: Reply.sse(events)) as running:
        model, listener = build("anthropic", running), Listener()
        config: Any = {"callbacks": [listener]}

        def iterate() -> Any:
            return list(model.stream_events("hi", config, version="v3"))

        async def aiterate() -> Any:
            return await (await model.astream_events("hi", config, version="v3")).output

        for call in (
            asyncio.to_thread(iterate),
            asyncio.to_thread(model.invoke, "hi", config),
            aiterate(),
            model.ainvoke("hi", config),
        ):
            with pytest.raises(kind) as caught:
                await call
            assert caught.value.partial is not None
            assert caught.value.partial.text == "so far"
    assert [isinstance(error, kind) for error in listener.errors] == [True] * 4


def test_an_error_before_the_stream() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with serve(lambda request: Reply.json(error, 529)) as running, pytest.raises(OverloadedError):
        _ = build("anthropic", running).stream_events("hi", version="v3").output


async def test_leaving_early_hangs_up() -> None:
    def drip(request: Received) -> Reply:
        return Reply.sse([*BEGUN, *[BEGUN[-1]] * 200], delay=0.02)

    with serve(drip) as running:
        model = build("anthropic", running)
        async with await model.astream_events("hi", version="v3") as stream:
            async for event in stream:
                if event["event"] == "content-block-delta":
                    break
        assert await asyncio.to_thread(running.wait_disconnects, 1, 2.0)
        for event in model._stream_chat_model_events([HumanMessage("hi")]):
            if event["event"] == "content-block-delta":
                break
        assert await asyncio.to_thread(running.wait_disconnects, 2, 2.0)
