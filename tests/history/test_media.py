"""Media that a user wrote: labels by the data, base64 as the API reads it, and what no API takes, with its place."""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64encode
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, UnsupportedContentError
from tests.support.corpus import ENDPOINT_OF
from tests.support.emulated import refused

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
RAW = b64decode(PIXEL)
SOUND = b64encode(b"RIFF....WAVEfmt ").decode()

MODELS: dict[str, Any] = {
    "anthropic_messages": ChatAnthropic("claude-sonnet-4-5", api_key="k"),
    "openai_chat": ChatOpenAI("gpt-4o", api_key="k"),
    "openai_responses": ChatOpenAI("gpt-5.6", api_key="k", use_responses_api=True),
}
each_wire = pytest.mark.parametrize("wire", MODELS)


def user(block: Any) -> HumanMessage:
    # Past the constructor, as stored messages and edits come.
    return HumanMessage("x").model_copy(update={"content": [{"type": "text", "text": "see"}, block]})


def checked(wire: str, *messages: Any) -> Any:
    report = MODELS[wire].check(list(messages))
    if report.ok:
        assert refused(ENDPOINT_OF[wire], report.body) == []
    return report


def image(data: Any, kind: str | None = "image/png") -> dict[str, Any]:
    return {"type": "image", "base64": data, **({"mime_type": kind} if kind else {})}


@each_wire
@pytest.mark.parametrize(
    "block",
    [
        image(PIXEL, "image/jpeg"),
        image(PIXEL, "application/octet-stream"),
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PIXEL}"}},
        {"type": "input_image", "image_url": f"data:image/webp;base64,{PIXEL}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": PIXEL}},
        {"type": "file", "base64": PIXEL, "mime_type": "application/pdf", "filename": "a.pdf"},
    ],
)
def test_an_image_is_labelled_by_its_data(wire: str, block: Any) -> None:
    report = checked(wire, user(block))
    assert "image/png" in str(report.body)
    named = [f"{kind} in message 0 (user)" for kind in ("image", "file")]
    assert [item["what"] for item in report.adjustments] in [[name] for name in named]


@each_wire
@pytest.mark.parametrize("kind", [None, "IMAGE/PNG"])
def test_a_label_that_is_missing_or_in_capitals_needs_no_word(wire: str, kind: str | None) -> None:
    report = checked(wire, user(image(PIXEL, kind)))
    assert "image/png" in str(report.body)
    assert report.adjustments == ()


@each_wire
@pytest.mark.parametrize(
    "data",
    [PIXEL[:40] + "\n" + PIXEL[40:], PIXEL.rstrip("="), urlsafe_b64encode(RAW).decode(), RAW, f" {PIXEL} "],
    ids=["lines", "unpadded", "for URLs", "bytes", "spaces"],
)
def test_base64_is_written_as_the_api_reads_it(wire: str, data: Any) -> None:
    report = checked(wire, user(image(data)))
    assert PIXEL in str(report.body)
    assert [item["what"] for item in report.adjustments] == ["image in message 0 (user)"]


REFUSED: dict[str, Any] = {
    "no base64": image("not base64!!"),
    "no base64 in a data URL": {"type": "image_url", "image_url": {"url": "data:image/png;base64,@@@"}},
    "nothing": image(""),
    "no base64 of a PDF": {"type": "file", "base64": "@@@", "mime_type": "application/pdf"},
    "TIFF": image(b64encode(b"II*\0 some pixels").decode(), "image/tiff"),
    "SVG": image(b64encode(b"<svg/>").decode(), "image/svg+xml"),
    "SVG in a URL": {"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg/%3E"}},
    "ftp": {"type": "image", "url": "ftp://example.com/a.png"},
    "s3": {"type": "image_url", "image_url": {"url": "s3://bucket/a.png"}},
    "file of s3": {"type": "file", "url": "s3://bucket/a.pdf"},
    "sound": {"type": "audio", "base64": SOUND, "mime_type": "audio/wav"},
    "sound as a file": {"type": "file", "base64": SOUND, "mime_type": "audio/wav"},
    "video as a file": {"type": "file", "base64": SOUND, "mime_type": "video/mp4"},
}


@each_wire
@pytest.mark.parametrize("name", REFUSED)
def test_what_no_api_takes_is_refused_with_its_place(wire: str, name: str) -> None:
    report = checked(wire, HumanMessage("hi"), user(REFUSED[name]))
    assert not report.ok
    assert "message 1 (user)" in report.refused
    with pytest.raises(UnsupportedContentError):
        MODELS[wire].invoke([HumanMessage("hi"), user(REFUSED[name])])


def test_sound_by_its_address_is_no_file_on_responses() -> None:
    assert "no sound" in checked("openai_responses", user({"type": "file", "url": "https://x.example/a.mp3"})).refused


@each_wire
@pytest.mark.parametrize("name", REFUSED)
def test_the_same_from_a_tool_ends_no_run(wire: str, name: str) -> None:
    call = AIMessage("", tool_calls=[{"name": "t", "args": {}, "id": "c1"}])
    result = ToolMessage("x", tool_call_id="c1").model_copy(update={"content": [REFUSED[name]]})
    assert checked(wire, HumanMessage("hi"), call, result).ok


def test_another_server_may_take_more() -> None:
    model = ChatOpenAI("llava", api_key="k", base_url="http://vllm.example/v1")
    for name in ("TIFF", "s3", "ftp"):
        assert model.check([user(REFUSED[name])]).ok


@each_wire
@pytest.mark.parametrize("content", [None, 5, 1.5, True, {"a": 1}, [None], [5], b"x"], ids=repr)
def test_an_answer_with_content_of_another_type_ends_no_thread(wire: str, content: Any) -> None:
    answer = AIMessage("x").model_copy(update={"content": content})
    assert checked(wire, HumanMessage("hi"), answer, HumanMessage("and?")).ok


@each_wire
@pytest.mark.parametrize("content", [5, 1.5, True, {"a": 1}, [None], b"x"], ids=repr)
def test_a_question_with_content_of_another_type_is_refused_by_name(wire: str, content: Any) -> None:
    question = HumanMessage("x").model_copy(update={"content": content})
    assert "message 0 (user)" in checked(wire, question).refused


@pytest.mark.parametrize(
    "filename, kind",
    [("a.docx", "wordprocessingml"), ("a.csv", "text/csv"), ("a.pdf", "application/pdf"), ("a", "application/pdf")],
)
def test_a_file_in_openais_form_is_labelled_by_its_name(filename: str, kind: str) -> None:
    # LangChain core labels each of them as a PDF.
    form = {"type": "file", "file": {"file_data": f"data:;base64,{SOUND}", "filename": filename}}
    assert kind in str(checked("openai_responses", user(form)).body)


@each_wire
def test_core_labels_sound_as_a_pdf(wire: str) -> None:
    form = {"type": "file", "file": {"file_data": f"data:audio/wav;base64,{SOUND}", "filename": "a.wav"}}
    with pytest.raises(UnsupportedContentError, match="audio"):
        MODELS[wire].invoke([user(form)])
