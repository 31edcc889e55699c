"""What is done here for an API that does not do it: `stop` is cut from the answer, `n` is n requests."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.tool import tool_call, tool_call_chunk

from langchain_unified import (
    ChatAnthropic,
    ChatOpenAI,
    IncompleteStreamError,
    RateLimitError,
    UnsupportedParameterError,
)
from langchain_unified.chat_models._stops import StreamCutter, TextCutter, cut_message, cut_text
from tests.support.replies import NO_DETAILS, answer
from tests.support.server import Received, Reply, serve

USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, **NO_DETAILS}

MODELS: dict[str, Callable[..., Any]] = {
    "anthropic": lambda url, **kw: ChatAnthropic(**{"model": "claude-sonnet-4-5", "base_url": url, **KEYS, **kw}),
    "chat": lambda url, **kw: ChatOpenAI(
        **{"model": "gpt-4o", "base_url": url + "/v1", "use_responses_api": False, **KEYS, **kw}
    ),
    "refusing chat": lambda url, **kw: ChatOpenAI(
        **{"model": "gpt-5-mini", "base_url": url + "/v1", "use_responses_api": False, **KEYS, **kw}
    ),
    "responses": lambda url, **kw: ChatOpenAI(
        **{"model": "gpt-4o", "base_url": url + "/v1", "use_responses_api": True, **KEYS, **kw}
    ),
}
KEYS = {"api_key": "not-a-key", "max_retries": 0, "on_unsupported": "ignore"}


# --- texts ------------------------------------------------------------------------------------------------------------

texts = st.text("ab\n", max_size=24)
stops = st.lists(st.text("ab\n", max_size=4), max_size=4)


def pieces_of(text: str, cuts: Sequence[int]) -> list[str]:
    marks = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(marks)]


def generated(text: str, stops: Sequence[str]) -> tuple[str, str | None]:
    """What a model leaves that is asked after each character whether a stop is there."""
    for end in range(1, len(text) + 1):
        there = [stop for stop in stops if stop and text[:end].endswith(stop)]
        if there:
            longest = max(there, key=len)
            return text[: end - len(longest)], longest
    return text, None


@given(texts, stops)
def test_a_whole_text_ends_where_a_model_would_have_ended(text: str, stops: list[str]) -> None:
    assert cut_text(text, stops) == generated(text, stops)


@given(texts, stops, st.lists(st.integers(0, 24), max_size=12))
def test_any_chunking_of_a_text_equals_cutting_the_whole(text: str, stops: list[str], cuts: list[int]) -> None:
    cutter, shown = TextCutter(stops), ""
    for piece in pieces_of(text, cuts):
        shown += cutter.feed(piece)
        assert text.startswith(shown)
    assert (shown + cutter.flush(), cutter.found) == generated(text, stops)


@given(texts, stops, st.integers(0, 24))
def test_no_more_is_held_back_than_may_be_a_stop(text: str, stops: list[str], cut: int) -> None:
    cutter = TextCutter(stops)
    cutter.feed(text[:cut])
    assert cutter.held == "" or any(stop.startswith(cutter.held) and stop != cutter.held for stop in stops)


# --- messages ---------------------------------------------------------------------------------------------------------

FINISH = {"model_provider": "openai", "finish_reason": "tool_calls"}


def text_chunks(text: str, cuts: Sequence[int], index: int | None) -> list[AIMessageChunk]:
    contents: list[Any] = list(pieces_of(text, cuts))
    if index is not None:
        contents = [[{"type": "text", "text": piece, "index": index}] for piece in contents]
    return [AIMessageChunk(content=content, id="m") for content in contents]


def call_chunks(index: int) -> list[AIMessageChunk]:
    block = {"type": "tool_use", "id": f"call_{index}", "name": "f", "index": index}
    first = tool_call_chunk(name="f", args='{"a": ', id=f"call_{index}", index=index)
    return [
        AIMessageChunk(content=[block], tool_call_chunks=[first], id="m"),
        AIMessageChunk(content=[], tool_call_chunks=[tool_call_chunk(args='"abab"}', index=index)], id="m"),
    ]


def last_chunk(content: Any) -> AIMessageChunk:
    usage: Any = USAGE
    return AIMessageChunk(
        content=content, id="m", response_metadata=FINISH, usage_metadata=usage, chunk_position="last"
    )


def through(chunks: Sequence[AIMessageChunk], stops: Sequence[str]) -> AIMessageChunk:
    cutter = StreamCutter(stops)
    shown = [chunk for each in chunks for chunk in cutter.feed(each)]
    assert [chunk.chunk_position for chunk in shown].count("last") == 1
    return reduce(add, shown)


@given(texts, stops, st.lists(st.integers(0, 24), max_size=12))
def test_a_stream_of_plain_text_equals_the_whole_message(text: str, stops: list[str], cuts: list[int]) -> None:
    whole = cut_message(AIMessage(text, id="m", response_metadata=FINISH), stops)
    streamed = through([*text_chunks(text, cuts, None), last_chunk("")], stops)
    assert streamed.content == whole.content
    assert streamed.response_metadata == whole.response_metadata
    assert streamed.usage_metadata == USAGE


blocks = st.lists(st.one_of(st.tuples(texts, st.lists(st.integers(0, 24), max_size=5)), st.none()), max_size=5)


@given(blocks, stops)
def test_a_stream_of_blocks_equals_the_whole_message(parts: list[Any], stops: list[str]) -> None:
    """`None` stands for a tool call; its arguments hold the stops too, and are not searched."""
    chunks: list[AIMessageChunk] = []
    content: list[Any] = []
    calls = []
    for index, part in enumerate(parts):
        if part is None:
            chunks += call_chunks(index)
            content.append({"type": "tool_use", "id": f"call_{index}", "name": "f"})
            calls.append(tool_call(name="f", args={"a": "abab"}, id=f"call_{index}"))
        else:
            chunks += text_chunks(*part, index)
            content.append({"type": "text", "text": part[0]})
    whole = cut_message(AIMessage(content, id="m", tool_calls=calls, response_metadata=FINISH), stops)
    streamed = through([*chunks, last_chunk([])], stops)
    said = [{key: value for key, value in block.items() if key != "index"} for block in streamed.content]
    assert said == whole.content
    assert streamed.tool_calls == whole.tool_calls
    assert streamed.invalid_tool_calls == []
    assert streamed.response_metadata == whole.response_metadata


def test_what_came_before_the_cut_stays_and_what_comes_after_it_goes() -> None:
    chunks = [
        *call_chunks(0),
        *text_chunks("Thought. STOP Never.", [11], 1),
        AIMessageChunk(content=[{"type": "input_json_delta", "partial_json": "", "index": 0}], id="m"),
        *call_chunks(2),
        last_chunk([]),
    ]
    message = through(chunks, ["STOP"])
    assert message.text == "Thought. "
    assert [call["id"] for call in message.tool_calls] == ["call_0"]
    assert message.response_metadata == {"model_provider": "openai", "finish_reason": "stop", "stop_sequence": "STOP"}


def test_a_block_that_began_before_the_cut_goes_on_to_its_end() -> None:
    thoughts = [AIMessageChunk(content=[{"type": "thinking", "thinking": word, "index": 0}], id="m") for word in "ab"]
    later = AIMessageChunk(content=[{"type": "thinking", "thinking": "c", "index": 2}], id="m")
    message = through([thoughts[0], *text_chunks("so STOP", [], 1), thoughts[1], later, last_chunk([])], ["STOP"])
    assert message.content == [
        {"type": "thinking", "thinking": "ab", "index": 0},
        {"type": "text", "text": "so ", "index": 1},
    ]


def test_a_call_in_the_chunk_of_the_cut_comes_after_it() -> None:
    call = tool_call_chunk(name="f", args="{}", id="call_0", index=0)
    message = through([AIMessageChunk(content="so STOP", tool_call_chunks=[call], id="m"), last_chunk("")], ["STOP"])
    assert message.content == "so "
    assert message.tool_calls == []


def test_notes_on_text_that_is_gone_go_with_it() -> None:
    notes = [{"type": "url_citation", "end_index": 3}, {"type": "url_citation", "end_index": 9}]
    block = {"type": "text", "text": "one STOP two", "id": "msg_1", "annotations": notes}
    cut = cut_message(AIMessage([block, {"type": "reasoning", "id": "rs_1"}]), ["STOP"])
    assert cut.content == [{"type": "text", "text": "one ", "id": "msg_1", "annotations": notes[:1]}]
    assert block["text"] == "one STOP two"


def test_a_message_without_a_stop_is_left_as_it_is() -> None:
    message = AIMessage("one two", response_metadata={"finish_reason": "length"})
    assert cut_message(message, ["STOP"]) is message


# --- calls ------------------------------------------------------------------------------------------------------------

SAID = "Thought: look.\nObservation: never seen"


def speak(request: Received) -> Reply:
    return answer(request, SAID)


@pytest.mark.parametrize("name", ["refusing chat", "responses"])
async def test_an_api_without_stops_is_cut_here(name: str) -> None:
    with serve(speak) as server:
        model = MODELS[name](server.url, stop=["\nObservation:"])
        messages = [
            model.invoke("hi"),
            await model.ainvoke("hi"),
            reduce(add, model.stream("hi")),
            reduce(add, [chunk async for chunk in model.astream("hi")]),
        ]
        assert server.disconnects == 0
    for message in messages:
        assert message.text == "Thought: look."
        assert message.usage_metadata == USAGE
        assert message.response_metadata["finish_reason"] == "stop"
        assert message.response_metadata["stop_sequence"] == "\nObservation:"
        (note,) = message.response_metadata["adjustments"]
        assert note["what"] == "stop"
        assert "the answer is cut here" in note["why"]
    assert all("stop" not in request.json for request in server.requests)


@pytest.mark.parametrize("name", ["refusing chat", "responses"])
def test_a_stream_of_events_is_cut_too(name: str) -> None:
    with serve(speak) as server:
        stream = MODELS[name](server.url).stream_events("hi", version="v3", stop=["\nObservation:"])
        assert "".join(stream.text) == "Thought: look."
        message = stream.output
    assert message.text == "Thought: look."
    assert message.response_metadata["stop_sequence"] == "\nObservation:"
    assert message.usage_metadata == USAGE


def drip(request: Received) -> Reply:
    """A chat completion, a character at a time."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": request.json["model"]}
    deltas = [{"choices": [{"index": 0, "delta": {"content": char}, "finish_reason": None}]} for char in SAID]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}
    return Reply.sse([{**base, **event} for event in [*deltas, end, usage]], done=True)


