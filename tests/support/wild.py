"""Histories from the wild: what models, servers, tools, stopped streams, middleware and older programs leave behind.

`histories()` builds them from the recorded replies and streams of all wires. `KINDS` says which kinds of damage it
makes: a kind that the package does not bear yet is off, with the reason beside it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import functools
import pathlib
import uuid
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    merge_message_runs,
    trim_messages,
)

from langchain_unified.wires import WIRES
from tests.support.corpus import WIRE_OF, replies, sse_events, streams
from tests.support.stored import partner_answers

KINDS: dict[str, bool] = {
    "stopped": True,  # a stream that ended after any of its events
    "without metadata": True,  # a message whose `response_metadata` is gone
    "as v1": True,  # content as LangChain's standard blocks
    "thinned": True,  # blocks of an answer that a middleware took away
    "dropped": True,  # a message that is gone
    "repeated": True,  # the same reply or message twice
    "reordered": True,
    "trimmed": True,  # the beginning is gone
    "unanswered": True,  # tool calls without a result
    "ends with an answer": True,
    "system between": True,
    "odd names": True,  # tool names that no provider takes
    "odd ids": True,  # tool call ids that not every provider takes
    "failed without words": True,  # a tool's error with empty content
    "odd values": True,  # results that are neither text nor blocks
    "odd blocks": True,  # blocks in results that no model takes
    "odd addresses": True,  # images in results at addresses that no provider reads
    "surrogates": True,  # half of a surrogate pair in a text
    "thinking switched on": True,  # a model with a thinking budget, in any part of a thread
    "as v1 without metadata": True,  # another provider's tool_use, thinking … in `non_standard`
    "as v1, stopped": True,  # a `server_tool_call_chunk`
    "stopped in a list of MCP tools": True,  # an `mcp_list_tools` without `tools`
    "ends with thinking": True,
    "output-only keys": True,  # `abort_reason` of a code execution's result
    "stored by others": True,  # what langchain-anthropic and langchain-openai make of the recorded replies
    "any text": True,  # names and ids of any text
    "cut to a length": True,  # by `trim_messages`
    "summarised": True,  # the beginning as a text
    "merged": True,  # by `merge_message_runs`
    "edited": True,  # content and calls that no message may have, set after construction
}


@dataclasses.dataclass(frozen=True)
class Row:
    """What a tool may return."""

    name: str
    number: int


class Made:
    """An object whose `str` is another one in each process."""


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PLAIN_RESULTS: list[Any] = [
    "found it",
    "x" * 2000,
    [{"type": "text", "text": "a part"}],
    [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
    '{"a": [1, 2]}',
    "nul \x00 in it",
]
ODD_RESULTS: dict[str, list[Any]] = {
    "odd values": [
        None,
        5,
        1.5,
        True,
        {"a": 1},
        [1, 2],
        ["x", "y"],
        b"bytes",
        [None],
        b"\xff\x00",
        {3, 1, 2},
        frozenset("ab"),
        dt.date(2026, 11, 30),
        dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC),
        dt.time(1),
        decimal.Decimal("1.50"),
        pathlib.PurePosixPath("/srv/a.txt"),
        uuid.UUID(int=5),
        range(3),
        ("a", 1),
        Row("a", 1),
        [Row("a", 1)],
        Made(),
        [Made()],
        ValueError("no such file"),
        float("nan"),
        {("a", 1): b"x"},
        {"when": dt.date(2026, 1, 1)},
        10**40,
    ],
    "odd blocks": [
        [{"type": "file", "name": "a.txt"}],
        [{"type": "resource_link", "uri": "screenshot://1", "name": "s"}],
        [{"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}],
        [{"type": "image", "base64": "PHN2Zy8+", "mime_type": "image/svg+xml"}],
        [{"type": "image", "base64": PIXEL, "mime_type": "image/png"}],
        [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}],
        [{"type": "text", "text": ""}],
        [{"foo": "bar"}],
    ],
    "odd addresses": [
        [{"type": "image", "url": "file:///srv/x.png"}],
        [{"type": "image_url", "image_url": {"url": "s3://bucket/x.png"}}],
    ],
    "surrogates": ["half \ud83d emoji", [{"type": "text", "text": "half \udc00"}]],
}
ODD_CONTENTS: list[Any] = [None, 5, True, {"a": 1}, (), [None], [5], [[]], [{}], [{"type": None}], [{"type": "text"}]]
ODD_CALLS: list[Any] = [
    None, ["f"], [{"name": "f", "args": {}}], [{"name": "f", "args": '{"a": 1}', "id": "c1"}],
    [{"args": None, "id": 5}], [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
]  # fmt: skip
ODD_FIELDS = [("content", ODD_CONTENTS), ("tool_calls", ODD_CALLS), ("invalid_tool_calls", ODD_CALLS)]
THINKING = {"thinking", "redacted_thinking", "reasoning", "non_standard"}
PLAIN_NAMES, ODD_NAMES = ["look_up"], ["a.b", "with space", "", "x" * 80, "multi_tool_use.parallel", "größe"]
PLAIN_IDS, ODD_IDS = ["c1", "toolu_1"], ["call 1", "x" * 70, "", "a|b"]


@functools.cache
def answers() -> tuple[AIMessage, ...]:
    """Every recorded reply of every wire, as a message."""
    found: list[AIMessage] = []
    for endpoint, wire in WIRE_OF.items():
        for exchange in replies(endpoint):
            found += WIRES[wire].decode(exchange["response"]["body"])
    return tuple(answer for answer in found if KINDS["output-only keys"] or "abort_reason" not in str(answer.content))


@functools.cache
def event_streams() -> tuple[tuple[str, tuple[dict[str, Any], ...]], ...]:
    """Every recorded stream, with its wire."""
    return tuple(
        (wire, tuple(sse_events(exchange["response"]["sse"])))
        for endpoint, wire in WIRE_OF.items()
        for exchange in streams(endpoint)
    )


def _on(kind: str) -> st.SearchStrategy[bool]:
    """Whether to make this kind of damage here; mostly not."""
    return st.sampled_from([False, False, False, True]) if KINDS[kind] else st.just(False)


@st.composite
def stopped_answers(draw: st.DrawFn) -> AIMessage:
    """What is left of a recorded stream after any of its events."""
    wire, events = draw(st.sampled_from(event_streams()))
    length = draw(st.integers(1, len(events))) if KINDS["stopped"] else len(events)
    decoder = WIRES[wire].stream_decoder(draw(st.booleans()))  # type: ignore[index]
    chunks: list[AIMessageChunk] = [chunk for event in events[:length] for chunk in decoder.feed(event)]
    stopped = sum(chunks[1:], chunks[0]) if chunks else AIMessage("stopped")
    lists_tools = any(kind == "mcp_list_tools" for kind in _types(stopped))
    return AIMessage("stopped") if lists_tools and not KINDS["stopped in a list of MCP tools"] else stopped


def _types(message: BaseMessage) -> set[str]:
    """The types of a message's blocks."""
    blocks = message.content if isinstance(message.content, list) else []
    return {str(block.get("type")) for block in blocks if isinstance(block, dict)}


