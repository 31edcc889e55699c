"""The Messages wire: bodies that go out, replies and streams that come in, on recorded and generated traffic."""

from __future__ import annotations

import base64
import copy
import hashlib
import itertools
import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import anthropic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_unified.caching.placement import place_breakpoints
from langchain_unified.errors import (
    IncompleteStreamError,
    InvalidHistoryError,
    InvalidToolError,
    ReplyError,
    UnsupportedContentError,
    UnsupportedParameterError,
)
from langchain_unified.messages.turns import turns
from langchain_unified.request import (
    Dialect,
    Encoded,
    OutputFormat,
    Params,
    Profile,
    Request,
    ToolChoice,
    ToolSpec,
    Turn,
)
from langchain_unified.schemas.anthropic import adapt_schema
from langchain_unified.wires.anthropic_messages import WIRE
from langchain_unified.wires.anthropic_messages.params import NATIVE_KEYS, PARAMS
from tests.support.corpus import exchanges, label, needs_corpus, replies, sse_events, streams

ENDPOINT = "anthropic.messages"
EPHEMERAL = {"type": "ephemeral"}
TOOL = ToolSpec("f", parameters={"type": "object", "properties": {}})
BUDGET = Profile(thinking="budget", sampling="without_reasoning", max_output_tokens=64000)
ADAPTIVE = Profile(
    thinking="adaptive",
    sampling="never",
    effort_levels=("low", "medium", "high", "max"),
    prefill=False,
    system_in_messages=True,
)


def problems(oracle: ModuleType, body: dict[str, Any]) -> list[str]:
    found = oracle.validate("anthropic-beta", body, allow_legacy_sampling=True)
    # The API gives this key with the results of code, and the SDK's types do not know it.
    return [problem for problem in found if ".code_execution_result.abort_reason:" not in problem]


def request(*messages: BaseMessage | Turn, **fields: Any) -> Request:
    found = messages if messages and isinstance(messages[0], Turn) else turns(messages, "anthropic_messages")
    return Request(**{"model": "claude-test", "turns": tuple(found), **fields})


def encode(*messages: BaseMessage | Turn, **fields: Any) -> Any:
    return WIRE.encode(request(*messages, **fields))


def sent(*messages: BaseMessage | Turn, **fields: Any) -> list[dict[str, Any]]:
    return encode(*messages, **fields).body["messages"]


def user(*blocks: Any) -> list[dict[str, Any]]:
    """The blocks of one human message as they go out."""
    return sent(HumanMessage(list(blocks)))[0]["content"]


def said(*blocks: dict[str, Any], origin: str | None = None, **fields: Any) -> list[dict[str, Any]]:
    """The blocks of an assistant turn as they go out."""
    return sent(Turn("assistant", blocks, origin=origin, position=1, **fields), Turn("user", (text("go on"),)))[0][
        "content"
    ]


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def whats(encoded: Any) -> list[str]:
    return [item["what"] for item in encoded.adjustments]


def with_params(profile: Profile | None = None, **params: Any) -> Any:
    return encode(HumanMessage("hi"), params=params, **({"profile": profile} if profile else {}))


HI = {"model": "claude-test", "max_tokens": 4096, "messages": [{"role": "user", "content": [text("hi")]}]}


# --- messages ---------------------------------------------------------------------------------------------------------


def test_smallest_body():
    encoded = encode(HumanMessage("hi"))
    assert encoded.body == HI
    assert (dict(encoded.headers), encoded.adjustments) == ({}, ())


def test_stream_is_said_in_the_body():
    assert encode(HumanMessage("hi"), stream=True).body == {**HI, "stream": True}


def test_system_is_a_string_or_blocks():
    one = encode(SystemMessage("be brief"), HumanMessage("hi")).body
    two = encode(SystemMessage("be brief"), SystemMessage("be kind"), HumanMessage("hi")).body
    marked = SystemMessage([{**text("be brief"), "cache_control": EPHEMERAL}])
    assert one["system"] == "be brief"
    assert two["system"] == [text("be brief"), text("be kind")]
    assert encode(marked, HumanMessage("hi")).body["system"] == [{**text("be brief"), "cache_control": EPHEMERAL}]


def test_raw_text_in_a_system_message_is_text():
    raw = SystemMessage([{"type": "non_standard", "value": text("be brief")}])
    assert encode(raw, HumanMessage("hi")).body == {**HI, "system": "be brief"}


def test_the_callers_own_system_stands_first():
    body = encode(SystemMessage("be brief"), HumanMessage("hi"), native={"system": "first"}).body
    assert body["system"] == [text("first"), text("be brief")]
    assert encode(HumanMessage("hi"), native={"system": [text("alone")]}).body["system"] == "alone"


def test_later_system_message_stays_where_the_model_takes_it():
    messages = (HumanMessage("hi"), AIMessage("hello"), HumanMessage("more"), SystemMessage("now in French"))
    encoded = encode(*messages, profile=ADAPTIVE)
    assert encoded.body["messages"][-1] == {"role": "system", "content": [text("now in French")]}
    assert encoded.adjustments == ()


def test_later_system_message_is_folded_with_a_word_on_the_cache():
    encoded = encode(SystemMessage("s"), HumanMessage("hi"), SystemMessage("now in French"), HumanMessage("more"))
    assert encoded.body["system"] == [text("s"), text("now in French")]
    assert encoded.body["messages"] == [{"role": "user", "content": [text("hi"), text("more")]}]
    assert whats(encoded) == ["system message 2"]
    assert encode(HumanMessage("hi"), SystemMessage(" ")).adjustments == ()
    assert "moves the cached prefix" in encoded.adjustments[0]["why"]


def test_changes_of_tools_stay_in_their_message_on_any_model():
    change = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}}
    encoded = encode(HumanMessage("hi"), SystemMessage([change]))
    assert encoded.body["messages"][-1] == {"role": "system", "content": [change]}
    assert encoded.headers["anthropic-beta"] == "mid-conversation-tool-changes-2026-07-01"
    inline = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {"name": "f"}}}
    both = encode(HumanMessage("hi"), SystemMessage([inline])).headers["anthropic-beta"]
    assert both == "mid-conversation-tool-changes-2026-07-01,inline-tools-2026-09-15"


def test_turns_of_one_role_are_one_message():
    call = AIMessage("", tool_calls=[{"id": "a", "name": "f", "args": {}}, {"id": "b", "name": "f", "args": {}}])
    found = sent(
        HumanMessage("hi"),
        call,
        ToolMessage("1", tool_call_id="a"),
        ToolMessage("2", tool_call_id="b"),
        HumanMessage("so?"),
    )
    assert [message["role"] for message in found] == ["user", "assistant", "user"]
    assert [block["type"] for block in found[2]["content"]] == ["tool_result", "tool_result", "text"]
    answers = sent(HumanMessage("a"), AIMessage("b"), AIMessage("c"), HumanMessage("d"))
    assert [len(message["content"]) for message in answers] == [1, 2, 1]


@pytest.mark.parametrize("empty", ["", "  \n"])
def test_empty_text_is_left_out(empty: str):
    assert user(text(empty), text("hi")) == [text("hi")]
    assert sent(HumanMessage("hi"), AIMessage(empty), HumanMessage("more")) == [
        {"role": "user", "content": [text("hi"), text("more")]}
    ]


def test_empty_human_message_is_left_out_and_said():
    encoded = encode(HumanMessage(""), HumanMessage("hi"))
    assert encoded.body == HI
    assert whats(encoded) == ["message 0 (user)"]


def test_a_message_is_needed():
    for messages in ((SystemMessage("s"),), (SystemMessage("s"), HumanMessage(" "))):
        with pytest.raises(InvalidHistoryError, match="Add a human message"):
            encode(*messages)


def test_prefill_loses_its_trailing_whitespace():
    encoded = encode(HumanMessage("hi"), AIMessage("\nThe answer is: \n"))
    assert encoded.body["messages"][-1]["content"] == [text("\nThe answer is:")]
    assert whats(encoded) == ["trailing whitespace"]
    assert encode(HumanMessage("hi"), AIMessage("The answer is:")).adjustments == ()


def test_prefill_is_refused_where_the_model_refuses_it():
    with pytest.raises(UnsupportedContentError, match="Add a human message"):
        encode(HumanMessage("hi"), AIMessage("The answer is:"), profile=ADAPTIVE)


def test_a_paused_turn_is_no_prefill():
    content = [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}, text("Let me see. ")]
    paused = AIMessage(content, response_metadata={"model_provider": "anthropic"})
    assert sent(HumanMessage("hi"), paused, profile=ADAPTIVE)[-1]["content"] == content


def test_inputs_are_not_changed():
    message = HumanMessage(
        [{**text("hi"), "cache_control": EPHEMERAL}, {"type": "image", "url": "https://x.test/a.png"}]
    )
    reply = AIMessage([{"type": "text", "text": "so "}], response_metadata={"model_provider": "anthropic"})
    given_request = request(
        message,
        reply,
        native={"output_config": {"effort": "low"}},
        output=OutputFormat("json_schema", {"type": "object"}),
    )
    before = copy.deepcopy(given_request)
    WIRE.encode(given_request)
    assert given_request == before


# --- blocks of users --------------------------------------------------------------------------------------------------

PDF = base64.b64encode(b"%PDF-1.4").decode()
NOTE = base64.b64encode("dzień dobry".encode()).decode()


def pdf(**rest: Any) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}, **rest}


def image(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image", "source": source}


BASE64_IMAGE = image({"type": "base64", "media_type": "image/png", "data": "aGk="})
NOTE_DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "dzień dobry"}}