def test_a_stop_that_comes_a_character_at_a_time() -> None:
    with serve(drip) as server:
        chunks = list(MODELS["refusing chat"](server.url).stream("hi", stop=["\nObservation:"]))
    assert [chunk.content for chunk in chunks[:-1]] == list("Thought: look.")
    message = reduce(add, chunks)
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.usage_metadata == USAGE


def test_what_was_held_back_is_in_the_partial_message_of_a_broken_stream() -> None:
    def broken(request: Received) -> Reply:
        return Reply.sse(
            [{"id": "c", "choices": [{"index": 0, "delta": {"content": piece}}]} for piece in ("one", "\nObs")]
        )

    with serve(broken) as server, pytest.raises(IncompleteStreamError) as caught:
        list(MODELS["refusing chat"](server.url).stream("hi", stop=["\nObservation:"]))
    assert caught.value.partial is not None
    assert caught.value.partial.content == "one\nObs"


def test_only_what_could_not_be_sent_is_cut_here() -> None:
    """Chat takes four; Anthropic none of nothing but whitespace."""
    with serve(speak) as server:
        five = MODELS["chat"](server.url).invoke("hi", stop=["1", "2", "3", "4", "look"])
        blank = MODELS["anthropic"](server.url).invoke("hi", stop=["END", "\n"])
        fine = MODELS["chat"](server.url).invoke("hi", stop=["look"])
    assert server.requests[0].json["stop"] == ["1", "2", "3", "4"]
    assert five.content == "Thought: "
    assert "takes 4 of the 5" in five.response_metadata["adjustments"][0]["why"]
    assert server.requests[1].json["stop_sequences"] == ["END"]
    assert blank.content == "Thought: look."
    assert fine.content == SAID
    assert "adjustments" not in fine.response_metadata


