"""`batch` and `abatch`: a row that is empty or refused does not end the others, as LangChain's contract has it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_unified import ChatAnthropic, ChatOpenAI, cost_callback
from langchain_unified.errors import InvalidHistoryError
from langchain_unified.testing import Emulator, emulator


@pytest.fixture
def server() -> Any:
    with emulator() as running:
        yield running


def built(wire: str, server: Emulator) -> Any:
    if wire == "messages":
        return ChatAnthropic("claude-opus-5", base_url=server.anthropic_url, api_key="x")
    return ChatOpenAI(
        "gpt-5.6", base_url=server.openai_url, api_key="x", use_responses_api=wire == "responses", max_retries=0
    )


def rows(model: Any, way: str, inputs: list[Any], **more: Any) -> list[Any]:
    async def as_completed() -> list[Any]:
        return [item async for item in model.abatch_as_completed(inputs, **more)]

    if way == "batch":
        return list(model.batch(inputs, **more))
    if way == "abatch":
        return asyncio.run(model.abatch(inputs, **more))
    found = (
        list(model.batch_as_completed(inputs, **more)) if way == "batch_as_completed" else asyncio.run(as_completed())
    )
    return [answer for _, answer in sorted(found, key=lambda item: item[0])]


WAYS = ("batch", "abatch", "batch_as_completed", "abatch_as_completed")


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
@pytest.mark.parametrize("way", WAYS)
def test_an_empty_row_does_not_end_the_others(server: Emulator, wire: str, way: str) -> None:
    found = rows(built(wire, server), way, ["One", [], "Three"], return_exceptions=True)
    assert [type(row) for row in found] == [AIMessage, InvalidHistoryError, AIMessage]
    assert [found[0].text, found[2].text] == ["You said: One", "You said: Three"]
    assert len(server.requests) == 2


@pytest.mark.parametrize("empty", ["", " ", [("human", "")]], ids=repr)
def test_a_row_without_a_word_is_empty_for_claude(server: Emulator, empty: Any) -> None:
    found = rows(built("messages", server), "batch", ["One", empty, "Three"], return_exceptions=True)
    assert [type(row) for row in found] == [AIMessage, InvalidHistoryError, AIMessage]


@pytest.mark.parametrize("way", ["batch", "abatch"])
def test_without_that_the_first_error_is_raised(server: Emulator, way: str) -> None:
    with pytest.raises(InvalidHistoryError):
        rows(built("messages", server), way, ["One", []])


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
def test_what_the_other_rows_cost_is_still_counted(server: Emulator, wire: str) -> None:
    with cost_callback() as costs, pytest.raises(InvalidHistoryError):
        built(wire, server).batch(["One", []])
    assert (len(server.requests), costs.calls) == (1, 1)
