"""A part of `make fuzz`, and what a repaired reply keeps."""

from __future__ import annotations

import copy
import random

import pytest

from langchain_unified.errors import ReplyError
from langchain_unified.wires import WIRES
from tests.fuzz import drive
from tests.fuzz.mutations import mutated
from tests.support import corpus
from tests.support.streams import chunks_of, total


@pytest.mark.skipif(not corpus.CORPUS.exists(), reason=corpus.MISSING)
@pytest.mark.parametrize("seed", range(4))
def test_nothing_raises_an_exception_that_is_not_ours(seed: int) -> None:
    found = drive.run(400, seed)
    assert not found.foreign, str(found)
    assert found.read > found.cases / 2


def test_the_same_seed_gives_the_same_cases() -> None:
    one, two = (mutated({"a": [1, {"b": "c"}], "d": None}, random.Random(7), 3) for _ in range(2))
    assert one == two


CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5",
    "content": [
        {"type": "text", "text": "Paris."},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"city": "Paris"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 10, "output_tokens": 5},
}


def with_part(reply, *path, value):
    found = copy.deepcopy(reply)
    holder = found
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return found


@pytest.mark.parametrize(
    "path,value,place",
    [
        (("content", 0, "text"), 5, "content[0].text"),
        (("content", 0), None, "content[0]"),
        (("content", 0), "Paris.", "content[0]"),
        (("content", 0, "type"), [], "content[0].type"),
        (("usage", "input_tokens"), "ten", "usage.input_tokens"),
        (("model",), {}, "model"),
        (("stop_reason",), ["tool_use"], "stop_reason"),
    ],
)
def test_what_is_wrong_is_left_out_and_listed(path, value, place):
    (message,) = WIRES["anthropic_messages"].decode(with_part(CLAUDE, *path, value=value))
    assert message.response_metadata["unreadable"][0]["place"] == place
    assert [call["args"] for call in message.tool_calls] == [{"city": "Paris"}]
    assert list(message.content_blocks)


@pytest.mark.parametrize("value", ["{", [1], 7, {"a": 1}])
def test_broken_arguments_become_an_invalid_call(value):
    (message,) = WIRES["anthropic_messages"].decode(with_part(CLAUDE, "content", 1, "input", value=value))
    assert len(message.tool_calls) + len(message.invalid_tool_calls) == 1
    assert bool(message.tool_calls) is isinstance(value, dict)
    assert "unreadable" not in message.response_metadata


@pytest.mark.parametrize(
    "wire,reply",
    [
        ("anthropic_messages", {"type": "message", "content": "hi"}),
        ("anthropic_messages", {"type": "message"}),
        ("openai_chat", {"choices": [{"message": None}]}),
        ("openai_chat", {"choices": "no"}),
        ("openai_responses", {"output": {}}),
        ("openai_responses", {"output": None}),
    ],
)
def test_what_is_no_reply_is_an_error_that_names_the_place(wire, reply):
    with pytest.raises(ReplyError) as caught:
        WIRES[wire].decode(reply)
    assert any(word in str(caught.value) for word in ("content", "choice", "output"))


@pytest.mark.parametrize(
    "wire,event",
    [
        ("anthropic_messages", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 5}}),
        ("anthropic_messages", {"type": "content_block_delta", "index": "0", "delta": {"type": "text_delta"}}),
        ("openai_responses", {"type": "response.output_text.delta", "item_id": "m", "delta": {}}),
    ],
)
def test_content_of_a_stream_that_cannot_be_read_is_an_error(wire, event):
    with pytest.raises(ReplyError, match=r"delta|index"):
        list(WIRES[wire].stream_decoder(False).feed(event))


def test_what_is_beside_the_content_of_a_stream_may_be_wrong():
    chunk = {"model": 5, "choices": [{"index": 0, "delta": {"content": "hi"}, "logprobs": 7, "finish_reason": "stop"}]}
    message = total(chunks_of(WIRES["openai_chat"], [chunk, {"choices": [], "usage": "none"}]))
    assert message.content == "hi"
    assert message.usage_metadata is None