@st.composite
def calling_answers(draw: st.DrawFn) -> AIMessage:
    """An answer that calls tools, with names and ids of any text."""
    names = st.sampled_from(PLAIN_NAMES + (ODD_NAMES if KINDS["odd names"] else []))
    ids = st.sampled_from(PLAIN_IDS + (ODD_IDS if KINDS["odd ids"] else []))
    if KINDS["any text"]:
        names, ids = names | st.text(max_size=150), ids | st.text(max_size=80)
    chosen = draw(st.lists(ids, min_size=1, max_size=2, unique=True))
    calls = [ToolCall(name=draw(names), args={"q": "v"}, id=each) for each in chosen]
    return AIMessage(draw(st.sampled_from(["", "Let me look."])), tool_calls=calls)


@st.composite
def model_answers(draw: st.DrawFn) -> AIMessage:
    """A recorded, stopped or written answer, as it may have been stored."""
    kind = draw(st.integers(0, 9))
    stored = answers() + (partner_answers() if KINDS["stored by others"] else ())
    recorded = st.sampled_from(stored).map(lambda answer: answer.model_copy(deep=True))
    answer = draw(recorded if kind < 6 else stopped_answers() if kind < 8 else calling_answers())
    if bare := draw(_on("without metadata")):
        answer.response_metadata = {}
    stopped = isinstance(answer, AIMessageChunk) and not KINDS["as v1, stopped"]
    as_v1 = draw(_on("as v1")) and not stopped and (not bare or KINDS["as v1 without metadata"])
    if as_v1 and isinstance(answer.content, list):
        metadata = {**answer.response_metadata, "output_version": "v1"}
        answer = answer.model_copy(update={"content": answer.content_blocks, "response_metadata": metadata})
    if draw(_on("thinned")) and isinstance(answer.content, list):
        left = [block for block in answer.content if draw(st.booleans())]
        answer = answer.model_copy(update={"content": left})
    return answer