USER_BLOCKS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("image base64", {"type": "image", "base64": "aGk=", "mime_type": "image/png"}, BASE64_IMAGE),
    (
        "image jpg",
        {"type": "image", "base64": "aGk=", "mime_type": "image/jpg"},
        image({"type": "base64", "media_type": "image/jpeg", "data": "aGk="}),
    ),
    (
        "image url",
        {"type": "image", "url": "https://x.test/a.png"},
        image({"type": "url", "url": "https://x.test/a.png"}),
    ),
    ("image file", {"type": "image", "file_id": "file_1"}, image({"type": "file", "file_id": "file_1"})),
    ("image of Anthropic", BASE64_IMAGE, BASE64_IMAGE),
    (
        "image_url with detail",
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
        BASE64_IMAGE,
    ),
    ("pdf", {"type": "file", "base64": PDF, "mime_type": "application/pdf"}, pdf()),
    (
        "pdf with everything",
        {
            "type": "file",
            "base64": PDF,
            "mime_type": "application/pdf",
            "extras": {"title": "T", "context": "C", "citations": True},
        },
        pdf(title="T", context="C", citations={"enabled": True}),
    ),
    (
        "file name",
        {"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "a.pdf"},
        pdf(title="a.pdf"),
    ),
    (
        "file of Chat",
        {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"}},
        pdf(title="a.pdf"),
    ),
    ("text file", {"type": "file", "base64": NOTE, "mime_type": "text/markdown"}, NOTE_DOCUMENT),
    ("image as file", {"type": "file", "base64": "aGk=", "mime_type": "image/png"}, BASE64_IMAGE),
    (
        "file url",
        {"type": "file", "url": "https://x.test/a.pdf"},
        {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}},
    ),
    (
        "file id",
        {"type": "file", "file_id": "file_1"},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    ),
    (
        "document of blocks",
        {"type": "document", "source": {"type": "content", "content": [text("a")]}, "citations": {"enabled": True}},
        {"type": "document", "source": {"type": "content", "content": [text("a")]}, "citations": {"enabled": True}},
    ),
    ("text-plain", {"type": "text-plain", "text": "dzień dobry", "mime_type": "text/plain"}, NOTE_DOCUMENT),
    (
        "text-plain base64",
        {"type": "text-plain", "base64": NOTE, "mime_type": "text/plain", "title": "T"},
        {**NOTE_DOCUMENT, "title": "T"},
    ),
    (
        "search_result",
        {
            "type": "search_result",
            "source": "s",
            "title": "t",
            "content": [{**text("a"), "citations": [{}]}],
            "citations": True,
        },
        {"type": "search_result", "source": "s", "title": "t", "content": [text("a")], "citations": {"enabled": True}},
    ),
    (
        "container_upload",
        {"type": "container_upload", "file_id": "file_1"},
        {"type": "container_upload", "file_id": "file_1"},
    ),
    ("native", {"type": "non_standard", "value": {"type": "next", "x": 1}}, {"type": "next", "x": 1}),
    ("text with citations", {**text("a"), "citations": [{"type": "char_location"}]}, text("a")),
]


@pytest.mark.parametrize("block, expected", [case[1:] for case in USER_BLOCKS], ids=[case[0] for case in USER_BLOCKS])
def test_user_block(block: dict[str, Any], expected: dict[str, Any], oracle: ModuleType):
    before = copy.deepcopy(block)
    assert user(block) == [expected]
    assert block == before
    if expected["type"] != "next":
        assert problems(oracle, encode(HumanMessage([block])).body) == []


@pytest.mark.parametrize(
    "block, remedy",
    [
        ({"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}, "transcript"),
        ({"type": "video", "url": "https://x.test/a.mp4"}, "frames"),
        ({"type": "image", "base64": "aGk=", "mime_type": "image/tiff"}, "image/png"),
        ({"type": "image", "base64": "aGk="}, "missing"),
        ({"type": "image", "url": "data:image/svg+xml,<svg/>"}, "https"),
        ({"type": "file", "base64": "aGk=", "mime_type": "application/zip"}, "convert"),
        ({"type": "file", "base64": "//79", "mime_type": "text/plain"}, "UTF-8"),
        ({"type": "text-plain", "url": "https://x.test/a.txt"}, "give the text itself"),
        ({"type": "reasoning", "reasoning": "hm"}, "out of this message"),
        ({"type": "hologram"}, "non_standard"),
    ],
)
def test_a_block_that_cannot_go_is_named(block: dict[str, Any], remedy: str):
    with pytest.raises(UnsupportedContentError, match="message 1 ") as caught:
        encode(HumanMessage("hi"), HumanMessage([block]))
    assert remedy in str(caught.value)
    assert repr(block["type"]) in str(caught.value)
    assert "anthropic_messages" in str(caught.value)


# --- tool results -----------------------------------------------------------------------------------------------------


def result(*content: Any, **fields: Any) -> dict[str, Any]:
    call = AIMessage("", tool_calls=[{"id": "a", "name": "f", "args": {}}])
    message = ToolMessage(content[0] if isinstance(content[0], str) else list(content), tool_call_id="a", **fields)
    return sent(HumanMessage("hi"), call, message)[-1]["content"][0]


def test_tool_results():
    base = {"type": "tool_result", "tool_use_id": "a"}
    png = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
    reference = {"type": "tool_reference", "tool_name": "g"}
    assert result("42") == {**base, "content": "42"}
    assert result("") == base
    assert result("no", status="error") == {**base, "content": "no", "is_error": True}
    assert result(text("see"), png) == {**base, "content": [text("see"), BASE64_IMAGE]}
    assert result(reference) == {**base, "content": [reference]}


def test_mark_in_a_tool_result_stands_on_the_result():
    marked = {**text("42"), "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    expected = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": "42",
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
    }
    assert result(marked) == expected
    assert result({**marked, "text": " "}) == {key: value for key, value in expected.items() if key != "content"}


def test_a_tool_result_inside_a_human_message():
    call = AIMessage("", tool_calls=[{"id": "a", "name": "f", "args": {}}])
    content = [{"type": "tool_result", "tool_use_id": "a", "content": "42"}, text("so?")]
    assert sent(HumanMessage("hi"), call, HumanMessage(content))[-1]["content"] == content


def test_the_toolset_of_a_call_stands_on_its_result():
    use = {"type": "tool_use", "id": "a", "name": "click", "input": {}, "toolset_name": "browser"}
    call = AIMessage(
        [use], response_metadata={"model_provider": "anthropic"}, tool_calls=[{"id": "a", "name": "click", "args": {}}]
    )
    found = sent(HumanMessage("hi"), call, ToolMessage("ok", tool_call_id="a"))
    assert found[-1]["content"][0]["toolset_name"] == "browser"
    assert found[1]["content"] == [use]


# --- ids --------------------------------------------------------------------------------------------------------------


def ids(*pairs: tuple[str | None, str | None]) -> tuple[list[str], list[str]]:
    calls = Turn("assistant", tuple({"type": "tool_call", "id": call, "name": "f", "args": {}} for call, _ in pairs))
    results = [Turn("tool", (text("x"),), tool_call_id=answered) for _, answered in pairs]
    found = sent(Turn("user", (text("hi"),)), calls, *results)
    return [block["id"] for block in found[1]["content"]], [block["tool_use_id"] for block in found[2]["content"]]


def test_legal_ids_stay():
    assert ids(("toolu_01-A", "toolu_01-A"), ("call_9", "call_9")) == (["toolu_01-A", "call_9"],) * 2


def test_illegal_ids_are_mapped_the_same_on_call_and_result():
    odd = ("functions.f:0", "functions.f:1", "call_1|fc_1")
    calls, results = ids(*zip(odd, odd, strict=True))
    assert calls == results
    assert calls == [f"toolu_{hashlib.sha256(raw.encode()).hexdigest()[:24]}" for raw in odd]
    assert len(set(calls)) == 3


def test_calls_without_an_id_are_named_by_their_place():
    calls, results = ids((None, ""), ("", None))
    assert calls == results
    assert len(set(calls)) == 2
    assert calls == ids((None, None), (None, None))[0]
    call = Turn("assistant", ({"type": "tool_call", "id": None, "name": "f", "args": {}},))
    found = sent(Turn("user", (text("hi"),)), call, Turn("user", (text("no"),)), call, Turn("tool", tool_call_id=None))
    assert found[1]["content"][0]["id"] != found[3]["content"][0]["id"]
    assert found[4]["content"][0]["tool_use_id"] == found[3]["content"][0]["id"]


# --- assistant turns --------------------------------------------------------------------------------------------------

OWN = "anthropic_messages"


def test_a_reply_goes_back_as_it_came():
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "see", "citations": [{"type": "char_location", "cited_text": "a"}]},
        {"type": "next_year", "x": {"y": 1}},
    ]
    reply = AIMessage(content, response_metadata={"model_provider": "anthropic"})
    assert sent(HumanMessage("hi"), reply, HumanMessage("go on"))[1]["content"] == content


def test_tool_calls():
    call = {"type": "tool_call", "id": "a", "name": "f", "args": {"x": 1}, "extras": {"caller": {"type": "direct"}}}
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
    assert said(call) == [use]
    assert said(call, origin=OWN) == [{**use, "caller": {"type": "direct"}}]


def test_a_call_goes_back_without_nulls():
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    reply = AIMessage([{**use, "caller": None}], response_metadata={"model_provider": "anthropic"})
    assert sent(HumanMessage("hi"), reply, ToolMessage("x", tool_call_id="a"))[1]["content"] == [use]


