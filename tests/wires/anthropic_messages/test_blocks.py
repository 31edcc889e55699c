"""The Messages wire: content blocks of users, tool results and the ids of tool calls."""

from __future__ import annotations

import base64
import copy
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified.errors import UnsupportedContentError
from tests.wires.anthropic_messages.helpers import encode, problems, sent, text, user

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
