"""Tool calls in v3 events, however a server cuts them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_unified.chat_models._events import EventWriter
from langchain_unified.wires import WIRES
from tests.chat_models.events.helpers import each_wire
from tests.support.streams import chunks_of
from tests.support.v3 import Event, assembled, check_lifecycle, written

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")

ARGUMENTS = st.dictionaries(
    st.text(max_size=4),
    st.recursive(st.none() | st.integers() | st.text(max_size=6), lambda inner: st.lists(inner, max_size=2)),
    max_size=3,
)
Piece = tuple[int, str]
"""The place of a call, and a piece of its arguments."""


@st.composite
def calls_in_pieces(draw: st.DrawFn, texts: st.SearchStrategy[str], *, mixed: bool) -> tuple[list[str], list[Piece]]:
    """The arguments of parallel calls, and the pieces in which they come; `mixed`: the calls' pieces take turns."""
    calls = draw(st.lists(texts, min_size=1, max_size=4))
    pieces: list[list[Piece]] = []
    for place, text in enumerate(calls):
        cuts = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=4)))
        ends = [0, *cuts, len(text)]
        pieces.append([(place, text[start:end]) for start, end in itertools.pairwise(ends)])
    if not mixed:
        return calls, [piece for own in pieces for piece in own]
    order = draw(st.permutations([place for place, own in enumerate(pieces) for _ in own]))
    # A call begins in its turn; after that its pieces may come at any time.
    rest = [iter(own) for own in pieces]
    return calls, [*((place, "") for place in range(len(calls))), *(next(rest[place]) for place in order)]


def _anthropic_calls(pieces: list[Piece], cut: bool) -> Iterator[Any]:
    yield {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 1}}}
    begun: set[int] = set()
    for place, text in pieces:
        if place not in begun:
            begun.add(place)
            block = {"type": "tool_use", "id": f"toolu_{place}", "name": f"tool_{place}", "input": {}}
            yield {"type": "content_block_start", "index": place, "content_block": block}
        delta = {"type": "input_json_delta", "partial_json": text}
        yield {"type": "content_block_delta", "index": place, "delta": delta}
    stop = "max_tokens" if cut else "tool_use"
    yield {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 1}}
    yield {"type": "message_stop"}


def _chat_calls(pieces: list[Piece], cut: bool) -> Iterator[Any]:
    begun: set[int] = set()
    for place, text in pieces:
        call: Any = {"index": place, "function": {"arguments": text}}
        if place not in begun:
            begun.add(place)
            call = {"index": place, "id": f"call_{place}", "function": {"name": f"tool_{place}", "arguments": text}}
        yield {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
    yield {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "length" if cut else "stop"}]}


def _responses_calls(pieces: list[Piece], cut: bool) -> Iterator[Any]:
    texts: dict[int, str] = {}
    yield {"type": "response.created", "response": {"id": "resp_1"}}
    for place, text in pieces:
        if place not in texts:
            texts[place] = ""
            yield {"type": "response.output_item.added", "output_index": place, "item": _item(place, "", "in_progress")}
        texts[place] += text
        event = {"type": "response.function_call_arguments.delta", "output_index": place, "item_id": f"fc_{place}"}
        yield {**event, "delta": text}
    # An item that was cut is done too; it says that it is incomplete.
    items = [_item(p, t, "incomplete" if cut and p == max(texts) else "completed") for p, t in sorted(texts.items())]
    for place, item in enumerate(items):
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    ending = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}} if cut else {}
    whole = {"id": "resp_1", "status": "completed", **ending, "output": items}
    yield {"type": "response.incomplete" if cut else "response.completed", "response": whole}


def _item(place: int, arguments: str, status: str) -> Any:
    names = {"id": f"fc_{place}", "call_id": f"call_{place}", "name": f"tool_{place}"}
    return {"type": "function_call", **names, "arguments": arguments, "status": status}


STREAMS_OF: dict[str, Callable[[list[Piece], bool], Iterator[Any]]] = {
    "anthropic_messages": _anthropic_calls,
    "openai_chat": _chat_calls,
    "openai_responses": _responses_calls,
}


def both(wire: Any, pieces: list[Piece], *, cut: bool = False) -> tuple[AIMessageChunk, AIMessage, list[Event]]:
    """The sum of the chunks, the v3 message and its events."""
    made = list(STREAMS_OF[wire.name](pieces, cut))
    events = written(wire, made)
    check_lifecycle(events)
    return reduce(add, chunks_of(wire, made)), assembled(events), events


@each_wire
@given(made=st.booleans().flatmap(lambda mixed: calls_in_pieces(ARGUMENTS.map(json.dumps), mixed=mixed)))
@settings(max_examples=60)
def test_parallel_calls_survive_any_chunking(wire: Any, made: tuple[list[str], list[Piece]]) -> None:
    texts, pieces = made
    summed, message, events = both(wire, pieces)
    for found in (summed, message):
        assert [call["args"] for call in found.tool_calls] == [json.loads(text) for text in texts]
        assert [call["name"] for call in found.tool_calls] == [f"tool_{place}" for place in range(len(texts))]
        assert found.invalid_tool_calls == []
    indexes = {call["index"] for call in summed.tool_call_chunks}
    assert len(indexes) == len(texts)
    starts = [event["content"] for event in events if event["event"] == "content-block-start"]
    assert {start["index"] for start in starts} == indexes
    assert [start["id"] for start in starts] == [call["id"] for call in message.tool_calls]
    if wire.name == "openai_responses":
        # The status comes when the item is done, which may be after the next one began.
        extras = [block.get("extras") for block in message.content_blocks]
        assert extras == [{"item_id": f"fc_{place}", "status": "completed"} for place in range(len(texts))]


