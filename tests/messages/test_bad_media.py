"""A local path or broken data in the place of an image, a PDF or a sound is refused before the network, in any form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_unified import ChatAnthropic, ChatOpenAI

MODELS = {
    "messages": ChatAnthropic("claude-opus-5", api_key="x"),
    "chat": ChatOpenAI("gpt-5.4-mini", api_key="x", use_responses_api=False),
    "sound": ChatOpenAI("gpt-audio", api_key="x", use_responses_api=False),
    "responses": ChatOpenAI("gpt-5.6", api_key="x", use_responses_api=True),
}

Shape = Callable[[Any], dict[str, Any]]
BY_ADDRESS: dict[str, Shape] = {
    "an image of OpenAI's": lambda value: {"type": "image_url", "image_url": {"url": value}},
    "a short image of OpenAI's": lambda value: {"type": "image_url", "image_url": value},
    "an image of Responses": lambda value: {"type": "input_image", "image_url": value},
    "an image of v1": lambda value: {"type": "image", "url": value},
    "an image of v0": lambda value: {"type": "image", "source_type": "url", "url": value},
    "an image of Anthropic's": lambda value: {"type": "image", "source": {"type": "url", "url": value}},
    "a file of v1": lambda value: {"type": "file", "url": value},
    "a file of Responses": lambda value: {"type": "input_file", "file_url": value},
    "a document of Anthropic's": lambda value: {"type": "document", "source": {"type": "url", "url": value}},
    "a sound of v1": lambda value: {"type": "audio", "url": value},
    "a text of v1": lambda value: {"type": "text-plain", "url": value},
}
PNG, DOCUMENT = {"type": "base64", "media_type": "image/png"}, {"type": "base64", "media_type": "application/pdf"}
BY_DATA: dict[str, Shape] = {
    "an image of v1": lambda value: {"type": "image", "base64": value, "mime_type": "image/png"},
    "an image of v0": lambda value: {"type": "image", "source_type": "base64", "data": value, "mime_type": "image/png"},
    "an image of Anthropic's": lambda value: {"type": "image", "source": {**PNG, "data": value}},
    "a file of v1": lambda value: {"type": "file", "base64": value, "mime_type": "application/pdf"},
    "a file of OpenAI's": lambda value: {"type": "file", "file": {"file_data": value, "filename": "a.pdf"}},
    "a file of Responses": lambda value: {"type": "input_file", "file_data": value, "filename": "a.pdf"},
    "a document of Anthropic's": lambda value: {"type": "document", "source": {**DOCUMENT, "data": value}},
    "a sound of v1": lambda value: {"type": "audio", "base64": value, "mime_type": "audio/wav"},
    "a sound of OpenAI's": lambda value: {"type": "input_audio", "input_audio": {"data": value, "format": "wav"}},
    "a text of v1": lambda value: {"type": "text-plain", "base64": value, "mime_type": "text/plain"},
}
LOCAL = (
    "/home/me/cat.png",
    "./cat.png",
    "~/notes.pdf",
    "C:\\pictures\\cat.png",
    "file:///home/me/cat.png",
    "s3://bucket/cat.png",
    "",
    Path("cat.png"),
)
BROKEN = (*LOCAL, "no base64!", "data:image/png;base64,###", "data:image/png;base64,", None)


def refusal(wire: str, block: dict[str, Any]) -> str:
    report = MODELS[wire].check([HumanMessage([{"type": "text", "text": "What is it?"}, block])])
    assert report.body == {}, (block, report.body)
    assert report.refused is not None
    return report.refused


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("shape", BY_ADDRESS)
def test_what_is_no_address_is_refused_with_the_remedy(wire: str, shape: str) -> None:
    for value in LOCAL:
        said = refusal(wire, BY_ADDRESS[shape](value))
        assert "message 0" in said, said
        assert any(remedy in said for remedy in ("base64", "Send", "send", "text itself")), said


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize("shape", BY_DATA)
def test_what_is_no_data_is_refused_with_the_remedy(wire: str, shape: str) -> None:
    for value in BROKEN:
        said = refusal(wire, BY_DATA[shape](value))
        assert "message 0" in said, said
        assert any(remedy in said for remedy in ("base64", "Send", "send", "text itself")), said


@pytest.mark.parametrize("wire", ["messages", "responses"])
def test_a_local_image_says_how_to_send_it(wire: str) -> None:
    said = refusal(wire, {"type": "image", "url": "/home/me/cat.png"})
    assert said.endswith("The API fetches only http(s) addresses: send the data of a local file as `base64`.")


@pytest.mark.parametrize("wire", MODELS)
@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "path": "/x.png"},
        {"type": "image", "source": "/x.png"},
        {"type": "document", "source": "x.pdf"},
        {"type": "input_audio", "input_audio": "x.wav"},
        {"type": "image_url", "image_url": 5},
        {"type": "image_url", "image_url": {"url": ["x"]}},
        {"type": "image_url"},
    ],
    ids=str,
)
def test_other_shapes_of_a_path_are_refused(wire: str, block: dict[str, Any]) -> None:
    assert "message 0" in refusal(wire, block)


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
def test_bytes_are_written_as_base64(wire: str) -> None:
    block = {"type": "image", "base64": b"\x89PNG\r\n\x1a\n", "mime_type": "image/png"}
    report = MODELS[wire].check([HumanMessage([block])])
    assert "iVBORw0KGgo=" in str(report.body)
