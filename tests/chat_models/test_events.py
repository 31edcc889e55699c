"""`stream_events(version="v3")`, and `invoke` under LangGraph's handler: the message is the invoked one, in blocks."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, IncompleteStreamError, OverloadedError, ProviderError
from langchain_unified.chat_models import _plan
from langchain_unified.chat_models._events import EventWriter
from langchain_unified.errors import InvalidHistoryError
from langchain_unified.wires import WIRES
from langchain_unified.wires._completion import Completion
from langchain_unified.wires.anthropic_messages import serve as serve_anthropic
from langchain_unified.wires.openai_chat import serve as serve_chat
from langchain_unified.wires.openai_responses import serve as serve_responses
from tests.support import strategies_anthropic_messages, strategies_openai_chat, strategies_openai_responses
from tests.support.corpus import label, needs_corpus, sse_events, streams
from tests.support.histories import problems
from tests.support.reading import REBUILD
from tests.support.replies import answer
from tests.support.server import Received, Reply, Server, serve, split
from tests.support.v3 import Event, Listener, assembled, check_blocks, check_equal, check_lifecycle, chunks_of, written

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")

WIRE_OF = {
    "anthropic.messages": WIRES["anthropic_messages"],
    "openai.chat": WIRES["openai_chat"],
    "openai.responses": WIRES["openai_responses"],
}
RECORDED = {exchange["id"]: exchange for endpoint in WIRE_OF for exchange in streams(endpoint)}
each_recording = pytest.mark.parametrize("exchange", [pytest.param(e, id=label(e)) for e in RECORDED.values()])
each_wire = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)


def events_of(exchange: dict[str, Any]) -> list[Any]:
    return sse_events(exchange["response"]["sse"])


def invoked_from(exchange: dict[str, Any]) -> AIMessage:
    """The recorded stream as a whole reply would have been decoded. Chat's is the sum of its chunks."""
    wire, events = WIRE_OF[exchange["endpoint"]], events_of(exchange)
    if exchange["endpoint"] == "openai.chat":
        return reduce(add, chunks_of(wire, events))
    return wire.decode(REBUILD[exchange["endpoint"]](events))[0]


# --- the law, on recordings -------------------------------------------------------------------------------------------


@needs_corpus
@each_recording
def test_a_recorded_stream_gives_the_invoked_message(exchange: dict[str, Any]) -> None:
    events = written(WIRE_OF[exchange["endpoint"]], events_of(exchange))
    check_lifecycle(events)
    check_equal(assembled(events), invoked_from(exchange))


@needs_corpus
@each_recording
def test_texts_and_thoughts_finish_before_anything_else_begins(exchange: dict[str, Any]) -> None:
    """Of them, only the parts of one item's reasoning are open together."""
    running: dict[int, Any] = {}
    for event in written(WIRE_OF[exchange["endpoint"]], events_of(exchange)):
        if event["event"] == "content-block-start":
            begun = event["content"]
            for block in running.values():
                assert block["type"] not in ("text", "image", "server_tool_call_chunk")
                assert block["type"] != "reasoning" or block["id"] == begun["id"]
            running[event["index"]] = begun
        if event["event"] == "content-block-finish":
            del running[event["index"]]


def play(request: Received) -> Reply:
    response = RECORDED[request.headers["x-exchange"]]["response"]
    headers = {**response["headers"], "content-type": "text/event-stream"}
    return Reply(200, headers, split(response["sse"].encode(), 1000))


@pytest.fixture(scope="module")
def recordings() -> Iterator[Server]:
    with serve(play) as running:
        yield running


def model_for(exchange: dict[str, Any], url: str) -> ChatAnthropic | ChatOpenAI:
    common: dict[str, Any] = {
        "model": exchange["request"]["body"]["model"],
        "api_key": "not-a-key",
        "default_headers": {"x-exchange": exchange["id"]},
        "max_retries": 0,
    }
    if exchange["endpoint"].startswith("anthropic"):
        return ChatAnthropic(base_url=url, **common)
    return ChatOpenAI(base_url=url + "/v1", use_responses_api=exchange["endpoint"] != "openai.chat", **common)