NO_OBJECT = st.one_of(
    st.sampled_from(['{"a": "b', '{"a": {"b": 1}', '{"a": 1}}', "nonsense", '{"a"', "{", '[{"a": 1}', '{"a": 1,']),
    st.sampled_from(["[1]", '"text"', "7", "true"]),
)


@each_wire
@given(made=calls_in_pieces(NO_OBJECT, mixed=False))
@settings(max_examples=60)
def test_broken_arguments_are_kept_as_they_came(wire: Any, made: tuple[list[str], list[Piece]]) -> None:
    texts, pieces = made
    summed, message, _ = both(wire, pieces)
    assert (summed.tool_calls, message.tool_calls) == ([], [])
    assert [call["args"] for call in message.invalid_tool_calls] == texts
    assert [call["name"] for call in message.invalid_tool_calls] == [f"tool_{place}" for place in range(len(texts))]
    assert len(summed.invalid_tool_calls) == len(texts)


@each_wire
@given(text=ARGUMENTS.filter(bool).map(json.dumps), data=st.data())
@settings(max_examples=60)
def test_a_cut_call_is_never_offered_as_a_whole_one(wire: Any, text: str, data: st.DataObject) -> None:
    """The call before it is whole."""
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    summed, message, _ = both(wire, [(0, '{"a": 1}'), (1, cut)], cut=True)
    for found in (summed, message):
        whole = [call["id"] for call in found.tool_calls]
        assert len(whole) == 1 or (wire.name == "openai_chat" and cut == "")
        assert found.tool_calls[0]["args"] == {"a": 1}
        assert [call["name"] for call in found.invalid_tool_calls] == ["tool_1"] * (2 - len(whole))


def test_a_call_without_arguments_holds_the_later_ones_back_and_keeps_the_order() -> None:
    _, message, events = both(WIRES["openai_chat"], [(0, ""), (1, '{"a": 1}'), (2, "{}")])
    assert [call["args"] for call in message.tool_calls] == [{}, {"a": 1}, {}]
    finished = [event["index"] for event in events if event["event"] == "content-block-finish"]
    assert finished == [0, 1, 2]


def test_a_whole_call_finishes_when_the_next_begins() -> None:
    _, _, events = both(WIRES["anthropic_messages"], [(0, '{"a"'), (0, ": 1}"), (1, '{"b": 2}')])
    kinds = [(event["event"].removeprefix("content-block-"), event.get("index")) for event in events]
    assert kinds[1:-1] == [
        ("start", 0), ("delta", 0), ("delta", 0), ("finish", 0), ("start", 1), ("delta", 1), ("finish", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses"])
def test_arguments_with_a_bare_line_break_are_whole(name: str) -> None:
    """JSON forbids it, models write it, and core's own parser takes it."""
    summed, message, _ = both(WIRES[name], [(0, '{"a": "x\ny"}')])
    assert [call["args"] for call in message.tool_calls] == [{"a": "x\ny"}]
    assert summed.tool_calls == message.tool_calls


def test_a_call_starts_when_its_name_is_known() -> None:
    """Some servers send the name after the id; v3 has no place for a name but the start."""
    deltas: list[Any] = [
        {"index": 0, "id": "call_1", "function": {"arguments": '{"a":'}},
        {"index": 0, "function": {"name": "f", "arguments": " 1}"}},
    ]
    made = [{"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]} for delta in deltas]
    made.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    events = written(WIRES["openai_chat"], made)
    check_lifecycle(events)
    assert events[1]["content"] == {"type": "tool_call_chunk", "id": "call_1", "name": "f", "args": "", "index": 0}
    assert assembled(events).tool_calls[0]["args"] == {"a": 1}


def test_a_stream_that_just_stops_offers_no_half_call() -> None:
    """Some servers never say how an answer ends; the call that was under way is shown as far as it came."""
    made = list(_chat_calls([(0, '{"a": 1}'), (1, '{"b": "c')], False))[:-1]
    decoder, writer = WIRES["openai_chat"].stream_decoder(False), EventWriter("m")
    chunks = [*(chunk for event in made for chunk in decoder.feed(event)), *decoder.end()]
    events: Any = [*(event for chunk in chunks for event in writer.feed(chunk)), *writer.close()]
    check_lifecycle(events)
    message = assembled(events)
    assert [call["args"] for call in message.tool_calls] == [{"a": 1}]
    assert [call["args"] for call in message.invalid_tool_calls] == ['{"b": "c']


def test_a_custom_tool_of_chat_completions() -> None:
    """Its whole text comes at the end, as the one argument of a call."""
    call = {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "sql", "input": 'SELECT "'}}
    more = {"index": 0, "custom": {"input": 'a"'}}
    made = [{"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [each]}}]} for each in (call, more)]
    made.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    events = written(WIRES["openai_chat"], made)
    check_lifecycle(events)
    assert [event["delta"]["args"] for event in events if "delta" in event] == ['{"__arg1":"SELECT \\"a\\""}']
    assert assembled(events).tool_calls[0]["args"] == {"__arg1": 'SELECT "a"'}