def test_invalid_tool_calls():
    broken = {"type": "invalid_tool_call", "id": "a", "name": "f", "args": '{"x": '}
    encoded = encode(Turn("assistant", (broken,), position=1), Turn("tool", (text("no"),), tool_call_id="a"))
    assert encoded.body["messages"][0]["content"] == [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]
    assert whats(encoded) == ["invalid tool call 'f' in message 1"]
    assert said({**broken, "args": '{"x": 1}'})[0]["input"] == {"x": 1}


def test_reasoning_goes_back_only_to_its_own_wire_and_signed():
    thought = {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "sig"}}
    assert said(thought, text("a"), origin=OWN) == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        text("a"),
    ]
    assert said(thought, text("a"), origin="openai_responses") == [text("a")]
    assert said({"type": "reasoning", "reasoning": "hm"}, text("a"), origin=OWN) == [text("a")]


def test_server_tools_of_others_are_put_into_words():
    call = {"type": "server_tool_call", "id": "ws_1", "name": "web_search", "args": {"query": "ü"}}
    output = {
        "type": "server_tool_result",
        "tool_call_id": "ws_1",
        "status": "success",
        "output": [{"url": "https://x.test"}],
    }
    assert said(call, output, origin="openai_responses") == [
        text('[web_search was called with {"query": "ü"}]'),
        text('[the tool returned [{"url": "https://x.test"}]]'),
    ]


def test_refusals_and_media_of_others_are_put_into_words():
    assert said({"type": "refusal", "refusal": "I cannot."}, origin="openai_chat") == [text("I cannot.")]
    assert said(text("a"), {"type": "refusal", "refusal": ""}) == [text("a")]
    assert said({"type": "image", "url": "https://x.test/a.png"}) == [text("[image: https://x.test/a.png]")]
    assert said({"type": "audio", "base64": "aGk=", "transcript": "hello"}) == [text("hello")]
    assert said(text("a"), {"type": "foreign", "value": {"type": "x"}}) == [text("a")]
    with pytest.raises(UnsupportedContentError, match="'image' block in message 1"):
        said({"type": "image", "base64": "aGk=", "mime_type": "image/png"})


IN_DOCUMENT = {"cited_text": "c", "document_index": 0, "document_title": "T"}
IN_BLOCKS = {"start_block_index": 0, "end_block_index": 1}
CITATIONS = [
    {
        "type": "web_search_result_location",
        "cited_text": "c",
        "url": "https://x.test",
        "title": "T",
        "encrypted_index": "e",
    },
    {"type": "char_location", **IN_DOCUMENT, "start_char_index": 1, "end_char_index": 2},
    {"type": "page_location", **IN_DOCUMENT, "document_title": None, "start_page_number": 1, "end_page_number": 2},
    {"type": "content_block_location", **IN_DOCUMENT, **IN_BLOCKS},
    {
        "type": "search_result_location",
        "cited_text": "c",
        "search_result_index": 0,
        "source": "s",
        "title": "T",
        **IN_BLOCKS,
    },
    {"type": "next_location", "place": 1},
]


@pytest.mark.parametrize("citation", CITATIONS, ids=[citation["type"] for citation in CITATIONS])
def test_citations_survive_standard_blocks(citation: dict[str, Any]):
    content = [{"type": "text", "text": "a", "citations": [citation]}]
    reply = AIMessage(content, response_metadata={"model_provider": "anthropic"})
    assert sent(HumanMessage("hi"), as_v1(reply), HumanMessage("go on"))[1]["content"] == content


def test_an_annotation_that_says_too_little_leaves_the_text():
    block = {**text("a"), "annotations": [{"type": "citation", "url": "https://x.test", "cited_text": "c"}]}
    assert said(block, origin=OWN) == [text("a")]
    assert said(block, origin="openai_responses") == [text("a")]


# --- marks ------------------------------------------------------------------------------------------------------------


def marked(value: str, **mark: str) -> dict[str, Any]:
    return {**text(value), "cache_control": {**EPHEMERAL, **mark}}


def with_marks(*messages: BaseMessage | Turn, **fields: Any) -> Encoded:
    """A request encoded with its marks placed, as a chat model does it, and the adjustments."""
    found, _, notes = place_breakpoints(request(*messages, **fields), WIRE.marks)
    encoded = WIRE.encode(found)
    return replace(encoded, adjustments=(*notes, *encoded.adjustments))


def test_marks_in_either_spelling_and_place():
    expected = [marked("a")]
    assert user(marked("a")) == expected
    assert user({**text("a"), "extras": {"cache_control": EPHEMERAL}}) == expected
    assert user({**text("a"), "prompt_cache_breakpoint": {"mode": "explicit"}}) == expected
    assert sent(HumanMessage("a", additional_kwargs={"cache_control": EPHEMERAL}))[0]["content"] == expected
    assert user(marked("a", ttl="1h")) == [marked("a", ttl="1h")]


def test_a_ttl_that_anthropic_does_not_have():
    encoded = with_marks(HumanMessage([marked("a", ttl="30m")]))
    assert encoded.body["messages"][0]["content"] == [marked("a")]
    assert whats(encoded) == ["prompt-cache ttl '30m'"]


def test_a_mark_moves_to_the_nearest_legal_block():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    turn = Turn("assistant", (text("a"), {"type": "native", "value": thinking, "mark": {}}))
    after = with_marks(turn, Turn("user", (text("b"),))).body["messages"]
    assert after[0]["content"] == [marked("a"), thinking]
    for ttl in ({}, {"ttl": "1h"}):
        asked = with_marks(HumanMessage([marked("a", **ttl) if ttl else text("a"), marked(" ")]))
        assert asked.body["messages"][0]["content"] == [marked("a", **ttl)]


def test_a_mark_without_a_legal_place_is_dropped_and_said():
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    turn = Turn("assistant", ({"type": "native", "value": thinking, "mark": {}}, text("a")), position=3)
    encoded = with_marks(turn, Turn("user", (text("b"),)))
    assert encoded.body["messages"][0]["content"] == [thinking, text("a")]
    assert whats(encoded) == ["the prompt-cache mark on message 3 (assistant), block 0"]


def positions(body: dict[str, Any]) -> list[str]:
    """Where marks stand, as `tools.0`, `system.0`, `messages.0.1`."""
    found = [f"tools.{i}" for i, tool in enumerate(body.get("tools", [])) if "cache_control" in tool]
    system = body.get("system", [])
    found += [f"system.{i}" for i, block in enumerate(system) if isinstance(block, dict) and "cache_control" in block]
    for number, message in enumerate(body["messages"]):
        found += [f"messages.{number}.{i}" for i, block in enumerate(message["content"]) if "cache_control" in block]
    return found


def test_the_latest_four_marks_are_kept():
    messages = (
        SystemMessage([marked("s")]),
        HumanMessage([marked("a"), marked("b")]),
        AIMessage("x"),
        HumanMessage([marked("c")]),
    )
    tool = ToolSpec("f", mark={})
    encoded = with_marks(*messages, tools=(tool,))
    assert positions(encoded.body) == ["system.0", "messages.0.0", "messages.0.1", "messages.2.0"]
    assert whats(encoded) == ["the prompt-cache marks beyond 4"]
    automatic = with_marks(*messages, tools=(tool,), native={"cache_control": EPHEMERAL})
    assert positions(automatic.body) == ["system.0", "messages.0.0", "messages.0.1"]
    assert automatic.body["cache_control"] == EPHEMERAL
    assert with_marks(*messages).adjustments == ()


def test_no_marks_for_a_server_that_takes_none():
    messages = (HumanMessage([marked("a"), marked("b")]),)
    encoded = with_marks(*messages, tools=(ToolSpec("f", mark={}),), dialect=Dialect(cache_marks=False))
    assert positions(encoded.body) == []
    assert whats(encoded) == ["the prompt-cache marks"]


# --- tools ------------------------------------------------------------------------------------------------------------


def tools(*specs: ToolSpec, **fields: Any) -> list[dict[str, Any]]:
    return encode(HumanMessage("hi"), tools=specs, **fields).body["tools"]


def test_function_tools():
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    options = {
        "defer_loading": True,
        "allowed_callers": ["direct"],
        "input_examples": [{"x": 1}],
        "eager_input_streaming": True,
    }
    assert tools(ToolSpec("f")) == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]
    assert tools(
        ToolSpec("f", description="d", parameters=schema, strict=False, options=options, mark={"ttl": "1h"})
    ) == [
        {
            "name": "f",
            "description": "d",
            "input_schema": schema,
            "strict": False,
            **options,
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        }
    ]


def test_strict_tools_have_closed_schemas():
    schema = {"type": "object", "properties": {"x": {"type": "object", "properties": {}}}}
    found = tools(ToolSpec("f", parameters=schema, strict=True))[0]["input_schema"]
    assert found["additionalProperties"] is False
    assert found["properties"]["x"]["additionalProperties"] is False


def test_unknown_option_is_said():
    encoded = encode(HumanMessage("hi"), tools=(ToolSpec("f", options={"async": True}),))
    assert encoded.body["tools"] == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]
    assert whats(encoded) == ["option 'async' of tool 'f'"]