@needs_corpus
@each_recording
async def test_all_the_ways_by_events_give_the_same(exchange: dict[str, Any], recordings: Server) -> None:
    model, listener = model_for(exchange, recordings.url), Listener()
    tools = exchange["request"]["body"].get("tools")
    expected = reduce(add, [chunk async for chunk in model.astream("hi", tools=tools)])

    def sync() -> list[AIMessage]:
        config: Any = {"callbacks": [listener]}
        return [model.stream_events("hi", version="v3", tools=tools).output, model.invoke("hi", config, tools=tools)]

    stream = await model.astream_events("hi", version="v3", tools=tools)
    found = [await stream.output, *await asyncio.to_thread(sync)]
    again: Any = {"callbacks": [Listener()]}
    found.append(await model.ainvoke("hi", again, tools=tools))
    check_equal(found[0], expected)
    assert found == [found[0]] * 4
    check_lifecycle(listener.events)


# --- the law, on whatever a server may say ----------------------------------------------------------------------------

GENERATED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "anthropic_messages": (serve_anthropic, strategies_anthropic_messages, {"max_tokens": 9, "messages": []}),
    "openai_chat": (serve_chat, strategies_openai_chat, {"messages": [], "stream_options": {"include_usage": True}}),
    "openai_responses": (serve_responses, strategies_openai_responses, {"input": "hi"}),
}
CUSTOM_TOOLS: dict[str, list[Any]] = {
    "openai_chat": [{"type": "custom", "custom": {"name": "sql"}}],
    "openai_responses": [{"type": "custom", "name": "sql"}],
}


@each_wire
@given(data=st.data())
@settings(max_examples=100)
def test_a_generated_stream_gives_the_invoked_message(wire: Any, data: st.DataObject) -> None:
    server, strategies, body = GENERATED[wire.name]
    said: Completion = data.draw(strategies.COMPLETIONS)
    body = {"model": "m", "tools": CUSTOM_TOOLS.get(wire.name, []), **body}
    events = written(wire, server.render_events(said, body))
    check_lifecycle(events)
    message, invoked = assembled(events), wire.decode(server.render_reply(said, body))[0]
    metadata = message.response_metadata
    assert metadata["finish_reason"] == invoked.response_metadata["finish_reason"]
    names = ("id", "tool_calls", "usage_metadata", "additional_kwargs")
    assert [getattr(message, name) for name in names] == [getattr(invoked, name) for name in names]
    assert [call["id"] for call in message.invalid_tool_calls] == [call["id"] for call in invoked.invalid_tool_calls]
    check_blocks(message, invoked)


# --- a v3 message as history ------------------------------------------------------------------------------------------


@needs_corpus
@each_recording
def test_a_v3_message_replays_as_the_invoked_one(exchange: dict[str, Any]) -> None:
    """To its own API: the same bytes, signatures and ids of items included. That API takes them."""
    wire, model = WIRE_OF[exchange["endpoint"]], model_for(exchange, "http://127.0.0.1:1")

    def body(message: AIMessage) -> dict[str, Any]:
        results = [ToolMessage("done", tool_call_id=call["id"]) for call in message.tool_calls]
        history = [HumanMessage("hi"), message, *results, HumanMessage("go on")]
        return _plan.make(model, history, {}, stream=False).call.body

    invoked, message = invoked_from(exchange), assembled(written(wire, events_of(exchange)))
    invoked = AIMessage(**{name: getattr(invoked, name) for name in AIMessage.model_fields if name != "type"})
    try:
        expected = body(invoked)
    except InvalidHistoryError:
        with pytest.raises(InvalidHistoryError):
            body(message)
        return
    found = body(message)
    assert problems(wire.name, found) == problems(wire.name, expected) == []
    if isinstance(invoked.content, str) and wire.name == "openai_responses":
        # The one thing more that a block holds than a `str`: which item the text was.
        (item,) = [item for item in found["input"] if item.pop("id", "").startswith("msg_")]
        assert [part["text"] for part in item["content"]] == [invoked.content]
        return
    assert found == expected


