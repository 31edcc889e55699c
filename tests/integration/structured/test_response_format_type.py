"""A type as `response_format`: its schema is enforced, and the answer stands in `additional_kwargs["parsed"]`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from langchain_unified.errors import StructuredOutputError, TruncatedOutputError
from langchain_unified.testing import emulator
from tests.integration.structured.helpers import build, each_wire, format_of, sent


class Trip(BaseModel):
    """A trip."""

    city: str
    days: int = Field(le=30)


class TripDict(TypedDict):
    """A trip."""

    city: str
    days: int


@dataclasses.dataclass
class TripData:
    city: str
    days: int


ANSWER = '{"city": "Rome", "days": 4}'
PARSED = [(Trip, Trip(city="Rome", days=4)), (TripDict, {"city": "Rome", "days": 4}), (TripData, TripData("Rome", 4))]


def get_weather(city: str) -> str:
    """The weather."""
    return city


def added(chunks: Any) -> Any:
    first, *rest = chunks
    for chunk in rest:
        first += chunk
    return first


@each_wire
@pytest.mark.parametrize("asked, parsed", PARSED)
async def test_an_answer_is_parsed_however_the_type_is_given(name: str, asked: Any, parsed: Any) -> None:
    with emulator([ANSWER] * 7) as server:
        model = build(name, server)
        calls = [
            model.invoke("A trip.", response_format=asked),
            model.bind(response_format=asked).invoke("A trip."),
            model.bind_tools([get_weather], response_format=asked).invoke("A trip."),
            build(name, server, response_format=asked).invoke("A trip."),
            added(model.stream("A trip.", response_format=asked)),
            await model.ainvoke("A trip.", response_format=asked),
            added([chunk async for chunk in model.astream("A trip.", response_format=asked)]),
        ]
        assert [message.additional_kwargs["parsed"] for message in calls] == [parsed] * 7
        assert {message.text for message in calls} == {ANSWER}
        for request in server.requests:
            form = format_of(request.body)
            assert form["type"] == "json_schema"
            assert form["schema"]["additionalProperties"] is False
            assert form.get("strict") is (None if name == "anthropic" else True)


@each_wire
def test_a_turn_that_calls_tools_is_not_parsed(name: str) -> None:
    with emulator([{"tool_calls": [{"name": "get_weather", "args": {"city": "Rome"}}]}]) as server:
        message = build(name, server).bind_tools([get_weather], response_format=Trip).invoke("A trip.")
        assert [call["name"] for call in message.tool_calls] == ["get_weather"]
        assert "parsed" not in message.additional_kwargs
        assert sent(server)["tools"]


@each_wire
@pytest.mark.parametrize("text", ['{"city": "Rome", "days": 31}', "Rome"])
def test_an_answer_that_does_not_fit_raises(name: str, text: str) -> None:
    with emulator([text] * 2) as server:
        model = build(name, server)
        with pytest.raises(StructuredOutputError) as caught:
            model.invoke("A trip.", response_format=Trip)
        assert caught.value.llm_output == text
        with pytest.raises(StructuredOutputError):
            list(model.stream("A trip.", response_format=Trip))


@each_wire
def test_a_cut_answer_raises_with_its_text(name: str) -> None:
    with emulator(['{"city": "' + "Rome " * 40 + '", "days": 4}']) as server:
        with pytest.raises(TruncatedOutputError) as caught:
            build(name, server).invoke("A trip.", response_format=Trip, max_tokens=16)
        assert caught.value.partial_text.startswith('{"city": "Rome Rome')


@each_wire
def test_a_dict_schema_is_sent_and_not_parsed(name: str) -> None:
    with emulator([ANSWER]) as server:
        message = build(name, server).invoke("A trip.", response_format={"title": "Trip", **Trip.model_json_schema()})
        assert "parsed" not in message.additional_kwargs
        assert format_of(sent(server))["schema"]["properties"].keys() == {"city", "days"}