@pytest.mark.parametrize(
    "spec, match",
    [
        (ToolSpec("a.b"), "'a.b'"),
        (ToolSpec("x" * 129), "1 to 128"),
        (ToolSpec("f", parameters={"anyOf": [{"type": "object"}]}), "`anyOf` at the root"),
        (ToolSpec("f", kind="custom"), "one string property"),
        (ToolSpec("w", kind="native", definition={"type": "web_search"}), "web_search_20260209"),
        (ToolSpec("w", kind="native", definition={"type": "web_search_preview"}), "web_search_20260209"),
        (ToolSpec("m", kind="native", definition={"type": "mcp", "server_label": "m"}), "mcp_servers"),
        (ToolSpec("i", kind="native", definition={"type": "image_generation"}), "none like it"),
    ],
)
def test_tools_that_cannot_go(spec: ToolSpec, match: str):
    with pytest.raises(InvalidToolError, match=match):
        tools(spec)


@pytest.mark.parametrize(
    "kind, beta",
    [
        ("web_search_20260318", None),
        ("code_execution_20260521", None),
        ("bash_20250124", None),
        ("memory_20250818", None),
        ("tool_search_tool_bm25_20251119", None),
        ("computer_toolset_20260801", None),
        ("lathe_20270101", None),
        ("computer_20250124", "computer-use-2025-01-24"),
        ("computer_20251124", "computer-use-2025-11-24"),
        ("advisor_20260301", "advisor-tool-2026-03-01"),
        ("mcp_toolset", "mcp-client-2025-11-20"),
    ],
)
def test_native_tools_flow_through_with_their_beta(kind: str, beta: str | None):
    definition = {"type": kind, "name": "x", "anything": {"a": 1}}
    encoded = encode(HumanMessage("hi"), tools=(ToolSpec("x", kind="native", definition=definition, mark={}),))
    assert encoded.body["tools"] == [{**definition, "cache_control": EPHEMERAL}]
    assert encoded.headers.get("anthropic-beta") == beta


def choice(mode: Any = None, *names: str, profile: Profile | None = None, **fields: Any) -> Any:
    made = ToolChoice(mode, names) if isinstance(mode, str) else mode
    more = {"profile": profile} if profile else {}
    return encode(HumanMessage("hi"), **{"tools": (TOOL,), "tool_choice": made, **more, **fields})


def test_tool_choice():
    for mode in ("auto", "any", "none"):
        assert choice(mode).body["tool_choice"] == {"type": mode}
    assert choice("tool", "f").body["tool_choice"] == {"type": "tool", "name": "f"}
    assert "tool_choice" not in choice().body
    assert "tool_choice" not in choice("auto", tools=()).body
    own = {"type": "tool", "name": "g", "x": 1}
    assert choice(ToolChoice("tool", definition=own)).body["tool_choice"] == own


def test_parallel_calls():
    off = {"params": {"parallel_tool_calls": False}}
    assert choice(**off).body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert choice("any", **off).body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert choice("none", **off).body["tool_choice"] == {"type": "none"}
    assert "tool_choice" not in choice(params={"parallel_tool_calls": True}).body
    assert "tool_choice" not in choice(tools=(), **off).body


def test_a_narrowed_choice_is_widened_and_said():
    three = (TOOL, ToolSpec("g"), ToolSpec("h"))
    for required, mode in ((False, "auto"), (True, "any")):
        encoded = choice(ToolChoice("allowed", ("f", "g"), required=required), tools=three)
        assert encoded.body["tool_choice"] == {"type": mode}
        assert len(encoded.body["tools"]) == 3
        assert whats(encoded) == ["tool_choice"]


def test_a_forced_call_becomes_auto_where_it_is_refused():
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    for encoded in (choice("any", profile=Profile(forced_tool_choice=False)), choice("tool", "f", params=thinking)):
        assert encoded.body["tool_choice"] == {"type": "auto"}
        assert whats(encoded) == ["tool_choice"]
    # Recorded: adaptive thinking takes a forced call.
    assert choice("any", params={"thinking": {"type": "adaptive"}}).body["tool_choice"] == {"type": "any"}


# --- parameters -------------------------------------------------------------------------------------------------------


def test_every_parameter_has_a_row():
    assert set(PARAMS) == set(Params.__annotations__)


UNKNOWN = Profile(effort_levels=("low", "medium", "high"))