def test_a_call_after_the_cut_was_never_asked_for() -> None:
    with serve(lambda request: answer(request, SAID, (("f", {"a": 1}),))) as server:
        model = MODELS["responses"](server.url).bind(tools=[{"name": "f", "input_schema": {"type": "object"}}])
        for stop, calls in (["\nObservation:"], []), (["nowhere"], [{"a": 1}]):
            whole, streamed = model.invoke("hi", stop=stop), reduce(add, model.stream("hi", stop=stop))
            for message in (whole, streamed):
                assert [call["args"] for call in message.tool_calls] == calls
                assert message.text == (SAID if calls else "Thought: look.")


# --- several answers --------------------------------------------------------------------------------------------------


class Counting:
    """Answers with a number, and with an error to the requests in `failing`."""

    def __init__(self, failing: Sequence[int] = ()) -> None:
        self.count = itertools.count(1)
        self.failing = failing
        self.lock = threading.Lock()

    def __call__(self, request: Received) -> Reply:
        with self.lock:
            number = next(self.count)
        if number in self.failing:
            return Reply.json({"error": {"type": "rate_limit_error", "message": "slow down"}}, 429)
        return answer(request, f"answer {number}")


def generations(result: Any) -> list[Any]:
    return [generation.message for generation in result.generations[0]]


