"""Streams as they are shown."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, ToolMessage

from langchain_unified import IncompleteStreamError
from langchain_unified.display import ashow_stream, show_stream
from langchain_unified.testing import Fault
from tests.display.helpers import ANTHROPIC_KEY, cited

STORY_TEXT = (
    "[thinking] Short.\nOnce upon a time.\n[model] anthropic, claude-opus-5\n"
    "  stop · tokens: 2 in, 7 out (2 thinking)\n"
)


def test_a_stream_in_a_terminal(model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    message = show_stream(model.chat.stream("Tell me."))
    assert capsys.readouterr().out == STORY_TEXT
    assert message.text == "Once upon a time."
    assert message.usage_metadata == model.chat.invoke("Tell me.").usage_metadata


async def test_an_async_stream_in_a_terminal(model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    message = await ashow_stream(model.chat.astream("Tell me."))
    assert capsys.readouterr().out == STORY_TEXT
    assert message.text == "Once upon a time."


def test_a_stream_that_breaks_leaves_what_had_come(model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model.server.fail_next(Fault.clean_end_without_final())
    with pytest.raises(IncompleteStreamError):
        show_stream(model.chat.stream("Tell me."))
    written = capsys.readouterr().out
    assert written.startswith("[thinking] Short.\nOnce upon a time.\n")
    assert "[the stream failed] IncompleteStreamError: " in written


def test_a_stream_that_somebody_stops(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> Iterator[str]:
        yield "Once"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show_stream(stopped())
    assert capsys.readouterr().out == "Once\n[the stream failed] KeyboardInterrupt\n"


def test_an_interrupted_stream_is_closed() -> None:
    closed = []

    def endless() -> Iterator[Any]:
        try:
            while True:
                yield AIMessageChunk("so")
        finally:
            closed.append("sync")

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    stream = endless()
    with contextlib.redirect_stdout(Full()), pytest.raises(KeyboardInterrupt):
        show_stream(stream)
    assert closed == ["sync"]


async def test_an_interrupted_async_stream_is_closed() -> None:
    closed = []

    async def endless() -> Any:
        try:
            while True:
                yield "so"
                await asyncio.sleep(0)
        finally:
            closed.append("async")

    stream = endless()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ashow_stream(stream), 0.05)
    assert closed == ["async"]


def test_a_refusal_and_a_source_come_after_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_stream([AIMessageChunk("so", additional_kwargs={"refusal": "I will not."})])
    assert capsys.readouterr().out == "so\n[model]\n  refusal: I will not.\n"
    source = cited("A title", "https://example.org/")
    show_stream([AIMessageChunk(source.content, response_metadata={"model_provider": "anthropic"})])
    out = capsys.readouterr().out
    assert out.startswith("so\n[model] anthropic\n  A title https://example.org/\n")
    assert "“A title”" in out


@pytest.mark.parametrize(
    "items,total,written",
    [
        (["Once ", "upon"], "Once upon", "Once upon\n"),
        ([{"a": 1}, {"a": 1, "b": 2}], {"a": 1, "b": 2}, '[JSON]\n  {\n    "a": 1,\n    "b": 2\n  }\n'),
        ([], None, ""),
    ],
    ids=["texts", "partial answers", "nothing"],
)
def test_other_streams(items: list[Any], total: Any, written: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_stream(iter(items)) == total
    assert capsys.readouterr().out == written


def piece(name: str, text: str = "", **fields: Any) -> tuple[AIMessageChunk, dict[str, Any]]:
    return AIMessageChunk(text, id=name, **fields), {"langgraph_node": "model"}


def test_the_messages_of_a_graph(capsys: pytest.CaptureFixture[str]) -> None:
    call = {"name": "f", "args": "{}", "id": "c", "index": 0, "type": "tool_call_chunk"}
    result = ToolMessage("18 °C", tool_call_id="c", id="t")
    items = [piece("1", tool_call_chunks=[call]), (result, {}), piece("2", "It is "), piece("2", "18 °C.")]
    said = show_stream(iter(items))
    assert [message.text for message in said] == ["", "18 °C", "It is 18 °C."]
    assert capsys.readouterr().out == "[model]\n  calls: f()\n[tool result]\n  18 °C\nIt is 18 °C.\n"


def test_pieces_of_messages_that_come_at_once() -> None:
    items = [piece("1", "one "), piece("2", "two "), piece("1", "one"), piece("2", "two")]
    assert [message.text for message in show_stream(iter(items))] == ["one one", "two two"]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_key_in_pieces_is_not_written(size: int, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"The key is {ANTHROPIC_KEY}, and Bearer abcdefgh12345678 too.\x1b[31m"
    show_stream(AIMessageChunk(said[at : at + size]) for at in range(0, len(said), size))
    written = capsys.readouterr().out
    assert written.startswith("The key is [an Anthropic key], and [a Bearer token] too.")
    assert "\x1b" not in written


def test_a_text_without_blanks_does_not_wait(capsys: pytest.CaptureFixture[str]) -> None:
    written = []

    def story() -> Iterator[str]:
        for character in "东京今天":
            yield character
            written.append(capsys.readouterr().out)

    show_stream(story())
    assert written == list("东京今天")