# --- tool calls -------------------------------------------------------------------------------------------------------

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
    st.sampled_from(["[1]", '"text"', "7", "null", "true"]),
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


# --- what must not be lost --------------------------------------------------------------------------------------------


def anthropic_stream(*blocks: tuple[dict[str, Any], list[dict[str, Any]]]) -> list[Any]:
    """Events of the Messages API: each block as it starts, with its deltas."""
    made: list[Any] = [{"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {}}}]
    for index, (block, deltas) in enumerate(blocks):
        made.append({"type": "content_block_start", "index": index, "content_block": block})
        made += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "content_block_stop", "index": index})
    return [*made, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]


def text_delta(text: str) -> dict[str, Any]:
    return {"type": "text_delta", "text": text}


def citation(number: int) -> dict[str, Any]:
    where = {"document_index": 0, "start_char_index": number, "end_char_index": number + 1}
    return {"type": "char_location", "cited_text": f"quote {number}", "document_title": "Doc", **where}


def test_every_citation_of_a_text_is_kept() -> None:
    deltas = [{"type": "citations_delta", "citation": citation(number)} for number in range(3)]
    made = anthropic_stream(({"type": "text", "text": "", "citations": []}, [deltas[0], text_delta("a"), *deltas[1:]]))
    (block,) = assembled(written(WIRES["anthropic_messages"], made)).content_blocks
    assert [note["cited_text"] for note in block["annotations"]] == ["quote 0", "quote 1", "quote 2"]


def test_the_signature_of_a_thought_and_what_cannot_be_read() -> None:
    signed = ({"type": "thinking", "thinking": "", "signature": ""}, [
        {"type": "thinking_delta", "thinking": "Let me "}, {"type": "thinking_delta", "thinking": "see."},
        {"type": "signature_delta", "signature": "c2ln"},
    ])  # fmt: skip
    sealed = ({"type": "redacted_thinking", "data": "ZGF0YQ=="}, [])
    made = anthropic_stream(signed, sealed, ({"type": "text", "text": ""}, [text_delta("Yes.")]))
    events = written(WIRES["anthropic_messages"], made)
    assert [event["delta"]["reasoning"] for event in events if event.get("index") == 0 and "delta" in event] == [
        "Let me ", "see.",
    ]  # fmt: skip
    assert assembled(events).content == [
        {"type": "reasoning", "reasoning": "Let me see.", "extras": {"signature": "c2ln"}, "index": 0},
        {"type": "non_standard", "value": {"type": "redacted_thinking", "data": "ZGF0YQ=="}, "index": 1},
        {"type": "text", "text": "Yes.", "index": 2},
    ]


def test_a_providers_own_tool_streams_its_arguments() -> None:
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ('{"que', 'ry": "x"}')]
    found = [{"type": "web_search_result", "url": "https://example.com", "encrypted_content": "ZW5j"}]
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": found}
    events = written(WIRES["anthropic_messages"], anthropic_stream((call, pieces), (result, [])))
    check_lifecycle(events)
    start = {"type": "server_tool_call_chunk", "name": "web_search", "id": "srvtoolu_1", "args": ""}
    assert events[1]["content"] == start
    called, answered = assembled(events).content_blocks
    assert (called["type"], called["args"]) == ("server_tool_call", {"query": "x"})
    assert answered["type"] == "server_tool_result"
    assert (answered["tool_call_id"], answered["output"]) == ("srvtoolu_1", found)


def test_a_block_nobody_knows_is_kept_whole() -> None:
    block = {"type": "hologram", "input": {}, "depth": 3}
    pieces = [{"type": "input_json_delta", "partial_json": '{"a": 1}'}, {"type": "glow_delta", "glow": "soft"}]
    (found,) = assembled(written(WIRES["anthropic_messages"], anthropic_stream((block, pieces)))).content_blocks
    assert found["value"] == {"type": "hologram", "input": {"a": 1}, "depth": 3, "glow": "soft"}