@pytest.mark.parametrize("name", ["anthropic", "responses"])
async def test_several_answers_are_several_requests(name: str) -> None:
    with serve(Counting()) as server:
        model = MODELS[name](server.url, n=3)
        first = generations(model.generate([[HumanMessage("hi")]]))
        second = generations(await model.agenerate([[HumanMessage("hi")]]))
        assert model.invoke("hi").text.startswith("answer ")
    for messages, numbers in (first, "123"), (second, "456"):
        assert sorted(message.text for message in messages) == [f"answer {number}" for number in numbers]
        for message in messages:
            assert message.usage_metadata == USAGE
            assert message.response_metadata["request_id"] == "req_1"
            (note,) = message.response_metadata["adjustments"]
            assert note["what"] == "n"
            assert "3 requests were made" in note["why"]
    assert len(server.requests) == 9
    assert len({request.body for request in server.requests}) == 1


def test_the_answers_stand_in_the_order_of_their_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The later request answers first."""
    with serve(Counting()) as server:
        model = MODELS["anthropic"](server.url, n=2)
        places = iter([threading.Event(), threading.Event()])
        seen: list[threading.Event] = []
        from langchain_unified.transport import Transport

        send = Transport.send

        def in_turn(self: Any, call: Any) -> Any:
            mine = next(places)
            seen.append(mine)
            first = len(seen) == 1
            if first:
                mine.wait(5)
            found = send(self, call)
            if not first:
                seen[0].set()
            return found

        monkeypatch.setattr(Transport, "send", in_turn)
        texts = [message.text for message in generations(model.generate([[HumanMessage("hi")]]))]
    assert texts == ["answer 2", "answer 1"]


@pytest.mark.parametrize("name", ["anthropic", "responses"])
async def test_one_failed_request_fails_the_call(name: str) -> None:
    with serve(Counting(failing=(2, 5))) as server:
        model = MODELS[name](server.url, n=3)
        with pytest.raises(RateLimitError):
            model.invoke("hi")
        with pytest.raises(RateLimitError):
            await model.ainvoke("hi")


@pytest.mark.parametrize("name", ["anthropic", "chat", "responses"])
def test_a_stream_is_one_answer_and_says_so(name: str) -> None:
    with serve(Counting()) as server:
        message = reduce(add, MODELS[name](server.url, n=3).stream("hi"))
    assert message.text == "answer 1"
    assert [note["what"] for note in message.response_metadata["adjustments"]] == ["n"]
    assert len(server.requests) == 1


def test_chat_gives_several_answers_itself() -> None:
    with serve(Counting()) as server:
        MODELS["chat"](server.url, n=3).invoke("hi")
    assert [request.json["n"] for request in server.requests] == [3]


def test_requests_side_by_side_would_mix_in_one_conversation() -> None:
    with serve(Counting()) as server:
        message = MODELS["responses"](server.url, n=3).invoke("hi", conversation="conv_1")
    assert len(server.requests) == 1
    assert [note["what"] for note in message.response_metadata["adjustments"]] == ["n"]


@pytest.mark.parametrize("params", [{"n": 2}, {"stop": ["x"]}])
def test_a_strict_caller_gets_no_emulation(params: dict[str, Any]) -> None:
    with serve(speak) as server, pytest.raises(UnsupportedParameterError, match="openai_responses"):
        MODELS["responses"](server.url, on_unsupported="raise").invoke("hi", **params)
    assert server.requests == []


def test_several_cut_answers() -> None:
    with serve(speak) as server:
        result = MODELS["responses"](server.url).generate([[HumanMessage("hi")]], n=2, stop=["\nObs"])
    assert [message.text for message in generations(result)] == ["Thought: look."] * 2
