"""The Chat Completions wire: content blocks that go out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_unified.errors import UnsupportedContentError
from tests.wires.openai_chat.helpers import MEDIA, PDF, PNG, WAV, sent

PDF_URI = f"data:application/pdf;base64,{PDF}"


@pytest.mark.parametrize(
    "block, parts",
    [
        ({"type": "image", "url": "https://x/y.png"}, [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]),
        (
            {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            [{"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}],
        ),
        (
            {"type": "image", "base64": PNG, "mime_type": "image/png"},
            [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
        ),
        (
            {"type": "audio", "base64": WAV, "mime_type": "audio/x-wav"},
            [{"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}],
        ),
        (
            {"type": "input_audio", "input_audio": {"data": WAV, "format": "mp3"}},
            [{"type": "input_audio", "input_audio": {"data": WAV, "format": "mp3"}}],
        ),
        ({"type": "file", "file_id": "file-1"}, [{"type": "file", "file": {"file_id": "file-1"}}]),
        (
            {"type": "file", "base64": PDF, "mime_type": "application/pdf"},
            [{"type": "file", "file": {"file_data": PDF_URI, "filename": "file.pdf"}}],
        ),
        (
            {"type": "file", "base64": PDF, "mime_type": "application/pdf", "filename": "q3.pdf"},
            [{"type": "file", "file": {"file_data": PDF_URI, "filename": "q3.pdf"}}],
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                "title": "Report",
                "context": "Of the third quarter.",
            },
            [
                {"type": "text", "text": "Of the third quarter."},
                {"type": "file", "file": {"file_data": PDF_URI, "filename": "Report.pdf"}},
            ],
        ),
        (
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": "a"}]},
                "title": "T",
            },
            [{"type": "text", "text": "T\n\na"}],
        ),
        ({"type": "text-plain", "text": "a", "title": "T"}, [{"type": "text", "text": "T\n\na"}]),
        (
            {"type": "text-plain", "base64": base64.b64encode("ä".encode()).decode(), "mime_type": "text/plain"},
            [{"type": "text", "text": "ä"}],
        ),
        (
            {"type": "search_result", "source": "https://x", "title": "T", "content": [{"type": "text", "text": "a"}]},
            [{"type": "text", "text": "T\nhttps://x\n\na"}],
        ),
        ({"type": "non_standard", "value": {"type": "new", "x": 1}}, [{"type": "new", "x": 1}]),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_user_block(block, parts):
    (message,) = sent(HumanMessage([{"type": "text", "text": "See"}, block]))
    assert message == {"role": "user", "content": [{"type": "text", "text": "See"}, *parts]}


def in_user(block: dict[str, Any]) -> BaseMessage:
    return HumanMessage([block])


def in_system(block: dict[str, Any]) -> BaseMessage:
    return SystemMessage([block])


def in_tool(block: dict[str, Any]) -> BaseMessage:
    return ToolMessage([block], tool_call_id="call_1")


def in_assistant(block: dict[str, Any]) -> BaseMessage:
    return AIMessage([block])


REFUSED: list[tuple[Callable[[dict[str, Any]], BaseMessage], dict[str, Any], str]] = [
    (in_user, {"type": "file", "url": "https://x/y.pdf"}, "Responses API"),
    (in_user, {"type": "image", "file_id": "file-1"}, "Responses API"),
    (in_user, {"type": "image", "base64": PNG}, "mime_type"),
    (in_user, {"type": "video", "url": "https://x/y.mp4"}, "frames"),
    (in_user, {"type": "audio", "base64": WAV, "mime_type": "audio/ogg"}, "wav or mp3"),
    (in_user, {"type": "audio", "url": "https://x/y.wav"}, "base64"),
    (in_user, {"type": "text-plain", "url": "https://x/y.txt"}, "Send the text"),
    (in_user, {"type": "text-plain", "base64": "/w==", "mime_type": "text/plain"}, "UTF-8"),
    (in_user, {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "image"}]}, "only text"),
    (in_user, {"type": "container_upload", "file_id": "file-1"}, "'container_upload'.*Only anthropic_messages has"),
    (in_user, {"type": "no_such_thing"}, "'no_such_thing'.*non_standard"),
    (in_user, {"type": "refusal", "refusal": "no"}, "assistant message"),
    *((in_system, block, "user message") for block in MEDIA),
    *((in_tool, block, "Responses API.*user message") for block in MEDIA),
    (in_assistant, {"type": "image", "base64": PNG, "mime_type": "image/png"}, "user message"),
    (in_assistant, {"type": "no_such_thing"}, "non_standard"),
]


@pytest.mark.parametrize("place, block, remedy", REFUSED)
def test_a_block_that_cannot_go_out_raises_with_its_place_and_a_remedy(place, block, remedy):
    with pytest.raises(UnsupportedContentError, match=remedy) as caught:
        sent(HumanMessage("Hi"), place(block))
    assert "openai_chat" in str(caught.value)
    assert "message 1" in str(caught.value)
    assert block["type"] in str(caught.value)