def test_blocks_that_take_turns_keep_their_places_and_finish_whole() -> None:
    """No API is known to do it. What finished too early finishes again."""
    made = anthropic_stream(({"type": "text", "text": ""}, [text_delta("a")]), ({"type": "text", "text": ""}, []))
    late: Any = [
        {"type": "content_block_delta", "index": 1, "delta": text_delta("B")},
        {"type": "content_block_delta", "index": 0, "delta": text_delta("b")},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": citation(1)}},
    ]
    message = assembled(written(WIRES["anthropic_messages"], [*made[:-2], *late, *made[-2:]]))
    first, second = message.content_blocks
    assert (first["text"], second["text"], len(first["annotations"])) == ("ab", "B", 1)


BEGINNING = ("type", "id", "role", "phase", "call_id", "name")


def responses_stream(*items: tuple[dict[str, Any], list[dict[str, Any]]], **response: Any) -> list[Any]:
    """Events of the Responses API: each item as it is at the end, with the events before that."""
    made: list[Any] = [{"type": "response.created", "response": {"id": "resp_1"}}]
    for place, (item, events) in enumerate(items):
        begun = {key: value for key, value in item.items() if key in BEGINNING}
        made.append({"type": "response.output_item.added", "output_index": place, "item": begun})
        made += [{**event, "output_index": place, "item_id": item["id"]} for event in events]
        made.append({"type": "response.output_item.done", "output_index": place, "item": item})
    whole = {"id": "resp_1", "status": "completed", "output": [item for item, _ in items], **response}
    return [*made, {"type": "response.completed", "response": whole}]


def test_the_parts_of_a_summary_and_the_seal_that_comes_last() -> None:
    parts = [{"type": "summary_text", "text": text} for text in ("First.", "Second.")]
    item = {"type": "reasoning", "id": "rs_1", "summary": parts, "encrypted_content": "ZW5j"}
    said = [
        {"type": "response.reasoning_summary_text.delta", "summary_index": place, "delta": text}
        for place, text in ((0, "Fir"), (0, "st."), (1, "Second."))
    ]
    made = responses_stream((item, said))
    events = written(WIRES["openai_responses"], made)
    check_lifecycle(events)
    first, second = assembled(events).content_blocks
    assert (first["reasoning"], first["id"], first["encrypted_content"]) == ("First.", "rs_1", "ZW5j")
    assert second == {"type": "reasoning", "reasoning": "Second.", "id": "rs_1", "index": 1}
    assert [event["index"] for event in events if "delta" in event] == [0, 0, 1]


def test_raw_reasoning_is_kept_as_the_reply_has_it() -> None:
    content = [{"type": "reasoning_text", "text": "Hm, so."}]
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "content": content}
    event = {"type": "response.reasoning_text.delta", "content_index": 0}
    made = responses_stream((item, [{**event, "delta": "Hm,"}, {**event, "delta": " so."}]))
    message = assembled(written(WIRES["openai_responses"], made))
    check_blocks(message, WIRES["openai_responses"].decode(made[-1]["response"])[0])
    assert message.content_blocks[0]["extras"] == {"content": content}


def test_a_standard_block_that_core_would_drop() -> None:
    item = {"type": "text-plain", "id": "tp_1", "text": "so far"}
    (block,) = assembled(written(WIRES["openai_responses"], responses_stream((item, [])))).content_blocks
    assert (block["type"], block["value"]) == ("non_standard", item)


def test_every_source_of_a_text_is_kept() -> None:
    sources = [{"type": "url_citation", "url": f"https://example.com/{n}", "title": f"T{n}", "start_index": n,
                "end_index": n + 1} for n in range(3)]  # fmt: skip
    part = {"type": "output_text", "text": "abc", "annotations": sources}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    said: list[Any] = [{"type": "response.output_text.delta", "content_index": 0, "delta": "abc"}]
    said += [{"type": "response.output_text.annotation.added", "content_index": 0, "annotation": s} for s in sources]
    (block,) = assembled(written(WIRES["openai_responses"], responses_stream((item, said)))).content_blocks
    assert [note["url"] for note in block["annotations"]] == [source["url"] for source in sources]