WRITTEN: list[tuple[dict[str, Any], Profile, dict[str, Any]]] = [
    ({"max_tokens": 7}, UNKNOWN, {"max_tokens": 7}),
    ({"max_tokens": 0}, UNKNOWN, {"max_tokens": 0}),
    ({}, Profile(max_output_tokens=64000), {"max_tokens": 64000}),
    ({"temperature": 0.0}, UNKNOWN, {"temperature": 0.0}),
    ({"top_p": 0.9, "top_k": 5}, UNKNOWN, {"top_p": 0.9, "top_k": 5}),
    ({"stop": ["END"]}, UNKNOWN, {"stop_sequences": ["END"]}),
    ({"stop": []}, UNKNOWN, {}),
    ({"n": 1, "stream_options": {}, "store": False, "logprobs": False, "modalities": ["text"]}, UNKNOWN, {}),
    ({"user": "u"}, UNKNOWN, {"metadata": {"user_id": "u"}}),
    ({"metadata": {"user_id": "m"}}, UNKNOWN, {"metadata": {"user_id": "m"}}),
    ({"metadata": {"user_id": "m"}, "user": "u"}, UNKNOWN, {"metadata": {"user_id": "u"}}),
    ({"user": "u", "metadata": {"user_id": "m"}}, UNKNOWN, {"metadata": {"user_id": "u"}}),
    ({"service_tier": "auto"}, UNKNOWN, {"service_tier": "auto"}),
    ({"service_tier": "default"}, UNKNOWN, {"service_tier": "standard_only"}),
    ({"service_tier": "standard_only"}, UNKNOWN, {"service_tier": "standard_only"}),
    ({"service_tier": "fast"}, UNKNOWN, {"speed": "fast"}),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        BUDGET,
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    ({"thinking": {"type": "disabled"}}, ADAPTIVE, {"thinking": {"type": "disabled"}}),
    ({"reasoning_effort": "high"}, UNKNOWN, {"output_config": {"effort": "high"}}),
    ({"reasoning_effort": "minimal"}, UNKNOWN, {"output_config": {"effort": "low"}}),
    (
        {"reasoning_effort": "max"},
        ADAPTIVE,
        {"output_config": {"effort": "max"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    (
        {"reasoning_effort": "low", "thinking": {"type": "adaptive"}},
        ADAPTIVE,
        {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive"}},
    ),
    ({"reasoning_effort": "none"}, ADAPTIVE, {"thinking": {"type": "disabled"}}),
    ({"reasoning_effort": "none"}, BUDGET, {}),
    ({"reasoning_effort": "low"}, BUDGET, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
    (
        {"reasoning_effort": "max", "max_tokens": 4000},
        BUDGET,
        {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    (
        {"reasoning_effort": "high", "max_tokens": 1500},
        BUDGET,
        {"max_tokens": 1500, "thinking": {"type": "enabled", "budget_tokens": 1024}},
    ),
    (
        {"reasoning": {"effort": "medium", "summary": "auto"}},
        ADAPTIVE,
        {"output_config": {"effort": "medium"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    ({"reasoning": {"summary": "auto"}}, ADAPTIVE, {"thinking": {"type": "adaptive", "display": "summarized"}}),
    (
        {"reasoning": {"effort": "low", "summary": "detailed"}},
        BUDGET,
        {"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "summarized"}},
    ),
]


@pytest.mark.parametrize("params, profile, expected", WRITTEN, ids=[json.dumps(case[0]) for case in WRITTEN])
def test_parameter_is_written(params: dict[str, Any], profile: Profile, expected: dict[str, Any], oracle: ModuleType):
    encoded = encode(HumanMessage("hi"), params=params, profile=profile)
    assert encoded.body == {**HI, "max_tokens": profile.max_output_tokens or 4096, **expected}
    assert encoded.adjustments == ()
    assert problems(oracle, encoded.body) == []


ADJUSTED: list[tuple[dict[str, Any], Profile, dict[str, Any]]] = [
    ({"temperature": 1.5}, UNKNOWN, {"temperature": 1.0}),
    ({"temperature": 0.5}, ADAPTIVE, {}),
    ({"top_p": 0.5}, ADAPTIVE, {}),
    ({"top_k": 5}, ADAPTIVE, {}),
    ({"stop": [" \n", "END"]}, UNKNOWN, {"stop_sequences": ["END"]}),
    ({"stop": ["END"]}, Profile(stop=False), {}),
    ({"metadata": {"user_id": "m", "run": "1"}}, UNKNOWN, {"metadata": {"user_id": "m"}}),
    ({"service_tier": "flex"}, UNKNOWN, {}),
    (
        {"reasoning_effort": "xhigh"},
        ADAPTIVE,
        {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    ({"reasoning_effort": "huge"}, ADAPTIVE, {}),
    ({"reasoning_effort": "high"}, Profile(), {}),
    ({"reasoning_effort": "high", "max_tokens": 1024}, BUDGET, {"max_tokens": 1024}),
    ({"reasoning": {"summary": "auto"}}, UNKNOWN, {}),
    ({"reasoning": {"context": "all_turns"}}, UNKNOWN, {}),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, ADAPTIVE, {"thinking": {"type": "adaptive"}}),
    ({"n": 2}, UNKNOWN, {}),
    ({"logprobs": True}, UNKNOWN, {}),
    ({"top_logprobs": 3}, UNKNOWN, {}),
    ({"seed": 1}, UNKNOWN, {}),
    ({"presence_penalty": 0.1}, UNKNOWN, {}),
    ({"frequency_penalty": 0.1}, UNKNOWN, {}),
    ({"logit_bias": {"1": 1.0}}, UNKNOWN, {}),
    ({"verbosity": "low"}, UNKNOWN, {}),
    ({"modalities": ["text", "audio"]}, UNKNOWN, {}),
    ({"audio": {"voice": "v"}}, UNKNOWN, {}),
    ({"prediction": {"type": "content"}}, UNKNOWN, {}),
    ({"store": True}, UNKNOWN, {}),
    ({"prompt_cache_key": "k"}, UNKNOWN, {}),
    ({"prompt_cache_retention": "24h"}, UNKNOWN, {}),
    ({"prompt_cache_options": {"ttl": "30m"}}, UNKNOWN, {}),
]


@pytest.mark.parametrize("params, profile, expected", ADJUSTED, ids=[json.dumps(case[0]) for case in ADJUSTED])
def test_parameter_is_adjusted_by_name(params: dict[str, Any], profile: Profile, expected: dict[str, Any]):
    encoded = encode(HumanMessage("hi"), params=params, profile=profile)
    assert encoded.body == {**HI, "max_tokens": profile.max_output_tokens or 4096, **expected}
    assert whats(encoded) == [next(iter(params))]
    assert len(encoded.adjustments[0]["why"]) > 20


def test_every_parameter_is_tried_above():
    tried = {key for params, _, _ in WRITTEN + ADJUSTED for key in params}
    assert tried | {"parallel_tool_calls"} == set(Params.__annotations__)


def test_sampling_needs_the_older_version_of_the_api():
    assert with_params(temperature=0.5).headers == {"anthropic-version": "2023-06-01"}
    assert with_params(temperature=0.5, profile=ADAPTIVE).headers == {}
    assert encode(HumanMessage("hi"), extra_body={"top_k": 3}).headers == {"anthropic-version": "2023-06-01"}


def test_sampling_is_refused_while_the_model_thinks():
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    for params in (
        {"temperature": 0.5, **thinking},
        {**thinking, "temperature": 0.5},
        {"temperature": 0.5, "reasoning_effort": "low"},
    ):
        encoded = encode(HumanMessage("hi"), params=params, profile=BUDGET)
        assert "temperature" not in encoded.body
        assert whats(encoded) == ["temperature"]
    assert encode(HumanMessage("hi"), params={"temperature": 0.5}, profile=BUDGET).body["temperature"] == 0.5


@pytest.mark.parametrize(
    "model, thinking, effort",
    [
        ("claude-opus-5", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", {"type": "between_tools"}, None),
        ("claude-opus-4-7", None, None),
        ("claude-opus-5-5", None, "low"),
        ("claude-fable-5-1", None, "low"),
    ],
)
def test_how_models_are_kept_from_thinking(model: str, thinking: Any, effort: str | None):
    encoded = encode(HumanMessage("hi"), model=model, params={"reasoning_effort": "none"}, profile=ADAPTIVE)
    assert encoded.body.get("thinking") == thinking
    assert encoded.body.get("output_config") == ({"effort": effort} if effort else None)
    assert whats(encoded) == (["reasoning_effort"] if effort else [])


@pytest.mark.parametrize(
    "params, stream",
    [
        ({"max_tokens": -1}, False),
        ({"max_tokens": 0}, True),
        ({"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 2000}}, False),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, False),
    ],
)
def test_parameters_that_raise(params: dict[str, Any], stream: bool):
    with pytest.raises(UnsupportedParameterError, match="max_tokens"):
        encode(HumanMessage("hi"), params=params, stream=stream)


def test_interleaved_thinking_may_spend_more():
    thinking = {"type": "enabled", "budget_tokens": 9000}
    encoded = encode(HumanMessage("hi"), params={"thinking": thinking}, betas=("interleaved-thinking-2025-05-14",))
    assert encoded.body["thinking"] == thinking


def test_own_keys():
    native = {
        "container": "c",
        "cache_control": EPHEMERAL,
        "output_config": {"effort": "low", "task_budget": {"type": "tokens", "total": 9}},
        "inference_geo": None,
        "workspace_id": "w",
        "user_profile_id": "p",
        "stop_sequences": ["B"],
    }
    encoded = encode(
        HumanMessage("hi"),
        native=native,
        params={"stop": ["A"]},
        output=OutputFormat("json_schema", {"type": "string"}),
    )
    assert encoded.body == {
        **HI,
        "container": "c",
        "cache_control": EPHEMERAL,
        "output_config": {
            "effort": "low",
            "task_budget": {"type": "tokens", "total": 9},
            "format": {"type": "json_schema", "schema": {"type": "string"}},
        },
        "stop_sequences": ["A", "B"],
    }
    assert encoded.headers == {
        "anthropic-workspace-id": "w",
        "anthropic-user-profile-id": "p",
        "anthropic-beta": "task-budgets-2026-03-13",
    }


def test_keys_of_others_are_said_and_what_is_gone_is_refused():
    encoded = encode(HumanMessage("hi"), native={"truncation": "auto"})
    assert (encoded.body, whats(encoded)) == (HI, ["truncation"])
    with pytest.raises(UnsupportedParameterError, match="output_config"):
        encode(HumanMessage("hi"), native={"output_format": {"type": "json_schema"}})
    assert "output_format" in NATIVE_KEYS


def test_extra_body_is_merged_last():
    assert encode(HumanMessage("hi"), extra_body={"max_tokens": 1, "x": None}).body == {
        **HI,
        "max_tokens": 1,
        "x": None,
    }


@pytest.mark.parametrize(
    "native, beta",
    [
        ({"mcp_servers": [{"type": "url", "name": "m", "url": "https://x.test"}]}, "mcp-client-2025-11-20"),
        ({"mcp_servers": [{"type": "url", "name": "m", "tool_configuration": {}}]}, "mcp-client-2025-04-04"),
        ({"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}, "context-management-2025-06-27"),
        (
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "context-management-2025-06-27,compact-2026-01-12",
        ),
        ({"compaction": {"type": "summarize"}}, "compact-2026-09-04"),
        ({"fallbacks": "default"}, "server-side-fallback-2026-07-01"),
        ({"fallback_credit_token": "t"}, "fallback-credit-2026-07-01"),
        ({"thread": {"type": "create"}}, "message-threads-2026-08-12"),
        ({"billing_policy": {"type": "billing_policy", "bill_to": "self"}}, "user-profiles-billing-2026-10-01"),
        ({"speed": "fast"}, "fast-mode-2026-02-01"),
        ({"diagnostics": {"previous_message_id": None}}, None),
    ],
)
def test_betas_of_keys(native: dict[str, Any], beta: str | None):
    encoded = encode(HumanMessage("hi"), native=native)
    assert encoded.headers.get("anthropic-beta") == beta
    assert encoded.body == {**HI, **native}


def test_betas_are_joined_once_each_the_callers_first():
    server = {"type": "url", "name": "m", "url": "https://x.test"}
    toolset = ToolSpec("m", kind="native", definition={"type": "mcp_toolset", "mcp_server_name": "m"})
    fields = {"tools": (toolset,), "native": {"mcp_servers": [server]}, "params": {"service_tier": "fast"}}
    assert encode(HumanMessage("hi"), betas=("z", "a"), **fields).headers["anthropic-beta"] == (
        "z,a,mcp-client-2025-11-20,fast-mode-2026-02-01"
    )
    newer = encode(HumanMessage("hi"), betas=("mcp-client-2026-09-15",), **fields).headers["anthropic-beta"]
    assert newer == "mcp-client-2026-09-15,fast-mode-2026-02-01"


def test_betas_of_thinking():
    assert with_params(thinking={"type": "adaptive", "display": "updates"}).headers == {
        "anthropic-beta": "thinking-display-updates-2026-08-18"
    }
    binding = {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    assert with_params(thinking=binding).headers == {"anthropic-beta": "thinking-binding-controls-2026-08-01"}


# --- structured output ------------------------------------------------------------------------------------------------


def test_json_schema():
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    encoded = encode(HumanMessage("hi"), output=OutputFormat("json_schema", schema, name="Answer", strict=True))
    assert encoded.body["output_config"] == {
        "format": {"type": "json_schema", "schema": {**schema, "additionalProperties": False}}
    }
    assert encoded.adjustments == ()


def test_other_formats():
    encoded = encode(HumanMessage("hi"), output=OutputFormat("json_object"))
    assert (encoded.body, whats(encoded)) == (HI, ["response_format json_object"])
    assert encode(HumanMessage("hi"), output=OutputFormat("text")).body == HI


def test_schema_keeps_what_is_enforced_and_tells_the_rest():
    schema = {
        "type": "object",
        "title": "Person",
        "$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}, "P": {"type": "object", "properties": {}}},
        "properties": {
            "title": {"type": "string", "minLength": 1, "description": "A title"},
            "default": {"type": "number", "minimum": 0, "maximum": 1.5, "default": 1},
            "when": {"type": "string", "format": "date"},
            "odd": {"type": "string", "format": "color", "pattern": "^#"},
            "many": {"type": "array", "items": {"$ref": "#/$defs/P", "description": "x"}, "minItems": 2},
            "some": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "either": {"oneOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]},
        },
        "additionalProperties": True,
        "required": ["title"],
    }
    before = copy.deepcopy(schema)
    adapted = adapt_schema(schema)
    assert adapted.schema == {
        "$defs": {
            "Kind": {"enum": ["a", "b"]},
            "P": {"type": "object", "properties": {}, "additionalProperties": False},
        },
        "type": "object",
        "title": "Person",
        "properties": {
            "title": {"type": "string", "description": "A title\n\n{minLength: 1}"},
            "default": {"type": "number", "description": "{minimum: 0, maximum: 1.5, default: 1}"},
            "when": {"type": "string", "format": "date"},
            "odd": {"type": "string", "description": "{pattern: ^#, format: color}"},
            "many": {"type": "array", "items": {"$ref": "#/$defs/P"}, "description": "{minItems: 2}"},
            "some": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "either": {"anyOf": [{"type": "string", "description": "{maxLength: 2}"}, {"type": "null"}]},
        },
        "required": ["title"],
        "additionalProperties": False,
    }
    assert adapted.loose == [
        "additionalProperties of the root", "minLength of title", "minimum of default", "maximum of default",
        "pattern of odd", "format of odd", "minItems of many", "maxLength of either",
    ]  # fmt: skip
    assert adapted.schema == anthropic.transform_schema(schema)
    assert schema == before


# --- counting ---------------------------------------------------------------------------------------------------------


def test_count_body_has_only_what_counts(oracle: ModuleType):
    encoded = WIRE.encode_count(
        request(
            SystemMessage("s"),
            HumanMessage("hi"),
            params={"max_tokens": 0, "temperature": 0.5, "stop": ["x"], "thinking": {"type": "adaptive"}, "user": "u"},
            tools=(TOOL,),
            tool_choice=ToolChoice("auto"),
            native={
                "container": "c",
                "cache_control": EPHEMERAL,
                "mcp_servers": [{"type": "url", "name": "m", "url": "u"}],
            },
            stream=True,
        )
    )
    assert set(encoded.body) == {
        "model", "messages", "system", "tools", "tool_choice", "thinking", "cache_control", "mcp_servers",
    }  # fmt: skip
    assert encoded.headers == {"anthropic-beta": "mcp-client-2025-11-20"}
    assert oracle.validate("anthropic-beta-count", encoded.body) == []
    assert WIRE.count_path == "/v1/messages/count_tokens"


# --- replies ----------------------------------------------------------------------------------------------------------

REPLY = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-test",
    "content": [text("hello")],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5, "service_tier": "standard"},
}


def reply(**changes: Any) -> AIMessage:
    return WIRE.decode({**REPLY, **changes})[0]


def test_smallest_reply():
    message = reply()
    assert (message.content, message.id) == ("hello", "msg_1")
    assert message.usage_metadata == {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}
    assert message.response_metadata == {
        "model_provider": "anthropic",
        "model_name": "claude-test",
        "model": "claude-test",
        "id": "msg_1",
        "finish_reason": "stop",
        "stop_reason": "end_turn",
        "service_tier": "standard",
        "usage": REPLY["usage"],
    }


def test_input_tokens_are_all_that_went_in():
    usage = {
        "input_tokens": 3,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    assert reply(usage=usage).usage_metadata == {
        "input_tokens": 153,
        "output_tokens": 5,
        "total_tokens": 158,
        "input_token_details": {"cache_read": 100, "cache_creation": 50},
        "output_token_details": {"reasoning": 4},
        "cache_creation_details": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    }
    assert reply(usage=None).usage_metadata is None


@pytest.mark.parametrize(
    "raw, common",
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "context_window"),
        ("pause_turn", "pause"),
        ("compaction", "pause"),
        ("refusal", "refusal"),
        ("next_reason", "other"),
    ],
)
def test_finish_reasons(raw: str, common: str):
    found = reply(stop_reason=raw).response_metadata
    assert (found["stop_reason"], found["finish_reason"]) == (raw, common)


def test_whatever_else_a_reply_says_is_kept():
    said_too = {"stop_sequence": "END", "stop_details": {"type": "refusal"}, "container": {"id": "c"}, "tomorrow": [1]}
    assert {key: reply(**said_too).response_metadata[key] for key in said_too} == said_too


USE = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}


def test_tool_calls_of_a_reply():
    message = reply(content=[text("so"), USE], stop_reason="tool_use")
    assert message.content == [text("so"), USE]
    assert message.tool_calls == [{"type": "tool_call", "id": "a", "name": "f", "args": {"x": 1}}]
    assert message.invalid_tool_calls == []


@pytest.mark.parametrize("stop_reason", ["max_tokens", "model_context_window_exceeded", "refusal"])
def test_a_cut_call_is_never_offered_as_valid(stop_reason: str):
    message = reply(content=[{**USE, "id": "whole"}, USE], stop_reason=stop_reason)
    assert [call["id"] for call in message.tool_calls] == ["whole"]
    assert [(call["id"], call["args"]) for call in message.invalid_tool_calls] == [("a", '{"x": 1}')]
    whole = reply(content=[USE, text("and")], stop_reason=stop_reason)
    assert [call["id"] for call in whole.tool_calls] == ["a"]


def test_arguments_that_are_no_object():
    message = reply(content=[{**USE, "input": "x"}, {**USE, "id": "b", "input": [1]}], stop_reason="tool_use")
    assert message.tool_calls == []
    assert [(call["id"], call["args"]) for call in message.invalid_tool_calls] == [("a", "x"), ("b", "[1]")]


def test_unknown_blocks_are_kept_whole():
    blocks = [{"type": "hologram", "pixels": {"deep": [1, 2]}}, text("a")]
    assert reply(content=blocks).content == blocks


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"content": None},
        {"content": "hello"},
        {"content": ["hello"]},
        {"content": [{"text": "x"}]},
        {"choices": []},
        [],
    ],
    ids=json.dumps,
)
def test_replies_of_another_shape(broken: Any):
    with pytest.raises(ReplyError, match="The reply"):
        WIRE.decode(broken)


# --- streams ----------------------------------------------------------------------------------------------------------


def opened(**changes: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 0}}
    message = {**REPLY, "content": [], "stop_reason": None, "usage": usage, **changes}
    return {"type": "message_start", "message": message}


def started(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index: int, kind: str, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **delta}}


def closed(stop_reason: str = "end_turn", **usage: Any) -> list[dict[str, Any]]:
    delta = {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 5, **usage}}
    return [delta, {"type": "message_stop"}]


def run(events: list[dict[str, Any]], plain: bool = False) -> list[AIMessageChunk]:
    decoder = WIRE.stream_decoder(plain)
    chunks = [chunk for event in events for chunk in decoder.feed(event)]
    chunks.extend(decoder.end())
    decoder.close()
    return chunks


def total(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    return add_ai_message_chunks(chunks[0], *chunks[1:])


def test_plain_text_streams_as_strings():
    events = [
        opened(),
        started(0, text("")),
        grown(0, "text_delta", text="hel"),
        grown(0, "text_delta", text="lo"),
        *closed(),
    ]
    assert [chunk.content for chunk in run(events, plain=True)] == ["hel", "lo", ""]
    assert [chunk.content for chunk in run(events)] == [
        [{**text(""), "index": 0}],
        [{**text("hel"), "index": 0}],
        [{**text("lo"), "index": 0}],
        [],
    ]


def test_metadata_stands_on_the_last_chunk_alone():
    events = [opened(), started(0, text("")), grown(0, "text_delta", text="a"), *closed(input_tokens=None)]
    *chunks, last = run(events, plain=True)
    assert all(chunk.response_metadata == {"model_provider": "anthropic"} for chunk in chunks)
    assert all(chunk.usage_metadata is None and chunk.chunk_position is None for chunk in chunks)
    assert {chunk.id for chunk in [*chunks, last]} == {"msg_1"}
    assert last.chunk_position == "last"
    assert last.response_metadata["finish_reason"] == "stop"
    assert last.response_metadata["usage"] == {
        "input_tokens": 3, "output_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 0},
    }  # fmt: skip
    assert last.usage_metadata["total_tokens"] == 8


def test_text_on_the_start_of_a_block_is_not_lost():
    events = [opened(), started(0, text("hel")), grown(0, "text_delta", text="lo"), *closed()]
    assert total(run(events, plain=True)).content == "hello"
    assert total(run(events)).text == "hello"


def test_plain_ends_with_the_first_block_that_is_no_bare_text():
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    thinks = [
        started(0, thinking),
        grown(0, "thinking_delta", thinking="hm"),
        grown(0, "signature_delta", signature="sig"),
    ]
    speaks = [started(1, text("")), grown(1, "text_delta", text="hi")]
    summed = total(run([opened(), *thinks, *speaks, *closed()], plain=True))
    assert summed.content == [
        {"type": "thinking", "thinking": "hm", "signature": "sig", "index": 0},
        {**text("hi"), "index": 1},
    ]
    assert [block["type"] for block in summed.content_blocks] == ["reasoning", "text"]
    two = [
        started(0, text("")),
        grown(0, "text_delta", text="a"),
        started(1, text("")),
        grown(1, "text_delta", text="b"),
    ]
    assert total(run([opened(), *two, *closed()], plain=True)).content == "ab"
    mixed = [started(0, text("a")), started(1, {"type": "redacted_thinking", "data": "x"}), started(2, text("b"))]
    assert total(run([opened(), *mixed, *closed()], plain=True)).content == [
        "a", {"type": "redacted_thinking", "data": "x", "index": 1}, {**text("b"), "index": 2},
    ]  # fmt: skip


def test_tool_calls_stream_as_chunks():
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    events = [
        opened(), started(0, use), grown(0, "input_json_delta", partial_json=""),
        grown(0, "input_json_delta", partial_json='{"x": '), grown(0, "input_json_delta", partial_json="1}"),
        started(1, {**use, "id": "b"}), *closed("tool_use"),
    ]  # fmt: skip
    chunks = run(events)
    assert [chunk.content for chunk in chunks] == [
        [{**use, "index": 0}],
        [{"type": "input_json_delta", "partial_json": '{"x": ', "index": 0}],
        [{"type": "input_json_delta", "partial_json": "1}", "index": 0}],
        [{**use, "id": "b", "index": 1}],
        [],
    ]
    first = chunks[0].tool_call_chunks[0]
    assert (first["id"], first["name"], first["args"], first["index"]) == ("a", "f", "", 0)
    assert [(c["id"], c["name"], c["args"]) for chunk in chunks[1:3] for c in chunk.tool_call_chunks] == [
        (None, None, '{"x": '), (None, None, "1}"),
    ]  # fmt: skip
    assert [(call["id"], call["args"]) for call in total(chunks).tool_calls] == [("a", {"x": 1}), ("b", {})]


def test_arguments_on_the_start_of_a_call():
    summed = total(run([opened(), started(0, USE), *closed("tool_use")]))
    assert [call["args"] for call in summed.tool_calls] == [{"x": 1}]


@pytest.mark.parametrize(
    "args", ['{"x": "hel', '{"x": [1, {"y": "a\\', '{"x": [[', '{"x": 1', '{"x"', "{", '{"x": "say \\"', '{"x": 1}', ""]
)
def test_a_cut_call_in_a_stream_is_never_offered_as_valid(args: str):
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    pieces = [grown(1, "input_json_delta", partial_json=piece) for piece in args]
    summed = total(run([opened(), started(0, {**USE, "id": "whole"}), started(1, use), *pieces, *closed("max_tokens")]))
    assert [call["id"] for call in summed.tool_calls] == ["whole"]
    assert [call["id"] for call in summed.invalid_tool_calls] == ["a"]
    assert summed.invalid_tool_calls[0]["args"].startswith(args)
    assert summed.content[1].get("partial_json", "") == args


@pytest.mark.parametrize("args", ['{"x": "hel', "[1", "nonsense"])
def test_broken_arguments_are_invalid_whatever_the_reason_to_stop(args: str):
    events = [
        opened(),
        started(0, {**USE, "input": {}}),
        grown(0, "input_json_delta", partial_json=args),
        *closed("tool_use"),
    ]
    summed = total(run(events))
    assert (summed.tool_calls, len(summed.invalid_tool_calls)) == ([], 1)


def test_a_cut_call_goes_back_as_a_call_without_input():
    use = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    events = [opened(), started(0, use), grown(0, "input_json_delta", partial_json='{"x": "he'), *closed("max_tokens")]
    chunks = run(events)
    for message in (total(chunks), total([as_v1(chunk) for chunk in chunks])):
        encoded = encode(HumanMessage("hi"), message, ToolMessage("cut", tool_call_id="a"))
        assert encoded.body["messages"][1]["content"] == [use]
        assert whats(encoded) == ["invalid tool call 'f' in message 1"]


def test_server_tools_citations_and_compactions_stream():
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result"}]}
    citation = {"type": "char_location", "cited_text": "c"}
    events = [
        opened(),
        started(0, search), grown(0, "input_json_delta", partial_json='{"query": "a"}'),
        started(1, found),
        started(2, {**text(""), "citations": []}), grown(2, "text_delta", text="b"),
        grown(2, "citations_delta", citation=citation), grown(2, "citations_delta", citation=citation),
        started(3, {"type": "compaction", "content": None}),
        grown(3, "compaction_delta", content="sum", encrypted_content="enc"),
        *closed(),
    ]  # fmt: skip
    summed = total(run(events))
    assert (summed.tool_calls, summed.invalid_tool_calls, summed.tool_call_chunks) == ([], [], [])
    assert settled(summed) == [
        {**search, "input": {"query": "a"}},
        found,
        {**text("b"), "citations": [citation, citation]},
        {"type": "compaction", "content": "sum", "encrypted_content": "enc"},
    ]


def test_what_is_unknown_survives():
    events = [
        {"type": "prologue", "x": 1},
        opened(),
        {"type": "ping"},
        started(0, {"type": "hologram", "pixels": {"deep": [1]}, "name": "h", "depth": 2}),
        grown(0, "hologram_delta", name="olo", depth=3, more="new", pixels="no"),
        grown(0, "hologram_delta", name="gram"),
        started(1, text("")),
        grown(1, "sparkle_delta", sparkle="*"),
        grown(1, "text_delta", text="a"),
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "mood": "good"}, "weather": {"rain": 1}},
        {"type": "message_stop"},
    ]
    summed = total(run(events))
    hologram = {"type": "hologram", "pixels": {"deep": [1]}, "name": "hologram", "depth": 2, "more": "new"}
    assert settled(summed) == [hologram, {**text("a"), "sparkle": "*"}]
    assert summed.response_metadata["weather"] == {"rain": 1}
    assert summed.response_metadata["mood"] == "good"
    assert total(run([*events[:3], *events[6:]], plain=True)).content == "a"


def test_a_cut_stream_raises():
    decoder = WIRE.stream_decoder(False)
    for event in [opened(), started(0, text("")), closed()[0]]:
        list(decoder.feed(event))
    with pytest.raises(IncompleteStreamError, match="message_stop"):
        decoder.close()


@pytest.mark.parametrize(
    "event", [{"type": "message_start"}, {"type": "content_block_start", "index": 0}, {"type": "content_block_delta"}]
)
def test_a_broken_event(event: dict[str, Any]):
    with pytest.raises(ReplyError, match=event["type"]):
        WIRE.stream_decoder(False).feed(event)


# --- recorded traffic -------------------------------------------------------------------------------------------------


def settled(message: AIMessage) -> list[dict[str, Any]]:
    """A message's blocks without what summing chunks leaves in them."""
    if isinstance(message.content, str):
        return [text(message.content)] if message.content else []
    return [_settled({"type": "text", "text": b} if isinstance(b, str) else b) for b in message.content]


def _settled(block: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in block.items() if key not in ("index", "partial_json")}
    if block.get("partial_json"):
        kept["input"] = json.loads(block["partial_json"])
    return kept


def gathered(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole reply that a stream stands for, read from the events alone."""
    whole: dict[str, Any] = {}
    for event in copy.deepcopy(events):
        if event["type"] == "message_start":
            whole = {**event["message"], "content": []}
        elif event["type"] == "content_block_start":
            whole["content"].append({**event["content_block"], "json": ""})
        elif event["type"] == "content_block_delta":
            _grow(whole["content"][event["index"]], event["delta"])
        elif event["type"] == "content_block_stop":
            block = whole["content"][event["index"]]
            arguments = block.pop("json")
            if arguments:
                block["input"] = json.loads(arguments)
        elif event["type"] == "message_delta":
            whole.update({key: value for key, value in event["delta"].items() if value is not None})
            whole.update({key: event[key] for key in ("context_management",) if event.get(key)})
            whole["usage"].update({key: value for key, value in event["usage"].items() if value is not None})
    return whole


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta["type"] == "text_delta":
        block["text"] += delta["text"]
    elif delta["type"] == "thinking_delta":
        block["thinking"] += delta["thinking"]
    elif delta["type"] == "signature_delta":
        block["signature"] = delta["signature"]
    elif delta["type"] == "citations_delta":
        block["citations"].append(delta["citation"])
    elif delta["type"] == "input_json_delta":
        block["json"] += delta["partial_json"]
    else:
        raise AssertionError(f"a delta that the recordings do not have: {delta['type']}")


FINISH = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length", "pause_turn": "pause"}


def test_the_recordings_are_the_ones_these_tests_know():
    if not exchanges(ENDPOINT):
        pytest.skip("no recorded exchanges")
    assert (len(exchanges(ENDPOINT)), len(replies(ENDPOINT)), len(streams(ENDPOINT))) == (378, 279, 97)


@needs_corpus
@pytest.mark.parametrize("exchange", replies(ENDPOINT), ids=label)
def test_recorded_reply(exchange: dict[str, Any]):
    raw = exchange["response"]["body"]
    before = copy.deepcopy(raw)
    (message,) = WIRE.decode(raw)
    assert raw == before
    _check_reading(message, raw)
    assert settled(message) == raw["content"] or message.content == raw["content"][0]["text"]


def _check_reading(message: AIMessage, raw: dict[str, Any]) -> None:
    """The message against the reply, read here by other means."""
    blocks, usage = raw["content"], raw["usage"]
    assert message.id == raw["id"]
    assert message.text == "".join(block["text"] for block in blocks if block["type"] == "text")
    uses = [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    assert [(call["id"], call["name"], call["args"]) for call in message.tool_calls] == uses
    assert message.invalid_tool_calls == []
    assert [block["type"] for block in settled(message)] == [block["type"] for block in blocks]
    assert [b.get("signature") for b in settled(message)] == [b.get("signature") for b in blocks]
    cached = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    assert message.usage_metadata["input_tokens"] == usage["input_tokens"] + cached
    assert message.usage_metadata["output_tokens"] == usage["output_tokens"]
    assert message.usage_metadata["total_tokens"] == usage["input_tokens"] + cached + usage["output_tokens"]
    details = message.usage_metadata["input_token_details"]
    assert (details["cache_read"], details["cache_creation"]) == (
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"],
    )
    found = message.response_metadata
    assert (found["stop_reason"], found["finish_reason"]) == (raw["stop_reason"], FINISH[raw["stop_reason"]])
    assert (found["model_provider"], found["model_name"], found["usage"]) == ("anthropic", raw["model"], usage)
    for key in ("container", "context_management", "stop_details", "stop_sequence"):
        assert found.get(key) == raw.get(key)


@needs_corpus
@pytest.mark.parametrize("plain", [False, True], ids=["blocks", "plain"])
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_law_1_the_sum_of_a_stream_is_the_decoded_whole(exchange: dict[str, Any], plain: bool):
    events = sse_events(exchange["response"]["sse"])
    whole = gathered(events)
    summed = total(run(events, plain))
    (decoded,) = WIRE.decode(whole)
    assert summed.text == decoded.text
    if not plain or isinstance(summed.content, str):
        assert settled(summed) == settled(decoded) or summed.content == decoded.text
    assert summed.tool_calls == decoded.tool_calls
    assert summed.invalid_tool_calls == decoded.invalid_tool_calls
    assert summed.usage_metadata == decoded.usage_metadata
    assert summed.response_metadata == decoded.response_metadata
    assert summed.id == decoded.id
    if not plain:
        _check_reading(summed, whole)


@needs_corpus
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_recorded_chunks(exchange: dict[str, Any]):
    events = sse_events(exchange["response"]["sse"])
    before = copy.deepcopy(events)
    decoder = WIRE.stream_decoder(False)
    by_event = [(event, list(decoder.feed(event))) for event in events]
    decoder.close()
    assert events == before
    chunks = [chunk for _, found in by_event for chunk in found]
    assert {chunk.id for chunk in chunks} == {events[0]["message"]["id"]}
    assert [chunk.chunk_position for chunk in chunks].index("last") == len(chunks) - 1
    assert all(chunk.response_metadata == {"model_provider": "anthropic"} for chunk in chunks[:-1])
    assert all(chunk.usage_metadata is None for chunk in chunks[:-1])
    for event, found in by_event:
        for block in (block for chunk in found for block in chunk.content):
            assert block["index"] == event["index"]
        if event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta":
            assert [chunk.text for chunk in found] == [event["delta"]["text"]]


@needs_corpus
def test_law_6_two_streams_do_not_mix():
    calls = [exchange for exchange in streams(ENDPOINT) if "tool_use_response" in exchange["tags"]][:6]
    for left, right in itertools.pairwise(calls):
        events = [sse_events(exchange["response"]["sse"]) for exchange in (left, right)]
        decoders = [WIRE.stream_decoder(False), WIRE.stream_decoder(False)]
        out: list[list[AIMessageChunk]] = [[], []]
        for step in range(max(map(len, events))):
            for side in (0, 1):
                if step < len(events[side]):
                    out[side].extend(decoders[side].feed(events[side][step]))
        for side in (0, 1):
            assert out[side] == run(events[side])


# --- replay -----------------------------------------------------------------------------------------------------------


def as_v1(message: AIMessage) -> AIMessage:
    """The message as LangChain core keeps it with `output_version="v1"`."""
    metadata = {**message.response_metadata, "output_version": "v1"}
    content = copy.deepcopy(message).content_blocks
    return message.model_copy(update={"content": content, "response_metadata": metadata})


def decoded_of(exchange: dict[str, Any]) -> list[AIMessage]:
    """A recorded answer, as decoded, and for streams as summed."""
    if exchange["response"]["body"]:
        return WIRE.decode(exchange["response"]["body"])
    return [total(run(sse_events(exchange["response"]["sse"])))]


def replayed(message: AIMessage) -> Any:
    results = [ToolMessage("done", tool_call_id=call["id"]) for call in message.tool_calls]
    return encode(HumanMessage("hi"), message, *results, HumanMessage("go on"), tools=(TOOL,))


def sendable(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks without the texts that the API gives but does not take."""
    return [block for block in blocks if block["type"] != "text" or block["text"].strip()]


ANSWERS = [exchange for exchange in exchanges(ENDPOINT) if exchange["response"]["status"] == 200]


@needs_corpus
@pytest.mark.parametrize("exchange", ANSWERS, ids=label)
def test_law_4_a_reply_goes_back_to_its_wire(exchange: dict[str, Any], oracle: ModuleType):
    (message,) = decoded_of(exchange)
    encoded = replayed(message)
    assert problems(oracle, encoded.body) == []
    assert encoded.adjustments == ()
    assert encoded.body["messages"][1]["content"] == sendable(settled(message))


@needs_corpus
@pytest.mark.parametrize("exchange", ANSWERS, ids=label)
def test_law_4_a_reply_in_standard_blocks_goes_back_to_its_wire(exchange: dict[str, Any], oracle: ModuleType):
    (message,) = decoded_of(exchange)
    encoded = replayed(as_v1(message))
    assert problems(oracle, encoded.body) == []
    assert [without_empty(b) for b in encoded.body["messages"][1]["content"]] == [
        without_empty(b) for b in sendable(settled(message))
    ]


@needs_corpus
@pytest.mark.parametrize("exchange", streams(ENDPOINT), ids=label)
def test_law_4_a_stream_of_standard_blocks_goes_back_to_its_wire(exchange: dict[str, Any], oracle: ModuleType):
    chunks = run(sse_events(exchange["response"]["sse"]))
    encoded = replayed(total([as_v1(chunk) for chunk in chunks]))
    assert problems(oracle, encoded.body) == []
    assert [without_empty(b) for b in encoded.body["messages"][1]["content"]] == [
        without_empty(b) for b in sendable(settled(total(chunks)))
    ]


def without_empty(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if not (key == "citations" and not value)}


def conversation(body: dict[str, Any]) -> list[BaseMessage]:
    """A recorded request's messages, as a caller would write them with the wire's own blocks."""
    kinds: dict[str, Any] = {
        "user": HumanMessage,
        "system": SystemMessage,
        "assistant": lambda content: AIMessage(content, response_metadata={"model_provider": "anthropic"}),
    }
    return [kinds[message["role"]](copy.deepcopy(message["content"])) for message in body["messages"]]


def flat(body: dict[str, Any]) -> list[tuple[str, Any]]:
    """(role, block) of every block, forms that mean the same made equal."""
    found = []
    for message in body["messages"]:
        content = message["content"]
        blocks = [text(content)] if isinstance(content, str) else content
        found += [(message["role"], _one_form(block)) for block in blocks]
    return found


def _one_form(block: dict[str, Any]) -> dict[str, Any]:
    silent = {"is_error": False, "cache_control": None}
    kept = {key: value for key, value in block.items() if key not in silent or value is not silent[key]}
    inner = kept.get("content")
    if block["type"] == "tool_result" and isinstance(inner, list) and len(inner) == 1 and inner[0]["type"] == "text":
        kept["content"] = inner[0]["text"]
    return kept


@needs_corpus
@pytest.mark.parametrize("exchange", exchanges(ENDPOINT), ids=label)
def test_recorded_conversation_is_sent_as_it_was(exchange: dict[str, Any], oracle: ModuleType):
    recorded = exchange["request"]["body"]
    encoded = encode(*conversation(recorded), profile=Profile(system_in_messages=True))
    assert flat(encoded.body) == flat(recorded)
    assert problems(oracle, encoded.body) == []


# --- laws on generated conversations ----------------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("ab \n"), max_size=4)


@st.composite
def turn_lists(draw: st.DrawFn) -> list[Turn]:
    """Conversations in any order of roles, with odd ids, empty texts and system messages between."""
    result: list[Turn] = []
    for position in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["user", "assistant", "call", "system"]))
        blocks = tuple(text(word) for word in draw(st.lists(WORDS, max_size=3)))
        if kind == "call":
            call_id = draw(st.sampled_from(["a", "b.c", "", None]))
            call = {"type": "tool_call", "id": call_id, "name": "f", "args": {}}
            result.append(Turn("assistant", (*blocks, call), position=position))
            result.append(Turn("tool", blocks, tool_call_id=call_id, is_error=draw(st.booleans()), position=position))
        else:
            result.append(Turn(kind, blocks, position=position))
    return result


def blocks_of(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], json.dumps(block)) for message in body["messages"] for block in message["content"]]


@given(turn_lists(), st.data())
def test_law_3_a_longer_conversation_keeps_the_shorter_ones_prefix(conversation: list[Turn], data: st.DataObject):
    profile = Profile(system_in_messages=True)
    longer = [Turn("system", (text("s"),)), Turn("user", (text("hi"),)), *conversation, Turn("user", (text("end"),))]
    cuts = [size for size in range(2, len(longer)) if longer[size - 1].role in ("user", "tool", "system")]
    shorter = longer[: data.draw(st.sampled_from(cuts))]
    short, long = (encode(*found, profile=profile).body for found in (shorter, longer))
    if short["messages"][-1]["role"] != "assistant":  # else: an empty turn left a prefill at the end
        assert blocks_of(long)[: len(blocks_of(short))] == blocks_of(short)
    kept = short["messages"][:-1]
    assert long["messages"][: len(kept)] == kept
    assert long["system"] == short["system"]


@given(turn_lists())
def test_generated_conversations_are_valid(oracle: ModuleType, conversation: list[Turn]):
    turns_ = [*conversation, Turn("user", (text("end"),))]
    body = encode(*turns_).body
    assert problems(oracle, body) == []
    assert body == encode(*copy.deepcopy(turns_)).body
    roles = [message["role"] for message in body["messages"]]
    assert all(left != right for left, right in itertools.pairwise(roles))
    for message in body["messages"]:
        assert message["content"]
        assert all(block["text"].strip() for block in message["content"] if block["type"] == "text")
