"""The Messages wire: assistant turns that go out."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified.errors import UnsupportedContentError
from langchain_unified.request import Turn
from tests.wires.anthropic_messages.helpers import as_v1, encode, sent, text, whats


def said(*blocks: dict[str, Any], origin: str | None = None, **fields: Any) -> list[dict[str, Any]]:
    """The blocks of an assistant turn as they go out."""
    return sent(Turn("assistant", blocks, origin=origin, position=1, **fields), Turn("user", (text("go on"),)))[0][
        "content"
    ]


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


ANSWER = {"type": "native", "value": {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}}


def test_server_tools():
    call = {"type": "server_tool_call", "id": "srvtoolu_1", "name": "code_interpreter", "args": {"code": "1"}}
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "1"}}
    assert said(call, ANSWER, origin=OWN)[0] == use
    assert said({**call, "args": '{"code": "1"}'}, ANSWER, origin=OWN)[0] == use
    output = {"type": "server_tool_result", "tool_call_id": "s", "status": "success", "output": [{"title": "ü"}]}
    assert said(output, origin=OWN) == [text('[the tool returned [{"title": "ü"}]]')]
    assert said({**output, "output": None}, origin=OWN) == [text("[the tool returned nothing]")]


def test_a_server_tool_call_with_broken_arguments_is_named():
    call = {"type": "server_tool_call", "id": "srvtoolu_1", "name": "web_search", "args": '{"query": "x'}
    encoded = encode(Turn("assistant", (call, ANSWER), origin=OWN, position=1), Turn("user", (text("go on"),)))
    assert encoded.body["messages"][0]["content"][0]["input"] == {}
    assert whats(encoded) == ["call of 'web_search' in message 1"]
    for nothing in ({}, "", None):
        empty = Turn("assistant", ({**call, "args": nothing}, ANSWER), origin=OWN)
        encoded = encode(empty, Turn("user", (text("go on"),)))
        assert whats(encoded) == []


@pytest.mark.parametrize(
    "broken", [{"input": {}, "partial_json": '{"query": "x'}, {"input": '{"query": "x'}, {"input": ["x"]}]
)
def test_a_replayed_call_with_broken_arguments_is_named(broken: dict[str, Any]):
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", **broken}
    reply = AIMessage([use, ANSWER["value"], text("a")], response_metadata={"model_provider": "anthropic"})
    encoded = encode(HumanMessage("hi"), reply, HumanMessage("go on"))
    assert encoded.body["messages"][1]["content"][0]["input"] == {}
    assert whats(encoded) == ["call of 'web_search' in message 1"]


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