def test_a_picture_and_the_items_beside_it() -> None:
    action = {"type": "search", "query": "q"}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action}
    image = {"type": "image_generation_call", "id": "ig_1", "result": "aW1n", "output_format": "png"}
    events = written(WIRES["openai_responses"], responses_stream((search, []), (image, [])))
    check_lifecycle(events)
    blocks = assembled(events).content_blocks
    assert [block["type"] for block in blocks] == ["server_tool_call", "server_tool_result", "image"]
    assert (blocks[2]["base64"], blocks[2]["mime_type"], blocks[2]["id"]) == ("aW1n", "image/png", "ig_1")
    assert "base64" not in events[5]["content"]
    assert events[5]["content"]["type"] == "image"


def test_a_custom_tool_of_the_responses_api_is_a_call_and_the_item_it_was() -> None:
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sql", "input": "SELECT 1",
            "status": "completed"}  # fmt: skip
    said = [{"type": "response.custom_tool_call_input.delta", "delta": "SELECT "}]
    events = written(WIRES["openai_responses"], responses_stream((item, said)))
    check_lifecycle(events)
    message = assembled(events)
    kept, called = message.content_blocks
    assert kept["value"] == item
    assert called == {"type": "tool_call", "id": "call_1", "name": "sql", "args": {"__arg1": "SELECT 1"}}
    model = ChatOpenAI(model="gpt-5.6", api_key="not-a-key", use_responses_api=True)
    history = [HumanMessage("hi"), message, ToolMessage("1", tool_call_id="call_1")]
    sent = _plan.make(model, history, {}, stream=False).call.body["input"]
    assert [entry["type"] for entry in sent[1:]] == ["custom_tool_call", "custom_tool_call_output"]


REFUSALS: dict[str, list[Any]] = {
    "openai_chat": [
        {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"refusal": "I can"}}]},
        {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"refusal": "not."}}]},
        {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ],
    "openai_responses": responses_stream(
        (
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
             "content": [{"type": "refusal", "refusal": "I cannot."}]},
            [{"type": "response.refusal.delta", "content_index": 0, "delta": "I can"}],
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_kept(name: str) -> None:
    """Core drops `refusal` blocks that finish."""
    message = assembled(written(WIRES[name], REFUSALS[name]))
    (block,) = message.content_blocks
    assert block["type"] == "non_standard"
    assert block["value"]["type"] == "refusal"
    assert block["value"]["refusal"] == "I cannot."
    assert message.response_metadata["finish_reason"] == "refusal"
    assert message.additional_kwargs.get("refusal") == ("I cannot." if name == "openai_chat" else None)


def test_a_refusal_of_anthropic_tells_why() -> None:
    made = anthropic_stream(({"type": "text", "text": ""}, [text_delta("I ")]))
    details = {"type": "refusal", "category": "cyber", "explanation": "No."}
    made[-2] = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}
    message = assembled(written(WIRES["anthropic_messages"], made))
    metadata = message.response_metadata
    assert (metadata["finish_reason"], metadata["stop_details"]) == ("refusal", details)


def test_the_chunks_are_left_alone() -> None:
    chunks = chunks_of(WIRES["openai_responses"], REFUSALS["openai_responses"])
    before = copy.deepcopy(chunks)
    writer = EventWriter("m")
    assert [*(event for chunk in chunks for event in writer.feed(chunk)), *writer.close()]
    assert chunks == before


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
    assert start["id"] == stream.output.id == stream.output.response_metadata["id"]
    provider = "anthropic" if name == "anthropic" else "openai"
    assert start["metadata"]["provider"] == provider
    assert start["metadata"]["model"] == stream.output.response_metadata["model_name"]
    assert str(stream.text) == "one two three"
    assert finish["usage"] == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
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
    assert (message.content, message.id, message.response_metadata["stop_reason"]) == ("", "msg_1", "end_turn")


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
