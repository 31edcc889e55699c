"""What a tool returned is data from outside: it never ends a run, and only http(s) addresses are sent as addresses."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_unified import ChatUnified
from langchain_unified.messages.json_text import data_text
from tests.support.corpus import ENDPOINT_OF
from tests.support.emulated import refused

MODELS: dict[str, dict[str, Any]] = {
    "anthropic_messages": {"model": "anthropic/claude-opus-5-5"},
    "openai_chat": {"model": "openai/gpt-4o"},
    "openai_responses": {"model": "openai/gpt-5.6"},
}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
each_wire = pytest.mark.parametrize("wire", MODELS)


def thread(*results: Any) -> list[BaseMessage]:
    """Each result answers a call. The content is set after construction, as middleware and stored state do."""
    ids = [f"call_{number}" for number, _ in enumerate(results)]
    calls = [{"name": "look", "args": {}, "id": call_id} for call_id in ids]
    messages: list[BaseMessage] = [HumanMessage("Look."), AIMessage("", tool_calls=calls)]
    for call_id, content in zip(ids, results, strict=True):
        message = ToolMessage("", tool_call_id=call_id, name="look")
        message.__dict__["content"] = content
        messages.append(message)
    return messages


def sent(wire: str, *results: Any) -> tuple[dict[str, Any], list[str]]:
    model = ChatUnified(MODELS[wire]["model"], api_key="k", on_unsupported="raise")
    report = model.check(thread(*results))
    assert report.wire == wire
    assert refused(ENDPOINT_OF[wire], report.body) == []
    return report.body, [item["what"] for item in report.adjustments]


READABLE = {
    "object": ({"answer": "sunny"}, "sunny"),
    "list of numbers": ([18, 21], "21"),
    "number": (18, "18"),
    "bytes": (b"sunny", "sunny"),
    "text in a list": (["sunny"], "sunny"),
    "MCP resource link": ([{"type": "resource_link", "uri": "file:///srv/a.txt", "name": "a.txt"}], "a.txt"),
    "MCP screenshot": ([{"type": "resource_link", "uri": "screenshot://1"}], "screenshot://1"),
    "MCP resource": ([{"type": "resource", "resource": {"uri": "a://b", "text": "sunny"}}], "sunny"),
    "file without data": ([{"type": "file", "name": "a.txt"}], "a.txt"),
    "file address": ([{"type": "image", "url": "file:///srv/x.png"}], "file:///srv/x.png"),
    "bucket address": ([{"type": "image_url", "image_url": {"url": "s3://b/x.png"}}], "s3://b/x.png"),
    "address that is no text": ([{"type": "image", "url": 5}], "5"),
    "audio": ([{"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}], "audio/wav"),
    "SVG": ([{"type": "image", "base64": "PHN2Zy8+", "mime_type": "image/svg+xml"}], "<svg/>"),
    "data that is no base64": ([{"type": "image", "base64": "no!", "mime_type": "image/png"}], "image/png"),
    "text that is no text": ([{"type": "text", "text": {"a": "sunny"}}], "sunny"),
    "thinking": ([{"type": "thinking", "thinking": "sunny", "signature": "c2ln"}], "sunny"),
    "search result without texts": ([{"type": "search_result", "source": "sunny", "content": [{"a": 1}]}], "sunny"),
}


@each_wire
@pytest.mark.parametrize("content,text", READABLE.values(), ids=READABLE.keys())
def test_any_value_is_sent_as_text(wire: str, content: Any, text: str):
    body, listed = sent(wire, content)
    result = json.dumps(body["input"][2] if wire == "openai_responses" else body["messages"][2], ensure_ascii=False)
    assert text in result.replace("\\", "")
    assert '_url": "file' not in result
    assert '_url": "s3' not in result
    assert '"type": "url"' not in result
    assert bool(listed) == (content not in (["sunny"], READABLE["text that is no text"][0]))


@each_wire
def test_no_content_at_all_is_an_empty_result(wire: str):
    sent(wire, None)


def test_an_mcp_image_is_an_image():
    body, listed = sent("anthropic_messages", [{"type": "image", "data": PNG, "mimeType": "image/png"}])
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    assert body["messages"][2]["content"][0]["content"] == [{"type": "image", "source": source}]
    assert listed == []


@each_wire
def test_a_wrong_label_on_an_image_is_corrected(wire: str):
    body, listed = sent(wire, [{"type": "image", "base64": PNG, "mime_type": "image/svg+xml"}])
    assert "image/png" in json.dumps(body)
    assert "svg" not in json.dumps(body)
    assert listed


def test_on_chat_completions_media_follow_after_all_results():
    image = {"type": "image", "base64": PNG, "mime_type": "image/png"}
    pdf = {"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf", "filename": "a.pdf"}
    body, listed = sent("openai_chat", [image], [{"type": "text", "text": "Here:"}, pdf], "done")
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "tool", "user", "user"]
    assert "see the user message" in body["messages"][2]["content"]
    assert body["messages"][3]["content"][0] == {"type": "text", "text": "Here:"}
    assert body["messages"][5]["content"][1] == {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{PNG}"},
    }
    assert body["messages"][6]["content"][1]["file"]["filename"] == "a.pdf"
    assert listed == ["image in message 2 (tool)", "file in message 3 (tool)"]


@each_wire
def test_a_longer_conversation_keeps_what_was_made_of_a_result(wire: str):
    image = {"type": "image", "base64": PNG, "mime_type": "image/png"}
    messages = thread([image, {"a": 1}])
    model = ChatUnified(MODELS[wire]["model"], api_key="k", on_unsupported="raise")
    key = "input" if wire == "openai_responses" else "messages"
    first = model.check(messages).body[key]
    longer = model.check([*messages, AIMessage("I see."), HumanMessage("And?")]).body[key]
    assert longer[: len(first)] == first


@each_wire
@pytest.mark.parametrize("block", [{"foo": "bar"}, {"type": "new", "foo": "bar"}, 5])
def test_blocks_that_another_server_left_in_an_answer_are_text(wire: str, block: Any):
    answer = AIMessage([{"type": "text", "text": "Hi."}])
    answer.content = [*answer.content, block]
    model = ChatUnified(MODELS[wire]["model"], api_key="k")
    report = model.check([HumanMessage("Hi"), answer, HumanMessage("And?")])
    assert ("bar" if isinstance(block, dict) else "5") in json.dumps(report.body)
    assert refused(ENDPOINT_OF[wire], report.body) == []


@pytest.mark.parametrize(
    "value,text",
    [
        ({"day": date(2026, 1, 2)}, '{"day":"2026-01-02"}'),
        ({3, 1, 2}, "[1,2,3]"),
        ({("a", 1): b"\xff"}, '{"(\'a\', 1)":"[1 bytes]"}'),
        (["A" * 2000], '["[2000 characters of base64]"]'),
        (object(), '"[object]"'),
    ],
)
def test_the_json_of_any_value_is_the_same_in_any_process(value: Any, text: str):
    assert data_text(value) == text


def test_json_of_a_value_that_holds_itself_is_its_type():
    value: list[Any] = []
    value.append(value)
    assert data_text(value) == "[list]"