@st.composite
def tool_results(draw: st.DrawFn, call: ToolCall) -> ToolMessage:
    """The result of a tool: any value that a program may put into a message."""
    odd = [value for kind, values in ODD_RESULTS.items() if KINDS[kind] for value in values]
    value = draw(st.sampled_from(PLAIN_RESULTS + odd))
    message = ToolMessage("", tool_call_id=call["id"] or "", name=call["name"])
    failed = draw(st.sampled_from([False, False, True]))
    if failed and KINDS["failed without words"] and draw(st.booleans()):
        value = draw(st.sampled_from(["", []]))
    # Past the constructor, as stored messages and edits come.
    return message.model_copy(update={"content": value, "status": "error" if failed else "success"})


def _item_ids(answer: AIMessage) -> set[str]:
    """The ids of a reply's blocks, which the provider gave only once."""
    blocks = answer.content if isinstance(answer.content, list) else []
    return {str(block["id"]) for block in blocks if isinstance(block, dict) and block.get("id")}


@st.composite
def histories(draw: st.DrawFn) -> list[BaseMessage]:
    """A conversation of up to three turns, damaged in one or no place."""
    made: list[BaseMessage] = [SystemMessage("Be brief.")] if draw(st.booleans()) else []
    met: set[str] = set()
    for at in range(draw(st.integers(1, 3))):
        made.append(HumanMessage(f"Question {at}."))
        answer = draw(model_answers())
        if not KINDS["repeated"] and met & _item_ids(answer):
            answer = AIMessage("The same again.")
        met |= _item_ids(answer)
        made.append(answer)
        made += [draw(tool_results(call)) for call in answer.tool_calls if not draw(_on("unanswered"))]
        if draw(_on("edited")):
            fields = ODD_FIELDS if isinstance(made[-1], AIMessage) else ODD_FIELDS[:1]
            field, odd = draw(st.sampled_from(fields))
            made[-1] = made[-1].model_copy(update={field: draw(st.sampled_from(odd))})
    made = draw(_damaged(made))
    if not KINDS["system between"]:
        made.sort(key=lambda message: not isinstance(message, SystemMessage))
    thinking = bool(made) and bool(_types(made[-1]) & THINKING) and not KINDS["ends with thinking"]
    if not made or thinking or not draw(_on("ends with an answer")):
        made.append(HumanMessage("And now?"))
    return made


@st.composite
def _damaged(draw: st.DrawFn, made: list[BaseMessage]) -> list[BaseMessage]:
    place = draw(st.integers(0, len(made) - 1))
    kinds = [kind for kind in DAMAGES if KINDS[kind]]
    kind = draw(st.sampled_from([None, None, None, *kinds]))
    if kind == "reordered":
        return draw(st.permutations(made))
    if kind == "cut to a length":
        start = draw(st.sampled_from([None, "human", ("human", "tool")]))
        fields = {"strategy": draw(st.sampled_from(["last", "first"])), "max_tokens": place + 1, "token_counter": len}
        if fields["strategy"] == "last":
            fields |= {"start_on": start, "include_system": draw(st.booleans())}
        return trim_messages(made, **fields) or made
    return DAMAGES[kind](made, place) if kind else made


DAMAGES: dict[str, Any] = {
    "dropped": lambda made, place: [*made[:place], *made[place + 1 :]],
    "repeated": lambda made, place: [*made[:place], made[place], *made[place:]],
    "trimmed": lambda made, place: made[place:],
    "system between": lambda made, place: [*made[:place], SystemMessage("A note."), *made[place:]],
    "surrogates": lambda made, place: [*made[:place], HumanMessage("half \ud83d"), *made[place:]],
    "summarised": lambda made, place: [SystemMessage("So far: a question."), *made[place:]],
    "merged": lambda made, place: merge_message_runs(made),
    "reordered": None,
    "cut to a length": None,
}


def texts(messages: list[BaseMessage]) -> Iterator[tuple[int, str]]:
    """The readable texts of a history, each with the position of its message."""
    for at, message in enumerate(messages):
        content = message.content
        for part in [content] if isinstance(content, str) else content if isinstance(content, list) else []:
            text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
            if isinstance(text, str) and text.strip():
                yield at, text
